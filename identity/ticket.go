package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

const (
	operatorLinkMS = 24 * 60 * 60 * 1000
	claimCodeMS    = 60 * 60 * 1000

	operatorLinkPrefix = "ab_link_"
	claimCodePrefix    = "ab_claim_"
)

// OperatorLink returns a one-time token for the first operator key, valid for
// 24 hours, in place of an earlier one. It is empty when an operator key is
// live: so a start prints a link until there is an operator, and again only
// after the last operator key was revoked, which whoever reads the server's
// own output may repair.
func (r *Registry) OperatorLink(ctx context.Context) (token string, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	if r.hasOperator() {
		return "", nil
	}
	token, hash := newSecret(operatorLinkPrefix)
	ticket := Ticket{Kind: OperatorLink, Hash: hash, ExpiresMS: r.nowMS() + operatorLinkMS}
	if err := r.store.SaveTicket(ctx, ticket, r.nowMS()); err != nil {
		return "", fmt.Errorf("issuing the operator link: %w", err)
	}
	return token, nil
}

// RedeemOperatorLink turns the token into an operator key, once.
func (r *Registry) RedeemOperatorLink(ctx context.Context, token string) (key Key, secret string, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	ticket, err := r.ticket(ctx, OperatorLink, operatorLinkPrefix, token)
	if err != nil {
		return Key{}, "", fmt.Errorf("redeeming the operator link: %w", err)
	}
	return r.redeem(ctx, ticket, Principal{Kind: Operator}, "first operator")
}

// CreateClaimCode returns a one-time code, valid for an hour, by which a
// world's user takes hold of an account. It replaces an earlier code.
//
// A world vouches for its users, so it can hand them their first key. Once a
// person holds a key it cannot ask again: else a world, or whoever stole its
// server key, could at any time make itself a key to what a person has saved.
// From then on the person, or the operator after checking who asks, makes
// further keys.
func (r *Registry) CreateClaimCode(ctx context.Context, world uint32, userID string) (code string, expiresMS int64, err error) {
	subjects, err := r.Resolve(ctx, []SubjectRef{{World: world, UserID: userID}})
	if err != nil {
		return "", 0, fmt.Errorf("creating a claim code: %w", err)
	}
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	if r.holdsKey(personOf(subjects[0])) {
		return "", 0, fmt.Errorf("creating a claim code: %w", ErrPersonHasKey)
	}
	code, hash := newSecret(claimCodePrefix)
	expiresMS = r.nowMS() + claimCodeMS
	ticket := Ticket{Kind: ClaimCode, Hash: hash, Subject: subjects[0].Number, ExpiresMS: expiresMS}
	if err := r.store.SaveTicket(ctx, ticket, r.nowMS()); err != nil {
		return "", 0, fmt.Errorf("creating a claim code: %w", err)
	}
	return code, expiresMS, nil
}

// RedeemClaimCode turns a code into the person's key, once.
func (r *Registry) RedeemClaimCode(ctx context.Context, code, label string) (key Key, secret string, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	ticket, err := r.ticket(ctx, ClaimCode, claimCodePrefix, code)
	if err != nil {
		return Key{}, "", fmt.Errorf("redeeming a claim code: %w", err)
	}
	record, err := r.store.Subject(ctx, ticket.Subject)
	if err != nil {
		return Key{}, "", fmt.Errorf("redeeming a claim code: subject %d: %w", ticket.Subject, err)
	}
	owner := personOf(record.Subject)
	if r.holdsKey(owner) {
		return Key{}, "", fmt.Errorf("redeeming a claim code: %w", ErrPersonHasKey)
	}
	return r.redeem(ctx, ticket, owner, label)
}

// ticket returns the ticket of a code that is good now, else ErrTicketSpent.
func (r *Registry) ticket(ctx context.Context, kind TicketKind, prefix, code string) (Ticket, error) {
	tail, found := strings.CutPrefix(code, prefix)
	if !found || !isTail(tail) {
		return Ticket{}, fmt.Errorf("%w: a code is %s and %d characters", ErrTicketSpent, prefix, secretTail)
	}
	ticket, err := r.store.Ticket(ctx, sha256.Sum256([]byte(code)))
	if errors.Is(err, ErrNotFound) {
		return Ticket{}, ErrTicketSpent
	}
	if err != nil {
		return Ticket{}, err
	}
	if ticket.Kind != kind || ticket.ExpiresMS <= r.nowMS() {
		return Ticket{}, ErrTicketSpent
	}
	return ticket, nil
}

func (r *Registry) redeem(ctx context.Context, ticket Ticket, owner Principal, label string) (Key, string, error) {
	key, secret, err := r.newKey(owner, label)
	if err != nil {
		return Key{}, "", fmt.Errorf("redeeming: %w", err)
	}
	err = r.store.RedeemTicket(ctx, ticket.Hash, key)
	if errors.Is(err, ErrNotFound) {
		return Key{}, "", fmt.Errorf("redeeming: %w", ErrTicketSpent)
	}
	if err != nil {
		return Key{}, "", fmt.Errorf("redeeming: %w", err)
	}
	r.enter(key)
	return key, secret, nil
}
