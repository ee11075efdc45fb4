package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/history"
)

func writeTransactions(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	var records []history.Transaction // the first of each record
	for _, t := range chunk.Transactions {
		if n := len(records); n == 0 || records[n-1].Seq != t.Seq {
			records = append(records, t)
		}
	}
	err := tx.insert(ctx, "records", "seq, time_ms", len(records), func(args []any, i int) []any {
		return append(args, int64(records[i].Seq), records[i].TimeMS)
	})
	if err != nil {
		return err
	}
	err = tx.insert(ctx, "transactions", "seq, idx, time_ms, kind, reference, answer", len(chunk.Transactions), func(args []any, i int) []any {
		t := &chunk.Transactions[i]
		return append(args, int64(t.Seq), t.Index, t.TimeMS, t.Kind, t.Reference, t.Answer)
	})
	if err != nil {
		return err
	}
	return tx.insert(ctx, "reference", "text, seq, idx", len(chunk.References), func(args []any, i int) []any {
		r := &chunk.References[i]
		return append(args, r.Text, int64(r.Seq), r.Index)
	})
}

func writePostings(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	return tx.insert(ctx, "postings", "account, seq, idx, n, other, amount, balance", len(chunk.Postings), func(args []any, i int) []any {
		p := &chunk.Postings[i]
		return append(args, int64(p.Account), int64(p.Seq), p.Index, p.N, int64(p.Other), p.Amount, p.Balance)
	})
}

func writeAccounts(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	// An account that is opened again is told again; the first time counts.
	return tx.insertNew(ctx, "accounts", "number, owner_kind, owner, asset, purpose, sub, seq", len(chunk.Accounts), func(args []any, i int) []any {
		a := &chunk.Accounts[i]
		return append(args, int64(a.Number), a.OwnerKind, int64(a.Owner), a.Asset, a.Purpose, a.Sub, int64(a.Seq))
	})
}

func writeHolds(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	err := tx.insert(ctx, "holds", `number, account, beneficiary, amount, remaining, expires_ms, hold_group, reference,
		seq, idx, placed_ms, settled, released, expired, ended_ms`, len(chunk.Holds), func(args []any, i int) []any {
		h := &chunk.Holds[i]
		return append(args, int64(h.Number), int64(h.Account), int64(h.Beneficiary), h.Amount, h.Remaining, h.ExpiresAtMS, h.Group[:], h.Reference,
			int64(h.Seq), h.Index, h.PlacedMS, h.SettledAmount, h.ReleasedAmount, h.ExpiredAmount, h.EndedMS)
	})
	if err != nil || len(chunk.HoldEnds) == 0 {
		return err
	}
	update, err := tx.PrepareContext(ctx, `UPDATE holds SET settled = settled + $1, released = released + $2, expired = expired + $3,
		remaining = $4, ended_ms = CASE CAST($4 AS BIGINT) WHEN 0 THEN CAST($5 AS BIGINT) ELSE 0 END WHERE number = $6`)
	if err != nil {
		return fmt.Errorf("ending holds: %w", err)
	}
	for _, end := range chunk.HoldEnds {
		result, err := update.ExecContext(ctx, end.SettledAmount, end.ReleasedAmount, end.ExpiredAmount, end.Remaining, end.TimeMS, int64(end.Hold))
		if err == nil {
			err = changedRow(result)
		}
		if err != nil {
			return fmt.Errorf("ending hold %d: %w", end.Hold, err)
		}
	}
	return nil
}

func changedRow(result sql.Result) error {
	rows, err := result.RowsAffected()
	if err == nil && rows != 1 {
		err = fmt.Errorf("%d rows were changed, want 1", rows)
	}
	return err
}

func writeMints(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	err := tx.insertNew(ctx, "mints", `person, day, world, revision, cumulative, delta, receivable, epoch, policy,
		commitment, seq, idx, time_ms`, len(chunk.Mints), func(args []any, i int) []any {
		m := &chunk.Mints[i]
		return append(args, int64(m.Person), m.Day, m.World, int64(m.Revision), m.CumulativePointsMicro, m.DeltaPointsMicro, m.ReceivablePointsMicro,
			int64(m.Epoch), m.PolicyVersion, m.Commitment[:], int64(m.Seq), m.Index, m.TimeMS)
	})
	if err != nil {
		return err
	}
	return tx.insert(ctx, "payments", "person, epoch, world, points, time, seq, idx, time_ms", len(chunk.Payments), func(args []any, i int) []any {
		p := &chunk.Payments[i]
		return append(args, int64(p.Person), int64(p.Epoch), p.World, p.PointsMicro, p.TimeMicro, int64(p.Seq), p.Index, p.TimeMS)
	})
}

func writeEpochs(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	for _, e := range chunk.Epochs {
		_, err := tx.ExecContext(ctx, `INSERT INTO epochs (number, start_ms, end_ms, accounts, issued, treasury, closed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (number) DO UPDATE SET issued = excluded.issued, treasury = excluded.treasury, closed_ms = excluded.closed_ms`,
			int64(e.Number), e.StartMS, e.EndMS, int64(e.Accounts), e.IssuedMicro, e.TreasuryMicro, e.ClosedMS)
		if err != nil {
			return fmt.Errorf("writing epoch %d: %w", e.Number, err)
		}
	}
	return nil
}

func writeAffairs(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	return tx.insert(ctx, "affairs", "topic, number, seq, idx", len(chunk.Affairs), func(args []any, i int) []any {
		a := &chunk.Affairs[i]
		return append(args, a.Topic, int64(a.Number), int64(a.Seq), a.Index)
	})
}

func writeActs(ctx context.Context, tx *transaction, chunk *history.Chunk) error {
	return tx.insert(ctx, "acts", "seq, idx, time_ms, operator, credential, operation, target, before, after, refusal", len(chunk.Acts), func(args []any, i int) []any {
		a := &chunk.Acts[i]
		return append(args, int64(a.Seq), a.Index, a.TimeMS, a.Operator, a.Credential[:], a.Operation, a.Target, a.Before, a.After, a.Refusal)
	})
}

// Acts implements history.Trail.
func (h *History) Acts(ctx context.Context, query history.ActQuery) ([]history.Act, error) {
	before, to, operator := int64(query.BeforeSeq), query.ToMS, int64(query.Operator)
	if before == 0 {
		before = math.MaxInt64
	}
	if to == 0 {
		to = math.MaxInt64
	}
	if !query.OneOperator {
		operator = -1
	}
	return list(ctx, h, "the audit trail", func(rows *sql.Rows, a *history.Act) error {
		var credential []byte
		err := rows.Scan(&a.Seq, &a.Index, &a.TimeMS, &a.Operator, &credential, &a.Operation, &a.Target, &a.Before, &a.After, &a.Refusal)
		copy(a.Credential[:], credential)
		return err
	}, `SELECT seq, idx, time_ms, operator, credential, operation, target, before, after, refusal FROM acts
		WHERE (seq, idx) < ($1, $2) AND time_ms >= $3 AND time_ms < $4
		AND (CAST($5 AS TEXT) = '' OR operation = $5) AND (CAST($6 AS BIGINT) < 0 OR operator = $6)
		AND (CAST($7 AS TEXT) = '' OR target = $7 OR substr(target, 1, length($7) + 1) = $7 || ' ')
		ORDER BY seq DESC, idx DESC LIMIT $8`,
		before, query.BeforeIndex, query.FromMS, to, query.Operation, operator, query.Target, history.Page(query.Limit))
}
