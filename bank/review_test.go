package bank_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// earning is an office with people who have earned 60 points each on a day.
func earning(t *testing.T, people ...byte) *office {
	o := newOffice(t)
	o.submit(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	o.submit(lambda(1_000_000))
	o.earn(1, people...)
	return o
}

// earn lets people earn 60 points each on the running day.
func (o *office) earn(revision uint64, people ...byte) {
	for _, id := range people {
		o.submit(bank.Mint{Person: [16]byte{id}, World: 1, Day: bank.Day(o.nowMS), Revision: revision, CumulativePointsMicro: 60_000_000}.AppendTo(nil))
	}
}

// close lets the running epoch end and be paid.
func (o *office) close() {
	o.Helper()
	o.nowMS = o.state.RunningEpoch().EndMS + bank.DefaultMonetaryPolicy().CloseDelayMS
	o.submit(bank.AppendTick(nil))
}

func (o *office) open(id byte, day int32, signals uint32, shadow bool) uint64 {
	o.Helper()
	refusal, answer := o.submit(bank.OpenCase{Person: [16]byte{id}, Day: day, RulesVersion: 1, Signals: signals, TrustPermille: 400, Shadow: shadow}.AppendTo(nil))
	o.want("opening a case", refusal, bank.Accepted)
	changed, _ := bank.First[bank.CaseChanged](answer)
	return changed.Case
}

func (o *office) decide(operator uint32, number uint64, release bool) bank.Refusal {
	o.Helper()
	return o.act(operator, bank.DecideCase{Case: number, Release: release}.AppendTo(nil))
}

// requireTime compares what people have: paid out and held back, in points
// that are worth one TIME each.
func (o *office) requireTime(what string, id byte, paid, held int64) {
	o.Helper()
	person, _ := o.state.PersonByID([16]byte{id})
	balance := func(key ledger.Key) int64 {
		if number, found := o.state.Books().Find(key); found {
			return o.state.Books().Account(number).Balance
		}
		return 0
	}
	key := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time}
	gotPaid := balance(key)
	key.Purpose = ledger.PurposeHeldBack
	if gotHeld := balance(key); gotPaid != paid*1_000_000 || gotHeld != held*1_000_000 {
		o.Errorf("%s: person %d has %d and %d held back, want %d and %d million", what, id, gotPaid, gotHeld, paid, held)
	}
}

// The first epoch pays by the policy of before; it is closed so that those of
// the tests pay one TIME a point.
func opened(t *testing.T, people ...byte) *office {
	o := earning(t)
	o.close()
	o.earn(1, people...)
	return o
}

// Who has an open case is paid into an account that nobody can spend from;
// nobody else is touched. Released, all of it is theirs.
func TestOpenCaseHoldsBackAndReleasePays(t *testing.T) {
	o := opened(t, 1, 2)
	number := o.open(1, bank.Day(o.nowMS), 1, false)
	if again := o.open(1, bank.Day(o.nowMS), 4, false); again != number {
		t.Errorf("more of the same day is case %d, want %d", again, number)
	}
	o.close()
	o.requireTime("at the close", 1, 0, 60)
	o.requireTime("at the close", 2, 60, 0)
	o.earn(1, 1)
	o.close()
	o.requireTime("at the next close", 1, 0, 120)
	person, _ := o.state.PersonByID([16]byte{1})
	account, _ := o.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time, Purpose: ledger.PurposeHeldBack})
	refusal, _ := o.submit(bank.Transfer{Legs: []ledger.Leg{{Debit: account, Credit: 3, Amount: 1}}}.AppendTo(nil))
	o.want("spending what is held back", refusal, bank.NotTransferable)
	refusal, _ = o.submit(bank.DecideCase{Case: number, Release: true}.AppendTo(nil))
	o.want("a decision by no operator", refusal, bank.OperatorNotFound)
	o.want("a release", o.decide(0, number, true), bank.Accepted)
	o.requireTime("released", 1, 120, 0)
	o.want("a second decision", o.decide(0, number, false), bank.CaseOver)
	c, _ := o.state.Case(number)
	if c.Status != bank.CaseReleased || c.Signals != 5 || c.HeldMicro != 120_000_000 {
		t.Errorf("the case: %+v", c)
	}
	// What was decided on is not opened again; a later day is.
	if again := o.open(1, c.ToDay, 1, false); again != number {
		t.Errorf("the day that was decided on is case %d", again)
	}
	o.earn(1, 1)
	o.close()
	o.requireTime("after the release", 1, 180, 0)
	if later := o.open(1, bank.Day(o.nowMS), 1, false); later == number {
		t.Error("a later day joins the case that is over")
	}
}

// What is upheld is burned when the time for an appeal is over, and not before.
func TestUpheldIsBurnedUnlessAppealed(t *testing.T) {
	o := opened(t, 1, 2, 3)
	today := bank.Day(o.nowMS)
	cases := map[byte]uint64{1: o.open(1, today, 1, false), 2: o.open(2, today, 1, false), 3: o.open(3, today, 1, false)}
	o.want("being heard while it is open", o.appeal(cases[3]), bank.Accepted)
	o.close()
	for id := byte(1); id <= 3; id++ {
		o.want("upholding", o.decide(0, cases[id], false), bank.Accepted)
	}
	o.want("an appeal", o.appeal(cases[2]), bank.Accepted)
	o.want("an appeal that is repeated", o.appeal(cases[2]), bank.Accepted)
	o.want("an appeal about nothing", o.appeal(99), bank.CaseNotFound)
	o.earn(1, 1)
	o.close()
	o.requireTime("earned after the decision", 1, 60, 60)
	supply := o.state.Books().Asset(ledger.Time).Supply()
	o.nowMS += bank.AppealMS
	if due, any := o.state.NextDueMS(); !any || due > o.nowMS {
		t.Errorf("nothing is due")
	}
	o.want("an appeal that is late", o.appeal(cases[1]), bank.CaseOver)
	o.submit(bank.AppendTick(nil))
	o.requireTime("without an appeal", 1, 60, 0)
	o.requireTime("with an appeal", 2, 0, 60)
	o.requireTime("heard before", 3, 0, 0)
	o.want("the appeal, upheld", o.decide(0, cases[2], false), bank.Accepted)
	o.requireTime("after a vain appeal", 2, 0, 0)
	if burned := supply - o.state.Books().Asset(ledger.Time).Supply(); burned != 180_000_000 {
		t.Errorf("%d were burned, want 180 million", burned)
	}
	for id, want := range map[byte]bank.CaseStatus{1: bank.CaseForfeited, 2: bank.CaseForfeited, 3: bank.CaseForfeited} {
		if c, _ := o.state.Case(cases[id]); c.Status != want || c.Contested != (id == 3) {
			t.Errorf("case of person %d: %+v", id, c)
		}
	}
}

func (o *office) appeal(number uint64) bank.Refusal {
	o.Helper()
	refusal, _ := o.submit(bank.AppealCase{Case: number}.AppendTo(nil))
	return refusal
}

// An appeal is decided by somebody else, if there is somebody else.
func TestAppealsAreDecidedByAnother(t *testing.T) {
	o := opened(t, 1)
	o.act(0, bank.AdmitOperator{Name: "bo"}.AppendTo(nil))
	number := o.open(1, bank.Day(o.nowMS), 1, false)
	o.close()
	o.want("upholding", o.decide(0, number, false), bank.Accepted)
	o.want("an appeal", o.appeal(number), bank.Accepted)
	o.want("by the same operator", o.decide(0, number, false), bank.OwnDecision)
	o.want("by another", o.decide(1, number, true), bank.Accepted)
	o.requireTime("released on appeal", 1, 60, 0)
}

// A rule that only watches makes a case a day that holds nothing back and about
// which there is nothing to decide.
func TestShadowCasesHoldNothing(t *testing.T) {
	o := opened(t, 1)
	today := bank.Day(o.nowMS)
	number := o.open(1, today, 2, true)
	if again := o.open(1, today, 2, true); again != number {
		t.Errorf("the same day again is case %d", again)
	}
	o.close()
	o.requireTime("watched", 1, 60, 0)
	o.want("a decision", o.decide(0, number, true), bank.CaseOver)
	o.want("an appeal", o.appeal(number), bank.CaseNotFound)
	if next := o.open(1, today+1, 2, true); next == number {
		t.Error("the next day joins the case")
	}
	if held := o.open(1, today+1, 2, false); held == number {
		t.Error("a case that holds back is the one that watches")
	}
}

// Rules have versions; what would change nothing is known beforehand.
func TestReviewRulesAndCovers(t *testing.T) {
	o := opened(t, 1)
	o.want("rules", o.act(0, bank.PublishReviewRules{Text: "name: a"}.AppendTo(nil)), bank.Accepted)
	o.want("rules", o.act(0, bank.PublishReviewRules{Text: "name: b"}.AppendTo(nil)), bank.Accepted)
	if got := o.state.ReviewRules(); len(got) != 2 || got[1] != "name: b" {
		t.Errorf("rules: %q", got)
	}
	want := bank.OpenCase{Person: [16]byte{1}, Day: bank.Day(o.nowMS), RulesVersion: 1, Signals: 1, TrustPermille: 400}
	if o.state.Covers(want) {
		t.Error("covered before it was opened")
	}
	o.submit(want.AppendTo(nil))
	worse := want
	worse.Signals = 3
	if !o.state.Covers(want) || o.state.Covers(worse) {
		t.Error("covered: the same has to be, more must not be")
	}
	late := want
	late.Day += 2
	refusal, _ := o.submit(late.AppendTo(nil))
	o.want("a day to come", refusal, bank.DayNotCome)
}
