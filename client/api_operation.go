// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"

	"github.com/attentionbank/attentionbank/wire"
)

// GetHealth is get-health: the process answers.
// GET /healthz; public.
func (c *Client) GetHealth(ctx context.Context, options ...Option) (wire.Health, error) {
	return get[wire.Health](ctx, c, "/healthz", options)
}

// GetMetrics is get-metrics: metrics in Prometheus' text form.
// GET /metrics; operator.
func (c *Client) GetMetrics(ctx context.Context, options ...Option) ([]byte, error) {
	return get[[]byte](ctx, c, "/metrics", options)
}

// GetReadiness is get-readiness: the bank can serve.
// GET /readyz; public.
func (c *Client) GetReadiness(ctx context.Context, options ...Option) (wire.Health, error) {
	return get[wire.Health](ctx, c, "/readyz", options)
}
