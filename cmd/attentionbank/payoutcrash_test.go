package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/bankfiles"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
)

// payingMS is the time of a bank that pays out.
func payingMS() int64 { return 1_767_225_600_000 }

const payingPayouts, payingGold = 3, 100_000

var payer = payment.Party{Name: "Bank of Cafes", IBAN: "DE89370400440532013000"}

// newPayingBank makes a bank in a directory in which three people have gold that
// may be paid out.
func newPayingBank(t *testing.T, site Site) {
	t.Helper()
	ctx := t.Context()
	n, err := openNode(ctx, site, payingMS, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	commands := [][]byte{
		bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "EUR", Scale: 2}.AppendTo(nil),
		bank.SetPayoutRate{Rate: bank.PayoutRate{Asset: 3, Currency: 4, PaidMinor: 7, PerMinor: 30, Open: true}}.AppendTo(nil),
		bank.PublishEligibility{Text: "all", Defaults: bank.DefaultFeatures}.AppendTo(nil),
	}
	for i := range payingPayouts {
		people, err := n.identity.Resolve(ctx, []identity.SubjectRef{{World: 1, UserID: fmt.Sprint(i)}})
		if err == nil {
			err = n.identity.SetPayee(ctx, people[0].Number, identity.Payee{Name: fmt.Sprint("Ann ", i), IBAN: "NO9386011117947"})
		}
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, bank.RegisterPerson{ID: people[0].Person}.AppendTo(nil),
			bank.SetStanding{Person: people[0].Person, Features: bank.DefaultFeatures | bank.FeaturePayout, Revision: 1<<32 | 1}.AppendTo(nil),
			bank.CreditCard{Person: uint64(i + 1), Asset: 3, AmountMinor: payingGold, UntilMS: payingMS() + 1}.AppendTo(nil))
	}
	answers, err := n.journal.Submit(ctx, commands...)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if answer.Refusal != bank.Accepted {
			t.Fatalf("command %d: %s", i, answer.Refusal)
		}
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
}

// between is called between any two steps of paying out.
type between func(step string)

// payOut carries payouts from their request to what became of them, beginning
// anew whatever was done before.
func payOut(ctx context.Context, site Site, folder string, step between) (err error) {
	n, err := openNode(ctx, site, func() int64 { return payingMS() + 10 }, func(string) {})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	desk := steppedDesk{n, step}
	store, closeStore, err := openSteppedOutbox(ctx, n, step)
	if err != nil {
		return err
	}
	defer closeStore()
	directory, err := bankfiles.Open(folder, bankfiles.Pain001)
	if err != nil {
		return err
	}
	directory.Step = func(name string) error { step(name); return nil }
	box := outbox.New(store, outboxSource{n.records, n.journal}, outbox.Options{
		NowMS: func() int64 { return payingMS() + 10 }, Sales: sales{n.journal}, Secret: n.webhookSecret, EndPurchase: n.endPurchase,
		Payouts: &payout.Desk{Bank: desk, Payees: api.NewDesk(n.journal, n.identity, payer).Payees, Payer: payer}, Payments: directory,
	})
	give := func(command []byte) error {
		refusal, err := desk.Submit(ctx, command)
		if err == nil && refusal != bank.Accepted && refusal != bank.Repeated {
			err = fmt.Errorf("the bank refused: %s", refusal)
		}
		return err
	}
	if err := give(bank.AppendTick(nil)); err != nil {
		return err
	}
	for i := range payingPayouts {
		if err := give(bank.RequestPayout{Key: bank.Key{1, byte(i)}, Person: uint64(i + 1), Asset: 3, AmountMinor: 1000 * int64(i+1)}.AppendTo(nil)); err != nil {
			return err
		}
	}
	for file := range uint64(2) { // of two payouts and of one
		if err := give(bank.FilePayouts{File: file + 1, Currency: 4, Most: 2}.AppendTo(nil)); err != nil {
			return err
		}
		if err := box.CatchUp(ctx); err != nil {
			return err
		}
		if _, err := box.SendDue(ctx); err != nil {
			return err
		}
	}
	for number := range uint64(payingPayouts) {
		status := bank.PayoutPaid
		if number == 1 {
			status = bank.PayoutFailed
		}
		if err := give(bank.EndPayout{Payout: number + 1, Status: status}.AppendTo(nil)); err != nil {
			return err
		}
	}
	return nil
}

// steppedDesk gives commands to a bank, with a step before and behind each.
type steppedDesk struct {
	n    *node
	step between
}

func (d steppedDesk) Read(ctx context.Context, read func(*bank.State)) error {
	return d.n.journal.Read(ctx, read)
}

func (d steppedDesk) Submit(ctx context.Context, command []byte) (bank.Refusal, error) {
	d.step("before a command")
	answers, err := d.n.journal.Submit(ctx, command)
	d.step("after a command")
	if err != nil {
		return 0, err
	}
	return answers[0].Refusal, nil
}

// steppedOutbox does the same for what an outbox writes.
type steppedOutbox struct {
	outbox.Store
	step between
}

// openSteppedOutbox opens the outbox of a bank, encrypted as it is.
func openSteppedOutbox(ctx context.Context, n *node, step between) (store steppedOutbox, closeStore func() error, err error) {
	inner, err := sqldb.OpenOutbox(ctx, n.site.place("outbox"))
	if err != nil {
		return steppedOutbox{}, nil, err
	}
	ring, err := n.site.keyring(ctx)
	if err != nil {
		return steppedOutbox{}, nil, errors.Join(err, inner.Close())
	}
	return steppedOutbox{strongroom.NewOutbox(inner, ring), step}, inner.Close, nil
}

func (o steppedOutbox) Keep(ctx context.Context, after uint64, to outbox.Cursor, messages []outbox.Message) error {
	o.step("before messages are kept")
	defer o.step("after messages are kept")
	return o.Store.Keep(ctx, after, to, messages)
}

func (o steppedOutbox) Mark(ctx context.Context, message outbox.Message) error {
	o.step("before a message is marked")
	defer o.step("after a message is marked")
	return o.Store.Mark(ctx, message)
}

// takeAway moves the files that are there to a bank, which takes no file twice,
// and counts the payments in them.
func takeAway(t *testing.T, folder string, payments map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		var file struct {
			Credits []struct {
				ID     string `xml:"PmtId>EndToEndId"`
				Amount string `xml:"Amt>InstdAmt"`
			} `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf"`
		}
		if err == nil {
			err = xml.Unmarshal(text, &file)
		}
		if err == nil {
			err = os.Remove(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, credit := range file.Credits {
			if payments[credit.ID] != "" {
				t.Errorf("%s is paid twice, in %s too", credit.ID, filepath.Base(name))
			}
			payments[credit.ID] = credit.Amount
		}
	}
}

// The process is killed between any two steps of a payout, on real files, and
// begins anew: each payout is in the files once, none is lost, and what was set
// aside, burned and given back adds up.
func TestKilledBetweenTheStepsOfAPayout(t *testing.T) {
	if at := os.Getenv("PAYOUTS_KILLED_AT"); at != "" {
		data := os.Getenv("PAYOUTS_DATA")
		killedAt(at, func(step between) error {
			return payOut(context.Background(), Site{Data: data}, filepath.Join(data, "payouts"), step)
		})
		return
	}
	template := t.TempDir()
	newPayingBank(t, Site{Data: template})
	steps := 0
	for killed := true; killed; steps++ {
		data := filepath.Join(t.TempDir(), "data")
		if err := errors.Join(os.CopyFS(data, os.DirFS(template)), os.Chmod(filepath.Join(data, "master.key"), 0o600)); err != nil {
			t.Fatal(err)
		}
		killed = runKilled(t, steps, "PAYOUTS_KILLED_AT", "PAYOUTS_DATA="+data)
		folder, payments := filepath.Join(data, "payouts"), map[string]string{}
		takeAway(t, folder, payments)
		if err := payOut(t.Context(), Site{Data: data}, folder, func(string) {}); err != nil {
			t.Fatalf("after step %d: %v", steps, err)
		}
		takeAway(t, folder, payments)
		if len(payments) != payingPayouts || payments["AB-PAYOUT-1"] != "2.33" || payments["AB-PAYOUT-2"] != "4.66" || payments["AB-PAYOUT-3"] != "7" {
			t.Errorf("killed at step %d, paid is %v", steps, payments)
		}
		requirePaidOut(t, Site{Data: data})
	}
	if steps < 30 {
		t.Errorf("there were only %d steps", steps)
	}
	t.Logf("killed at %d steps", steps-1)
}

// requirePaidOut compares the books with what was paid and given back.
func requirePaidOut(t *testing.T, site Site) {
	t.Helper()
	n, err := openNode(t.Context(), site, func() int64 { return payingMS() + 10 }, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	err = n.journal.Read(t.Context(), func(state *bank.State) {
		if err := state.Check(); err != nil {
			t.Error(err)
		}
		if state.Payouts() != payingPayouts || state.PayoutFiles() != 2 {
			t.Errorf("there are %d payouts and %d files", state.Payouts(), state.PayoutFiles())
		}
		var burned int64
		for number := range uint64(payingPayouts) {
			p, _, _ := state.Payout(number + 1)
			if want := map[bool]bank.PayoutStatus{true: bank.PayoutFailed, false: bank.PayoutPaid}[number == 1]; p.Status != want {
				t.Errorf("payout %d is %s", number+1, p.Status)
			}
			if p.Status == bank.PayoutPaid {
				burned += p.AmountMinor
			}
		}
		if gold := state.Books().Asset(3); gold.Burned != burned || gold.Issued != payingPayouts*payingGold {
			t.Errorf("of gold %d was issued and %d burned, expected %d", gold.Issued, gold.Burned, burned)
		}
	})
	if err := errors.Join(err, n.close()); err != nil {
		t.Error(err)
	}
}

// runKilled runs a test in a process of its own that kills itself at a step, and
// reports whether it came that far.
func runKilled(t *testing.T, at int, variable string, environment ...string) (killed bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(append(os.Environ(), fmt.Sprintf("%s=%d", variable, at)), environment...)
	output, err := child.CombinedOutput()
	status, is := child.ProcessState.Sys().(syscall.WaitStatus)
	if killed = is && status.Signal() == syscall.SIGKILL; !killed && err != nil {
		t.Fatalf("step %d: %v\n%s", at, err, output)
	}
	return killed
}

// killedAt does something in a process that kills itself at a step.
func killedAt(text string, do func(step between) error) {
	var at, reached int
	fmt.Sscan(text, &at)
	err := do(func(string) {
		if reached++; reached == at+1 {
			self, _ := os.FindProcess(os.Getpid())
			self.Kill()
			select {}
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
