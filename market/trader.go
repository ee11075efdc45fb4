package market

import "github.com/attentionbank/attentionbank/pages"

// traders are the owners that have open orders, one record a market and
// owner: they count orders, find an owner's orders, and tell whether two of
// them could trade with each other. All of it is derived from the orders.
type traders struct {
	records pages.Array[trader]
	index   pages.Index
	free    uint32 // trader + 1
	// recent has, by market and owner, records + 1 that were made last: a shorter way than
	// the index to most of some thousand owners. Whether a record is the
	// owner's is looked at.
	recent [1 << 13]uint32
}

type trader struct {
	owner  uint64
	market uint32
	count  uint32
	// first and last are places + 1 of the owner's orders, oldest first.
	first, last uint32
	// No open buy is above highestBuy and no open sell below lowestSell. They
	// may be too wide after an order ended; meetsOwn narrows them.
	highestBuy, lowestSell int64
}

const noSell = 1<<63 - 1

func traderHash(market uint32, owner uint64) uint64 { return pages.Mix(uint64(market), owner) }

// recentOf spreads the owners of a market, who are numbered from 1 on.
func (t *traders) recentOf(market uint32, owner uint64) *uint32 {
	return &t.recent[(owner+uint64(market)*1021)%uint64(len(t.recent))]
}

// find returns the number of an owner's record, 0 if nothing is open.
func (t *traders) find(market uint32, owner uint64) uint32 {
	if recent := *t.recentOf(market, owner); recent != 0 {
		if r := t.records.At(int(recent - 1)); r.owner == owner && r.market == market {
			return recent
		}
	}
	position, found := t.index.Find(traderHash(market, owner), func(i int) bool {
		r := t.records.At(i)
		return r.owner == owner && r.market == market
	})
	if !found {
		return 0
	}
	return uint32(position) + 1
}

func (t *traders) add(market uint32, owner uint64) uint32 {
	fresh := trader{owner: owner, market: market, lowestSell: noSell}
	position := uint32(t.records.Len())
	if t.free != 0 {
		position = t.free - 1
		record := t.records.Write(int(position))
		t.free = record.first
		*record = fresh
	} else {
		t.records.Append(fresh)
	}
	t.index.Insert(traderHash(market, owner), int(position))
	*t.recentOf(market, owner) = position + 1
	return position + 1
}

// joinTrader appends an order to its owner's list; t is the owner's record or
// 0 if there is none yet.
func (b *Book) joinTrader(place uint32, o *order, t uint32) {
	all := &b.exchange.traders
	if t == 0 {
		t = all.add(b.market, o.owner)
	}
	record := all.records.Write(int(t - 1))
	o.trader, o.ownerPrevious, o.ownerNext = t, record.last, 0
	if record.last == 0 {
		record.first = place + 1
	} else {
		b.orders.Write(int(record.last - 1)).ownerNext = place + 1
	}
	record.last = place + 1
	record.count++
	record.widen(o)
}

func (t *trader) widen(o *order) {
	if o.side == Buy {
		t.highestBuy = max(t.highestBuy, o.price)
	} else {
		t.lowestSell = min(t.lowestSell, o.price)
	}
}

func (b *Book) leaveTrader(o *order) {
	all := &b.exchange.traders
	record := all.records.Write(int(o.trader - 1))
	record.count--
	if record.count == 0 {
		if !all.index.Remove(traderHash(b.market, o.owner), int(o.trader-1)) {
			panic("market: an owner with open orders was not in the index")
		}
		*record = trader{first: all.free}
		all.free = o.trader
		return
	}
	if o.ownerPrevious == 0 {
		record.first = o.ownerNext
	} else {
		b.orders.Write(int(o.ownerPrevious - 1)).ownerNext = o.ownerNext
	}
	if o.ownerNext == 0 {
		record.last = o.ownerPrevious
	} else {
		b.orders.Write(int(o.ownerNext - 1)).ownerPrevious = o.ownerPrevious
	}
}

// meetsOwn reports whether an order of an owner could trade with another one of
// the owner's that is open.
func (b *Book) meetsOwn(t uint32, side Side, price int64) bool {
	if t == 0 {
		return false
	}
	record := b.exchange.traders.records.Write(int(t - 1))
	if !record.reachedBy(side, price) {
		return false
	}
	record.highestBuy, record.lowestSell = 0, noSell
	for at := record.first; at != 0; {
		o := b.orders.At(int(at - 1))
		record.widen(o)
		at = o.ownerNext
	}
	return record.reachedBy(side, price)
}

func (t *trader) reachedBy(side Side, price int64) bool {
	if side == Buy {
		return price >= t.lowestSell
	}
	return price <= t.highestBuy
}
