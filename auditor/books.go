// Package auditor recomputes from inputs alone what a bank must have come to:
// balances from what was asked for, attention from what was reported, TIME
// from attention. It is written from the documents, plainly and slowly, and
// imports nothing of what it audits.
package auditor

import "math/big"

// Books are the accounts of one asset and the holds on them.
type Books struct {
	balances map[uint64]*big.Int
	issuer   uint64 // may go below zero: all supply comes from it
	holds    map[string]*hold
}

type hold struct {
	from, to  uint64
	amount    int64
	expiresMS int64 // 0 for never
}

// NewBooks returns books whose accounts are all at zero.
func NewBooks(issuer uint64, accounts []uint64) *Books {
	b := &Books{balances: map[uint64]*big.Int{issuer: {}}, issuer: issuer, holds: map[string]*hold{}}
	for _, account := range accounts {
		b.balances[account] = new(big.Int)
	}
	return b
}

// Balance returns what an account has.
func (b *Books) Balance(account uint64) *big.Int { return b.balances[account] }

// Held returns what of an account is held.
func (b *Books) Held(account uint64) *big.Int {
	sum := new(big.Int)
	for _, h := range b.holds {
		if h.from == account {
			sum.Add(sum, big.NewInt(h.amount))
		}
	}
	return sum
}

// Expire drops the holds that are void at a time of the bank.
func (b *Books) Expire(atMS int64) {
	for name, h := range b.holds {
		if h.expiresMS != 0 && h.expiresMS <= atMS {
			delete(b.holds, name)
		}
	}
}

func (b *Books) may(from, to uint64, amount int64) bool {
	if from == to || amount <= 0 {
		return false
	}
	left := new(big.Int).Sub(b.balances[from], b.Held(from))
	return from == b.issuer || left.Cmp(big.NewInt(amount)) >= 0
}

func (b *Books) move(from, to uint64, amount int64) {
	b.balances[from].Sub(b.balances[from], big.NewInt(amount))
	b.balances[to].Add(b.balances[to], big.NewInt(amount))
}

// Transfer carries out a transfer at a time of the bank and reports whether it
// may be.
func (b *Books) Transfer(atMS int64, from, to uint64, amount int64) bool {
	b.Expire(atMS)
	if !b.may(from, to, amount) {
		return false
	}
	b.move(from, to, amount)
	return true
}

// Hold places a hold under a name and reports whether it may be.
func (b *Books) Hold(atMS int64, name string, from, to uint64, amount, expiresMS int64) bool {
	b.Expire(atMS)
	if from == b.issuer || to == b.issuer || !b.may(from, to, amount) || expiresMS != 0 && expiresMS <= atMS {
		return false
	}
	b.holds[name] = &hold{from, to, amount, expiresMS}
	return true
}

// Settle pays an amount of a hold; final gives back the rest.
func (b *Books) Settle(atMS int64, name string, amount int64, final bool) bool {
	b.Expire(atMS)
	h := b.holds[name]
	if h == nil || amount <= 0 || amount > h.amount {
		return false
	}
	b.move(h.from, h.to, amount)
	if h.amount -= amount; final || h.amount == 0 {
		delete(b.holds, name)
	}
	return true
}

// Release gives back what is held.
func (b *Books) Release(atMS int64, name string) bool {
	b.Expire(atMS)
	if b.holds[name] == nil {
		return false
	}
	delete(b.holds, name)
	return true
}

// Remaining returns what a hold still holds; zero if it has ended.
func (b *Books) Remaining(name string) int64 {
	if h := b.holds[name]; h != nil {
		return h.amount
	}
	return 0
}
