package journal_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
)

// Whoever follows closely reads nothing from the store, and gets the same as it
// holds; whoever has fallen behind does, and memory holds only so much.
func TestLastRecordsAreInMemory(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	const each, count = 1 << 20, 40 // MiB; 32 stay
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
	if n := fromStore(last - 29); n != 0 {
		t.Fatalf("to follow from the last thirty records, %d were read from the store", n)
	}
	if n := fromStore(last + 1); n != 0 {
		t.Fatalf("behind the end, %d were read from the store", n)
	}
	if n := fromStore(last - 33); n == 0 {
		t.Fatal("more than 32 MiB of records stay in memory")
	}
	if n := fromStore(1); n != len(kept) {
		t.Fatalf("of %d records %d were read from the store", len(kept), n)
	}
}
