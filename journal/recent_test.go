package journal_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
)

// Whoever follows reads nothing from the store, and gets the same as it holds;
// whoever has fallen far behind does. Memory holds only so much, and little once
// it was read.
func TestLastRecordsAreInMemory(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	const each, count = 1 << 20, 132 // MiB; 128 stay
	for range count {
		if _, err := w.Submit(t.Context(), make([]byte, each)); err != nil { // refused, and journaled as such
			t.Fatal(err)
		}
	}
	var kept []journal.Record
	for record, err := range r.store.Load(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, record)
	}
	loads := 0
	r.store.OnLoad = func(uint64) error { loads++; return nil }
	fromStore := func(from uint64) (loaded int) {
		t.Helper()
		loads = 0
		seq := from
		for record, err := range w.Records(t.Context(), from) {
			if err != nil || record.Seq != seq || record.Hash != kept[seq-1].Hash || !bytes.Equal(record.Body, kept[seq-1].Body) {
				t.Fatalf("record %d came as %d, %v", seq, record.Seq, err)
			}
			seq++
		}
		if seq != w.Durable()+1 {
			t.Fatalf("the records from %d on ended before %d of %d", from, seq, w.Durable())
		}
		return loads
	}
	last := w.Durable()
	requireLoads := func(what string, from uint64, want int) {
		t.Helper()
		if n := fromStore(from); n != want {
			t.Fatalf("%s: from record %d of %d on %d were read from the store, expected %d", what, from, last, n, want)
		}
	}
	requireLoads("behind the end", last+1, 0)
	requireLoads("within 128 MiB", last-125, 0)
	requireLoads("beyond them", last-129, 130)
	requireLoads("from the first", 1, len(kept))
	w.Release(last - 100)
	requireLoads("not yet released", last-99, 0)
	requireLoads("released", last-100, 101)
	w.Release(last)
	requireLoads("the last 4 MiB stay", last-2, 0)
	requireLoads("before them", last-4, 5)
}
