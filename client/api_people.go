// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// RedeemClaim is redeem-claim: turn a one-time code into the person's own key.
// POST /v1/claims; public.
func (c *Client) RedeemClaim(ctx context.Context, body wire.Redemption, options ...Option) (wire.Key, error) {
	return send[wire.Key](ctx, c, "POST", "/v1/claims", once, body, options)
}

// GetPerson is get-person: a person with points and accounts.
// GET /v1/people/{person}; operator, server, person, user.
func (c *Client) GetPerson(ctx context.Context, person string, options ...Option) (wire.Person, error) {
	return get[wire.Person](ctx, c, "/v1/people/"+in(person), options)
}

// GetAttention is get-attention: what a day has earned, slice by slice, and why.
// GET /v1/people/{person}/attention; operator, server, person, user.
// Filters: day.
func (c *Client) GetAttention(ctx context.Context, person string, options ...Option) ([]wire.Attention, error) {
	return items[wire.Attention](ctx, c, "/v1/people/"+in(person)+"/attention", options, "day")
}

// GetAttributes is get-attributes: what the operator has found out about a person.
// GET /v1/people/{person}/attributes; operator, person.
func (c *Client) GetAttributes(ctx context.Context, person string, options ...Option) (wire.Attributes, error) {
	return get[wire.Attributes](ctx, c, "/v1/people/"+in(person)+"/attributes", options)
}

// SetAttributes is set-attributes: say where a person lives, how old and how well known the person is.
// PUT /v1/people/{person}/attributes; operator.
func (c *Client) SetAttributes(ctx context.Context, person string, body wire.Attributes, options ...Option) (wire.Attributes, error) {
	return send[wire.Attributes](ctx, c, "PUT", "/v1/people/"+in(person)+"/attributes", again, body, options)
}

// ListConsents is list-consents: what a person has decided on each purpose, the oldest first.
// GET /v1/people/{person}/consents; person.
func (c *Client) ListConsents(ctx context.Context, person string, options ...Option) ([]wire.Consent, error) {
	return items[wire.Consent](ctx, c, "/v1/people/"+in(person)+"/consents", options)
}

// SetConsent is set-consent: consent to a purpose, or withdraw it.
// PUT /v1/people/{person}/consents/{purpose}; person.
func (c *Client) SetConsent(ctx context.Context, person string, purpose string, body wire.NewConsent, options ...Option) (wire.Consent, error) {
	return send[wire.Consent](ctx, c, "PUT", "/v1/people/"+in(person)+"/consents/"+in(purpose), again, body, options)
}

// ExcludeOneself is exclude-oneself: keep out until a time: no trade, conversion or purchase, and no earning if you wish.
// PUT /v1/people/{person}/exclusion; person.
func (c *Client) ExcludeOneself(ctx context.Context, person string, body wire.NewExclusion, options ...Option) (wire.OwnLimits, error) {
	return send[wire.OwnLimits](ctx, c, "PUT", "/v1/people/"+in(person)+"/exclusion", again, body, options)
}

// GetOwnLimits is get-own-limits: what you have set for yourself, and until when you keep out.
// GET /v1/people/{person}/limits; person.
func (c *Client) GetOwnLimits(ctx context.Context, person string, options ...Option) (wire.OwnLimits, error) {
	return get[wire.OwnLimits](ctx, c, "/v1/people/"+in(person)+"/limits", options)
}

// SetOwnLimits is set-own-limits: set limits for yourself: lower ones hold at once, higher ones after 24 hours.
// PUT /v1/people/{person}/limits; person.
func (c *Client) SetOwnLimits(ctx context.Context, person string, body wire.NewOwnLimits, options ...Option) (wire.OwnLimits, error) {
	return send[wire.OwnLimits](ctx, c, "PUT", "/v1/people/"+in(person)+"/limits", keyed, body, options)
}

// ListLinks is list-links: the worlds in which one is the same person, ended links too.
// GET /v1/people/{person}/links; operator, person.
func (c *Client) ListLinks(ctx context.Context, person string, options ...Option) ([]wire.Link, error) {
	return items[wire.Link](ctx, c, "/v1/people/"+in(person)+"/links", options)
}

// CreateLink is create-link: be one person in two worlds, by a token of each, from tomorrow on.
// POST /v1/people/{person}/links; person.
func (c *Client) CreateLink(ctx context.Context, person string, body wire.NewLink, options ...Option) (wire.Link, error) {
	return send[wire.Link](ctx, c, "POST", "/v1/people/"+in(person)+"/links", again, body, options)
}

// EndLink is end-link: be a person of one's own in the other world again, from tomorrow on.
// DELETE /v1/people/{person}/links/{other}; operator, person.
func (c *Client) EndLink(ctx context.Context, person string, other string, options ...Option) (wire.Link, error) {
	return send[wire.Link](ctx, c, "DELETE", "/v1/people/"+in(person)+"/links/"+in(other), again, nil, options)
}

// ListMints is list-mints: what was posted for a person's days, the newest first.
// GET /v1/people/{person}/mints; operator, person.
// Filters: from.
func (c *Client) ListMints(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Mint, error] {
	return pages[wire.Mint](ctx, c, "/v1/people/"+in(person)+"/mints", options, "from")
}

// ErasePerson is erase-person: destroy the person's data key: everything personal becomes unreadable for ever.
// DELETE /v1/people/{person}/personal-data; operator, person.
func (c *Client) ErasePerson(ctx context.Context, person string, options ...Option) error {
	return sendOnly(ctx, c, "DELETE", "/v1/people/"+in(person)+"/personal-data", again, nil, options)
}

// GetStanding is get-standing: what a person may do.
// GET /v1/people/{person}/standing; operator, person.
func (c *Client) GetStanding(ctx context.Context, person string, options ...Option) (wire.Standing, error) {
	return get[wire.Standing](ctx, c, "/v1/people/"+in(person)+"/standing", options)
}

// FollowAccrual is follow-accrual: what a person earns, as it is earned.
// GET /v1/people/{person}/stream; operator, server, person, user.
// Filters: break_minutes.
func (c *Client) FollowAccrual(ctx context.Context, person string, options ...Option) iter.Seq2[StreamEvent, error] {
	return stream(ctx, c, "/v1/people/"+in(person)+"/stream", options, "break_minutes")
}

// GetUser is get-user: the person behind a world's user id.
// GET /v1/worlds/{world}/users/{user_id}; operator, server.
func (c *Client) GetUser(ctx context.Context, world string, userID string, options ...Option) (wire.Person, error) {
	return get[wire.Person](ctx, c, "/v1/worlds/"+in(world)+"/users/"+in(userID), options)
}

// CreateClaim is create-claim: make a one-time code by which a user takes hold of the account.
// POST /v1/worlds/{world}/users/{user_id}/claim; server.
func (c *Client) CreateClaim(ctx context.Context, world string, userID string, options ...Option) (wire.Claim, error) {
	return send[wire.Claim](ctx, c, "POST", "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/claim", once, nil, options)
}

// ListUserConsents is list-user-consents: what a user has decided on each purpose, the oldest first.
// GET /v1/worlds/{world}/users/{user_id}/consents; server.
func (c *Client) ListUserConsents(ctx context.Context, world string, userID string, options ...Option) ([]wire.Consent, error) {
	return items[wire.Consent](ctx, c, "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/consents", options)
}

// ReportConsent is report-consent: report what a user has decided on a purpose.
// PUT /v1/worlds/{world}/users/{user_id}/consents/{purpose}; server.
func (c *Client) ReportConsent(ctx context.Context, world string, userID string, purpose string, body wire.NewConsent, options ...Option) (wire.Consent, error) {
	return send[wire.Consent](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/users/"+in(userID)+"/consents/"+in(purpose), again, body, options)
}
