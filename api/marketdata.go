package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
)

// maxDepth bounds the levels of a side that are shown, and those that a stream
// follows.
const maxDepth = 100

const (
	minuteMS = 60_000
	dayMS    = 24 * 60 * minuteMS
)

func (s *server) registerMarketData() {
	register(s, operation("get-book", "GET", "/v1/markets/{market}/book", "The best prices of a market, what rests there, and what a running call would trade", "market-data"), public,
		func(ctx context.Context, _ identity.Principal, in *struct {
			MarketPath
			Depth int `query:"depth" minimum:"1" maximum:"100" default:"20" doc:"Levels of a side."`
		}) (*body[wire.Book], error) {
			u, err := s.marketUnits(ctx, in.Market)
			if err != nil {
				return nil, err
			}
			book, err := s.book(ctx, &u, in.Depth)
			return &body[wire.Book]{book}, err
		})
	register(s, operation("list-trades", "GET", "/v1/markets/{market}/trades", "Trades of a market, the newest first", "market-data"), public, s.listTrades)
	register(s, operation("list-candles", "GET", "/v1/markets/{market}/candles", "Prices and volumes by minute, hour or day, the oldest first; times without a trade are left out", "market-data"), public, s.listCandles)
	register(s, operation("get-ticker", "GET", "/v1/markets/{market}/ticker", "A market at a glance: prices now, and the last 24 hours", "market-data"), public, s.ticker)
	register(s, operation("list-fills", "GET", "/v1/people/{person}/fills", "What a person's orders traded, the newest first", "orders"), operator|person, s.listFills)
	s.registerMarketStream()
}

// book reads the best levels of a market and what it is doing.
func (s *server) book(ctx context.Context, u *marketUnits, depth int) (shown wire.Book, err error) {
	err = s.Bank.Read(ctx, func(state *bank.State) { shown = bookOf(state, u, depth) })
	return shown, err
}

func bookOf(state *bank.State, u *marketUnits, depth int) wire.Book {
	_, b := state.Market(u.number)
	reference := b.Reference()
	shown := wire.Book{BookState: wire.BookState{
		Record: strconv.FormatUint(state.Seq(), 10), Phase: phaseNames[b.Phase()],
		Reference: u.price(reference.Price), Low: u.price(reference.Low), High: u.price(reference.High),
	}}
	for side, levels := range map[market.Side]*[]wire.Level{market.Buy: &shown.Bids, market.Sell: &shown.Asks} {
		*levels = []wire.Level{}
		for _, l := range b.Depth(side, depth, nil) {
			*levels = append(*levels, wire.Level{Price: u.price(l.Price), Quantity: u.quantity(l.Quantity), Orders: l.Orders})
		}
	}
	if b.Phase() != market.PhaseBatch && b.Phase() != market.PhaseAuction {
		return shown
	}
	if i, any := b.Indicative(); any {
		shown.Indicative = &wire.Indication{Price: u.price(i.Price), Quantity: u.quantity(i.Volume), Imbalance: u.quantity(i.Imbalance)}
	}
	if lockMS, clearMS, runs := b.Call(); runs && b.Phase() == market.PhaseAuction {
		shown.LockedFrom = timeText(lockMS)
	} else if runs {
		shown.Clears = timeText(clearMS)
	}
	return shown
}

func shownTrade(u *marketUnits, t *history.Trade) wire.Trade {
	shown := wire.Trade{Trade: t.Position.String(), Time: timeText(t.TimeMS), Price: u.price(t.Price), Quantity: u.quantity(t.Quantity), InCall: t.InCall}
	if !t.InCall {
		shown.Taker = sideNames[t.Taker]
	}
	return shown
}

// behind reads a cursor that is a position; the zero position is none.
func behind(cursor string) (history.Position, error) {
	if cursor == "" {
		return history.Position{}, nil
	}
	at, err := history.ParsePosition(cursor)
	if err != nil || at.Seq == 0 {
		return at, badCursor()
	}
	return at, nil
}

func (s *server) listTrades(ctx context.Context, _ identity.Principal, in *struct {
	MarketPath
	Page
}) (*told[wire.Trade], error) {
	u, err := s.marketUnits(ctx, in.Market)
	if err != nil {
		return nil, err
	}
	before, err := behind(in.Cursor)
	if err != nil {
		return nil, err
	}
	trades, err := s.History.Trades(ctx, u.number, history.TradeQuery{Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	trades, more := cut(trades, in.Limit)
	out := &told[wire.Trade]{s.lag(), wire.List[wire.Trade]{Items: []wire.Trade{}}}
	for i := range trades {
		out.Body.Items = append(out.Body.Items, shownTrade(&u, &trades[i]))
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].Trade
	}
	return out, nil
}

func (s *server) listCandles(ctx context.Context, _ identity.Principal, in *struct {
	MarketPath
	Page
	Resolution string `query:"resolution" enum:"1m,1h,1d" default:"1h" doc:"The length of a candle: a minute, an hour or a UTC day."`
	From       string `query:"from" maxLength:"40" doc:"Candles that start at this time or later, RFC 3339; the last 500 lengths if left out."`
	To         string `query:"to" maxLength:"40" doc:"Candles that start before this time; now if left out."`
}) (*told[wire.Candle], error) {
	u, err := s.marketUnits(ctx, in.Market)
	if err != nil {
		return nil, err
	}
	minutes := map[string]int32{"1m": 1, "1h": 60, "1d": 24 * 60}[in.Resolution]
	from, err := parseTime("from", in.From)
	if err != nil {
		return nil, err
	}
	to, err := parseTime("to", in.To)
	if err != nil {
		return nil, err
	}
	if to == 0 {
		to = s.NowMS() + 1
	}
	if from == 0 {
		from = to - 500*int64(minutes)*minuteMS
	}
	if in.Cursor != "" { // the start of the last candle that was answered
		last, err := parseTime("cursor", in.Cursor)
		if err != nil {
			return nil, badCursor()
		}
		from = max(from, last+1)
	}
	candles, err := s.History.Candles(ctx, u.number, minutes, from, to, in.Limit+1)
	if err != nil {
		return nil, err
	}
	candles, more := cut(candles, in.Limit)
	out := &told[wire.Candle]{s.lag(), wire.List[wire.Candle]{Items: []wire.Candle{}}}
	for _, c := range candles {
		out.Body.Items = append(out.Body.Items, wire.Candle{
			Start: timeText(c.StartMS), Open: u.price(c.Open), High: u.price(c.High), Low: u.price(c.Low), Close: u.price(c.Close),
			Volume: u.quantity(c.Volume), Trades: c.Trades,
		})
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].Start
	}
	return out, nil
}

func (s *server) ticker(ctx context.Context, _ identity.Principal, in *MarketPath) (*struct {
	HistoryLag
	Body wire.Ticker
}, error) {
	u, err := s.marketUnits(ctx, in.Market)
	if err != nil {
		return nil, err
	}
	shown := wire.Ticker{Market: in.Market, Base: u.base, Quote: u.quote}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		_, b := state.Market(u.number)
		shown.Phase, shown.Last = phaseNames[b.Phase()], u.price(b.Reference().Last)
		if best, any := b.Best(market.Buy); any {
			shown.Bid = u.price(best.Price)
		}
		if best, any := b.Best(market.Sell); any {
			shown.Ask = u.price(best.Price)
		}
	})
	if err != nil {
		return nil, err
	}
	day, err := s.lastDay(ctx, u.number)
	if err != nil {
		return nil, err
	}
	shown.Volume, shown.Trades = u.quantity(day.Volume), day.Trades
	shown.Open, shown.High, shown.Low = u.price(day.Open), u.price(day.High), u.price(day.Low)
	return &struct {
		HistoryLag
		Body wire.Ticker
	}{s.lag(), shown}, nil
}

// lastDay joins the minutes of the last 24 hours.
func (s *server) lastDay(ctx context.Context, number uint32) (day history.Candle, err error) {
	to := s.NowMS() + 1
	for from := to - dayMS; ; {
		minutes, err := s.History.Candles(ctx, number, 1, from, to, history.MaxPage)
		if err != nil || len(minutes) == 0 {
			return day, err
		}
		for _, c := range minutes {
			if day.Trades == 0 {
				day = c
			} else {
				day.Join(c)
			}
			from = c.StartMS + 1
		}
	}
}

func (s *server) listFills(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
	Market string `query:"market" maxLength:"10" doc:"Of this market only."`
	Order  string `query:"order" maxLength:"31" doc:"Of this order only, as it was answered."`
}) (*told[wire.PastFill], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	query := history.FillQuery{Limit: in.Limit + 1}
	if query.Before, err = behind(in.Cursor); err != nil {
		return nil, err
	}
	if in.Order != "" {
		var u marketUnits
		if u, query.Order, err = s.orderNumber(ctx, in.Order); err != nil {
			return nil, err
		}
		query.Market = u.number
	} else if in.Market != "" {
		u, err := s.marketUnits(ctx, in.Market)
		if err != nil {
			return nil, err
		}
		query.Market = u.number
	}
	out := &told[wire.PastFill]{s.lag(), wire.List[wire.PastFill]{Items: []wire.PastFill{}}}
	number, known, err := s.personNumber(ctx, subject.Person)
	if err != nil || !known {
		return out, err
	}
	fills, err := s.History.Fills(ctx, number, query)
	if err != nil {
		return nil, err
	}
	fills, more := cut(fills, in.Limit)
	for _, f := range fills {
		u, err := s.marketUnits(ctx, strconv.FormatUint(uint64(f.Market), 10))
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, wire.PastFill{
			Operation: f.Position.String(), Time: timeText(f.TimeMS), Market: strconv.FormatUint(uint64(f.Market), 10), Order: orderText(f.Market, f.Order),
			Side: sideNames[f.Side], Role: roleNames[f.Role], Price: u.price(f.Price), Quantity: u.quantity(f.Quantity), Paid: u.paid(f.Notional), Fee: u.paid(f.Fee),
		})
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].Operation
	}
	return out, nil
}
