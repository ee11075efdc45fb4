// Package payout turns what the bank keeps of payouts into payments that the
// operator's bank is asked to make, and what that reports into outcomes.
package payout

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/payment"
)

// Bank carries out commands and shows the state.
type Bank interface {
	Read(ctx context.Context, read func(*bank.State)) error
	// Submit carries out a command and returns why it was refused, if it was.
	Submit(ctx context.Context, command []byte) (bank.Refusal, error)
}

// Payees knows to whom people are paid out.
type Payees interface {
	// PayeeOf returns to whom a payout goes, the same whenever it is asked, or
	// ErrNobody.
	PayeeOf(ctx context.Context, person [16]byte, payout uint64) (payment.Party, error)
}

// What a desk cannot do.
var (
	// ErrNobody: the person was erased.
	ErrNobody = errors.New("there is nobody to pay any more")
	// ErrNoFile: there is no such file of payouts.
	ErrNoFile = errors.New("there is no such file of payouts")
)

// Desk is where payouts leave the bank.
type Desk struct {
	Bank   Bank
	Payees Payees
	// Payer is the account from which people are paid out. Without an IBAN
	// nobody is.
	Payer payment.Party
}

const (
	filePrefix    = "AB-PAYOUTS-"
	paymentPrefix = "AB-PAYOUT-"
)

// FileID is the message id of a file; no other file ever has it.
func FileID(file uint64) string { return filePrefix + strconv.FormatUint(file, 10) }

// PaymentID is the end-to-end id of a payout; no other payout ever has it.
func PaymentID(payout uint64) string { return paymentPrefix + strconv.FormatUint(payout, 10) }

// FileNumber returns the number of the file that has a message id, 0 if that is
// none of ours.
func FileNumber(id string) uint64 { return numberOf(id, filePrefix) }

// numberOf reads what FileID and PaymentID write, 0 for anything else.
func numberOf(id, prefix string) uint64 {
	digits, is := strings.CutPrefix(id, prefix)
	number, err := strconv.ParseUint(digits, 10, 64)
	if !is || err != nil || strconv.FormatUint(number, 10) != digits {
		return 0
	}
	return number
}

// paid is a payment of a file before it is known to whom it goes.
type paid struct {
	person [16]byte
	number uint64
}

// outline returns a file with its payments but to whom they go, the same
// whenever it is asked once the file was prepared.
func (d *Desk) outline(ctx context.Context, number uint64) (file *payment.File, list []paid, err error) {
	file = &payment.File{ID: FileID(number), Payer: d.Payer}
	var found bool
	err = d.Bank.Read(ctx, func(state *bank.State) {
		var filed bank.PayoutFile
		var numbers []uint64
		if filed, numbers, found = state.PayoutFile(number); !found {
			return
		}
		at := time.UnixMilli(filed.AtMS).UTC()
		currency := state.Books().Asset(filed.Currency)
		file.CreatedAt, file.ExecuteOn = at.Format("2006-01-02T15:04:05Z"), at.Format(time.DateOnly)
		file.Currency, file.Scale = currency.Code, currency.Scale
		for _, n := range numbers {
			p, _, _ := state.Payout(n)
			if p.Status == bank.PayoutLeftOut {
				continue
			}
			person, _ := state.PersonID(p.Person)
			list = append(list, paid{person, n})
			file.Payments = append(file.Payments, payment.Payment{ID: PaymentID(n), AmountMinor: p.PaidMinor})
		}
	})
	if err == nil && !found {
		err = ErrNoFile
	}
	return file, list, err
}

// Outline returns a file of payouts without whom its payments go to. Once it
// was prepared it is the same for ever.
func (d *Desk) Outline(ctx context.Context, file uint64) (*payment.File, error) {
	outline, _, err := d.outline(ctx, file)
	return outline, err
}

// Copy returns a file of payouts as it was sent, but for the payouts of people
// who were erased since, which it names.
func (d *Desk) Copy(ctx context.Context, number uint64) (file *payment.File, erased []uint64, err error) {
	return d.addressed(ctx, number)
}

// Prepare returns a file of payouts to be sent. Who cannot be paid any more is
// left out of it for ever, and what was set aside is given back; there may be
// no payments left.
func (d *Desk) Prepare(ctx context.Context, number uint64) (*payment.File, error) {
	file, nobody, err := d.addressed(ctx, number)
	if err != nil {
		return nil, err
	}
	for _, payout := range nobody {
		refusal, err := d.Bank.Submit(ctx, bank.EndPayout{Payout: payout, Status: bank.PayoutLeftOut}.AppendTo(nil))
		if err == nil && refusal != bank.Accepted {
			err = fmt.Errorf("leaving out payout %d: the bank refused: %s", payout, refusal)
		}
		if err != nil {
			return nil, err
		}
	}
	return file, nil
}

// addressed returns a file with whom its payments go to, without the payouts
// that go to nobody.
func (d *Desk) addressed(ctx context.Context, number uint64) (file *payment.File, nobody []uint64, err error) {
	file, list, err := d.outline(ctx, number)
	if err != nil {
		return nil, nil, err
	}
	payments := file.Payments[:0]
	for i, p := range file.Payments {
		p.Payee, err = d.Payees.PayeeOf(ctx, list[i].person, list[i].number)
		switch {
		case errors.Is(err, ErrNobody), err == nil && p.Payee.Check() != nil:
			nobody = append(nobody, list[i].number)
		case err != nil:
			return nil, nil, fmt.Errorf("looking up to whom payout %d goes: %w", list[i].number, err)
		default:
			payments = append(payments, p)
		}
	}
	file.Payments = payments
	return file, nobody, nil
}

// Sent notes that a file was handed over.
func (d *Desk) Sent(ctx context.Context, file uint64) error {
	refusal, err := d.Bank.Submit(ctx, bank.SendPayouts{File: file}.AppendTo(nil))
	if err == nil && refusal != bank.Accepted {
		err = fmt.Errorf("noting that file %d of payouts was sent: the bank refused: %s", file, refusal)
	}
	return err
}
