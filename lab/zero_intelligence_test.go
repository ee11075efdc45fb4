package lab_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// Gode and Sunder, Allocative efficiency of markets with zero-intelligence
// traders, Journal of Political Economy 101 (1993) 119-137: traders who name
// random prices, held back by nothing but their own budget (ZI-C), still
// realise nearly all of the surplus there is; without that (ZI-U) they do not.
// The paper shows its five markets as drawings; these have its six buyers and
// six sellers, equilibria and ZI-U levels like its own.

const traders, highestPrice = 6, 200

// schedule gives buyer i for its unit u the value v0 - i di - u du, and seller i
// the cost c0 + i ei + u eu.
type schedule struct {
	name                          string
	v0, di, du, c0, ei, eu, units int64
	surplus, volume, pLow, pHigh  int64   // of the equilibrium
	unconstrained                 float64 // all units traded, over the surplus
	constrained, reset            float64 // ZI-C: a book, a book emptied by each trade
	truthful                      float64 // one unit a batch at its true value
}

var schedules = []schedule{
	{"GS1", 107, 2, 13, 42, 5, 4, 4, 588, 18, 68, 69, .898, .9866, .9871, .988},
	{"GS2", 101, 3, 13, 41, 5, 7, 3, 400, 14, 69, 70, .900, .9873, .9869, .990},
	{"GS3", 131, 1, 25, 80, 4, 22, 2, 235, 7, 105, 106, .766, .9710, .9689, 1},
	{"GS4", 195, 2, 11, 139, 0, 17, 4, 444, 13, 173, 173, .486, .9845, .9839, 1},
	{"GS5", 194, 0, 21, 104, 6, 1, 5, 1082, 24, 131, 131, .860, .9884, .9886, .958},
}

// worth is what unit u is worth to a trader: buyers are 0 to 5, sellers 6 to 11.
func (s *schedule) worth(trader int, unit int64) int64 {
	if i := int64(trader); i < traders {
		return s.v0 - i*s.di - unit*s.du
	}
	return s.c0 + int64(trader-traders)*s.ei + unit*s.eu
}

func sideOf(trader int) market.Side {
	if trader < traders {
		return market.Buy
	}
	return market.Sell
}

// equilibrium returns the largest surplus, and all units' surplus.
func (s *schedule) equilibrium() (surplus, volume, all int64) {
	var values, costs []int64
	for trader := range 2 * traders {
		for unit := range s.units {
			if sideOf(trader) == market.Buy {
				values = append(values, s.worth(trader, unit))
			} else {
				costs = append(costs, s.worth(trader, unit))
			}
		}
	}
	slices.Sort(costs)
	slices.SortFunc(values, func(a, b int64) int { return int(b - a) })
	for i := range values {
		if gain := values[i] - costs[i]; gain >= 0 {
			surplus, volume = surplus+gain, volume+1
		}
		all += values[i] - costs[i]
	}
	return surplus, volume, all
}

// period is one period of trading: everybody has all units again.
type period struct {
	*schedule
	*engine
	random        *rand.Rand
	unconstrained bool
	done          [2 * traders]int64 // units traded
	quotes        [2 * traders]uint64
	surplus       int64
	prices        []int64
}

// price draws what a trader names for the next unit.
func (p *period) price(trader int) int64 {
	worth := p.worth(trader, p.done[trader])
	switch {
	case p.unconstrained:
		return 1 + p.random.Int64N(highestPrice)
	case sideOf(trader) == market.Buy:
		return 1 + p.random.Int64N(worth)
	}
	return worth + p.random.Int64N(highestPrice-worth+1)
}

// quote names a price in place of the trader's earlier one.
func (p *period) quote(trader int, price int64) {
	if p.quotes[trader] != 0 {
		p.cancel(1, p.quotes[trader])
	}
	p.quotes[trader] = p.place(1, market.Order{Owner: uint64(trader + 1), Side: sideOf(trader), Price: price, Quantity: 1})
	p.settle()
}

// settle takes the fills of the last events; once for each unit of a trade is
// its price noted.
func (p *period) settle() (traded bool) {
	for i := range p.events {
		e := &p.events[i]
		if e.Kind != market.OrderFilled {
			continue
		}
		trader := int(e.Owner - 1)
		worth := p.worth(trader, p.done[trader])
		if e.Side == market.Sell {
			worth = -worth
			p.prices = append(p.prices, e.Price)
		}
		p.surplus += worth
		p.done[trader]++
		p.quotes[trader] = 0
		traded = true
	}
	return traded
}

// over reports that nobody can trade any longer: with budgets, when no buyer's
// next value reaches a seller's next cost.
func (p *period) over() bool {
	value, cost := int64(0), int64(1<<40)
	for trader := range 2 * traders {
		switch worth := p.worth(trader, p.done[trader]); {
		case p.done[trader] == p.units:
		case p.unconstrained:
			return false
		case sideOf(trader) == market.Buy:
			value = max(value, worth)
		default:
			cost = min(cost, worth)
		}
	}
	return value < cost
}

func (p *period) clearQuotes() {
	for trader := range p.quotes {
		if p.quotes[trader] != 0 {
			p.cancel(1, p.quotes[trader])
			p.quotes[trader] = 0
		}
	}
}

const steps = 4000

// continuous lets a trader at a time name a price, who is drawn among all.
func (p *period) continuous(reset bool) {
	for step := 0; step < steps && !p.over(); step++ {
		trader := p.random.IntN(2 * traders)
		if p.done[trader] == p.units {
			continue
		}
		trades := len(p.prices)
		p.quote(trader, p.price(trader))
		if reset && len(p.prices) > trades {
			p.clearQuotes()
		}
	}
	p.clearQuotes()
}

// mostBatches is how many batches a period has at most: with as many prices
// named as in a book, 333, the last units of GS2 go untraded as often as there.
const mostBatches = 1000

// batches lets everybody name a price for each batch.
func (p *period) batches(price func(trader int) int64) {
	for round := 0; round < mostBatches && !p.over(); round++ {
		for _, trader := range p.random.Perm(2 * traders) {
			if p.done[trader] < p.units {
				p.quote(trader, price(trader))
			}
		}
		p.tick(1)
		p.settle()
	}
	p.clearQuotes()
}

// outcome is what many periods came to.
type outcome struct {
	surplus               int64
	efficiency, deviation float64
}

// run trades periods and returns the mean efficiency and the root mean square
// distance of prices from the equilibrium.
func (s *schedule) run(t *testing.T, experiment uint64, mode market.Mode, periods int, trade func(p *period)) outcome {
	x, random := open(t, mode, 1, highestPrice, 0, 1), seeded(experiment)
	var realised int64
	var squares, count float64
	middle := float64(s.pLow+s.pHigh) / 2
	for range periods {
		p := &period{schedule: s, engine: x, random: random}
		trade(p)
		realised += p.surplus
		for _, price := range p.prices {
			squares += (float64(price) - middle) * (float64(price) - middle)
			count++
		}
	}
	return outcome{realised, float64(realised) / float64(s.surplus) / float64(periods), math.Sqrt(squares / count)}
}

func TestGodeSunder(t *testing.T) {
	const periods = 300
	overall := 0.0
	for i := range schedules {
		s, experiment := &schedules[i], uint64(10*i)
		surplus, volume, all := s.equilibrium()
		if surplus != s.surplus || volume != s.volume {
			t.Errorf("%s: surplus %d of %d units, expected %d of %d", s.name, surplus, volume, s.surplus, s.volume)
		}
		// ZI-U: when all units have changed hands, the surplus is that of all.
		unconstrained := s.run(t, experiment, market.Continuous, 20, func(p *period) { p.unconstrained = true; p.continuous(false) })
		if unconstrained.surplus != 20*all || math.Abs(unconstrained.efficiency-s.unconstrained) > .0006 {
			t.Errorf("%s: ZI-U surplus %d and efficiency %.4f, expected %d and %.3f", s.name, unconstrained.surplus, unconstrained.efficiency, 20*all, s.unconstrained)
		}
		book := s.run(t, experiment+1, market.Continuous, periods, func(p *period) { p.continuous(false) })
		reset := s.run(t, experiment+2, market.Continuous, periods, func(p *period) { p.continuous(true) })
		batch := s.run(t, experiment+3, market.Batch, periods, func(p *period) { p.batches(p.price) })
		truthful := s.run(t, experiment+4, market.Batch, 1, func(p *period) {
			p.batches(func(trader int) int64 { return p.worth(trader, p.done[trader]) })
		})
		t.Logf("%s: ZI-U %.4f; ZI-C %.4f, emptied after trades %.4f, in batches %.4f; truthful %.4f; prices off by %.1f, in batches %.1f",
			s.name, unconstrained.efficiency, book.efficiency, reset.efficiency, batch.efficiency, truthful.efficiency, book.deviation, batch.deviation)
		for _, c := range []struct {
			what           string
			got, published float64
		}{{"a book", book.efficiency, s.constrained}, {"a book emptied by trades", reset.efficiency, s.reset}} {
			if math.Abs(c.got-c.published) > .005 || c.got < .96 {
				t.Errorf("%s: efficiency of ZI-C in %s %.4f, expected %.4f", s.name, c.what, c.got, c.published)
			}
		}
		if math.Abs(truthful.efficiency-s.truthful) > .0005 {
			t.Errorf("%s: efficiency of truthful batches %.4f, expected %.3f", s.name, truthful.efficiency, s.truthful)
		}
		if batch.efficiency <= book.efficiency || batch.deviation >= book.deviation {
			t.Errorf("%s: batches are no better than a book: %+v, %+v", s.name, batch, book)
		}
		if sealed := s.sealed(t); sealed != s.surplus {
			t.Errorf("%s: a sealed call of all units at their true values realises %d of %d", s.name, sealed, s.surplus)
		}
		overall += book.efficiency / float64(len(schedules))
	}
	if overall < .98 {
		t.Errorf("mean efficiency of ZI-C %.4f, expected at least .98", overall)
	}
}

// sealed returns the surplus of one call in which everybody offers all units at
// what they are worth.
func (s *schedule) sealed(t *testing.T) (surplus int64) {
	x := open(t, market.Batch, 1, highestPrice, 0, 1)
	worth := map[uint64]int64{}
	for trader := range 2 * traders {
		for unit := range s.units {
			o := market.Order{Owner: uint64(trader + 1), Side: sideOf(trader), Price: s.worth(trader, unit), Quantity: 1}
			worth[x.place(1, o)] = o.Price
		}
	}
	x.tick(1)
	for _, e := range x.events {
		if e.Kind == market.OrderFilled && e.Side == market.Buy {
			surplus += worth[e.Number]
		} else if e.Kind == market.OrderFilled {
			surplus -= worth[e.Number]
		}
	}
	return surplus
}
