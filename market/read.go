package market

import "iter"

// Level is what rests at one price.
type Level struct {
	Price, Quantity int64
	Orders          int
}

// Config returns the market's rules.
func (b *Book) Config() Config { return b.config }

// Orders returns how many orders are open.
func (b *Book) Orders() int { return int(b.open) }

// Best returns the best level of a side; ok is false if the side is empty.
func (b *Book) Best(side Side) (best Level, ok bool) {
	v := b.best(side)
	if v == nil {
		return Level{}, false
	}
	return Level{v.price, v.quantity, int(v.count)}, true
}

// Level returns what rests at a price; ok is false if nothing does.
func (b *Book) Level(side Side, price int64) (_ Level, ok bool) {
	at := b.exchange.ladders.find(&b.sides[side], price)
	if at == 0 {
		return Level{}, false
	}
	v := b.exchange.ladders.levels.At(int(at - 1))
	return Level{v.price, v.quantity, int(v.count)}, true
}

// Depth appends the best levels of a side, at most count, best first.
func (b *Book) Depth(side Side, count int, levels []Level) []Level {
	l := &b.exchange.ladders
	for at := b.sides[side].best; at != 0 && count > 0; at = l.worse(at, side) {
		v := l.levels.At(int(at - 1))
		levels = append(levels, Level{v.price, v.quantity, int(v.count)})
		count--
	}
	return levels
}

// Order returns an open order by its number.
func (b *Book) Order(number uint64) (o Open, found bool) {
	place, refusal := b.find(number, 0)
	if refusal != Accepted {
		return Open{}, false
	}
	return b.orders.At(int(place)).asked(), true
}

// First returns the order that is first in the queue of a side's best level.
func (b *Book) First(side Side) (o Open, found bool) {
	best := b.best(side)
	if best == nil {
		return Open{}, false
	}
	return b.orders.At(int(best.head - 1)).asked(), true
}

// All yields the open orders, in the order of their places.
func (b *Book) All() iter.Seq[Open] {
	return func(yield func(Open) bool) {
		for i := range b.orders.Len() {
			if o := b.orders.At(i); o.number != 0 && !yield(o.asked()) {
				return
			}
		}
	}
}

// Place returns where an order is among the places of its market.
func (b *Book) Place(number uint64) int { return int(number & (1<<b.shift - 1)) }

// Places returns how many places there are: those of open orders and those
// that are free.
func (b *Book) Places() int { return b.orders.Len() }

func (o *order) asked() Open {
	return Open{Number: o.number, Filled: o.filled, Order: Order{
		Owner: o.owner, Reference: o.reference, Price: o.price, Quantity: o.filled + o.open, ExpiresMS: o.expiresMS,
		Side: o.side, Kind: o.kind, PostOnly: o.postOnly, SelfTrade: o.selfTrade,
	}}
}

// OwnerOrders appends the numbers of an owner's open orders, at most count,
// oldest first.
func (b *Book) OwnerOrders(owner uint64, count int, numbers []uint64) []uint64 {
	t := b.exchange.traders.find(b.market, owner)
	if t == 0 {
		return numbers
	}
	for at := b.exchange.traders.records.At(int(t - 1)).first; at != 0 && count > 0; count-- {
		o := b.orders.At(int(at - 1))
		numbers = append(numbers, o.number)
		at = o.ownerNext
	}
	return numbers
}

// Indication is what a call would trade if it ended now.
type Indication struct {
	// Price is the price, Volume the quantity traded at it.
	Price, Volume int64
	// Imbalance is what would stay open at Price or better: positive when
	// buyers are left over, negative when sellers are.
	Imbalance int64
}

// Indicative returns what the running call would trade, whatever the bands; ok
// is false if that is nothing.
func (b *Book) Indicative() (_ Indication, ok bool) {
	low, high, volume := b.equilibrium()
	if volume == 0 {
		return Indication{}, false
	}
	price := b.nearest(low, high)
	return Indication{price, volume, b.within(Buy, price) - b.within(Sell, price)}, true
}

// within sums what a side would trade at a price.
func (b *Book) within(side Side, price int64) (quantity int64) {
	l := &b.exchange.ladders
	for at := b.sides[side].best; at != 0; at = l.worse(at, side) {
		v := l.levels.At(int(at - 1))
		if !side.reaches(v.price, price) {
			break
		}
		quantity += v.quantity
	}
	return quantity
}

// Walked is what an order would meet now in continuous trading.
type Walked struct {
	// Quantity is how much there is, at most what was asked for.
	Quantity int64
	// Notional is the sum of price x quantity, in ticks x lots.
	Notional int64
	// Worst is the last price.
	Worst int64
}

// Walk returns what quantity lots of an owner would trade on a side at once,
// inside the bands and without the owner's own orders. quantity is at most
// Config.MaxQuantity.
func (b *Book) Walk(owner uint64, side Side, quantity int64) (w Walked) {
	l, resting := &b.exchange.ladders, side.opposite()
	for at := b.sides[resting].best; at != 0; at = l.worse(at, resting) {
		v := l.levels.At(int(at - 1))
		if b.outside(v.price) {
			break
		}
		for place := v.head; place != 0 && w.Quantity < quantity; {
			o := b.orders.At(int(place - 1))
			place = o.next
			if o.owner == owner {
				continue
			}
			part := min(o.open, quantity-w.Quantity)
			w.Quantity += part
			w.Notional += part * v.price
			w.Worst = v.price
		}
		if w.Quantity == quantity {
			break
		}
	}
	return w
}

// Reference is what the bands of a market are, 0 where there is none.
type Reference struct {
	// Price is the reference, Static the middle of the static band, Last the
	// price of the last trade.
	Price, Static, Last int64
	// Low and High are the least and the largest price of a trade now.
	Low, High int64
}

// Reference returns the prices that the bands are made of.
func (b *Book) Reference() Reference {
	r := Reference{Price: b.reference, Static: b.static, Last: b.anchor}
	if b.high != noBand {
		r.Low, r.High = b.low, b.high
	}
	return r
}

// Call returns when the running batch or auction began to be locked and when
// it ends; ok is false if none runs. The end of an auction must not be told
// before it has come.
func (b *Book) Call() (lockAtMS, clearAtMS int64, ok bool) {
	return b.lockAtMS, b.clearAtMS, b.clearAtMS != 0
}
