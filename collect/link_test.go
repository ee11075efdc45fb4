package collect_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// inWorld returns the subject of a user of a world.
func (w *world) inWorld(world uint32, userID string) uint64 {
	w.Helper()
	found, err := w.people.Resolve(context.Background(), []collect.Ref{{World: world, UserID: userID}})
	if err != nil {
		w.Fatal(err)
	}
	return found[0].Number
}

// present reports a user of a world as there for the last minutes.
func (w *world) present(world uint32, userID string, minutes int64) {
	w.Helper()
	request := collect.Request{World: world, Trust: collect.TrustServer}
	for at := w.nowMS - minutes*minuteMS; at < w.nowMS; at += score.BucketMS {
		request.Items = append(request.Items, event.Item{Event: event.Event{Call: event.Track, Type: "heartbeat", UserID: userID,
			MessageID: fmt.Sprintf("%s-%d-%d", userID, world, at), TimeMS: at}})
	}
	if _, err := w.Accept(context.Background(), request); err != nil {
		w.Fatal(err)
	}
}

// seconds returns the presence that counts for each world on a subject's day.
func (w *world) seconds(subject uint64, day int32) map[uint32]int64 {
	w.Helper()
	list, err := w.Attention(context.Background(), subject, day)
	if err != nil {
		w.Fatal(err)
	}
	counted := map[uint32]int64{}
	for i := range list {
		counted[list[i].Opened.World] = list[i].Opened.PresentSeconds
	}
	return counted
}

func (w *world) requireSeconds(subject uint64, want map[uint32]int64) {
	w.Helper()
	day, _ := score.DayOf(w.nowMS)
	if got := w.seconds(subject, day); fmt.Sprint(got) != fmt.Sprint(want) {
		w.Fatalf("on day %d subject %d was present for %v, want %v", day, subject, got, want)
	}
}

// Who is in two worlds at once earns one time from the day after they were
// linked, whichever world reports first; and again each for itself once the
// link has ended. A restart comes to the same.
func TestLinkedWorldsShareOneTime(t *testing.T) {
	for _, order := range [][2]uint32{{1, 2}, {2, 1}} {
		w := newWorld(t)
		ann, anna := w.inWorld(1, "ann"), w.inWorld(2, "anna")
		report := func() {
			for _, world := range order {
				w.present(world, map[uint32]string{1: "ann", 2: "anna"}[world], 10)
			}
		}
		today, _ := score.DayOf(w.nowMS)
		from, err := w.Link(t.Context(), 2, anna, ann)
		if err != nil || from != today+1 {
			t.Fatalf("linked from day %d, %v; today is %d", from, err, today)
		}
		report()
		w.requireSeconds(ann, map[uint32]int64{1: 600})
		w.requireSeconds(anna, map[uint32]int64{2: 600})

		w.nowMS += dayMS
		if again, err := w.Link(t.Context(), 2, anna, ann); err != nil || again != from {
			t.Fatalf("asked again, the link begins on day %d, %v", again, err)
		}
		report()
		for _, clean := range []bool{false, true} {
			w.requireSeconds(ann, map[uint32]int64{1: 300, 2: 300})
			w.requireSeconds(anna, map[uint32]int64{1: 300, 2: 300})
			w.restart(clean)
		}
		bank := ledger{}
		w.flush(bank)
		annID, _ := w.people.Person(t.Context(), ann)
		annaID, _ := w.people.Person(t.Context(), anna)
		day, _ := score.DayOf(w.nowMS)
		for _, mint := range bank {
			if mint.Person != annID && (mint.Day == day || mint.Person != annaID) || mint.CumulativePointsMicro == 0 {
				t.Errorf("minted %+v", mint)
			}
		}
		if len(bank) != 4 { // two worlds on two days
			t.Errorf("minted %d days: %+v", len(bank), bank)
		}

		if until, err := w.Unlink(t.Context(), 2, anna, ann); err != nil || until != today+2 {
			t.Fatalf("unlinked from day %d, %v", until, err)
		}
		w.nowMS += dayMS
		report()
		w.restart(false)
		w.requireSeconds(ann, map[uint32]int64{1: 600})
		w.requireSeconds(anna, map[uint32]int64{2: 600})
		if _, err := w.Unlink(t.Context(), 2, anna, ann); err != collect.ErrLink {
			t.Errorf("ending what has ended: %v", err)
		}
	}
}

// A world's word counts in its own world only: a session of one vouches for no
// claim in another.
func TestALinkVouchesForNothing(t *testing.T) {
	w := newWorld(t)
	ann, anna := w.inWorld(1, "ann"), w.inWorld(2, "anna")
	if _, err := w.Link(t.Context(), 2, anna, ann); err != nil {
		t.Fatal(err)
	}
	w.nowMS += dayMS
	if err := w.OpenSession(t.Context(), 1, "ann", "", w.nowMS, w.nowMS+minuteMS); err != nil {
		t.Fatal(err)
	}
	for world, want := range map[uint32]collect.Verdict{1: collect.Accepted, 2: collect.Quarantined} {
		results, err := w.Accept(t.Context(), collect.Request{World: world, Trust: collect.TrustWrite, Items: []event.Item{{Event: event.Event{
			Call: event.Track, Type: "heartbeat", UserID: map[uint32]string{1: "ann", 2: "anna"}[world], MessageID: "claim", TimeMS: w.nowMS}}}})
		if err != nil || results[0].Verdict != want {
			t.Errorf("a claim in world %d is %v, %v", world, results, err)
		}
	}
}
