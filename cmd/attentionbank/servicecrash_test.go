package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/outbox"
)

// sell carries three services from their purchase to how they ended, beginning
// anew whatever was done before: one that the world renders, one that it
// refuses, one about which it is silent.
func sell(ctx context.Context, site Site, url string, step between) (err error) {
	late := int64(0)
	nowMS := func() int64 { return time.Now().UnixMilli() + late }
	n, err := openNode(ctx, site, nowMS, func(string) {})
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
	if err := store.SetEndpoint(ctx, outbox.Endpoint{World: 1, URL: url}); err != nil {
		return err
	}
	give := func(command []byte) error {
		refusal, err := desk.Submit(ctx, command)
		if err == nil && refusal != bank.Accepted && refusal != bank.Repeated && refusal != bank.PurchaseOver {
			err = fmt.Errorf("the bank refused: %s", refusal)
		}
		return err
	}
	box := outbox.New(store, outboxSource{n.records, n.journal}, outbox.Options{
		NowMS: nowMS, Sales: sales{n.journal}, Secret: n.webhookSecret, Private: true,
		EndPurchase: func(_ context.Context, purchase uint64, delivered bool) error {
			return give(bank.EndPurchase{Purchase: purchase, Delivered: delivered}.AppendTo(nil))
		},
	})
	for i := range uint32(3) {
		if err := give(bank.Purchase{Key: bank.Key{2, byte(i)}, Buyer: 1, Product: i + 1, Quantity: 1, MaxTotalMicro: 100_000}.AppendTo(nil)); err != nil {
			return err
		}
	}
	for range 2 { // of purchases, and of how they ended
		if err := box.CatchUp(ctx); err != nil {
			return err
		}
		if _, err := box.SendDue(ctx); err != nil {
			return err
		}
	}
	late = 2 * 60 * 60 * 1000
	return give(bank.AppendTick(nil))
}

// The process is killed between any two steps of a service that is sold, and
// begins anew: what was rendered is paid once, what was refused and what was
// not answered is given back.
func TestKilledBetweenTheStepsOfAService(t *testing.T) {
	if at := os.Getenv("SERVICES_KILLED_AT"); at != "" {
		killedAt(at, func(step between) error {
			return sell(context.Background(), Site{Data: os.Getenv("SERVICES_DATA")}, os.Getenv("SERVICES_URL"), step)
		})
		return
	}
	template := t.TempDir()
	timeMicro := withTime(t, Site{Data: template})
	n, err := openNode(t.Context(), Site{Data: template}, systemMS, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, product := range []string{"render", "refuse", "silent"} {
		if _, err := n.journal.Submit(t.Context(), bank.SetProduct{Product: bank.Product{World: 1, Code: product, Kind: bank.Service, PriceMicro: 100_000, DeadlineMS: 60 * 60 * 1000, OnSale: true}}.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
	}
	world := &services{T: t, ids: map[string]string{}, secret: outbox.SecretText(n.webhookSecret(1, 0))}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(world.receive))
	defer receiver.Close()
	steps := 0
	for killed := true; killed; steps++ {
		world.ids = map[string]string{} // each bank is another one
		data := filepath.Join(t.TempDir(), "data")
		if err := errors.Join(os.CopyFS(data, os.DirFS(template)), os.Chmod(filepath.Join(data, "master.key"), 0o600)); err != nil {
			t.Fatal(err)
		}
		killed = runKilled(t, steps, "SERVICES_KILLED_AT", "SERVICES_DATA="+data, "SERVICES_URL="+receiver.URL)
		if err := sell(t.Context(), Site{Data: data}, receiver.URL, func(string) {}); err != nil {
			t.Fatalf("after step %d: %v", steps, err)
		}
		n, err := openNode(t.Context(), Site{Data: data}, func() int64 { return systemMS() + 2*60*60*1000 }, func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		err = n.journal.Read(t.Context(), func(state *bank.State) {
			account, _ := state.TimeAccount(1)
			left := state.Books().Account(account)
			for number, want := range map[uint64]bank.PurchaseView{1: {Outcome: bank.Delivered}, 2: {Outcome: bank.Declined}, 3: {Outcome: bank.Pending, Lapsed: true}} {
				if got, _ := state.Purchase(number); got.Outcome != want.Outcome || got.Lapsed != want.Lapsed {
					t.Errorf("killed at step %d, purchase %d is %s, lapsed %v", steps, number, got.Outcome, got.Lapsed)
				}
			}
			if _, more := state.Purchase(4); more || left.Balance != timeMicro-100_000 || left.Held != 0 {
				t.Errorf("killed at step %d: left is %d of %d with %d held, a fourth purchase %v", steps, left.Balance, timeMicro, left.Held, more)
			}
			if err := state.Check(); err != nil {
				t.Error(err)
			}
		})
		if err := errors.Join(err, n.close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, fault := range world.odd {
		t.Error(fault)
	}
	if steps < 15 {
		t.Errorf("there were only %d steps", steps)
	}
	t.Logf("killed at %d steps", steps-1)
}
