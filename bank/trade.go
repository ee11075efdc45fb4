package bank

import (
	"crypto/sha256"

	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/pages"
)

// An order, what it holds, its trades, their fees and what they pay are one
// command. What an open order holds follows from its price, what is open of it
// and its fees: of the quote the price and the highest fee, of the base what is
// for sale. So an account has one sum for all its orders, and no order a hold.

// trading is all markets with who trades there.
type trading struct {
	exchange *market.Exchange
	markets  []listed
	traders  pages.Array[trader]
	traderOf pages.Index
	// deadlines find who is next to be cancelled; made from traders.
	deadlines deadlines
	tiers     [Tiers]Tier

	// events and numbers are scratch memory; running is what the running command
	// has still to pay.
	events  []market.Event
	numbers []uint64
	running unsettled
}

func newTrading() trading { return trading{exchange: market.NewExchange(), tiers: DefaultTiers()} }

// stepOrders bounds how many orders that expire or whose owner has gone one
// Tick ends.
const stepOrders = 2048

// orderMoney is what the bank keeps of an open order, at its place in the book.
// It is zero where none is open.
type orderMoney struct {
	base, quote uint64 // accounts of its owner
	price       int64  // its limit
	trader      uint32 // position + 1
	// Fees are those of when it was placed; slack is that of owedFee.
	makerBPS, takerBPS, callBPS, slack uint16
	// valueMicro is Terms.ValueMicro of when it was placed.
	valueMicro int64
	// unheld says that the order holds nothing, because it trades whole at once.
	unheld bool
}

type moneyOfOrders struct{ pages.Array[orderMoney] }

// at returns the record of a place for writing.
func (a *moneyOfOrders) at(place int) *orderMoney {
	for a.Len() <= place {
		a.Append(orderMoney{})
	}
	return a.Write(place)
}

func (o *orderMoney) bps(role market.Role) uint16 {
	switch role {
	case market.Maker:
		return o.makerBPS
	case market.Taker:
		return o.takerBPS
	}
	return o.callBPS
}

// holds returns what an order holds while open lots of it are open: lots of the
// base, or their price with the highest fee that they can come to, which covers
// any division into trades.
func (m *listed) holds(o *orderMoney, side market.Side, open int64) int64 {
	switch {
	case o.unheld:
		return 0
	case side == market.Sell:
		return open * m.LotUnits
	}
	notional := o.price * open * m.tickValue
	fee, _ := owedFee(notional, max(o.makerBPS, o.takerBPS, o.callBPS), o.slack)
	return notional + fee
}

// payer returns the account of which an order of a side holds.
func (o *orderMoney) payer(side market.Side) uint64 {
	if side == market.Sell {
		return o.base
	}
	return o.quote
}

// Chain tells the hash of the record before the one that begins: what decides
// the seeds of calls. Nobody can choose it once orders are placed that know of
// it, and whoever has the journal can compute it.
func (s *State) Chain(previous [32]byte) { s.previous = previous }

// seed is for calls that begin now.
func (s *State) seed() market.Seed {
	return sha256.Sum256(append([]byte("attentionbank call seed\n"), s.previous[:]...))
}

// PlaceOrder places an order of a person. Price and quantity are ticks and lots.
type PlaceOrder struct {
	Key       Key
	Reference string
	Market    uint32
	Person    uint64
	Side      market.Side
	Kind      market.Kind
	PostOnly  bool
	SelfTrade market.SelfTrade
	// Price is the limit; a market order may leave it 0.
	Price, Quantity int64
	ExpiresMS       int64 // of a GTD order
}

// AppendTo appends the encoded command.
func (c PlaceOrder) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindPlaceOrder, c.Key), c.Reference)
	dst = le.AppendUint64(le.AppendUint32(dst, c.Market), c.Person)
	dst = append(appendBool(append(dst, uint8(c.Side), uint8(c.Kind)), c.PostOnly), uint8(c.SelfTrade))
	return appendI64(appendI64(appendI64(dst, c.Price), c.Quantity), c.ExpiresMS)
}

func (s *State) placeOrder(r *reader) Refusal {
	reference := r.text8()
	number := r.u32()
	order := market.Order{Owner: r.u64(), Side: market.Side(r.u8()), Kind: market.Kind(r.u8()), PostOnly: r.bool(), SelfTrade: market.SelfTrade(r.u8())}
	order.Price, order.Quantity, order.ExpiresMS = r.i64(), r.i64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if refusal := s.mayTrade(order.Owner, FeatureTrade); refusal != Accepted {
		return refusal
	}
	return s.place(number, &order, nil)
}

// place carries out an order, or says why not. That of a conversion comes with
// its quote; where the market trades continuously, the quote is exactly what it
// will come to, so nothing is held for it beyond that.
func (s *State) place(number uint32, order *market.Order, quote *Quote) Refusal {
	price, refused := s.trade.exchange.Admits(number, order, s.nowMS)
	if refused != market.Accepted {
		return ofMarket(refused)
	}
	m := s.listed(number)
	if s.behind(number) {
		return MarketBehind
	}
	money := orderMoney{price: price, makerBPS: m.MakerBPS, takerBPS: m.TakerBPS, callBPS: m.CallBPS, valueMicro: m.ValueMicro}
	want := wanted{order.Owner, order.Side, price, order.Quantity}
	valueMicro := s.value(m, &money, price, order.Quantity)
	if refusal := s.mayOrder(order.Owner, valueMicro); refusal != Accepted {
		return refusal
	}
	if refusal := s.withinTier(m, &money, &want, 0); refusal != Accepted {
		return refusal
	}
	needs := m.holds(&money, order.Side, order.Quantity)
	if quote != nil && !quote.Indicative {
		if money.unheld = true; order.Side == market.Buy {
			needs = quote.Net
		}
	}
	payer := itemAccount(order.Owner, m.Quote)
	if order.Side == market.Sell {
		payer = itemAccount(order.Owner, m.Base)
	}
	paying, found := s.books.Find(payer)
	if !found || s.books.Account(paying).Available() < needs {
		return InsufficientAvailable
	}
	money.base, money.quote = s.open(itemAccount(order.Owner, m.Base)), s.open(itemAccount(order.Owner, m.Quote))
	t := s.trader(order.Owner)
	money.trader = uint32(t + 1)
	s.countMessage(t)
	s.trade.running.placing, s.trade.running.arriving = *order, money
	placed, events, refused := s.trade.exchange.Place(number, *order, s.nowMS, s.trade.events[:0])
	if refused != market.Accepted {
		panic("bank: an order that was admitted was refused: " + refused.String())
	}
	s.spent(order.Owner, 0, valueMicro)
	s.settleEvents(events)
	if quote != nil {
		s.converted(number, placed, order, quote)
	}
	return Accepted
}

// behind reports whether time has still to take effect in a market: only when a
// Tick left some of its work to the next.
func (s *State) behind(number uint32) bool {
	dueMS, any := s.trade.exchange.Book(number).NextDueMS()
	return any && dueMS <= s.nowMS
}

// mayTrade tells whether a person may place and change orders, or convert.
func (s *State) mayTrade(person uint64, f Feature) Refusal {
	if person == 0 || person > s.People() {
		return PersonNotFound
	}
	return s.may(person, f)
}
