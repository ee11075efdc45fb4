package collect_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

// reported returns the message ids of the events that the log has of a user, and
// the kinds of what else it has.
func (w *world) reported(subject uint64, devices ...uint64) (list []string) {
	w.Helper()
	known, err := w.Folded(context.Background(), subject)
	if err != nil {
		w.Fatal(err)
	}
	for r, err := range w.Reports(context.Background(), subject, devices, known.Batch) {
		if err != nil {
			w.Fatal(err)
		}
		switch r.Kind {
		case "event":
			list = append(list, r.Event.MessageID)
		case "appeal":
			list = append(list, r.Kind+" "+r.Text)
		default:
			list = append(list, r.Kind)
		}
	}
	return list
}

func (w *world) requireReported(subject uint64, want ...string) {
	w.Helper()
	got := w.reported(subject)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.Fatalf("of subject %d the log has\n%v, want\n%v", subject, got, want)
	}
}

// All that is kept of somebody is found again, wherever it is: in memory, behind
// a checkpoint, after a crash; late and unvouched events too. What a device
// reports is of whom it belonged to then.
func TestReportsOfAPerson(t *testing.T) {
	w := newWorld(t)
	ann, ben := w.subject("ann"), w.subject("ben")
	w.accept(collect.TrustServer, event.Event{Type: "Jumped", UserID: "ann", MessageID: "a1"}, event.Event{Type: "Jumped", UserID: "ben", MessageID: "b1"})
	w.requireVerdict("late older_than_horizon", collect.TrustServer, event.Event{Type: "Jumped", UserID: "ann", MessageID: "late", TimeMS: startMS - 8*dayMS})
	w.requireVerdict("quarantined unvouched", collect.TrustWrite, event.Event{Type: "Jumped", UserID: "ann", MessageID: "claim"})
	w.restart(true)
	w.requireVerdict("quarantined unvouched", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "pad", MessageID: "before"})
	w.accept(collect.TrustServer, event.Event{Call: event.Identify, UserID: "ann", AnonymousID: "pad", MessageID: "a2"})
	w.requireVerdict("accepted", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "pad", MessageID: "on ann's pad"})
	if err := w.Appeal(t.Context(), 1, ann, 3, "it was me"); err != nil {
		t.Fatal(err)
	}
	ofAnn := []string{"a1", "late", "claim", "before", "a2", "session", "on ann's pad", "appeal it was me"}
	w.requireReported(ann, ofAnn...)
	w.restart(false)
	w.requireReported(ann, ofAnn...)

	// Ben gets the pad.
	w.accept(collect.TrustServer, event.Event{Call: event.Identify, UserID: "ben", AnonymousID: "pad", MessageID: "b2"})
	w.requireVerdict("accepted", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "pad", MessageID: "on ben's pad"})
	ofAnn = slices.DeleteFunc(ofAnn, func(id string) bool { return id == "before" }) // no session says whose it was
	for _, clean := range []bool{false, true, true} {
		w.requireReported(ann, ofAnn...)
		w.requireReported(ben, "b1", "b2", "session", "on ben's pad")
		w.restart(clean)
	}
}

// Folded and Days tell what is known of a person, in memory and out of it.
func TestDaysOfAPerson(t *testing.T) {
	w := newWorldWith(t, nil, 1)
	ann := w.subject("ann")
	var want []int32
	for range 5 {
		w.present(1, "ann", 10)
		want = append(want, int32(w.nowMS/dayMS))
		w.nowMS += dayMS
	}
	for _, clean := range []bool{true, false} {
		var got []int32
		for after := collect.PersonPart; ; after = got[len(got)-1] {
			page, err := w.Days(t.Context(), ann, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("there are the days %v, want %v", got, want)
		}
		known, err := w.Folded(t.Context(), ann)
		if err != nil || known.SinceMS != startMS || known.SinceWorld != 1 || known.Batch != 5 {
			t.Fatalf("known is %+v, %v", known, err)
		}
		w.restart(clean)
	}
}

// A place comes back as it was, and nothing else is one.
func FuzzPlace(f *testing.F) {
	p := collect.Place{Batches: []uint64{1, 2, 300, 1 << 63}}
	f.Add(p.AppendTo(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		place, err := collect.DecodePlace(7, src)
		if err != nil {
			return
		}
		again, err := collect.DecodePlace(7, place.AppendTo(nil))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(place) {
			t.Fatalf("%v came back as %v, %v", place, again, err)
		}
		if !slices.IsSorted(place.Batches) {
			t.Fatalf("%v are not in order", place.Batches)
		}
	})
}
