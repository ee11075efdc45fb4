package collect_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
	"pgregory.net/rapid"
)

func (w *world) setTerms(userID string, change func(*collect.Terms)) {
	w.Helper()
	subject := w.subject(userID)
	terms, err := w.Terms(context.Background(), subject)
	if err != nil {
		w.Fatal(err)
	}
	change(&terms)
	if err := w.SetTerms(context.Background(), 1, subject, terms); err != nil {
		w.Fatal(err)
	}
}

// asking makes the policy of the tests ask for consent.
func (w *world) asking() {
	asking := *policy
	asking.ConsentRequired = true
	w.policies = func(uint32, int32, uint32) (*score.Policy, uint32) { return &asking, 1 }
	w.restart(true)
}

// What a person has decided on being metered holds for every event from then on,
// also under an anonymous id that is theirs, and nothing of a refused event is
// kept.
func TestConsentIsEnforced(t *testing.T) {
	w := newWorld(t)
	act := func(id string) event.Event { return event.Event{Type: "Jumped", UserID: "ann", MessageID: id} }
	w.requireVerdict("accepted", collect.TrustServer, act("1"))
	w.setTerms("ann", func(terms *collect.Terms) { terms.Scoring = collect.Withdrawn })
	for _, trust := range []collect.Trust{collect.TrustServer, collect.TrustWrite, collect.TrustImport} {
		w.requireVerdict("rejected consent_withdrawn", trust, act("2"))
	}
	w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, act("1"))
	batches := w.Statistics().Batches.Load()
	w.requireVerdict("rejected consent_withdrawn", collect.TrustServer, act("2"))
	if now := w.Statistics().Batches.Load(); now != batches {
		t.Errorf("a refused event left %d batches", now-batches)
	}
	// An identify that is refused opens no session.
	w.requireVerdict("rejected consent_withdrawn", collect.TrustServer, event.Event{Call: event.Identify, UserID: "ann", AnonymousID: "a-1", MessageID: "i1"})
	w.requireVerdict("accepted", collect.TrustServer, event.Event{Type: "Jumped", UserID: "bob", MessageID: "b1"})
	for _, clean := range []bool{false, true} {
		w.restart(clean)
		w.requireVerdict("rejected consent_withdrawn", collect.TrustServer, act("2"))
	}
	w.setTerms("ann", func(terms *collect.Terms) { terms.Scoring = collect.Given })
	w.requireVerdict("accepted", collect.TrustServer, event.Event{Call: event.Identify, UserID: "ann", AnonymousID: "a-1", MessageID: "i1"})
	w.requireVerdict("accepted", collect.TrustServer, act("2"))
	w.requireVerdict("accepted", collect.TrustServer, event.Event{Type: "Jumped", AnonymousID: "a-1", MessageID: "3"})
	w.setTerms("ann", func(terms *collect.Terms) { terms.Scoring = collect.Withdrawn })
	w.requireVerdict("rejected consent_withdrawn", collect.TrustServer, event.Event{Type: "Jumped", AnonymousID: "a-1", MessageID: "4"})
}

// Where the policy asks for consent, nobody is metered without.
func TestConsentIsRequired(t *testing.T) {
	w := newWorld(t)
	w.asking()
	act := event.Event{Type: "Jumped", UserID: "ann", MessageID: "1"}
	w.requireVerdict("rejected consent_missing", collect.TrustServer, act)
	w.setTerms("ann", func(terms *collect.Terms) { terms.Scoring = collect.Given })
	w.requireVerdict("accepted", collect.TrustServer, act)
	w.requireVerdict("rejected consent_missing", collect.TrustServer, event.Event{Type: "Jumped", UserID: "bob", MessageID: "2"})
}

// Nothing is earned while a person keeps out, and what was there before and comes
// after counts.
func TestSelfExclusionFromEarning(t *testing.T) {
	w := newWorld(t)
	at := func(id string, ms int64) event.Event {
		return event.Event{Type: "Jumped", UserID: "ann", MessageID: id, TimeMS: ms}
	}
	w.requireVerdict("accepted", collect.TrustServer, at("1", startMS))
	w.nowMS += 10 * minuteMS
	w.setTerms("ann", func(terms *collect.Terms) { terms.ExcludedUntilMS = w.nowMS + 60*minuteMS })
	w.requireVerdict("rejected self_excluded", collect.TrustServer, at("2", w.nowMS))
	w.requireVerdict("accepted", collect.TrustServer, at("3", startMS+minuteMS))
	w.restart(false)
	w.nowMS += 20 * minuteMS
	w.setTerms("ann", func(terms *collect.Terms) { terms.ExcludedUntilMS += 60 * minuteMS })
	w.requireVerdict("rejected self_excluded", collect.TrustServer, at("4", startMS+11*minuteMS))
	w.nowMS += 3 * 60 * minuteMS
	w.requireVerdict("accepted", collect.TrustServer, at("5", w.nowMS))
	w.requireVerdict("rejected self_excluded", collect.TrustServer, at("6", startMS+100*minuteMS))
}

// Of a minor the running day is scored by the caps for minors as soon as it is
// known, and so it is after a restart.
func TestMinorsDay(t *testing.T) {
	w, bank := newWorld(t), ledger{}
	w.nowMS += 6 * 60 * minuteMS
	w.present(1, "ann", 300)
	w.present(1, "bob", 300)
	today, _ := score.DayOf(w.nowMS)
	everybody, _ := w.earned("ann", today)
	w.flush(bank)
	w.setTerms("ann", func(terms *collect.Terms) { terms.Minor = true })
	minor, attention := w.earned("ann", today)
	if minor >= everybody || !attention.Bounds.Minor || attention.Policy.Curve.HalfSeconds != 2*3600 {
		t.Errorf("a minor earned %d, others %d: %+v", minor, everybody, attention.Bounds)
	}
	// An hour in full and one in half, at 30 points an hour.
	if want := int64(45_000_000); minor != want {
		t.Errorf("a minor earned %d, want %d", minor, want)
	}
	if w.flush(bank) != 1 {
		t.Error("the day that earned less was not posted again")
	}
	for _, clean := range []bool{false, true} {
		w.restart(clean)
		if again, _ := w.earned("ann", today); again != minor {
			t.Errorf("after a restart %d is earned, before %d", again, minor)
		}
	}
	// Grown up, the day stays as it is and the next one is everybody's.
	w.setTerms("ann", func(terms *collect.Terms) { terms.Minor = false })
	if again, _ := w.earned("ann", today); again != minor {
		t.Errorf("the day that was a minor's earned %d, then %d", minor, again)
	}
	w.nowMS += dayMS
	w.present(1, "ann", 300)
	if next, _ := w.earned("ann", today+1); next != everybody {
		t.Errorf("the next day earned %d, want %d", next, everybody)
	}
	if other, _ := w.earned("bob", today); other != everybody {
		t.Errorf("another's day earned %d, want %d", other, everybody)
	}
	w.requireVerdict("accepted", collect.TrustServer, event.Event{Type: "heartbeat", UserID: "ann", MessageID: "late", TimeMS: w.nowMS})
}

// A limit of one's own holds at once and takes nothing back; a higher one waits.
func TestOwnLimitOfEarning(t *testing.T) {
	w := newWorld(t)
	ann := w.subject("ann")
	w.nowMS += 2 * 60 * minuteMS
	w.present(1, "ann", 60)
	w.requireSeconds(ann, map[uint32]int64{1: 3600})
	limit := func(now, next int32, fromMS int64) {
		w.Helper()
		w.setTerms("ann", func(terms *collect.Terms) {
			terms.EarnSeconds, terms.NextEarnSeconds, terms.NextFromMS = now, next, fromMS
		})
	}
	limit(30*60, collect.NoLimit, 0)
	w.requireSeconds(ann, map[uint32]int64{1: 3600})
	w.nowMS += 10 * minuteMS
	w.present(1, "ann", 5)
	w.requireSeconds(ann, map[uint32]int64{1: 3600})
	w.requireVerdict("capped own_limit", collect.TrustServer, event.Event{Type: "heartbeat", UserID: "ann", MessageID: "c", TimeMS: w.nowMS})
	limit(30*60, 45*60, w.nowMS+24*60*minuteMS)
	w.requireSeconds(ann, map[uint32]int64{1: 3600})
	w.restart(false)
	w.requireSeconds(ann, map[uint32]int64{1: 3600})
	// 23 hours later the lower one still holds; from the day after that begins
	// once the higher one does, that.
	w.nowMS += 23 * 60 * minuteMS
	w.present(1, "ann", 60)
	w.requireSeconds(ann, map[uint32]int64{1: 1800})
	w.nowMS += 2 * 60 * minuteMS
	w.present(1, "ann", 60)
	w.requireSeconds(ann, map[uint32]int64{1: 1800})
	w.nowMS += 24 * 60 * minuteMS
	w.present(1, "ann", 60)
	w.requireSeconds(ann, map[uint32]int64{1: 2700})
	// Over two worlds it is one limit.
	w.nowMS += 24 * 60 * minuteMS
	w.present(1, "ann", 60)
	w.nowMS += 60 * minuteMS
	if _, err := w.Link(context.Background(), 2, w.inWorld(2, "ann"), ann); err != nil {
		t.Fatal(err)
	}
	w.nowMS += 24 * 60 * minuteMS
	w.present(1, "ann", 30)
	w.nowMS += 60 * minuteMS
	w.present(2, "ann", 30)
	w.requireSeconds(ann, map[uint32]int64{1: 1800, 2: 900})
}

// Whatever is decided and reported, a restart after a crash comes to the same
// days, and so does one that reads people back from the checkpoint.
func TestTermsSurviveRestarts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorldWith(t, nil, rapid.SampledFrom([]int{0, 1}).Draw(t, "people bytes"))
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			user := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "user")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0, 1:
				w.nowMS += rapid.Int64Range(1, 300).Draw(t, "minutes") * minuteMS
				w.present(1, user, rapid.Int64Range(1, 40).Draw(t, "present"))
			case 2:
				w.setTerms(user, func(terms *collect.Terms) {
					terms.Minor = rapid.Bool().Draw(t, "minor")
					terms.Scoring = rapid.SampledFrom([]collect.Decision{collect.Undecided, collect.Given, collect.Withdrawn}).Draw(t, "scoring")
					terms.EarnSeconds = rapid.Int32Range(-1, 1200).Draw(t, "earn")
					terms.NextEarnSeconds, terms.NextFromMS = 600, rapid.Int64Range(0, 1).Draw(t, "next")*(w.nowMS+minuteMS)
					terms.ExcludedUntilMS = rapid.Int64Range(0, 2).Draw(t, "excluded") * (w.nowMS/2 + minuteMS)
				})
			case 3:
				w.accept(collect.TrustServer, event.Event{Type: "Jumped", UserID: user, MessageID: fmt.Sprint("j", step)})
			case 4:
				today, _ := score.DayOf(w.nowMS)
				before := fmt.Sprint(w.earned(user, today))
				terms, _ := w.Terms(context.Background(), w.subject(user))
				w.restart(rapid.Bool().Draw(t, "clean"))
				if after := fmt.Sprint(w.earned(user, today)); after != before {
					t.Fatalf("before the restart\n%s\nafter\n%s", before, after)
				}
				if again, _ := w.Terms(context.Background(), w.subject(user)); again != terms {
					t.Fatalf("the terms were %+v and are %+v", terms, again)
				}
			}
		}
	})
}
