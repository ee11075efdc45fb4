package market_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/pages"
)

// twin is an exchange as the rules say it and in the plainest way: it keeps a
// list of orders and answers every question by looking at all of them.
type twin struct {
	markets []*twinMarket
	halted  bool
	owners  map[uint64]bool // those that are halted
}

type twinOrder struct {
	market.Order
	number, priority, call uint64
	open, filled           int64
}

type twinTrade struct{ bucket, price, quantity int64 }

type twinMarket struct {
	number   uint32
	config   market.Config
	phase    market.Phase
	resumes  bool
	orders   []*twinOrder // by priority
	sequence uint64
	call     uint64
	seed     market.Seed
	draws    uint64

	endsMS, lockMS, extensions          int64
	last, reference, static             int64
	staticUntilMS, wideUntilMS, stuckMS int64
	trades                              []twinTrade
	bucket                              int64
	events                              []market.Event
}

func (x *twin) open(config market.Config) {
	x.markets = append(x.markets, &twinMarket{number: uint32(len(x.markets) + 1), config: config, call: 1})
}

// at returns a market, nil if there is none.
func (x *twin) at(number uint32) *twinMarket {
	if number == 0 || int(number) > len(x.markets) {
		return nil
	}
	return x.markets[number-1]
}

// reaches reports whether an order with this limit accepts a price.
func reaches(side market.Side, limit, price int64) bool {
	return side == market.Buy && limit >= price || side == market.Sell && limit <= price
}

func rests(kind market.Kind) bool { return kind == market.GTC || kind == market.GTD }

// Bands.

const unbounded = 1<<63 - 1

func around(price, bps int64) (low, high int64) {
	if price == 0 || bps == 0 {
		return 0, unbounded
	}
	low = (price*(10_000-bps) + 9_999) / 10_000
	high = price * (10_000 + bps) / 10_000
	if low == price {
		low--
	}
	return max(low, 1), max(high, price+1)
}

func (m *twinMarket) bands() (low, high int64) {
	width := m.config.DynamicBPS
	if m.wideUntilMS > 0 {
		width *= 2
	}
	a, b := around(m.reference, width)
	c, d := around(m.static, m.config.StaticBPS)
	return max(a, c), min(b, d)
}

func (m *twinMarket) bound(side market.Side) (int64, bool) {
	low, high := m.bands()
	if m.phase == market.PhaseAuction {
		low, high = around(m.static, m.config.StaticBPS)
	}
	if high == unbounded {
		return 0, false
	}
	if side == market.Buy {
		return min(high, m.config.MaxPrice), true
	}
	return low, true
}

func (m *twinMarket) traded(price, quantity, nowMS int64) {
	if len(m.trades) == 0 {
		m.bucket = nowMS / 10_000
	}
	m.last = price
	m.trades = append(m.trades, twinTrade{nowMS / 10_000, price, quantity})
}

// agree makes a first trade the reference; it is called after all trades of an
// instruction.
func (m *twinMarket) agreeFirst(nowMS int64) {
	if m.reference == 0 && m.last != 0 {
		m.agree(m.last, nowMS)
	}
}

func (m *twinMarket) agree(price, nowMS int64) {
	m.last, m.reference, m.static, m.staticUntilMS = price, price, price, nowMS+24*3600*1000
}

func (m *twinMarket) roll(nowMS int64) {
	for len(m.trades) > 0 && (m.bucket+1)*10_000 <= nowMS {
		m.bucket++
		m.trades = slices.DeleteFunc(m.trades, func(t twinTrade) bool { return t.bucket <= m.bucket-31 })
		next := m.reference
		if len(m.trades) >= 5 {
			value, quantity := new(big.Int), new(big.Int)
			for _, t := range m.trades {
				q := big.NewInt(t.quantity)
				quantity.Add(quantity, q)
				value.Add(value, q.Mul(q, big.NewInt(t.price)))
			}
			next = value.Div(value, quantity).Int64()
		} else if len(m.trades) > 0 && m.config.Mode == market.Batch {
			next = m.last
		}
		if change := max(next-m.reference, m.reference-next); change*100 >= m.reference {
			m.reference = next
		}
	}
	if m.wideUntilMS > 0 && m.wideUntilMS <= nowMS {
		m.wideUntilMS = 0
	}
	if m.staticUntilMS > 0 && m.staticUntilMS <= nowMS {
		m.static, m.staticUntilMS = m.reference, nowMS+24*3600*1000
	}
}

func (m *twinMarket) watch(nowMS int64) {
	low, high := m.bands()
	if m.phase != market.PhaseContinuous || high == unbounded || m.config.StuckMS == 0 {
		return
	}
	at := slices.ContainsFunc(m.orders, func(o *twinOrder) bool {
		return o.Side == market.Buy && o.Price >= high || o.Side == market.Sell && o.Price <= low
	})
	if !at {
		m.stuckMS = 0
	} else if m.stuckMS == 0 {
		m.stuckMS = nowMS + m.config.StuckMS
	}
}

// Orders.

func (m *twinMarket) tell(e market.Event) {
	e.Market = m.number
	m.events = append(m.events, e)
}

func (m *twinMarket) tellOrder(o *twinOrder, e market.Event) {
	e.Side, e.Number, e.Owner, e.Reference = o.Side, o.number, o.Owner, o.Reference
	m.tell(e)
}

func (m *twinMarket) remove(o *twinOrder) {
	m.orders = slices.DeleteFunc(m.orders, func(other *twinOrder) bool { return other == o })
}

func (m *twinMarket) cancel(o *twinOrder, reason market.Reason) {
	m.tellOrder(o, market.Event{Kind: market.OrderCancelled, Reason: reason, Price: o.Price, Quantity: o.open})
	m.remove(o)
}

// best returns the order of a side that trades first.
func (m *twinMarket) best(side market.Side) (best *twinOrder) {
	for _, o := range m.orders {
		if o.Side == side && (best == nil || !reaches(side, best.Price, o.Price)) {
			best = o
		}
	}
	return best
}

func (m *twinMarket) count(owner uint64) (n int64) {
	for _, o := range m.orders {
		if o.Owner == owner {
			n++
		}
	}
	return n
}

func (m *twinMarket) meetsOwn(owner uint64, side market.Side, price int64) bool {
	return slices.ContainsFunc(m.orders, func(o *twinOrder) bool {
		return o.Owner == owner && o.Side != side && reaches(side, price, o.Price)
	})
}

func (x *twin) mayTrade(m *twinMarket, owner uint64) market.Refusal {
	switch {
	case x.halted:
		return market.AllHalted
	case m.phase == market.PhaseHalted:
		return market.MarketHalted
	case x.owners[owner]:
		return market.OwnerHalted
	}
	return market.Accepted
}

func valid(o *market.Order, c *market.Config, nowMS int64) market.Refusal {
	unpriced := o.Kind == market.Market && o.Price == 0
	switch {
	case o.Side != market.Buy && o.Side != market.Sell:
		return market.SideUnknown
	case o.Kind > market.FOK || o.SelfTrade > market.CancelBoth:
		return market.KindUnknown
	case !unpriced && (o.Price <= 0 || o.Price > c.MaxPrice):
		return market.PriceOutOfRange
	case o.Quantity <= 0 || o.Quantity > c.MaxQuantity:
		return market.QuantityOutOfRange
	case o.Kind == market.GTD && o.ExpiresMS <= nowMS:
		return market.ExpiryNotAhead
	case o.Kind != market.GTD && o.ExpiresMS != 0:
		return market.ExpiryNotAllowed
	case o.PostOnly && !rests(o.Kind):
		return market.PostOnlyMustRest
	}
	return market.Accepted
}

// limit is the price that an order which does not rest is bounded by.
func (m *twinMarket) limit(side market.Side, kind market.Kind, price int64) (int64, market.Refusal) {
	if rests(kind) {
		return price, market.Accepted
	}
	bound, bounded := m.bound(side)
	if price == 0 && !bounded {
		return 0, market.NoBound
	}
	if bounded && (price == 0 || side == market.Buy && price > bound || side == market.Sell && price < bound) {
		return bound, market.Accepted
	}
	return price, market.Accepted
}

func (m *twinMarket) meets(owner uint64, side market.Side, postOnly bool, price int64) market.Refusal {
	if best := m.best(1 - side); postOnly && best != nil && reaches(side, price, best.Price) {
		return market.WouldTake
	}
	if m.phase != market.PhaseContinuous && m.meetsOwn(owner, side, price) {
		return market.WouldMeetOwn
	}
	return market.Accepted
}

func (x *twin) place(number uint32, o market.Order, nowMS int64) market.Refusal {
	m := x.at(number)
	if m == nil {
		return market.MarketNotFound
	}
	if refusal := cmp.Or(valid(&o, &m.config, nowMS), x.mayTrade(m, o.Owner)); refusal != 0 {
		return refusal
	}
	continuous := m.phase == market.PhaseContinuous
	if o.Kind == market.FOK && !continuous {
		return market.FillOrKillInCall
	}
	price, refusal := m.limit(o.Side, o.Kind, o.Price)
	if refusal != 0 {
		return refusal
	}
	if o.Price = price; rests(o.Kind) || !continuous {
		if m.config.MaxOwnerOrders > 0 && m.count(o.Owner) >= m.config.MaxOwnerOrders {
			return market.TooManyOwnerOrders
		}
		if int64(len(m.orders)) >= m.config.MaxOrders {
			return market.BookFull
		}
	}
	if refusal := m.meets(o.Owner, o.Side, o.PostOnly, price); refusal != 0 {
		return refusal
	}
	fresh := &twinOrder{Order: o, number: m.sequence + 1, open: o.Quantity}
	if o.Kind == market.FOK && !m.fills(fresh, nowMS) {
		return market.CannotFill
	}
	m.sequence++
	m.tellOrder(fresh, market.Event{Kind: market.OrderAccepted, Price: price, Quantity: o.Quantity, Open: o.Quantity})
	m.arrive(fresh, nowMS)
	return market.Accepted
}

// fills tries an order on a copy of the market.
func (m *twinMarket) fills(o *twinOrder, nowMS int64) bool {
	trial, taker := *m, *o
	trial.events, trial.trades, trial.orders = nil, slices.Clone(m.trades), nil
	for _, resting := range m.orders {
		maker := *resting
		trial.orders = append(trial.orders, &maker)
	}
	trial.match(&taker, nowMS)
	return taker.open == 0
}

// arrive takes an order that is not in the list.
func (m *twinMarket) arrive(o *twinOrder, nowMS int64) {
	o.priority, o.call = m.sequence, 0
	if m.phase != market.PhaseContinuous {
		o.call = m.call
		m.orders = append(m.orders, o)
		if m.endsMS == 0 {
			m.endsMS = nowMS + m.config.BatchMS
		}
		return
	}
	reason := m.match(o, nowMS)
	m.agreeFirst(nowMS)
	if o.open == 0 {
		return
	}
	best := m.best(1 - o.Side)
	outside := best != nil && reaches(o.Side, o.Price, best.Price)
	switch {
	case reason != market.NoReason:
	case !rests(o.Kind):
		reason = market.Unfilled
	case outside && m.meetsOwn(o.Owner, o.Side, o.Price):
		reason = market.SelfTraded
	}
	m.orders = append(m.orders, o)
	if reason != market.NoReason {
		m.cancel(o, reason)
	} else if outside {
		m.startAuction(market.Volatility, m.config.AuctionMS, nowMS)
	}
}

func (m *twinMarket) match(taker *twinOrder, nowMS int64) market.Reason {
	low, high := m.bands()
	for taker.open > 0 {
		maker := m.best(1 - taker.Side)
		if maker == nil || !reaches(taker.Side, taker.Price, maker.Price) || maker.Price < low || maker.Price > high {
			break
		}
		if maker.Owner == taker.Owner {
			if taker.SelfTrade != market.CancelNewest {
				m.cancel(maker, market.SelfTraded)
			}
			if taker.SelfTrade != market.CancelOldest {
				return market.SelfTraded
			}
			continue
		}
		quantity := min(taker.open, maker.open)
		m.fill(maker, market.Maker, maker.Price, quantity, taker.number)
		m.fill(taker, market.Taker, maker.Price, quantity, maker.number)
		m.traded(maker.Price, quantity, nowMS)
	}
	return market.NoReason
}

func (m *twinMarket) fill(o *twinOrder, role market.Role, price, quantity int64, counter uint64) {
	o.open -= quantity
	o.filled += quantity
	m.tellOrder(o, market.Event{Kind: market.OrderFilled, Role: role, Price: price, Quantity: quantity, Open: o.open, Counter: counter})
	if o.open == 0 {
		m.remove(o)
	}
}

func (x *twin) find(m *twinMarket, number, owner uint64) (*twinOrder, market.Refusal) {
	for _, o := range m.orders {
		if o.number == number {
			if owner != 0 && o.Owner != owner {
				return nil, market.NotOwner
			}
			return o, market.Accepted
		}
	}
	return nil, market.OrderNotFound
}

func (x *twin) amend(number uint32, order, owner uint64, price, quantity, nowMS int64) market.Refusal {
	m := x.at(number)
	if m == nil {
		return market.MarketNotFound
	}
	if price <= 0 || price > m.config.MaxPrice {
		return market.PriceOutOfRange
	}
	if quantity <= 0 || quantity > m.config.MaxQuantity {
		return market.QuantityOutOfRange
	}
	o, refusal := x.find(m, order, owner)
	if refusal != 0 {
		return refusal
	}
	if quantity <= o.filled {
		return market.NothingLeft
	}
	if refusal := x.mayTrade(m, o.Owner); refusal != 0 {
		return refusal
	}
	if price, refusal = m.limit(o.Side, o.Kind, price); refusal != 0 {
		return refusal
	}
	worse := quantity < o.Quantity || price != o.Price && reaches(o.Side, o.Price, price)
	if worse && m.locked(nowMS) {
		return market.AuctionLocked
	}
	event := market.Event{Kind: market.OrderAmended, Reason: market.PriorityKept, Price: price, Quantity: quantity, Open: quantity - o.filled}
	if price == o.Price && quantity <= o.Quantity {
		o.Quantity, o.open = quantity, quantity-o.filled
		m.tellOrder(o, event)
		return market.Accepted
	}
	if refusal := m.meets(o.Owner, o.Side, o.PostOnly, price); refusal != 0 {
		return refusal
	}
	m.remove(o)
	m.sequence++
	o.Price, o.Quantity, o.open = price, quantity, quantity-o.filled
	event.Reason = market.PriorityLost
	m.tellOrder(o, event)
	m.arrive(o, nowMS)
	return market.Accepted
}

func (x *twin) cancel(number uint32, order, owner uint64, nowMS int64) market.Refusal {
	m := x.at(number)
	if m == nil {
		return market.MarketNotFound
	}
	o, refusal := x.find(m, order, owner)
	if refusal != 0 {
		return refusal
	}
	if owner == 0 {
		m.cancel(o, market.ByOperator)
		return market.Accepted
	}
	if m.locked(nowMS) {
		return market.AuctionLocked
	}
	m.cancel(o, market.ByOwner)
	return market.Accepted
}

// ownerOrders returns an owner's orders, the first placed first.
func (m *twinMarket) ownerOrders(owner uint64) (list []*twinOrder) {
	for _, o := range m.orders {
		if o.Owner == owner {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *twinOrder) int { return cmp.Compare(a.number, b.number) })
	return list
}

func (x *twin) cancelOwner(number uint32, owner uint64, limit int) (more bool) {
	m := x.at(number)
	if m == nil {
		return false
	}
	list := m.ownerOrders(owner)
	for _, o := range list[:min(limit, len(list))] {
		m.cancel(o, market.ByOperator)
	}
	return len(list) > limit
}

// Phases.

func (m *twinMarket) locked(nowMS int64) bool {
	return m.phase == market.PhaseAuction && nowMS >= m.lockMS
}

func (m *twinMarket) tellPhase(reason market.Reason, earliestMS int64) {
	m.tell(market.Event{Kind: market.PhaseChanged, Reason: reason, Price: m.reference, Quantity: earliestMS, Open: int64(m.phase)})
}

func (m *twinMarket) startAuction(reason market.Reason, lengthMS, nowMS int64) {
	if reason != market.Extended {
		m.extensions = 0
		m.call++
	}
	m.phase, m.stuckMS = market.PhaseAuction, 0
	m.lockMS = nowMS + lengthMS - min(lengthMS, m.config.LockMS)
	m.draws++
	digest := sha256.Sum256(binary.LittleEndian.AppendUint64(slices.Clone(m.seed[:]), m.draws))
	m.endsMS = nowMS + lengthMS + int64(binary.LittleEndian.Uint64(digest[:])%uint64(m.config.RandomMS+1))
	m.tellPhase(reason, nowMS+lengthMS)
}

func (x *twin) callAuction(number uint32, reference, nowMS int64, seed market.Seed) market.Refusal {
	m := x.at(number)
	switch {
	case m == nil:
		return market.MarketNotFound
	case reference < 0 || reference > m.config.MaxPrice:
		return market.PriceOutOfRange
	case x.halted:
		return market.AllHalted
	case m.phase != market.PhaseHalted:
		return market.NotHalted
	}
	if reference > 0 {
		m.trades = nil
		m.agree(reference, nowMS)
	}
	m.seed = seed
	m.startAuction(market.Opening, m.config.AuctionMS, nowMS)
	return market.Accepted
}

func (m *twinMarket) halt(reason market.Reason) {
	m.endImmediate()
	m.phase, m.endsMS, m.lockMS, m.stuckMS = market.PhaseHalted, 0, 0, 0
	m.tellPhase(reason, 0)
}

func (x *twin) halt(number uint32) market.Refusal {
	m := x.at(number)
	if m == nil {
		return market.MarketNotFound
	}
	m.resumes = false
	if m.phase != market.PhaseHalted {
		m.halt(market.ByOperator)
	}
	return market.Accepted
}

func (x *twin) haltAll() {
	x.halted = true
	for _, m := range x.markets {
		if m.phase != market.PhaseHalted {
			m.halt(market.ByOperator)
			m.resumes = true
		}
	}
}

func (x *twin) resumeAll(nowMS int64, seed market.Seed) {
	x.halted = false
	for _, m := range x.markets {
		if m.resumes {
			m.resumes, m.seed = false, seed
			m.startAuction(market.Opening, m.config.AuctionMS, nowMS)
		}
	}
}

// Time.

// dueMS returns when a market has something to do, 0 for never.
func (m *twinMarket) dueMS() int64 {
	times := []int64{m.endsMS, m.stuckMS, m.wideUntilMS, m.staticUntilMS}
	for _, o := range m.orders {
		due := o.ExpiresMS
		if m.phase == market.PhaseAuction && due >= m.lockMS {
			due = max(due, m.endsMS)
		}
		times = append(times, due)
		if o.ExpiresMS == 0 {
			times[len(times)-1] = 0
		}
	}
	if len(m.trades) > 0 {
		times = append(times, (m.bucket+1)*10_000)
	}
	first := int64(0)
	for _, t := range times {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

func (x *twin) dueMS() (first int64) {
	for _, m := range x.markets {
		if due := m.dueMS(); due != 0 && (first == 0 || due < first) {
			first = due
		}
	}
	return first
}

func (x *twin) tick(nowMS int64, seed market.Seed) {
	for _, m := range x.markets {
		for m.dueMS() != 0 && m.dueMS() <= nowMS {
			m.tick(nowMS, seed)
		}
	}
}

func (m *twinMarket) tick(nowMS int64, seed market.Seed) {
	var expired []*twinOrder
	for _, o := range m.orders {
		waits := m.phase == market.PhaseAuction && o.ExpiresMS >= m.lockMS
		if o.ExpiresMS != 0 && o.ExpiresMS <= nowMS && !waits {
			expired = append(expired, o)
		}
	}
	slices.SortFunc(expired, func(a, b *twinOrder) int {
		return cmp.Or(cmp.Compare(a.ExpiresMS, b.ExpiresMS), cmp.Compare(a.number, b.number))
	})
	for _, o := range expired {
		m.cancel(o, market.Expired)
	}
	m.roll(nowMS)
	if m.stuckMS != 0 && m.stuckMS <= nowMS {
		m.startAuction(market.Volatility, m.config.AuctionMS, nowMS)
	}
	if m.endsMS != 0 && m.endsMS <= nowMS {
		if m.phase == market.PhaseAuction {
			m.endAuction(nowMS, seed)
		} else {
			m.endBatch(nowMS, seed)
		}
	}
	m.watch(nowMS)
}

// Calls.

// demand sums the buyers that accept a price, supply the sellers.
func (m *twinMarket) within(side market.Side, price int64) (quantity int64) {
	for _, o := range m.orders {
		if o.Side == side && reaches(side, o.Price, price) {
			quantity += o.open
		}
	}
	return quantity
}

// equilibrium finds the prices at which no unfilled buyer bids more and no
// unfilled seller asks less. Demand and supply change at limits only, so the
// ends of the interval are limits or their neighbours.
func (m *twinMarket) equilibrium() (low, high, volume int64) {
	for _, o := range m.orders {
		for p := o.Price - 1; p <= o.Price+1; p++ {
			noBuyer := m.within(market.Buy, p+1) <= m.within(market.Sell, p)
			noSeller := m.within(market.Sell, p-1) <= m.within(market.Buy, p)
			if noBuyer && (low == 0 || p < low) {
				low = p
			}
			if noSeller && p > high {
				high = p
			}
		}
	}
	return low, high, min(m.within(market.Buy, low), m.within(market.Sell, low))
}

func (m *twinMarket) nearest(low, high int64) int64 {
	switch {
	case m.last == 0:
		return (low + high) / 2
	case m.last < low:
		return low
	case m.last > high:
		return high
	}
	return m.last
}

func (m *twinMarket) endBatch(nowMS int64, seed market.Seed) {
	low, high, volume := m.equilibrium()
	bandLow, bandHigh := m.bands()
	if volume > 0 && (low > bandHigh || high < bandLow) {
		m.endImmediate()
		m.startAuction(market.Volatility, m.config.AuctionMS, nowMS)
		return
	}
	if volume > 0 {
		m.clear(m.nearest(max(low, bandLow), min(high, bandHigh)), volume, nowMS)
	}
	m.endCall(seed)
}

func (m *twinMarket) endAuction(nowMS int64, seed market.Seed) {
	low, high, volume := m.equilibrium()
	if volume > 0 {
		price := m.nearest(low, high)
		if staticLow, staticHigh := around(m.static, m.config.StaticBPS); price < staticLow || price > staticHigh {
			if m.extensions == m.config.Extensions {
				m.seed = seed
				m.halt(market.NoPrice)
				return
			}
			m.extensions++
			m.startAuction(market.Extended, m.config.ExtensionMS, nowMS)
			return
		}
		m.trades = nil
		m.agree(price, nowMS)
		m.clear(price, volume, nowMS)
	}
	m.extensions, m.lockMS, m.wideUntilMS = 0, 0, nowMS+15*60*1000
	m.phase = market.PhaseBatch
	if m.config.Mode == market.Continuous {
		m.phase = market.PhaseContinuous
	}
	m.endCall(seed)
	m.tellPhase(market.AuctionEnded, 0)
}

func (m *twinMarket) endCall(seed market.Seed) {
	m.endsMS, m.seed = 0, seed
	m.call++
	m.endImmediate()
}

func (m *twinMarket) endImmediate() {
	var list []*twinOrder
	for _, o := range m.orders {
		if !rests(o.Kind) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *twinOrder) int { return cmp.Compare(a.number, b.number) })
	for _, o := range list {
		m.cancel(o, market.Unfilled)
	}
}

// tie is the place of an owner among those of one class.
func (m *twinMarket) tie(owner uint64) (h uint64) {
	for i := 0; i < 32; i += 8 {
		h = pages.Mix(h, binary.LittleEndian.Uint64(m.seed[i:]))
	}
	return pages.Mix(h, owner)
}

func (m *twinMarket) clear(price, volume, nowMS int64) {
	m.tell(market.Event{Kind: market.MarketCleared, Role: market.InCall, Price: price, Quantity: volume})
	for _, side := range []market.Side{market.Buy, market.Sell} {
		var takes []*twinOrder
		for _, o := range m.orders {
			if o.Side == side && reaches(side, o.Price, price) {
				takes = append(takes, o)
			}
		}
		slices.SortStableFunc(takes, func(a, b *twinOrder) int {
			if side == market.Buy {
				return cmp.Compare(b.Price, a.Price)
			}
			return cmp.Compare(a.Price, b.Price)
		})
		for left := volume; left > 0; {
			n := 1
			for n < len(takes) && takes[0].call != 0 && takes[n].call == takes[0].call && takes[n].Price == takes[0].Price {
				n++
			}
			left -= m.share(takes[:n], price, left)
			takes = takes[n:]
		}
	}
	m.traded(price, volume, nowMS)
	m.agreeFirst(nowMS)
}

// share divides a quantity among a class and returns what was given.
func (m *twinMarket) share(class []*twinOrder, price, left int64) int64 {
	wanted := int64(0)
	for _, o := range class {
		wanted += o.open
	}
	if wanted <= left {
		for _, o := range class {
			m.fill(o, market.InCall, price, o.open, 0)
		}
		return wanted
	}
	slices.SortFunc(class, func(a, b *twinOrder) int {
		return cmp.Or(cmp.Compare(m.tie(a.Owner), m.tie(b.Owner)), cmp.Compare(a.number, b.number))
	})
	total := func(running int64) int64 {
		product := new(big.Int).Mul(big.NewInt(left), big.NewInt(running))
		return product.Div(product, big.NewInt(wanted)).Int64()
	}
	running := int64(0)
	for _, o := range class {
		got := total(running+o.open) - total(running)
		running += o.open
		if got > 0 {
			m.fill(o, market.InCall, price, got, 0)
		}
	}
	return left
}
