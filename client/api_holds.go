// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"

	"github.com/attentionbank/attentionbank/wire"
)

// ReleaseGroup is release-group: release all open holds of a group.
// POST /v1/hold-groups/{group}/release; operator, server.
func (c *Client) ReleaseGroup(ctx context.Context, group string, body wire.Ending, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/hold-groups/"+in(group)+"/release", keyed, body, options)
}

// SettleGroup is settle-group: pay all open holds of a group in whole, or none.
// POST /v1/hold-groups/{group}/settle; operator, server.
func (c *Client) SettleGroup(ctx context.Context, group string, body wire.Ending, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/hold-groups/"+in(group)+"/settle", keyed, body, options)
}

// PlaceHold is place-hold: reserve an amount of an account for another.
// POST /v1/holds; operator, server, person.
func (c *Client) PlaceHold(ctx context.Context, body wire.NewHold, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/holds", keyed, body, options)
}

// GetHold is get-hold: a hold, and what of it is still held.
// GET /v1/holds/{hold}; operator, server, person.
func (c *Client) GetHold(ctx context.Context, hold string, options ...Option) (wire.Hold, error) {
	return get[wire.Hold](ctx, c, "/v1/holds/"+in(hold), options)
}

// ReleaseHold is release-hold: give back what is still held.
// POST /v1/holds/{hold}/release; operator, server, person.
func (c *Client) ReleaseHold(ctx context.Context, hold string, body wire.Ending, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/holds/"+in(hold)+"/release", keyed, body, options)
}

// SettleHold is settle-hold: pay what is held, or a part of it, to the beneficiary.
// POST /v1/holds/{hold}/settle; operator, server, person.
func (c *Client) SettleHold(ctx context.Context, hold string, body wire.Settlement, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/holds/"+in(hold)+"/settle", keyed, body, options)
}
