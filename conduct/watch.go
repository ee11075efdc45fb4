package conduct

import (
	"cmp"

	"github.com/attentionbank/attentionbank/market"
)

// marketWatch is what is remembered of one market.
type marketWatch struct {
	number uint32
	// batchMS is the length of a batch; a continuous market counts seconds.
	batchMS   int64
	phase     market.Phase
	sides     sides
	orders    map[uint64]*resting
	last      int64 // price of the last trade
	usual     samples
	call      []fill // of the clearing that is being told
	hour      hour
	past      []pastHour // at most pastHours, the oldest first
	trips     trips
	suspect   []suspect
	lastFills lastFills
}

// fill is one side of a trade.
type fill struct {
	person          uint64
	side            market.Side
	price, quantity int64
	order           uint64
}

// maxWatchedOrders bounds the orders of a market that are remembered; later
// ones are not judged for spoofing and ramping until others have ended.
const maxWatchedOrders = 1 << 21

// Market makes a market known, by its number from 1 on, with the length of its
// batches.
func (w *Watch) Market(number uint32, batchMS int64) {
	for uint32(len(w.markets)) < number {
		w.markets = append(w.markets, newMarketWatch(uint32(len(w.markets)+1)))
	}
	w.markets[number-1].batchMS = max(batchMS, 1)
}

func newMarketWatch(number uint32) *marketWatch {
	return &marketWatch{number: number, batchMS: 1000, orders: map[uint64]*resting{}}
}

// Event takes in what a market said at a time. Orders that were there before
// the watch began are not known and not judged.
func (w *Watch) Event(e market.Event, nowMS int64) {
	w.Advance(nowMS)
	if e.Market == 0 || e.Market > maxMarkets {
		return
	}
	if int(e.Market) > len(w.markets) {
		w.Market(e.Market, 1000)
	}
	m := w.markets[e.Market-1]
	if len(m.call) > 0 && (e.Kind != market.OrderFilled || e.Role != market.InCall) {
		m.endCall(w)
	}
	switch e.Kind {
	case market.OrderAccepted:
		m.placed(e, w.nowMS)
	case market.OrderFilled:
		m.filled(w, e)
	case market.OrderCancelled:
		m.cancelled(w, e)
	case market.OrderAmended:
		m.amended(w, e)
	case market.PhaseChanged:
		m.phase = market.Phase(e.Open)
	}
}

// maxMarkets bounds the markets that are watched.
const maxMarkets = 1 << 16

// inCall reports whether orders wait for a clearing.
func (m *marketWatch) inCall() bool {
	return m.phase == market.PhaseAuction || m.phase == market.PhaseBatch
}

func (m *marketWatch) placed(e market.Event, nowMS int64) {
	if len(m.orders) >= maxWatchedOrders {
		return
	}
	o := &resting{person: e.Owner, side: e.Side, price: e.Price, open: e.Open, placed: e.Quantity, placedMS: nowMS}
	best, there := m.sides.best(e.Side)
	if there {
		m.usual.add(best.quantity)
		usual := m.usual.median()
		o.large = usual > 0 && e.Quantity/spoofSize >= usual && within(best.price, e.Price, spoofTicks)
	}
	before := m.indication()
	m.sides.add(e.Side, e.Price, e.Open)
	o.movedBPS = movedBPS(before, m.indication())
	m.orders[e.Number] = o
}

// indication returns the price at which the running call would trade, or the
// last one if it would not; 0 outside.
func (m *marketWatch) indication() int64 {
	if !m.inCall() {
		return 0
	}
	return cmp.Or(m.sides.indicative(), m.last)
}

func within(a, b, ticks int64) bool { return a-b <= ticks && b-a <= ticks }

// movedBPS returns by how much a price changed, in 1/10000 rounded down.
func movedBPS(before, after int64) int64 {
	if before <= 0 || after <= 0 {
		return 0
	}
	moved := max(after-before, before-after)
	return moved * 10_000 / before // prices are below 2^40
}

func (m *marketWatch) filled(w *Watch, e market.Event) {
	f := fill{person: e.Owner, side: e.Side, price: e.Price, quantity: e.Quantity, order: e.Number}
	m.last = e.Price
	m.lastFills.add(w.clusters.of(e.Owner), e.Side, w.nowMS)
	switch e.Role {
	case market.InCall:
		m.call = append(m.call, f)
	case market.Maker: // the taker's own event follows, and tells the same trade
		if taker := m.orders[e.Counter]; taker != nil {
			m.traded(w, f, fill{person: taker.person, side: taker.side, price: e.Price, quantity: e.Quantity, order: e.Counter})
		}
	}
	if o := m.orders[e.Number]; o != nil {
		m.sides.add(o.side, o.price, -min(e.Quantity, o.open))
		o.open -= min(e.Quantity, o.open)
		if e.Open == 0 {
			delete(m.orders, e.Number)
		}
	}
}

// traded takes in a trade between two people.
func (m *marketWatch) traded(w *Watch, maker, taker fill) {
	first, second := w.clusters.of(maker.person), w.clusters.of(taker.person)
	m.hour.add(first, maker)
	m.hour.add(second, taker)
	m.hour.price(maker.price, maker.quantity)
	if first == second {
		m.hour.inside(first, maker.quantity, maker.order, taker.order)
	}
	m.trips.add(m, w.nowMS, maker, taker)
	m.sold(w, first, maker)
	m.sold(w, second, taker)
}

// endCall takes in a clearing. Nobody trades with anybody in it: what a cluster
// both bought and sold, it traded with itself.
func (m *marketWatch) endCall(w *Watch) {
	var totals clearing
	for _, f := range m.call {
		cluster := w.clusters.of(f.person)
		m.hour.add(cluster, f)
		totals.add(cluster, f)
		m.sold(w, cluster, f)
		if f.side == market.Buy {
			m.hour.price(f.price, f.quantity)
		}
	}
	for _, t := range totals.list {
		if both := min(t.bought, t.sold); both > 0 {
			m.hour.inside(t.cluster, both, t.orders...)
		}
	}
	m.trips.addCall(m, w.nowMS, m.call)
	m.call = m.call[:0]
}

func (m *marketWatch) cancelled(w *Watch, e market.Event) {
	o := m.orders[e.Number]
	if o == nil {
		return
	}
	if e.Reason == market.ByOwner {
		m.judgeSpoof(w, e.Number, o)
		m.judgeRamp(w, e.Number, o)
	}
	m.sides.add(o.side, o.price, -o.open)
	delete(m.orders, e.Number)
}

func (m *marketWatch) amended(w *Watch, e market.Event) {
	o := m.orders[e.Number]
	if o == nil {
		return
	}
	if e.Open <= o.open/2 {
		m.judgeSpoof(w, e.Number, o)
		m.judgeRamp(w, e.Number, o)
	}
	m.sides.add(o.side, o.price, -o.open)
	o.price, o.open = e.Price, e.Open
	m.sides.add(o.side, o.price, o.open)
}
