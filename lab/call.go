package lab

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/attentionbank/attentionbank/market"
)

// Call is a batch of orders around one price, ten of each owner, about half of
// which trade.
type Call struct {
	exchange *market.Exchange
	events   []market.Event
	random   *rand.Rand
	orders   int
	nowMS    int64
}

// NewCall returns a batch market for so many orders.
func NewCall(orders int, seed uint64) (*Call, error) {
	config := market.DefaultConfig()
	config.MaxOwnerOrders, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = 0, 0, 0, 0, 0
	config.MaxOrders = int64(orders)
	e := market.NewExchange()
	if _, err := e.Open(config); err != nil {
		return nil, err
	}
	if _, refusal := e.CallAuction(1, 0, 1, market.Seed{}, nil); refusal != market.Accepted {
		return nil, fmt.Errorf("opening the market: %v", refusal)
	}
	e.Tick(1, market.Seed{}, 1, nil)
	return &Call{e, make([]market.Event, 0, 2*orders+16), rand.New(rand.NewPCG(seed, 3)), orders, 1}, nil
}

// Gather takes out what is left of an earlier call and places the orders.
func (c *Call) Gather() error {
	c.nowMS += 10_000
	owners := uint64(max(c.orders/10, 2)) &^ 1
	for owner := range owners {
		c.events, _ = c.exchange.CancelOwner(1, 1+owner, c.orders, c.nowMS, c.events[:0])
	}
	for range c.orders {
		o := market.Order{Owner: 1 + c.random.Uint64N(owners), Quantity: 1 + c.random.Int64N(100)}
		o.Side = market.Side(o.Owner % 2)
		o.Price = 100_000 + int64(c.random.NormFloat64()*50)
		var refusal market.Refusal
		if _, c.events, refusal = c.exchange.Place(1, o, c.nowMS, c.events[:0]); refusal != market.Accepted {
			return fmt.Errorf("%+v: %v", o, refusal)
		}
	}
	return nil
}

// Clear ends the call and returns how long that took and how many orders traded.
func (c *Call) Clear() (took time.Duration, traded int) {
	_, c.nowMS, _ = c.exchange.Book(1).Call()
	began := time.Now()
	c.events, _ = c.exchange.Tick(c.nowMS, market.Seed{}, 1, c.events[:0])
	took = time.Since(began)
	for i := range c.events {
		if c.events[i].Kind == market.OrderFilled {
			traded++
		}
	}
	return took, traded
}
