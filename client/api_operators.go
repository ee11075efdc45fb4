// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"
	"strconv"

	"github.com/attentionbank/attentionbank/wire"
)

// ListActs is list-acts: what operators did, and tried, the newest first.
// GET /v1/audit; operator.
// Filters: operator, operation, from, to.
func (c *Client) ListActs(ctx context.Context, options ...Option) iter.Seq2[wire.Act, error] {
	return pages[wire.Act](ctx, c, "/v1/audit", options, "operator", "operation", "from", "to")
}

// ListOperators is list-operators: those who run the bank, and whether two are needed.
// GET /v1/operators; operator.
func (c *Client) ListOperators(ctx context.Context, options ...Option) (wire.Operators, error) {
	return get[wire.Operators](ctx, c, "/v1/operators", options)
}

// AdmitOperator is admit-operator: admit an operator, or a further key of one, by the key's hash.
// POST /v1/operators; operator.
func (c *Client) AdmitOperator(ctx context.Context, body wire.NewOperator, options ...Option) (wire.Operators, error) {
	return send[wire.Operators](ctx, c, "POST", "/v1/operators", keyed, body, options)
}

// RemoveOperator is remove-operator: end what an operator may do, and revoke the keys.
// DELETE /v1/operators/{operator}; operator.
func (c *Client) RemoveOperator(ctx context.Context, operator uint32, options ...Option) (wire.Operators, error) {
	return send[wire.Operators](ctx, c, "DELETE", "/v1/operators/"+in(strconv.FormatUint(uint64(operator), 10)), again, nil, options)
}

// ListProposals is list-proposals: what waits for a second operator, and what did, the newest first.
// GET /v1/proposals; operator.
// Filters: status.
func (c *Client) ListProposals(ctx context.Context, options ...Option) iter.Seq2[wire.Proposal, error] {
	return pages[wire.Proposal](ctx, c, "/v1/proposals", options, "status")
}

// GetProposal is get-proposal: a proposal.
// GET /v1/proposals/{proposal}; operator.
func (c *Client) GetProposal(ctx context.Context, proposal string, options ...Option) (wire.Proposal, error) {
	return get[wire.Proposal](ctx, c, "/v1/proposals/"+in(proposal), options)
}

// ApproveProposal is approve-proposal: carry out what another operator has proposed.
// POST /v1/proposals/{proposal}/approve; operator.
func (c *Client) ApproveProposal(ctx context.Context, proposal string, options ...Option) (wire.Proposal, error) {
	return send[wire.Proposal](ctx, c, "POST", "/v1/proposals/"+in(proposal)+"/approve", again, nil, options)
}

// RejectProposal is reject-proposal: end a proposal, your own or another's, without carrying it out.
// POST /v1/proposals/{proposal}/reject; operator.
func (c *Client) RejectProposal(ctx context.Context, proposal string, options ...Option) (wire.Proposal, error) {
	return send[wire.Proposal](ctx, c, "POST", "/v1/proposals/"+in(proposal)+"/reject", again, nil, options)
}
