package market_test

import (
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// step is an operation of the stream that engines are compared by.
type step struct {
	order  market.Order
	cancel int // index of the operation that placed the order, or -1
}

// stream makes the operations: 60 % passive limits one tick and more from a
// walking middle, 30 % cancels of a random order that may still live, 10 %
// marketable limits; the first hundredth are all passive.
func stream(operations int) []step {
	random := rand.New(rand.NewPCG(1, 2))
	steps := make([]step, 0, operations)
	book := rest(1)
	middle := int64(100_000)
	var live []int
	numbers := make([]uint64, operations)
	placed := map[uint64]int{}
	var events []market.Event
	for i := range operations {
		if random.IntN(20) == 0 {
			middle += int64(random.IntN(2)*2 - 1)
		}
		kind := random.IntN(10)
		if i < operations/100 {
			kind = 0
		}
		if kind >= 6 && kind < 9 && len(live) > 0 {
			at := random.IntN(len(live))
			victim := live[at]
			live[at] = live[len(live)-1]
			live = live[:len(live)-1]
			steps = append(steps, step{cancel: victim})
			events, _ = book.Cancel(1, numbers[victim], 0, 1, events[:0])
			continue
		}
		o := market.Order{Side: market.Side(random.IntN(2)), Quantity: 1 + int64(random.IntN(100))}
		// Owners of buys and of sells differ, so that nobody meets himself.
		o.Owner = uint64(1 + 2*random.IntN(1000) + int(o.Side))
		away := 1 + int64(random.ExpFloat64()*10)
		if kind == 9 {
			away = -60
		}
		o.Price = middle - away
		if o.Side == market.Sell {
			o.Price = middle + away
		}
		steps = append(steps, step{order: o, cancel: -1})
		numbers[i], events, _ = book.Place(1, o, 1, events[:0])
		placed[numbers[i]] = i
		live = append(live, i)
		live = ended(live, placed, events)
	}
	return steps
}

func ended(live []int, placed map[uint64]int, events []market.Event) []int {
	for _, e := range events {
		if e.Kind == market.OrderFilled && e.Open == 0 {
			for at, index := range live {
				if index == placed[e.Number] {
					live[at] = live[len(live)-1]
					live = live[:len(live)-1]
					break
				}
			}
		}
	}
	return live
}

// rest returns an exchange with markets that trade continuously and have no
// bands.
func rest(markets int) *market.Exchange {
	e := market.NewExchange()
	config := market.DefaultConfig()
	config.Mode, config.MaxOwnerOrders, config.AuctionMS, config.RandomMS = market.Continuous, 0, 0, 0
	config.DynamicBPS, config.StaticBPS, config.MaxOrders = 0, 0, 1<<22
	for range markets {
		number, err := e.Open(config)
		if err != nil {
			panic(err)
		}
		if _, refusal := e.CallAuction(number, 0, 1, market.Seed{}, nil); refusal != market.Accepted {
			panic(refusal)
		}
	}
	e.Tick(1, market.Seed{}, 1, nil)
	return e
}

// play runs a stream from an operation on and returns how many trades there were and their volume.
func play(tb testing.TB, e *market.Exchange, steps []step, from int, numbers []uint64) (trades, volume int64) {
	var refusal market.Refusal
	events := make([]market.Event, 0, 1024)
	for i := from; i < len(steps); i++ {
		s := &steps[i]
		if s.cancel >= 0 {
			if events, refusal = e.Cancel(1, numbers[s.cancel], 0, 1, events[:0]); refusal != market.Accepted {
				tb.Fatalf("step %d: cancel refused: %v", i, refusal)
			}
			continue
		}
		if numbers[i], events, refusal = e.Place(1, s.order, 1, events[:0]); refusal != market.Accepted {
			tb.Fatalf("step %d: %+v refused: %v", i, s.order, refusal)
		}
		for j := range events {
			if events[j].Role == market.Taker {
				trades++
				volume += events[j].Quantity
			}
		}
	}
	return trades, volume
}

func BenchmarkContinuous(b *testing.B) {
	steps := stream(1_000_000)
	numbers := make([]uint64, len(steps))
	var trades, volume int64
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		e := rest(1)
		b.StartTimer()
		trades, volume = play(b, e, steps, 0, numbers)
	}
	b.ReportMetric(float64(len(steps))*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(trades), "trades")
	b.ReportMetric(float64(volume), "volume")
}
