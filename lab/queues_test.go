package lab_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// Cont, Stoikov and Talreja, A stochastic model for order book dynamics,
// Operations Research 58 (2010) 549-563, Table 3: with one tick between the best
// bid and ask, b orders on the bid and a on the ask, the probability that the
// middle price rises next. Limit orders come at each of the two prices at a rate
// of 1.85, market orders of each side at 0.94, and each order is cancelled at
// 0.71; all are of one unit. The middle rises when the ask is exhausted first.
func TestContStoikovTalreja(t *testing.T) {
	published := [5][5]float64{ // by b, then a: computed by Laplace transform
		{.500, .336, .259, .216, .188},
		{.664, .500, .407, .348, .307},
		{.741, .593, .500, .437, .391},
		{.784, .652, .563, .500, .452},
		{.812, .693, .609, .548, .500},
	}
	const runs = 30_000
	q := &queues{engine: open(t, market.Continuous, 1, 3, 0, 1), random: seeded(200)}
	worst := 0.0
	for b := range published {
		for a, want := range published[b] {
			up := 0
			for range runs {
				if q.rises(b+1, a+1) {
					up++
				}
			}
			got := float64(up) / runs
			worst = max(worst, math.Abs(got-want))
			if math.Abs(got-want) > .01 {
				t.Errorf("%d on the bid and %d on the ask: the middle rises with %.4f, published %.3f", b+1, a+1, got, want)
			}
		}
	}
	t.Logf("the largest difference in 25 cells is %.4f", worst)
}

// queues are the best bid at 1 and the best ask at 2.
type queues struct {
	*engine
	random *rand.Rand
	orders [2][]uint64 // first in the queue first
	owner  uint64
}

func (q *queues) add(side market.Side) {
	q.owner++
	number := q.place(1, market.Order{Owner: q.owner, Side: side, Price: 1 + int64(side), Quantity: 1})
	q.orders[side] = append(q.orders[side], number)
}

// rises plays until one side is exhausted.
func (q *queues) rises(bids, asks int) bool {
	const limit, taken, cancelled = 1.85, .94, .71
	for range bids {
		q.add(market.Buy)
	}
	for range asks {
		q.add(market.Sell)
	}
	for {
		n := [2]float64{float64(len(q.orders[0])), float64(len(q.orders[1]))}
		draw := q.random.Float64() * (2*limit + 2*taken + cancelled*(n[0]+n[1]))
		for side := market.Buy; side <= market.Sell; side++ {
			if draw -= limit; draw < 0 {
				q.add(side)
				break
			}
			if draw -= taken; draw < 0 {
				q.take(side)
				break
			}
			if draw -= cancelled * n[side]; draw < 0 || side == market.Sell {
				q.cancelAny(side)
				break
			}
		}
		for side := range q.orders {
			if len(q.orders[side]) == 0 {
				q.empty()
				return market.Side(side) == market.Sell
			}
		}
	}
}

// take trades with the first of a side; the engine must give it to that one.
func (q *queues) take(side market.Side) {
	q.owner++
	q.place(1, market.Order{Owner: q.owner, Side: 1 - side, Kind: market.IOC, Price: 1 + int64(side), Quantity: 1})
	if first := q.orders[side][0]; q.events[1].Number != first {
		q.t.Fatalf("order %d traded, %d was first", q.events[1].Number, first)
	}
	q.orders[side] = q.orders[side][1:]
}

func (q *queues) cancelAny(side market.Side) {
	at := q.random.IntN(len(q.orders[side]))
	q.cancel(1, q.orders[side][at])
	q.orders[side] = append(q.orders[side][:at], q.orders[side][at+1:]...)
}

func (q *queues) empty() {
	for side := range q.orders {
		for _, number := range q.orders[side] {
			q.cancel(1, number)
		}
		q.orders[side] = q.orders[side][:0]
	}
}
