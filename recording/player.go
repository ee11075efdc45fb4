package recording

import (
	"fmt"

	"github.com/attentionbank/attentionbank/market"
)

// Counts says how a recording and the book agreed.
type Counts struct {
	// Messages are all, Orders those that came into the book.
	Messages, Orders int
	// Executions are recorded trades of orders that the book has. Each is fed
	// as an opposite order at the order's price. Hits met the recorded order;
	// Behind would have met an older order at the same price and Worse one at a
	// better price, so there the record was followed and not the book's rules.
	Executions, Hits, Behind, Worse int
	// Anonymous are trades and cancellations that were taken from the initial
	// book, which names no orders.
	Anonymous int
	// Unknown are messages about orders that the book has not: placed before
	// the recording, or gone already. Repeated are orders that were there.
	Unknown, Repeated int
	// Stale are orders that a newcomer at rest would have met: they cannot be
	// there any longer, and no message said so. Ahead are orders of which the
	// book had traded more than was recorded.
	Stale, Ahead int
	// Beyond are orders with a price or quantity that no book here takes, and
	// cancellations and trades of more than was open.
	Beyond int
}

// Mismatches is how often an execution would not have hit the recorded order.
func (c *Counts) Mismatches() int { return c.Behind + c.Worse }

// String says it in a line.
func (c *Counts) String() string {
	return fmt.Sprintf("%d messages, %d orders, %d executions: %d hit the recorded order, %d mismatches (%d behind an older order, %d at a worse price); "+
		"from the initial book %d, unknown orders %d, repeated %d, stale %d, ahead of the record %d, out of bounds %d",
		c.Messages, c.Orders, c.Executions, c.Hits, c.Mismatches(), c.Behind, c.Worse, c.Anonymous, c.Unknown, c.Repeated, c.Stale, c.Ahead, c.Beyond)
}

// maxOrders bounds the orders of the book, and those that are remembered
// because the book traded them before the record did.
const maxOrders = 1 << 22

// Owners: each recorded order has its own, so that none is held back for
// meeting its owner's.
const (
	anonymous = 1 + iota // of the initial book
	executioner
	firstOwner
)

// Player plays messages on a book that trades continuously, without bands.
type Player struct {
	Counts
	format   Format
	exchange *market.Exchange
	book     *market.Book
	// orders are the book's numbers by the recorded ones; 0 is an order that
	// the book has traded and whose end is not recorded yet.
	orders map[uint64]uint64
	owner  uint64
	// initial are the orders of the initial book, oldest first, initials how
	// many there ever were.
	initial  map[place][]uint64
	initials int64
	events   []market.Event
	levels   []market.Level
}

type place struct {
	side  market.Side
	price int64
}

// nowMS is the time of all instructions: without bands and expiries nothing
// depends on it.
const nowMS = 1

// NewPlayer returns a player with an empty book.
func NewPlayer(f Format) (*Player, error) {
	config := market.DefaultConfig()
	config.Mode, config.MaxPrice, config.MaxQuantity = market.Continuous, f.MaxPrice, f.MaxQuantity
	config.MaxOrders, config.MaxOwnerOrders = maxOrders, 0
	config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = 0, 0, 0, 0
	exchange := market.NewExchange()
	number, err := exchange.Open(config)
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", f.Name, err)
	}
	if _, refusal := exchange.CallAuction(number, 0, nowMS, market.Seed{}, nil); refusal != market.Accepted {
		return nil, fmt.Errorf("opening the book: %v", refusal)
	}
	exchange.Tick(nowMS, market.Seed{}, 1, nil)
	return &Player{format: f, exchange: exchange, book: exchange.Book(number), orders: map[uint64]uint64{}, owner: firstOwner, initial: map[place][]uint64{}}, nil
}

// Book is what the messages made.
func (p *Player) Book() *market.Book { return p.book }

// Play takes a message into the book. What the message says wins over the
// book's own rules, and Counts says how often that was needed; an error is a
// recording larger than the bounds.
func (p *Player) Play(m *Message) error {
	p.Messages++
	switch m.Action {
	case Nothing:
		return nil
	case Clear:
		p.clear()
		return nil
	case Add:
		if _, there := p.orders[m.Order]; there {
			p.Repeated++
			return nil
		}
		return p.add(m)
	}
	number, known := p.orders[m.Order]
	o, found := p.book.Order(number)
	if found {
		return p.change(m, o)
	}
	if known {
		return p.traded(m)
	}
	return p.unknown(m)
}

func (p *Player) within(price, quantity int64) bool {
	return price >= 1 && price <= p.format.MaxPrice && quantity >= 1 && quantity <= p.format.MaxQuantity
}

func (p *Player) add(m *Message) error {
	if !p.within(m.Price, m.Quantity) {
		p.Beyond++
		return nil
	}
	if len(p.orders) >= maxOrders {
		return fmt.Errorf("more than %d orders at once", maxOrders)
	}
	if !p.format.Arrivals {
		p.makeWay(m.Side, m.Price)
	}
	number, refusal := p.place(market.Order{Owner: p.owner, Reference: m.Order, Side: m.Side, Price: m.Price, Quantity: m.Quantity})
	if refusal != market.Accepted {
		return fmt.Errorf("message %d: the book refuses the order: %v", m.Sequence, refusal)
	}
	p.owner++
	p.Orders++
	if _, open := p.book.Order(number); !open {
		number = 0
	}
	p.orders[m.Order] = number
	return nil
}

// place places an order and remembers which others it traded away.
func (p *Player) place(o market.Order) (number uint64, refusal market.Refusal) {
	number, p.events, refusal = p.exchange.Place(1, o, nowMS, p.events[:0])
	for i := range p.events {
		e := &p.events[i]
		if e.Role == market.Maker && e.Open == 0 && e.Owner >= firstOwner {
			p.orders[e.Reference] = 0
		}
	}
	return number, refusal
}

// makeWay takes out what an order that is recorded at rest would meet.
func (p *Player) makeWay(side market.Side, price int64) {
	for {
		o, any := p.book.First(1 - side)
		if !any || side == market.Buy && o.Price > price || side == market.Sell && o.Price < price {
			return
		}
		p.Stale++
		p.cancel(o)
	}
}

// cancel takes an order out and forgets it.
func (p *Player) cancel(o market.Open) {
	p.events, _ = p.exchange.Cancel(1, o.Number, 0, nowMS, p.events[:0])
	if o.Owner >= firstOwner {
		delete(p.orders, o.Reference)
	}
}

func (p *Player) clear() {
	for _, side := range []market.Side{market.Buy, market.Sell} {
		for o, any := p.book.First(side); any; o, any = p.book.First(side) {
			p.cancel(o)
		}
	}
	clear(p.orders)
	clear(p.initial)
}

// change applies a message to an order that is open.
func (p *Player) change(m *Message, o market.Open) error {
	open := o.Quantity - o.Filled
	switch m.Action {
	case Remove:
		p.cancel(o)
	case Reduce:
		p.reduce(o, p.bounded(m.Quantity, open))
	case Execute:
		p.execute(o, p.bounded(m.Quantity, open))
	case Amend:
		return p.amend(m, o)
	case Remains:
		return p.remains(m, o)
	case Leaves:
		if m.Quantity > open {
			p.Ahead++
		} else {
			p.execute(o, open-p.bounded(m.Quantity, open))
		}
		if o, left := p.book.Order(o.Number); left {
			p.cancel(o)
		}
		delete(p.orders, m.Order)
	}
	return nil
}

// bounded returns a recorded quantity, at most what is open.
func (p *Player) bounded(quantity, open int64) int64 {
	if quantity < 0 || quantity > open {
		p.Beyond++
		return max(0, min(quantity, open))
	}
	return quantity
}

// traded takes a message about an order that the book has traded already.
func (p *Player) traded(m *Message) error {
	switch m.Action {
	case Remains:
		if m.Quantity > 0 {
			p.Ahead++
			delete(p.orders, m.Order)
			return p.add(m)
		}
	case Leaves:
		if m.Quantity > 0 {
			p.Ahead++
		}
		delete(p.orders, m.Order)
	default:
		p.Unknown++
	}
	return nil
}

// unknown takes a message about an order that the book never had. It may be
// one of those that the initial book holds without their names; one whose
// price and quantity are told is learned.
func (p *Player) unknown(m *Message) error {
	switch m.Action {
	case Reduce, Remove, Execute, Leaves:
		if p.takeAnonymous(m) {
			p.Anonymous++
			return nil
		}
	case Amend, Remains:
		p.Unknown++
		if p.format.Arrivals {
			p.makeWay(m.Side, m.Price) // it rests
		}
		if m.Quantity > 0 {
			return p.add(m)
		}
		return nil
	}
	p.Unknown++
	return nil
}
