package conduct

import (
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// The rules of spoofing: an order at least spoofSize times the usual quantity at
// the best price, at most spoofTicks from it, that is cancelled or halved within
// spoofBatches while the same cluster traded on the other side; spoofsLeast
// times in an hour.
const (
	spoofSize    = 5
	spoofTicks   = 3
	spoofBatches = 3
	spoofsLeast  = 3
	// leastSpoofMS is the least time that counts as short, for batches are.
	leastSpoofMS = 5000
)

// The rules of ramping: an order that moved the price of a call by rampBPS or
// more and is cancelled or halved within rampMS, before the call's end.
const (
	rampBPS = 100
	rampMS  = 10_000
)

// lastFills says when clusters last traded on a side.
type lastFills struct {
	at map[lastFill]int64
}

type lastFill struct {
	cluster uint64
	side    market.Side
}

// maxLastFills bounds what is remembered; then all is forgotten.
const maxLastFills = 1 << 16

func (l *lastFills) add(cluster uint64, side market.Side, nowMS int64) {
	if l.at == nil || len(l.at) >= maxLastFills {
		l.at = map[lastFill]int64{}
	}
	l.at[lastFill{cluster, side}] = nowMS
}

func opposite(side market.Side) market.Side { return market.Buy + market.Sell - side }

func (m *marketWatch) judgeSpoof(w *Watch, number uint64, o *resting) {
	short := max(spoofBatches*m.batchMS, leastSpoofMS)
	cluster := w.clusters.of(o.person)
	tradedMS, traded := m.lastFills.at[lastFill{cluster, opposite(o.side)}]
	if !o.large || w.nowMS-o.placedMS > short || !traded || tradedMS < o.placedMS {
		return
	}
	t := m.hour.spoofed.of(cluster)
	t.inside++
	t.bought += o.open
	if len(t.orders) < MaxListed {
		t.orders = append(t.orders, number)
	}
	if t.inside != spoofsLeast {
		return
	}
	w.raise(Alert{
		Kind: Spoof, Market: m.number, FromMS: o.placedMS, ToMS: w.nowMS, People: slices.Clone(w.clusters.membersOf(cluster)), Orders: slices.Clone(t.orders),
		ScorePermille: 800, Evidence: []Evidence{{"cancelled_lots", t.bought}, {"usual_lots", m.usual.median()}, {"lived_ms", w.nowMS - o.placedMS}},
	})
}

func (m *marketWatch) judgeRamp(w *Watch, number uint64, o *resting) {
	if !m.inCall() || o.movedBPS < rampBPS || w.nowMS-o.placedMS > rampMS {
		return
	}
	w.raise(Alert{
		Kind: Ramp, Market: m.number, FromMS: o.placedMS, ToMS: w.nowMS, People: []uint64{o.person}, Orders: []uint64{number},
		ScorePermille: min(1000, 500+o.movedBPS), Evidence: []Evidence{{"moved_price_bps", o.movedBPS}, {"lots", o.placed}, {"lived_ms", w.nowMS - o.placedMS}},
	})
}
