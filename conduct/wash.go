package conduct

import (
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// The rules of wash trading: in an hour a cluster bought and sold nearly the
// same, at least washShare of it with itself.
const (
	washNetPart   = 10 // the net is less than a tenth of the gross
	washPermille  = 500
	washLeastLots = 10
)

// total is what a cluster did.
type total struct {
	cluster      uint64
	bought, sold int64
	inside       int64 // traded with itself, counted once
	orders       []uint64
}

// clearing sums the fills of a call by cluster, in the order of their first.
type clearing struct {
	list []total
	at   map[uint64]int
}

func (c *clearing) of(cluster uint64) *total {
	at, there := c.at[cluster]
	if !there {
		if c.at == nil {
			c.at = map[uint64]int{}
		}
		at = len(c.list)
		c.at[cluster] = at
		c.list = append(c.list, total{cluster: cluster})
	}
	return &c.list[at]
}

func (c *clearing) add(cluster uint64, f fill) {
	t := c.of(cluster)
	if f.side == market.Buy {
		t.bought += f.quantity
	} else {
		t.sold += f.quantity
	}
	if len(t.orders) < MaxListed {
		t.orders = append(t.orders, f.order)
	}
}

// hour is what happened in the running hour.
type hour struct {
	clearing
	first, last int64 // prices
	volume      int64
	spoofed     clearing // bought and sold count spoofs, by cluster
}

func (h *hour) price(price, quantity int64) {
	if h.first == 0 {
		h.first = price
	}
	h.last = price
	h.volume += quantity
}

func (h *hour) inside(cluster uint64, quantity int64, orders ...uint64) {
	t := h.of(cluster)
	t.inside += quantity
	t.orders = append(t.orders, orders[:min(len(orders), max(0, MaxListed-len(t.orders)))]...)
}

// judgeHour ends the hour of a market that began at fromMS.
func (m *marketWatch) judgeHour(w *Watch, fromMS int64) {
	if len(m.call) > 0 {
		m.endCall(w)
	}
	for _, t := range m.hour.merged(w) {
		m.judgeWash(w, t, fromMS)
	}
	m.judgeTrips(w, fromMS)
	m.judgePump(w, fromMS)
	m.remember()
	m.hour = hour{}
}

// merged sums the totals of clusters that have become one in the hour.
func (h *hour) merged(w *Watch) []total {
	var now clearing
	for _, t := range h.list {
		sum := now.of(w.clusters.of(t.cluster))
		sum.bought += t.bought
		sum.sold += t.sold
		sum.inside += t.inside
		sum.orders = append(sum.orders, t.orders[:min(len(t.orders), MaxListed-min(len(sum.orders), MaxListed))]...)
	}
	return now.list
}

func (m *marketWatch) judgeWash(w *Watch, t total, fromMS int64) {
	gross, net := t.bought+t.sold, max(t.bought-t.sold, t.sold-t.bought)
	score := permille(2*t.inside, gross)
	if t.inside < washLeastLots || net*washNetPart >= gross || score < washPermille {
		return
	}
	w.raise(Alert{
		Kind: Wash, Market: m.number, FromMS: fromMS, ToMS: fromMS + hourMS, People: slices.Clone(w.clusters.membersOf(t.cluster)),
		Orders: t.orders, ScorePermille: min(score, 1000),
		Evidence: append([]Evidence{{"bought_lots", t.bought}, {"sold_lots", t.sold}, {"with_itself_lots", t.inside}}, w.tied(t.cluster)...),
	})
}
