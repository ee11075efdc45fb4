package market

// Refusal says why an instruction was not carried out. Refused instructions
// change nothing. When several reasons apply, the one that stands first here
// is given.
type Refusal uint8

const (
	// Accepted means not refused.
	Accepted Refusal = iota
	// MarketNotFound: there is no market of that number.
	MarketNotFound
	// SideUnknown: a side is Buy or Sell.
	SideUnknown
	// KindUnknown: the kind of order or the way to prevent self-trade is none
	// of those listed.
	KindUnknown
	// PriceOutOfRange: a price is 1 to Config.MaxPrice ticks; a market order
	// may leave it 0.
	PriceOutOfRange
	// QuantityOutOfRange: a quantity is 1 to Config.MaxQuantity lots.
	QuantityOutOfRange
	// ExpiryNotAhead: a GTD order expires after the time of the command.
	ExpiryNotAhead
	// ExpiryNotAllowed: only a GTD order has an expiry.
	ExpiryNotAllowed
	// PostOnlyMustRest: only GTC and GTD orders can be post-only.
	PostOnlyMustRest
	// OrderNotFound: no open order has that number.
	OrderNotFound
	// NotOwner: only its owner may change or cancel an order.
	NotOwner
	// NothingLeft: the new quantity is not more than what was filled already;
	// cancel the order instead.
	NothingLeft
	// AllHalted: every market is halted; orders can be cancelled.
	AllHalted
	// MarketHalted: the market is halted; orders can be cancelled.
	MarketHalted
	// OwnerHalted: the owner is halted; orders can be cancelled.
	OwnerHalted
	// NotHalted: an auction can be called only in a halted market.
	NotHalted
	// AuctionLocked: towards the end of an auction, orders are not cancelled
	// and not amended for the worse.
	AuctionLocked
	// FillOrKillInCall: a fill-or-kill order needs continuous trading.
	FillOrKillInCall
	// NoBound: there are no bands now to bound a market order without a price.
	NoBound
	// TooManyOwnerOrders: the owner has Config.MaxOwnerOrders open orders.
	TooManyOwnerOrders
	// BookFull: the market has Config.MaxOrders open orders.
	BookFull
	// NumbersExhausted: the market has no order numbers left.
	NumbersExhausted
	// WouldTake: a post-only order would meet an order that is there.
	WouldTake
	// WouldMeetOwn: in a call, the order could trade with its owner's own.
	WouldMeetOwn
	// CannotFill: a fill-or-kill order does not find its whole quantity.
	CannotFill

	refusals // their number
)

var refusalCodes = [refusals]string{
	"accepted", "market_not_found", "side_unknown", "kind_unknown",
	"price_out_of_range", "quantity_out_of_range", "expiry_not_ahead", "expiry_not_allowed",
	"post_only_must_rest", "order_not_found", "not_owner", "nothing_left", "all_halted",
	"market_halted", "owner_halted", "not_halted", "auction_locked", "fill_or_kill_in_call",
	"no_bound", "too_many_owner_orders", "book_full", "numbers_exhausted", "would_take",
	"would_meet_own", "cannot_fill",
}

// String returns the stable code by which clients know the refusal.
func (r Refusal) String() string {
	if r >= refusals {
		return "unknown_refusal"
	}
	return refusalCodes[r]
}

// Refusals returns all of them, Accepted included, in their order.
func Refusals() []Refusal {
	all := make([]Refusal, refusals)
	for i := range all {
		all[i] = Refusal(i)
	}
	return all
}
