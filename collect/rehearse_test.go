package collect_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// rehearse scores the days from the first on anew, as person and day → points.
func (w *world) rehearse(policies collect.Policies, leadDays int) map[string]int64 {
	w.Helper()
	first, _ := score.DayOf(startMS)
	list, err := collect.Rehearse(context.Background(), w.events, w.people, collect.Rehearsal{
		World: 1, FromDay: first - 7, UntilDay: first + 30, LeadDays: leadDays, Policies: policies, Progress: func(uint64) {},
	})
	if err != nil {
		w.Fatal(err)
	}
	points := map[string]int64{}
	for _, r := range list {
		points[fmt.Sprintf("%x %d", r.Person, r.Day)] = r.Award.PointsMicro
	}
	return points
}

// A rehearsal by the policies that hold comes to what the days have earned,
// and leaves everything as it was; by another policy it comes to what they
// would have earned.
func TestRehearsalComesToTheSame(t *testing.T) {
	w := newWorld(t)
	first, _ := score.DayOf(startMS)
	order := func(id, name, revenue string, timeMS int64) event.Event {
		return event.Event{Type: name, MessageID: id, UserID: "ann", TimeMS: timeMS, Properties: []event.Property{{Name: "order_id", Value: "o"}, {Name: "revenue", Value: revenue}}}
	}
	w.accept(collect.TrustWrite,
		event.Event{Type: "Jumped", MessageID: "before", AnonymousID: "device", TimeMS: startMS - minuteMS},
		event.Event{Type: "heartbeat", MessageID: "stranger", AnonymousID: "nobody", TimeMS: startMS})
	w.accept(collect.TrustServer,
		event.Event{Call: event.Identify, Type: "identify", MessageID: "i", UserID: "ann", AnonymousID: "device", TimeMS: startMS - 2*minuteMS},
		event.Event{Type: "Jumped", MessageID: "server", UserID: "ann", TimeMS: startMS},
		event.Event{Type: "Jumped", MessageID: "server", UserID: "ann", TimeMS: startMS + minuteMS}, // told as a duplicate
		event.Event{Type: "heartbeat", MessageID: "bob", UserID: "bob", TimeMS: startMS - 3*dayMS},
		order("buy", "Order Completed", "20", startMS))
	w.nowMS += dayMS
	w.accept(collect.TrustServer, order("back", "Order Refunded", "5", startMS+dayMS))
	w.accept(collect.TrustWrite, event.Event{Type: "Danced", MessageID: "united", AnonymousID: "device", TimeMS: startMS + 5*minuteMS})
	w.nowMS += 5 * dayMS
	w.flush(ledger{})

	want := map[string]int64{}
	for _, user := range []string{"ann", "bob"} {
		person, err := w.people.Person(context.Background(), w.subject(user))
		if err != nil {
			t.Fatal(err)
		}
		for day := first - 7; day <= first+10; day++ {
			if points, _ := w.earned(user, day); points > 0 {
				want[fmt.Sprintf("%x %d", person, day)] = points
			}
		}
	}
	same := func(what string, got, want map[string]int64) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%v\nexpected\n%v", what, got, want)
		}
	}
	if len(want) != 3 { // ann's day, the day on which her spend counts, bob's
		t.Fatalf("%v", want)
	}
	same("by the same policy", w.rehearse(w.policies, 3), want)
	same("again", w.rehearse(w.policies, 60), want)

	// Twice the interactions' weight, nothing for presence and spend.
	other, err := score.ParsePolicy([]byte("alpha_per_hour: 0\nbeta: 1\ngamma: 0\nrefund_window_days: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	ann, _ := w.people.Person(context.Background(), w.subject("ann"))
	bob, _ := w.people.Person(context.Background(), w.subject("bob"))
	same("by another", w.rehearse(func(uint32, int32, uint32) (*score.Policy, uint32) { return other, 2 }, 3), map[string]int64{
		fmt.Sprintf("%x %d", ann, first): 3 * score.Micro, fmt.Sprintf("%x %d", ann, first+2): 0, fmt.Sprintf("%x %d", bob, first-3): 0,
	})
}

// What a rehearsal takes for each event: reading, opening, folding.
func BenchmarkRehearse(b *testing.B) {
	w := newWorld(b)
	const people, each = 500, 40
	for person := range people {
		var events []event.Event
		for i := range each {
			events = append(events, event.Event{Type: "Jumped", MessageID: fmt.Sprint(person, "/", i), UserID: fmt.Sprint(person), TimeMS: startMS - int64(i)*minuteMS})
		}
		w.accept(collect.TrustServer, events...)
	}
	for b.Loop() {
		if got := len(w.rehearse(w.policies, 3)); got != people {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(people*each*b.N)/b.Elapsed().Seconds(), "events/s")
}
