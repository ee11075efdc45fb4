package payout

import (
	"context"
	"slices"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/payment"
)

// Verdict is what a report means for a payout.
type Verdict string

// The verdicts.
const (
	ToPaid    Verdict = "paid"      // it is to be noted as paid
	ToFailed  Verdict = "failed"    // as failed, and what was set aside is given back
	Stays     Verdict = "stays"     // nothing is decided yet
	Already   Verdict = "already"   // it was noted before
	Unmatched Verdict = "unmatched" // there is no such payout in that file
	Mismatch  Verdict = "mismatch"  // another amount or currency than what was sent
	Conflict  Verdict = "conflict"  // it has ended otherwise: somebody has to look
	// Duplicate: rejected since the bank has it already; the first one counts.
	Duplicate Verdict = "duplicate"
	NotKnown  Verdict = "unknown" // the status is none of ISO 20022
)

// Finding is what a report says of a payout, and what that means.
type Finding struct {
	Payment string // end to end
	Payout  uint64 // 0 if unmatched
	Code    string
	Reasons []string
	Verdict Verdict
}

// Status returns what a payout has to become, if the finding asks for that.
func (f *Finding) Status() (status bank.PayoutStatus, asked bool) {
	switch f.Verdict {
	case ToPaid:
		return bank.PayoutPaid, true
	case ToFailed:
		return bank.PayoutFailed, true
	}
	return 0, false
}

// Judge compares a report with what was sent. It changes nothing; reports that
// come twice, late or in parts find what was decided already. A payment of the
// file that the report does not name follows the status of the whole file.
func (d *Desk) Judge(ctx context.Context, report *payment.Report) (findings []Finding, err error) {
	err = d.Bank.Read(ctx, func(state *bank.State) {
		_, payouts, found := state.PayoutFile(FileNumber(report.File))
		payouts = slices.DeleteFunc(payouts, func(number uint64) bool {
			p, _, _ := state.Payout(number)
			return p.Status == bank.PayoutLeftOut
		})
		named := map[uint64]bool{}
		for i := range report.Statements {
			s := &report.Statements[i]
			f := Finding{Payment: s.Payment, Payout: numberOf(s.Payment, paymentPrefix), Code: s.Code, Reasons: s.Reasons}
			if _, contained := slices.BinarySearch(payouts, f.Payout); !found || !contained {
				f.Payout, f.Verdict = 0, Unmatched
			} else {
				named[f.Payout] = true
				f.judge(state, s)
			}
			findings = append(findings, f)
		}
		if fate, _ := payment.FateOf(report.Code); !found || fate == payment.Underway {
			return
		}
		for _, number := range payouts {
			if !named[number] {
				f := Finding{Payment: PaymentID(number), Payout: number, Code: report.Code, Reasons: report.Reasons}
				f.judge(state, &payment.Statement{})
				findings = append(findings, f)
			}
		}
	})
	return findings, err
}

func (f *Finding) judge(state *bank.State, s *payment.Statement) {
	p, rate, _ := state.Payout(f.Payout)
	fate, known := payment.FateOf(f.Code)
	currency := state.Books().Asset(rate.Currency)
	said, err := amount.Parse(s.Amount, int(currency.Scale))
	switch {
	case !known:
		f.Verdict = NotKnown
	case s.Currency != "" && s.Currency != currency.Code, s.Amount != "" && (err != nil || said != p.PaidMinor):
		f.Verdict = Mismatch
	case fate == payment.Underway:
		f.Verdict = Stays
	case fate == payment.Rejected && payment.Duplicate(f.Reasons):
		f.Verdict = Duplicate
	case fate == payment.Settled && p.Status == bank.PayoutPaid, fate == payment.Rejected && p.Status == bank.PayoutFailed:
		f.Verdict = Already
	case p.Status != bank.PayoutPending || !state.PayoutSent(&p):
		f.Verdict = Conflict
	case fate == payment.Settled:
		f.Verdict = ToPaid
	default:
		f.Verdict = ToFailed
	}
}
