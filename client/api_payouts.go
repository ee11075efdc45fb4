// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// CreateCardCredit is create-card-credit: issue what a person bought by card; until a time it cannot leave.
// POST /v1/card-credits; operator.
func (c *Client) CreateCardCredit(ctx context.Context, body wire.NewCardCredit, options ...Option) (wire.CardCredit, error) {
	return send[wire.CardCredit](ctx, c, "POST", "/v1/card-credits", keyed, body, options)
}

// ChargeBack is charge-back: take back what was bought by card.
// POST /v1/card-credits/{credit}/chargeback; operator.
func (c *Client) ChargeBack(ctx context.Context, credit string, body wire.Ending, options ...Option) (wire.CardCredit, error) {
	return send[wire.CardCredit](ctx, c, "POST", "/v1/card-credits/"+in(credit)+"/chargeback", keyed, body, options)
}

// ListPayoutFiles is list-payout-files: files of payouts, the newest first, and whether they were handed over.
// GET /v1/payout-files; operator.
func (c *Client) ListPayoutFiles(ctx context.Context, options ...Option) iter.Seq2[wire.PayoutFile, error] {
	return pages[wire.PayoutFile](ctx, c, "/v1/payout-files", options)
}

// FilePayouts is file-payouts: put the payouts that wait into a file.
// POST /v1/payout-files; operator.
func (c *Client) FilePayouts(ctx context.Context, body wire.NewPayoutFile, options ...Option) (wire.PayoutFile, error) {
	return send[wire.PayoutFile](ctx, c, "POST", "/v1/payout-files", keyed, body, options)
}

// GetPayoutFile is get-payout-file: a copy of a file of payouts that was handed over.
// GET /v1/payout-files/{file}; operator.
// Filters: format.
func (c *Client) GetPayoutFile(ctx context.Context, file string, options ...Option) (wire.PayoutText, error) {
	return get[wire.PayoutText](ctx, c, "/v1/payout-files/"+in(file), options, "format")
}

// ImportPayoutReport is import-payout-report: note what the operator's bank says became of a file of payouts (pain.002); given again it changes nothing.
// PUT /v1/payout-files/{file}/report; operator.
func (c *Client) ImportPayoutReport(ctx context.Context, file string, body wire.NewPayoutReport, options ...Option) (wire.PayoutReport, error) {
	return send[wire.PayoutReport](ctx, c, "PUT", "/v1/payout-files/"+in(file)+"/report", again, body, options)
}

// GetPayoutRate is get-payout-rate: for how much an asset is paid out now.
// GET /v1/payout-rates/{asset}; operator, server, person.
func (c *Client) GetPayoutRate(ctx context.Context, asset string, options ...Option) (wire.PayoutRate, error) {
	return get[wire.PayoutRate](ctx, c, "/v1/payout-rates/"+in(asset), options)
}

// SetPayoutRate is set-payout-rate: say for how much an asset is paid out, or that it is not.
// PUT /v1/payout-rates/{asset}; operator.
func (c *Client) SetPayoutRate(ctx context.Context, asset string, body wire.PayoutRate, options ...Option) (wire.PayoutRate, error) {
	return send[wire.PayoutRate](ctx, c, "PUT", "/v1/payout-rates/"+in(asset), keyed, body, options)
}

// ListPayouts is list-payouts: payouts, the newest first: all of them, or your own.
// GET /v1/payouts; operator, person.
// Filters: status, asset, currency, file, person.
func (c *Client) ListPayouts(ctx context.Context, options ...Option) iter.Seq2[wire.Payout, error] {
	return pages[wire.Payout](ctx, c, "/v1/payouts", options, "status", "asset", "currency", "file", "person")
}

// CreatePayout is create-payout: ask to be paid out.
// POST /v1/payouts; person.
func (c *Client) CreatePayout(ctx context.Context, body wire.NewPayout, options ...Option) (wire.Payout, error) {
	return send[wire.Payout](ctx, c, "POST", "/v1/payouts", keyed, body, options)
}

// GetPayout is get-payout: a payout, and what became of it.
// GET /v1/payouts/{payout}; operator, person.
func (c *Client) GetPayout(ctx context.Context, payout string, options ...Option) (wire.Payout, error) {
	return get[wire.Payout](ctx, c, "/v1/payouts/"+in(payout), options)
}

// CancelPayout is cancel-payout: take back what you asked for, before it is in a file.
// POST /v1/payouts/{payout}/cancel; person.
func (c *Client) CancelPayout(ctx context.Context, payout string, body wire.Ending, options ...Option) (wire.Payout, error) {
	return send[wire.Payout](ctx, c, "POST", "/v1/payouts/"+in(payout)+"/cancel", keyed, body, options)
}

// EndPayout is end-payout: say whether a payout was paid.
// POST /v1/payouts/{payout}/outcome; operator.
func (c *Client) EndPayout(ctx context.Context, payout string, body wire.PayoutOutcome, options ...Option) (wire.Payout, error) {
	return send[wire.Payout](ctx, c, "POST", "/v1/payouts/"+in(payout)+"/outcome", keyed, body, options)
}

// GetPayee is get-payee: to whom you are paid out.
// GET /v1/people/{person}/payee; person.
func (c *Client) GetPayee(ctx context.Context, person string, options ...Option) (wire.Payee, error) {
	return get[wire.Payee](ctx, c, "/v1/people/"+in(person)+"/payee", options)
}

// SetPayee is set-payee: say to whom you are paid out.
// PUT /v1/people/{person}/payee; person.
func (c *Client) SetPayee(ctx context.Context, person string, body wire.Payee, options ...Option) (wire.Payee, error) {
	return send[wire.Payee](ctx, c, "PUT", "/v1/people/"+in(person)+"/payee", again, body, options)
}
