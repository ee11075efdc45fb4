package client

import (
	"context"

	"github.com/attentionbank/attentionbank/wire"
)

// OpenOwnSession is open-own-session: a user's token, which is the client's key,
// vouches for the presence of its user until it ends. POST /v1/sessions; user.
func (c *Client) OpenOwnSession(ctx context.Context, options ...Option) (wire.Presence, error) {
	return send[wire.Presence](ctx, c, "POST", "/v1/sessions", again, nil, options)
}

// RedeemOperatorLink is redeem-operator-link: make the first operator key, which
// is shown once. token is the last part of the link. POST /welcome/{token};
// public.
func (c *Client) RedeemOperatorLink(ctx context.Context, token string, options ...Option) (wire.Key, error) {
	return send[wire.Key](ctx, c, "POST", "/welcome/"+in(token), once, nil, options)
}
