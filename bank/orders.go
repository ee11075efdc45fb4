package bank

import (
	"math"

	"github.com/attentionbank/attentionbank/market"
)

// MaxKeepMS bounds for how long orders are kept without a sign of their owner:
// a day.
const MaxKeepMS = 24 * hourMS

// Disconnected is the reason of orders whose owner gave no sign in time.
const Disconnected market.Reason = 64

// AmendOrder gives an order a new price and a new whole quantity, in which what
// was filled already is included.
type AmendOrder struct {
	Key             Key
	Reference       string
	Market          uint32
	Person          uint64
	Order           uint64 // its number
	Price, Quantity int64
}

// AppendTo appends the encoded command.
func (c AmendOrder) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindAmendOrder, c.Key), c.Reference)
	dst = le.AppendUint64(le.AppendUint64(le.AppendUint32(dst, c.Market), c.Person), c.Order)
	return appendI64(appendI64(dst, c.Price), c.Quantity)
}

func (s *State) amendOrder(r *reader) Refusal {
	reference := r.text8()
	number, person, order, price, quantity := r.u32(), r.u64(), r.u64(), r.i64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if refusal := s.mayTrade(person, FeatureTrade); refusal != Accepted {
		return refusal
	}
	bounded, open, refused := s.trade.exchange.AdmitsAmend(number, order, person, price, quantity, s.nowMS)
	if refused != market.Accepted {
		return ofMarket(refused)
	}
	if s.behind(number) {
		return MarketBehind
	}
	m, book := s.listed(number), s.trade.exchange.Book(number)
	before, _ := book.Order(order)
	money := *m.money.At(book.Place(order))
	after := money
	after.price = bounded
	openBefore := before.Quantity - before.Filled
	valueBefore := s.value(m, &money, money.price, openBefore)
	more := s.value(m, &money, bounded, open) - valueBefore
	if more > 0 {
		if refusal := s.mayOrder(person, more); refusal != Accepted {
			return refusal
		}
		want := wanted{person, before.Side, bounded, open}
		if refusal := s.withinTier(m, &money, &want, valueBefore); refusal != Accepted {
			return refusal
		}
	} else if !s.trade.traders.At(int(money.trader-1)).mayMessage(s.tierOf(person), s.nowMS) {
		return TooManyMessages
	}
	needs := m.holds(&after, before.Side, open) - m.holds(&money, before.Side, openBefore)
	if s.books.Account(money.payer(before.Side)).Available() < needs {
		return InsufficientAvailable
	}
	s.countMessage(int(money.trader - 1))
	s.trade.running.openBefore = openBefore
	events, refused := s.trade.exchange.Amend(number, order, person, price, quantity, s.nowMS, s.trade.events[:0])
	if refused != market.Accepted {
		panic("bank: an amendment that was admitted was refused: " + refused.String())
	}
	s.spent(person, 0, max(more, 0))
	s.settleEvents(events)
	return Accepted
}

// CancelOrder takes an order out of its market.
type CancelOrder struct {
	Key       Key
	Reference string
	Market    uint32
	Person    uint64 // 0 for the operator, whom no auction stops
	Order     uint64
}

// AppendTo appends the encoded command.
func (c CancelOrder) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindCancelOrder, c.Key), c.Reference)
	return le.AppendUint64(le.AppendUint64(le.AppendUint32(dst, c.Market), c.Person), c.Order)
}

func (s *State) cancelOrder(r *reader) Refusal {
	reference := r.text8()
	number, person, order := r.u32(), r.u64(), r.u64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if s.listed(number) != nil && s.behind(number) {
		return MarketBehind
	}
	events, refused := s.trade.exchange.Cancel(number, order, person, s.nowMS, s.trade.events[:0])
	if refused != market.Accepted {
		return ofMarket(refused)
	}
	s.settleEvents(events)
	return Accepted
}

// CancelOrders takes all orders of a person out of one market or of all. In the
// locked part of an auction they stay.
type CancelOrders struct {
	Key       Key
	Reference string
	Person    uint64
	Market    uint32 // 0 for all
}

// AppendTo appends the encoded command.
func (c CancelOrders) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindCancelOrders, c.Key), c.Reference)
	return le.AppendUint32(le.AppendUint64(dst, c.Person), c.Market)
}

func (s *State) cancelOrders(r *reader) Refusal {
	reference := r.text8()
	person, number := r.u64(), r.u32()
	if !r.finished() {
		return Malformed
	}
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case person == 0 || person > s.People():
		return PersonNotFound
	case number != 0 && s.listed(number) == nil:
		return ofMarket(market.MarketNotFound)
	}
	s.cancelOwned(person, number, person, math.MaxInt, 0)
	return Accepted
}

// cancelOwned cancels up to limit orders of a person, as whom is named: the
// person or, with 0, the operator. A reason above 0 is what the facts say. It
// returns how many it cancelled.
func (s *State) cancelOwned(person uint64, only uint32, by uint64, limit int, reason market.Reason) (done int) {
	s.trade.running.reason = reason
	for number := uint32(1); number <= s.Markets(); number++ {
		if only != 0 && number != only || s.behind(number) {
			continue
		}
		numbers := s.trade.exchange.Book(number).OwnerOrders(person, limit-done, s.trade.numbers[:0])
		s.trade.numbers = numbers
		events, refused := s.trade.events[:0], market.Accepted
		for _, order := range numbers {
			if events, refused = s.trade.exchange.Cancel(number, order, by, s.nowMS, events); refused != market.Accepted {
				break
			}
			done++
		}
		s.settleEvents(events)
	}
	s.trade.running.reason = market.NoReason
	return done
}

// KeepOrders says that a person is there. If it is not said again in time, all
// of the person's orders are cancelled.
type KeepOrders struct {
	Person uint64
	// TimeoutMS is how long the orders are kept from now on: 1 to MaxKeepMS; 0
	// keeps them for ever.
	TimeoutMS int64
}

// AppendTo appends the encoded command.
func (c KeepOrders) AppendTo(dst []byte) []byte {
	return appendI64(le.AppendUint64(begin(dst, kindKeepOrders, Key{}), c.Person), c.TimeoutMS)
}

// OrdersKept says until when a person's orders are kept; 0 is for ever.
type OrdersKept struct {
	Person  uint64
	UntilMS int64
}

func (s *State) keepOrders(r *reader) Refusal {
	person, timeoutMS := r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if person == 0 || person > s.People() {
		return PersonNotFound
	}
	if timeoutMS < 0 || timeoutMS > MaxKeepMS {
		return TimeoutInvalid
	}
	untilMS := int64(0)
	if timeoutMS > 0 {
		untilMS = s.nowMS + timeoutMS
	}
	if _, known := s.traderPosition(person); known || untilMS != 0 {
		s.setDeadline(s.trader(person), untilMS)
	}
	s.answer = appendI64(le.AppendUint64(append(s.answer, uint8(factOrdersKept)), person), untilMS)
	return Accepted
}

// tickMarkets lets time take effect on markets: orders expire, calls end, and
// orders of whom nothing was heard are cancelled.
func (s *State) tickMarkets() {
	if dueMS, any := s.trade.exchange.NextDueMS(); any && dueMS <= s.nowMS {
		events, more := s.trade.exchange.Tick(s.nowMS, s.seed(), stepOrders, s.trade.events[:0])
		s.settleEvents(events)
		if more {
			return
		}
	}
	for left := stepOrders; left > 0; {
		position, atMS, any := s.nextDeadline()
		if !any || atMS > s.nowMS {
			return
		}
		done := s.cancelOwned(s.trade.traders.At(position).person, 0, s.trade.traders.At(position).person, left, Disconnected)
		if left -= done; left > 0 {
			s.setDeadline(position, 0)
		}
		left-- // a trader without orders is work, too
	}
}

// MarketsBehind reports whether markets have more to do by now than the Ticks of
// this record did: until then they refuse orders with MarketBehind.
func (s *State) MarketsBehind() bool {
	atMS, any := s.nextMarketMS()
	return any && atMS <= s.nowMS
}

// nextMarketMS is when a Tick has something to do for markets.
func (s *State) nextMarketMS() (atMS int64, any bool) {
	atMS, any = s.trade.exchange.NextDueMS()
	if _, deadlineMS, waits := s.nextDeadline(); waits && (!any || deadlineMS < atMS) {
		return deadlineMS, true
	}
	return atMS, any
}
