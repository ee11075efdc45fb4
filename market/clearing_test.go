package market_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/market"
	"pgregory.net/rapid"
)

// The properties of a clearing, numbered as docs/market.md lists them. Each is
// checked against what its definition says, by brute force; that the exchange
// equals its twin (12) is in market_test.go, and that fees too add up (11) is
// where fees are.

const clearingPrices = 30 // the largest price of these markets

// bid is an order of a call; number is what the market gave it.
type bid struct {
	owner, number   uint64
	side            market.Side
	price, quantity int64
	filled          int64
}

func (b *bid) reaches(price int64) bool { return reaches(b.side, b.price, price) }

// called is what came of a call.
type called struct {
	price, volume int64
	orders        []bid // those that were admitted, with what they got
	rest          *market.Book
}

// callMarket returns a batch market without bands that has a last price, 0 for none.
func callMarket(last int64, seed market.Seed) *market.Exchange {
	e := market.NewExchange()
	if _, err := e.Open(market.Config{
		Mode: market.Batch, TickValue: 3, MaxPrice: clearingPrices, MaxQuantity: 1000, MaxOrders: 1000, BatchMS: 1,
	}); err != nil {
		panic(err)
	}
	if _, refusal := e.CallAuction(1, last, 1, seed, nil); refusal != market.Accepted {
		panic(refusal)
	}
	e.Tick(1, seed, 1, nil)
	return e
}

// call gives orders to a batch market and clears it; numbers of orders that are
// there from earlier calls stay.
func call(e *market.Exchange, orders []bid, nowMS int64, seed market.Seed) called {
	c := called{rest: e.Book(1)}
	for _, o := range orders {
		if o.number == 0 {
			number, _, refusal := e.Place(1, market.Order{Owner: o.owner, Side: o.side, Price: o.price, Quantity: o.quantity}, nowMS, nil)
			if refusal == market.WouldMeetOwn {
				continue
			}
			if refusal != market.Accepted {
				panic(refusal)
			}
			o.number = number
		}
		o.filled = 0
		c.orders = append(c.orders, o)
	}
	events, _ := e.Tick(nowMS+1, seed, 1, nil)
	for _, event := range events {
		switch event.Kind {
		case market.MarketCleared:
			c.price, c.volume = event.Price, event.Quantity
		case market.OrderFilled:
			at := slices.IndexFunc(c.orders, func(o bid) bool { return o.number == event.Number })
			c.orders[at].filled += event.Quantity
		}
	}
	return c
}

// left are the orders that stay, with what is open of them.
func (c called) left() (orders []bid) {
	for _, o := range c.orders {
		if o.quantity -= o.filled; o.quantity > 0 {
			orders = append(orders, o)
		}
	}
	return orders
}

func drawBids(t *rapid.T, label string) []bid {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bid {
		return bid{
			owner: rapid.Uint64Range(1, 6).Draw(t, "owner"), side: market.Side(rapid.IntRange(0, 1).Draw(t, "side")),
			price: rapid.Int64Range(1, clearingPrices).Draw(t, "price"), quantity: rapid.Int64Range(1, 20).Draw(t, "quantity"),
		}
	}), 0, 25).Draw(t, label)
}

func drawSeed(t *rapid.T, label string) (seed market.Seed) {
	copy(seed[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, label))
	return seed
}

// sums returns what buyers and sellers that accept a price want.
func sums(orders []bid, price int64) (demand, supply int64) {
	for i := range orders {
		if o := &orders[i]; !o.reaches(price) {
			continue
		} else if o.side == market.Buy {
			demand += o.quantity
		} else {
			supply += o.quantity
		}
	}
	return demand, supply
}

// best returns the largest volume of any price, and the largest surplus of any
// way to pair buyers with sellers: the dearest buyer with the cheapest seller,
// unit by unit.
func best(orders []bid) (volume, surplus int64) {
	for p := int64(1); p <= clearingPrices; p++ {
		demand, supply := sums(orders, p)
		volume = max(volume, min(demand, supply))
	}
	var units [2][]int64
	for _, o := range orders {
		for range o.quantity {
			units[o.side] = append(units[o.side], o.price)
		}
	}
	slices.SortFunc(units[market.Buy], func(a, b int64) int { return cmp.Compare(b, a) })
	slices.Sort(units[market.Sell])
	for i := range min(len(units[0]), len(units[1])) {
		surplus += max(0, units[market.Buy][i]-units[market.Sell][i])
	}
	return volume, surplus
}

// judge tells which of properties 1 to 7 and 11 a call breaks.
func judge(c called) string {
	var bought, sold, paid, received, surplus int64
	config := c.rest.Config()
	for i := range c.orders {
		o := &c.orders[i]
		switch {
		case o.filled < 0 || o.filled > o.quantity:
			return fmt.Sprintf("3: %+v", o)
		case o.filled > 0 && !o.reaches(c.price):
			return fmt.Sprintf("4: %+v at %d", o, c.price)
		case c.volume > 0 && o.reaches(c.price) && o.price != c.price && o.filled != o.quantity:
			return fmt.Sprintf("5: %+v is better than %d", o, c.price)
		}
		if o.side == market.Buy {
			bought, surplus = bought+o.filled, surplus+o.filled*o.price
			paid += config.Notional(c.price, o.filled)
		} else {
			sold, surplus = sold+o.filled, surplus-o.filled*o.price
			received += config.Notional(c.price, o.filled)
		}
	}
	volume, most := best(c.orders)
	buy, buys := c.rest.Best(market.Buy)
	sell, sells := c.rest.Best(market.Sell)
	switch {
	case c.volume != volume:
		return fmt.Sprintf("1: volume %d, there is a price with %d", c.volume, volume)
	case bought != sold || bought != c.volume:
		return fmt.Sprintf("2: %d bought, %d sold, volume %d", bought, sold, c.volume)
	case buys && sells && buy.Price >= sell.Price:
		return fmt.Sprintf("6: %+v meets %+v", buy, sell)
	case surplus != most:
		return fmt.Sprintf("7: surplus %d, there is %d", surplus, most)
	case paid != received:
		return fmt.Sprintf("11: %d paid, %d received", paid, received)
	}
	return ""
}

// Properties 1 to 7 and 11 of a call and of the next, in which orders of both
// stand together; of one price, what is left of the earlier call trades first.
func TestClearingIsTheBestThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := callMarket(rapid.Int64Range(0, clearingPrices).Draw(t, "last"), drawSeed(t, "seed"))
		first := call(e, drawBids(t, "first"), 10, drawSeed(t, "second seed"))
		if broken := judge(first); broken != "" {
			t.Fatalf("property %s\n%+v", broken, first.orders)
		}
		early := len(first.left())
		second := call(e, append(first.left(), drawBids(t, "second")...), 20, drawSeed(t, "third seed"))
		if broken := judge(second); broken != "" {
			t.Fatalf("property %s\n%+v", broken, second.orders)
		}
		for _, o := range second.orders[:early] {
			for _, later := range second.orders[early:] {
				if o.side == later.side && o.price == later.price && later.filled > 0 && o.filled < o.quantity {
					t.Fatalf("%+v of an earlier call waits while %+v trades", o, later)
				}
			}
		}
	})
}

// interval returns the ends of the interval of prices that clear a call: with a
// last price at either end of the market, the nearest of the interval is its end.
func interval(orders []bid) (low, high, volume int64) {
	a := call(callMarket(1, market.Seed{}), orders, 10, market.Seed{})
	b := call(callMarket(clearingPrices, market.Seed{}), orders, 10, market.Seed{})
	return a.price, b.price, a.volume
}

// Property 8: one buyer more never lowers the interval of prices, one seller
// more never raises it.
func TestClearingIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		orders := drawBids(t, "orders")
		for i := range orders {
			orders[i].owner = uint64(1 + i) // so that none is refused
		}
		one := drawBids(t, "one more")
		low, high, volume := interval(orders)
		if len(one) == 0 || volume == 0 {
			return
		}
		one[0].owner = 1000
		lowAfter, highAfter, _ := interval(append(slices.Clone(orders), one[0]))
		if one[0].side == market.Buy && (lowAfter < low || highAfter < high) || one[0].side == market.Sell && (lowAfter > low || highAfter > high) {
			t.Fatalf("%+v moves the interval from %d..%d to %d..%d", one[0], low, high, lowAfter, highAfter)
		}
	})
}

// Property 9: dividing an order among one's own changes nothing, for its owner
// in sum and for everybody else in each order.
func TestDividingAnOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, next := drawSeed(t, "seed"), drawSeed(t, "next seed")
		whole := call(callMarket(15, seed), drawBids(t, "orders"), 10, next)
		if len(whole.orders) == 0 {
			return
		}
		at := rapid.IntRange(0, len(whole.orders)-1).Draw(t, "which")
		divided := slices.Clone(whole.orders)
		for i := range divided {
			divided[i].number = 0
		}
		part := divided[at]
		part.quantity = rapid.Int64Range(0, part.quantity-1).Draw(t, "part")
		divided[at].quantity -= part.quantity
		if part.quantity > 0 {
			divided = slices.Insert(divided, rapid.IntRange(0, len(divided)).Draw(t, "where"), part)
		}
		after := call(callMarket(15, seed), divided, 10, next)
		if !slices.Equal(byOwner(whole), byOwner(after)) || whole.price != after.price {
			t.Fatalf("dividing %+v: at %d %v, at %d %v", whole.orders[at], whole.price, byOwner(whole), after.price, byOwner(after))
		}
	})
}

// Property 10: the order of arrival inside a call changes nothing.
func TestArrivalInsideACallChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, next := drawSeed(t, "seed"), drawSeed(t, "next seed")
		orders := drawBids(t, "orders")
		one := call(callMarket(15, seed), orders, 10, next)
		for i := range one.orders {
			one.orders[i].number = 0
		}
		other := call(callMarket(15, seed), rapid.Permutation(one.orders).Draw(t, "permuted"), 10, next)
		if !slices.Equal(byOwner(one), byOwner(other)) || one.price != other.price {
			t.Fatalf("at %d %v, permuted at %d %v", one.price, byOwner(one), other.price, byOwner(other))
		}
	})
}

// byOwner sums what owners got at each price that they asked for, on each side.
func byOwner(c called) (list []bid) {
	for _, o := range c.orders {
		at := slices.IndexFunc(list, func(b bid) bool { return b.owner == o.owner && b.side == o.side && b.price == o.price })
		if at < 0 {
			list, at = append(list, bid{owner: o.owner, side: o.side, price: o.price}), len(list)
		}
		list[at].filled += o.filled
	}
	slices.SortFunc(list, func(a, b bid) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.side, b.side), cmp.Compare(a.price, b.price))
	})
	return list
}
