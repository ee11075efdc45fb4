package bank

import (
	"math/bits"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// Bounds of markets.
const (
	MaxMarkets = 1000
	// MaxFeeBPS bounds each fee of a market: a tenth.
	MaxFeeBPS = 1000
	// most is what no sum of money of a market reaches.
	most = 1 << 62
)

// Market is what the bank knows of a market beside its book: what is traded
// there and on which terms.
type Market struct {
	// Base is the asset that is bought and sold, Quote the one that it is paid
	// with. Either is TIME or an asset of a world.
	Base, Quote uint32
	// LotUnits is what a lot of the base is, in minor units: a power of ten. A
	// price of p ticks is p x Config.TickValue minor units of the quote for it.
	LotUnits int64
	Terms
}

// Terms are what an operator may change about a market. An order keeps the fees
// that it was placed with.
type Terms struct {
	// Fees are in basis points of what was paid, in the quote, rounded up on the
	// sum over all trades of an order. CallBPS is everybody's in a call.
	MakerBPS, TakerBPS, CallBPS uint16
	// OperatorBPS and BurnedBPS are parts of the fees, in 1/10000, both rounded
	// down; what is left is the treasury's. Only fees in TIME are burned.
	OperatorBPS, BurnedBPS uint16
	// MinNotional is the least price x quantity of an order, in minor units of
	// the quote.
	MinNotional int64
	// ValueMicro is what a whole unit of the quote counts as, in millionths of
	// TIME, where tiers limit trading. It is 0 in markets of TIME, which need no
	// such estimate.
	ValueMicro int64
}

func (t *Terms) appendTo(dst []byte) []byte {
	for _, v := range [...]uint16{t.MakerBPS, t.TakerBPS, t.CallBPS, t.OperatorBPS, t.BurnedBPS} {
		dst = le.AppendUint16(dst, v)
	}
	return appendI64(appendI64(dst, t.MinNotional), t.ValueMicro)
}

func readTerms(r *reader) Terms {
	return Terms{r.u16(), r.u16(), r.u16(), r.u16(), r.u16(), r.i64(), r.i64()}
}

// valid reports whether terms fit a market between these assets.
func (t *Terms) valid(base, quote uint32) bool {
	ofTime := base == ledger.Time || quote == ledger.Time
	return max(t.MakerBPS, t.TakerBPS, t.CallBPS) <= MaxFeeBPS &&
		int(t.OperatorBPS)+int(t.BurnedBPS) <= 10_000 && (t.BurnedBPS == 0 || quote == ledger.Time) &&
		t.MinNotional >= 0 && t.MinNotional < most &&
		(t.ValueMicro == 0) == ofTime && t.ValueMicro >= 0 && t.ValueMicro <= 1_000_000_000*1_000_000
}

// OpenMarket opens a market. It is halted until an auction is called.
type OpenMarket struct {
	Key    Key
	Market Market
	Config market.Config
}

// AppendTo appends the encoded command.
func (c OpenMarket) AppendTo(dst []byte) []byte {
	dst = c.Market.appendTo(begin(dst, kindOpenMarket, c.Key))
	return c.Config.AppendTo(dst)
}

func (m *Market) appendTo(dst []byte) []byte {
	dst = le.AppendUint32(le.AppendUint32(dst, m.Base), m.Quote)
	return m.Terms.appendTo(appendI64(dst, m.LotUnits))
}

func readMarket(r *reader) Market {
	return Market{Base: r.u32(), Quote: r.u32(), LotUnits: r.i64(), Terms: readTerms(r)}
}

// MarketOpened says the number of a market and all that it was opened with.
type MarketOpened struct {
	Number uint32
	Market Market
	Config market.Config
}

// MarketTermsSet says the terms of a market for orders from now on.
type MarketTermsSet struct {
	Market uint32
	Terms  Terms
}

// listed is a market with what the bank keeps of its open orders.
type listed struct {
	Market
	// tickValue is that of the configuration.
	tickValue int64
	money     moneyOfOrders
	// clearing are the accounts through which base and quote pass.
	clearingBase, clearingQuote uint64
}

func (s *State) openMarket(r *reader) Refusal {
	opened := readMarket(r)
	config := market.ReadConfig(r.take(market.ConfigBytes))
	if !r.finished() {
		return Malformed
	}
	if s.books.Asset(opened.Base) == nil || s.books.Asset(opened.Quote) == nil {
		return AssetNotFound
	}
	if len(s.trade.markets) >= MaxMarkets {
		return TooMany
	}
	if !s.marketValid(&opened, &config) {
		return MarketInvalid
	}
	if !opened.Terms.valid(opened.Base, opened.Quote) {
		return TermsInvalid
	}
	number, err := s.trade.exchange.Open(config)
	if err != nil {
		panic("bank: a configuration that was checked was refused: " + err.Error())
	}
	dst := opened.appendTo(le.AppendUint32(append(s.answer, uint8(factMarketOpened)), number))
	s.answer = config.AppendTo(dst)
	s.trade.markets = append(s.trade.markets, listed{Market: opened, tickValue: config.TickValue})
	m := &s.trade.markets[number-1]
	m.clearingBase = s.open(ledger.Key{Asset: m.Base, Purpose: ledger.PurposeClearing})
	m.clearingQuote = s.open(ledger.Key{Asset: m.Quote, Purpose: ledger.PurposeClearing})
	s.open(treasuryAccount(m.Quote))
	s.open(operatorAccount(m.Quote))
	return Accepted
}

func treasuryAccount(asset uint32) ledger.Key {
	return ledger.Key{Asset: asset, Purpose: ledger.PurposeTreasury}
}

func operatorAccount(asset uint32) ledger.Key {
	return ledger.Key{Asset: asset, Purpose: ledger.PurposeOperator}
}

// marketValid reports whether a market can be of these assets, lots and rules.
// National currencies are not traded: they come and go by payouts only.
func (s *State) marketValid(m *Market, config *market.Config) bool {
	tradable := func(number uint32) bool {
		return number == ledger.Time || !s.isCollection(number) && s.World(s.books.Asset(number).World) != nil
	}
	if m.Base == m.Quote || !tradable(m.Base) || !tradable(m.Quote) || !powerOfTen(m.LotUnits) || config.Check() != nil {
		return false
	}
	largest, fits := amount.Mul(m.LotUnits, config.MaxQuantity)
	return fits && largest < most && config.MaxOwnerOrders > 0
}

func powerOfTen(v int64) bool {
	for v >= 10 && v%10 == 0 {
		v /= 10
	}
	return v == 1
}

// SetMarketTerms changes the terms of a market for the orders that are placed
// from now on.
type SetMarketTerms struct {
	Key    Key
	Market uint32
	Terms  Terms
}

// AppendTo appends the encoded command.
func (c SetMarketTerms) AppendTo(dst []byte) []byte {
	return c.Terms.appendTo(le.AppendUint32(begin(dst, kindSetMarketTerms, c.Key), c.Market))
}

func (s *State) setMarketTerms(r *reader) Refusal {
	number, terms := r.u32(), readTerms(r)
	if !r.finished() {
		return Malformed
	}
	m := s.listed(number)
	if m == nil {
		return ofMarket(market.MarketNotFound)
	}
	if !terms.valid(m.Base, m.Quote) {
		return TermsInvalid
	}
	m.Terms = terms
	s.answer = terms.appendTo(le.AppendUint32(append(s.answer, uint8(factMarketTermsSet)), number))
	return Accepted
}

// listed returns a market, nil if there is none of that number.
func (s *State) listed(number uint32) *listed {
	if number == 0 || int(number) > len(s.trade.markets) {
		return nil
	}
	return &s.trade.markets[number-1]
}

// Markets returns how many markets there are; they are numbered from 1 on.
func (s *State) Markets() uint32 { return uint32(len(s.trade.markets)) }

// Market returns what is traded in a market and its book for reading; the book
// is nil if there is no market of that number.
func (s *State) Market(number uint32) (Market, *market.Book) {
	m := s.listed(number)
	if m == nil {
		return Market{}, nil
	}
	return m.Market, s.trade.exchange.Book(number)
}

var powersOfTen = func() (powers [19]int64) {
	powers[0] = 1
	for i := 1; i < len(powers); i++ {
		powers[i] = powers[i-1] * 10
	}
	return powers
}()

// owedFee returns the fee of a further trade of an order. slack is what the
// order's fees were rounded up by so far, in 1/10000 of a minor unit; so the
// fees of an order are rounded up once on their sum, however many trades it has.
func owedFee(notional int64, bps, slack uint16) (fee int64, left uint16) {
	high, low := bits.Mul64(uint64(notional), uint64(bps))
	if high == 0 && low <= uint64(slack) {
		return 0, slack - uint16(low)
	}
	low, borrow := bits.Sub64(low, uint64(slack), 0)
	high -= borrow
	low, carry := bits.Add64(low, 9_999, 0)
	quotient, remainder := bits.Div64(high+carry, low, 10_000)
	return int64(quotient), uint16(9_999 - remainder)
}
