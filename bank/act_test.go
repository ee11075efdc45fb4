package bank_test

import (
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// office is a bank of which several operators act.
type office struct {
	*testing.T
	state *bank.State
	seq   uint64
	nowMS int64
}

func newOffice(t *testing.T) *office {
	return &office{T: t, state: bank.New(), nowMS: 20_000 * dayMS}
}

// submit carries out a command in a record of its own, checks the whole state
// and that a copy of it is the same.
func (o *office) submit(command []byte) (bank.Refusal, []byte) {
	o.Helper()
	o.seq++
	o.nowMS++
	o.state.Begin(o.seq, o.nowMS)
	answer := o.state.Apply(command, nil)
	requireRestorable(o.T, o.state)
	return bank.Refusal(answer[0]), answer
}

func (o *office) act(operator uint32, command []byte) bank.Refusal {
	o.Helper()
	refusal, _ := o.submit(actBy(operator, command))
	return refusal
}

func actBy(operator uint32, command []byte) []byte {
	act := bank.Act{Operation: "call", Command: command}
	act.Operator = operator
	return act.AppendTo(nil)
}

func lambda(micro int64) []byte {
	policy := bank.DefaultMonetaryPolicy()
	policy.LambdaMicro = micro
	return bank.SetMonetaryPolicy{Policy: policy}.AppendTo(nil)
}

func (o *office) want(what string, got, want bank.Refusal) {
	o.Helper()
	if got != want {
		o.Errorf("%s: %s, want %s", what, got, want)
	}
}

// With one operator nothing waits; the second one brings the rule, and from
// then on it takes two to change λ, a share, an account by hand, or who the
// operators are.
func TestTwoOperatorsAreNeeded(t *testing.T) {
	o := newOffice(t)
	admit := func(name string) []byte { return bank.AdmitOperator{Name: name, KeyHash: [32]byte{1}}.AppendTo(nil) }
	o.want("λ by the only operator", o.act(0, lambda(1)), bank.Accepted)
	o.want("λ by nobody that is there", o.act(1, lambda(1)), bank.OperatorNotFound)
	o.submit(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	o.submit(bank.RegisterAsset{Code: "GOLD"}.AppendTo(nil))
	o.want("a second operator", o.act(0, admit("bo")), bank.Accepted)
	if !o.state.TwoPersons() {
		t.Error("with two operators one decides alone")
	}
	issuer := o.state.Books().Asset(3).Issuer
	transfer := bank.Transfer{Legs: []ledger.Leg{{Debit: issuer, Credit: 1, Amount: 5}}}.AppendTo(nil)
	for what, command := range map[string][]byte{
		"λ": lambda(2), "a share": bank.SetWorldShare{World: 1, Weight: 2}.AppendTo(nil),
		"limits": bank.SetLimits{Account: 1, Floor: 1}.AppendTo(nil), "a manual entry": transfer,
		"a hold": bank.PlaceHold{Account: issuer, Beneficiary: 1, Amount: 1}.AppendTo(nil), "an operator": admit("cy"),
		"a removal": bank.RemoveOperator{Operator: 1}.AppendTo(nil),
	} {
		o.want(what+" by one", o.act(0, command), bank.ApprovalNeeded)
	}
	refusal, _ := o.submit(lambda(2))
	o.want("λ by no operator", refusal, bank.ApprovalNeeded)
	refusal, _ = o.submit(transfer)
	o.want("an entry of whoever owns the account", refusal, bank.AssetMismatch)
	o.want("what takes one", o.act(0, bank.RegisterWorld{Code: "plaza"}.AppendTo(nil)), bank.Accepted)
}

// A proposal is approved by somebody else, once, in time, as it was proposed.
func TestProposals(t *testing.T) {
	o := newOffice(t)
	o.act(0, bank.AdmitOperator{Name: "bo"}.AppendTo(nil))
	propose := func(operator uint32, command []byte) uint64 {
		t.Helper()
		refusal, answer := o.submit(actBy(operator, bank.Propose{ValidMS: dayMS, Command: command}.AppendTo(nil)))
		o.want("a proposal", refusal, bank.Accepted)
		made, _ := bank.First[bank.ProposalMade](answer)
		return made.Proposal
	}
	end := func(operator uint32, number uint64, approve bool, command []byte) bank.Refusal {
		t.Helper()
		return o.act(operator, bank.EndProposal{Proposal: number, Approve: approve, Command: command}.AppendTo(nil))
	}
	first := propose(0, lambda(7))
	o.want("by the proposer", end(0, first, true, lambda(7)), bank.OwnProposal)
	o.want("of something else", end(1, first, true, lambda(8)), bank.Malformed)
	o.want("by nobody", o.act(9, bank.EndProposal{Proposal: first, Approve: true, Command: lambda(7)}.AppendTo(nil)), bank.OperatorNotFound)
	refusal, _ := o.submit(bank.EndProposal{Proposal: first, Approve: true, Command: lambda(7)}.AppendTo(nil))
	o.want("by no operator", refusal, bank.OperatorNotFound)
	o.want("by the other", end(1, first, true, lambda(7)), bank.Accepted)
	if got := o.state.NextMonetaryPolicy().LambdaMicro; got != 7 {
		t.Errorf("λ is %d, approved was 7", got)
	}
	o.want("a second time", end(1, first, true, lambda(7)), bank.ProposalOver)
	o.want("one that is not there", end(1, 99, false, nil), bank.ProposalNotFound)

	second := propose(0, lambda(8))
	o.want("taken back by the proposer", end(0, second, false, nil), bank.Accepted)
	third := propose(1, lambda(9))
	o.nowMS += dayMS
	o.want("too late", end(0, third, true, lambda(9)), bank.ProposalOver)
	o.submit(bank.AppendTick(nil))
	wrong := propose(0, bank.SetWorldShare{World: 5}.AppendTo(nil))
	o.want("whose command is refused", end(1, wrong, true, bank.SetWorldShare{World: 5}.AppendTo(nil)), bank.WorldNotFound)

	var got []string
	for _, p := range o.state.Proposals() {
		got = append(got, fmt.Sprintf("%d %s", p.Number, p.Status))
	}
	if fmt.Sprint(got) != "[1 approved 2 rejected 3 expired 4 open]" {
		t.Errorf("the proposals are %v", got)
	}
	refusal, _ = o.submit(actBy(0, bank.Propose{ValidMS: 1, Command: bank.AppendTick(nil)}.AppendTo(nil)))
	o.want("what takes one", refusal, bank.NotProposable)
	refusal, _ = o.submit(actBy(0, actBy(0, lambda(1))))
	o.want("an act in an act", refusal, bank.Malformed)

	// Who is removed has neither acts nor standing proposals.
	remove := bank.RemoveOperator{Operator: 1}.AppendTo(nil)
	gone := propose(1, lambda(10))
	o.want("removing", end(1, propose(0, remove), true, remove), bank.Accepted)
	o.want("what a removed one proposed", end(0, gone, true, lambda(10)), bank.OperatorNotFound)
	o.want("an act of a removed one", o.act(1, bank.RegisterWorld{Code: "w"}.AppendTo(nil)), bank.OperatorNotFound)
	o.want("the last", o.act(0, bank.RemoveOperator{Operator: 0}.AppendTo(nil)), bank.LastOperator)
	o.want("a name again", o.act(0, bank.AdmitOperator{Name: "bo"}.AppendTo(nil)), bank.CodeTaken)
}

// The idempotency key of an act is that of its command, whatever its trail says.
func TestActsAreRepeatedByTheirCommand(t *testing.T) {
	o := newOffice(t)
	command := bank.RegisterWorld{Key: bank.Key{1}, Code: "cafe"}.AppendTo(nil)
	o.want("first", o.act(0, command), bank.Accepted)
	again := bank.Act{Operation: "call", Before: `{"other":1}`, Command: command}
	refusal, _ := o.submit(again.AppendTo(nil))
	o.want("again", refusal, bank.Repeated)
	refusal, _ = o.submit(bank.Act{Operation: "note"}.AppendTo(nil))
	o.want("a note", refusal, bank.Accepted)
	refusal, _ = o.submit(again.AppendTo(nil)[:25])
	o.want("one that is cut off", refusal, bank.Malformed)
}
