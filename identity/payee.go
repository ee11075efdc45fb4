package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Payee is to whom a person is paid out: the name and numbers of an account at
// a bank. It is personal, and lies sealed under the subject's key.
type Payee struct {
	Name string `json:"name"`
	IBAN string `json:"iban"`
	BIC  string `json:"bic,omitempty"`
}

const (
	payeeName    = "payee"
	payoutPrefix = "payout/"
)

// SetPayee keeps to whom a subject is paid out from now on. Whether it can be
// paid is checked before.
func (r *Registry) SetPayee(ctx context.Context, subject uint64, payee Payee) error {
	return r.setPayee(ctx, subject, payeeName, payee)
}

func (r *Registry) setPayee(ctx context.Context, subject uint64, name string, payee Payee) error {
	plain, err := json.Marshal(payee)
	if err == nil && len(plain) > MaxDetailBytes {
		err = fmt.Errorf("a payee of %d bytes", len(plain))
	}
	if err == nil {
		_, err = r.setDetail(ctx, subject, name, plain)
	}
	if err != nil {
		return fmt.Errorf("setting the payee of subject %d: %w", subject, err)
	}
	return nil
}

// Payee returns to whom a subject is paid out, or ErrNotFound.
func (r *Registry) Payee(ctx context.Context, subject uint64) (Payee, error) {
	return r.payee(ctx, subject, payeeName)
}

func (r *Registry) payee(ctx context.Context, subject uint64, name string) (payee Payee, err error) {
	plain, _, err := r.detail(ctx, subject, name)
	if err == nil && plain == nil {
		err = ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(plain, &payee)
	}
	if err != nil {
		return Payee{}, fmt.Errorf("reading the payee of subject %d: %w", subject, err)
	}
	return payee, nil
}

// PaidTo is to whom a person is paid out, or was in one payout.
type PaidTo struct {
	Payout uint64 // 0 for who is the payee now
	Payee
}

// Payees returns to whom a subject is paid out and to whom payouts went, by
// payout.
func (r *Registry) Payees(ctx context.Context, subject uint64) (list []PaidTo, err error) {
	details, err := r.store.DetailsOf(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("reading the payees of subject %d: %w", subject, err)
	}
	for _, kept := range details {
		to := PaidTo{}
		if number, ofPayout := strings.CutPrefix(kept.Name, payoutPrefix); ofPayout {
			if to.Payout, err = strconv.ParseUint(number, 10, 64); err != nil {
				return nil, fmt.Errorf("detail %s of subject %d: %w", kept.Name, subject, ErrSealBroken)
			}
		} else if kept.Name != payeeName {
			continue
		}
		plain, err := r.openDetail(ctx, kept)
		if err == nil && plain == nil {
			continue
		}
		if err == nil {
			err = json.Unmarshal(plain, &to.Payee)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the payees of subject %d: %w", subject, err)
		}
		list = append(list, to)
	}
	slices.SortFunc(list, func(a, b PaidTo) int { return cmp.Compare(a.Payout, b.Payout) })
	return list, nil
}

// PayeeOf returns to whom one payout of a subject goes: who was the payee when
// it was asked for the first time, for ever.
func (r *Registry) PayeeOf(ctx context.Context, subject, payout uint64) (Payee, error) {
	name := payoutPrefix + strconv.FormatUint(payout, 10)
	payee, err := r.payee(ctx, subject, name)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return payee, err
	}
	if payee, err = r.Payee(ctx, subject); err != nil {
		return Payee{}, err
	}
	return payee, r.setPayee(ctx, subject, name, payee)
}
