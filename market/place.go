package market

import "math/bits"

// takes tells whether the state of the book lets an order in, what its price
// is bounded to, and its owner's record.
func (b *Book) takes(o *Order) (price int64, t uint32, _ Refusal) {
	if o.Kind == FOK && b.phase != PhaseContinuous {
		return 0, 0, FillOrKillInCall
	}
	price = b.limit(o.Side, o.Kind, o.Price)
	if price == 0 {
		return 0, 0, NoBound
	}
	t = b.exchange.traders.find(b.market, o.Owner)
	return price, t, b.admits(o, price, t)
}

func (b *Book) place(o *Order, nowMS int64, events []Event) (uint64, []Event, Refusal) {
	price, t, refusal := b.takes(o)
	if refusal != Accepted {
		return 0, events, refusal
	}
	place := b.take()
	record := b.orders.Write(int(place))
	b.sequence++
	number := b.sequence<<b.shift | uint64(place)
	// A place that take returns is empty but for next.
	record.number, record.owner, record.price, record.open, record.next = number, o.Owner, price, o.Quantity, 0
	record.side, record.kind, record.postOnly, record.selfTrade = o.Side, o.Kind, o.PostOnly, o.SelfTrade
	record.reference, record.expiresMS = o.Reference, o.ExpiresMS
	events, e := b.tell(events, OrderAccepted, record)
	e.Price, e.Quantity = price, o.Quantity
	return number, b.arrive(place, record, t, nowMS, events), Accepted
}

// limit returns the price that an order of this kind may trade at: what does
// not rest is bounded by the bands. 0 means that it would have no bound.
func (b *Book) limit(side Side, kind Kind, price int64) int64 {
	if kind.rests() {
		return price
	}
	bound, bounded := b.Bound(side)
	if bounded && (price == 0 || side.reaches(price, bound)) {
		return bound
	}
	return price
}

// Bound returns the worst price that an order which does not rest can trade at
// now, and whether there is one.
func (b *Book) Bound(side Side) (price int64, bounded bool) {
	low, high := b.low, b.high
	if b.phase == PhaseAuction {
		low, high = b.around(b.static, b.config.StaticBPS)
	}
	if high == noBand {
		return 0, false
	}
	if side == Buy {
		return min(high, b.config.MaxPrice), true
	}
	return low, true
}

// admits tells whether the state of the book lets an order in. t is its
// owner's record.
func (b *Book) admits(o *Order, price int64, t uint32) Refusal {
	if o.Kind.rests() || b.phase != PhaseContinuous {
		most := b.config.MaxOwnerOrders
		if most > 0 && t != 0 && int64(b.exchange.traders.records.At(int(t-1)).count) >= most {
			return TooManyOwnerOrders
		}
		if b.open >= b.config.MaxOrders {
			return BookFull
		}
	}
	if b.exhausted() {
		return NumbersExhausted
	}
	if refusal := b.meets(o.Side, o.PostOnly, price, t); refusal != Accepted {
		return refusal
	}
	if o.Kind == FOK && !b.fillable(o, price, t) {
		return CannotFill
	}
	return Accepted
}

func (b *Book) exhausted() bool { return b.sequence+1 >= 1<<(64-b.shift) }

// meets refuses what must not meet the other side or the owner's own orders.
func (b *Book) meets(side Side, postOnly bool, price int64, t uint32) Refusal {
	if postOnly {
		if best := b.best(side.opposite()); best != nil && side.reaches(price, best.price) {
			return WouldTake
		}
	}
	if b.phase != PhaseContinuous && b.meetsOwn(t, side, price) {
		return WouldMeetOwn
	}
	return Accepted
}

// best returns the best level of a side, nil if the side is empty.
func (b *Book) best(side Side) *level {
	if b.sides[side].best == 0 {
		return nil
	}
	return b.exchange.ladders.levels.At(int(b.sides[side].best - 1))
}

// fillable reports whether a fill-or-kill order finds its whole quantity inside
// its limit and the bands, without its owner's own orders.
func (b *Book) fillable(o *Order, limit int64, t uint32) bool {
	l, side := &b.exchange.ladders, o.Side.opposite()
	own := b.meetsOwn(t, o.Side, limit)
	wanted := o.Quantity
	for at := b.sides[side].best; at != 0 && wanted > 0; at = l.worse(at, side) {
		v := l.levels.At(int(at - 1))
		if !o.Side.reaches(limit, v.price) || b.outside(v.price) {
			break
		}
		if !own {
			wanted -= v.quantity
			continue
		}
		for place := v.head; place != 0 && wanted > 0; {
			resting := b.orders.At(int(place - 1))
			if resting.owner != o.Owner {
				wanted -= resting.open
			} else if o.SelfTrade != CancelOldest {
				return false
			}
			place = resting.next
		}
	}
	return wanted <= 0
}

// arrive matches an order in no queue, or lets it wait for the running call,
// and puts to rest what rests of it.
func (b *Book) arrive(place uint32, o *order, t uint32, nowMS int64, events []Event) []Event {
	if b.phase != PhaseContinuous {
		o.priority, o.epoch = b.sequence, b.epoch
		b.enqueue(place, o)
		b.join(place, o, t)
		if b.clearAtMS == 0 {
			b.clearAtMS = nowMS + b.config.BatchMS
		}
		return events
	}
	o.priority, o.epoch = b.sequence, 0
	events, reason := b.match(o, nowMS, events)
	if o.open == 0 {
		b.retire(place, o)
		b.watch(nowMS)
		return events
	}
	if reason == NoReason && !o.kind.rests() {
		reason = Unfilled
	}
	// What a resting order meets outside the bands waits for an auction, except
	// where that is its owner's own order: a call would let both trade.
	best := b.best(o.side.opposite())
	interrupts := reason == NoReason && best != nil && o.side.reaches(o.price, best.price)
	if interrupts && b.meetsOwn(b.exchange.traders.find(b.market, o.owner), o.side, o.price) {
		reason = SelfTraded
	}
	if reason != NoReason {
		events = b.end(place, o, reason, events)
		b.watch(nowMS)
		return events
	}
	b.enqueue(place, o)
	if o.trader == 0 && t != 0 && b.exchange.traders.records.At(int(t-1)).owner != o.owner {
		t = 0 // self-trade prevention ended the owner's other orders
	}
	b.join(place, o, t)
	if interrupts {
		return b.startAuction(Volatility, b.config.AuctionMS, nowMS, events)
	}
	b.watch(nowMS)
	return events
}

// match trades an order with the other side, best price first and oldest
// first, inside the bands. A reason says that the rest must not stay.
func (b *Book) match(taker *order, nowMS int64, events []Event) (_ []Event, reason Reason) {
	l, side := &b.exchange.ladders, taker.side.opposite()
	var t tally
	for taker.open > 0 && reason == NoReason && b.sides[side].best != 0 {
		at := b.sides[side].best
		v := l.levels.Write(int(at - 1))
		if !taker.side.reaches(taker.price, v.price) || b.outside(v.price) {
			break
		}
		var traded int64
		for taker.open > 0 && v.head != 0 {
			place := v.head - 1
			maker := b.orders.Write(int(place))
			if maker.owner == taker.owner {
				if taker.selfTrade != CancelNewest {
					events = b.unqueueHead(v, place, maker, events)
				}
				if taker.selfTrade != CancelOldest {
					reason = SelfTraded
					break
				}
				continue
			}
			quantity := min(taker.open, maker.open)
			events = b.trade(taker, maker, v.price, quantity, events)
			traded += quantity
			v.quantity -= quantity
			t.count++
			if maker.open == 0 {
				v.count--
				v.head = maker.next
				b.retire(place, maker)
			}
		}
		t.add(v.price, traded)
		if v.head == 0 {
			l.remove(&b.sides[side], side, at)
		} else {
			b.orders.Write(int(v.head - 1)).previous = 0
		}
	}
	if t.count > 0 {
		b.traded(&t, nowMS)
	}
	return events, reason
}

// unqueueHead cancels the first order of a level that match is working on.
func (b *Book) unqueueHead(v *level, place uint32, o *order, events []Event) []Event {
	v.head = o.next
	v.count--
	v.quantity -= o.open
	return b.end(place, o, SelfTraded, events)
}

func (b *Book) trade(taker, maker *order, price, quantity int64, events []Event) []Event {
	taker.open -= quantity
	taker.filled += quantity
	maker.open -= quantity
	maker.filled += quantity
	events, e := b.tell(events, OrderFilled, maker)
	e.Role, e.Price, e.Quantity, e.Counter = Maker, price, quantity, taker.number
	events, e = b.tell(events, OrderFilled, taker)
	e.Role, e.Price, e.Quantity, e.Counter = Taker, price, quantity, maker.number
	return events
}

// tally sums the trades of one instruction.
type tally struct {
	count, quantity uint64
	high, low       uint64 // the sum of price x quantity
	last            int64
}

func (t *tally) add(price, quantity int64) {
	if quantity == 0 {
		return
	}
	high, low := bits.Mul64(uint64(price), uint64(quantity))
	var carry uint64
	t.low, carry = bits.Add64(t.low, low, 0)
	t.high += high + carry
	t.quantity += uint64(quantity)
	t.last = price
}

// amends tells whether an order can be given a price and open quantity, what
// the price is bounded to, and whether the order keeps its priority.
func (b *Book) amends(o *order, price, open, nowMS int64) (bounded int64, keeps bool, _ Refusal) {
	price = b.limit(o.side, o.kind, price)
	worse := open < o.open || price != o.price && o.side.reaches(o.price, price)
	if worse && b.locked(nowMS) {
		return price, false, AuctionLocked
	}
	keeps = price == o.price && open <= o.open
	if keeps {
		return price, true, Accepted
	}
	if b.exhausted() {
		return price, false, NumbersExhausted
	}
	return price, false, b.meets(o.side, o.postOnly, price, o.trader)
}

func (b *Book) amend(place uint32, price, open, nowMS int64, events []Event) ([]Event, Refusal) {
	o := b.orders.At(int(place))
	price, keeps, refusal := b.amends(o, price, open, nowMS)
	if refusal != Accepted {
		return events, refusal
	}
	record := b.orders.Write(int(place))
	reason := PriorityLost
	if keeps {
		reason = PriorityKept
		b.exchange.ladders.levels.Write(int(o.level - 1)).quantity -= o.open - open
	} else {
		b.dequeue(record)
		b.sequence++
	}
	record.price, record.open = price, open
	events, e := b.tell(events, OrderAmended, record)
	e.Reason, e.Price, e.Quantity = reason, price, record.filled+open
	if keeps {
		return events, Accepted
	}
	b.exchange.traders.records.Write(int(record.trader - 1)).widen(record)
	return b.arrive(place, record, record.trader, nowMS, events), Accepted
}
