package payout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
)

// till is a bank in memory whose people have gold to be paid out, and knows to
// whom each goes.
type till struct {
	*testing.T
	state *bank.State
	seq   uint64
	nowMS int64
	gone  map[byte]bool   // people who were erased
	names map[byte]string // if not Ann
}

func newTill(t *testing.T, people int) *till {
	b := &till{T: t, state: bank.New(), gone: map[byte]bool{}, names: map[byte]string{}}
	b.must(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	b.must(bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil))
	b.must(bank.RegisterAsset{Code: "EUR", Scale: 2}.AppendTo(nil))
	b.must(bank.PublishEligibility{Text: "all", Defaults: bank.DefaultFeatures}.AppendTo(nil))
	b.must(bank.SetPayoutRate{Rate: bank.PayoutRate{Asset: 3, Currency: 4, PaidMinor: 1, PerMinor: 1, Open: true}}.AppendTo(nil))
	for i := range people {
		id := [16]byte{byte(i + 1)}
		b.must(bank.RegisterPerson{ID: id}.AppendTo(nil))
		b.must(bank.SetStanding{Person: id, Features: bank.FeaturePayout, Revision: 1<<32 | 1}.AppendTo(nil))
		b.must(bank.CreditCard{Person: uint64(i + 1), Asset: 3, AmountMinor: 100, UntilMS: 1}.AppendTo(nil))
	}
	b.nowMS = 1 // the holds of what was bought by card are over
	b.must(bank.AppendTick(nil))
	for i := range people {
		b.must(bank.RequestPayout{Person: uint64(i + 1), Asset: 3, AmountMinor: int64(10 + i)}.AppendTo(nil))
	}
	b.must(bank.FilePayouts{Currency: 4, Most: 100}.AppendTo(nil))
	return b
}

func (b *till) Read(_ context.Context, read func(*bank.State)) error { read(b.state); return nil }

func (b *till) Submit(_ context.Context, command []byte) (bank.Refusal, error) {
	b.seq++
	b.state.Begin(b.seq, b.nowMS)
	return bank.Refusal(b.state.Apply(command, nil)[0]), nil
}

func (b *till) must(command []byte) {
	b.Helper()
	if refusal, _ := b.Submit(b.Context(), command); refusal != bank.Accepted {
		b.Fatal(refusal)
	}
}

func (b *till) PayeeOf(_ context.Context, person [16]byte, _ uint64) (payment.Party, error) {
	if b.gone[person[0]] {
		return payment.Party{}, payout.ErrNobody
	}
	name := "Ann"
	if b.names[person[0]] != "" {
		name = b.names[person[0]]
	}
	return payment.Party{Name: name, IBAN: "NO9386011117947"}, nil
}

func ids(file *payment.File) (list []string) {
	for _, p := range file.Payments {
		list = append(list, fmt.Sprintf("%s:%d:%s", p.ID, p.AmountMinor, p.Payee.Name))
	}
	return list
}

// Whoever cannot be paid is left out before a file is sent, and has it back;
// from then on its outline stays, whoever is erased.
func TestPrepare(t *testing.T) {
	b := newTill(t, 4)
	desk := &payout.Desk{Bank: b, Payees: b, Payer: payment.Party{Name: "Bank", IBAN: "DE89370400440532013000"}}
	if outline, err := desk.Outline(t.Context(), 1); err != nil || len(outline.Payments) != 4 {
		t.Fatalf("before: %+v, %v", outline, err)
	}
	b.gone[2], b.names[3] = true, "<nobody>" // a name that no bank takes
	file, err := desk.Prepare(t.Context(), 1)
	if want := "[AB-PAYOUT-1:10:Ann AB-PAYOUT-4:13:Ann]"; err != nil || fmt.Sprint(ids(file)) != want || file.ID != "AB-PAYOUTS-1" || file.Currency != "EUR" {
		t.Fatalf("prepared is %v, %v; expected %s", ids(file), err, want)
	}
	for _, number := range []uint64{2, 3} {
		if p, _, _ := b.state.Payout(number); p.Status != bank.PayoutLeftOut {
			t.Errorf("payout %d is %s", number, p.Status)
		}
	}
	b.gone[2], b.names[3] = false, ""
	b.gone[1] = true
	for range 2 {
		if outline, err := desk.Outline(t.Context(), 1); err != nil || fmt.Sprint(ids(outline)) != "[AB-PAYOUT-1:10: AB-PAYOUT-4:13:]" {
			t.Errorf("the outline is %v, %v", ids(outline), err)
		}
		if err := desk.Sent(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if copied, erased, err := desk.Copy(t.Context(), 1); err != nil || fmt.Sprint(ids(copied)) != "[AB-PAYOUT-4:13:Ann]" || fmt.Sprint(erased) != "[1]" {
		t.Errorf("the copy is %v without %v, %v", ids(copied), erased, err)
	}
	if err := b.state.Check(); err != nil {
		t.Error(err)
	}
	for _, number := range []uint64{0, 2} {
		if _, err := desk.Prepare(t.Context(), number); !errors.Is(err, payout.ErrNoFile) {
			t.Errorf("file %d: %v", number, err)
		}
	}
}

// Who was left out of a file is not named by what is said of the whole of it.
func TestJudgeLeavesOutWhoWasLeftOut(t *testing.T) {
	b := newTill(t, 3)
	desk := &payout.Desk{Bank: b, Payees: b}
	b.gone[2] = true
	if _, err := desk.Prepare(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := desk.Sent(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	findings, err := desk.Judge(t.Context(), &payment.Report{ID: "R", File: payout.FileID(1), Code: "ACSC", Statements: []payment.Statement{{Payment: payout.PaymentID(2), Code: "RJCT"}}})
	var said []string
	for _, f := range findings {
		said = append(said, fmt.Sprint(f.Payment, " ", f.Verdict))
	}
	if want := "[AB-PAYOUT-2 unmatched AB-PAYOUT-1 paid AB-PAYOUT-3 paid]"; err != nil || fmt.Sprint(said) != want {
		t.Errorf("said is %v, %v; expected %s", said, err, want)
	}
}

// Only what the bank writes itself is a number of a file.
func TestFileNumber(t *testing.T) {
	for id, want := range map[string]uint64{
		payout.FileID(1): 1, payout.FileID(1<<64 - 1): 1<<64 - 1, "AB-PAYOUTS-0": 0, "AB-PAYOUTS-01": 0, "AB-PAYOUTS-+1": 0, "AB-PAYOUTS-": 0, "AB-PAYOUT-1": 0,
		"ab-payouts-1": 0, "AB-PAYOUTS-18446744073709551616": 0, "AB-PAYOUTS-1 ": 0, "": 0,
	} {
		if got := payout.FileNumber(id); got != want {
			t.Errorf("%q is file %d, expected %d", id, got, want)
		}
	}
}
