// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// ListMessages is list-messages: what a world was told, the newest first.
// GET /v1/worlds/{world}/messages; operator, server.
func (c *Client) ListMessages(ctx context.Context, world string, options ...Option) iter.Seq2[wire.Message, error] {
	return pages[wire.Message](ctx, c, "/v1/worlds/"+in(world)+"/messages", options)
}

// SendMessageAgain is send-message-again: send a message again.
// POST /v1/worlds/{world}/messages/{message}/send; operator, server.
func (c *Client) SendMessageAgain(ctx context.Context, world string, message string, options ...Option) (wire.Message, error) {
	return send[wire.Message](ctx, c, "POST", "/v1/worlds/"+in(world)+"/messages/"+in(message)+"/send", again, nil, options)
}

// GetWebhook is get-webhook: where a world is told what happened.
// GET /v1/worlds/{world}/webhook; operator, server.
func (c *Client) GetWebhook(ctx context.Context, world string, options ...Option) (wire.Webhook, error) {
	return get[wire.Webhook](ctx, c, "/v1/worlds/"+in(world)+"/webhook", options)
}

// SetWebhook is set-webhook: say where a world wants to be told what happened.
// PUT /v1/worlds/{world}/webhook; operator, server.
func (c *Client) SetWebhook(ctx context.Context, world string, body wire.NewWebhook, options ...Option) (wire.Webhook, error) {
	return send[wire.Webhook](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/webhook", again, body, options)
}
