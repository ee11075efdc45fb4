package market

import (
	"fmt"
	"math/bits"
	"slices"
)

// A call gathers orders and trades them together at one price. Any price p is
// an equilibrium at which no unfilled buyer bids more than p, no unfilled
// seller asks less, and the two sides that are filled are equal; these prices
// form an interval, the Walrasian tick interval. Every one of them trades the
// largest quantity and the largest surplus, and only orders exactly at the
// price can be left short. The last price decides among them.

// equilibrium returns the interval of prices that clear the call and the
// quantity that they trade. The interval means nothing where that is 0.
//
// Pairing the best buyer with the best seller, unit by unit, until they no
// longer meet, gives the quantity; the ends of the interval are set by the last
// pair and by the first two units that are left over.
func (b *Book) equilibrium() (low, high, volume int64) {
	l := &b.exchange.ladders
	buy, sell := b.sides[Buy].best, b.sides[Sell].best
	var bid, ask *level
	var bidLeft, askLeft int64
	for buy != 0 && sell != 0 {
		if bidLeft == 0 {
			bid = l.levels.At(int(buy - 1))
			bidLeft = bid.quantity
		}
		if askLeft == 0 {
			ask = l.levels.At(int(sell - 1))
			askLeft = ask.quantity
		}
		if bid.price < ask.price {
			break
		}
		paired := min(bidLeft, askLeft)
		volume += paired
		low, high = ask.price, bid.price
		if bidLeft -= paired; bidLeft == 0 {
			buy = l.worse(buy, Buy)
		}
		if askLeft -= paired; askLeft == 0 {
			sell = l.worse(sell, Sell)
		}
	}
	if buy != 0 {
		low = max(low, l.levels.At(int(buy-1)).price)
	}
	if sell != 0 {
		high = min(high, l.levels.At(int(sell-1)).price)
	}
	return low, high, volume
}

// nearest returns the price of the interval that is nearest to the last one;
// without a last one it is the middle, rounded down.
func (b *Book) nearest(low, high int64) int64 {
	if b.anchor == 0 {
		return (low + high) / 2
	}
	return min(max(b.anchor, low), high)
}

func (b *Book) endBatch(nowMS int64, seed Seed, events []Event) []Event {
	low, high, volume := b.equilibrium()
	if volume > 0 && (low > b.high || high < b.low) {
		// A price inside the bands would leave orders short that are better.
		events = b.cancelImmediate(events)
		return b.startAuction(Volatility, b.config.AuctionMS, nowMS, events)
	}
	if volume > 0 {
		events = b.clear(b.nearest(max(low, b.low), min(high, b.high)), volume, nowMS, events)
	}
	return b.endCall(seed, events)
}

func (b *Book) endAuction(nowMS int64, seed Seed, events []Event) []Event {
	low, high, volume := b.equilibrium()
	if volume > 0 {
		price := b.nearest(low, high)
		if low, high := b.around(b.static, b.config.StaticBPS); price < low || price > high {
			if b.extensions == b.config.Extensions {
				b.seed = seed
				return b.halt(NoPrice, events)
			}
			b.extensions++
			return b.startAuction(Extended, b.config.ExtensionMS, nowMS, events)
		}
		b.forget()
		b.agree(price, nowMS)
		events = b.clear(price, volume, nowMS, events)
	}
	b.lockAtMS, b.extensions = 0, 0
	b.phase = PhaseBatch
	if b.config.Mode == Continuous {
		b.phase = PhaseContinuous
	}
	b.wideUntilMS = nowMS + wideMS
	b.setBands()
	events = b.phaseChanged(AuctionEnded, 0, b.endCall(seed, events))
	b.watch(nowMS)
	return events
}

// endCall ends the orders that were for this call only; the next orders belong
// to the next call.
func (b *Book) endCall(seed Seed, events []Event) []Event {
	b.clearAtMS, b.seed = 0, seed
	b.epoch++
	return b.cancelImmediate(events)
}

// cancelImmediate ends the orders that do not rest, by number.
func (b *Book) cancelImmediate(events []Event) []Event {
	numbers := b.exchange.numbers[:0]
	for _, place := range b.immediate {
		numbers = append(numbers, b.orders.At(int(place)).number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		events = b.cancel(uint32(number&(1<<b.shift-1)), Unfilled, events)
	}
	b.exchange.numbers = numbers[:0]
	return events
}

// clear trades volume at price: first the buyers, then the sellers, each from
// the best price on.
func (b *Book) clear(price, volume, nowMS int64, events []Event) []Event {
	events = append(events, Event{Kind: MarketCleared, Role: InCall, Market: b.market, Price: price, Quantity: volume})
	events = b.clearSide(Buy, price, volume, events)
	events = b.clearSide(Sell, price, volume, events)
	t := tally{count: 1}
	t.add(price, volume)
	b.traded(&t, nowMS)
	return events
}

func (b *Book) clearSide(side Side, price, left int64, events []Event) []Event {
	l := &b.exchange.ladders
	for left > 0 {
		at := b.sides[side].best
		v := l.levels.Write(int(at - 1))
		if v.quantity > left {
			if v.price != price {
				panic(fmt.Sprintf("market %d: clearing at %d leaves orders at %d short", b.market, price, v.price))
			}
			return b.ration(v.head, price, left, events)
		}
		left -= v.quantity
		for place := v.head; place != 0; {
			o := b.orders.Write(int(place - 1))
			next := o.next
			events = b.fill(o, price, o.open, events)
			b.retire(place-1, o)
			place = next
		}
		l.remove(&b.sides[side], side, at)
	}
	return events
}

func (b *Book) fill(o *order, price, quantity int64, events []Event) []Event {
	o.open -= quantity
	o.filled += quantity
	events, e := b.tell(events, OrderFilled, o)
	e.Role, e.Price, e.Quantity = InCall, price, quantity
	return events
}

// share is an order of a class that is not filled whole.
type share struct {
	tie    uint64
	number uint64
	place  uint32
}

// ration gives a quantity to a queue that wants more: earlier calls first, and
// orders of one call, or of one moment of continuous trading, by class.
func (b *Book) ration(head uint32, price, left int64, events []Event) []Event {
	for left > 0 {
		first := b.orders.At(int(head - 1))
		epoch, wanted := first.epoch, int64(0)
		end := head
		for end != 0 {
			o := b.orders.At(int(end - 1))
			if o.epoch != epoch {
				break
			}
			wanted += o.open
			end = o.next
			if epoch == 0 {
				break
			}
		}
		if wanted <= left {
			left -= wanted
			for place := head; place != end; {
				o := b.orders.Write(int(place - 1))
				next := o.next
				quantity := o.open
				b.dequeue(o)
				events = b.fill(o, price, quantity, events)
				b.retire(place-1, o)
				place = next
			}
			head = end
			continue
		}
		return b.rationClass(head, end, price, left, wanted, events)
	}
	return events
}

// rationClass shares a quantity in proportion among orders that want more in
// sum. Each gets the difference of two running totals, both rounded down: the
// sum is exact, nobody is more than one lot from the proportion, and dividing
// an order among one's own changes nothing, for an owner's orders stand
// together. The seed decides who stands where.
func (b *Book) rationClass(head, end uint32, price, quantity, wanted int64, events []Event) []Event {
	shares := b.exchange.shares[:0]
	for place := head; place != end; {
		o := b.orders.At(int(place - 1))
		shares = append(shares, share{tie: b.seed.mix(o.owner), number: o.number, place: place - 1})
		place = o.next
	}
	slices.SortFunc(shares, func(x, y share) int {
		switch {
		case x.tie != y.tie && x.tie < y.tie, x.tie == y.tie && x.number < y.number:
			return -1
		}
		return 1
	})
	var before, running int64
	for _, s := range shares {
		o := b.orders.Write(int(s.place))
		running += o.open
		high, low := bits.Mul64(uint64(quantity), uint64(running))
		upTo, _ := bits.Div64(high, low, uint64(wanted))
		got := int64(upTo) - before
		before = int64(upTo)
		if got == 0 {
			continue
		}
		if got == o.open {
			b.dequeue(o)
			events = b.fill(o, price, got, events)
			b.retire(s.place, o)
			continue
		}
		b.exchange.ladders.levels.Write(int(o.level - 1)).quantity -= got
		events = b.fill(o, price, got, events)
	}
	b.exchange.shares = shares[:0]
	return events
}
