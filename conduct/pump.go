package conduct

import (
	"math/big"
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// The rules of pump and dump: in an hour the price rose and the volume grew by
// more than pumpSigmas standard deviations of the hours before, at least
// pumpLeastBPS, and few bought (the Herfindahl index of buyers is above 1/4);
// and within dumpMS those buyers sold half of what they had bought.
const (
	pumpSigmas   = 4
	pumpLeastBPS = 500
	pastHours    = 168 // a week
	leastHours   = 24
	dumpMS       = dayMS
	maxSuspects  = 64
)

// pastHour is what is usual.
type pastHour struct{ returnBPS, volume int64 }

// suspect is who bought most in an hour that looks like a pump.
type suspect struct {
	fromMS               int64
	clusters             []uint64 // ascending
	bought, sold         int64
	returnBPS, herfindal int64
	raised               bool
}

// idle lets hours pass without trades: in them nothing moved.
func (m *marketWatch) idle(hours int64) {
	for range min(hours, pastHours) {
		m.remember()
	}
}

// remember adds the hour that is over to what is usual.
func (m *marketWatch) remember() {
	if len(m.past) == pastHours {
		m.past = slices.Delete(m.past, 0, 1)
	}
	m.past = append(m.past, pastHour{m.hour.returnBPS(), m.hour.volume})
}

func (h *hour) returnBPS() int64 {
	if h.first == 0 {
		return 0
	}
	return (h.last - h.first) * 10_000 / h.first
}

func (m *marketWatch) judgePump(w *Watch, fromMS int64) {
	m.suspect = slices.DeleteFunc(m.suspect, func(s suspect) bool { return s.raised || fromMS-s.fromMS > dumpMS })
	rise := m.hour.returnBPS()
	if len(m.past) < leastHours || rise < pumpLeastBPS || len(m.suspect) == maxSuspects {
		return
	}
	rises := far(rise, m.past, func(p pastHour) int64 { return p.returnBPS })
	grows := far(m.hour.volume, m.past, func(p pastHour) int64 { return p.volume })
	if !rises || !grows {
		return
	}
	s := suspect{fromMS: fromMS, returnBPS: rise}
	var volume int64
	totals := m.hour.merged(w)
	for _, t := range totals {
		volume += t.bought
	}
	for _, t := range totals {
		share := permille(t.bought, volume)
		s.herfindal += share * share / 1000
		if share >= 250 {
			s.clusters = append(s.clusters, t.cluster)
			s.bought += t.bought
		}
	}
	if s.herfindal > 250 && len(s.clusters) > 0 {
		slices.Sort(s.clusters)
		m.suspect = append(m.suspect, s)
	}
}

// far reports whether v lies more than pumpSigmas standard deviations above the
// mean of n values: (n·v - Σ)² > σ²·(n·Σ² - (Σ)²), in whole numbers.
func far(v int64, past []pastHour, of func(pastHour) int64) bool {
	var sum, squares, term big.Int
	for _, p := range past {
		term.SetInt64(of(p))
		sum.Add(&sum, &term)
		squares.Add(&squares, term.Mul(&term, &term))
	}
	n := big.NewInt(int64(len(past)))
	above := new(big.Int).Mul(n, big.NewInt(v))
	above.Sub(above, &sum)
	if above.Sign() <= 0 {
		return false
	}
	spread := new(big.Int).Mul(n, &squares)
	spread.Sub(spread, sum.Mul(&sum, &sum))
	spread.Mul(spread, big.NewInt(pumpSigmas*pumpSigmas))
	return above.Mul(above, above).Cmp(spread) > 0
}

// sold takes in what suspects sell afterwards.
func (m *marketWatch) sold(w *Watch, cluster uint64, f fill) {
	for i := range m.suspect {
		s := &m.suspect[i]
		if _, is := slices.BinarySearch(s.clusters, cluster); !is || s.raised {
			continue
		}
		if f.side == market.Buy {
			s.sold -= f.quantity
			continue
		}
		s.sold += f.quantity
		if 2*s.sold < s.bought {
			continue
		}
		s.raised = true
		var people []uint64
		for _, c := range s.clusters {
			people = append(people, w.clusters.membersOf(c)...)
		}
		w.raise(Alert{
			Kind: Pump, Market: m.number, FromMS: s.fromMS, ToMS: w.nowMS, People: people, ScorePermille: min(1000, 500+s.herfindal/2),
			Evidence: []Evidence{{"rose_bps", s.returnBPS}, {"bought_lots", s.bought}, {"then_sold_lots", s.sold}, {"buyers_herfindahl_permille", s.herfindal}},
		})
	}
}
