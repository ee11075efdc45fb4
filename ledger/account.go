package ledger

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/pages"
)

// OwnerKind says whose account it is.
type OwnerKind uint8

// The kinds of owner.
const (
	OwnerBank OwnerKind = iota
	OwnerWorld
	OwnerPerson
)

// Purpose says what an account is for.
type Purpose uint8

// The purposes of accounts.
const (
	// PurposeMain holds what its owner can spend.
	PurposeMain Purpose = iota
	// PurposeIssuer is the one account of an asset from which it is issued and
	// into which it is burned. Its balance is minus the supply.
	PurposeIssuer
	// PurposeTreasury holds what the bank keeps of an asset.
	PurposeTreasury
	// PurposePoints holds a person's points of one world that wait for the
	// epoch's close; Sub is the world's number times two plus the parity of
	// the epoch's number.
	PurposePoints
	// PurposeReceivable is what a person owes of points that were taken back
	// after they had been paid; Owner is the person, Sub the world.
	PurposeReceivable
	// PurposeReceivableContra balances all receivables of an asset.
	PurposeReceivableContra
	// PurposeClearing is the bank's account through which what is traded passes
	// from one owner to another within one command; it is empty between
	// commands, and may be in debt within one.
	PurposeClearing
	// PurposeHeldBack is TIME that a person was paid and that is held back until
	// it was reviewed.
	PurposeHeldBack
	// PurposeOperator is what the bank's operator has earned, such as a share of
	// the fees.
	PurposeOperator
	// PurposeGoods holds a person's units of a collection of unique goods, of
	// which the bank knows which good each is.
	PurposeGoods
	// PurposePayout is what is set aside of an asset to be paid out.
	PurposePayout

	purposes
)

// Key identifies an account; there is one account a key.
type Key struct {
	OwnerKind OwnerKind
	Owner     uint64 // number of the world or person; 0 for the bank
	Asset     uint32 // 1-based
	Purpose   Purpose
	Sub       uint32 // tells accounts of one owner and asset apart
}

func (k Key) hash() uint64 {
	h := pages.Mix(0, k.Owner)
	return pages.Mix(h, uint64(k.Asset)<<32^uint64(k.Sub)^uint64(k.OwnerKind)<<24<<32^uint64(k.Purpose)<<16<<40)
}

// Account is what the ledger keeps of one account, in minor units of its
// asset. It holds no pointers.
type Account struct {
	Key
	Balance int64
	// Held is the sum of the open holds on the account and of InOrders.
	Held int64
	// InOrders is what open orders hold of the account. Each order's part
	// follows from the order, so it has no hold of its own.
	InOrders int64
	// Floor must stay in the account; CreditLimit may be owed. Both are zero
	// for persons, and not looked at for issuers and contra accounts.
	Floor, CreditLimit int64
}

// unbounded reports whether the account may go below zero without limit: it
// is the other side of an issuance or of a claim, or evens out within a command.
func (a *Account) unbounded() bool {
	return a.Purpose == PurposeIssuer || a.Purpose == PurposeReceivableContra || a.Purpose == PurposeClearing
}

// Available returns what can be debited or held: balance - held - floor +
// credit limit, or zero if that is negative. For an issuer it is the largest
// amount: the ledger sets no bound to issuance, the bank's rules do.
func (a *Account) Available() int64 {
	if a.unbounded() {
		return 1<<63 - 1
	}
	// Balance >= Floor-CreditLimit+Held does not hold after limits were
	// lowered, so each step is checked; credit beyond 63 bits is cut off.
	available, ok := amount.Sub(a.Balance, a.Held)
	if !ok {
		return 0
	}
	if available, ok = amount.Sub(available, a.Floor); !ok {
		return 0
	}
	if available, ok = amount.Add(available, a.CreditLimit); !ok {
		return 1<<63 - 1
	}
	return max(available, 0)
}

// Asset is something that accounts are kept in.
type Asset struct {
	// Code is upper-case letters, digits, - and _, at most 24 bytes.
	Code string
	// Scale is the number of decimal places, 0 to amount.MaxScale.
	Scale uint8
	// World is the number of the world whose currency or item it is; 0 for
	// the bank's own and for national currencies.
	World uint32
	// Issuer is the account from which all supply comes.
	Issuer uint64
	// Issued and Burned are totals since the beginning, in minor units. The
	// supply is Issued - Burned, and equally minus the issuer's balance.
	Issued, Burned int64
	// owed is what accounts with credit are below zero together. It follows
	// from the balances and is not kept.
	owed int64
}

// MaxIssued bounds what is issued of an asset since the beginning, and apart
// from that what is owed of it on credit at a time, in minor units. All that
// accounts have above zero is issued or owed by another, so it is below 2^63:
// no posting of what an account has can overflow another, nor can a sum of
// such postings.
const MaxIssued = 1<<62 - 1

// Supply returns what is in circulation, in minor units.
func (a *Asset) Supply() int64 { return a.Issued - a.Burned }

// Issuable returns how much more of the asset can be issued.
func (a *Asset) Issuable() int64 { return max(MaxIssued-a.Issued, 0) }

// owes returns how far an account is below zero on credit.
func (a *Account) owes() int64 {
	if a.Balance >= 0 || a.unbounded() {
		return 0
	}
	return -a.Balance
}

// The assets that every ledger has.
const (
	// Points are attention that was earned and is not settled yet. They
	// cannot be transferred.
	Points uint32 = 1
	// Time is the time asset.
	Time uint32 = 2
	// TimeScale is the number of decimal places of Points and Time.
	TimeScale = 6
)
