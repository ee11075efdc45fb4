package bank

import (
	"errors"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/ledger"
)

// Check recomputes what must always hold of the whole state: all that
// ledger.Books.Check does; the pending points of each world are the balances
// of its points accounts; no person is below zero; open orders hold what
// accounts say that they hold, and nothing is left in clearing; who owns a unique good has a unit of its
// collection; what is set aside for payouts is pending, and nothing was paid that was not sent; what people owe of
// charge-backs is what their card credits say; what was issued of TIME in
// the closing epoch is within the shares of its worlds. It takes time in
// proportion to the state.
func (s *State) Check() error { return errors.Join(s.books.Check(), s.checkOwn()) }

// checkOwn is Check without that of the books.
func (s *State) checkOwn() error {
	var faults []error
	pending := make([][2]int64, len(s.worlds))
	ofPeople, ofWorlds := uint64(0), 0 // their accounts of TIME
	for n := uint64(1); n <= s.books.Accounts(); n++ {
		account := s.books.Account(n)
		if account.Purpose == ledger.PurposePoints {
			if s.World(account.Sub/2) == nil {
				faults = append(faults, fmt.Errorf("account %d holds points of world %d, which does not exist", n, account.Sub/2))
				continue
			}
			pending[account.Sub/2-1][account.Sub&1] += account.Balance
		}
		if account.Asset == ledger.Time && account.Purpose == ledger.PurposeMain && account.Sub == 0 && account.Owner != 0 {
			switch {
			case account.OwnerKind == ledger.OwnerPerson && account.Owner <= s.People():
				ofPeople++
			case account.OwnerKind == ledger.OwnerWorld && account.Owner <= uint64(len(s.worlds)):
				ofWorlds++
			}
		}
		if account.OwnerKind == ledger.OwnerPerson && account.Balance < 0 {
			faults = append(faults, fmt.Errorf("account %d of person %d is at %d", n, account.Owner, account.Balance))
		}
	}
	if ofPeople != s.People() || ofWorlds != len(s.worlds) {
		faults = append(faults, fmt.Errorf("%d persons and %d worlds have %d and %d accounts of TIME", s.People(), len(s.worlds), ofPeople, ofWorlds))
	}
	for number := uint32(1); int(number) <= s.books.Assets(); number++ {
		if world := s.books.Asset(number).World; world != 0 && s.World(world) == nil {
			faults = append(faults, fmt.Errorf("asset %d is of world %d, which does not exist", number, world))
		}
	}
	for i, p := range pending {
		if p != s.worlds[i].pendingMicro {
			faults = append(faults, fmt.Errorf("world %d has pending points %v, its accounts sum to %v", i+1, s.worlds[i].pendingMicro, p))
		}
	}
	for i, w := range s.epochs.worlds {
		if w.shares && w.paidMicro > w.shareMicro {
			faults = append(faults, fmt.Errorf("epoch %d paid %d of world %d's share of %d", s.epochs.closing.Number, w.paidMicro, i+1, w.shareMicro))
		}
	}
	return errors.Join(append(slices.Concat(faults, s.checkHeldBack(), s.checkGoods(), s.checkPayouts(), s.checkCards()), s.checkTrade()...)...)
}
