// Package market matches orders: one book a market, which trades continuously
// by price and time or in frequent batches at one price, and whose auctions
// open it, interrupt it when the price leaves its bands, and re-open it. It is
// deterministic and knows neither clock nor chance: time and seeds come from
// the caller, as do the accounts behind the owners, which it does not know.
//
// Prices are ticks and quantities lots. Every instruction appends what it
// changed to a slice of the caller; a refused one changes nothing. Times are
// milliseconds above 0 that never go back from one instruction to the next.
package market

import (
	"slices"

	"github.com/attentionbank/attentionbank/pages"
)

// Seed decides ties and the random part of an auction. Whoever gives it must
// have committed to it before orders that it concerns could be placed.
type Seed [32]byte

// Exchange is all markets. One goroutine owns it. NewExchange makes one.
type Exchange struct {
	books        []*Book
	ladders      ladders
	traders      traders
	halted       bool
	haltedOwners []uint64 // ascending
	// shares and numbers are scratch memory of clearings.
	shares  []share
	numbers []uint64
}

// NewExchange returns an exchange without markets.
func NewExchange() *Exchange { return &Exchange{} }

// Book is one market. Its exchange owns it; others read.
type Book struct {
	exchange *Exchange
	market   uint32
	config   Config
	shift    uint // Config.PlaceBits
	status
	orders pages.Array[order]

	// The rest is derived from the orders.
	sides [2]ladder
	open  int64
	// expiries is a binary heap by (expiry, number) of the places of GTD orders.
	expiries pages.Array[uint32]
	// immediate are the places of orders that do not rest and wait for the
	// running call.
	immediate []uint32
}

// status is what a book remembers beside its orders.
type status struct {
	phase Phase
	// resumes says that the market was trading when all were halted.
	resumes  bool
	sequence uint64
	free     uint32 // the free place that is used next, + 1
	// epoch numbers calls from 1 on: orders that get their priority in it wait
	// for the same clearing.
	epoch uint64
	seed  Seed
	// draws counts the random ends that were drawn from seeds.
	draws uint64
	// clearAtMS is when the running call ends, 0 if none runs; from lockAtMS
	// on an auction is locked.
	clearAtMS, lockAtMS int64
	extensions          int64
	bands
}

// Open adds a market and returns its number, from 1 on. It is halted until an
// auction is called.
func (e *Exchange) Open(config Config) (market uint32, err error) {
	if err := config.Check(); err != nil {
		return 0, err
	}
	b := e.newBook(config)
	b.epoch = 1
	return b.market, nil
}

func (e *Exchange) newBook(config Config) *Book {
	b := &Book{exchange: e, market: uint32(len(e.books) + 1), config: config, shift: uint(config.PlaceBits())}
	b.setBands()
	e.books = append(e.books, b)
	return b
}

// Markets returns how many markets there are.
func (e *Exchange) Markets() int { return len(e.books) }

// Book returns a market for reading, nil if there is none of that number.
func (e *Exchange) Book(market uint32) *Book {
	if market == 0 || int(market) > len(e.books) {
		return nil
	}
	return e.books[market-1]
}

// Admits tells whether Place would take an order, and the price by which it
// would be bounded: that of its holder's money.
func (e *Exchange) Admits(market uint32, o *Order, nowMS int64) (price int64, _ Refusal) {
	b := e.Book(market)
	if b == nil {
		return 0, MarketNotFound
	}
	if refusal := o.check(&b.config, nowMS); refusal != Accepted {
		return 0, refusal
	}
	if refusal := b.mayTrade(o.Owner); refusal != Accepted {
		return 0, refusal
	}
	price, _, refusal := b.takes(o)
	return price, refusal
}

// Place takes an order. It returns the order's number and appends to events
// what happened; the first is OrderAccepted.
func (e *Exchange) Place(market uint32, o Order, nowMS int64, events []Event) (number uint64, _ []Event, _ Refusal) {
	b := e.Book(market)
	if b == nil {
		return 0, events, MarketNotFound
	}
	if refusal := o.check(&b.config, nowMS); refusal != Accepted {
		return 0, events, refusal
	}
	if refusal := b.mayTrade(o.Owner); refusal != Accepted {
		return 0, events, refusal
	}
	return b.place(&o, nowMS, events)
}

// AdmitsAmend tells whether Amend would change an order, the price by which it
// would be bounded and what would be open of it.
func (e *Exchange) AdmitsAmend(market uint32, number, owner uint64, price, quantity, nowMS int64) (bounded, open int64, _ Refusal) {
	b := e.Book(market)
	if b == nil {
		return 0, 0, MarketNotFound
	}
	place, refusal := b.amendable(number, owner, price, quantity)
	if refusal != Accepted {
		return 0, 0, refusal
	}
	o := b.orders.At(int(place))
	open = quantity - o.filled
	bounded, _, refusal = b.amends(o, price, open, nowMS)
	return bounded, open, refusal
}

// Amend gives an order a new price and a new whole quantity, in which what was
// filled already is included. It keeps its priority only for the same price and
// no more quantity; otherwise it is matched as if it had just arrived.
func (e *Exchange) Amend(market uint32, number, owner uint64, price, quantity, nowMS int64, events []Event) ([]Event, Refusal) {
	b := e.Book(market)
	if b == nil {
		return events, MarketNotFound
	}
	place, refusal := b.amendable(number, owner, price, quantity)
	if refusal != Accepted {
		return events, refusal
	}
	return b.amend(place, price, quantity-b.orders.At(int(place)).filled, nowMS, events)
}

// amendable returns the place of an order that its owner may give a price and
// a whole quantity, as far as that does not depend on the other orders.
func (b *Book) amendable(number, owner uint64, price, quantity int64) (place uint32, _ Refusal) {
	place, refusal := b.find(number, owner)
	switch {
	case price < 1 || price > b.config.MaxPrice:
		return 0, PriceOutOfRange
	case quantity < 1 || quantity > b.config.MaxQuantity:
		return 0, QuantityOutOfRange
	case refusal != Accepted:
		return 0, refusal
	}
	o := b.orders.At(int(place))
	if quantity <= o.filled {
		return 0, NothingLeft
	}
	return place, b.mayTrade(o.owner)
}

// Cancel takes an order out of its book. Owner 0 is the operator, whom no
// auction stops.
func (e *Exchange) Cancel(market uint32, number, owner uint64, nowMS int64, events []Event) ([]Event, Refusal) {
	b := e.Book(market)
	if b == nil {
		return events, MarketNotFound
	}
	place, refusal := b.find(number, owner)
	if refusal != Accepted {
		return events, refusal
	}
	reason := ByOwner
	if owner == 0 {
		reason = ByOperator
	} else if b.locked(nowMS) {
		return events, AuctionLocked
	}
	events = b.cancel(place, reason, events)
	b.watch(nowMS)
	return events, Accepted
}

// CancelOwner takes up to limit orders of an owner out of a market, oldest
// first, as the operator. more says that some are left.
func (e *Exchange) CancelOwner(market uint32, owner uint64, limit int, nowMS int64, events []Event) (_ []Event, more bool) {
	b := e.Book(market)
	if b == nil {
		return events, false
	}
	for ; limit > 0; limit-- {
		t := e.traders.find(market, owner)
		if t == 0 {
			break
		}
		events = b.cancel(e.traders.records.At(int(t-1)).first-1, ByOperator, events)
	}
	b.watch(nowMS)
	return events, e.traders.find(market, owner) != 0
}

// HaltOwner stops an owner from placing and amending in every market, or lets
// them again. What rests stays; CancelOwner takes it out.
func (e *Exchange) HaltOwner(owner uint64, halt bool) {
	i, there := slices.BinarySearch(e.haltedOwners, owner)
	switch {
	case halt && !there:
		e.haltedOwners = slices.Insert(e.haltedOwners, i, owner)
	case !halt && there:
		e.haltedOwners = slices.Delete(e.haltedOwners, i, i+1)
	}
}

// mayTrade tells whether the owner may place and amend.
func (b *Book) mayTrade(owner uint64) Refusal {
	if b.exchange.halted {
		return AllHalted
	}
	if b.phase == PhaseHalted {
		return MarketHalted
	}
	if len(b.exchange.haltedOwners) > 0 {
		if _, there := slices.BinarySearch(b.exchange.haltedOwners, owner); there {
			return OwnerHalted
		}
	}
	return Accepted
}

// find returns the place of an open order; owner 0 is the operator.
func (b *Book) find(number, owner uint64) (place uint32, _ Refusal) {
	position := number & (1<<b.shift - 1)
	if number == 0 || position >= uint64(b.orders.Len()) {
		return 0, OrderNotFound
	}
	o := b.orders.At(int(position))
	if o.number != number {
		return 0, OrderNotFound
	}
	if owner != 0 && o.owner != owner {
		return 0, NotOwner
	}
	return uint32(position), Accepted
}
