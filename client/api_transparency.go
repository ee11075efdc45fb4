// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// ListEpochs is list-epochs: epochs, the newest first.
// GET /v1/epochs; public.
func (c *Client) ListEpochs(ctx context.Context, options ...Option) iter.Seq2[wire.Epoch, error] {
	return pages[wire.Epoch](ctx, c, "/v1/epochs", options)
}

// GetMonetaryPolicy is get-monetary-policy: the monetary policy of the next epoch.
// GET /v1/monetary-policy; public.
func (c *Client) GetMonetaryPolicy(ctx context.Context, options ...Option) (wire.MonetaryPolicy, error) {
	return get[wire.MonetaryPolicy](ctx, c, "/v1/monetary-policy", options)
}

// GetSupply is get-supply: the assets, and what there is of each.
// GET /v1/supply; public.
func (c *Client) GetSupply(ctx context.Context, options ...Option) iter.Seq2[wire.Supply, error] {
	return pages[wire.Supply](ctx, c, "/v1/supply", options)
}
