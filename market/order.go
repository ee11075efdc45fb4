package market

// Side is the direction of an order.
type Side uint8

// The sides.
const (
	Buy Side = iota
	Sell
)

// opposite returns the side that an order meets.
func (s Side) opposite() Side { return s ^ 1 }

// reaches reports whether an order of this side with this limit accepts the
// price.
func (s Side) reaches(limit, price int64) bool {
	if s == Buy {
		return limit >= price
	}
	return limit <= price
}

// Kind says how long an order stays.
type Kind uint8

// The kinds of order. In a call (a batch or an auction) what does not rest
// takes part in the call's clearing and what is left of it is cancelled.
const (
	// GTC is a limit order that rests until it is cancelled.
	GTC Kind = iota
	// GTD is a limit order that rests until its expiry.
	GTD
	// Market trades at once; its price is the worst that it accepts. With a
	// price of 0 it is bounded by the bands.
	Market
	// IOC trades at once what it can.
	IOC
	// FOK trades its whole quantity at once or is refused.
	FOK

	kinds
)

func (k Kind) rests() bool { return k <= GTD }

// SelfTrade says what happens when an order of continuous trading would meet
// one of its owner. The order that arrives decides. In a call such an order is
// refused.
type SelfTrade uint8

// The ways to prevent self-trade.
const (
	// CancelNewest cancels what is left of the arriving order.
	CancelNewest SelfTrade = iota
	// CancelOldest cancels the resting order.
	CancelOldest
	// CancelBoth cancels both.
	CancelBoth

	selfTrades
)

// Order is what its owner asks for.
type Order struct {
	// Owner is whose order it is: orders of one owner never trade with each
	// other. Numbered from 1.
	Owner uint64
	// Reference is the caller's; the book hands it back in events.
	Reference uint64
	// Price is the limit in ticks, Quantity the whole quantity in lots.
	Price, Quantity int64
	// ExpiresMS is the time from which a GTD order is void, otherwise 0.
	ExpiresMS int64
	Side      Side
	Kind      Kind
	PostOnly  bool
	SelfTrade SelfTrade
}

// Open is an order that is in a book.
type Open struct {
	Order
	// Number is the order's in its market. The low Config.PlaceBits bits are a
	// place, dense from 0 on and used again after the order; the rest counts
	// orders, so that no number comes back.
	Number uint64
	// Filled is what was traded; Order.Quantity less Filled is open.
	Filled int64
}

// check tells what is wrong with an order whatever the state of the book. Who
// places it vouches for its owner.
func (o *Order) check(c *Config, nowMS int64) Refusal {
	if o.Owner == 0 {
		panic("market: an order without an owner")
	}
	switch {
	case o.Side > Sell:
		return SideUnknown
	case o.Kind >= kinds || o.SelfTrade >= selfTrades:
		return KindUnknown
	case (o.Price < 1 || o.Price > c.MaxPrice) && (o.Kind != Market || o.Price != 0):
		return PriceOutOfRange
	case o.Quantity < 1 || o.Quantity > c.MaxQuantity:
		return QuantityOutOfRange
	case o.Kind == GTD && o.ExpiresMS <= nowMS:
		return ExpiryNotAhead
	case o.Kind != GTD && o.ExpiresMS != 0:
		return ExpiryNotAllowed
	case o.PostOnly && !o.Kind.rests():
		return PostOnlyMustRest
	}
	return Accepted
}

// order is the record of a place. number 0 means that the place is free and
// next is the free place below it. Queue, owner and timer links are derived:
// a restore makes them anew.
//
// What a neighbour in a queue or list touches is in the first 64 bytes and a
// page of records is 8 KiB, so that touching it costs one line of the
// processor's cache, however many orders there are.
type order struct {
	number      uint64
	owner       uint64
	price, open int64

	level                    uint32 // its level + 1; 0 while in no queue
	previous, next           uint32 // places + 1 in the queue of the level
	trader                   uint32
	ownerPrevious, ownerNext uint32 // places + 1 in the owner's list
	timer                    uint32 // position + 1 in expiries or in immediate

	side      Side
	kind      Kind
	postOnly  bool
	selfTrade SelfTrade

	reference uint64
	filled    int64
	expiresMS int64
	// priority orders the queue of a level: the sequence number of the
	// placing, or of the amendment that lost the priority.
	priority uint64
	// epoch is the call in which the order got its priority; orders of one
	// call share pro rata. 0 is continuous trading, where time alone counts.
	epoch uint64

	_ [24]byte
}
