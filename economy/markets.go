package economy

import (
	"math/big"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/market"
)

// MarketReport is what was traded in a market. Prices are units of the quote for
// a unit of the base, exact; a call is one trade.
type MarketReport struct {
	Market uint32 `json:"market"`
	Base   string `json:"base"`
	Quote  string `json:"quote"`
	Trades int64  `json:"trades"`
	// Volume is in the base, Notional and Fees are in the quote.
	Volume   string `json:"volume"`
	Notional string `json:"notional"`
	Fees     string `json:"fees"`
	Open     string `json:"open,omitempty"`
	High     string `json:"high,omitempty"`
	Low      string `json:"low,omitempty"`
	Close    string `json:"close,omitempty"`
	// Orders were placed; of them Cancelled were taken back by their owners.
	Orders    int64 `json:"orders"`
	Cancelled int64 `json:"orders_cancelled"`
	// Traders are people with a trade.
	Traders int64 `json:"traders"`
	// Halts are by an operator, Auctions because the price left its bands.
	Halts    int64       `json:"halts"`
	Auctions int64       `json:"volatility_auctions"`
	Days     []MarketDay `json:"days"`
}

// MarketDay is a UTC day with a trade.
type MarketDay struct {
	Day      string `json:"day"`
	Open     string `json:"open"`
	High     string `json:"high"`
	Low      string `json:"low"`
	Close    string `json:"close"`
	Volume   string `json:"volume"`
	Notional string `json:"notional"`
}

// Reviews counts what became of cases: of people whose TIME was held back
// because their attention looked odd.
type Reviews struct {
	Opened    int64 `json:"opened"`
	Watched   int64 `json:"only_watched"`
	Released  int64 `json:"released"`
	Upheld    int64 `json:"upheld"`
	Appealed  int64 `json:"appealed"`
	Forfeited int64 `json:"forfeited"`
}

// traded is what a market has come to in the period.
type traded struct {
	bank.Market
	tickValue              int64
	trades                 int64
	volume, notional, fees big.Int // lots, minor units
	prices                 prices
	orders, cancelled      int64
	traders                map[uint64]bool
	halts, auctions        int64
	days                   []tradedDay
}

type tradedDay struct {
	day              int32
	volume, notional big.Int
	prices           prices
}

// prices are in ticks; 0 is none.
type prices struct{ open, high, low, close int64 }

func (p *prices) add(price int64) {
	if p.open == 0 {
		*p = prices{price, price, price, price}
		return
	}
	p.high, p.low, p.close = max(p.high, price), min(p.low, price), price
}

// takeMarket takes in a fact of a market.
func (f *Fold) takeMarket(fact bank.Fact, timeMS int64, inPeriod bool) {
	if opened, is := fact.(bank.MarketOpened); is {
		for uint32(len(f.markets)) < min(opened.Number, bank.MaxMarkets) {
			f.markets = append(f.markets, &traded{traders: map[uint64]bool{}})
		}
		if m := f.market(opened.Number); m != nil {
			m.Market, m.tickValue = opened.Market, opened.Config.TickValue
		}
		return
	}
	if !inPeriod {
		return
	}
	switch fact := fact.(type) {
	case bank.OrderPlaced:
		if m := f.market(fact.Market); m != nil {
			m.orders++
		}
	case bank.OrderCancelled:
		if m := f.market(fact.Market); m != nil && fact.Reason == market.ByOwner {
			m.cancelled++
		}
	case bank.OrderFilled:
		if m := f.market(fact.Market); m != nil {
			m.filled(fact, timeMS)
		}
	case bank.MarketCleared:
		if m := f.market(fact.Market); m != nil {
			m.trade(fact.Price, fact.Quantity, timeMS)
		}
	case bank.PhaseChanged:
		if m := f.market(fact.Market); m != nil && fact.Reason == market.ByOperator && fact.Phase == market.PhaseHalted {
			m.halts++
		} else if m != nil && fact.Reason == market.Volatility && fact.Phase == market.PhaseAuction {
			m.auctions++
		}
	}
}

func (f *Fold) market(number uint32) *traded {
	if number == 0 || int(number) > len(f.markets) {
		return nil
	}
	return f.markets[number-1]
}

// filled takes in what one order traded. The two sides of a continuous trade
// are one trade, as is a call with all its fills.
func (m *traded) filled(f bank.OrderFilled, timeMS int64) {
	m.fees.Add(&m.fees, big.NewInt(f.Fee))
	m.traders[f.Person] = true
	if f.Role == market.Taker {
		m.trade(f.Price, f.Quantity, timeMS)
	}
}

func (m *traded) trade(price, quantity, timeMS int64) {
	day := bank.Day(timeMS)
	if n := len(m.days); n == 0 || m.days[n-1].day != day {
		m.days = append(m.days, tradedDay{day: day})
	}
	today, lots := &m.days[len(m.days)-1], big.NewInt(quantity)
	paid := new(big.Int).Mul(lots, big.NewInt(price))
	paid.Mul(paid, big.NewInt(m.tickValue))
	for _, sum := range []*big.Int{&m.volume, &today.volume} {
		sum.Add(sum, lots)
	}
	for _, sum := range []*big.Int{&m.notional, &today.notional} {
		sum.Add(sum, paid)
	}
	m.trades++
	m.prices.add(price)
	today.prices.add(price)
}

// takeCase counts what became of a case.
func (f *Fold) takeCase(status bank.CaseStatus) {
	switch status {
	case bank.CaseOpen:
		f.reviews.Opened++
	case bank.CaseShadow:
		f.reviews.Watched++
	case bank.CaseReleased:
		f.reviews.Released++
	case bank.CaseUpheld:
		f.reviews.Upheld++
	case bank.CaseAppealed:
		f.reviews.Appealed++
	case bank.CaseForfeited:
		f.reviews.Forfeited++
	}
}

func (f *Fold) reportMarkets() []MarketReport {
	list := []MarketReport{}
	for i, m := range f.markets {
		if m.Base == 0 || int(max(m.Base, m.Quote)) > len(f.assets) {
			continue // never opened
		}
		base, quote := &f.assets[m.Base-1], &f.assets[m.Quote-1]
		price := func(ticks int64) string { return m.price(ticks, base.scale, quote.scale) }
		volume := func(lots *big.Int) string {
			return decimal(new(big.Int).Mul(lots, big.NewInt(m.LotUnits)), base.scale)
		}
		r := MarketReport{
			Market: uint32(i + 1), Base: base.code, Quote: quote.code, Trades: m.trades, Volume: volume(&m.volume), Notional: decimal(&m.notional, quote.scale),
			Fees: decimal(&m.fees, quote.scale), Orders: m.orders, Cancelled: m.cancelled, Traders: int64(len(m.traders)), Halts: m.halts, Auctions: m.auctions, Days: []MarketDay{},
		}
		if m.trades > 0 {
			r.Open, r.High, r.Low, r.Close = price(m.prices.open), price(m.prices.high), price(m.prices.low), price(m.prices.close)
		}
		for d := range m.days {
			day := &m.days[d]
			r.Days = append(r.Days, MarketDay{
				Day:  time.Unix(int64(day.day)*24*60*60, 0).UTC().Format(time.DateOnly),
				Open: price(day.prices.open), High: price(day.prices.high), Low: price(day.prices.low), Close: price(day.prices.close),
				Volume: volume(&day.volume), Notional: decimal(&day.notional, quote.scale),
			})
		}
		list = append(list, r)
	}
	return list
}

// price returns what a unit of the base costs at so many ticks, in units of the
// quote. A lot is a power of ten of minor units, so it is a decimal.
func (m *traded) price(ticks int64, baseScale, quoteScale int) string {
	minor := new(big.Int).Mul(big.NewInt(ticks), big.NewInt(m.tickValue))
	scale := quoteScale
	for lot := m.LotUnits; lot > 1; lot /= 10 {
		scale++
	}
	minor.Mul(minor, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(baseScale)), nil))
	ten, rest := big.NewInt(10), new(big.Int)
	for scale > 0 { // amount.Format takes a scale of at most 18
		shorter, _ := new(big.Int).QuoRem(minor, ten, rest)
		if rest.Sign() != 0 {
			break
		}
		minor, scale = shorter, scale-1
	}
	return decimal(minor, min(scale, 18))
}
