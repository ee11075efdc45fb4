// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"
	"strconv"

	"github.com/attentionbank/attentionbank/wire"
)

// ListMarkets is list-markets: the markets, and what they are doing.
// GET /v1/markets; public.
func (c *Client) ListMarkets(ctx context.Context, options ...Option) iter.Seq2[wire.Market, error] {
	return pages[wire.Market](ctx, c, "/v1/markets", options)
}

// CreateMarket is create-market: open a market; it is halted until an auction is called.
// POST /v1/markets; operator.
func (c *Client) CreateMarket(ctx context.Context, body wire.NewMarket, options ...Option) (wire.Market, error) {
	return send[wire.Market](ctx, c, "POST", "/v1/markets", keyed, body, options)
}

// GetMarket is get-market: a market: its rules, fees and what it is doing.
// GET /v1/markets/{market}; public.
func (c *Client) GetMarket(ctx context.Context, market string, options ...Option) (wire.Market, error) {
	return get[wire.Market](ctx, c, "/v1/markets/"+in(market), options)
}

// CallAuction is call-auction: open a halted market by an auction.
// POST /v1/markets/{market}/auction; operator.
func (c *Client) CallAuction(ctx context.Context, market string, body wire.NewAuction, options ...Option) (wire.MarketPhase, error) {
	return send[wire.MarketPhase](ctx, c, "POST", "/v1/markets/"+in(market)+"/auction", keyed, body, options)
}

// HaltMarket is halt-market: halt a market until an auction is called; what rests stays.
// POST /v1/markets/{market}/halt; operator.
func (c *Client) HaltMarket(ctx context.Context, market string, options ...Option) (wire.MarketPhase, error) {
	return send[wire.MarketPhase](ctx, c, "POST", "/v1/markets/"+in(market)+"/halt", keyed, nil, options)
}

// SetMarketTerms is set-market-terms: change fees and bounds for the orders that are placed from now on.
// PUT /v1/markets/{market}/terms; operator.
func (c *Client) SetMarketTerms(ctx context.Context, market string, body wire.MarketTerms, options ...Option) (wire.MarketTerms, error) {
	return send[wire.MarketTerms](ctx, c, "PUT", "/v1/markets/"+in(market)+"/terms", keyed, body, options)
}

// HaltPerson is halt-person: stop a person from placing and amending orders, or let them again.
// PUT /v1/people/{person}/trading; operator.
func (c *Client) HaltPerson(ctx context.Context, person string, body wire.TradingHalt, options ...Option) (wire.TradingHalt, error) {
	return send[wire.TradingHalt](ctx, c, "PUT", "/v1/people/"+in(person)+"/trading", keyed, body, options)
}

// ListTiers is list-tiers: how much people may trade, by tier.
// GET /v1/tiers; public.
func (c *Client) ListTiers(ctx context.Context, options ...Option) ([]wire.Tier, error) {
	return items[wire.Tier](ctx, c, "/v1/tiers", options)
}

// SetTier is set-tier: say how much the people of a tier may trade.
// PUT /v1/tiers/{tier}; operator.
func (c *Client) SetTier(ctx context.Context, tier uint32, body wire.Tier, options ...Option) (wire.Tier, error) {
	return send[wire.Tier](ctx, c, "PUT", "/v1/tiers/"+in(strconv.FormatUint(uint64(tier), 10)), keyed, body, options)
}

// HaltTrading is halt-trading: halt all markets, or let those that this halted re-open by auction.
// PUT /v1/trading; operator.
func (c *Client) HaltTrading(ctx context.Context, body wire.TradingHalt, options ...Option) (wire.TradingHalt, error) {
	return send[wire.TradingHalt](ctx, c, "PUT", "/v1/trading", keyed, body, options)
}
