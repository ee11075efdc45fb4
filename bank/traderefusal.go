package bank

import "github.com/attentionbank/attentionbank/market"

// ofMarket turns a refusal of a book into one of the bank.
func ofMarket(r market.Refusal) Refusal {
	if r == market.Accepted {
		return Accepted
	}
	return marketRefusals + Refusal(r)
}

// MarketRefusal returns the refusal of a book as that of the bank.
func MarketRefusal(r market.Refusal) Refusal { return ofMarket(r) }

// What the bank itself refuses about markets and orders.
const (
	// MarketInvalid: two different assets, each TIME or an asset of a world; a
	// lot that is a power of ten of minor units; rules that market.Config.Check
	// accepts, with a bound on the orders of an owner; the largest quantity below
	// 2^62 minor units.
	MarketInvalid = tradeRefusals + iota
	// TermsInvalid: fees up to MaxFeeBPS, their parts at most the whole and
	// burned only in TIME, a value of the quote in TIME where neither asset is
	// TIME and only there.
	TermsInvalid
	// TierInvalid: a tier is 0 to Tiers-1, with bounds up to those of Tier.
	TierInvalid
	// TimeoutInvalid: orders are kept for 0 to MaxKeepMS.
	TimeoutInvalid
	// MarketBehind: so much ends at this moment that it is not done yet. The same
	// command is carried out a moment later, under another idempotency key.
	MarketBehind
	// AuctionRunning: nothing is converted while an auction gathers orders.
	AuctionRunning
	// SlippageExceeded: the market has moved, and the conversion would come out
	// worse than its bound.
	SlippageExceeded
	// NotionalTooSmall: price x quantity is below Terms.MinNotional.
	NotionalTooSmall
	// OrderTooLarge: the order counts as more than Tier.OrderMicro.
	OrderTooLarge
	// TooManyOrders: the person has Tier.OpenOrders open orders.
	TooManyOrders
	// DailyVolumeExceeded: what was traded, what is open and the order come to
	// more than Tier.DailyMicro.
	DailyVolumeExceeded
	// HoldingsExceeded: the person would come to hold more than
	// Tier.HoldingsMicro.
	HoldingsExceeded
	// TooManyMessages: the person places and amends more often than the tier
	// allows.
	TooManyMessages
)

var tradeRefusalCodes = [...]string{
	"market_invalid", "terms_invalid", "tier_invalid", "timeout_invalid", "market_behind", "auction_running", "slippage_exceeded", "notional_too_small",
	"order_too_large", "too_many_orders", "daily_volume_exceeded", "holdings_exceeded", "too_many_messages",
}

func tradeRefusal(r Refusal) string {
	if int(r-tradeRefusals) >= len(tradeRefusalCodes) {
		return "unknown_refusal"
	}
	return tradeRefusalCodes[r-tradeRefusals]
}
