package collect_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"pgregory.net/rapid"
)

const hourMS = 60 * minuteMS

// restarts are the ways in which a collector can end between two events.
var restarts = []string{"none", "crash", "clean"}

func (w *world) mayRestart(how string) {
	if how != "none" {
		w.restart(how == "clean")
	}
}

// A message id is remembered for seven days after it arrived, and to the end of
// the hour in which they end, whether the collector was restarted meanwhile and
// whether anything else happened.
func TestMessageIDsAreForgottenAlikeAfterRestarts(t *testing.T) {
	const again, anew = "duplicate message_id_seen, first accepted", "accepted"
	for _, restart := range restarts {
		for _, busy := range []bool{false, true} {
			for _, test := range []struct {
				after int64
				want  string
			}{
				{7*dayMS - hourMS, again}, {7 * dayMS, again}, {7*dayMS + 29*minuteMS, again}, {7*dayMS + 30*minuteMS, anew}, {7*dayMS + hourMS, anew},
			} {
				w := newWorld(t)
				w.nowMS += 30 * minuteMS // the end of the hour is half an hour away
				arrivedMS := w.nowMS
				w.requireVerdict("accepted", collect.TrustServer, jump("alice", "m", arrivedMS))
				for day := int64(1); busy && day*dayMS < test.after; day++ {
					w.nowMS = arrivedMS + day*dayMS
					w.requireVerdict("accepted", collect.TrustServer, jump("bob", fmt.Sprint(day), w.nowMS))
				}
				w.mayRestart(restart)
				w.nowMS = arrivedMS + test.after
				if busy { // which may be what makes ids leave memory
					w.requireVerdict("accepted", collect.TrustServer, jump("bob", "last", w.nowMS))
					w.mayRestart(restart)
				}
				kept, err := w.Verdict(context.Background(), 1, "m")
				if err != nil || (len(kept) == 1) != (test.want == again) {
					t.Errorf("restart %s, busy %v: the verdict after %d minutes is %v, %v", restart, busy, test.after/minuteMS, kept, err)
				}
				if got := w.accept(collect.TrustServer, jump("alice", "m", w.nowMS))[0]; got != test.want {
					t.Errorf("restart %s, busy %v: repeated after %d minutes it is %q, expected %q", restart, busy, test.after/minuteMS, got, test.want)
				}
				w.Close()
			}
		}
	}
}

// A refund that arrives before its order takes from it all the same, if the
// order arrives within seven days.
func TestRefundsWaitForTheirOrders(t *testing.T) {
	for _, restart := range restarts {
		for _, test := range []struct {
			wait int64
			want int64
		}{{hourMS, 2000}, {7 * dayMS, 2000}, {7*dayMS + 1, 7000}} {
			w := newWorld(t)
			bought := w.nowMS + hourMS // by a clock that runs ahead of the refund's
			due := bank.Day(bought + 2*dayMS)
			w.accept(collect.TrustServer, order("Order Refunded", "m1", "o1", "50", w.nowMS))
			w.mayRestart(restart)
			w.nowMS += test.wait
			w.accept(collect.TrustServer, order("Order Completed", "m2", "o1", "70", bought))
			if _, late := w.earned("alice", due); late.Award.SpendMinor != 0 {
				t.Fatalf("spend counts before it has matured: %+v", late.Award)
			}
			w.mayRestart(restart)
			w.nowMS = max(w.nowMS, bought+2*dayMS)
			w.flush(ledger{})
			if _, attention := w.earned("alice", due); attention.Award.SpendMinor != test.want {
				t.Errorf("restart %s: an order of 70.00 that came %d ms after its refund of 50.00 counts %d, expected %d", restart, test.wait, attention.Award.SpendMinor, test.want)
			}
			w.Close()
		}
	}
}

// The order in which purchases and refunds arrive does not change what a day
// earns, also when an order is reported in pieces.
func TestOrderOfRefundsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []event.Event
		for i := range rapid.IntRange(2, 12).Draw(t, "count") {
			kind := rapid.SampledFrom([]string{"Order Completed", "Order Refunded"}).Draw(t, "kind")
			events = append(events, order(kind, fmt.Sprint(i), rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "order"),
				fmt.Sprint(rapid.IntRange(1, 99).Draw(t, "revenue")), startMS-rapid.Int64Range(0, 3).Draw(t, "halves")*dayMS/2))
		}
		straight, mixed := newWorld(t), newWorld(t)
		for _, w := range []*world{straight, mixed} {
			for _, e := range events {
				w.accept(collect.TrustServer, e)
				if w == mixed && rapid.Bool().Draw(t, "crash") {
					w.restart(false)
				}
			}
			events = rapid.Permutation(events).Draw(t, "order of arrival")
			w.nowMS += 3 * dayMS
			w.flush(ledger{})
		}
		if want, got := straight.days(), mixed.days(); !slices.Equal(got, want) {
			t.Fatalf("in another order\n%q\nstraight\n%q", got, want)
		}
		straight.Close()
		mixed.Close()
	})
}

// A server that says again what it has said opens no session again, also if it
// leaves it to the bank to say when that was.
func TestRepeatedIdentifyChangesNothing(t *testing.T) {
	for _, restart := range restarts {
		w := newWorld(t)
		first := w.nowMS
		identify := event.Event{Call: event.Identify, Type: "identify", UserID: "alice", AnonymousID: "phone", MessageID: "i1"}
		w.requireVerdict("accepted", collect.TrustServer, identify)
		w.nowMS += collect.SessionMS - hourMS
		w.mayRestart(restart)
		batches := w.Statistics().Batches.Load()
		// Meanwhile the phone was given to bob; that stays so.
		w.requireVerdict("accepted", collect.TrustServer, event.Event{Call: event.Identify, Type: "identify", UserID: "bob", AnonymousID: "phone", MessageID: "i2"})
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, identify)
		if got := w.accept(collect.TrustServer, identify, identify); got[0] != got[1] || got[0] != "duplicate message_id_seen, first accepted" {
			t.Fatalf("repeated in one request: %v", got)
		}
		if written := w.Statistics().Batches.Load() - batches; written != 1 {
			t.Errorf("restart %s: repeating an identify has written %d batches", restart, written-1)
		}
		w.mayRestart(restart)
		w.nowMS = first + collect.SessionMS
		w.requireVerdict("quarantined unvouched", collect.TrustWrite, jump("alice", "m1", w.nowMS))
		w.requireVerdict("accepted", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "phone", MessageID: "m2", TimeMS: w.nowMS})
		if points, _ := w.earned("alice", bank.Day(w.nowMS)); points != 0 {
			t.Errorf("restart %s: a phone was given back by a repeated report", restart)
		}
		w.Close()
	}
}

// An identify that does not count opens no session.
func TestIdentifyThatDoesNotCount(t *testing.T) {
	w := newWorld(t)
	identify := event.Event{Call: event.Identify, Type: "identify", UserID: "alice"}
	w.requireVerdict("quarantined no_message_id", collect.TrustServer, identify)
	w.requireVerdict("quarantined unvouched", collect.TrustWrite, jump("alice", "m1", w.nowMS))
	identify.MessageID, identify.TimeMS = "i1", w.nowMS-collect.HorizonMS-1
	w.requireVerdict("late older_than_horizon", collect.TrustServer, identify)
	w.requireVerdict("quarantined unvouched", collect.TrustWrite, jump("alice", "m2", w.nowMS-collect.HorizonMS))
}
