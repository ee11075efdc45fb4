package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
)

// checkPayouts compares what is set aside with what is pending, and what files
// say with what is in them.
func (s *State) checkPayouts() (faults []error) {
	pending := map[uint32]int64{}
	files := make([]PayoutFile, len(s.payouts.files))
	for i := range s.payouts.list.Len() {
		p := s.payouts.list.At(i)
		if p.Status == PayoutPending {
			pending[s.payouts.rates[p.RateVersion-1].Asset] += p.AmountMinor
		}
		if p.File != 0 {
			files[p.File-1].Count++
			files[p.File-1].SumMinor += p.PaidMinor
		}
		if p.Status == PayoutPaid && !s.PayoutSent(p) {
			faults = append(faults, fmt.Errorf("payout %d is paid and was never sent", i+1))
		}
	}
	for i := range files {
		if f := &s.payouts.files[i]; f.Count != files[i].Count || f.SumMinor != files[i].SumMinor {
			faults = append(faults, fmt.Errorf("file %d of payouts says %d payouts of %d, there are %d of %d", i+1, f.Count, f.SumMinor, files[i].Count, files[i].SumMinor))
		}
	}
	for asset := uint32(1); int(asset) <= s.books.Assets(); asset++ {
		if aside := s.balance(setAside(asset)); aside != pending[asset] {
			faults = append(faults, fmt.Errorf("of asset %d, %d is set aside for payouts and %d is pending", asset, aside, pending[asset]))
		}
	}
	return faults
}

// checkCards compares what people owe of charge-backs with what their card
// credits say that they do, and both with the contra account.
func (s *State) checkCards() (faults []error) {
	type debt struct {
		person uint64
		asset  uint32
	}
	owed, ofAsset := map[debt]int64{}, map[uint32]int64{}
	for i := range s.payouts.credits.Len() {
		c := s.payouts.credits.At(i)
		owed[debt{c.Person, c.Asset}] += c.OwedMinor
		ofAsset[c.Asset] += c.OwedMinor
	}
	for n := uint64(1); n <= s.books.Accounts(); n++ {
		account := s.books.Account(n)
		if account.Purpose != ledger.PurposeReceivable || account.Asset == ledger.Points {
			continue
		}
		of := debt{account.Owner, account.Asset}
		if account.Balance != owed[of] {
			faults = append(faults, fmt.Errorf("person %d owes %d of asset %d by account %d, and %d by card credits", of.person, account.Balance, of.asset, n, owed[of]))
		}
		delete(owed, of)
	}
	for i := range s.payouts.credits.Len() {
		c := s.payouts.credits.At(i)
		if of := (debt{c.Person, c.Asset}); owed[of] != 0 {
			faults = append(faults, fmt.Errorf("person %d owes %d of asset %d by card credits, and there is no account of it", of.person, owed[of], of.asset))
			delete(owed, of)
		}
	}
	for asset := uint32(1); int(asset) <= s.books.Assets(); asset++ {
		contra := s.balance(ledger.Key{Asset: asset, Purpose: ledger.PurposeReceivableContra})
		if asset != ledger.Points && contra != -ofAsset[asset] {
			faults = append(faults, fmt.Errorf("of asset %d, people owe %d and the contra account is at %d", asset, ofAsset[asset], contra))
		}
	}
	return faults
}
