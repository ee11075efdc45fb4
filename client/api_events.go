// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"

	"github.com/attentionbank/attentionbank/wire"
)

// GetVerdict is get-verdict: what became of an event, within seven days of its arrival.
// GET /v1/worlds/{world}/events/{message_id}; operator, server.
func (c *Client) GetVerdict(ctx context.Context, world string, messageID string, options ...Option) ([]wire.Verdict, error) {
	return items[wire.Verdict](ctx, c, "/v1/worlds/"+in(world)+"/events/"+in(messageID), options)
}

// OpenSession is open-session: vouch for a user: what clients report inside the session counts.
// POST /v1/worlds/{world}/sessions; server.
func (c *Client) OpenSession(ctx context.Context, world string, body wire.NewSession, options ...Option) error {
	return sendOnly(ctx, c, "POST", "/v1/worlds/"+in(world)+"/sessions", again, body, options)
}
