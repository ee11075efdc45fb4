// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// RevokeKey is revoke-key: revoke a key at once and for good.
// DELETE /v1/keys/{key}; operator, person.
func (c *Client) RevokeKey(ctx context.Context, key string, options ...Option) error {
	return sendOnly(ctx, c, "DELETE", "/v1/keys/"+in(key), again, nil, options)
}

// GetRateLimit is get-rate-limit: how often a key may call.
// GET /v1/keys/{key}/rate-limit; operator.
func (c *Client) GetRateLimit(ctx context.Context, key string, options ...Option) (wire.RateLimit, error) {
	return get[wire.RateLimit](ctx, c, "/v1/keys/"+in(key)+"/rate-limit", options)
}

// SetRateLimit is set-rate-limit: give a key a limit of its own; zeros give it that of its kind.
// PUT /v1/keys/{key}/rate-limit; operator.
func (c *Client) SetRateLimit(ctx context.Context, key string, body wire.NewRateLimit, options ...Option) (wire.RateLimit, error) {
	return send[wire.RateLimit](ctx, c, "PUT", "/v1/keys/"+in(key)+"/rate-limit", again, body, options)
}

// ListOperatorKeys is list-operator-keys: the operators' keys, without their secrets.
// GET /v1/operator-keys; operator.
func (c *Client) ListOperatorKeys(ctx context.Context, options ...Option) iter.Seq2[wire.Key, error] {
	return pages[wire.Key](ctx, c, "/v1/operator-keys", options)
}

// CreateOperatorKey is create-operator-key: make a further key of your own; its secret is shown once.
// POST /v1/operator-keys; operator.
func (c *Client) CreateOperatorKey(ctx context.Context, body wire.Label, options ...Option) (wire.Key, error) {
	return send[wire.Key](ctx, c, "POST", "/v1/operator-keys", once, body, options)
}

// ListPersonKeys is list-person-keys: the keys of a person, without their secrets.
// GET /v1/people/{person}/keys; operator, person.
func (c *Client) ListPersonKeys(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Key, error] {
	return pages[wire.Key](ctx, c, "/v1/people/"+in(person)+"/keys", options)
}

// CreatePersonKey is create-person-key: make a further key of a person; its secret is shown once.
// POST /v1/people/{person}/keys; person.
func (c *Client) CreatePersonKey(ctx context.Context, person string, body wire.Label, options ...Option) (wire.Key, error) {
	return send[wire.Key](ctx, c, "POST", "/v1/people/"+in(person)+"/keys", once, body, options)
}

// ListWorldKeys is list-world-keys: the keys of a world, without their secrets.
// GET /v1/worlds/{world}/keys; operator.
func (c *Client) ListWorldKeys(ctx context.Context, world string, options ...Option) iter.Seq2[wire.Key, error] {
	return pages[wire.Key](ctx, c, "/v1/worlds/"+in(world)+"/keys", options)
}

// CreateWorldKey is create-world-key: make a key of a world; its secret is shown once.
// POST /v1/worlds/{world}/keys; operator.
func (c *Client) CreateWorldKey(ctx context.Context, world string, body wire.NewKey, options ...Option) (wire.Key, error) {
	return send[wire.Key](ctx, c, "POST", "/v1/worlds/"+in(world)+"/keys", once, body, options)
}

// GetTokenKeys is get-token-keys: the keys by which a world signs tokens for its users.
// GET /v1/worlds/{world}/token-keys; operator, server.
func (c *Client) GetTokenKeys(ctx context.Context, world string, options ...Option) (wire.TokenKeys, error) {
	return get[wire.TokenKeys](ctx, c, "/v1/worlds/"+in(world)+"/token-keys", options)
}

// SetTokenKeys is set-token-keys: replace the keys by which a world signs tokens for its users.
// PUT /v1/worlds/{world}/token-keys; operator, server.
func (c *Client) SetTokenKeys(ctx context.Context, world string, body wire.TokenKeys, options ...Option) (wire.TokenKeys, error) {
	return send[wire.TokenKeys](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/token-keys", again, body, options)
}
