// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// ListAllowances is list-allowances: what you let worlds spend of your TIME.
// GET /v1/people/{person}/allowances; person.
func (c *Client) ListAllowances(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Allowance, error] {
	return pages[wire.Allowance](ctx, c, "/v1/people/"+in(person)+"/allowances", options)
}

// EndAllowance is end-allowance: let a world spend nothing of your TIME any longer.
// DELETE /v1/people/{person}/allowances/{world}; person.
func (c *Client) EndAllowance(ctx context.Context, person string, world string, options ...Option) (wire.Allowance, error) {
	return send[wire.Allowance](ctx, c, "DELETE", "/v1/people/"+in(person)+"/allowances/"+in(world), again, nil, options)
}

// SetAllowance is set-allowance: let a world spend up to so much of your TIME a day.
// PUT /v1/people/{person}/allowances/{world}; person.
func (c *Client) SetAllowance(ctx context.Context, person string, world string, body wire.NewAllowance, options ...Option) (wire.Allowance, error) {
	return send[wire.Allowance](ctx, c, "PUT", "/v1/people/"+in(person)+"/allowances/"+in(world), keyed, body, options)
}

// GetUserAllowance is get-user-allowance: what a user lets the world spend.
// GET /v1/worlds/{world}/users/{user_id}/allowance; server.
func (c *Client) GetUserAllowance(ctx context.Context, world string, userID string, options ...Option) (wire.Allowance, error) {
	return get[wire.Allowance](ctx, c, "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/allowance", options)
}

// ChargeUser is charge-user: have TIME of a user paid to the world, by an allowance.
// POST /v1/worlds/{world}/users/{user_id}/charges; server.
func (c *Client) ChargeUser(ctx context.Context, world string, userID string, body wire.NewCharge, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/charges", keyed, body, options)
}

// PurchaseForUser is purchase-for-user: buy a product of the world for a user, by an allowance.
// POST /v1/worlds/{world}/users/{user_id}/purchases; server.
func (c *Client) PurchaseForUser(ctx context.Context, world string, userID string, body wire.NewPurchaseFor, options ...Option) (wire.Purchase, error) {
	return send[wire.Purchase](ctx, c, "POST", "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/purchases", keyed, body, options)
}
