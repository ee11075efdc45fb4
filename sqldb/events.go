package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/attentionbank/attentionbank/collect"
)

var eventsMigrations = []string{
	`CREATE TABLE batches (
		seq         INTEGER PRIMARY KEY,
		received_ms INTEGER NOT NULL,
		body        BLOB NOT NULL
	);
	CREATE TABLE parts (
		subject INTEGER NOT NULL,
		day     INTEGER NOT NULL,
		due_ms  INTEGER NOT NULL,
		sealed  BLOB NOT NULL,
		PRIMARY KEY (subject, day)
	) WITHOUT ROWID;
	CREATE INDEX parts_due ON parts (due_ms) WHERE due_ms < 9223372036854775807;
	CREATE TABLE checkpoint (
		one INTEGER PRIMARY KEY CHECK (one = 1),
		seq INTEGER NOT NULL
	)`,
}

// Events keeps the log of events and the checkpoints of their fold in SQLite,
// a row a batch.
type Events struct {
	database *database
	append   *sql.Stmt
}

// OpenEvents opens the log of events at path.
func OpenEvents(ctx context.Context, path string) (*Events, error) {
	d, err := openDatabase(ctx, path, eventsMigrations, "secure_delete(ON)")
	if err != nil {
		return nil, err
	}
	e := &Events{database: d}
	if e.append, err = d.write.PrepareContext(ctx, "INSERT INTO batches (seq, received_ms, body) VALUES (?, ?, ?)"); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the log of events: %w", err)
	}
	return e, nil
}

// Append implements collect.Log.
func (e *Events) Append(ctx context.Context, batch collect.Batch) error {
	_, err := e.append.ExecContext(ctx, int64(batch.Seq), batch.ReceivedMS, batch.Body)
	if isConflict(err) {
		return collect.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("appending batch %d: %w", batch.Seq, err)
	}
	return nil
}

// Load implements collect.Log.
func (e *Events) Load(ctx context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return func(yield func(collect.Batch, error) bool) {
		for rows := 1; ; rows = loadRows {
			page, err := e.page(ctx, from, rows)
			if err != nil {
				yield(collect.Batch{}, fmt.Errorf("reading batch %d of the events: %w", from, err))
				return
			}
			for _, batch := range page {
				if batch.Seq != from {
					yield(collect.Batch{}, fmt.Errorf("batch %d of the events is missing; the next one is %d", from, batch.Seq))
					return
				}
				if !yield(batch, nil) {
					return
				}
				from++
			}
			if len(page) < rows {
				return
			}
		}
	}
}

func (e *Events) page(ctx context.Context, from uint64, limit int) (page []collect.Batch, err error) {
	rows, err := e.database.read.QueryContext(ctx, "SELECT seq, received_ms, body FROM batches WHERE seq >= ? ORDER BY seq LIMIT ?", int64(from), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var batch collect.Batch
		if err := rows.Scan(&seq, &batch.ReceivedMS, &batch.Body); err != nil {
			return nil, err
		}
		batch.Seq = uint64(seq)
		page = append(page, batch)
	}
	return page, rows.Err()
}

// FirstSince implements collect.Log. Batches are in the order of their times,
// so the place is found by halving.
func (e *Events) FirstSince(ctx context.Context, receivedMS int64) (uint64, error) {
	var first, last sql.NullInt64
	if err := e.database.read.QueryRowContext(ctx, "SELECT min(seq), max(seq) FROM batches").Scan(&first, &last); err != nil {
		return 0, fmt.Errorf("finding the first and last batch: %w", err)
	}
	if !last.Valid {
		return 1, nil
	}
	low, high := first.Int64, last.Int64+1
	for low < high {
		middle := low + (high-low)/2
		var at int64
		err := e.database.read.QueryRowContext(ctx, "SELECT received_ms FROM batches WHERE seq = ?", middle).Scan(&at)
		if err != nil {
			return 0, fmt.Errorf("reading the time of batch %d: %w", middle, err)
		}
		if at < receivedMS {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return uint64(low), nil
}

// Save implements collect.Checkpoints.
func (e *Events) Save(ctx context.Context, seq uint64, parts []collect.Part) error {
	return e.database.transact(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, `INSERT INTO parts (subject, day, due_ms, sealed) VALUES (?, ?, ?, ?)
			ON CONFLICT (subject, day) DO UPDATE SET due_ms = excluded.due_ms, sealed = excluded.sealed`)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, part := range parts {
			if _, err := put.ExecContext(ctx, int64(part.Subject), part.Day, part.DueMS, part.Sealed); err != nil {
				return fmt.Errorf("saving a part of subject %d: %w", part.Subject, err)
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO checkpoint (one, seq) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET seq = excluded.seq", int64(seq))
		return err
	})
}

// Seq implements collect.Checkpoints.
func (e *Events) Seq(ctx context.Context) (uint64, error) {
	var seq int64
	err := e.database.read.QueryRowContext(ctx, "SELECT seq FROM checkpoint").Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return uint64(seq), err
}

// Part implements collect.Checkpoints.
func (e *Events) Part(ctx context.Context, subject uint64, day int32) ([]byte, error) {
	var sealed []byte
	err := e.database.read.QueryRowContext(ctx, "SELECT sealed FROM parts WHERE subject = ? AND day = ?", int64(subject), day).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a part of subject %d: %w", subject, err)
	}
	return sealed, nil
}

// Due implements collect.Checkpoints.
func (e *Events) Due(ctx context.Context, untilMS int64) (due []collect.Part, err error) {
	rows, err := e.database.read.QueryContext(ctx, "SELECT subject, day, due_ms FROM parts WHERE due_ms < 9223372036854775807 AND due_ms <= ? ORDER BY subject, day", untilMS)
	if err != nil {
		return nil, fmt.Errorf("finding what is due: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var subject int64
		var part collect.Part
		if err := rows.Scan(&subject, &part.Day, &part.DueMS); err != nil {
			return nil, fmt.Errorf("finding what is due: %w", err)
		}
		part.Subject = uint64(subject)
		due = append(due, part)
	}
	return due, rows.Err()
}

// Forget implements collect.Checkpoints.
func (e *Events) Forget(ctx context.Context, subject uint64) error {
	if _, err := e.database.write.ExecContext(ctx, "DELETE FROM parts WHERE subject = ?", int64(subject)); err != nil {
		return fmt.Errorf("forgetting subject %d: %w", subject, err)
	}
	return nil
}

// Close closes the log.
func (e *Events) Close() error { return e.database.Close() }
