package conduct

import (
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// The rules of round trips: the same quantity comes back within tripBatches at
// a price at most a tick away, tripsLeast times in an hour.
const (
	tripBatches = 10
	tripTicks   = 1
	tripsLeast  = 3
	// maxPairs bounds the pairs of people of a market and hour.
	maxPairs = 1 << 14
	// maxCallPairs bounds the fills of a call among which pairs are looked for:
	// in a large one equal quantities mean nothing.
	maxCallPairs = 16
)

// pass is the last time that a quantity went from one of two people to the
// other.
type pass struct {
	low, high       uint64
	toHigh          bool
	price, quantity int64
	atMS            int64
	trips           int64
	orders          []uint64
}

// trips are the pairs of the running hour.
type trips struct {
	list []pass
	at   map[[2]uint64]int
}

func (t *trips) add(m *marketWatch, nowMS int64, a, b fill) {
	if a.person == b.person || a.person == 0 || b.person == 0 {
		return
	}
	buyer, seller := a, b
	if b.side == market.Buy {
		buyer, seller = b, a
	}
	pair := [2]uint64{min(a.person, b.person), max(a.person, b.person)}
	toHigh := buyer.person == pair[1]
	at, there := t.at[pair]
	if !there {
		if len(t.list) == maxPairs {
			return
		}
		if t.at == nil {
			t.at = map[[2]uint64]int{}
		}
		t.at[pair] = len(t.list)
		t.list = append(t.list, pass{low: pair[0], high: pair[1], toHigh: toHigh, price: a.price, quantity: a.quantity, atMS: nowMS})
		return
	}
	p := &t.list[at]
	if p.toHigh != toHigh && p.quantity == a.quantity && within(p.price, a.price, tripTicks) && nowMS-p.atMS <= tripBatches*m.batchMS {
		p.trips++
		if len(p.orders) < MaxListed {
			p.orders = append(p.orders, buyer.order, seller.order)
		}
	}
	p.toHigh, p.price, p.quantity, p.atMS = toHigh, a.price, a.quantity, nowMS
}

// addCall looks for people of a clearing who bought and sold the same quantity.
func (t *trips) addCall(m *marketWatch, nowMS int64, fills []fill) {
	if len(fills) > maxCallPairs {
		return
	}
	for i, a := range fills {
		same := slices.IndexFunc(fills[i+1:], func(b fill) bool { return b.side != a.side && b.quantity == a.quantity })
		if same >= 0 {
			t.add(m, nowMS, a, fills[i+1+same])
		}
	}
}

func (m *marketWatch) judgeTrips(w *Watch, fromMS int64) {
	for _, p := range m.trips.list {
		if p.trips < tripsLeast {
			continue
		}
		w.raise(Alert{
			Kind: RoundTrip, Market: m.number, FromMS: fromMS, ToMS: fromMS + hourMS, People: []uint64{p.low, p.high}, Orders: p.orders,
			ScorePermille: min(1000, 500+50*p.trips), Evidence: []Evidence{{"round_trips", p.trips}, {"lots", p.quantity}, {"price_ticks", p.price}},
		})
	}
	m.trips = trips{}
}
