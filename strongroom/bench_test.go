package strongroom_test

import (
	"context"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/strongroom"
)

// discard keeps no records.
type discard struct{ *memory.Journal }

func (discard) Append(context.Context, journal.Record) error { return nil }

// A record of 8,000 transfers has about 2 MB.
func BenchmarkEncryptRecord(b *testing.B) {
	body := make([]byte, 2<<20)
	b.SetBytes(int64(len(body)))
	front := strongroom.NewJournal(discard{memory.NewJournal()}, newRing(b, 1))
	for b.Loop() {
		if err := front.Append(b.Context(), journal.Record{Seq: 1, Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}
