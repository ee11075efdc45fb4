package collect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/score"
	"pgregory.net/rapid"
)

// batches returns the log as it stands.
func (w *world) batches() (list []collect.Batch) {
	w.Helper()
	for b, err := range w.events.Load(context.Background(), 1) {
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

func (w *world) verify() collect.Verified {
	w.Helper()
	v, err := collect.Verify(context.Background(), w.events, w.head, func(uint64) {})
	if err != nil {
		w.Fatal(err)
	}
	return v
}

func (w *world) purge() {
	w.Helper()
	if err := w.Purge(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// report lets a world report what somebody does.
func (w *world) report(world uint32, user, message string) {
	w.Helper()
	if got := w.acceptIn(world, collect.TrustServer, jump(user, message, w.nowMS)); got[0] != "accepted" && got[0] != "capped daily_curve" {
		w.Fatalf("%s of %s is %q", message, user, got[0])
	}
}

// logged is what a naive twin of the log remembers of an entry.
type logged struct {
	collect.LoggedEntry
	receivedMS int64
	gone       bool
}

// twin notes what comes into a log and says in the simplest way what a purge
// leaves of it.
type twin struct {
	*world
	entries map[string]*logged // by batch and place
	read    int
}

func (n *twin) note() {
	n.Helper()
	list := n.batches()
	for _, b := range list[n.read:] {
		entries, err := collect.Entries(b)
		if err != nil {
			n.Fatal(err)
		}
		for i, e := range entries {
			n.entries[fmt.Sprint(b.Seq, i)] = &logged{LoggedEntry: e, receivedMS: b.ReceivedMS}
		}
	}
	n.read = len(list)
}

// expect compares the log behind a purge with what should be left of it.
func (n *twin) expect() {
	n.Helper()
	n.note()
	list := n.batches()
	if len(list) == 0 {
		return
	}
	nowMS := list[len(list)-1].ReceivedMS
	for _, b := range list {
		entries, err := collect.Entries(b)
		if err != nil {
			n.Fatal(err)
		}
		for i, e := range entries {
			want := n.entries[fmt.Sprint(b.Seq, i)]
			days, bounded := n.keepDays[want.World]
			isOver := b.ReceivedMS < nowMS-days*dayMS && b.ReceivedMS < nowMS/hourMS*hourMS-7*dayMS
			want.gone = want.gone || want.OfBehaviour && bounded && isOver
			if e.Dropped != want.gone {
				n.Fatalf("at %d: entry %d of batch %d of world %d, which came %d ms ago, is dropped: %v, expected %v", nowMS, i, b.Seq, want.World, nowMS-b.ReceivedMS, e.Dropped, want.gone)
			}
		}
	}
	n.expectPlaces(list)
	if v := n.verify(); v.Entries != uint64(len(n.entries)) {
		n.Fatalf("%+v were verified, %d were accepted", v, len(n.entries))
	}
}

// expectPlaces looks for batches in which a subject is said to stand and has
// nothing any more.
func (n *twin) expectPlaces(list []collect.Batch) {
	n.Helper()
	stands := map[string]bool{}
	subjects := map[uint64]bool{}
	for _, b := range list {
		entries, err := collect.Entries(b)
		if err != nil {
			n.Fatal(err)
		}
		for i, e := range entries {
			for _, subject := range n.entries[fmt.Sprint(b.Seq, i)].Subjects {
				subjects[subject] = true
				stands[fmt.Sprint(subject, b.Seq)] = stands[fmt.Sprint(subject, b.Seq)] || !e.Dropped
			}
		}
	}
	for subject := range subjects {
		places, err := n.events.Places(context.Background(), subject, 0, 1000)
		if err != nil {
			n.Fatal(err)
		}
		for _, p := range places {
			for _, seq := range p.Batches {
				if !stands[fmt.Sprint(subject, seq)] {
					n.Fatalf("subject %d is said to stand in batch %d and does not", subject, seq)
				}
			}
		}
	}
}

// Each world's events are dropped when its own time is over, and no others. What
// was earned, what is a duplicate and the chain of the log stay as in a bank that
// drops nothing, through crashes and purges that were broken off.
func TestPurgeEqualsNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, other := newWorld(t), newWorld(t)
		log := twin{world: w, entries: map[string]*logged{}}
		message := 0
		var sent []event.Event
		days := func() int64 { return rapid.SampledFrom([]int64{0, 7, 8, 30}).Draw(t, "days") }
		w.keepDays = map[uint32]int64{1: days(), 2: days()} // of world 3 nothing is dropped
		both := func(use func(*world)) {
			use(w)
			use(other)
			log.note()
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			w.nowMS += rapid.SampledFrom([]int64{1, 40 * minuteMS, dayMS, 5 * dayMS}).Draw(t, "later")
			other.nowMS = w.nowMS
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.restart(rapid.Bool().Draw(t, "clean"))
			case 1:
				terms := collect.Terms{Minor: rapid.Bool().Draw(t, "minor"), EarnSeconds: collect.NoLimit, NextEarnSeconds: collect.NoLimit}
				both(func(w *world) {
					if err := w.SetTerms(context.Background(), 1, w.subject("alice"), terms); err != nil {
						w.Fatal(err)
					}
				})
			case 2:
				both(func(w *world) {
					if err := w.OpenSession(context.Background(), 2, "bob", "phone", w.nowMS, w.nowMS+hourMS); err != nil {
						w.Fatal(err)
					}
				})
			case 3, 4:
				w.keepDays[uint32(rapid.IntRange(1, 2).Draw(t, "changed"))] = days()
				w.breakOff(rapid.IntRange(0, 3).Draw(t, "after"), rapid.Bool().Draw(t, "persisted"), rapid.Bool().Draw(t, "crash"))
				w.purge()
				log.expect()
			default:
				message++
				e := jump(rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "who"), fmt.Sprint(message), w.nowMS)
				if len(sent) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
					e = sent[rapid.IntRange(0, len(sent)-1).Draw(t, "which")]
				}
				sent = append(sent, e)
				of := uint32(rapid.IntRange(1, 3).Draw(t, "world"))
				var verdicts []string
				both(func(w *world) { verdicts = append(verdicts, w.acceptIn(of, collect.TrustServer, e)...) })
				if verdicts[0] != verdicts[1] {
					t.Fatalf("%+v is %q, where nothing is dropped %q", e, verdicts[0], verdicts[1])
				}
			}
		}
		w.restart(false)
		if got, want := w.earnedInAll(), other.earnedInAll(); !slices.Equal(got, want) {
			t.Fatalf("what is dropped changed what was earned:\n%q\nexpected\n%q", got, want)
		}
		w.Close()
		other.Close()
	})
}

// earnedInAll returns what the users of three worlds have earned.
func (w *world) earnedInAll() (list []string) {
	w.Helper()
	first, _ := score.DayOf(startMS)
	last, _ := score.DayOf(w.nowMS)
	for of := uint32(1); of <= 3; of++ {
		for _, user := range []string{"alice", "bob"} {
			found, err := w.people.Resolve(context.Background(), []collect.Ref{{World: of, UserID: user}})
			if err != nil {
				w.Fatal(err)
			}
			for day := first; day <= last; day++ {
				attention, err := w.Attention(context.Background(), found[0].Number, day)
				if err != nil {
					w.Fatal(err)
				}
				for _, a := range attention {
					list = append(list, fmt.Sprintf("%s of %d on %d: %+v", user, of, day, a.Award))
				}
			}
		}
	}
	return list
}

// breakOff lets a purge fail at a step, and perhaps the collector be killed then.
func (w *world) breakOff(after int, persisted, crash bool) {
	w.Helper()
	w.events.OnPurge = func(collect.Purged) (o memory.Outcome) {
		if after--; after < 0 {
			o = memory.Outcome{Err: errors.New("broken off"), Persisted: persisted}
		}
		return o
	}
	w.Purge(context.Background()) // which fails, if there are so many steps
	w.events.OnPurge = nil
	if crash {
		w.restart(false)
	}
}

// A purge that is killed at any step and goes on after a restart leaves the same
// bytes as one that ran through, in steps within their bounds.
func TestPurgeIsKilledAtEachStep(t *testing.T) {
	fill := func() *world {
		w := newWorld(t)
		for i := range 90 {
			w.nowMS += hourMS
			w.report(uint32(1+i%2), "alice", fmt.Sprint(i))
		}
		w.nowMS += 20 * dayMS
		w.report(1, "alice", "last")
		w.keepDays = map[uint32]int64{1: 7, 2: 19}
		return w
	}
	whole := fill()
	var steps []map[uint32]uint64
	whole.events.OnPurge = func(step collect.Purged) memory.Outcome {
		steps = append(steps, maps.Clone(step.Through))
		return memory.Outcome{}
	}
	whole.purge()
	if len(steps) < 3 {
		t.Fatalf("the purge took %d steps only: %v", len(steps), steps)
	}
	got := map[uint32]uint64{}
	for _, step := range steps {
		for world, through := range step {
			if through-got[world] > collect.PurgeStepBatches {
				t.Errorf("a step went from batch %d to %d", got[world], through)
			}
			got[world] = through
		}
	}
	want := whole.shape()
	for kill := range len(steps) {
		for _, persisted := range []bool{false, true} {
			w := fill()
			w.breakOff(kill, persisted, true)
			w.verify()
			w.purge()
			if got := w.shape(); !slices.Equal(got, want) {
				t.Fatalf("killed at step %d (persisted %v), the log became\n%v\nexpected\n%v", kill, persisted, got, want)
			}
			w.verify()
			w.restart(true)
			w.Close()
		}
	}
}

// shape says what is left of each batch. Their bytes differ from log to log by
// keys.
func (w *world) shape() (list []string) {
	w.Helper()
	for _, b := range w.batches() {
		entries, err := collect.Entries(b)
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, fmt.Sprint(b.Seq, b.ReceivedMS, len(b.Body), entries))
	}
	return list
}

// Nothing waits for a purge: while a step of it is stuck, events are accepted.
func TestAcceptanceGoesOnWhileAPurgeIsStuck(t *testing.T) {
	w := newWorld(t)
	w.report(1, "alice", "old")
	w.nowMS += 30 * dayMS
	w.keepDays = map[uint32]int64{1: 7}
	stuck, goOn := make(chan struct{}), make(chan struct{})
	w.events.OnPurge = func(collect.Purged) memory.Outcome {
		close(stuck)
		<-goOn
		return memory.Outcome{}
	}
	purged := make(chan error, 1)
	go func() { purged <- w.Purge(context.Background()) }()
	<-stuck
	for i := range 100 {
		w.report(1, "bob", fmt.Sprint(i))
	}
	close(goOn)
	if err := <-purged; err != nil {
		t.Fatal(err)
	}
	if v := w.verify(); v.Dropped != 1 || v.Entries != 101 {
		t.Fatalf("%+v", v)
	}
}

// A collector that another has followed drops nothing any more.
func TestAPurgeOfAnEarlierTermDropsNothing(t *testing.T) {
	w := newWorld(t)
	w.report(1, "alice", "old")
	w.nowMS += 30 * dayMS
	w.report(1, "alice", "new")
	w.keepDays = map[uint32]int64{1: 7}
	old := w.Collector
	w.restart(false)
	if err := old.Purge(context.Background()); !errors.Is(err, collect.ErrConflict) {
		t.Fatalf("a collector of an earlier term purged: %v", err)
	}
	if v := w.verify(); v.Dropped != 0 {
		t.Fatalf("%+v", v)
	}
}

// A bank to which nobody reports any more drops by the clock all the same, once
// the log knows how late it is.
func TestAnIdleBankPurges(t *testing.T) {
	w := newWorld(t)
	w.report(1, "alice", "old")
	w.keepDays = map[uint32]int64{1: 7}
	w.nowMS += 7 * dayMS
	w.purge()
	if v := w.verify(); v.Dropped != 0 || v.Batches != 1 {
		t.Fatalf("within the horizon: %+v", v)
	}
	w.nowMS += hourMS
	w.purge()
	if v := w.verify(); v.Dropped != 1 || v.Batches != 2 {
		t.Fatalf("behind the horizon: %+v", v)
	}
	if places, err := w.events.Places(context.Background(), w.subject("alice"), 0, 10); err != nil || len(places) != 0 {
		t.Fatalf("that something of alice was dropped is still to be seen: %v, %v", places, err)
	}
	w.nowMS += dayMS
	w.purge()
	if v := w.verify(); v.Batches != 2 {
		t.Fatalf("with nothing left to drop: %+v", v)
	}
	w.restart(true)
	w.report(1, "alice", "old") // seven days later an id is new again
}

// What is not as it was written is not made to look as if it were dropped.
func TestDamageIsNotPurged(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.report(1, "alice", fmt.Sprint(i))
	}
	w.nowMS += 30 * dayMS
	w.report(1, "alice", "new")
	w.keepDays = map[uint32]int64{1: 7}
	w.events.Corrupt(3, func(body []byte) []byte { body[len(body)-1] ^= 1; return body })
	before := w.batches()
	if err := w.Purge(context.Background()); !errors.Is(err, collect.ErrDamaged) {
		t.Fatalf("a damaged log was purged: %v", err)
	}
	for i, b := range w.batches() {
		if !bytes.Equal(b.Body, before[i].Body) {
			t.Errorf("batch %d was changed", b.Seq)
		}
	}
}

// A start refuses a log of which something is gone that it needs: to fold it, or
// to know its message ids.
func TestAStartRefusesWhatWasDroppedTooEarly(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		what         string
		later        int64
		checkpointed bool
		refused      bool
	}{
		{"behind the checkpoint", 30 * dayMS, false, true},
		{"within the horizon", dayMS, true, true},
		{"neither", 30 * dayMS, true, false},
	} {
		w := newWorld(t)
		w.report(1, "alice", "old")
		w.nowMS += test.later
		w.report(1, "alice", "new")
		if test.checkpointed {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		term, _, err := w.events.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.events.Purge(ctx, term, collect.Purged{Batches: []collect.Batch{collect.Emptied(w.batches()[0])}}); err != nil {
			t.Fatal(err)
		}
		_, err = collect.Open(ctx, w.events, w.head, w.events, w.people, w.policies, w.options())
		if errors.Is(err, collect.ErrDamaged) != test.refused {
			t.Errorf("%s, the start was answered %v", test.what, err)
		}
	}
}

// A rehearsal of days that are kept comes to the same when those before them are
// dropped, since the checkpoint tells who is whom and since when people come.
func TestRehearsalBehindAPurge(t *testing.T) {
	w := newWorld(t)
	w.accept(collect.TrustServer, event.Event{Call: event.Identify, Type: "identify", MessageID: "i", UserID: "alice", AnonymousID: "phone", TimeMS: w.nowMS})
	w.report(1, "bob", "old")
	w.nowMS += 20 * dayMS
	if err := w.OpenSession(context.Background(), 1, "alice", "", w.nowMS, w.nowMS+hourMS); err != nil {
		t.Fatal(err)
	}
	w.accept(collect.TrustWrite, event.Event{Type: "Jumped", MessageID: "united", AnonymousID: "phone", TimeMS: w.nowMS})
	w.report(1, "bob", "new")
	first, _ := score.DayOf(startMS)
	rehearse := func() (days, found string) {
		r := collect.Rehearsal{World: 1, FromDay: first + 15, UntilDay: first + 30, LeadDays: 3, Policies: w.policies, Purges: w.events, Checkpoints: w.events, Progress: func(uint64) {}}
		scored, err := collect.Rehearse(context.Background(), w.events, w.people, r)
		if err != nil {
			t.Fatal(err)
		}
		reviewed, err := collect.RehearseReview(context.Background(), w.events, w.people, r, pairs)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(scored), fmt.Sprint(reviewed)
	}
	days, found := rehearse()
	w.keepDays = map[uint32]int64{1: 7}
	w.purge()
	if v := w.verify(); v.Dropped != 3 { // the identify, its session, and what bob did
		t.Fatalf("%+v", v)
	}
	daysNow, foundNow := rehearse()
	if days != daysNow || found != foundNow || days == "[]" {
		t.Errorf("behind a purge a rehearsal comes to\n%s\n%s\nbefore it to\n%s\n%s", daysNow, foundNow, days, found)
	}
}
