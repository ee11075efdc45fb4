// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"

	"github.com/attentionbank/attentionbank/wire"
)

// CreateAsset is create-asset: add an asset: a currency or item of a world, or a national currency.
// POST /v1/assets; operator.
func (c *Client) CreateAsset(ctx context.Context, body wire.NewAsset, options ...Option) (wire.Supply, error) {
	return send[wire.Supply](ctx, c, "POST", "/v1/assets", keyed, body, options)
}
