package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/history"
)

func writeTrades(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	err := tx.insert(ctx, "trades", "market, seq, idx, n, time_ms, price, quantity, taker, in_call", len(chunk.Trades), func(args []any, i int) []any {
		t := &chunk.Trades[i]
		return append(args, t.Market, int64(t.Seq), t.Index, t.N, t.TimeMS, t.Price, t.Quantity, t.Taker, t.InCall)
	})
	if err != nil {
		return err
	}
	err = tx.insert(ctx, "fills", "person, seq, idx, n, time_ms, market, number, side, role, price, quantity, notional, fee", len(chunk.Fills), func(args []any, i int) []any {
		f := &chunk.Fills[i]
		return append(args, int64(f.Person), int64(f.Seq), f.Index, f.N, f.TimeMS, f.Market, int64(f.Order), f.Side, f.Role, f.Price, f.Quantity, f.Notional, f.Fee)
	})
	if err != nil || len(chunk.Candles) == 0 {
		return err
	}
	join, err := tx.PrepareContext(ctx, `INSERT INTO candles (market, minutes, start_ms, open, high, low, close, volume, trades)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (market, minutes, start_ms) DO UPDATE SET
		high = CASE WHEN excluded.high > candles.high THEN excluded.high ELSE candles.high END,
		low = CASE WHEN excluded.low < candles.low THEN excluded.low ELSE candles.low END,
		close = excluded.close, trades = candles.trades + excluded.trades,
		volume = CASE WHEN candles.volume > 9223372036854775807 - excluded.volume THEN 9223372036854775807 ELSE candles.volume + excluded.volume END`)
	if err != nil {
		return fmt.Errorf("joining candles: %w", err)
	}
	for _, c := range chunk.Candles {
		if _, err := join.ExecContext(ctx, c.Market, c.Minutes, c.StartMS, c.Open, c.High, c.Low, c.Close, c.Volume, c.Trades); err != nil {
			return fmt.Errorf("joining a candle of market %d: %w", c.Market, err)
		}
	}
	return nil
}

// before returns a position as the bound of a list that begins with the newest.
func before(p history.Position) history.Position {
	if p == (history.Position{}) {
		p.Seq = math.MaxInt64
	}
	return p
}

// Trades implements history.Markets.
func (h *History) Trades(ctx context.Context, market uint32, query history.TradeQuery) ([]history.Trade, error) {
	to, order := before(query.Before), "seq DESC, idx DESC, n DESC"
	if query.Ascending {
		order = "seq, idx, n"
	}
	return list(ctx, h, "trades", func(rows *sql.Rows, t *history.Trade) error {
		t.Market = market
		return rows.Scan(&t.Seq, &t.Index, &t.N, &t.TimeMS, &t.Price, &t.Quantity, &t.Taker, &t.InCall)
	}, `SELECT seq, idx, n, time_ms, price, quantity, taker, in_call FROM trades
		WHERE market = $1 AND (seq, idx, n) < ($2, $3, $4) AND (seq, idx, n) > ($5, $6, $7) ORDER BY `+order+" LIMIT $8",
		market, int64(to.Seq), to.Index, to.N, int64(query.After.Seq), query.After.Index, query.After.N, history.Page(query.Limit))
}

// Fills implements history.Markets.
func (h *History) Fills(ctx context.Context, person uint64, query history.FillQuery) ([]history.Fill, error) {
	to := before(query.Before)
	return list(ctx, h, "fills", func(rows *sql.Rows, f *history.Fill) error {
		var order int64 // of 64 bits, so that the upper half is negative here
		f.Person = person
		err := rows.Scan(&f.Seq, &f.Index, &f.N, &f.TimeMS, &f.Market, &order, &f.Side, &f.Role, &f.Price, &f.Quantity, &f.Notional, &f.Fee)
		f.Order = uint64(order)
		return err
	}, `SELECT seq, idx, n, time_ms, market, number, side, role, price, quantity, notional, fee FROM fills
		WHERE person = $1 AND (seq, idx, n) < ($2, $3, $4) AND (CAST($5 AS BIGINT) = 0 OR market = $5) AND (CAST($6 AS BIGINT) = 0 OR number = $6)
		ORDER BY seq DESC, idx DESC, n DESC LIMIT $7`,
		int64(person), int64(to.Seq), to.Index, to.N, query.Market, int64(query.Order), history.Page(query.Limit))
}

// Candles implements history.Markets.
func (h *History) Candles(ctx context.Context, market uint32, minutes int32, fromMS, toMS int64, limit int) ([]history.Candle, error) {
	return list(ctx, h, "candles", func(rows *sql.Rows, c *history.Candle) error {
		c.Market, c.Minutes = market, minutes
		return rows.Scan(&c.StartMS, &c.Open, &c.High, &c.Low, &c.Close, &c.Volume, &c.Trades)
	}, `SELECT start_ms, open, high, low, close, volume, trades FROM candles
		WHERE market = $1 AND minutes = $2 AND start_ms >= $3 AND start_ms < $4 ORDER BY start_ms LIMIT $5`,
		market, minutes, fromMS, toMS, history.Page(limit))
}
