package bank

import "github.com/attentionbank/attentionbank/market"

// Prices, quantities and what is open are ticks and lots of the market;
// everything else is minor units.

// OrderPlaced says that an order was accepted. What it traded at once follows.
type OrderPlaced struct {
	Market        uint32
	Order, Person uint64
	Side          market.Side
	Kind          market.Kind
	PostOnly      bool
	SelfTrade     market.SelfTrade
	// Price is the limit, as bounded by the bands.
	Price, Quantity, ExpiresMS int64
	// Held is what the order holds: of the base to sell, of the quote to buy.
	Held int64
}

// OrderFilled says that an order traded. In continuous trading each trade is
// two of them, the resting order's first; in a call it is one an order. The
// postings follow; those of an order that takes follow its last trade.
type OrderFilled struct {
	Market        uint32
	Order, Person uint64
	Side          market.Side
	Role          market.Role
	// Price and Quantity are those of the trade; Open 0 ends the order.
	Price, Quantity, Open int64
	Counter               uint64 // the other order; 0 in a call
	// Notional is what was paid for it, Fee what this order's owner pays beside
	// that or, selling, gets less. Both are in the quote.
	Notional, Fee int64
}

// OrderCancelled says that an order ended with Quantity open.
type OrderCancelled struct {
	Market          uint32
	Order, Person   uint64
	Side            market.Side
	Reason          market.Reason
	Price, Quantity int64
	// Released is what it held.
	Released int64
}

// OrderAmended says the new price and quantities of an order. What it traded
// thereby follows.
type OrderAmended struct {
	Market                uint32
	Order, Person         uint64
	Side                  market.Side
	KeptPriority          bool
	Price, Quantity, Open int64
	// Held is what it holds now.
	Held int64
}

// MarketCleared says at which price a call traded how much. Its fills follow.
type MarketCleared struct {
	Market          uint32
	Price, Quantity int64
}

// PhaseChanged says what a market is doing now, and why. Reference is the price
// that its bands are around, 0 if there is none; an auction does not end before
// UntilMS.
type PhaseChanged struct {
	Market             uint32
	Phase              market.Phase
	Reason             market.Reason
	Reference, UntilMS int64
}

func (MarketOpened) factKind() factKind   { return factMarketOpened }
func (MarketTermsSet) factKind() factKind { return factMarketTermsSet }
func (TierSet) factKind() factKind        { return factTierSet }
func (AllHalted) factKind() factKind      { return factAllHalted }
func (PersonHalted) factKind() factKind   { return factPersonHalted }
func (OrdersKept) factKind() factKind     { return factOrdersKept }
func (OrderPlaced) factKind() factKind    { return factOrderPlaced }
func (OrderFilled) factKind() factKind    { return factOrderFilled }
func (OrderCancelled) factKind() factKind { return factOrderCancelled }
func (OrderAmended) factKind() factKind   { return factOrderAmended }
func (MarketCleared) factKind() factKind  { return factMarketCleared }
func (PhaseChanged) factKind() factKind   { return factPhaseChanged }
func (Converted) factKind() factKind      { return factConverted }

// beginOrder appends what every fact of an order begins with.
func beginOrder(dst []byte, k factKind, number uint32, order, person uint64, side market.Side) []byte {
	dst = le.AppendUint64(le.AppendUint32(append(dst, uint8(k)), number), order)
	return append(le.AppendUint64(dst, person), uint8(side))
}

func (f *OrderPlaced) appendTo(dst []byte) []byte {
	dst = beginOrder(dst, factOrderPlaced, f.Market, f.Order, f.Person, f.Side)
	dst = append(appendBool(append(dst, uint8(f.Kind)), f.PostOnly), uint8(f.SelfTrade))
	return appendI64(appendI64(appendI64(appendI64(dst, f.Price), f.Quantity), f.ExpiresMS), f.Held)
}

func (f *OrderFilled) appendTo(dst []byte) []byte {
	dst = append(beginOrder(dst, factOrderFilled, f.Market, f.Order, f.Person, f.Side), uint8(f.Role))
	dst = le.AppendUint64(appendI64(appendI64(appendI64(dst, f.Price), f.Quantity), f.Open), f.Counter)
	return appendI64(appendI64(dst, f.Notional), f.Fee)
}

func (f *OrderCancelled) appendTo(dst []byte) []byte {
	dst = append(beginOrder(dst, factOrderCancelled, f.Market, f.Order, f.Person, f.Side), uint8(f.Reason))
	return appendI64(appendI64(appendI64(dst, f.Price), f.Quantity), f.Released)
}

func (f *OrderAmended) appendTo(dst []byte) []byte {
	dst = appendBool(beginOrder(dst, factOrderAmended, f.Market, f.Order, f.Person, f.Side), f.KeptPriority)
	return appendI64(appendI64(appendI64(appendI64(dst, f.Price), f.Quantity), f.Open), f.Held)
}

func (s *State) marketCleared(f MarketCleared) {
	dst := le.AppendUint32(append(s.answer, uint8(factMarketCleared)), f.Market)
	s.answer = appendI64(appendI64(dst, f.Price), f.Quantity)
}

func (s *State) phaseChanged(f PhaseChanged) {
	dst := append(le.AppendUint32(append(s.answer, uint8(factPhaseChanged)), f.Market), uint8(f.Phase), uint8(f.Reason))
	s.answer = appendI64(appendI64(dst, f.Reference), f.UntilMS)
}

func readOrderPlaced(r *reader) OrderPlaced {
	return OrderPlaced{r.u32(), r.u64(), r.u64(), market.Side(r.u8()), market.Kind(r.u8()), r.bool(), market.SelfTrade(r.u8()), r.i64(), r.i64(), r.i64(), r.i64()}
}

func readOrderFilled(r *reader) OrderFilled {
	return OrderFilled{r.u32(), r.u64(), r.u64(), market.Side(r.u8()), market.Role(r.u8()), r.i64(), r.i64(), r.i64(), r.u64(), r.i64(), r.i64()}
}

func readOrderCancelled(r *reader) OrderCancelled {
	return OrderCancelled{r.u32(), r.u64(), r.u64(), market.Side(r.u8()), market.Reason(r.u8()), r.i64(), r.i64(), r.i64()}
}

func readOrderAmended(r *reader) OrderAmended {
	return OrderAmended{r.u32(), r.u64(), r.u64(), market.Side(r.u8()), r.bool(), r.i64(), r.i64(), r.i64(), r.i64()}
}

func readPhaseChanged(r *reader) PhaseChanged {
	return PhaseChanged{r.u32(), market.Phase(r.u8()), market.Reason(r.u8()), r.i64(), r.i64()}
}
