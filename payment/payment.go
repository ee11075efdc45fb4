// Package payment writes payments as files that a bank takes: ISO 20022
// pain.001.001.09 and CSV.
package payment

import (
	"errors"
	"fmt"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
)

// Party is who pays or is paid.
type Party struct {
	Name string // 1 to 70 of the characters that every bank takes
	IBAN string // without spaces
	BIC  string // empty if the bank finds it by the IBAN
}

// Payment is one of a file.
type Payment struct {
	ID          string // end to end, 1 to 35 characters; no other payment ever has it
	AmountMinor int64
	Payee       Party
}

// File is payments of one currency out of one account.
type File struct {
	ID string // of the message, 1 to 35 characters
	// CreatedAt is ISO 8601, such as 2026-01-02T15:04:05Z; ExecuteOn a day.
	CreatedAt, ExecuteOn string
	Currency             string // ISO 4217
	Scale                uint8  // decimal places of the currency
	Payer                Party
	Payments             []Payment
}

// What a party can be wrong in.
var (
	ErrName = errors.New("a name is 1 to 70 of A-Z a-z 0-9 space / - ? : ( ) . , ' + and begins with a letter or digit")
	ErrIBAN = errors.New("an IBAN is two letters, two check digits and up to 30 of A-Z 0-9, whose remainder by 97 is 1")
	ErrBIC  = errors.New("a BIC is 8 or 11 of A-Z 0-9, its first six letters")
)

// Check returns why a party cannot be paid.
func (p Party) Check() error {
	switch {
	case len(p.Name) < 1 || len(p.Name) > 70 || strings.ContainsRune("/-?:().,'+ ", rune(p.Name[0])) || strings.HasSuffix(p.Name, " ") || strings.ContainsFunc(p.Name, func(c rune) bool { return !taken(c) }):
		return ErrName
	case !ibanValid(p.IBAN):
		return ErrIBAN
	case p.BIC != "" && !bicValid(p.BIC):
		return ErrBIC
	}
	return nil
}

// taken reports whether a character is of the set that every bank takes (EPC
// 217-08, the Latin characters of SEPA).
func taken(c rune) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("/-?:().,'+ ", c)
}

// ibanValid checks an IBAN by ISO 13616: its digits, letters counting from 10,
// with the first four characters behind, leave 1 when divided by 97 (ISO 7064).
func ibanValid(text string) bool {
	if len(text) < 15 || len(text) > 34 {
		return false
	}
	remainder := 0
	for i := range len(text) {
		c := text[(i+4)%len(text)]
		digit := '0' <= c && c <= '9'
		letter := 'A' <= c && c <= 'Z'
		switch place := (i + 4) % len(text); {
		case place < 2 && !letter, (place == 2 || place == 3) && !digit, !digit && !letter:
			return false
		case digit:
			remainder = (remainder*10 + int(c-'0')) % 97
		default:
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		}
	}
	return remainder == 1
}

func bicValid(text string) bool {
	if len(text) != 8 && len(text) != 11 {
		return false
	}
	for i := range len(text) {
		letter := 'A' <= text[i] && text[i] <= 'Z'
		if !letter && (i < 6 || text[i] < '0' || text[i] > '9') {
			return false
		}
	}
	return true
}

// check returns why a file cannot be written, and the sum of its payments.
func (f *File) check() (sumMinor int64, err error) {
	idValid := func(id string) bool {
		return len(id) >= 1 && len(id) <= 35 && !strings.ContainsFunc(id, func(c rune) bool { return !taken(c) })
	}
	if !idValid(f.ID) || len(f.Currency) != 3 || len(f.Payments) == 0 || f.Scale > 4 {
		return 0, fmt.Errorf("file %q: expected an id, a currency and payments", f.ID)
	}
	if err := f.Payer.Check(); err != nil {
		return 0, fmt.Errorf("the payer: %w", err)
	}
	ids := map[string]bool{}
	for _, p := range f.Payments {
		if !idValid(p.ID) || ids[p.ID] || p.AmountMinor < 1 {
			return 0, fmt.Errorf("payment %q of %d: expected an id of its own and more than zero", p.ID, p.AmountMinor)
		}
		ids[p.ID] = true
		if err := p.Payee.Check(); err != nil {
			return 0, fmt.Errorf("payment %s: %w", p.ID, err)
		}
		sum, fits := amount.Add(sumMinor, p.AmountMinor)
		if !fits {
			return 0, fmt.Errorf("payment %s: the sum does not fit", p.ID)
		}
		sumMinor = sum
	}
	return sumMinor, nil
}

func (f *File) money(minor int64) string { return amount.Format(minor, int(f.Scale)) }
