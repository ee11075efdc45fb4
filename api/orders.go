package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
)

// OrderPath names an order.
type OrderPath struct {
	Order string `path:"order" maxLength:"31" doc:"As it was answered: its market and number."`
}

var (
	sideNames  = []string{"buy", "sell"}
	orderKinds = []string{"gtc", "gtd", "market", "ioc", "fok"}
	selfTrades = []string{"cancel_newest", "cancel_oldest", "cancel_both"}
	roleNames  = []string{"", "maker", "taker", "call"}
)

// reasonOf names why an order was cancelled.
func reasonOf(reason market.Reason) string {
	return map[market.Reason]string{
		market.ByOwner: "by_owner", market.ByOperator: "by_operator", market.Expired: "expired", market.Unfilled: "unfilled",
		market.SelfTraded: "self_trade", bank.Disconnected: "disconnected",
	}[reason]
}

func orderText(number uint32, order uint64) string {
	return strconv.FormatUint(uint64(number), 10) + "-" + strconv.FormatUint(order, 10)
}

// orderNumber reads the name of an order.
func (s *server) orderNumber(ctx context.Context, text string) (u marketUnits, order uint64, err error) {
	number, rest, _ := strings.Cut(text, "-")
	if order, err = parseNumber("order", rest); err != nil {
		return u, 0, err
	}
	u, err = s.marketUnits(ctx, number)
	return u, order, err
}

// index returns where a name is in a list; the schema allows no other, and an
// empty one is the first.
func index(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return 0
}

func (s *server) registerOrders() {
	register(s, created("place-order", "POST", "/v1/orders", "Buy or sell in a market", "orders"), person, s.placeOrder)
	register(s, operation("list-orders", "GET", "/v1/orders", "Your open orders, market by market", "orders"), person, s.listOrders)
	s.registerPastOrders()
	register(s, operation("amend-order", "POST", "/v1/orders/{order}/amend", "Give an order another price or quantity", "orders"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			OrderPath
			Idempotent
			Body wire.OrderChange
		}) (*answered[wire.Order], error) {
			u, number, err := s.orderNumber(ctx, in.Order)
			if err != nil {
				return nil, err
			}
			command := bank.AmendOrder{Key: in.key(who, "amend"), Reference: in.Body.Reference, Market: u.number, Order: number}
			if command.Price, err = u.ticks("price", in.Body.Price); err != nil {
				return nil, err
			}
			if command.Quantity, err = u.lots("quantity", in.Body.Quantity); err != nil {
				return nil, err
			}
			if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
				return nil, err
			}
			return s.ordered(ctx, &u, command.AppendTo(nil), number)
		})
	register(s, operation("cancel-order", "POST", "/v1/orders/{order}/cancel", "Cancel an order", "orders"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			OrderPath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Order], error) {
			u, number, err := s.orderNumber(ctx, in.Order)
			if err != nil {
				return nil, err
			}
			command := bank.CancelOrder{Key: in.key(who, "cancel"), Reference: in.Body.Reference, Market: u.number, Order: number}
			if who.Kind == identity.Person {
				if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
					return nil, err
				}
			}
			return s.ordered(ctx, &u, command.AppendTo(nil), number)
		})
	register(s, operation("cancel-orders", "POST", "/v1/orders/cancel", "Cancel all your orders, of one market or of all", "orders"), person, s.cancelOrders)
	register(s, operation("keep-orders", "POST", "/v1/orders/heartbeat", "Say that you are there, so that your orders stay", "orders"), person,
		func(ctx context.Context, who identity.Principal, in *struct{ Body wire.Heartbeat }) (*body[wire.HeartbeatKept], error) {
			number, err := s.registered(ctx, who.PersonID)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.KeepOrders{Person: number, TimeoutMS: in.Body.TimeoutMS}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			kept, _ := bank.First[bank.OrdersKept](answer.Bytes)
			return &body[wire.HeartbeatKept]{wire.HeartbeatKept{Until: timeText(kept.UntilMS)}}, nil
		})
	s.registerConversions()
}

func (s *server) placeOrder(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body wire.NewOrder
}) (*answered[wire.Order], error) {
	u, err := s.marketUnits(ctx, in.Body.Market)
	if err != nil {
		return nil, err
	}
	command := bank.PlaceOrder{
		Key: in.key(who, "order"), Reference: in.Body.Reference, Market: u.number, Side: market.Side(index(sideNames, in.Body.Side)),
		Kind: market.Kind(index(orderKinds, in.Body.Type)), PostOnly: in.Body.PostOnly, SelfTrade: market.SelfTrade(index(selfTrades, in.Body.SelfTrade)),
	}
	if command.Price, err = u.ticks("price", in.Body.Price); err != nil {
		return nil, err
	}
	if command.Quantity, err = u.lots("quantity", in.Body.Quantity); err != nil {
		return nil, err
	}
	if command.ExpiresMS, err = parseTime("expires", in.Body.Expires); err != nil {
		return nil, err
	}
	if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
		return nil, err
	}
	return s.ordered(ctx, &u, command.AppendTo(nil), 0)
}

// ordered carries out a command about one order and answers what became of it.
// order 0 is the one that the command places.
func (s *server) ordered(ctx context.Context, u *marketUnits, command []byte, order uint64) (*answered[wire.Order], error) {
	answer, err := s.submit(ctx, command)
	if err != nil {
		return nil, err
	}
	shown, err := orderIn(answer, u, order)
	return &answered[wire.Order]{replayed(answer), shown}, err
}

// orderIn reads from an answer what became of an order.
func orderIn(answer journal.Answer, u *marketUnits, order uint64) (shown wire.Order, err error) {
	var paid, fee int64
	for fact, err := range bank.Facts(answer.Bytes) {
		if err != nil {
			return shown, err
		}
		switch f := fact.(type) {
		case bank.OrderPlaced:
			order = f.Order
			shown = wire.Order{
				Side: sideNames[f.Side], Type: orderKinds[f.Kind], Price: u.price(f.Price), Quantity: u.quantity(f.Quantity), Open: u.quantity(f.Quantity),
				Expires: timeText(f.ExpiresMS), PostOnly: f.PostOnly, Status: "open", Held: u.held(f.Side, f.Held),
			}
		case bank.OrderAmended:
			shown = wire.Order{
				Side: sideNames[f.Side], Price: u.price(f.Price), Quantity: u.quantity(f.Quantity), Open: u.quantity(f.Open), Status: "open",
				Held: u.held(f.Side, f.Held),
			}
		case bank.OrderFilled:
			if f.Order != order {
				continue
			}
			shown.Open = u.quantity(f.Open)
			if f.Open == 0 {
				shown.Status, shown.Held = "filled", ""
			} else {
				shown.Held = "" // what it holds now stands with the order itself
			}
			paid, fee = paid+f.Notional, fee+f.Fee
			shown.Fills = append(shown.Fills, wire.Fill{Price: u.price(f.Price), Quantity: u.quantity(f.Quantity), Role: roleNames[f.Role], Fee: u.paid(f.Fee)})
		case bank.OrderCancelled:
			if f.Order == order {
				shown.Side, shown.Price = sideNames[f.Side], u.price(f.Price)
				shown.Open, shown.Status, shown.Reason, shown.Held = u.quantity(0), "cancelled", reasonOf(f.Reason), ""
			}
		}
	}
	if len(shown.Fills) > 0 {
		shown.Paid, shown.Fee = u.paid(paid), u.paid(fee)
	}
	shown.Market, shown.Order = strconv.FormatUint(uint64(u.number), 10), orderText(u.number, order)
	shown.Operation = history.Position{Seq: answer.Seq, Index: answer.Index}.String()
	return shown, nil
}

func (u *marketUnits) held(side market.Side, value int64) string {
	if side == market.Sell {
		return u.quantity(value / u.lot)
	}
	return u.paid(value)
}

// openOrder shows an order of a book.
func openOrder(u *marketUnits, o *market.Open) wire.Order {
	return wire.Order{
		Order: orderText(u.number, o.Number), Market: strconv.FormatUint(uint64(u.number), 10), Side: sideNames[o.Side], Type: orderKinds[o.Kind],
		Price: u.price(o.Price), Quantity: u.quantity(o.Quantity), Filled: u.quantity(o.Filled),
		Open: u.quantity(o.Quantity - o.Filled), Expires: timeText(o.ExpiresMS), PostOnly: o.PostOnly, Status: "open",
	}
}

// orderCursor reads a cursor that is an order.
func orderCursor(text string) (number uint32, order uint64, err error) {
	first, rest, _ := strings.Cut(text, "-")
	market, err := strconv.ParseUint(first, 10, 32)
	order, errToo := strconv.ParseUint(rest, 10, 64)
	if err != nil || errToo != nil || market == 0 {
		return 0, 0, badCursor()
	}
	return uint32(market), order, nil
}

// listOrders pages through the open orders of a person: markets by number,
// orders of one by age. The cursor is the last order that was shown.
func (s *server) listOrders(ctx context.Context, who identity.Principal, in *struct {
	Page
	Market string `query:"market" maxLength:"10" doc:"Only orders in this market."`
}) (*body[wire.List[wire.Order]], error) {
	first, lastOrder := uint32(1), uint64(0)
	if in.Cursor != "" {
		var err error
		if first, lastOrder, err = orderCursor(in.Cursor); err != nil {
			return nil, err
		}
	}
	only := uint32(0)
	if in.Market != "" {
		u, err := s.marketUnits(ctx, in.Market)
		if err != nil {
			return nil, err
		}
		only = u.number
	}
	out := &body[wire.List[wire.Order]]{wire.List[wire.Order]{Items: []wire.Order{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		person, found := state.PersonByID(who.PersonID)
		if !found {
			return
		}
		for number := first; number <= state.Markets(); number++ {
			if only != 0 && number != only {
				continue
			}
			u, _ := unitsIn(state, number)
			_, book := state.Market(number)
			for _, order := range book.OwnerOrders(person, bank.MaxTierOrders, nil) {
				if number == first && order <= lastOrder {
					continue
				}
				if len(out.Body.Items) == in.Limit {
					out.Body.NextCursor = out.Body.Items[in.Limit-1].Order
					return
				}
				open, _ := book.Order(order)
				out.Body.Items = append(out.Body.Items, openOrder(&u, &open))
			}
		}
	})
	return out, err
}

func (s *server) cancelOrders(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body wire.OrdersEnding
}) (*answered[wire.OrdersCancelled], error) {
	command := bank.CancelOrders{Key: in.key(who, "cancel-all"), Reference: in.Body.Reference}
	if in.Body.Market != "" {
		u, err := s.marketUnits(ctx, in.Body.Market)
		if err != nil {
			return nil, err
		}
		command.Market = u.number
	}
	var err error
	if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
		return nil, err
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	out := &answered[wire.OrdersCancelled]{replayed(answer), wire.OrdersCancelled{Orders: []wire.Order{}}}
	for fact, err := range bank.Facts(answer.Bytes) {
		if err != nil {
			return nil, err
		}
		if f, is := fact.(bank.OrderCancelled); is {
			number := strconv.FormatUint(uint64(f.Market), 10)
			u, err := s.marketUnits(ctx, number)
			if err != nil {
				return nil, err
			}
			out.Body.Orders = append(out.Body.Orders, wire.Order{
				Order: orderText(f.Market, f.Order), Market: number, Side: sideNames[f.Side], Price: u.price(f.Price), Open: u.quantity(0),
				Status: "cancelled", Reason: reasonOf(f.Reason),
			})
		}
	}
	return out, nil
}
