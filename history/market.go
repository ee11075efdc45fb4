package history

import (
	"cmp"
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/market"
)

// Trade is a trade as everybody may know it: who traded is not told. In a call,
// which knows no pairs, it is the whole clearing.
type Trade struct {
	Market uint32
	Position
	TimeMS int64
	// Price is in ticks, Quantity in lots.
	Price, Quantity int64
	// Taker is the side of the order that took; it means nothing in a call.
	Taker  market.Side
	InCall bool
}

// Fill is what one order of a person traded.
type Fill struct {
	Person uint64
	Position
	TimeMS int64
	Market uint32
	Order  uint64
	Side   market.Side
	Role   market.Role
	// Price is in ticks, Quantity in lots; Notional and Fee are minor units of
	// the market's quote.
	Price, Quantity, Notional, Fee int64
}

// Candle is what was traded in a time of a market, prices in ticks and volume in
// lots. Times without a trade have none.
type Candle struct {
	Market  uint32
	Minutes int32 // one of Resolutions
	StartMS int64
	// Open, High, Low and Close are prices; Volume stops at the largest integer.
	Open, High, Low, Close int64
	Volume                 int64
	Trades                 int64
}

// Resolutions are the lengths of candles that are kept, in minutes.
var Resolutions = [...]int32{1, 60, 24 * 60}

// Markets answers about what was traded.
type Markets interface {
	// Trades returns the trades of a market, the newest first, or, behind a
	// position, the oldest first.
	Trades(ctx context.Context, market uint32, query TradeQuery) ([]Trade, error)
	// Fills returns what orders of a person traded, the newest first.
	Fills(ctx context.Context, person uint64, query FillQuery) ([]Fill, error)
	// Candles returns candles that start in [fromMS, toMS), the oldest first.
	Candles(ctx context.Context, market uint32, minutes int32, fromMS, toMS int64, limit int) ([]Candle, error)
}

// TradeQuery says which trades of a market to return. After the zero position
// are all of them, if Ascending.
type TradeQuery struct {
	Before    Position // older than this one; zero for the newest
	After     Position // newer than this one
	Ascending bool     // the oldest first
	Limit     int
}

// FillQuery says which fills of a person to return.
type FillQuery struct {
	Market uint32   // of this one; 0 for all
	Order  uint64   // of this one, which Market names; 0 for all
	Before Position // older than this one; zero for the newest
	Limit  int
}

// addTrade appends the rows of a fact of a market.
func (c *Chunk) addTrade(t Transaction, fact bank.Fact) {
	at := Position{Seq: t.Seq, Index: t.Index}
	switch f := fact.(type) {
	case bank.OrderFilled:
		if n := len(c.Fills); n > 0 && c.Fills[n-1].Seq == t.Seq && c.Fills[n-1].Index == t.Index {
			at.N = c.Fills[n-1].N + 1
		}
		c.Fills = append(c.Fills, Fill{
			Person: f.Person, Position: at, TimeMS: t.TimeMS, Market: f.Market, Order: f.Order, Side: f.Side, Role: f.Role,
			Price: f.Price, Quantity: f.Quantity, Notional: f.Notional, Fee: f.Fee,
		})
		if f.Role == market.Taker {
			c.addPrint(t, Trade{Market: f.Market, Price: f.Price, Quantity: f.Quantity, Taker: f.Side})
		}
	case bank.MarketCleared:
		c.addPrint(t, Trade{Market: f.Market, Price: f.Price, Quantity: f.Quantity, InCall: true})
	}
}

func (c *Chunk) addPrint(t Transaction, trade Trade) {
	trade.TimeMS, trade.Seq, trade.Index = t.TimeMS, t.Seq, t.Index
	if n := len(c.Trades); n > 0 && c.Trades[n-1].Seq == t.Seq && c.Trades[n-1].Index == t.Index {
		trade.N = c.Trades[n-1].N + 1
	}
	c.Trades = append(c.Trades, trade)
	for _, minutes := range Resolutions {
		length := int64(minutes) * 60_000
		c.addCandle(Candle{
			Market: trade.Market, Minutes: minutes, StartMS: t.TimeMS - t.TimeMS%length,
			Open: trade.Price, High: trade.Price, Low: trade.Price, Close: trade.Price, Volume: trade.Quantity, Trades: 1,
		})
	}
}

type candleKey struct {
	market  uint32
	minutes int32
	startMS int64
}

// addCandle joins a candle to the one of the same time.
func (c *Chunk) addCandle(added Candle) {
	key := candleKey{added.Market, added.Minutes, added.StartMS}
	i, there := c.candleAt[key]
	if !there {
		if c.candleAt == nil {
			c.candleAt = map[candleKey]int{}
		}
		c.candleAt[key] = len(c.Candles)
		c.Candles = append(c.Candles, added)
		return
	}
	c.Candles[i].Join(added)
}

// Join adds what was traded later in the same time.
func (c *Candle) Join(later Candle) {
	c.High, c.Low, c.Close = max(c.High, later.High), min(c.Low, later.Low), later.Close
	c.Trades += later.Trades
	if c.Volume += later.Volume; c.Volume < 0 {
		c.Volume = 1<<63 - 1
	}
}

// Compare orders positions: below 0 if p stands before the other.
func (p Position) Compare(other Position) int {
	return cmp.Or(cmp.Compare(p.Seq, other.Seq), cmp.Compare(p.Index, other.Index), cmp.Compare(p.N, other.N))
}
