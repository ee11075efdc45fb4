package collect_test

import (
	"context"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

func jump(user, message string, timeMS int64) event.Event {
	return event.Event{Type: "Jumped", UserID: user, MessageID: message, TimeMS: timeMS}
}

func order(kind, message, orderID, revenue string, timeMS int64) event.Event {
	return event.Event{Type: kind, UserID: "alice", MessageID: message, TimeMS: timeMS,
		Properties: []event.Property{{Name: "revenue", Value: revenue}, {Name: "currency", Value: "USD"}, {Name: "order_id", Value: orderID}}}
}

func TestVerdicts(t *testing.T) {
	w := newWorld(t)
	server, write := collect.TrustServer, collect.TrustWrite

	w.requireVerdict("accepted", server, jump("alice", "m1", w.nowMS))
	w.requireVerdict("duplicate message_id_seen, first accepted", server, jump("alice", "m1", w.nowMS))
	w.requireVerdict("quarantined no_message_id", server, jump("alice", "", w.nowMS))
	w.requireVerdict("late older_than_horizon", server, jump("alice", "m2", w.nowMS-collect.HorizonMS-1))
	w.requireVerdict("accepted", server, jump("alice", "m3", w.nowMS-collect.HorizonMS))
	// Nobody can use up a server's message ids with a public key.
	w.requireVerdict("quarantined unvouched", write, jump("alice", "m1", w.nowMS))
	w.requireVerdict("accepted spend_needs_server_key", server2(w), order("Order Completed", "m4", "o1", "5", w.nowMS))
	w.requireVerdict("accepted other_currency", server, event.Event{Type: "Order Completed", UserID: "alice", MessageID: "m5", TimeMS: w.nowMS,
		Properties: []event.Property{{Name: "revenue", Value: "5"}, {Name: "currency", Value: "EUR"}}})
	w.requireVerdict("accepted no_amount", server, event.Event{Type: "Order Completed", UserID: "alice", MessageID: "m6", TimeMS: w.nowMS})
	// A clock that is ahead is set back by as much as it says it is.
	w.requireVerdict("accepted clock_ahead", server, event.Event{Type: "Jumped", UserID: "alice", MessageID: "m7", TimeMS: w.nowMS + dayMS, SentMS: w.nowMS + dayMS})
	// An event in one batch twice counts once.
	if got := w.accept(server, jump("alice", "m8", w.nowMS), jump("alice", "m8", w.nowMS)); got[0] != "accepted" || got[1] != "duplicate message_id_seen, first accepted" {
		t.Errorf("twice in a batch: %v", got)
	}
}

// server2 vouches for alice, so that a write key is believed about her.
func server2(w *world) collect.Trust {
	if err := w.OpenSession(context.Background(), 1, "alice", "", w.nowMS, w.nowMS+minuteMS); err != nil {
		w.Fatal(err)
	}
	return collect.TrustWrite
}

func TestMessageIDsAreRememberedForSevenDaysOfArrival(t *testing.T) {
	w := newWorld(t)
	w.requireVerdict("accepted", collect.TrustServer, jump("alice", "m1", w.nowMS))
	for range 7 {
		w.nowMS += dayMS
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("alice", "m1", w.nowMS))
		// Other events go on, which is what makes days of ids leave.
		w.accept(collect.TrustServer, jump("bob", "", w.nowMS))
	}
	w.nowMS += 2 * dayMS
	w.accept(collect.TrustServer, jump("bob", "", w.nowMS))
	w.requireVerdict("accepted", collect.TrustServer, jump("alice", "m1", w.nowMS))
}

// What a client claims waits until a server key vouches for the person, and
// counts then; a restart in between does not matter.
func TestClaimsCountOnceVouchedFor(t *testing.T) {
	for _, restart := range []string{"none", "crash", "clean"} {
		w := newWorld(t)
		today := bank.Day(w.nowMS)
		again := func() {
			if restart != "none" {
				w.restart(restart == "clean")
			}
		}
		w.requireVerdict("quarantined unvouched", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "device", MessageID: "m1", TimeMS: w.nowMS})
		w.requireVerdict("quarantined unvouched", collect.TrustWrite, jump("alice", "m2", w.nowMS+minuteMS))
		again()
		if points, _ := w.earned("alice", today); points != 0 {
			t.Fatalf("%s: unvouched claims have earned %d", restart, points)
		}
		// The server identifies the person and the device.
		w.nowMS += 2 * minuteMS
		identify := event.Event{Call: event.Identify, Type: "identify", UserID: "alice", AnonymousID: "device", MessageID: "m3", TimeMS: w.nowMS - 2*minuteMS}
		w.requireVerdict("accepted", collect.TrustServer, identify)
		again()
		points, attention := w.earned("alice", today)
		if attention.Award.InteractionsMicro != 2_000_000 || points == 0 {
			t.Fatalf("%s: after the session the day has %+v", restart, attention.Award)
		}
		for _, id := range []string{"m1", "m2"} {
			kept, err := w.Verdict(context.Background(), 1, id)
			if err != nil || len(kept) != 1 || kept[0].Verdict != collect.Accepted {
				t.Fatalf("%s: %s is %+v, %v", restart, id, kept, err)
			}
		}
		// From now on the device is believed, until the session ends.
		w.requireVerdict("accepted", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "device", MessageID: "m4", TimeMS: w.nowMS})
		w.nowMS += collect.SessionMS
		w.requireVerdict("quarantined unvouched", collect.TrustWrite, event.Event{Type: "Jumped", AnonymousID: "device", MessageID: "m5", TimeMS: w.nowMS})
	}
}

func TestSessionsHaveBounds(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct{ from, until int64 }{
		{w.nowMS, w.nowMS}, {w.nowMS, w.nowMS + collect.MaxSessionMS + 1}, {w.nowMS - collect.HorizonMS - 1, w.nowMS - collect.HorizonMS + 5},
	} {
		if err := w.OpenSession(context.Background(), 1, "alice", "", test.from, test.until); err != collect.ErrSession {
			t.Errorf("a session from %d to %d: %v", test.from-w.nowMS, test.until-w.nowMS, err)
		}
	}
}

// Spend counts in the slice in which its refund window ends, less what was
// refunded by then; buying and refunding earns nothing.
func TestSpendWaitsForItsRefundWindow(t *testing.T) {
	for _, restart := range []string{"none", "crash", "clean"} {
		w := newWorld(t)
		bought, due := w.nowMS, bank.Day(w.nowMS+2*dayMS)
		minted := ledger{}
		w.accept(collect.TrustServer, order("Order Completed", "m1", "o1", "100", bought), order("Order Completed", "m2", "o2", "50", bought))
		w.nowMS += dayMS
		w.accept(collect.TrustServer, order("Order Refunded", "m3", "o1", "100", w.nowMS), order("Order Refunded", "m4", "o2", "20.50", w.nowMS))
		w.flush(minted)
		if restart != "none" {
			w.restart(restart == "clean")
		}
		if _, attention := w.earned("alice", due); attention.Award.SpendMinor != 0 {
			t.Fatalf("%s: spend counts before its window has ended: %+v", restart, attention.Award)
		}
		w.nowMS = bought + 2*dayMS
		w.flush(minted)
		if _, attention := w.earned("alice", due); attention.Award.SpendMinor != 2950 {
			t.Fatalf("%s: spend of %d counts, expected 29.50", restart, attention.Award.SpendMinor)
		}
		// A refund after the window changes nothing.
		w.accept(collect.TrustServer, order("Order Refunded", "m5", "o2", "29.50", w.nowMS))
		w.flush(minted)
		points, attention := w.earned("alice", due)
		if attention.Award.SpendMinor != 2950 || attention.MintedMicro != points {
			t.Fatalf("%s: after a late refund: %+v", restart, attention)
		}
	}
}

// Hours that pay nothing any more are told so.
func TestTheDailyCurveCaps(t *testing.T) {
	w := newWorld(t)
	day := w.nowMS - w.nowMS%dayMS
	w.accept(collect.TrustImport, event.Event{Type: "played", UserID: "alice", MessageID: "m1", TimeMS: day, CoversMS: 8 * 60 * minuteMS})
	w.requireVerdict("capped daily_curve", collect.TrustServer, jump("alice", "m2", day+9*60*minuteMS))
	before, _ := w.earned("alice", bank.Day(day))
	w.accept(collect.TrustServer, jump("alice", "m3", day+10*60*minuteMS))
	if after, _ := w.earned("alice", bank.Day(day)); after != before || before != 6*30*1_000_000 {
		t.Errorf("the day earned %d before and %d after its paid hours were used up", before, after)
	}
}

// The commitment in the Mint opens to T, I and C of the day.
func TestCommitmentOpens(t *testing.T) {
	w := newWorld(t)
	w.accept(collect.TrustServer, jump("alice", "m1", w.nowMS))
	minted := ledger{}
	if w.flush(minted) != 1 || w.flush(minted) != 0 {
		t.Fatal("a day was not minted once")
	}
	_, attention := w.earned("alice", bank.Day(w.nowMS))
	opened := attention.Opened
	for _, m := range minted {
		if m.Commitment != opened.Commitment() {
			t.Error("the commitment does not open")
		}
		opened.PresentSeconds += 10
		if m.Commitment == opened.Commitment() {
			t.Error("a commitment opens to another day")
		}
	}
}

// After erasure nothing opens, and the log can still be folded.
func TestErasure(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.accept(collect.TrustServer, jump("alice", "m1", w.nowMS), jump("bob", "m2", w.nowMS))
	alice := w.subject("alice")
	if err := w.people.Erase(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if err := w.Forget(ctx, alice); err != nil {
		t.Fatal(err)
	}
	for _, clean := range []bool{false, true, false} {
		w.restart(clean)
		if points, _ := w.earned("bob", bank.Day(w.nowMS)); points == 0 {
			t.Fatal("another person's day is gone")
		}
		if list, err := w.Attention(ctx, alice, bank.Day(w.nowMS)); err != nil || len(list) != 0 {
			t.Fatalf("an erased person's day is shown: %+v, %v", list, err)
		}
		w.flush(ledger{})
	}
	// The same name is a new person.
	w.requireVerdict("accepted", collect.TrustServer, jump("alice", "m9", w.nowMS))
}
