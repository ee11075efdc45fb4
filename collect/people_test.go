package collect_test

import (
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

// Many more people have an open day than memory is given for: they leave it,
// come back for late events, and each day is minted once and in full.
func TestPeopleBeyondMemory(t *testing.T) {
	const people, inMemory = 2000, 50
	w := newWorldWith(t, nil, inMemory*5000)
	name := func(i int) string { return fmt.Sprint("user", i) }
	today := bank.Day(w.nowMS)
	for round := range 3 {
		for i := 0; i < people; i += 20 {
			var some []event.Event
			for n := range 20 {
				some = append(some, jump(name(i+n), fmt.Sprint(round, "/", i+n), w.nowMS-int64(round)*hourMS))
			}
			w.accept(collect.TrustServer, some...)
			if held := w.Statistics().People.Load(); held > 2*inMemory {
				t.Fatalf("%d people stayed in memory", held)
			}
		}
	}
	if w.Statistics().People.Load() == 0 {
		t.Fatal("nobody has left memory")
	}
	minted := ledger{}
	if n := w.flush(minted); n != people || len(minted) != people {
		t.Fatalf("%d days of %d people were minted", n, people)
	}
	if n := w.flush(minted); n != 0 {
		t.Fatalf("%d days were minted again", n)
	}
	late := func(i int) event.Event { return jump(name(i), fmt.Sprint("late/", i), w.nowMS-4*hourMS) }
	for i := 0; i < people; i += 100 {
		w.requireVerdict("accepted", collect.TrustServer, late(i))
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, late(i))
	}
	for _, clean := range []bool{true, false} {
		w.restart(clean)
		if n := w.flush(minted); clean && n != people/100 || !clean && n > people/100 {
			t.Fatalf("after a restart (clean: %v) %d days were minted", clean, n)
		}
	}
	for i := range people {
		_, attention := w.earned(name(i), today)
		want := int64(3_000_000)
		if i%100 == 0 {
			want += 1_000_000
		}
		if attention.Award.InteractionsMicro != want || attention.MintedMicro != attention.Award.PointsMicro {
			t.Fatalf("%s has %+v", name(i), attention)
		}
	}
}
