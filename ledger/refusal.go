// Package ledger is double-entry bookkeeping in memory: accounts, postings
// that sum to zero, and holds that count against what is available. It is
// deterministic and knows neither clock nor disk. One function, post, changes
// balances.
package ledger

// Refusal says why an instruction was not carried out. Refused instructions
// change nothing. When several reasons apply, the one that stands first here
// is given.
type Refusal uint8

const (
	// Accepted means not refused.
	Accepted Refusal = iota
	// NoLegs: a transfer needs at least one leg.
	NoLegs
	// TooManyLegs: a transfer has at most MaxLegs legs.
	TooManyLegs
	// AmountNotPositive: an amount must be at least one minor unit.
	AmountNotPositive
	// SameAccount: debit and credit account must differ.
	SameAccount
	// DebitAccountNotFound: there is no account of that number to debit.
	DebitAccountNotFound
	// CreditAccountNotFound: there is no account of that number to credit.
	CreditAccountNotFound
	// AssetMismatch: both accounts must be in the same asset.
	AssetMismatch
	// NotTransferable: points, receivables and the issuers of points and TIME
	// move by the bank's own rules only, never by a transfer or hold.
	NotTransferable
	// HoldNotFound: there is no hold of that number or group.
	HoldNotFound
	// HoldNotOpen: the hold was settled, released or has expired.
	HoldNotOpen
	// ExpiryNotAhead: a hold must expire after the time of the command.
	ExpiryNotAhead
	// GroupTooLarge: a group has at most MaxGroup open holds.
	GroupTooLarge
	// ExceedsHold: at most the amount still held can be settled.
	ExceedsHold
	// CreditNotAllowed: an account of a person, or one that moves by the bank's
	// rules only, has neither credit nor floor.
	CreditNotAllowed
	// LimitOutOfRange: floor and credit limit must not be negative.
	LimitOutOfRange
	// InsufficientAvailable: the balance less what is held, less the floor,
	// plus the credit limit is smaller than the amount.
	InsufficientAvailable
	// Overflow: a balance would not fit 63 bits, or more than MaxIssued would be
	// issued of an asset in all or owed of it.
	Overflow

	refusals // their number
)

var refusalCodes = [refusals]string{
	"accepted", "no_legs", "too_many_legs", "amount_not_positive", "same_account",
	"debit_account_not_found", "credit_account_not_found", "asset_mismatch",
	"not_transferable", "hold_not_found", "hold_not_open", "expiry_not_ahead",
	"group_too_large", "exceeds_hold", "credit_not_allowed", "limit_out_of_range",
	"insufficient_available", "overflow",
}

// String returns the stable code by which clients know the refusal.
func (r Refusal) String() string {
	if r >= refusals {
		return "unknown_refusal"
	}
	return refusalCodes[r]
}
