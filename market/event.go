package market

// EventKind says what happened.
type EventKind uint8

// The kinds of event.
const (
	// OrderAccepted: the order has its number. Price is its limit as bounded
	// by the bands, Quantity and Open are its quantity.
	OrderAccepted EventKind = iota + 1
	// OrderFilled: Quantity was traded at Price, Open is left. Counter is the
	// other order, which has an event of its own (the maker's comes first);
	// in a call it is 0, for a call knows no pairs. Open 0 ends the order.
	OrderFilled
	// OrderCancelled: Quantity was open and is not any longer, for Reason.
	OrderCancelled
	// OrderAmended: Price and Open are the new ones, Quantity is the whole
	// quantity. Reason is PriorityKept or PriorityLost.
	OrderAmended
	// MarketCleared: a call traded Quantity at Price; its fills follow.
	MarketCleared
	// PhaseChanged: the market is now in Phase, for Reason. Price is the
	// reference, 0 if there is none. For an auction, Quantity is the time in ms
	// before which it does not end.
	PhaseChanged
)

// Reason says why an event happened.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	ByOwner
	ByOperator
	Expired
	// Unfilled: the order does not rest and found nothing more.
	Unfilled
	// SelfTraded: the order would have met one of its owner.
	SelfTraded
	PriorityKept
	PriorityLost
	// Opening: an auction begins that the operator called.
	Opening
	// Volatility: a trade would have been outside the bands, or the best price
	// stood at a band too long.
	Volatility
	// Extended: the auction's price would be outside the static band.
	Extended
	// NoPrice: the last extension found no price inside the static band.
	NoPrice
	// AuctionEnded: trading goes on after an auction.
	AuctionEnded
)

// Role is the part of an order in a trade; fees depend on it.
type Role uint8

// The roles.
const (
	NoRole Role = iota
	Maker
	Taker
	// InCall is everybody's role in a batch or auction.
	InCall
)

// Event is what an instruction changed, in order. It holds no pointers.
type Event struct {
	Kind   EventKind
	Side   Side
	Role   Role
	Reason Reason
	Market uint32
	// Number, Owner and Reference are the order's, 0 for events of the market.
	Number, Owner, Reference uint64
	Price, Quantity          int64
	// Open is what is left open; for PhaseChanged it is the Phase.
	Open    int64
	Counter uint64
}

// tell appends an event for an order and returns it for the rest of its fields
// to be set in place: an Event that is made elsewhere and then copied costs the
// processor several times as much.
func (b *Book) tell(events []Event, kind EventKind, o *order) ([]Event, *Event) {
	events = append(events, Event{})
	e := &events[len(events)-1]
	e.Kind, e.Side, e.Market = kind, o.side, b.market
	e.Number, e.Owner, e.Reference, e.Open = o.number, o.owner, o.reference, o.open
	return events, e
}
