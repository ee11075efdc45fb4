package lab_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// Cliff and Bruten, Zero is not enough: on the lower limit of agent intelligence
// for continuous double auction markets, HP Labs HPL-97-141 (1997): the prices
// of traders without intelligence are near the equilibrium only where demand
// and supply are symmetric. The experiment is a guard: a market whose prices
// looked right here would be one that invents them.
//
// Eleven traders a side trade one unit each, prices go to 400; a quote must
// improve on those that stand, and a trade clears them all. The four schedules
// have the shapes of the paper's.
func TestCliffBruten(t *testing.T) {
	ramp := []int64{75, 100, 125, 150, 175, 200, 225, 250, 275, 300, 325}
	flat := func(price int64, n int) (list []int64) {
		for range n {
			list = append(list, price)
		}
		return list
	}
	for i, c := range []struct {
		name          string
		values, costs []int64
		equilibrium   float64
		mean          float64 // of prices
	}{
		{"A symmetric", ramp, ramp, 200, 199.8},
		{"B flat supply", ramp, flat(200, 11), 200, 216.4},
		{"C flat, more demand", flat(325, 11), flat(75, 6), 325, 240.2},
		{"D flat, more supply", flat(325, 6), flat(75, 11), 75, 159.6},
	} {
		x, random := open(t, market.Continuous, 1, 400, 0, 1), seeded(uint64(100+i))
		sum, count := 0.0, 0.0
		for range 1000 {
			for _, price := range simpleTraders(x, random, c.values, c.costs) {
				sum += float64(price)
				count++
			}
		}
		mean := sum / count
		t.Logf("%s: mean price %.1f, equilibrium %.0f", c.name, mean, c.equilibrium)
		if math.Abs(mean-c.mean) > 3 {
			t.Errorf("%s: mean price %.1f, expected %.1f within 3", c.name, mean, c.mean)
		}
	}
}

// simpleTraders trades one period and returns the prices.
func simpleTraders(x *engine, random *rand.Rand, values, costs []int64) (prices []int64) {
	const highest = 400
	done := make([]bool, len(values)+len(costs))
	var standing []uint64
	for range 2000 {
		trader := random.IntN(len(done))
		if done[trader] {
			continue
		}
		o := market.Order{Owner: uint64(trader + 1), Side: market.Buy, Quantity: 1}
		if trader < len(values) {
			o.Price = 1 + random.Int64N(values[trader])
		} else {
			cost := costs[trader-len(values)]
			o.Side, o.Price = market.Sell, cost+random.Int64N(highest-cost+1)
		}
		best, any := x.e.Book(1).Best(o.Side)
		if any && (o.Side == market.Buy && o.Price <= best.Price || o.Side == market.Sell && o.Price >= best.Price) {
			continue // it improves nothing
		}
		number := x.place(1, o)
		traded := false
		for _, e := range x.events {
			if e.Kind == market.OrderFilled {
				done[e.Owner-1], traded = true, true
				if e.Role == market.Maker {
					prices = append(prices, e.Price)
				}
			}
		}
		if !traded {
			standing = append(standing, number)
			continue
		}
		standing = clearBook(x, standing)
	}
	clearBook(x, standing)
	return prices
}

// clearBook cancels what of these orders still stands.
func clearBook(x *engine, standing []uint64) []uint64 {
	for _, number := range standing {
		if _, open := x.e.Book(1).Order(number); open {
			x.cancel(1, number)
		}
	}
	return standing[:0]
}
