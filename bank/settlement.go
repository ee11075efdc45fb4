package bank

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// unsettled is what the running command knows of its orders and has still to
// pay.
type unsettled struct {
	// placing and arriving are the order that is being placed and its record;
	// openBefore is what was open of one that is being amended.
	placing    market.Order
	arriving   orderMoney
	openBefore int64
	// reason, above 0, is why orders are being cancelled.
	reason market.Reason
	// market is that of the fees and of taker. taker is what the order that
	// takes has traded so far: it is posted once for all its trades.
	market uint32
	fees   int64
	taker  trade
}

// trade is what an order has traded.
type trade struct {
	side          market.Side
	base, quote   uint64 // accounts of its owner
	units         int64  // of the base
	notional, fee int64  // of the quote
}

// settleEvents settles what the exchange has done and answers the facts.
func (s *State) settleEvents(events []market.Event) {
	for i := range events {
		e := &events[i]
		if e.Market != s.trade.running.market {
			s.payFees()
			s.trade.running.market = e.Market
		}
		m := &s.trade.markets[e.Market-1]
		switch e.Kind {
		case market.OrderAccepted:
			s.orderPlaced(m, e)
		case market.OrderFilled:
			s.orderFilled(m, e)
		case market.OrderCancelled:
			s.orderCancelled(m, e)
		case market.OrderAmended:
			s.orderAmended(m, e)
		case market.MarketCleared:
			s.marketCleared(MarketCleared{e.Market, e.Price, e.Quantity})
		case market.PhaseChanged:
			s.phaseChanged(PhaseChanged{e.Market, market.Phase(e.Open), e.Reason, e.Price, e.Quantity})
		}
	}
	s.payFees()
	if s.trade.events = events; cap(events) > 1<<16 {
		s.trade.events = nil // what a large call needed is not kept
	}
}

// moneyOf returns the record of an order's money for writing.
func (s *State) moneyOf(m *listed, e *market.Event) *orderMoney {
	return m.money.at(s.trade.exchange.Book(e.Market).Place(e.Number))
}

func (s *State) orderPlaced(m *listed, e *market.Event) {
	money := s.moneyOf(m, e)
	*money = s.trade.running.arriving
	held := m.holds(money, e.Side, e.Quantity)
	if refusal := s.books.HoldForOrder(money.payer(e.Side), held); refusal != ledger.Accepted {
		panic("bank: there was enough for an order and yet it was refused: " + refusal.String())
	}
	t := s.trade.traders.Write(int(money.trader - 1))
	t.openOrders++
	t.openMicro += s.value(m, money, money.price, e.Quantity)
	o := &s.trade.running.placing
	s.answer = (&OrderPlaced{
		Market: e.Market, Order: e.Number, Person: e.Owner, Side: e.Side, Kind: o.Kind, PostOnly: o.PostOnly, SelfTrade: o.SelfTrade,
		Price: e.Price, Quantity: e.Quantity, ExpiresMS: o.ExpiresMS, Held: held,
	}).appendTo(s.answer)
}

func (s *State) orderFilled(m *listed, e *market.Event) {
	money := s.moneyOf(m, e)
	before := e.Open + e.Quantity
	heldBefore, valueBefore := m.holds(money, e.Side, before), s.value(m, money, money.price, before)
	done := trade{side: e.Side, base: money.base, quote: money.quote, units: e.Quantity * m.LotUnits, notional: e.Price * e.Quantity * m.tickValue}
	done.fee, money.slack = owedFee(done.notional, money.bps(e.Role), money.slack)
	s.books.ReleaseFromOrder(money.payer(e.Side), heldBefore-m.holds(money, e.Side, e.Open))
	t := s.trade.traders.Write(int(money.trader - 1))
	t.openMicro += s.value(m, money, money.price, e.Open) - valueBefore
	t.addTraded(s.nowMS, s.value(m, money, e.Price, e.Quantity))
	if e.Open == 0 {
		t.openOrders--
		*money = orderMoney{}
	}
	s.answer = (&OrderFilled{
		Market: e.Market, Order: e.Number, Person: e.Owner, Side: e.Side, Role: e.Role, Price: e.Price, Quantity: e.Quantity,
		Open: e.Open, Counter: e.Counter, Notional: done.notional, Fee: done.fee,
	}).appendTo(s.answer)
	s.trade.running.fees += done.fee
	if e.Role != market.Taker {
		s.pay(m, &done)
		return
	}
	taker := &s.trade.running.taker
	done.units, done.notional, done.fee = done.units+taker.units, done.notional+taker.notional, done.fee+taker.fee
	*taker = done
}

// pay posts what an order has traded: through the clearing accounts, so that
// nobody's statement tells with whom they traded.
func (s *State) pay(m *listed, t *trade) {
	if t.side == market.Buy {
		s.mustPost(t.quote, m.clearingQuote, t.notional+t.fee)
		s.mustPost(m.clearingBase, t.base, t.units)
		return
	}
	s.mustPost(t.base, m.clearingBase, t.units)
	if proceeds := t.notional - t.fee; proceeds > 0 {
		s.mustPost(m.clearingQuote, t.quote, proceeds)
	}
}

// payFees posts what the taker has traded and divides the fees.
func (s *State) payFees() {
	running := &s.trade.running
	if running.taker.units > 0 {
		s.pay(&s.trade.markets[running.market-1], &running.taker)
		running.taker = trade{}
	}
	if running.fees == 0 {
		return
	}
	m := &s.trade.markets[running.market-1]
	operator, _ := amount.MulDivDown(running.fees, int64(m.OperatorBPS), 10_000)
	burned, _ := amount.MulDivDown(running.fees, int64(m.BurnedBPS), 10_000)
	for _, part := range [...]struct{ account, value uint64 }{
		{s.accountOf(treasuryAccount(m.Quote)), uint64(running.fees - operator - burned)},
		{s.accountOf(operatorAccount(m.Quote)), uint64(operator)},
		{s.books.Asset(m.Quote).Issuer, uint64(burned)},
	} {
		if part.value > 0 {
			s.mustPost(m.clearingQuote, part.account, int64(part.value))
		}
	}
	running.fees = 0
}

func (s *State) orderCancelled(m *listed, e *market.Event) {
	money := s.moneyOf(m, e)
	released := m.holds(money, e.Side, e.Quantity)
	s.books.ReleaseFromOrder(money.payer(e.Side), released)
	t := s.trade.traders.Write(int(money.trader - 1))
	t.openOrders--
	t.openMicro -= s.value(m, money, money.price, e.Quantity)
	*money = orderMoney{}
	reason := e.Reason
	if s.trade.running.reason != market.NoReason {
		reason = s.trade.running.reason
	}
	s.answer = (&OrderCancelled{
		Market: e.Market, Order: e.Number, Person: e.Owner, Side: e.Side, Reason: reason, Price: e.Price, Quantity: e.Quantity, Released: released,
	}).appendTo(s.answer)
}

func (s *State) orderAmended(m *listed, e *market.Event) {
	money := s.moneyOf(m, e)
	before := s.trade.running.openBefore
	held, value := m.holds(money, e.Side, before), s.value(m, money, money.price, before)
	money.price = e.Price
	more := m.holds(money, e.Side, e.Open) - held
	if more < 0 {
		s.books.ReleaseFromOrder(money.payer(e.Side), -more)
	} else if refusal := s.books.HoldForOrder(money.payer(e.Side), more); refusal != ledger.Accepted {
		panic("bank: there was enough for an amendment and yet it was refused: " + refusal.String())
	}
	t := s.trade.traders.Write(int(money.trader - 1))
	t.openMicro += s.value(m, money, money.price, e.Open) - value
	s.answer = (&OrderAmended{
		Market: e.Market, Order: e.Number, Person: e.Owner, Side: e.Side, Price: e.Price, Quantity: e.Quantity, Open: e.Open,
		KeptPriority: e.Reason == market.PriorityKept, Held: held + more,
	}).appendTo(s.answer)
}
