package journal

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/bank"
)

// position is where a state stands in the journal.
type position struct {
	state *bank.State
	seq   uint64
	hash  [32]byte // of record seq
	term  uint64
	// replayed is the number of commands that were applied behind the snapshot.
	replayed int
}

// recoverState comes to the state after the last record: from the newest
// snapshot that is whole, and the records behind it, by the code that applied
// them first. What is not as it was written is an error that names the record.
func recoverState(ctx context.Context, store Store, head Head, warn func(string)) (position, error) {
	at, err := fromSnapshot(ctx, store, math.MaxUint64, warn)
	if err != nil {
		return at, err
	}
	headSeq, headHash, err := head.Load()
	if err != nil {
		return at, fmt.Errorf("reading the second head: %w", err)
	}
	if headSeq != 0 && headSeq < at.seq {
		// The records between are not read again below, so the head's is here.
		if err := requireHash(ctx, store, headSeq, headHash); err != nil {
			return at, err
		}
	}
	if headSeq == at.seq && headHash != at.hash {
		return at, otherHash(headSeq)
	}
	for record, err := range store.Load(ctx, at.seq+1) {
		if err != nil {
			return at, fmt.Errorf("reading the journal behind record %d: %w", at.seq, err)
		}
		if err := at.apply(record); err != nil {
			return at, err
		}
		if record.Seq == headSeq && record.Hash != headHash {
			return at, otherHash(headSeq)
		}
	}
	return at, endsWhereHeadSays(at.seq, headSeq)
}

// endsWhereHeadSays compares the last record with the second head. The journal
// may be one record ahead of it, whose answers nobody has got.
func endsWhereHeadSays(last, headSeq uint64) error {
	const accept = "if you put another copy of the journal there on purpose, accept it as it is with: attentionbank fsck --accept-journal"
	if headSeq > last {
		return damaged(last+1, "it is missing, the journal ends before, and record %d was acknowledged: restore the journal from a copy that has record %d; %s",
			headSeq, headSeq, accept)
	}
	if headSeq == 0 && last > 1 {
		return fmt.Errorf("%w: the second head is missing while the journal has %d records; %s", ErrDamaged, last, accept)
	}
	return nil
}

func otherHash(seq uint64) error {
	return damaged(seq, "the second head knows it with another hash: restore journal and head from the same copy")
}

// requireHash returns an error if a record is not there with this hash.
func requireHash(ctx context.Context, store Store, seq uint64, hash [32]byte) error {
	record, err := one(ctx, store, seq)
	if err != nil {
		return err
	}
	if record.Hash != hash {
		return otherHash(seq)
	}
	return nil
}

// apply verifies the next record, applies its commands and compares the
// answers with those that were given.
func (p *position) apply(record Record) error {
	if record.Seq != p.seq+1 {
		return damaged(p.seq+1, "it is missing; the next one is %d", record.Seq)
	}
	header, err := record.Verify(p.hash)
	if err != nil {
		return err
	}
	if header.Engine == 0 || header.Engine > bank.Engine {
		return fmt.Errorf("record %d was written by engine version %d, this program knows 1 to %d: use the program that wrote it or a newer one", record.Seq, header.Engine, bank.Engine)
	}
	if header.TimeMS < p.state.NowMS() || header.Term < p.term {
		return damaged(record.Seq, "its time or term goes back")
	}
	p.state.Begin(record.Seq, header.TimeMS)
	p.state.Chain(p.hash)
	var answer []byte
	for pair, err := range record.Pairs() {
		if err != nil {
			return err
		}
		if answer = p.state.Apply(pair.Command, answer[:0]); !bytes.Equal(answer, pair.Answer) {
			return damaged(record.Seq, "command %d is answered differently than it was", pair.Index)
		}
	}
	p.seq, p.hash, p.term = record.Seq, record.Hash, header.Term
	p.replayed += int(header.Commands)
	return nil
}
