package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/outbox"
)

// A person buys services of a world whose receiver is down, then slow, while
// the bank is stopped and started again. In the end every purchase is ended by
// what the receiver answered, once, and the books say so.
func TestPurchasesAreEndedThroughTheOutbox(t *testing.T) {
	ctx, site := t.Context(), Site{Data: t.TempDir()}
	var clockMS atomic.Int64
	clockMS.Store(1_767_225_600_000)
	var mu sync.Mutex
	calls := map[string]int{}
	var down atomic.Bool
	down.Store(true)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls[r.Header.Get("webhook-id")]++
		mu.Unlock()
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte(`{"delivered":true}`))
	}))
	defer receiver.Close()
	open := func() *node {
		t.Helper()
		n, err := openNode(ctx, site, clockMS.Load, func(message string) { t.Log(message) })
		if err == nil {
			err = n.openOutbox(ctx, wayOut{private: true}, clockMS.Load, func(message string) { t.Log(message) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	submit := func(n *node, commands ...[]byte) {
		t.Helper()
		answers, err := n.journal.Submit(ctx, commands...)
		if err != nil {
			t.Fatal(err)
		}
		for _, answer := range answers {
			if answer.Refusal != bank.Accepted {
				t.Fatal(answer.Refusal)
			}
		}
	}
	n := open()
	submit(n, bank.RegisterWorld{Code: "cafe"}.AppendTo(nil),
		bank.Mint{Person: [16]byte{7}, World: 1, Day: bank.Day(clockMS.Load()), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil))
	clockMS.Add(26 * 60 * 60 * 1000)
	submit(n, bank.SetProduct{Product: bank.Product{World: 1, Code: "song", Kind: bank.Service, PriceMicro: 500_000, DeadlineMS: 86_400_000, OnSale: true}}.AppendTo(nil))
	if err := n.letters.SetEndpoint(ctx, outbox.Endpoint{World: 1, URL: receiver.URL}); err != nil {
		t.Fatal(err)
	}
	const purchases = 5
	for range purchases {
		submit(n, bank.Purchase{Buyer: 1, Product: 1, Quantity: 1, MaxTotalMicro: 500_000}.AppendTo(nil))
	}
	wait := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain until %s", what)
			}
		}
	}
	wait("the receiver was tried", func() bool { return n.outbox.Statistics().Failed.Load() >= purchases })
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	down.Store(false)
	clockMS.Add(10 * 60 * 1000)
	n = open()
	defer n.close()
	wait("all were told of and ended", func() bool { return n.outbox.Statistics().Delivered.Load() >= 2*purchases })
	var paid int64
	err := n.journal.Read(ctx, func(state *bank.State) {
		for number := uint64(1); number <= purchases; number++ {
			if purchase, _ := state.Purchase(number); purchase.Outcome != bank.Delivered {
				t.Errorf("purchase %d is %s", number, purchase.Outcome)
			}
		}
		account, _ := state.TimeAccount(1)
		paid = 10_000_200 - state.Books().Account(account).Balance
	})
	if err != nil || paid != purchases*500_000 {
		t.Errorf("paid was %d, %v", paid, err)
	}
	messages, err := n.letters.Messages(context.Background(), 1, 0, 100)
	if err != nil || len(messages) != 2*purchases || len(calls) != 2*purchases {
		t.Errorf("%d messages under %d ids, %v; expected %d", len(messages), len(calls), err, 2*purchases)
	}
}
