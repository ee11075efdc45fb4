package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/event"
)

// recover comes to the state after the last batch. What is not as it was
// written is an error that names the batch.
func (f *fold) recover(ctx context.Context) error {
	// Parts are read when they are needed, so from here on nobody else may
	// replace them.
	term, checkpoint, err := f.c.checkpoints.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning behind the checkpoint: %w", err)
	}
	f.term, f.stored, f.checkpointed = term, checkpoint > 0, checkpoint
	from, err := f.horizon(ctx)
	if err != nil {
		return fmt.Errorf("finding the horizon: %w", err)
	}
	if from, err = f.openBlocks(ctx, from); err != nil {
		return fmt.Errorf("opening the message ids: %w", err)
	}
	// Message ids are read from behind the blocks on, entries are folded behind
	// the checkpoint; the batch before is read for its time and hash.
	f.seen.from = from
	from = max(min(from, checkpoint+1), 2) - 1
	f.seq = from - 1
	chain := chain{log: f.c.log, head: f.c.head}
	f.recovering = true
	defer func() { f.recovering = false }()
	err = chain.walk(ctx, from, checkpoint, func(batch Batch, hash [32]byte) error {
		if err := f.again(ctx, batch, batch.Seq > checkpoint); err != nil {
			return err
		}
		f.seq, f.receivedMS, f.hash = batch.Seq, batch.ReceivedMS, hash
		return nil
	})
	if err != nil || f.seq == 0 {
		return err
	}
	f.countSeen()
	// A batch whose head was not saved is folded now, and its events are told
	// as duplicates: so it is acknowledged.
	if err := f.c.head.Save(f.seq, f.hash); err != nil {
		return fmt.Errorf("saving the second head of the events: %w", err)
	}
	return nil
}

// horizon returns the first batch whose message ids are remembered. It goes by
// the time of the last batch and not by the clock: a clock that runs ahead now
// may be set back, and the next batch is then no earlier than the last.
func (f *fold) horizon(ctx context.Context) (seq uint64, err error) {
	behind, err := f.c.log.FirstSince(ctx, 1<<63-1)
	if err != nil || behind <= 1 {
		return behind, err
	}
	for last, err := range f.c.log.Load(ctx, behind-1) {
		if err != nil {
			return 0, err
		}
		f.oldestHour = last.ReceivedMS/hourMS - horizonHours
		return f.c.log.FirstSince(ctx, f.oldestHour*hourMS)
	}
	return behind, nil
}

// again remembers the message ids of a batch and, if it lies behind the
// checkpoint, folds its entries. What is needed for either is never dropped.
func (f *fold) again(ctx context.Context, batch Batch, folds bool) error {
	f.atMS = batch.ReceivedMS
	needed := folds || batch.Seq >= f.seen.from
	if needed && len(batch.Body) > bodyHeader && batch.Body[bodyHeader] == formRoot {
		return errNeeded(batch.Seq)
	}
	index := uint32(0)
	for e, err := range batch.entries() {
		if err != nil {
			return err
		}
		f.remember(batch.ReceivedMS, position(batch.Seq, index), &e, true)
		index++
		if needed && e.kind == droppedEntry {
			return errNeeded(batch.Seq)
		}
		if !folds {
			continue
		}
		p, err := f.open(ctx, e)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return fmt.Errorf("entry %d of batch %d: %w", index-1, batch.Seq, err)
		}
		if err := f.add(ctx, batch.Seq, batch.ReceivedMS, p); err != nil {
			return err
		}
		f.sinceCheckpoint++
	}
	return nil
}

func errNeeded(seq uint64) error {
	return damaged(seq, "events of it were dropped that are still needed; restore events.db from a copy that has them")
}

// open opens an entry's payload and reads what it means. Verdict and rule are
// those that were reached when it arrived.
func (f *fold) open(ctx context.Context, e entry) (*prepared, error) {
	payload, err := f.c.subjects.Open(ctx, nil, e.sealed, e.digest[:])
	if err != nil {
		return nil, err
	}
	p := &prepared{entry: e}
	if e.kind == linkEntry {
		if len(payload) != 1 {
			return nil, errors.New("a link is damaged")
		}
		p.linking = linkRequest(payload[0])
		return p, nil
	}
	if e.kind == appealEntry {
		if len(payload) < 8 {
			return nil, errors.New("an appeal is damaged")
		}
		p.appeal = appeal{number: binary.LittleEndian.Uint64(payload), text: string(payload[8:])}
		return p, nil
	}
	if e.kind == termsEntry {
		p.terms, err = decodeTerms(payload)
		return p, err
	}
	if e.kind == sessionEntry {
		if len(payload) != 16 {
			return nil, errors.New("a session is damaged")
		}
		le := binary.LittleEndian
		p.session = session{int64(le.Uint64(payload)), int64(le.Uint64(payload[8:]))}
		return p, nil
	}
	if len(payload) < 8 {
		return nil, errors.New("an event is damaged")
	}
	p.timeMS = int64(binary.LittleEndian.Uint64(payload))
	decoded, err := event.Decode(payload[8:])
	if err != nil {
		return nil, err
	}
	p.reported = decoded
	f.c.observe(p, &decoded)
	p.rule = e.rule
	return p, nil
}
