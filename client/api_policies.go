// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// GetEligibility is get-eligibility: the table that says what people may do, by country, age and tier.
// GET /v1/eligibility; operator, server, person, user.
func (c *Client) GetEligibility(ctx context.Context, options ...Option) (wire.Eligibility, error) {
	return get[wire.Eligibility](ctx, c, "/v1/eligibility", options)
}

// SetEligibility is set-eligibility: replace the table that says what people may do.
// PUT /v1/eligibility; operator.
func (c *Client) SetEligibility(ctx context.Context, body wire.NewEligibility, options ...Option) (wire.Eligibility, error) {
	return send[wire.Eligibility](ctx, c, "PUT", "/v1/eligibility", keyed, body, options)
}

// SetMonetaryPolicy is set-monetary-policy: replace the monetary policy from the next epoch on.
// PUT /v1/monetary-policy; operator.
func (c *Client) SetMonetaryPolicy(ctx context.Context, body wire.MonetaryPolicy, options ...Option) (wire.MonetaryPolicy, error) {
	return send[wire.MonetaryPolicy](ctx, c, "PUT", "/v1/monetary-policy", keyed, body, options)
}

// ListPolicies is list-policies: the versions of a world's policy, the oldest first.
// GET /v1/worlds/{world}/policies; operator, server, person, user.
func (c *Client) ListPolicies(ctx context.Context, world string, options ...Option) iter.Seq2[wire.Policy, error] {
	return pages[wire.Policy](ctx, c, "/v1/worlds/"+in(world)+"/policies", options)
}

// PublishPolicy is publish-policy: publish a version of a world's policy.
// POST /v1/worlds/{world}/policies; operator.
func (c *Client) PublishPolicy(ctx context.Context, world string, body wire.NewPolicy, options ...Option) (wire.Policy, error) {
	return send[wire.Policy](ctx, c, "POST", "/v1/worlds/"+in(world)+"/policies", keyed, body, options)
}
