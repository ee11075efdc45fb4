package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

// deed is what a command did to accounts, as its caller may see it.
type deed struct {
	postings []posting
	holds    []wire.Hold
}

// posting is a change of an account. Only who owns the account, and the
// operator, see what it came to: paying somebody shows nothing of them.
type posting struct {
	wire.Posting
	own bool
}

// deedOf reads the facts of an accepted answer.
func (s *server) deedOf(ctx context.Context, who identity.Principal, answer []byte) (d deed, err error) {
	for fact, err := range bank.Facts(answer) {
		if err != nil {
			return d, err
		}
		switch f := fact.(type) {
		case bank.Posted:
			facts, own, err := s.sees(ctx, who, f.Account)
			if err != nil {
				return d, err
			}
			shown := posting{wire.Posting{Account: strconv.FormatUint(f.Account, 10), Amount: amount.Format(f.Amount, facts.scale)}, own}
			if own {
				shown.Balance, shown.Held = amount.Format(f.Balance, facts.scale), amount.Format(f.Held, facts.scale)
			}
			d.postings = append(d.postings, shown)
		case bank.HoldPlaced:
			hold := ledger.Hold{Account: f.Account, Beneficiary: f.Beneficiary, Amount: f.Amount, ExpiresAtMS: f.ExpiresAtMS, Group: f.Group}
			s.holds.put(f.Hold, hold)
			facts, _, err := s.accountFacts(ctx, f.Account)
			if err != nil {
				return d, err
			}
			d.hold(holdOf(f.Hold, hold, facts))
		case bank.HoldReduced:
			facts, _, err := s.accountFacts(ctx, f.Account)
			if err != nil {
				return d, err
			}
			hold, found := s.holds.get(f.Hold)
			if !found {
				hold = ledger.Hold{Account: f.Account}
			}
			hold.Amount = f.Remaining
			d.hold(holdOf(f.Hold, hold, facts))
		}
	}
	return d, nil
}

// hold notes what a hold came to; a settlement that releases the rest is two
// facts of one hold.
func (d *deed) hold(hold wire.Hold) {
	if last := len(d.holds) - 1; last >= 0 && d.holds[last].Hold == hold.Hold {
		d.holds[last] = hold
		return
	}
	d.holds = append(d.holds, hold)
}

func holdOf(number uint64, hold ledger.Hold, facts accountFacts) wire.Hold {
	shown := wire.Hold{
		Hold: strconv.FormatUint(number, 10), Account: strconv.FormatUint(hold.Account, 10), Asset: facts.asset,
		Remaining: amount.Format(hold.Amount, facts.scale), Expires: timeText(hold.ExpiresAtMS), Grouped: hold.Group != [16]byte{},
	}
	if hold.Beneficiary != 0 {
		shown.Beneficiary = strconv.FormatUint(hold.Beneficiary, 10)
	}
	return shown
}

// sees returns what never changes of an account, and whether the caller may
// see the rest.
func (s *server) sees(ctx context.Context, who identity.Principal, number uint64) (accountFacts, bool, error) {
	facts, found, err := s.accountFacts(ctx, number)
	if err != nil || !found || who.Kind == identity.Operator {
		return facts, found, err
	}
	owns, err := s.owns(ctx, who, facts.Key)
	return facts, owns, err
}

// receipt answers what changed accounts.
func (s *server) receipt(ctx context.Context, who identity.Principal, answer journal.Answer, reference string) (*answered[wire.Receipt], error) {
	d, err := s.deedOf(ctx, who, answer.Bytes)
	if err != nil {
		return nil, err
	}
	out := &answered[wire.Receipt]{replayed(answer), wire.Receipt{
		Operation: history.Position{Seq: answer.Seq, Index: answer.Index}.String(), Reference: reference, Postings: make([]wire.Posting, len(d.postings)),
	}}
	for i := range d.postings {
		out.Body.Postings[i] = d.postings[i].Posting
	}
	if len(d.holds) == 1 {
		out.Body.Hold = &d.holds[0]
	} else {
		out.Body.Holds = d.holds
	}
	return out, nil
}

// submitted carries out a command and answers what it did.
func (s *server) submitted(ctx context.Context, who identity.Principal, command []byte, reference string) (*answered[wire.Receipt], error) {
	answer, err := s.submit(ctx, command)
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, who, answer, reference)
}
