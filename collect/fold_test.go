package collect_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	if rapid.Bool().Draw(t, "names a device") {
		e.Properties = append(e.Properties, event.Property{Name: "device_id", Value: rapid.SampledFrom([]string{"phone", "tablet"}).Draw(t, "named device")})
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

// opened returns the cases with the names of those whom they are about.
func (w *world) opened() map[string]bool {
	names := map[[16]byte]string{}
	for _, ref := range []collect.Ref{{World: 1, UserID: "alice"}, {World: 1, UserID: "bob"}, {World: 1, AnonymousID: "d1"}, {World: 1, AnonymousID: "d2"}} {
		found, err := w.people.Resolve(context.Background(), []collect.Ref{ref})
		if err != nil {
			w.Fatal(err)
		}
		names[found[0].Person] = ref.UserID + ref.AnonymousID
	}
	list := map[string]bool{}
	for c := range w.cases {
		name := names[c.Person]
		c.Person = [16]byte{}
		list[fmt.Sprintf("%s %+v", name, c)] = true
	}
	return list
}

// A collector that crashes and restarts at any moment, and one in which nobody
// stays in memory, answers the same, and comes to the same days and the same
// Mints, as one that holds all and never ends.
func TestRestartsCannotBeNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steady, shaken := newWorld(t), newWorldWith(t, memory.NewBlocks(), rapid.SampledFrom([]int{0, 1}).Draw(t, "people in memory"))
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
		if want, got := steady.opened(), shaken.opened(); !maps.Equal(got, want) {
			t.Fatalf("cases after restarts\n%v\nwithout\n%v", got, want)
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

func (w *world) saveCheckpoint(seq uint64) {
	term, _, err := w.events.Begin(context.Background())
	if err == nil {
		err = w.events.Save(context.Background(), term, seq, nil, nil)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// What is damaged or lost is found out, by an error that names the batch, and
// nothing is invented or silently left out.
func TestDamageIsFoundOut(t *testing.T) {
	for name, damage := range map[string]func(w *world){
		"a lost tail":    func(w *world) { w.events.Lose(4) },
		"all is lost":    func(w *world) { w.events.Lose(0) },
		"a flipped byte": func(w *world) { w.events.Corrupt(3, func(b []byte) []byte { b[60] ^= 1; return b }) },
		"a flipped byte of the last batch": func(w *world) {
			w.events.Corrupt(5, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
		},
		"a batch that is cut off":  func(w *world) { w.events.Corrupt(5, func(b []byte) []byte { return b[:len(b)-7] }) },
		"an empty batch":           func(w *world) { w.events.Corrupt(2, func([]byte) []byte { return nil }) },
		"another head":             func(w *world) { w.head.Save(5, [32]byte{1}) },
		"a head that was put back": func(w *world) { w.head.Save(2, [32]byte{}) },
		"a checkpoint ahead":       func(w *world) { w.saveCheckpoint(9) },
	} {
		w := newWorld(t)
		for i := range 5 {
			w.accept(collect.TrustServer, jump("alice", fmt.Sprint(i), w.nowMS))
		}
		damage(w)
		_, err := collect.Open(context.Background(), w.events, w.head, w.events, w.people, w.policies, collect.Options{Now: func() int64 { return w.nowMS }})
		if !errors.Is(err, collect.ErrDamaged) {
			t.Errorf("%s: opened with %v", name, err)
		}
	}
}

// A crash between the log and the second head, twice in a row, loses nothing.
func TestHeadBehindByOne(t *testing.T) {
	w := newWorld(t)
	lost := errors.New("the power failed")
	for i := range 3 {
		w.head.OnSave = func(uint64) error { return lost }
		_, err := w.Accept(context.Background(), collect.Request{World: 1, Trust: collect.TrustServer, Items: []event.Item{{Event: event.Event{
			Call: event.Track, Type: "Jumped", UserID: "alice", MessageID: fmt.Sprint(i), TimeMS: w.nowMS}}}})
		if !errors.Is(err, lost) {
			t.Fatalf("acknowledged without a head: %v", err)
		}
		w.head.OnSave = nil
		w.restart(false)
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("alice", fmt.Sprint(i), w.nowMS))
	}
}

// When too many requests wait, more are refused at once and nothing is lost.
func TestOverloadIsRefusedEarly(t *testing.T) {
	w := newWorld(t)
	var once sync.Once
	blocked, release := make(chan struct{}), make(chan struct{})
	w.events.OnAppend = func(collect.Batch) memory.Outcome {
		once.Do(func() { close(blocked) })
		<-release
		return memory.Outcome{}
	}
	var clients sync.WaitGroup
	var accepted, busy atomic.Int64
	send := func(i int) {
		_, err := w.Accept(context.Background(), collect.Request{World: 1, Trust: collect.TrustServer, Items: []event.Item{{Event: event.Event{
			Call: event.Track, Type: "Jumped", UserID: "alice", MessageID: fmt.Sprint(i), TimeMS: startMS}}}})
		switch {
		case err == nil:
			accepted.Add(1)
		case errors.Is(err, collect.ErrBusy):
			busy.Add(1)
		default:
			t.Errorf("request %d: %v", i, err)
		}
	}
	clients.Go(func() { send(0) })
	<-blocked
	for i := range 3000 {
		clients.Go(func() { send(i + 1) })
	}
	for busy.Load() == 0 {
		runtime.Gosched()
	}
	close(release)
	clients.Wait()
	if _, attention := w.earned("alice", bank.Day(startMS)); accepted.Load()+busy.Load() != 3001 || attention.Award.Slices[0].Interactions != accepted.Load() {
		t.Errorf("%d were accepted, %d refused, %d count", accepted.Load(), busy.Load(), attention.Award.Slices[0].Interactions)
	}
}

// A clock that runs ahead while the collector starts, and is set back then,
// makes it forget no message id: the horizon goes by the log's own time.
func TestClockAheadAtARestart(t *testing.T) {
	w := newWorld(t)
	first, second := jump("alice", "m-1", w.nowMS), jump("alice", "m-2", w.nowMS)
	w.accept(collect.TrustServer, first)
	w.accept(collect.TrustServer, second)
	w.nowMS += 10 * 24 * 3600 * 1000
	w.restart(true)
	w.nowMS -= 10 * 24 * 3600 * 1000
	for _, e := range []event.Event{first, second} {
		if got := w.accept(collect.TrustServer, e); got[0] != "duplicate message_id_seen, first accepted" {
			t.Errorf("%s came again and is %q", e.MessageID, got)
		}
	}
}
