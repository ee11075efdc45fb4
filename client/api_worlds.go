// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// ListWorlds is list-worlds: all worlds.
// GET /v1/worlds; operator.
func (c *Client) ListWorlds(ctx context.Context, options ...Option) iter.Seq2[wire.World, error] {
	return pages[wire.World](ctx, c, "/v1/worlds", options)
}

// CreateWorld is create-world: add a world.
// POST /v1/worlds; operator.
func (c *Client) CreateWorld(ctx context.Context, body wire.NewWorld, options ...Option) (wire.World, error) {
	return send[wire.World](ctx, c, "POST", "/v1/worlds", keyed, body, options)
}

// GetWorld is get-world: a world.
// GET /v1/worlds/{world}; operator, server.
func (c *Client) GetWorld(ctx context.Context, world string, options ...Option) (wire.World, error) {
	return get[wire.World](ctx, c, "/v1/worlds/"+in(world), options)
}

// SetWorldRetention is set-world-retention: set for how long a world's events are kept.
// PUT /v1/worlds/{world}/retention; operator, server.
func (c *Client) SetWorldRetention(ctx context.Context, world string, body wire.Retention, options ...Option) (wire.World, error) {
	return send[wire.World](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/retention", keyed, body, options)
}

// SetWorldShare is set-world-share: set a world's weight in the budget.
// PUT /v1/worlds/{world}/share; operator.
func (c *Client) SetWorldShare(ctx context.Context, world string, body wire.Share, options ...Option) (wire.World, error) {
	return send[wire.World](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/share", keyed, body, options)
}
