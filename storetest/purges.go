package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
)

// purged is a log and what should be in it.
type purged struct {
	*testing.T
	ctx     context.Context
	store   EventStore
	batches map[uint64]collect.Batch
	through map[uint32]uint64
}

func (p *purged) check(store EventStore) {
	p.Helper()
	if got, err := store.Purged(p.ctx); err != nil || !maps.Equal(got, p.through) {
		p.Fatalf("worlds have got to %v, %v; expected %v", got, err, p.through)
	}
	seq := uint64(0)
	for got, err := range store.Load(p.ctx, 1) {
		if err != nil {
			p.Fatal(err)
		}
		seq++
		want := p.batches[seq]
		if got.Seq != seq || got.ReceivedMS != want.ReceivedMS || !bytes.Equal(got.Body, want.Body) {
			p.Fatalf("batch %d came back as %d at %d with %d bytes of %d", seq, got.Seq, got.ReceivedMS, len(got.Body), len(want.Body))
		}
	}
	if seq != uint64(len(p.batches)) {
		p.Fatalf("%d batches are left of %d", seq, len(p.batches))
	}
}

func (p *purged) stands(subject uint64, want ...collect.Place) {
	p.Helper()
	if got, err := p.store.Places(p.ctx, subject, 0, 10); err != nil || !reflect.DeepEqual(got, want) {
		p.Fatalf("subject %d stands in %v, %v; expected %v", subject, got, err, want)
	}
}

// purge shortens batches. What it should have done is done if it was accepted.
func (p *purged) purge(term uint64, through map[uint32]uint64, gone []collect.Place, seqs ...uint64) error {
	step := collect.Purged{Gone: gone, Through: through}
	for _, seq := range seqs {
		b := p.batches[seq]
		b.Seq, b.Body = seq, []byte(fmt.Sprintf("short %d", seq))
		step.Batches = append(step.Batches, b)
	}
	if err := p.store.Purge(p.ctx, term, step); err != nil {
		return err
	}
	for _, b := range step.Batches {
		p.batches[b.Seq] = b
	}
	maps.Copy(p.through, through)
	return nil
}

func (p *purged) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// purges says what a purge does to a log: bodies and places change together or
// not at all, only by the collector of the last term, and nothing else changes.
func purges(t *testing.T, open func(t *testing.T) EventStore) {
	p := &purged{T: t, ctx: context.Background(), store: open(t), batches: map[uint64]collect.Batch{}, through: map[uint32]uint64{}}
	for seq := uint64(1); seq <= 70; seq++ {
		p.batches[seq] = batch(seq, int64(seq)*10, 200)
		appendBatch(t, p.store, p.batches[seq])
	}
	p.check(p.store)
	place := func(subject uint64, batches ...uint64) collect.Place {
		return collect.Place{Subject: subject, Batches: batches}
	}
	old, _, err := p.store.Begin(p.ctx)
	p.must(err)
	p.must(p.store.Save(p.ctx, old, 70, nil, []collect.Place{place(1, 1, 3, 5), place(1, 6, 7), place(1, 60), place(2, 3), place(3, 1, 9)}))
	p.must(p.purge(old, map[uint32]uint64{1: 3, 7: 2}, nil, 1, 3))
	p.check(p.store)
	p.stands(1, place(1, 1, 3, 5), place(1, 6, 7), place(1, 60))
	p.must(p.purge(old, map[uint32]uint64{7: 66, 1<<32 - 1: 66}, []collect.Place{place(1, 1, 5, 6, 7), place(2, 3), place(4, 2)}, 2, 65, 66))
	p.stands(1, place(1, 3), place(1, 60))
	p.stands(2)
	p.stands(3, place(3, 1, 9))
	p.must(p.purge(old, map[uint32]uint64{1: 40}, []collect.Place{place(3, 9)})) // where nothing was dropped
	p.stands(3, place(3, 1))
	p.check(p.store)
	p.check(open(t))
	// A batch that is not there takes with it what it is with.
	if p.purge(old, map[uint32]uint64{1: 80}, []collect.Place{place(1, 60)}, 50, 71) == nil {
		t.Fatal("a batch that is not there was purged")
	}
	p.check(p.store)
	term, _, err := open(t).Begin(p.ctx)
	p.must(err)
	if err := p.purge(old, map[uint32]uint64{1: 50}, []collect.Place{place(1, 60)}, 50); !errors.Is(err, collect.ErrConflict) {
		t.Fatalf("a purge of an earlier term was answered %v", err)
	}
	p.check(p.store)
	p.stands(1, place(1, 3), place(1, 60))
	p.must(p.purge(term, map[uint32]uint64{1: 50}, []collect.Place{place(1, 60)}, 50))
	p.stands(1, place(1, 3))
	p.batches[71] = batch(71, 1000, 5) // a log goes on where it ended
	appendBatch(t, p.store, p.batches[71])
	p.check(p.store)
}
