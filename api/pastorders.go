package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
)

var orderStatuses = [...]string{"open", "filled", "cancelled"}

func (s *server) registerPastOrders() {
	register(s, operation("get-order", "GET", "/v1/orders/{order}", "An order of yours: as it is in the book, or how it ended", "orders"), operator|person, s.getOrder)
	register(s, operation("list-person-orders", "GET", "/v1/people/{person}/orders", "A person's orders, those that have ended too, market by market, the newest first", "orders"), operator|person, s.listPersonOrders)
}

func (s *server) getOrder(ctx context.Context, who identity.Principal, in *struct {
	OrderPath
	Person string `query:"person" maxLength:"36" doc:"Whose order it was. An operator names the person of an order that has ended."`
}) (*body[wire.Order], error) {
	u, number, err := s.orderNumber(ctx, in.Order)
	if err != nil {
		return nil, err
	}
	id := who.PersonID
	if who.Kind == identity.Operator && in.Person != "" {
		if id, err = parsePerson(in.Person); err != nil {
			return nil, err
		}
	}
	out := &body[wire.Order]{}
	var owner, seq uint64
	var known, found bool
	err = s.Bank.Read(ctx, func(state *bank.State) {
		_, book := state.Market(u.number)
		owner, known = state.PersonByID(id)
		seq = state.Seq()
		if order, open := book.Order(number); open && (known && order.Owner == owner || who.Kind == identity.Operator && in.Person == "") {
			out.Body, found = openOrder(&u, &order), true
		}
	})
	if err != nil || found {
		return out, err
	}
	if !known {
		return nil, refusalOf(bank.MarketRefusal(market.OrderNotFound))
	}
	out.Body, err = s.endedOrder(ctx, &u, history.OrderName{Person: owner, Market: u.number, Number: number}, seq)
	return out, err
}

// errNotYet: what is asked for was done, and is not in the history yet.
var errNotYet = errors.New("it is not in the history yet")

// orderWait is how long an order that has just ended is waited for.
const orderWait = 2 * time.Second

// endedOrder reads an order that is in no book at a record, if it ever was in
// one.
func (s *server) endedOrder(ctx context.Context, u *marketUnits, name history.OrderName, seq uint64) (wire.Order, error) {
	o, err := s.History.Order(ctx, name)
	if (err == nil && o.Status == history.OrderOpen || errors.Is(err, history.ErrNotFound)) && s.Await != nil {
		waiting, cancel := context.WithTimeout(ctx, orderWait)
		defer cancel()
		if s.Await(waiting, seq) != nil {
			return wire.Order{}, errNotYet
		}
		o, err = s.History.Order(ctx, name)
	}
	if errors.Is(err, history.ErrNotFound) {
		err = refusalOf(bank.MarketRefusal(market.OrderNotFound))
	}
	if err != nil {
		return wire.Order{}, err
	}
	return pastOrder(u, &o), nil
}

// pastOrder shows an order of the history.
func pastOrder(u *marketUnits, o *history.Order) wire.Order {
	shown := wire.Order{
		Order: orderText(u.number, o.Number), Market: strconv.FormatUint(uint64(u.number), 10), Side: sideNames[o.Side], Type: orderKinds[o.Kind],
		Price: u.price(o.Price), Quantity: u.quantity(o.Quantity), Filled: u.quantity(o.Filled), Open: u.quantity(0), Expires: timeText(o.ExpiresMS),
		PostOnly: o.PostOnly, Status: orderStatuses[o.Status], Placed: timeText(o.PlacedMS), Ended: timeText(o.EndedMS),
		Operation: history.Position{Seq: o.Seq, Index: o.Index}.String(),
	}
	switch o.Status {
	case history.OrderOpen:
		shown.Open = u.quantity(o.Quantity - o.Filled)
	case history.OrderCancelled:
		shown.Reason = reasonOf(o.Reason)
	}
	if o.Filled > 0 {
		shown.Paid, shown.Fee = u.paid(o.Notional), u.paid(o.Fee)
	}
	return shown
}

func (s *server) listPersonOrders(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
	Market string `query:"market" maxLength:"10" doc:"Of this market only."`
	Status string `query:"status" enum:"open,ended,filled,cancelled" doc:"Of this status only; ended is filled or cancelled."`
}) (*told[wire.Order], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	query := history.OrderQuery{Limit: in.Limit + 1, Ended: in.Status == "ended", OneStatus: in.Status != "" && in.Status != "ended"}
	query.Status = history.OrderStatus(index(orderStatuses[:], in.Status))
	if in.Cursor != "" {
		if query.AfterMarket, query.AfterNumber, err = orderCursor(in.Cursor); err != nil {
			return nil, err
		}
	}
	if in.Market != "" {
		u, err := s.marketUnits(ctx, in.Market)
		if err != nil {
			return nil, err
		}
		query.Market = u.number
	}
	out := &told[wire.Order]{s.lag(), wire.List[wire.Order]{Items: []wire.Order{}}}
	number, known, err := s.personNumber(ctx, subject.Person)
	if err != nil || !known {
		return out, err
	}
	orders, err := s.History.Orders(ctx, number, query)
	if err != nil {
		return nil, err
	}
	orders, more := cut(orders, in.Limit)
	for i := range orders {
		u, err := s.marketUnits(ctx, strconv.FormatUint(uint64(orders[i].Market), 10))
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, pastOrder(&u, &orders[i]))
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].Order
	}
	return out, nil
}
