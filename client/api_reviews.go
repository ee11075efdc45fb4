// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"
	"strconv"

	"github.com/attentionbank/attentionbank/wire"
)

// ListCases is list-cases: cases, the newest first.
// GET /v1/cases; operator.
// Filters: status, signal, person.
func (c *Client) ListCases(ctx context.Context, options ...Option) iter.Seq2[wire.Case, error] {
	return pages[wire.Case](ctx, c, "/v1/cases", options, "status", "signal", "person")
}

// GetCase is get-case: a case with its evidence and what the person says.
// GET /v1/cases/{case}; operator.
func (c *Client) GetCase(ctx context.Context, caseID string, options ...Option) (wire.CaseDetail, error) {
	return get[wire.CaseDetail](ctx, c, "/v1/cases/"+in(caseID), options)
}

// DecideCase is decide-case: release what a case holds back, or uphold it; of an appeal by another operator than before.
// POST /v1/cases/{case}/decision; operator.
func (c *Client) DecideCase(ctx context.Context, caseID string, body wire.NewDecision, options ...Option) (wire.CaseDetail, error) {
	return send[wire.CaseDetail](ctx, c, "POST", "/v1/cases/"+in(caseID)+"/decision", keyed, body, options)
}

// ListOwnCases is list-own-cases: why TIME of a person is or was held back, the newest first.
// GET /v1/people/{person}/cases; operator, person.
func (c *Client) ListOwnCases(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Case, error] {
	return pages[wire.Case](ctx, c, "/v1/people/"+in(person)+"/cases", options)
}

// GetOwnCase is get-own-case: a case of a person, with its evidence.
// GET /v1/people/{person}/cases/{case}; operator, person.
func (c *Client) GetOwnCase(ctx context.Context, person string, caseID string, options ...Option) (wire.CaseDetail, error) {
	return get[wire.CaseDetail](ctx, c, "/v1/people/"+in(person)+"/cases/"+in(caseID), options)
}

// AppealCase is appeal-case: ask that a case be looked at by a human, or once more by another.
// POST /v1/people/{person}/cases/{case}/appeal; person.
func (c *Client) AppealCase(ctx context.Context, person string, caseID string, body wire.NewAppeal, options ...Option) (wire.CaseDetail, error) {
	return send[wire.CaseDetail](ctx, c, "POST", "/v1/people/"+in(person)+"/cases/"+in(caseID)+"/appeal", again, body, options)
}

// ListReviewRules is list-review-rules: the versions of the review rules, the oldest first.
// GET /v1/review-rules; operator.
func (c *Client) ListReviewRules(ctx context.Context, options ...Option) iter.Seq2[wire.ReviewRules, error] {
	return pages[wire.ReviewRules](ctx, c, "/v1/review-rules", options)
}

// PublishReviewRules is publish-review-rules: publish a version of the rules by which days are looked at; it holds from now on.
// POST /v1/review-rules; operator.
func (c *Client) PublishReviewRules(ctx context.Context, body wire.NewReviewRules, options ...Option) (wire.ReviewRules, error) {
	return send[wire.ReviewRules](ctx, c, "POST", "/v1/review-rules", keyed, body, options)
}

// GetReviewEffect is get-review-effect: what a version of the rules has led to, of rules that only watch what it would have.
// GET /v1/review-rules/{version}/effect; operator.
func (c *Client) GetReviewEffect(ctx context.Context, version uint32, options ...Option) (wire.ReviewEffect, error) {
	return get[wire.ReviewEffect](ctx, c, "/v1/review-rules/"+in(strconv.FormatUint(uint64(version), 10))+"/effect", options)
}
