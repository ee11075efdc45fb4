package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/history"
)

const orderColumns = "person, market, newest, seq, idx, placed_ms, side, kind, post_only, expires_ms, price, quantity, filled, notional, fee, status, reason, ended_ms"

// newest returns the number of an order so that it ascends from the newest on,
// as lists do. Numbers have 64 bits.
func newest(number uint64) int64 { return int64(^number ^ 1<<63) }

func ofNewest(key int64) uint64 { return ^(uint64(key) ^ 1<<63) }

// writeOrders writes what a chunk placed in one go, and changes the rows of what
// was placed before.
func writeOrders(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	bind := func(values []any, o *history.Order) []any {
		return append(values, int64(o.Person), o.Market, newest(o.Number), int64(o.Seq), o.Index, o.PlacedMS, o.Side, o.Kind, o.PostOnly, o.ExpiresMS,
			o.Price, o.Quantity, o.Filled, o.Notional, o.Fee, o.Status, o.Reason, o.EndedMS)
	}
	err := tx.insert(ctx, "orders", orderColumns, len(chunk.Orders), func(values []any, i int) []any { return bind(values, &chunk.Orders[i]) })
	if err != nil {
		return err
	}
	// Every one of them is there; as an insertion that finds its key taken a
	// change goes in runs, too.
	return tx.put(ctx, bulk{
		table: "orders", columns: orderColumns, rows: len(chunk.OrderChanges),
		bind: func(values []any, i int) []any {
			c := &chunk.OrderChanges[i]
			return bind(values, &history.Order{OrderName: c.OrderName, OrderState: c.OrderState})
		},
		onConflict: ` ON CONFLICT (person, market, newest) DO UPDATE SET
			price = CASE excluded.price WHEN 0 THEN orders.price ELSE excluded.price END,
			quantity = CASE excluded.quantity WHEN 0 THEN orders.quantity ELSE excluded.quantity END,
			filled = orders.filled + excluded.filled, notional = orders.notional + excluded.notional, fee = orders.fee + excluded.fee,
			status = excluded.status, reason = excluded.reason, ended_ms = excluded.ended_ms`,
	})
}

func scanOrder(rows *sql.Rows, o *history.Order) error {
	var number int64
	err := rows.Scan(&o.Person, &o.Market, &number, &o.Seq, &o.Index, &o.PlacedMS, &o.Side, &o.Kind, &o.PostOnly, &o.ExpiresMS,
		&o.Price, &o.Quantity, &o.Filled, &o.Notional, &o.Fee, &o.Status, &o.Reason, &o.EndedMS)
	o.Number = ofNewest(number)
	return err
}

// Order implements history.PastOrders.
func (h *History) Order(ctx context.Context, name history.OrderName) (history.Order, error) {
	found, err := list(ctx, h, "an order", scanOrder, "SELECT "+orderColumns+" FROM orders WHERE person = $1 AND market = $2 AND newest = $3",
		int64(name.Person), name.Market, newest(name.Number))
	if err != nil {
		return history.Order{}, err
	}
	if len(found) == 0 {
		return history.Order{}, fmt.Errorf("reading order %d of market %d: %w", name.Number, name.Market, history.ErrNotFound)
	}
	return found[0], nil
}

// Orders implements history.PastOrders.
func (h *History) Orders(ctx context.Context, person uint64, query history.OrderQuery) ([]history.Order, error) {
	after, low, high := int64(math.MinInt64), uint32(0), uint32(math.MaxUint32)
	if query.AfterMarket != 0 {
		after = newest(query.AfterNumber)
	}
	if query.Market != 0 {
		low, high = query.Market, query.Market
	}
	return list(ctx, h, "orders", scanOrder, "SELECT "+orderColumns+` FROM orders
		WHERE person = $1 AND market >= $2 AND market <= $3 AND (market, newest) > ($4, $5)
		AND (NOT $6 OR status = $7) AND (NOT $8 OR status <> 0) ORDER BY market, newest LIMIT $9`,
		int64(person), low, high, query.AfterMarket, after, query.OneStatus, query.Status, query.Ended, history.Page(query.Limit))
}
