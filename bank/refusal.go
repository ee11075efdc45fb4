package bank

import (
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// Refusal says why a command was not carried out. A refused command changes
// nothing. When several reasons apply, the one with the lowest number is
// given: first what is wrong with the command itself, then what it names, then
// what the ledger refuses, in the ledger's own order.
type Refusal uint8

const (
	// Accepted means not refused.
	Accepted Refusal = iota
	// Malformed: the bytes are not a command.
	Malformed
	// KeyReused: the idempotency key was used with another command.
	KeyReused
	// Repeated: the same command was given before under the same key. The
	// answer names where the first answer is; the journal returns that one.
	Repeated
	// CodeInvalid: a code has characters or a length that are not allowed.
	CodeInvalid
	// CodeTaken: there is an asset or a world of that code already.
	CodeTaken
	// ScaleInvalid: an asset has 0 to 18 decimal places.
	ScaleInvalid
	// ReferenceInvalid: a reference is 1 to 64 characters of A-Z a-z 0-9 . _ : -
	// or empty.
	ReferenceInvalid
	// WorldNotFound: there is no world of that number.
	WorldNotFound
	// PersonNotFound: there is no person of that number.
	PersonNotFound
	// AssetNotFound: there is no asset of that number.
	AssetNotFound
	// OwnerInvalid: accounts are opened for worlds and persons, in any asset
	// but points.
	OwnerInvalid
	// TooMany: a fixed bound on assets, worlds, policies or sub-accounts.
	TooMany
	// PolicyTooLarge: a policy text has at most MaxPolicyBytes bytes.
	PolicyTooLarge
	// PolicyNotAhead: a policy takes effect on a day to come.
	PolicyNotAhead
	// PolicyOutOfOrder: a policy takes effect no earlier than the one before.
	PolicyOutOfOrder
	// MonetaryPolicyInvalid: a number of the monetary policy is out of range.
	MonetaryPolicyInvalid
	// DayNotCome: attention is minted for days up to tomorrow, by UTC.
	DayNotCome
	// AttentionOutOfRange: a person-day earns 0 to MaxPointsMicro of a world.
	AttentionOutOfRange
	// ProductInvalid: a code of 1 to 32 of A-Z a-z 0-9 - _; a price of a
	// millionth of TIME or more; times of zero up to MaxWindowMS; a royalty up
	// to MaxRoyaltyBPS; for items an asset of the same world without decimal
	// places that no other product sells, for services none.
	ProductInvalid
	// ProductNotFound: there is no product of that number.
	ProductNotFound
	// QuantityInvalid: a quantity is 1 or more.
	QuantityInvalid
	// NotOnSale: the world does not sell the product now, or who offers it may
	// not any more.
	NotOnSale
	// SoldOut: fewer are left than were asked for.
	SoldOut
	// PriceExceeded: it costs more than the buyer is ready to pay.
	PriceExceeded
	// PurchaseNotFound: there is no purchase of that number.
	PurchaseNotFound
	// PurchaseOver: the purchase has ended in a way that does not allow this.
	PurchaseOver
	// RefundWindowOver: the time in which the product is taken back is over.
	RefundWindowOver
	// NotListable: only items of a world are listed.
	NotListable
	// ListingNotFound: there is no listing of that number.
	ListingNotFound
	// ListingOver: the listing was sold or cancelled.
	ListingOver
	// OwnListing: nobody buys from themselves.
	OwnListing
	// HoldManaged: the hold belongs to a purchase, a listing or an order, and
	// ends with that.
	HoldManaged
	// OperatorNotFound: there is no such operator, or no longer, or the command
	// is one that operators give.
	OperatorNotFound
	// LastOperator: a bank keeps one operator.
	LastOperator
	// ApprovalNeeded: the command takes two operators: one proposes it, another
	// approves.
	ApprovalNeeded
	// NotProposable: a command of this kind takes one operator.
	NotProposable
	// ProposalNotFound: there is no proposal of that number.
	ProposalNotFound
	// ProposalOver: the proposal was approved, rejected or has expired.
	ProposalOver
	// OwnProposal: nobody approves what they have proposed.
	OwnProposal
	// RateLimitInvalid: a limit has both numbers, within MaxPerSecond and
	// MaxBurst, or neither.
	RateLimitInvalid
	// CaseNotFound: there is no case of that number that holds anything back.
	CaseNotFound
	// CaseOver: what the case held back was paid or burned, or the time for an
	// appeal is over.
	CaseOver
	// OwnDecision: an appeal is decided by another operator.
	OwnDecision
	// StandingInvalid: a standing has known features, a tier up to MaxTier and
	// a revision; an exclusion ends at a time.
	StandingInvalid
	// FeatureDenied: the person may not do this, by where they live, how old
	// they are and how well they are known.
	FeatureDenied
	// SelfExcluded: the person has chosen not to spend for a time.
	SelfExcluded
	// AllowanceInvalid: an allowance is 0 to MaxAllowanceMicro a day.
	AllowanceInvalid
	// AllowanceExceeded: the person lets the world spend less today, or nothing.
	AllowanceExceeded
	// QuoteExpired: a quote is good for the time that it says.
	QuoteExpired
	// CollectionInvalid: a collection is an asset of a world without decimal
	// places that nothing else sells or trades and of which nothing was issued;
	// its window and royalty are bounded as those of products.
	CollectionInvalid
	// CollectionNotFound: the asset is no collection of unique goods.
	CollectionNotFound
	// GoodInvalid: a good has an id of 1 to MaxGoodID of A-Z a-z 0-9 . _ : , -
	// and a price of zero or more.
	GoodInvalid
	// GoodNotFound: there is no good of that number.
	GoodNotFound
	// NotYourGood: the good belongs to somebody else.
	NotYourGood
	// PayoutRateInvalid: a rate is of an asset of a world in a national currency
	// with a code of three letters, both numbers 1 to 10^12.
	PayoutRateInvalid
	// PayoutsClosed: the operator pays nothing out of this asset now.
	PayoutsClosed
	// PayoutOutOfRange: a payout comes to one minor unit of the currency or more,
	// up to MaxPaidMinor.
	PayoutOutOfRange
	// PayoutWorse: it would pay less than the person is ready to get.
	PayoutWorse
	// PayoutNotFound: there is no payout of that number, or none that waits.
	PayoutNotFound
	// PayoutOver: the payout has ended, or stands in a file already, or in none.
	PayoutOver
	// ChargebackOwed: the person owes what was taken back from a card.
	ChargebackOwed
	// CardCreditInvalid: a card buys an asset of a world, and what it buys is
	// held for up to MaxCardHoldMS.
	CardCreditInvalid
	// CardCreditNotFound: there is no card credit of that number.
	CardCreditNotFound
	// CardCreditOver: all of it was taken back.
	CardCreditOver
	// OwnLimitInvalid: limits of one's own are NoOwnLimit or more, minutes at
	// most a day's.
	OwnLimitInvalid
	// OwnLimitReached: it is more than the person allows themselves today.
	OwnLimitReached
	// PayoutNotSent: the payout is in no file, or in one that was not handed over
	// yet.
	PayoutNotSent
	// RetentionInvalid: events are kept for MinRetentionDays to MaxRetentionDays.
	RetentionInvalid
)

// Where the refusals of the markets' books begin, those of what the bank allows
// in markets, and those of the ledger.
const (
	marketRefusals Refusal = 96
	tradeRefusals  Refusal = 144
	ledgerRefusals Refusal = 192
)

// The refusals that the bank shares with the ledger.
const (
	NoLegs                = ledgerRefusals + Refusal(ledger.NoLegs)
	TooManyLegs           = ledgerRefusals + Refusal(ledger.TooManyLegs)
	AmountNotPositive     = ledgerRefusals + Refusal(ledger.AmountNotPositive)
	SameAccount           = ledgerRefusals + Refusal(ledger.SameAccount)
	DebitAccountNotFound  = ledgerRefusals + Refusal(ledger.DebitAccountNotFound)
	CreditAccountNotFound = ledgerRefusals + Refusal(ledger.CreditAccountNotFound)
	AssetMismatch         = ledgerRefusals + Refusal(ledger.AssetMismatch)
	NotTransferable       = ledgerRefusals + Refusal(ledger.NotTransferable)
	HoldNotFound          = ledgerRefusals + Refusal(ledger.HoldNotFound)
	HoldNotOpen           = ledgerRefusals + Refusal(ledger.HoldNotOpen)
	ExpiryNotAhead        = ledgerRefusals + Refusal(ledger.ExpiryNotAhead)
	GroupTooLarge         = ledgerRefusals + Refusal(ledger.GroupTooLarge)
	ExceedsHold           = ledgerRefusals + Refusal(ledger.ExceedsHold)
	CreditNotAllowed      = ledgerRefusals + Refusal(ledger.CreditNotAllowed)
	LimitOutOfRange       = ledgerRefusals + Refusal(ledger.LimitOutOfRange)
	InsufficientAvailable = ledgerRefusals + Refusal(ledger.InsufficientAvailable)
	Overflow              = ledgerRefusals + Refusal(ledger.Overflow)
)

var refusalCodes = [...]string{
	"accepted", "malformed", "key_reused", "repeated", "code_invalid", "code_taken", "scale_invalid",
	"reference_invalid", "world_not_found", "person_not_found", "asset_not_found", "owner_invalid",
	"too_many", "policy_too_large", "policy_not_ahead", "policy_out_of_order",
	"monetary_policy_invalid", "day_not_come", "attention_out_of_range",
	"product_invalid", "product_not_found", "quantity_invalid", "not_on_sale", "sold_out", "price_exceeded",
	"purchase_not_found", "purchase_over", "refund_window_over", "not_listable", "listing_not_found", "listing_over",
	"own_listing", "hold_managed",
	"operator_not_found", "last_operator", "approval_needed", "not_proposable", "proposal_not_found", "proposal_over", "own_proposal", "rate_limit_invalid", "case_not_found", "case_over", "own_decision",
	"standing_invalid", "feature_denied", "self_excluded",
	"allowance_invalid", "allowance_exceeded",
	"quote_expired",
	"collection_invalid", "collection_not_found", "good_invalid", "good_not_found", "not_your_good",
	"payout_rate_invalid", "payouts_closed", "payout_out_of_range", "payout_worse", "payout_not_found", "payout_over",
	"chargeback_owed", "card_credit_invalid", "card_credit_not_found", "card_credit_over",
	"own_limit_invalid", "own_limit_reached",
	"payout_not_sent", "retention_invalid",
}

// String returns the stable code by which clients know the refusal.
func (r Refusal) String() string {
	switch {
	case r >= ledgerRefusals:
		return ledger.Refusal(r - ledgerRefusals).String()
	case r >= tradeRefusals:
		return tradeRefusal(r)
	case r >= marketRefusals:
		return market.Refusal(r - marketRefusals).String()
	}
	if int(r) >= len(refusalCodes) {
		return "unknown_refusal"
	}
	return refusalCodes[r]
}

// refused turns a refusal of the ledger into one of the bank.
func refused(r ledger.Refusal) Refusal {
	if r == ledger.Accepted {
		return Accepted
	}
	return ledgerRefusals + Refusal(r)
}
