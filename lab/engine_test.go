package lab_test

import (
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// engine is a production exchange with the same kind of market throughout.
type engine struct {
	t      testing.TB
	e      *market.Exchange
	events []market.Event
	nowMS  int64
}

// open returns an exchange with markets that trade, have no bands and, unless
// last is 0, a last price.
func open(t testing.TB, mode market.Mode, markets int, maxPrice, last, batchMS int64) *engine {
	t.Helper()
	x := &engine{t: t, e: market.NewExchange(), nowMS: 1}
	for range markets {
		number, err := x.e.Open(market.Config{
			Mode: mode, TickValue: 1, MaxPrice: maxPrice, MaxQuantity: 1 << 20, MaxOrders: 1 << 12, BatchMS: batchMS,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, refusal := x.e.CallAuction(number, last, x.nowMS, market.Seed{}, nil); refusal != market.Accepted {
			t.Fatal(refusal)
		}
	}
	x.tick(0)
	return x
}

// place places an order and returns its number; events are what it caused.
func (x *engine) place(number uint32, o market.Order) (order uint64) {
	var refusal market.Refusal
	if order, x.events, refusal = x.e.Place(number, o, x.nowMS, x.events[:0]); refusal != market.Accepted {
		x.t.Fatalf("%+v: %v", o, refusal)
	}
	return order
}

func (x *engine) cancel(number uint32, order uint64) {
	var refusal market.Refusal
	if x.events, refusal = x.e.Cancel(number, order, 0, x.nowMS, x.events[:0]); refusal != market.Accepted {
		x.t.Fatalf("cancel: %v", refusal)
	}
}

// tick lets time pass; events are what it caused.
func (x *engine) tick(ms int64) {
	x.nowMS += ms
	x.events, _ = x.e.Tick(x.nowMS, market.Seed{}, 1<<20, x.events[:0])
}

func seeded(experiment uint64) *rand.Rand { return rand.New(rand.NewPCG(42, experiment)) }
