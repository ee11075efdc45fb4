// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// GetOperation is get-operation: everything of one business operation, the oldest first.
// GET /v1/operations/{reference}; operator, server, person.
func (c *Client) GetOperation(ctx context.Context, reference string, options ...Option) iter.Seq2[wire.Operation, error] {
	return pages[wire.Operation](ctx, c, "/v1/operations/"+in(reference), options)
}

// CreateTransfer is create-transfer: transfer between accounts, all legs or none.
// POST /v1/transfers; operator, server, person.
func (c *Client) CreateTransfer(ctx context.Context, body wire.Transfer, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/transfers", keyed, body, options)
}

// CreateTransfers is create-transfers: up to 1000 independent transfers, each with its own answer.
// POST /v1/transfers/batch; operator, server.
func (c *Client) CreateTransfers(ctx context.Context, body wire.Transfers, options ...Option) ([]wire.Receipt, error) {
	return sendItems[wire.Receipt](ctx, c, "POST", "/v1/transfers/batch", keyed, body, options)
}
