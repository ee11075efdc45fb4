package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
)

// History is history.Tables in memory: lists that are searched from one end to
// the other.
type History struct {
	// Before and After, if set, are called around each Apply. An error of
	// Before is returned and nothing is done; an error of After is returned
	// though all was done, as when an answer is lost.
	Before, After func() error

	mu     sync.Mutex
	cursor history.Cursor
	rows   history.Chunk // all chunks, one behind the other
}

// NewHistory returns empty tables.
func NewHistory() *History { return new(History) }

// Cursor implements history.Store.
func (h *History) Cursor(context.Context) (history.Cursor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cursor, nil
}

// Apply implements history.Store.
func (h *History) Apply(ctx context.Context, after uint64, chunk *history.Chunk) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if h.Before != nil {
		if err := h.Before(); err != nil {
			return err
		}
	}
	if h.cursor.Seq != after {
		return fmt.Errorf("%w: the cursor is at %d, not %d", history.ErrBehind, h.cursor.Seq, after)
	}
	h.rows.Transactions = append(h.rows.Transactions, chunk.Transactions...)
	h.rows.References = append(h.rows.References, chunk.References...)
	h.rows.Postings = append(h.rows.Postings, chunk.Postings...)
	for _, account := range chunk.Accounts {
		if !slices.ContainsFunc(h.rows.Accounts, func(a history.Account) bool { return a.Number == account.Number }) {
			h.rows.Accounts = append(h.rows.Accounts, account)
		}
	}
	h.rows.Acts = append(h.rows.Acts, chunk.Acts...)
	h.rows.Affairs = append(h.rows.Affairs, chunk.Affairs...)
	h.rows.Payments = append(h.rows.Payments, chunk.Payments...)
	h.applyHolds(chunk)
	h.rows.Orders = append(h.rows.Orders, chunk.Orders...)
	for _, change := range chunk.OrderChanges {
		i := slices.IndexFunc(h.rows.Orders, func(o history.Order) bool { return o.OrderName == change.OrderName })
		h.rows.Orders[i].Add(change.OrderState)
	}
	h.rows.Trades = append(h.rows.Trades, chunk.Trades...)
	h.rows.Fills = append(h.rows.Fills, chunk.Fills...)
	for _, candle := range chunk.Candles {
		i := slices.IndexFunc(h.rows.Candles, func(c history.Candle) bool {
			return c.Market == candle.Market && c.Minutes == candle.Minutes && c.StartMS == candle.StartMS
		})
		if i < 0 {
			h.rows.Candles = append(h.rows.Candles, candle)
			continue
		}
		h.rows.Candles[i].Join(candle)
	}
	for _, mint := range chunk.Mints {
		if !slices.ContainsFunc(h.rows.Mints, func(m history.Mint) bool { return compareMints(m, mint) == 0 }) {
			h.rows.Mints = append(h.rows.Mints, mint)
		}
	}
	for _, epoch := range chunk.Epochs {
		i := slices.IndexFunc(h.rows.Epochs, func(e history.Epoch) bool { return e.Number == epoch.Number })
		if i < 0 {
			h.rows.Epochs = append(h.rows.Epochs, epoch)
			continue
		}
		e := &h.rows.Epochs[i]
		e.IssuedMicro, e.TreasuryMicro, e.ClosedMS = epoch.IssuedMicro, epoch.TreasuryMicro, epoch.ClosedMS
	}
	h.cursor = chunk.Cursor
	if h.After != nil {
		return h.After()
	}
	return nil
}

func (h *History) applyHolds(chunk *history.Chunk) {
	h.rows.Holds = append(h.rows.Holds, chunk.Holds...)
	for _, end := range chunk.HoldEnds {
		i := slices.IndexFunc(h.rows.Holds, func(hold history.Hold) bool { return hold.Number == end.Hold })
		hold := &h.rows.Holds[i]
		hold.SettledAmount += end.SettledAmount
		hold.ReleasedAmount += end.ReleasedAmount
		hold.ExpiredAmount += end.ExpiredAmount
		if hold.Remaining = end.Remaining; end.Remaining == 0 {
			hold.EndedMS = end.TimeMS
		}
	}
}

// Clear implements history.Store.
func (h *History) Clear(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cursor, h.rows = history.Cursor{}, history.Chunk{}
	return nil
}

// choose returns the rows that are kept, in order, as many as the limit allows.
func choose[T any](h *History, rows *[]T, keep func(T) bool, order func(a, b T) int, limit int) ([]T, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var chosen []T
	for _, row := range *rows {
		if keep(row) {
			chosen = append(chosen, row)
		}
	}
	slices.SortStableFunc(chosen, order)
	return chosen[:min(len(chosen), history.Page(limit))], nil
}

func compareMints(a, b history.Mint) int {
	return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Day, b.Day), cmp.Compare(a.World, b.World), cmp.Compare(a.Revision, b.Revision))
}

// Statement implements history.Books.
func (h *History) Statement(ctx context.Context, account uint64, query history.StatementQuery) ([]history.Entry, error) {
	postings, err := choose(h, &h.rows.Postings, func(p history.Posting) bool {
		t := h.transaction(p.Seq, p.Index)
		return p.Account == account && t.TimeMS >= query.FromMS && (query.ToMS == 0 || t.TimeMS < query.ToMS) &&
			(query.Before == history.Position{} || p.Position.Compare(query.Before) < 0)
	}, func(a, b history.Posting) int { return b.Position.Compare(a.Position) }, query.Limit)
	if err != nil {
		return nil, err
	}
	var entries []history.Entry
	for _, p := range postings {
		t, err := h.Transaction(ctx, p.Seq, p.Index)
		if err != nil {
			return nil, err
		}
		entries = append(entries, history.Entry{Posting: p, TimeMS: t.TimeMS, Kind: t.Kind, Reference: t.Reference})
	}
	return entries, nil
}

// transaction returns a transaction, or a zero one.
func (h *History) transaction(seq uint64, index uint32) history.Transaction {
	for _, t := range h.rows.Transactions {
		if t.Seq == seq && t.Index == index {
			return t
		}
	}
	return history.Transaction{}
}

// Transaction implements history.Books.
func (h *History) Transaction(_ context.Context, seq uint64, index uint32) (history.Transaction, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.transaction(seq, index)
	if t.Seq == 0 {
		return t, history.ErrNotFound
	}
	return t, nil
}

// OfReference implements history.Books.
func (h *History) OfReference(_ context.Context, reference string, seq uint64, index uint32, limit int) ([]history.Transaction, error) {
	return choose(h, &h.rows.Transactions, func(t history.Transaction) bool {
		return t.Reference == reference && reference != "" && (t.Seq > seq || t.Seq == seq && t.Index > index)
	}, func(a, b history.Transaction) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
	}, limit)
}

// Affairs implements history.Affairs.
func (h *History) Affairs(ctx context.Context, query history.AffairQuery) ([]history.Transaction, error) {
	at := func(a history.Affair) history.Position { return history.Position{Seq: a.Seq, Index: a.Index} }
	affairs, err := choose(h, &h.rows.Affairs, func(a history.Affair) bool {
		return a.Topic == query.Topic && a.Number == query.Number && a.Seq <= query.UntilSeq &&
			at(a).Compare(history.Position{Seq: query.After.Seq, Index: query.After.Index}) > 0
	}, func(a, b history.Affair) int { return at(a).Compare(at(b)) }, query.Limit)
	var found []history.Transaction
	for _, a := range affairs {
		t, err := h.Transaction(ctx, a.Seq, a.Index)
		if err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, err
}

// Holds implements history.Books.
func (h *History) Holds(_ context.Context, account uint64, openOnly bool, seq uint64, index uint32, limit int) ([]history.Hold, error) {
	return choose(h, &h.rows.Holds, func(hold history.Hold) bool {
		return hold.Account == account && (hold.EndedMS == 0 || !openOnly) &&
			(seq == 0 || hold.Seq < seq || hold.Seq == seq && hold.Index < index)
	}, func(a, b history.Hold) int {
		return cmp.Or(cmp.Compare(b.Seq, a.Seq), cmp.Compare(b.Index, a.Index))
	}, limit)
}

// Epochs implements history.Books.
func (h *History) Epochs(_ context.Context, before uint64, limit int) ([]history.Epoch, error) {
	return choose(h, &h.rows.Epochs, func(e history.Epoch) bool { return before == 0 || e.Number < before },
		func(a, b history.Epoch) int { return cmp.Compare(b.Number, a.Number) }, limit)
}

// Accounts implements history.People.
func (h *History) Accounts(_ context.Context, kind ledger.OwnerKind, owner, after uint64, limit int) ([]history.Account, error) {
	return choose(h, &h.rows.Accounts, func(a history.Account) bool {
		return a.OwnerKind == kind && a.Owner == owner && a.Number > after
	}, func(a, b history.Account) int { return cmp.Compare(a.Number, b.Number) }, limit)
}

// Mints implements history.People.
func (h *History) Mints(_ context.Context, person uint64, query history.MintQuery) ([]history.Mint, error) {
	before := history.Mint{Person: person, Day: query.BeforeDay, World: query.BeforeWorld, Revision: query.BeforeRevision}
	newest := before == history.Mint{Person: person}
	return choose(h, &h.rows.Mints, func(m history.Mint) bool {
		return m.Person == person && m.Day >= query.FromDay && (newest || compareMints(m, before) < 0)
	}, func(a, b history.Mint) int { return compareMints(b, a) }, query.Limit)
}

// Payments implements history.People.
func (h *History) Payments(_ context.Context, person, epoch uint64, world uint32, limit int) ([]history.Payment, error) {
	return choose(h, &h.rows.Payments, func(p history.Payment) bool {
		return p.Person == person && (epoch == 0 || p.Epoch < epoch || p.Epoch == epoch && p.World < world)
	}, func(a, b history.Payment) int {
		return cmp.Or(cmp.Compare(b.Epoch, a.Epoch), cmp.Compare(b.World, a.World))
	}, limit)
}

// Acts implements history.Trail.
func (h *History) Acts(_ context.Context, query history.ActQuery) ([]history.Act, error) {
	before := history.Position{Seq: query.BeforeSeq, Index: query.BeforeIndex}
	return choose(h, &h.rows.Acts, func(a history.Act) bool {
		at := history.Position{Seq: a.Seq, Index: a.Index}
		return a.TimeMS >= query.FromMS && (query.ToMS == 0 || a.TimeMS < query.ToMS) &&
			(query.Operation == "" || a.Operation == query.Operation) && (!query.OneOperator || a.Operator == query.Operator) &&
			(query.Target == "" || a.Target == query.Target || strings.HasPrefix(a.Target, query.Target+" ")) &&
			(query.BeforeSeq == 0 || at.Compare(before) < 0)
	}, func(a, b history.Act) int {
		return history.Position{Seq: b.Seq, Index: b.Index}.Compare(history.Position{Seq: a.Seq, Index: a.Index})
	}, query.Limit)
}

// Trades implements history.Markets.
func (h *History) Trades(_ context.Context, market uint32, query history.TradeQuery) ([]history.Trade, error) {
	return choose(h, &h.rows.Trades, func(t history.Trade) bool {
		return t.Market == market && t.Position.Compare(query.After) > 0 &&
			(query.Before == history.Position{} || t.Position.Compare(query.Before) < 0)
	}, func(a, b history.Trade) int {
		if query.Ascending {
			a, b = b, a
		}
		return b.Position.Compare(a.Position)
	}, query.Limit)
}

// Fills implements history.Markets.
func (h *History) Fills(_ context.Context, person uint64, query history.FillQuery) ([]history.Fill, error) {
	return choose(h, &h.rows.Fills, func(f history.Fill) bool {
		return f.Person == person && (query.Market == 0 || f.Market == query.Market) && (query.Order == 0 || f.Order == query.Order) &&
			(query.Before == history.Position{} || f.Position.Compare(query.Before) < 0)
	}, func(a, b history.Fill) int { return b.Position.Compare(a.Position) }, query.Limit)
}

// Candles implements history.Markets.
func (h *History) Candles(_ context.Context, market uint32, minutes int32, fromMS, toMS int64, limit int) ([]history.Candle, error) {
	return choose(h, &h.rows.Candles, func(c history.Candle) bool {
		return c.Market == market && c.Minutes == minutes && c.StartMS >= fromMS && c.StartMS < toMS
	}, func(a, b history.Candle) int { return cmp.Compare(a.StartMS, b.StartMS) }, limit)
}

// Order implements history.PastOrders.
func (h *History) Order(_ context.Context, name history.OrderName) (history.Order, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.rows.Orders, func(o history.Order) bool { return o.OrderName == name })
	if i < 0 {
		return history.Order{}, history.ErrNotFound
	}
	return h.rows.Orders[i], nil
}

// Orders implements history.PastOrders.
func (h *History) Orders(_ context.Context, person uint64, query history.OrderQuery) ([]history.Order, error) {
	last := history.OrderName{Person: person, Market: query.AfterMarket, Number: query.AfterNumber}
	return choose(h, &h.rows.Orders, func(o history.Order) bool {
		return o.Person == person && (query.Market == 0 || o.Market == query.Market) && query.Keeps(o.Status) &&
			(query.AfterMarket == 0 || o.Compare(last) > 0)
	}, func(a, b history.Order) int { return a.Compare(b.OrderName) }, query.Limit)
}
