package collect_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/memory"
	"pgregory.net/rapid"
)

// step is something that happens to a collector.
type step struct {
	kind    string // accept, session, flush, time
	trust   collect.Trust
	events  []event.Event
	from    int64
	lasts   int64
	restart string
}

func drawEvent(t *rapid.T) event.Event {
	e := event.Event{
		Type:      rapid.SampledFrom([]string{"heartbeat", "Jumped", "Order Completed", "Order Refunded"}).Draw(t, "type"),
		MessageID: fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "message")),
		TimeMS:    startMS + rapid.Int64Range(-3*dayMS, dayMS).Draw(t, "time"),
		SentMS:    rapid.SampledFrom([]int64{0, startMS, startMS + 2*dayMS}).Draw(t, "sent"),
		Properties: []event.Property{
			{Name: "revenue", Value: fmt.Sprint(rapid.IntRange(0, 99).Draw(t, "revenue"))},
			{Name: "order_id", Value: fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "order"))},
		},
	}
	if rapid.Bool().Draw(t, "anonymous") {
		e.AnonymousID = rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "device")
	} else {
		e.UserID = rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "user")
	}
	return e
}

func drawStep(t *rapid.T) step {
	s := step{
		kind:    rapid.SampledFrom([]string{"accept", "accept", "accept", "session", "identify", "flush", "time"}).Draw(t, "kind"),
		trust:   rapid.SampledFrom([]collect.Trust{collect.TrustServer, collect.TrustWrite}).Draw(t, "trust"),
		restart: rapid.SampledFrom([]string{"", "", "crash", "clean"}).Draw(t, "restart"),
	}
	switch s.kind {
	case "accept":
		s.events = rapid.SliceOfN(rapid.Custom(drawEvent), 1, 4).Draw(t, "events")
	case "session":
		s.from, s.lasts = rapid.Int64Range(-dayMS, 0).Draw(t, "from"), rapid.Int64Range(1, dayMS).Draw(t, "lasts")
	case "identify":
		s.trust = collect.TrustServer
		s.events = []event.Event{{Call: event.Identify, Type: "identify", UserID: "alice", AnonymousID: rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "device"),
			MessageID: fmt.Sprint("i", rapid.IntRange(0, 9).Draw(t, "message"))}}
	case "time":
		s.from = rapid.Int64Range(0, dayMS).Draw(t, "passes")
	}
	return s
}

// do carries out a step and returns what the collector answered.
func (w *world) do(s step, minted ledger) []string {
	switch s.kind {
	case "accept", "identify":
		return w.accept(s.trust, s.events...)
	case "session":
		if err := w.OpenSession(context.Background(), 1, "alice", "d1", w.nowMS+s.from, w.nowMS+s.from+s.lasts); err != nil {
			w.Fatal(err)
		}
	case "flush":
		w.flush(minted)
	case "time":
		w.nowMS += s.from
	}
	return nil
}

// days returns what every person has earned on every day near the start.
func (w *world) days() (list []string) {
	for _, user := range []string{"alice", "bob"} {
		for day := bank.Day(startMS) - 5; day < bank.Day(startMS)+30; day++ {
			if points, attention := w.earned(user, day); points != 0 || len(attention.Award.Slices) > 0 {
				list = append(list, fmt.Sprintf("%s %d: %d %+v", user, day, points, attention.Award))
			}
		}
	}
	return list
}

// A collector that crashes and restarts at any moment answers the same, and
// comes to the same days and the same Mints, as one that never does.
func TestRestartsCannotBeNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steady, shaken := newWorld(t), newWorld(t)
		steadyMints, shakenMints := ledger{}, ledger{}
		for _, s := range rapid.SliceOfN(rapid.Custom(drawStep), 1, 25).Draw(t, "steps") {
			if s.restart != "" {
				shaken.restart(s.restart == "clean")
			}
			if want, got := steady.do(s, steadyMints), shaken.do(s, shakenMints); !slices.Equal(got, want) {
				t.Fatalf("%+v was answered %q after restarts, and %q without", s, got, want)
			}
		}
		for _, w := range []*world{steady, shaken} {
			w.nowMS += 3 * dayMS // lets every refund window end
		}
		steady.flush(steadyMints)
		shaken.restart(false)
		shaken.flush(shakenMints)
		if want, got := steady.days(), shaken.days(); !slices.Equal(got, want) {
			t.Fatalf("days after restarts\n%q\nwithout\n%q", got, want)
		}
		if len(steadyMints) != len(shakenMints) {
			t.Fatalf("%d days were minted after restarts, %d without", len(shakenMints), len(steadyMints))
		}
		total := func(l ledger) (sum int64) {
			for _, m := range l {
				sum += m.CumulativePointsMicro
			}
			return sum
		}
		if total(steadyMints) != total(shakenMints) {
			t.Fatalf("%d points were minted after restarts, %d without", total(shakenMints), total(steadyMints))
		}
		steady.Close()
		shaken.Close()
	})
}

// The order in which a server's reports arrive, reports that are sent twice,
// and how they are cut into requests do not change what a day earns.
func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []event.Event
		for i := range rapid.IntRange(1, 30).Draw(t, "count") {
			events = append(events, event.Event{
				Type: rapid.SampledFrom([]string{"heartbeat", "Jumped"}).Draw(t, "type"), MessageID: fmt.Sprint(i),
				UserID: "alice", TimeMS: startMS - rapid.Int64Range(0, dayMS).Draw(t, "time"),
			})
		}
		straight, mixed := newWorld(t), newWorld(t)
		straight.accept(collect.TrustServer, events...)
		twice := rapid.Permutation(append(slices.Clone(events), events...)).Draw(t, "order")
		for len(twice) > 0 {
			n := rapid.IntRange(1, len(twice)).Draw(t, "request")
			mixed.accept(collect.TrustServer, twice[:n]...)
			twice = twice[n:]
		}
		if want, got := straight.days(), mixed.days(); !slices.Equal(got, want) {
			t.Fatalf("in another order\n%q\nstraight\n%q", got, want)
		}
		straight.Close()
		mixed.Close()
	})
}

// A log that fails is not acknowledged from, and what was lost on the way back
// is found when it is sent again.
func TestFailingLog(t *testing.T) {
	ctx := context.Background()
	request := collect.Request{World: 1, Trust: collect.TrustServer, Items: []event.Item{{Event: event.Event{Call: event.Track, Type: "Jumped", UserID: "alice", MessageID: "m1", TimeMS: startMS}}}}
	for _, test := range []struct {
		name    string
		outcome memory.Outcome
		// answered says that the events are acknowledged: they are there.
		answered bool
		again    string // the verdict after a restart
	}{
		{"a full disk", memory.Outcome{Err: memory.ErrDiskFull}, false, "accepted"},
		{"a lost reply, read back", memory.Outcome{Err: errors.New("the reply was lost"), Persisted: true}, true, "duplicate message_id_seen, first accepted"},
		{"another collector", memory.Outcome{Err: collect.ErrConflict}, false, "accepted"},
	} {
		w := newWorld(t)
		w.events.OnAppend = func(collect.Batch) memory.Outcome { return test.outcome }
		_, err := w.Accept(ctx, request)
		if (err == nil) != test.answered {
			t.Errorf("%s: answered with %v", test.name, err)
		}
		if !test.answered {
			if !errors.Is(err, test.outcome.Err) {
				t.Errorf("%s: the error %v hides why", test.name, err)
			}
			if _, err := w.Accept(ctx, request); !errors.Is(err, collect.ErrStopped) {
				t.Errorf("%s: afterwards events are answered with %v", test.name, err)
			}
		}
		w.events.OnAppend = nil
		w.restart(false)
		w.requireVerdict(test.again, collect.TrustServer, request.Items[0].Event)
		if _, attention := w.earned("alice", bank.Day(startMS)); attention.Award.InteractionsMicro != 1_000_000 {
			t.Errorf("%s: the event counts %d times", test.name, attention.Award.InteractionsMicro/1_000_000)
		}
	}
}

// A lost tail is found out by the checkpoint that knows of it.
func TestLostTailIsFoundOut(t *testing.T) {
	w := newWorld(t)
	w.accept(collect.TrustServer, jump("alice", "m1", w.nowMS))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.events.Save(context.Background(), 9, nil); err != nil {
		t.Fatal(err)
	}
	_, err := collect.Open(context.Background(), w.events, w.events, w.people, w.policies, collect.Options{Now: func() int64 { return w.nowMS }})
	if err == nil {
		t.Fatal("a log that ends before its checkpoint was opened")
	}
}
