package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Payee is to whom a person is paid out: the name and numbers of an account at
// a bank. It is personal, and lies sealed under the subject's key.
type Payee struct {
	Name string `json:"name"`
	IBAN string `json:"iban"`
	BIC  string `json:"bic,omitempty"`
}

const payeeName = "payee"

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

// PayeeOf returns to whom one payout of a subject goes: who was the payee when
// it was asked for the first time, for ever.
func (r *Registry) PayeeOf(ctx context.Context, subject, payout uint64) (Payee, error) {
	name := "payout/" + strconv.FormatUint(payout, 10)
	payee, err := r.payee(ctx, subject, name)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return payee, err
	}
	if payee, err = r.Payee(ctx, subject); err != nil {
		return Payee{}, err
	}
	return payee, r.setPayee(ctx, subject, name, payee)
}
