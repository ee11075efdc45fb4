package outbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/payment"
	"pgregory.net/rapid"
)

// desk is a bank with files of payouts and the way on which they leave, each of
// which may fail, before it does what it is asked for or behind.
type desk struct {
	*rig
	erased map[string]bool
	sent   map[uint64]int64 // when it was noted
	taken  map[string][]payment.Payment
	twice  bool
	fails  func(what string) error
}

func newDesk(r *rig) *desk {
	d := &desk{rig: r, erased: map[string]bool{}, sent: map[uint64]int64{}, taken: map[string][]payment.Payment{}, fails: func(string) error { return nil }}
	d.open()
	return d
}

func (d *desk) open() {
	d.outbox = outbox.New(d.store, d, outbox.Options{
		NowMS: func() int64 { return d.nowMS }, Sales: d, Secret: func(uint32, uint32) [32]byte { return secret },
		EndPurchase: func(context.Context, uint64, bool) error { return nil }, Payouts: d, Payments: d,
	})
}

// around does what it is asked for between two chances to fail.
func (d *desk) around(what string, do func()) error {
	if err := d.fails("before " + what); err != nil {
		return err
	}
	do()
	return d.fails("after " + what)
}

func (d *desk) Outline(context.Context, uint64) (*payment.File, error) {
	file := &payment.File{ID: "F"}
	err := d.around("outline", func() {})
	for _, id := range []string{"A", "B"} {
		file.Payments = append(file.Payments, payment.Payment{ID: id, AmountMinor: 5})
	}
	return file, err
}

func (d *desk) Prepare(ctx context.Context, number uint64) (*payment.File, error) {
	file, err := d.Outline(ctx, number)
	left := file.Payments[:0]
	for _, p := range file.Payments {
		if !d.erased[p.ID] {
			left = append(left, p)
		}
	}
	file.Payments = left
	return file, err
}

func (d *desk) Sent(_ context.Context, file uint64) error {
	return d.around("sent", func() { d.sent[file] = d.nowMS })
}

func (d *desk) Taken(_ context.Context, file *payment.File) (bool, error) {
	return d.taken[file.ID] != nil, d.around("taken", func() {})
}

func (d *desk) Take(_ context.Context, file *payment.File) error {
	return d.around("take", func() {
		d.twice = d.twice || d.taken[file.ID] != nil
		d.taken[file.ID] = append([]payment.Payment{}, file.Payments...)
	})
}

// file lets a person have a file of payouts made, in its record.
func (d *desk) file() {
	d.apply(bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil))
	d.apply(bank.RegisterAsset{Code: "EUR", Scale: 2}.AppendTo(nil))
	gold, _ := d.state.Books().AssetByCode("GOLD")
	euro, _ := d.state.Books().AssetByCode("EUR")
	d.apply(bank.SetPayoutRate{Rate: bank.PayoutRate{Asset: gold, Currency: euro, PaidMinor: 1, PerMinor: 1, Open: true}}.AppendTo(nil))
	d.apply(bank.PublishEligibility{Text: "a table", Defaults: bank.DefaultFeatures}.AppendTo(nil))
	d.apply(bank.SetStanding{Person: [16]byte{7}, Features: bank.FeaturePayout, Revision: 1<<32 | 1}.AppendTo(nil))
	d.apply(bank.CreditCard{Person: 1, Asset: gold, AmountMinor: 100, UntilMS: d.nowMS + 1}.AppendTo(nil))
	d.nowMS++
	d.apply(bank.AppendTick(nil))
	for range 2 {
		d.apply(bank.RequestPayout{Person: 1, Asset: gold, AmountMinor: 5}.AppendTo(nil))
	}
	d.apply(bank.FilePayouts{Currency: euro, Most: 10}.AppendTo(nil))
	if d.state.PayoutFiles() != 1 {
		d.Fatal("no file was made")
	}
}

// Whatever fails, before or behind, and however often the outbox begins anew,
// in the end a file was taken once and that is noted.
func TestPaymentsAreTakenOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		d := newDesk(r)
		d.file()
		faults := rapid.SliceOfN(rapid.Bool(), 0, 40).Draw(rt, "faults")
		fail := func() error {
			if len(faults) == 0 {
				return nil
			}
			failed := faults[0]
			if faults = faults[1:]; failed {
				return errors.New("it failed")
			}
			return nil
		}
		d.fails = func(string) error { return fail() }
		d.store.Before, d.store.After = fail, fail
		for range 60 {
			if rapid.Bool().Draw(rt, "crash") {
				d.open()
			}
			if rapid.IntRange(0, 9).Draw(rt, "erased") == 0 {
				d.erased["B"] = true
			}
			d.outbox.CatchUp(t.Context()) // what fails is tried again
			d.outbox.SendDue(t.Context())
			d.nowMS += 300_000
		}
		d.store.Before, d.store.After = nil, nil
		if d.twice || len(d.taken["F"]) == 0 || d.sent[1] == 0 {
			rt.Fatalf("taken twice %v, taken %v, sent %v", d.twice, d.taken, d.sent)
		}
		messages, err := d.store.Messages(t.Context(), 0, 0, 10)
		if err != nil || len(messages) != 1 || messages[0].Status != outbox.Delivered {
			rt.Fatalf("%+v, %v", messages, err)
		}
		if number, is := outbox.FileOf(messages[0]); number != 1 || !is {
			rt.Fatalf("the message tells of file %d, %v", number, is)
		}
	})
}

// A file is tried for ever, and says why it was not taken; one in which nobody
// is left goes nowhere.
func TestPaymentsAreTriedForEver(t *testing.T) {
	d := newDesk(newRig(t))
	d.file()
	d.fails = func(what string) error {
		if what == "before take" {
			return errors.New("no space left on device")
		}
		return nil
	}
	for attempt := 1; attempt <= 2*outbox.MaxAttempts; attempt++ {
		d.pass()
		messages, err := d.store.Messages(t.Context(), 0, 0, 10)
		if err != nil || len(messages) != 1 || messages[0].Status != outbox.Waiting || messages[0].Attempts != attempt || messages[0].Fault != "no space left on device" {
			t.Fatalf("attempt %d: %+v, %v", attempt, messages, err)
		}
		if wait := messages[0].NextMS - d.nowMS; wait < 5_000 || wait > 300_000 {
			t.Errorf("after attempt %d it is tried in %d ms", attempt, wait)
		}
		d.nowMS = messages[0].NextMS
	}
	d.erased["A"], d.erased["B"] = true, true
	d.pass()
	if len(d.taken) != 0 || d.sent[1] == 0 {
		t.Errorf("with nobody left: taken %v, sent %v", d.taken, d.sent)
	}
}
