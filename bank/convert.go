package bank

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/market"
)

// MaxQuoteMS bounds how long a quote is good for.
const MaxQuoteMS = 60_000

// Quote is what converting so many lots at once would come to, from the book as
// it is: nothing is added to its prices, and the fee stands apart.
type Quote struct {
	// Quantity is in lots. Notional, Fee and Net are minor units of the quote
	// asset: who sells gets Net = Notional - Fee, who buys pays Notional + Fee.
	Quantity           int64
	Notional, Fee, Net int64
	// Worst is the last price, in ticks, that it would trade at.
	Worst int64
	// Indicative says that the market gathers orders for a call: the conversion
	// takes part in it, and what it gets is decided there.
	Indicative bool
}

// QuoteFor quotes a conversion of a person from the orders that are there, by
// the rules of continuous trading; a batch may decide otherwise. A refusal says
// why there is none.
func (s *State) QuoteFor(person uint64, number uint32, side market.Side, quantity int64) (Quote, Refusal) {
	m := s.listed(number)
	if m == nil {
		return Quote{}, ofMarket(market.MarketNotFound)
	}
	if side > market.Sell {
		return Quote{}, ofMarket(market.SideUnknown)
	}
	book := s.trade.exchange.Book(number)
	if config := book.Config(); quantity < 1 || quantity > config.MaxQuantity {
		return Quote{}, ofMarket(market.QuantityOutOfRange)
	}
	switch book.Phase() {
	case market.PhaseHalted:
		return Quote{}, ofMarket(market.MarketHalted)
	case market.PhaseAuction:
		return Quote{}, AuctionRunning
	}
	walked := book.Walk(person, side, quantity)
	if walked.Quantity < quantity {
		return Quote{}, ofMarket(market.CannotFill)
	}
	q := Quote{Quantity: quantity, Notional: walked.Notional * m.tickValue, Worst: walked.Worst, Indicative: book.Phase() == market.PhaseBatch}
	q.Fee, _ = owedFee(q.Notional, m.convertBPS(q.Indicative), 0)
	if q.Net = q.Notional + q.Fee; side == market.Sell {
		q.Net = q.Notional - q.Fee
	}
	return q, Accepted
}

func (m *listed) convertBPS(inCall bool) uint16 {
	if inCall {
		return m.CallBPS
	}
	return m.TakerBPS
}

// Convert buys or sells so many lots at once for no worse than Bound, all of
// them or none. In a market that trades in batches it is an order of the
// running call with the price that Bound comes to, and what the call leaves of
// it is cancelled.
type Convert struct {
	Key       Key
	Reference string
	Market    uint32
	Person    uint64
	Side      market.Side
	Quantity  int64
	// Bound is, after the fee, the most that who buys pays and the least that
	// who sells gets, in minor units of the quote.
	Bound int64
	// ExpiresMS is until when the quote is good, at most MaxQuoteMS ahead.
	ExpiresMS int64
}

// AppendTo appends the encoded command.
func (c Convert) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindConvert, c.Key), c.Reference)
	dst = append(le.AppendUint64(le.AppendUint32(dst, c.Market), c.Person), uint8(c.Side))
	return appendI64(appendI64(appendI64(dst, c.Quantity), c.Bound), c.ExpiresMS)
}

// Converted says what a conversion came to; its order, trades and postings
// stand before it. A pending one waits for its call.
type Converted struct {
	Market        uint32
	Order, Person uint64
	Side          market.Side
	Quantity      int64
	Notional, Fee int64
	Pending       bool
}

func readConverted(r *reader) Converted {
	return Converted{r.u32(), r.u64(), r.u64(), market.Side(r.u8()), r.i64(), r.i64(), r.i64(), r.bool()}
}

func (s *State) convert(r *reader) Refusal {
	reference := r.text8()
	c := Convert{Market: r.u32(), Person: r.u64(), Side: market.Side(r.u8()), Quantity: r.i64(), Bound: r.i64(), ExpiresMS: r.i64()}
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if refusal := s.mayTrade(c.Person, FeatureConvert); refusal != Accepted {
		return refusal
	}
	if c.ExpiresMS <= s.nowMS || c.ExpiresMS > s.nowMS+MaxQuoteMS {
		return QuoteExpired
	}
	if m := s.listed(c.Market); m != nil && s.trade.exchange.Book(c.Market).Phase() == market.PhaseBatch {
		return s.convertInCall(m, &c)
	}
	q, refusal := s.QuoteFor(c.Person, c.Market, c.Side, c.Quantity)
	if refusal != Accepted {
		return refusal
	}
	if c.Side == market.Buy && q.Net > c.Bound || c.Side == market.Sell && q.Net < c.Bound {
		return SlippageExceeded
	}
	order := market.Order{Owner: c.Person, Side: c.Side, Kind: market.FOK, Price: q.Worst, Quantity: c.Quantity}
	return s.place(c.Market, &order, &q)
}

// convertInCall places an order for the running call whose limit keeps the
// bound for every lot.
func (s *State) convertInCall(m *listed, c *Convert) Refusal {
	order := market.Order{Owner: c.Person, Side: c.Side, Kind: market.IOC, Quantity: c.Quantity}
	if c.Quantity < 1 || c.Quantity > most/m.tickValue {
		return ofMarket(market.QuantityOutOfRange)
	}
	perTick := c.Quantity * m.tickValue
	if c.Side == market.Buy {
		gross, _ := amount.MulDivDown(max(c.Bound, 0), 10_000, 10_000+int64(m.CallBPS))
		order.Price = gross / perTick
	} else if gross, fits := amount.MulDivUp(max(c.Bound, 0), 10_000, 10_000-int64(m.CallBPS)); fits {
		order.Price = max(gross/perTick+min(gross%perTick, 1), 1)
	}
	return s.place(c.Market, &order, &Quote{Indicative: true})
}

// converted answers what the order of a conversion came to.
func (s *State) converted(number uint32, order uint64, o *market.Order, q *Quote) {
	dst := beginOrder(s.answer, factConverted, number, order, o.Owner, o.Side)
	s.answer = appendBool(appendI64(appendI64(appendI64(dst, o.Quantity), q.Notional), q.Fee), q.Indicative)
}
