package history

import (
	"cmp"
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/market"
)

// OrderStatus says whether an order may still trade.
type OrderStatus uint8

// What an order can have come to.
const (
	OrderOpen OrderStatus = iota
	OrderFilled
	OrderCancelled
)

// Order is an order of a person and what became of it.
type Order struct {
	OrderName
	// Seq and Index are those of the command that placed it.
	Seq       uint64
	Index     uint32
	PlacedMS  int64
	Side      market.Side
	Kind      market.Kind
	PostOnly  bool
	ExpiresMS int64 // 0 for never
	OrderState
}

// OrderName tells an order from all others.
type OrderName struct {
	Person uint64
	Market uint32
	Number uint64
}

// OrderState is what changes of an order.
type OrderState struct {
	// Price is the limit in ticks, 0 for none, and Quantity the whole quantity in
	// lots, as last amended.
	Price, Quantity int64
	// Filled is the lots of it that were traded, Notional what was paid for them
	// and Fee the fees, in minor units of the quote.
	Filled, Notional, Fee int64
	Status                OrderStatus
	Reason                market.Reason // why it was cancelled
	EndedMS               int64         // 0 while open
}

// OrderChange is what became of an order that an earlier chunk placed: Filled,
// Notional and Fee are added to what there was, a price and quantity of 0 leave
// them, and the rest is as it is now.
type OrderChange struct {
	OrderName
	OrderState
}

// PastOrders answers about orders, those that have ended too.
type PastOrders interface {
	// Order returns an order, or ErrNotFound.
	Order(ctx context.Context, name OrderName) (Order, error)
	// Orders returns the orders of a person, market by market, of each the newest
	// first.
	Orders(ctx context.Context, person uint64, query OrderQuery) ([]Order, error)
}

// OrderQuery says which orders of a person to return.
type OrderQuery struct {
	Market uint32 // of this one; 0 for all
	// Of one status only, if OneStatus says so; if Ended does, all but the open.
	Status           OrderStatus
	OneStatus, Ended bool
	// Behind this order; zero for the beginning.
	AfterMarket uint32
	AfterNumber uint64
	Limit       int
}

// Keeps reports whether a query asks for orders of a status.
func (q *OrderQuery) Keeps(status OrderStatus) bool {
	return (!q.OneStatus || status == q.Status) && (!q.Ended || status != OrderOpen)
}

// Compare orders orders as they are listed: by person, by market, of each the
// newest first.
func (n OrderName) Compare(other OrderName) int {
	return cmp.Or(cmp.Compare(n.Person, other.Person), cmp.Compare(n.Market, other.Market), cmp.Compare(other.Number, n.Number))
}

// Add takes in a later change.
func (s *OrderState) Add(later OrderState) {
	if later.Price != 0 {
		s.Price = later.Price
	}
	if later.Quantity != 0 {
		s.Quantity = later.Quantity
	}
	s.Filled, s.Notional, s.Fee = s.Filled+later.Filled, s.Notional+later.Notional, s.Fee+later.Fee
	s.Status, s.Reason, s.EndedMS = later.Status, later.Reason, later.EndedMS
}

// addOrder takes in a fact of an order. An order has one row in a chunk,
// whatever happens to it there.
func (c *Chunk) addOrder(t Transaction, fact bank.Fact) {
	switch f := fact.(type) {
	case bank.OrderPlaced:
		name := OrderName{f.Person, f.Market, f.Order}
		if c.orderAt == nil {
			c.orderAt = map[OrderName]int{}
		}
		c.orderAt[name] = len(c.Orders)
		c.Orders = append(c.Orders, Order{
			OrderName: name, Seq: t.Seq, Index: t.Index, PlacedMS: t.TimeMS, Side: f.Side, Kind: f.Kind, PostOnly: f.PostOnly, ExpiresMS: f.ExpiresMS,
			OrderState: OrderState{Price: f.Price, Quantity: f.Quantity},
		})
	case bank.OrderFilled:
		later := OrderState{Filled: f.Quantity, Notional: f.Notional, Fee: f.Fee}
		if f.Open == 0 {
			later.Status, later.EndedMS = OrderFilled, t.TimeMS
		}
		c.changeOrder(OrderName{f.Person, f.Market, f.Order}, later)
	case bank.OrderAmended:
		c.changeOrder(OrderName{f.Person, f.Market, f.Order}, OrderState{Price: f.Price, Quantity: f.Quantity})
	case bank.OrderCancelled:
		c.changeOrder(OrderName{f.Person, f.Market, f.Order}, OrderState{Status: OrderCancelled, Reason: f.Reason, EndedMS: t.TimeMS})
	}
}

// changeOrder joins a change to the order's row in the chunk.
func (c *Chunk) changeOrder(name OrderName, later OrderState) {
	if i, there := c.orderAt[name]; there {
		c.Orders[i].Add(later)
		return
	}
	if i, there := c.changeAt[name]; there {
		c.OrderChanges[i].Add(later)
		return
	}
	if c.changeAt == nil {
		c.changeAt = map[OrderName]int{}
	}
	c.changeAt[name] = len(c.OrderChanges)
	c.OrderChanges = append(c.OrderChanges, OrderChange{name, later})
}
