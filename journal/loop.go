package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attentionbank/attentionbank/bank"
)

// run is the loop of the single writer: take what waits, apply it, make it
// durable, answer it. The first append that fails ends it.
func (w *Writer) run() {
	defer w.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var first *request
		if w.options.ByRequestOnly {
			timer.Stop()
		} else {
			timer.Reset(w.untilDue())
		}
		select {
		case first = <-w.queue:
		case <-timer.C:
		case <-w.closing:
			select { // answer what waits before ending
			case first = <-w.queue:
			default:
				return
			}
		}
		batch := w.take(first)
		if err := w.write(batch); err != nil {
			err = fmt.Errorf("writing record %d: %w", w.at.seq+1, err)
			w.failure.Store(&err)
			for _, r := range batch {
				r.err = w.stopped()
				close(r.done)
			}
			return
		}
		for _, r := range batch {
			if r.read != nil {
				r.read(w.at.state)
			}
			close(r.done)
		}
		w.maybeSnapshot()
	}
}

// untilDue returns how long nothing has to be done by time.
func (w *Writer) untilDue() time.Duration {
	dueMS, any := w.at.state.NextDueMS()
	if !any {
		return repollMS * time.Millisecond
	}
	nowMS := max(w.options.Now(), w.at.state.NowMS()) // as write sees it
	return time.Duration(min(max(dueMS-nowMS, 0), repollMS)) * time.Millisecond
}

// take returns first and what waits behind it, up to the bounds of a record.
func (w *Writer) take(first *request) (batch []*request) {
	if first == nil {
		return nil
	}
	commands, size := 0, 0
	for r := first; ; {
		batch = append(batch, r)
		commands += len(r.commands)
		for _, command := range r.commands {
			size += len(command)
		}
		if commands >= maxBatchCommands || size >= maxBatchBytes {
			return batch
		}
		select {
		case r = <-w.queue:
		default:
			return batch
		}
	}
}

// write applies the commands of a batch, with Ticks before them if something is
// due, and makes them durable as one record. Without commands it writes
// nothing, except for the record that begins a term.
func (w *Writer) write(batch []*request) error {
	nowMS := max(w.options.Now(), w.at.state.NowMS())
	dueMS, any := w.at.state.NextDueMS()
	tick := any && dueMS <= nowMS
	count, size := 0, 0
	for _, r := range batch {
		count += len(r.commands)
		for _, command := range r.commands {
			size += 4 + len(command)
		}
	}
	beginsTerm := w.durable.Load() == 0
	if count == 0 && !tick && !beginsTerm {
		return nil
	}
	ctx, watched := w.watch(batch)
	w.at.state.Begin(w.at.seq+1, nowMS)
	w.at.state.Chain(w.at.hash)
	var ticks [][]byte
	if tick && !beginsTerm {
		ticks = w.tick()
	}
	count += len(ticks)
	body := make([]byte, 0, headerBytes+2*size+count*64+64)
	body = appendHeader(body, Header{Seq: w.at.seq + 1, TimeMS: nowMS, Engine: bank.Engine, Term: w.at.term, Previous: w.at.hash})
	for range ticks {
		body = appendFrame(body, bank.AppendTick(nil))
	}
	for _, r := range batch {
		for _, command := range r.commands {
			body = appendFrame(body, command)
		}
	}
	setCommands(body, count, len(body)-headerBytes)
	body = w.apply(body, batch, ticks)
	err := w.append(ctx, seal(w.at.seq+1, body))
	if watched(err); err != nil {
		return err
	}
	w.stats.Commands.Add(int64(count))
	w.sinceSnapshot += count
	return nil
}

// watch begins to watch a record.
func (w *Writer) watch(batch []*request) (context.Context, func(error)) {
	if w.options.Watch == nil {
		return context.Background(), func(error) {}
	}
	var requests []context.Context
	for _, r := range batch {
		if len(r.commands) > 0 {
			requests = append(requests, r.ctx)
		}
	}
	return w.options.Watch(requests, w.at.seq+1)
}

func appendFrame(dst, content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(content))), content...)
}

// maxTicks bounds the Ticks of a record, each of which does a bounded part.
const maxTicks = 16

// tick lets time take effect and returns the answers: that of one Tick, and of
// more while markets have not done all that is due, since orders would be
// refused for it.
func (w *Writer) tick() (answers [][]byte) {
	for len(answers) == 0 || len(answers) < maxTicks && w.at.state.MarketsBehind() {
		answers = append(answers, w.at.state.Apply(bank.AppendTick(nil), nil))
	}
	return answers
}

// apply applies the commands that stand in body behind the Ticks, whose answers
// are given, and appends all answers to it. The answers that clients get are
// parts of the body.
func (w *Writer) apply(body []byte, batch []*request, ticks [][]byte) []byte {
	commands := body[headerBytes:]
	for _, answer := range ticks {
		_, commands, _ = frame(commands)
		body = appendFrame(body, answer)
	}
	index := uint32(len(ticks))
	for _, r := range batch {
		if len(r.commands) == 0 {
			continue
		}
		r.answers = make([]Answer, len(r.commands))
		for i := range r.answers {
			var command []byte
			command, commands, _ = frame(commands)
			start := len(body) + 4
			body = w.at.state.Apply(command, append(body, 0, 0, 0, 0))
			binary.LittleEndian.PutUint32(body[start-4:], uint32(len(body)-start))
			r.answers[i] = Answer{Seq: w.at.seq + 1, Index: index, Refusal: bank.Refusal(body[start]), Bytes: body[start:len(body):len(body)]}
			index++
		}
	}
	return body
}

// append makes a record durable in the store and then in the second head. If
// the outcome in the store is unknown, the record is read back first.
func (w *Writer) append(ctx context.Context, record Record) error {
	began := time.Now()
	if err := w.store.Append(ctx, record); err != nil {
		if errors.Is(err, ErrConflict) {
			return err
		}
		if requireHash(ctx, w.store, record.Seq, record.Hash) != nil {
			return err
		}
	}
	if err := w.head.Save(record.Seq, record.Hash); err != nil {
		return fmt.Errorf("saving the second head: %w", err)
	}
	w.stats.AppendNS.Add(int64(time.Since(began)))
	w.stats.Records.Add(1)
	w.at.seq, w.at.hash = record.Seq, record.Hash
	w.recent.add(record)
	w.newer.Lock()
	w.durable.Store(record.Seq)
	close(w.grew)
	w.grew = make(chan struct{})
	w.newer.Unlock()
	return nil
}

// freeze returns the state at the last record and what writes a snapshot of it.
func (w *Writer) freeze() (seq uint64, write func(io.Writer) error) {
	frozen, hash := w.at.state.Freeze(), w.at.hash
	return frozen.Seq(), func(dst io.Writer) error { return writeSnapshot(dst, frozen, hash) }
}

// maybeSnapshot freezes the state and writes it beside the loop, one at a time.
func (w *Writer) maybeSnapshot() {
	if w.sinceSnapshot < w.options.SnapshotEvery || !w.snapshotting.CompareAndSwap(false, true) {
		return
	}
	w.sinceSnapshot = 0
	seq, write := w.freeze()
	w.snapshots.Add(1)
	w.options.Aside(func() {
		defer w.snapshots.Done()
		defer w.snapshotting.Store(false)
		if err := w.store.SaveSnapshot(context.Background(), seq, write); err != nil {
			w.options.Warn(fmt.Sprintf("the snapshot at record %d could not be taken: %v", seq, err))
		}
	})
}
