package ledger

import "fmt"

// HoldForOrder takes value of an account into what open orders hold. The caller
// keeps by its orders how much each of them holds. Value is 0 or more.
func (b *Books) HoldForOrder(number uint64, value int64) Refusal {
	account := b.accounts.At(int(number - 1))
	if account.Available() < value {
		return InsufficientAvailable
	}
	if account.Held+value < 0 {
		return Overflow
	}
	account = b.accounts.Write(int(number - 1))
	account.Held += value
	account.InOrders += value
	return Accepted
}

// ReleaseFromOrder gives back value of what open orders hold of an account.
func (b *Books) ReleaseFromOrder(number uint64, value int64) {
	account := b.accounts.Write(int(number - 1))
	if value < 0 || account.InOrders < value {
		panic(fmt.Sprintf("ledger: releasing %d of what orders hold of account %d %+v", value, number, *account))
	}
	account.Held -= value
	account.InOrders -= value
}
