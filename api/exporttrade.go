package api

import (
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/market"
)

// tradeTables are what a person did in markets.
func (x *exported) tradeTables() []export.Table {
	return []export.Table{x.ordersTable(), {
		Name: "fills", About: "What your orders traded, the newest first.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("order", export.Text, ""), field("market", export.Text, ""), field("side", export.Text, ""), field("role", export.Text, "maker, taker or call."),
			field("price", export.Amount, "In the quote for one of the base."), field("quantity", export.Amount, "Of the base."), field("paid", export.Amount, "Of the quote."), field("fee", export.Amount, "Of the quote."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			if x.person == 0 {
				return nil
			}
			query := history.FillQuery{Before: history.Position{Seq: x.seq + 1}, Limit: history.MaxPage}
			for {
				page, err := x.History.Fills(x.ctx, x.person, query)
				if err != nil {
					return err
				}
				for _, f := range page {
					query.Before = f.Position
					u, err := x.unitsOfMarket(f.Market)
					if err != nil {
						return err
					}
					if err := emit(timeText(f.TimeMS), f.Position.String(), orderText(f.Market, f.Order), u.base+"/"+u.quote, sideNames[f.Side], roleNames[f.Role], u.price(f.Price), u.quantity(f.Quantity), u.paid(f.Notional), u.paid(f.Fee)); err != nil {
						return err
					}
				}
				if len(page) < query.Limit {
					return nil
				}
			}
		}),
	}, {
		Name: "conversions", About: "What you converted by quotes.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("order", export.Text, "The order that it was."), field("market", export.Text, ""), field("side", export.Text, ""),
			field("quantity", export.Amount, "Of the base."), field("paid", export.Amount, "Of the quote."), field("fee", export.Amount, "Of the quote."), field("pending", export.Bool, "It waited for the batch; its fills say what came of it."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Conversions, x.person, func(t *history.Transaction, fact bank.Fact) error {
				f, is := fact.(bank.Converted)
				if !is || f.Person != x.person {
					return nil
				}
				u, err := x.unitsOfMarket(f.Market)
				if err != nil {
					return err
				}
				return emit(timeText(t.TimeMS), operationOf(t), t.Reference, orderText(f.Market, f.Order), u.base+"/"+u.quote, sideNames[f.Side], u.quantity(f.Quantity), u.paid(f.Notional), u.paid(f.Fee), f.Pending)
			})
		}),
	}}
}

func (x *exported) unitsOfMarket(number uint32) (marketUnits, error) {
	return x.marketUnits(x.ctx, strconv.FormatUint(uint64(number), 10))
}

func (x *exported) ordersTable() export.Table {
	return export.Table{
		Name: "orders", About: "Your orders: placed, amended and cancelled; what they traded stands among the fills.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("what", export.Text, "placed, amended, cancelled, or kept: you said that you are there."),
			field("order", export.Text, ""), field("market", export.Text, ""), field("side", export.Text, ""), field("type", export.Text, "gtc, gtd, market, ioc or fok."), field("price", export.Amount, "The limit."),
			field("quantity", export.Amount, "The whole; of a cancelled order what was open."), field("open", export.Amount, "After an amendment."), field("expires", export.Time, "Of a gtd order, or until when orders are kept."),
			field("post_only", export.Bool, ""), field("reason", export.Text, "Why it was cancelled."), field("held", export.Amount, "Of the base to sell, of the quote to buy; of a cancelled order what was given back."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Orders, x.person, func(t *history.Transaction, fact bank.Fact) error {
				return x.orderRow(emit, t, fact)
			})
		}),
	}
}

func (x *exported) orderRow(emit func(...any) error, t *history.Transaction, fact bank.Fact) error {
	type order struct {
		market                            uint32
		order                             uint64
		side                              market.Side
		what, kind, expires, reason, open string
		price, quantity, held             int64
		postOnly                          any
	}
	var o order
	var person uint64
	switch f := fact.(type) {
	case bank.OrderPlaced:
		person = f.Person
		o = order{market: f.Market, order: f.Order, side: f.Side, what: "placed", kind: orderKinds[f.Kind], expires: timeText(f.ExpiresMS), price: f.Price, quantity: f.Quantity, held: f.Held, postOnly: f.PostOnly}
	case bank.OrderAmended:
		person = f.Person
		u, err := x.unitsOfMarket(f.Market)
		if err != nil {
			return err
		}
		o = order{market: f.Market, order: f.Order, side: f.Side, what: "amended", open: u.quantity(f.Open), price: f.Price, quantity: f.Quantity, held: f.Held}
	case bank.OrderCancelled:
		person = f.Person
		o = order{market: f.Market, order: f.Order, side: f.Side, what: "cancelled", reason: reasonOf(f.Reason), price: f.Price, quantity: f.Quantity, held: f.Released}
	case bank.OrdersKept:
		if f.Person == x.person {
			return emit(timeText(t.TimeMS), operationOf(t), t.Reference, "kept", "", "", "", "", "", "", "", timeText(f.UntilMS), nil, "", "")
		}
	}
	if person == 0 || person != x.person {
		return nil
	}
	u, err := x.unitsOfMarket(o.market)
	if err != nil {
		return err
	}
	return emit(timeText(t.TimeMS), operationOf(t), t.Reference, o.what, orderText(o.market, o.order), u.base+"/"+u.quote, sideNames[o.side], o.kind, u.price(o.price),
		u.quantity(o.quantity), o.open, o.expires, o.postOnly, o.reason, u.held(o.side, o.held))
}
