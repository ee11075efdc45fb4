// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// OpenAccount is open-account: open an account, or find the one that is open.
// POST /v1/accounts; operator, server, person.
func (c *Client) OpenAccount(ctx context.Context, body wire.NewAccount, options ...Option) (wire.Account, error) {
	return send[wire.Account](ctx, c, "POST", "/v1/accounts", keyed, body, options)
}

// GetAccount is get-account: an account and its balance.
// GET /v1/accounts/{account}; operator, server, person.
func (c *Client) GetAccount(ctx context.Context, account string, options ...Option) (wire.Account, error) {
	return get[wire.Account](ctx, c, "/v1/accounts/"+in(account), options)
}

// SetAccountLimits is set-account-limits: set floor and credit limit of a world's account.
// PUT /v1/accounts/{account}/limits; operator.
func (c *Client) SetAccountLimits(ctx context.Context, account string, body wire.Limits, options ...Option) (wire.Account, error) {
	return send[wire.Account](ctx, c, "PUT", "/v1/accounts/"+in(account)+"/limits", keyed, body, options)
}

// GetStatement is get-statement: the postings of an account, the newest first.
// GET /v1/accounts/{account}/statement; operator, server, person.
// Filters: from, to.
func (c *Client) GetStatement(ctx context.Context, account string, options ...Option) iter.Seq2[wire.Entry, error] {
	return pages[wire.Entry](ctx, c, "/v1/accounts/"+in(account)+"/statement", options, "from", "to")
}

// ListPersonAccounts is list-person-accounts: the accounts of a person, the oldest first.
// GET /v1/people/{person}/accounts; operator, person.
func (c *Client) ListPersonAccounts(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Account, error] {
	return pages[wire.Account](ctx, c, "/v1/people/"+in(person)+"/accounts", options)
}

// ListWorldAccounts is list-world-accounts: the accounts of a world, the oldest first.
// GET /v1/worlds/{world}/accounts; operator, server.
func (c *Client) ListWorldAccounts(ctx context.Context, world string, options ...Option) iter.Seq2[wire.Account, error] {
	return pages[wire.Account](ctx, c, "/v1/worlds/"+in(world)+"/accounts", options)
}
