// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// ListAlerts is list-alerts: alerts about conduct in markets and in what people earn, the newest first.
// GET /v1/alerts; operator.
// Filters: kind, market, person.
func (c *Client) ListAlerts(ctx context.Context, options ...Option) iter.Seq2[wire.Alert, error] {
	return pages[wire.Alert](ctx, c, "/v1/alerts", options, "kind", "market", "person")
}
