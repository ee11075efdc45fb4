// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// CreateConversion is create-conversion: carry a quote out, once.
// POST /v1/conversions; person.
func (c *Client) CreateConversion(ctx context.Context, body wire.NewConversion, options ...Option) (wire.Conversion, error) {
	return send[wire.Conversion](ctx, c, "POST", "/v1/conversions", again, body, options)
}

// GetQuote is get-quote: what converting so much at once would come to.
// GET /v1/markets/{market}/quote; person.
// Filters: side, quantity, slippage_bps.
func (c *Client) GetQuote(ctx context.Context, market string, options ...Option) (wire.Quote, error) {
	return get[wire.Quote](ctx, c, "/v1/markets/"+in(market)+"/quote", options, "side", "quantity", "slippage_bps")
}

// ListOrders is list-orders: your open orders, market by market.
// GET /v1/orders; person.
// Filters: market.
func (c *Client) ListOrders(ctx context.Context, options ...Option) iter.Seq2[wire.Order, error] {
	return pages[wire.Order](ctx, c, "/v1/orders", options, "market")
}

// PlaceOrder is place-order: buy or sell in a market.
// POST /v1/orders; person.
func (c *Client) PlaceOrder(ctx context.Context, body wire.NewOrder, options ...Option) (wire.Order, error) {
	return send[wire.Order](ctx, c, "POST", "/v1/orders", keyed, body, options)
}

// CancelOrders is cancel-orders: cancel all your orders, of one market or of all.
// POST /v1/orders/cancel; person.
func (c *Client) CancelOrders(ctx context.Context, body wire.OrdersEnding, options ...Option) (wire.OrdersCancelled, error) {
	return send[wire.OrdersCancelled](ctx, c, "POST", "/v1/orders/cancel", keyed, body, options)
}

// KeepOrders is keep-orders: say that you are there, so that your orders stay.
// POST /v1/orders/heartbeat; person.
func (c *Client) KeepOrders(ctx context.Context, body wire.Heartbeat, options ...Option) (wire.HeartbeatKept, error) {
	return send[wire.HeartbeatKept](ctx, c, "POST", "/v1/orders/heartbeat", again, body, options)
}

// GetOrder is get-order: an order of yours: as it is in the book, or how it ended.
// GET /v1/orders/{order}; operator, person.
// Filters: person.
func (c *Client) GetOrder(ctx context.Context, order string, options ...Option) (wire.Order, error) {
	return get[wire.Order](ctx, c, "/v1/orders/"+in(order), options, "person")
}

// AmendOrder is amend-order: give an order another price or quantity.
// POST /v1/orders/{order}/amend; person.
func (c *Client) AmendOrder(ctx context.Context, order string, body wire.OrderChange, options ...Option) (wire.Order, error) {
	return send[wire.Order](ctx, c, "POST", "/v1/orders/"+in(order)+"/amend", keyed, body, options)
}

// CancelOrder is cancel-order: cancel an order.
// POST /v1/orders/{order}/cancel; operator, person.
func (c *Client) CancelOrder(ctx context.Context, order string, body wire.Ending, options ...Option) (wire.Order, error) {
	return send[wire.Order](ctx, c, "POST", "/v1/orders/"+in(order)+"/cancel", keyed, body, options)
}

// ListFills is list-fills: what a person's orders traded, the newest first.
// GET /v1/people/{person}/fills; operator, person.
// Filters: market, order.
func (c *Client) ListFills(ctx context.Context, person string, options ...Option) iter.Seq2[wire.PastFill, error] {
	return pages[wire.PastFill](ctx, c, "/v1/people/"+in(person)+"/fills", options, "market", "order")
}

// ListPersonOrders is list-person-orders: a person's orders, those that have ended too, market by market, the newest first.
// GET /v1/people/{person}/orders; operator, person.
// Filters: market, status.
func (c *Client) ListPersonOrders(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Order, error] {
	return pages[wire.Order](ctx, c, "/v1/people/"+in(person)+"/orders", options, "market", "status")
}
