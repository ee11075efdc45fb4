package collect_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/memory"
)

// by is an act of a user by a device.
func by(user, device, id string, timeMS int64) event.Event {
	e := jump(user, id, timeMS)
	e.AnonymousID = device
	return e
}

// held returns the users whose TIME the opened cases hold back, and how many
// days only watched.
func (w *world) held(users ...string) (held []string, watched int) {
	w.Helper()
	for _, user := range users {
		person, err := w.people.Person(context.Background(), w.subject(user))
		if err != nil {
			w.Fatal(err)
		}
		for c := range w.cases {
			if c.Person != person {
				continue
			}
			if c.Shadow {
				watched++
			} else {
				held = append(held, user)
			}
		}
	}
	return held, watched
}

// Who came by a device early in the day is looked at again when many others
// came by it later, and what was found is kept with the day, with its numbers.
func TestSharedDevicesAreFoundOfAll(t *testing.T) {
	for _, peopleBytes := range []int{0, 1} {
		w := newWorldWith(t, memory.NewBlocks(), peopleBytes)
		minted := ledger{}
		w.accept(collect.TrustServer, by("ann", "tablet", "1", w.nowMS), by("zoe", "phone", "2", w.nowMS))
		w.flush(minted)
		if len(w.cases) != 0 {
			t.Fatalf("one person by a device: %v", w.cases)
		}
		w.restart(true)
		for i, user := range []string{"bob", "cho"} {
			w.accept(collect.TrustServer, by(user, "tablet", fmt.Sprint("later", i), w.nowMS))
		}
		w.flush(minted)
		if held, watched := w.held("ann", "bob", "cho", "zoe"); !slices.Equal(held, []string{"ann", "bob", "cho"}) || watched != 3 {
			t.Fatalf("held back of %v, %d watched", held, watched)
		}
		w.restart(false)
		w.flush(minted) // as a start does: a crash forgets what was found since the checkpoint
		day := bank.Day(w.nowMS)
		found, err := w.Findings(context.Background(), w.subject("ann"), day-60, day)
		if err != nil {
			t.Fatal(err)
		}
		want := []collect.Found{
			{Day: day, RulesVersion: 3, Finding: abuse.Finding{Signal: abuse.SharedDevice, Cost: 300, Value: 3, Limit: 1}},
			{Day: day, RulesVersion: 3, Finding: abuse.Finding{Signal: abuse.Sybil, Shadow: true, Cost: 400, Value: 3, Limit: 1, Beside: 3}},
		}
		if !slices.Equal(found, want) {
			t.Errorf("found %+v, want %+v", found, want)
		}
		// The same day in another world, or the next day, are a device of their own.
		w.nowMS += dayMS
		before := len(w.cases)
		w.accept(collect.TrustServer, by("ann", "tablet", "next day", w.nowMS))
		w.flush(minted)
		if len(w.cases) != before {
			t.Errorf("a device of yesterday is one of today: %v", w.cases)
		}
		w.Close()
	}
}

// What an operator imports is a history that somebody else vouches for.
func TestImportsAreNotLookedAt(t *testing.T) {
	w := newWorld(t)
	w.rules = abuse.DefaultRules()
	w.restart(true)
	request := collect.Request{World: 1, Trust: collect.TrustImport, PolicyVersion: 1}
	for i := range 30 {
		e := by(fmt.Sprint("user", i), "terminal", fmt.Sprint(i), w.nowMS)
		e.CoversMS, e.Count = dayMS, 1_000_000
		request.Items = append(request.Items, event.Item{Event: e})
	}
	if _, err := w.Accept(context.Background(), request); err != nil {
		t.Fatal(err)
	}
	w.flush(ledger{})
	if len(w.cases) != 0 {
		t.Errorf("an import opened %v", w.cases)
	}
	// Who was imported is not new later.
	for i := range 30 {
		w.accept(collect.TrustServer, by(fmt.Sprint("user", i), fmt.Sprint("own", i), fmt.Sprint("live", i), w.nowMS))
	}
	w.flush(ledger{})
	if len(w.cases) != 0 {
		t.Errorf("those who were imported are newcomers: %v", w.cases)
	}
}

// A crowd of newcomers is found by the hours before.
func TestNewcomersAreSeenBesideThoseOfBefore(t *testing.T) {
	w := newWorld(t)
	var err error
	if w.rules, err = abuse.ParseRules([]byte("name: crowd\nrules: [{signal: new_people_burst, mode: enforce, cost: 1000, more_than: 3, times_usual: 2}]")); err != nil {
		t.Fatal(err)
	}
	w.restart(true)
	come := func(what string, n int) {
		for i := range n {
			w.accept(collect.TrustServer, jump(fmt.Sprint(what, i), fmt.Sprint(what, i), w.nowMS))
		}
	}
	w.nowMS -= w.nowMS % dayMS // so that the hours are of one day
	for hour := range 12 {
		come(fmt.Sprint("early", hour, "-"), 4)
		if hour == 6 {
			w.restart(false)
		}
		w.nowMS += hourMS
	}
	w.flush(ledger{})
	early := len(w.cases)
	come("crowd", 9)
	w.flush(ledger{})
	if got := len(w.cases) - early; got != 9 {
		t.Errorf("%d of a crowd of 9 were found", got)
	}
	// Those of the first hour had none before them, from the third on 4 are usual
	// beside at least 2 a... hour of the day before.
	if early == 0 || early >= 12*4 {
		t.Errorf("%d of 48 regular newcomers were found", early)
	}
}

// What a person says about a case is kept with the person, sealed, and goes
// with the key.
func TestAppealsAreSealedAndErased(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	ann := w.subject("ann")
	const text = "my sister plays on the same tablet"
	for range 2 {
		if err := w.Appeal(ctx, 1, ann, 7, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Appeal(ctx, 1, ann, 7, strings.Repeat("x", collect.MaxAppealBytes+1)); err == nil {
		t.Error("an appeal beyond the bound was kept")
	}
	for _, clean := range []bool{false, true} {
		w.restart(clean)
		said, err := w.Appeals(ctx, ann)
		if err != nil || len(said) != 1 || said[0].Case != 7 || said[0].Text != text || said[0].AtMS != startMS {
			t.Fatalf("after a restart (clean: %v) %+v, %v", clean, said, err)
		}
	}
	for batch := range w.events.Load(ctx, 1) {
		if bytes.Contains(batch.Body, []byte("sister")) {
			t.Error("the text of an appeal stands in the log in clear")
		}
	}
	if err := w.people.Erase(ctx, ann); err != nil {
		t.Fatal(err)
	}
	if err := w.Forget(ctx, ann); err != nil {
		t.Fatal(err)
	}
	w.restart(false)
	if said, err := w.Appeals(ctx, ann); err != nil || len(said) != 0 {
		t.Errorf("after the erasure: %+v, %v", said, err)
	}
}

// Who is erased is no longer counted.
func TestErasedAreNotCounted(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	w.accept(collect.TrustServer, by("ann", "tablet", "1", w.nowMS))
	w.restart(true)
	bob := w.subject("bob")
	w.accept(collect.TrustServer, by("bob", "tablet", "2", w.nowMS))
	for _, subject := range []uint64{w.subject("ann"), bob} {
		if err := w.people.Erase(ctx, subject); err != nil {
			t.Fatal(err)
		}
		if err := w.Forget(ctx, subject); err != nil {
			t.Fatal(err)
		}
	}
	w.accept(collect.TrustServer, by("cho", "tablet", "3", w.nowMS))
	w.flush(ledger{})
	if len(w.cases) != 0 {
		t.Errorf("the erased are still counted: %v", w.cases)
	}
}
