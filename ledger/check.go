package ledger

import (
	"errors"
	"fmt"
)

// Check recomputes what must always hold: balances of each asset sum to zero;
// supply is what was issued less what was burned and is minus the issuer's
// balance; what was issued and what is owed are within MaxIssued; what accounts
// hold is the sum of their open holds and of what orders hold; every account
// and group is found under its key. It returns all that does not hold.
func (b *Books) Check() error {
	faults := []error{b.checkSums()}
	for i := range b.accounts.Len() {
		key := b.accounts.At(i).Key
		if found, ok := b.Find(key); !ok || found != uint64(i+1) {
			faults = append(faults, fmt.Errorf("account %d is not found under its key %+v", i+1, key))
		}
	}
	return errors.Join(faults...)
}

// checkSums is Check without the search for every account.
func (b *Books) checkSums() error {
	var faults []error
	sums, owed := make([]int64, len(b.assets)), make([]int64, len(b.assets))
	held := make([]int64, b.accounts.Len())
	open := 0
	for i := range b.holds.places.Len() {
		if hold := b.holds.places.At(i); hold.Amount > 0 {
			held[hold.Account-1] += hold.Amount
			open++
		} else if hold.Amount < 0 {
			faults = append(faults, fmt.Errorf("hold %d holds %d", b.holds.number(i), hold.Amount))
		}
	}
	if open != b.holds.open {
		faults = append(faults, fmt.Errorf("%d holds are open, the ledger counts %d", open, b.holds.open))
	}
	for i := range b.accounts.Len() {
		account := b.accounts.At(i)
		number := uint64(i + 1)
		sums[account.Asset-1] += account.Balance // modulo 2^64, which a sum of zero survives
		if owed[account.Asset-1] += account.owes(); owed[account.Asset-1] < 0 || account.owes() < 0 {
			return fmt.Errorf("account %d owes %d, which is too much", number, account.Balance)
		}
		if account.InOrders < 0 || account.Held != held[i]+account.InOrders {
			faults = append(faults, fmt.Errorf("account %d holds %d, its open holds sum to %d and its orders hold %d", number, account.Held, held[i], account.InOrders))
		}
		if account.OwnerKind == OwnerPerson && account.Balance-account.Held < 0 {
			faults = append(faults, fmt.Errorf("account %d of person %d is overdrawn: balance %d, held %d", number, account.Owner, account.Balance, account.Held))
		}
	}
	for i, sum := range sums {
		asset := &b.assets[i]
		if sum != 0 {
			faults = append(faults, fmt.Errorf("balances in %s sum to %d instead of zero", asset.Code, sum))
		}
		if asset.Issued < 0 || asset.Issued > MaxIssued || asset.Burned < 0 || owed[i] > MaxIssued || owed[i] != asset.owed {
			faults = append(faults, fmt.Errorf("of %s, %d was issued, %d burned, %d is owed, %d counted as owed", asset.Code, asset.Issued, asset.Burned, owed[i], asset.owed))
		}
		if issuer := b.Account(asset.Issuer); -issuer.Balance != asset.Supply() {
			faults = append(faults, fmt.Errorf("issuer of %s is at %d, supply is %d", asset.Code, issuer.Balance, asset.Supply()))
		}
	}
	return errors.Join(faults...)
}
