package sim

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
)

// audit compares the bank with the auditor's books and runs the checks that an
// operator would; it returns the hash of the state.
func (w *world) audit() (hash string, err error) {
	if err := w.restart(); err != nil {
		return "", err
	}
	if err := w.flush(); err != nil {
		return "", err
	}
	var faults []error
	err = w.writer.Read(w.ctx, func(state *bank.State) {
		faults = append(faults, state.Check(), w.auditBalances(state), w.auditPoints(state))
		sum := state.Hash()
		hash = fmt.Sprintf("%x", sum)
	})
	faults = append(faults, err, w.auditDays())
	report, err := journal.Verify(w.ctx, w.disk.journal, w.disk.head, func(uint64) {})
	faults = append(faults, err)
	for _, finding := range report.Findings {
		faults = append(faults, fmt.Errorf("fsck found: %s", finding))
	}
	_, _, err = collect.Verify(w.ctx, w.disk.events, w.disk.tail, func(uint64) {})
	return hash, errors.Join(append(faults, err)...)
}

func (w *world) auditBalances(state *bank.State) error {
	for _, number := range append([]uint64{w.issuer}, w.accounts...) {
		got, want := state.Books().Account(number).Balance, w.auditor.balances[number]
		if want.Cmp(big.NewInt(got)) != 0 {
			return fmt.Errorf("account %d is at %d, the auditor says %s", number, got, want)
		}
	}
	return nil
}

// auditPoints: every point that the days have earned was issued, and once; no
// epoch issued more TIME than its budget.
func (w *world) auditPoints(state *bank.State) error {
	var earned int64
	for _, points := range w.auditor.points() {
		earned += points
	}
	if issued := state.Books().Asset(ledger.Points).Issued; issued != earned {
		return fmt.Errorf("%d points were issued, the auditor says %d", issued, earned)
	}
	budget := int64(state.RunningEpoch().Number) * bank.DefaultMonetaryPolicy().BudgetMicro
	if supply := state.Books().Asset(ledger.Time).Supply(); supply > budget {
		return fmt.Errorf("%d of TIME was issued, within budgets of %d", supply, budget)
	}
	return nil
}

// auditDays compares every day of every user.
func (w *world) auditDays() error {
	want := w.auditor.points()
	for _, user := range users {
		found, err := w.people.Resolve(w.ctx, []collect.Ref{{World: 1, UserID: user}})
		if err != nil {
			return err
		}
		for day := startMS/86_400_000 - 310; day <= startMS/86_400_000+1; day++ {
			list, err := w.events.Attention(w.ctx, found[0].Number, int32(day))
			if err != nil {
				return err
			}
			var got int64
			for _, attention := range list {
				got += attention.Award.PointsMicro
			}
			if expected := want[fmt.Sprintf("%s/%d", user, day)]; got != expected {
				return fmt.Errorf("%s has earned %d on day %d, the auditor says %d", user, got, day, expected)
			}
		}
	}
	return nil
}
