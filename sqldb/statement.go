package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
)

// list runs a query and reads its rows.
func list[T any](ctx context.Context, h *History, what string, read func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := h.database.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var row T
		if err := read(rows, &row); err != nil {
			return nil, fmt.Errorf("reading %s: %w", what, err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	return all, nil
}

// Statement implements history.Books. Time never goes back from record to
// record, so a span of time is a span of records.
func (h *History) Statement(ctx context.Context, account uint64, query history.StatementQuery) ([]history.Entry, error) {
	before := query.Before
	if before == (history.Position{}) {
		before.Seq = math.MaxInt64
	}
	to := query.ToMS
	if to == 0 {
		to = math.MaxInt64
	}
	return list(ctx, h, "a statement", func(rows *sql.Rows, e *history.Entry) error {
		e.Account = account
		return rows.Scan(&e.Seq, &e.Index, &e.N, &e.Other, &e.Amount, &e.Balance, &e.TimeMS, &e.Kind, &e.Reference)
	}, `SELECT seq, idx, n, other, amount, balance, time_ms, kind, reference
		FROM postings JOIN transactions USING (seq, idx)
		WHERE account = $1 AND (seq, idx, n) < ($2, $3, $4)
		AND seq >= (SELECT coalesce(min(seq), 9223372036854775807) FROM records WHERE time_ms >= $5)
		AND seq <= (SELECT coalesce(max(seq), 0) FROM records WHERE time_ms < $6)
		ORDER BY seq DESC, idx DESC, n DESC LIMIT $7`,
		int64(account), int64(before.Seq), before.Index, before.N, query.FromMS, to, history.Page(query.Limit))
}

const selectTransactions = "SELECT seq, idx, time_ms, kind, reference, answer FROM transactions"

func scanTransaction(row interface{ Scan(...any) error }, t *history.Transaction) error {
	return row.Scan(&t.Seq, &t.Index, &t.TimeMS, &t.Kind, &t.Reference, &t.Answer)
}

// Transaction implements history.Books.
func (h *History) Transaction(ctx context.Context, seq uint64, index uint32) (history.Transaction, error) {
	found, err := list(ctx, h, "a transaction", func(rows *sql.Rows, t *history.Transaction) error { return scanTransaction(rows, t) },
		selectTransactions+" WHERE seq = $1 AND idx = $2", int64(seq), index)
	if err != nil {
		return history.Transaction{}, err
	}
	if len(found) == 0 {
		return history.Transaction{}, fmt.Errorf("reading transaction %d.%d: %w", seq, index, history.ErrNotFound)
	}
	return found[0], nil
}

// OfReference implements history.Books.
func (h *History) OfReference(ctx context.Context, reference string, seq uint64, index uint32, limit int) ([]history.Transaction, error) {
	return list(ctx, h, "the transactions of a reference", func(rows *sql.Rows, t *history.Transaction) error { return scanTransaction(rows, t) },
		"SELECT seq, idx, time_ms, kind, reference, answer FROM reference JOIN transactions USING (seq, idx) "+
			"WHERE text = $1 AND (seq, idx) > ($2, $3) ORDER BY seq, idx LIMIT $4", reference, int64(seq), index, history.Page(limit))
}

// Affairs implements history.Affairs.
func (h *History) Affairs(ctx context.Context, query history.AffairQuery) ([]history.Transaction, error) {
	return list(ctx, h, "affairs", func(rows *sql.Rows, t *history.Transaction) error { return scanTransaction(rows, t) },
		"SELECT seq, idx, time_ms, kind, reference, answer FROM affairs JOIN transactions USING (seq, idx) "+
			"WHERE topic = $1 AND number = $2 AND (seq, idx) > ($3, $4) AND seq <= $5 ORDER BY seq, idx LIMIT $6",
		query.Topic, int64(query.Number), int64(query.After.Seq), query.After.Index, int64(min(query.UntilSeq, math.MaxInt64)), history.Page(query.Limit))
}

// Holds implements history.Books.
func (h *History) Holds(ctx context.Context, account uint64, openOnly bool, seq uint64, index uint32, limit int) ([]history.Hold, error) {
	if seq == 0 {
		seq = math.MaxInt64
	}
	return list(ctx, h, "holds", func(rows *sql.Rows, hold *history.Hold) error {
		var number int64 // of 64 bits, so that the upper half is negative here
		var group []byte
		err := rows.Scan(&number, &hold.Account, &hold.Beneficiary, &hold.Amount, &hold.Remaining, &hold.ExpiresAtMS, &group, &hold.Reference,
			&hold.Seq, &hold.Index, &hold.PlacedMS, &hold.SettledAmount, &hold.ReleasedAmount, &hold.ExpiredAmount, &hold.EndedMS)
		hold.Number = uint64(number)
		copy(hold.Group[:], group)
		return err
	}, `SELECT number, account, beneficiary, amount, remaining, expires_ms, hold_group, reference, seq, idx, placed_ms, settled, released, expired, ended_ms
		FROM holds WHERE account = $1 AND (seq, idx) < ($2, $3) AND (ended_ms = 0 OR NOT $4) ORDER BY seq DESC, idx DESC LIMIT $5`,
		int64(account), int64(seq), index, openOnly, history.Page(limit))
}

// Epochs implements history.Books.
func (h *History) Epochs(ctx context.Context, before uint64, limit int) ([]history.Epoch, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return list(ctx, h, "epochs", func(rows *sql.Rows, e *history.Epoch) error {
		return rows.Scan(&e.Number, &e.StartMS, &e.EndMS, &e.Accounts, &e.IssuedMicro, &e.TreasuryMicro, &e.ClosedMS)
	}, "SELECT number, start_ms, end_ms, accounts, issued, treasury, closed_ms FROM epochs WHERE number < $1 ORDER BY number DESC LIMIT $2",
		int64(before), history.Page(limit))
}

// Accounts implements history.People.
func (h *History) Accounts(ctx context.Context, kind ledger.OwnerKind, owner, after uint64, limit int) ([]history.Account, error) {
	return list(ctx, h, "accounts", func(rows *sql.Rows, a *history.Account) error {
		return rows.Scan(&a.Number, &a.OwnerKind, &a.Owner, &a.Asset, &a.Purpose, &a.Sub, &a.Seq)
	}, `SELECT number, owner_kind, owner, asset, purpose, sub, seq FROM accounts
		WHERE owner_kind = $1 AND owner = $2 AND number > $3 ORDER BY number LIMIT $4`, kind, int64(owner), int64(after), history.Page(limit))
}

// Mints implements history.People.
func (h *History) Mints(ctx context.Context, person uint64, query history.MintQuery) ([]history.Mint, error) {
	beforeDay := query.BeforeDay
	if query.BeforeDay == 0 && query.BeforeWorld == 0 && query.BeforeRevision == 0 {
		beforeDay = math.MaxInt32
	}
	return list(ctx, h, "mints", func(rows *sql.Rows, m *history.Mint) error {
		var commitment []byte
		m.Person = person
		err := rows.Scan(&m.Day, &m.World, &m.Revision, &m.CumulativePointsMicro, &m.DeltaPointsMicro, &m.ReceivablePointsMicro, &m.Epoch,
			&m.PolicyVersion, &commitment, &m.Seq, &m.Index, &m.TimeMS)
		copy(m.Commitment[:], commitment)
		return err
	}, `SELECT day, world, revision, cumulative, delta, receivable, epoch, policy, commitment, seq, idx, time_ms FROM mints
		WHERE person = $1 AND day >= $2 AND (day, world, revision) < ($3, $4, $5) ORDER BY day DESC, world DESC, revision DESC LIMIT $6`,
		int64(person), query.FromDay, beforeDay, query.BeforeWorld, int64(query.BeforeRevision), history.Page(query.Limit))
}

// Payments implements history.People.
func (h *History) Payments(ctx context.Context, person, epoch uint64, world uint32, limit int) ([]history.Payment, error) {
	if epoch == 0 {
		epoch = math.MaxInt64
	}
	return list(ctx, h, "payments", func(rows *sql.Rows, p *history.Payment) error {
		p.Person = person
		return rows.Scan(&p.Epoch, &p.World, &p.PointsMicro, &p.TimeMicro, &p.Seq, &p.Index, &p.TimeMS)
	}, `SELECT epoch, world, points, time, seq, idx, time_ms FROM payments
		WHERE person = $1 AND (epoch, world) < ($2, $3) ORDER BY epoch DESC, world DESC LIMIT $4`,
		int64(person), int64(epoch), world, history.Page(limit))
}
