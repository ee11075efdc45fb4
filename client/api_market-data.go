// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// GetBook is get-book: the best prices of a market, what rests there, and what a running call would trade.
// GET /v1/markets/{market}/book; public.
// Filters: depth.
func (c *Client) GetBook(ctx context.Context, market string, options ...Option) (wire.Book, error) {
	return get[wire.Book](ctx, c, "/v1/markets/"+in(market)+"/book", options, "depth")
}

// ListCandles is list-candles: prices and volumes by minute, hour or day, the oldest first; times without a trade are left out.
// GET /v1/markets/{market}/candles; public.
// Filters: resolution, from, to.
func (c *Client) ListCandles(ctx context.Context, market string, options ...Option) iter.Seq2[wire.Candle, error] {
	return pages[wire.Candle](ctx, c, "/v1/markets/"+in(market)+"/candles", options, "resolution", "from", "to")
}

// FollowMarket is follow-market: the best 100 prices of each side as they change, trades, and what a running call would trade.
// GET /v1/markets/{market}/stream; public.
func (c *Client) FollowMarket(ctx context.Context, market string, options ...Option) iter.Seq2[StreamEvent, error] {
	return stream(ctx, c, "/v1/markets/"+in(market)+"/stream", options)
}

// GetTicker is get-ticker: a market at a glance: prices now, and the last 24 hours.
// GET /v1/markets/{market}/ticker; public.
func (c *Client) GetTicker(ctx context.Context, market string, options ...Option) (wire.Ticker, error) {
	return get[wire.Ticker](ctx, c, "/v1/markets/"+in(market)+"/ticker", options)
}

// ListTrades is list-trades: trades of a market, the newest first.
// GET /v1/markets/{market}/trades; public.
func (c *Client) ListTrades(ctx context.Context, market string, options ...Option) iter.Seq2[wire.Trade, error] {
	return pages[wire.Trade](ctx, c, "/v1/markets/"+in(market)+"/trades", options)
}
