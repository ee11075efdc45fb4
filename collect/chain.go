package collect

import (
	"context"
	"fmt"
)

// chain is the log with the second head that vouches for its end.
type chain struct {
	log  Log
	head Head
}

// walk gives each batch from a sequence on to visit, with its hash, and checks
// that each follows the one before, that the last is the one that the second
// head knows or the one behind it, and that the log reaches atLeast. The batch
// behind the head's was never acknowledged: its append was the last thing that
// happened. A batch is visited once the one behind it, or the head, vouches
// for its bytes.
func (c chain) walk(ctx context.Context, from, atLeast uint64, visit func(batch Batch, hash [32]byte) error) error {
	headSeq, headHash, err := c.head.Load()
	if err != nil {
		return fmt.Errorf("reading the second head of the events: %w", err)
	}
	last, lastHash := from-1, [32]byte{}
	visitLast := func() error { return nil }
	for batch, err := range c.log.Load(ctx, from) {
		if err != nil {
			return err
		}
		previous, err := batch.previous()
		if err != nil {
			return err
		}
		if (batch.Seq > from || from == 1) && previous != lastHash {
			return damaged(batch.Seq, "it does not follow the batch before it, or that one was changed")
		}
		if err := visitLast(); err != nil {
			return err
		}
		last = batch.Seq
		if lastHash, err = batch.hash(); err != nil {
			return err
		}
		if batch.Seq == headSeq && lastHash != headHash {
			return damaged(batch.Seq, "the second head knows it with another hash")
		}
		hash := lastHash
		visitLast = func() error { return visit(batch, hash) }
	}
	if known := max(headSeq, atLeast); last < known {
		return fmt.Errorf("%w: it ends at batch %d, but batch %d was acknowledged; its tail was lost: restore events.db from a copy that has batch %d", ErrDamaged, last, known, known)
	}
	if last > headSeq+1 {
		return fmt.Errorf("%w: the second head stands at batch %d of %d; if you moved the log on purpose, accept it as it is with: attentionbank fsck --accept-journal", ErrDamaged, headSeq, last)
	}
	return visitLast()
}

// Verified is what a log of events that is as it was written has.
type Verified struct {
	Batches, Entries uint64
	// Dropped of the entries are no longer kept; their hashes are.
	Dropped uint64
}

// Verify checks the whole log of events: its chain, its second head, and that
// every entry that is kept can be read. Sealed payloads are not opened.
func Verify(ctx context.Context, log Log, head Head, progress func(seq uint64)) (v Verified, err error) {
	first, err := log.FirstSince(ctx, -1<<63)
	if err != nil {
		return v, fmt.Errorf("finding the first batch: %w", err)
	}
	err = chain{log, head}.walk(ctx, first, 0, func(batch Batch, _ [32]byte) error {
		progress(batch.Seq)
		v.Batches++
		v.Entries += uint64(batch.count())
		kept := uint64(0)
		for e, err := range batch.entries() {
			if err != nil {
				return err
			}
			if e.kind != droppedEntry {
				kept++
			}
		}
		v.Dropped += uint64(batch.count()) - kept
		return nil
	})
	return v, err
}

// AcceptHead makes the second head name the last batch of the log. It is an
// operator's decision that nothing behind it matters.
func AcceptHead(ctx context.Context, log Log, head Head) (seq uint64, err error) {
	last, err := log.FirstSince(ctx, 1<<63-1)
	if err != nil || last <= 1 {
		return 0, err
	}
	for batch, err := range log.Load(ctx, last-1) {
		if err != nil {
			return 0, err
		}
		hash, err := batch.hash()
		if err != nil {
			return 0, err
		}
		return batch.Seq, head.Save(batch.Seq, hash)
	}
	return 0, damaged(last-1, "it is missing")
}
