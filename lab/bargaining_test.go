package lab_test

import (
	"math"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// Chatterjee and Samuelson, Bargaining under incomplete information, Operations
// Research 31 (1983) 835-851: one buyer and one seller, whose value and cost are
// uniform on [0,1], trade at the middle of their offers. In the linear
// equilibrium the buyer offers 2/3 v + 1/12 and the seller 2/3 c + 1/4; they
// trade with probability 9/32, gain 9/64 in the mean, 27/32 of what there is to
// gain. Who tells the truth gains all.
func TestChatterjeeSamuelson(t *testing.T) {
	const unit = 1_200_000 // a grid on which the offers are whole prices nearly always
	strategic := bargain(t, 300, unit, func(v int64) int64 { return v*2/3 + unit/12 }, func(c int64) int64 { return c*2/3 + unit/4 })
	truthful := bargain(t, 301, unit, func(v int64) int64 { return v }, func(c int64) int64 { return c })
	t.Logf("trade %.5f, gain %.5f, efficiency %.5f; truthful efficiency %.5f", strategic.trade, strategic.gain, strategic.efficiency, truthful.efficiency)
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"probability of trade", strategic.trade, 9. / 32}, {"mean gain", strategic.gain, 9. / 64}, {"efficiency", strategic.efficiency, 27. / 32},
	} {
		if math.Abs(c.got-c.want) > .005 {
			t.Errorf("%s %.5f, expected %.5f within .005", c.what, c.got, c.want)
		}
	}
	if truthful.efficiency != 1 {
		t.Errorf("efficiency of the truth %.6f, expected 1", truthful.efficiency)
	}
}

type bargained struct{ trade, gain, efficiency float64 }

// bargain clears a call of a buyer and a seller in each of many markets.
func bargain(t *testing.T, experiment uint64, unit int64, buyer, seller func(int64) int64) bargained {
	const rounds, markets = 100, 1000
	random := seeded(experiment)
	var trades, gained, possible int64
	for range rounds {
		x := open(t, market.Batch, markets, 1<<21, 0, 1)
		var worth [markets][2]int64
		for i := range uint32(markets) {
			v, c := random.Int64N(unit+1), random.Int64N(unit+1)
			worth[i] = [2]int64{v, c}
			possible += max(0, v-c)
			// Prices begin at 1, so the grid is moved up by one.
			x.place(i+1, market.Order{Owner: 1, Side: market.Buy, Price: 1 + buyer(v), Quantity: 1})
			x.place(i+1, market.Order{Owner: 2, Side: market.Sell, Price: 1 + seller(c), Quantity: 1})
		}
		x.tick(1)
		for _, e := range x.events {
			if e.Kind != market.MarketCleared {
				continue
			}
			v, c := worth[e.Market-1][0], worth[e.Market-1][1]
			if middle := (2 + buyer(v) + seller(c)) / 2; e.Price != middle {
				t.Fatalf("%d and %d trade at %d, the middle is %d", 1+buyer(v), 1+seller(c), e.Price, middle)
			}
			trades++
			gained += v - c
		}
	}
	n := float64(rounds * markets)
	return bargained{float64(trades) / n, float64(gained) / float64(unit) / n, float64(gained) / float64(possible)}
}
