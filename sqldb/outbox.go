package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/outbox"
)

var outboxSettings = settings{name: "outbox", migrations: []string{
	`CREATE TABLE cursor (
		one  INTEGER PRIMARY KEY CHECK (one = 1),
		seq  INTEGER NOT NULL,
		hash BLOB NOT NULL
	);
	CREATE TABLE messages (
		number     INTEGER PRIMARY KEY,
		world      INTEGER NOT NULL,
		kind       TEXT NOT NULL,
		body       BLOB NOT NULL,
		created_ms INTEGER NOT NULL,
		status     INTEGER NOT NULL,
		attempts   INTEGER NOT NULL,
		next_ms    INTEGER NOT NULL,
		fault      TEXT NOT NULL
	);
	CREATE INDEX messages_due ON messages (next_ms) WHERE status = 0;
	CREATE INDEX messages_of_world ON messages (world, number);
	CREATE TABLE endpoints (
		world      INTEGER PRIMARY KEY,
		url        TEXT NOT NULL,
		generation INTEGER NOT NULL,
		disabled   BOOLEAN NOT NULL
	)`,
}}

// Outbox is an outbox.Store.
type Outbox struct{ database *database }

// OpenOutbox opens the outbox at a place, the path of a file or the URL of a
// PostgreSQL database, making it if it is not there.
func OpenOutbox(ctx context.Context, place string) (*Outbox, error) {
	d, err := openDatabase(ctx, place, outboxSettings)
	if err != nil {
		return nil, err
	}
	return &Outbox{d}, nil
}

// Close closes the database.
func (o *Outbox) Close() error { return o.database.Close() }

// Cursor implements outbox.Store.
func (o *Outbox) Cursor(ctx context.Context) (cursor outbox.Cursor, err error) {
	var hash []byte
	err = o.database.read.QueryRowContext(ctx, "SELECT seq, hash FROM cursor").Scan(&cursor.Seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return outbox.Cursor{}, nil
	}
	if err == nil && len(hash) != len(cursor.Hash) {
		err = fmt.Errorf("a hash of %d bytes", len(hash))
	}
	if err != nil {
		return outbox.Cursor{}, fmt.Errorf("reading the cursor of the outbox: %w", err)
	}
	cursor.Hash = [32]byte(hash)
	return cursor, nil
}

// Keep implements outbox.Store.
func (o *Outbox) Keep(ctx context.Context, after uint64, to outbox.Cursor, messages []outbox.Message) error {
	return o.database.transact(ctx, func(tx *transaction) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO cursor (one, seq, hash) SELECT 1, CAST($1 AS BIGINT), $2
			WHERE CAST($3 AS BIGINT) = 0 AND NOT EXISTS (SELECT 1 FROM cursor)`, int64(to.Seq), to.Hash[:], int64(after))
		if err == nil {
			var rows int64
			if rows, err = result.RowsAffected(); err == nil && rows == 0 {
				result, err = tx.ExecContext(ctx, "UPDATE cursor SET seq = $1, hash = $2 WHERE seq = $3", int64(to.Seq), to.Hash[:], int64(after))
				if err == nil {
					rows, err = result.RowsAffected()
				}
			}
			if err == nil && rows == 0 {
				return outbox.ErrBehind
			}
		}
		if err != nil {
			return fmt.Errorf("moving the cursor of the outbox: %w", err)
		}
		return tx.insert(ctx, "messages", "number, world, kind, body, created_ms, status, attempts, next_ms, fault", len(messages), func(values []any, i int) []any {
			m := &messages[i]
			return append(values, int64(m.Number), m.World, m.Kind, blob(m.Body), m.CreatedMS, m.Status, m.Attempts, m.NextMS, m.Fault)
		})
	})
}

const selectMessages = "SELECT number, world, kind, body, created_ms, status, attempts, next_ms, fault FROM messages"

func (o *Outbox) list(ctx context.Context, query string, args ...any) ([]outbox.Message, error) {
	rows, err := o.database.read.QueryContext(ctx, selectMessages+query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	defer rows.Close()
	var messages []outbox.Message
	for rows.Next() {
		var m outbox.Message
		if err := rows.Scan(&m.Number, &m.World, &m.Kind, &m.Body, &m.CreatedMS, &m.Status, &m.Attempts, &m.NextMS, &m.Fault); err != nil {
			return nil, fmt.Errorf("reading messages: %w", err)
		}
		messages = append(messages, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading messages: %w", err)
	}
	return messages, nil
}

// Due implements outbox.Store.
func (o *Outbox) Due(ctx context.Context, nowMS int64, limit int) ([]outbox.Message, error) {
	return o.list(ctx, " WHERE status = 0 AND next_ms <= $1 ORDER BY next_ms, number LIMIT $2", nowMS, limit)
}

// Mark implements outbox.Store.
func (o *Outbox) Mark(ctx context.Context, m outbox.Message) error {
	return o.change(ctx, "marking a message", "UPDATE messages SET status = $1, attempts = $2, next_ms = $3, fault = $4 WHERE number = $5",
		m.Status, m.Attempts, m.NextMS, m.Fault, int64(m.Number))
}

func (o *Outbox) change(ctx context.Context, what, query string, args ...any) error {
	return o.database.transact(ctx, func(tx *transaction) error {
		result, err := tx.ExecContext(ctx, query, args...)
		var rows int64
		if err == nil {
			rows, err = result.RowsAffected()
		}
		if err == nil && rows == 0 {
			err = outbox.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

// Message implements outbox.Store.
func (o *Outbox) Message(ctx context.Context, number uint64) (outbox.Message, error) {
	found, err := o.list(ctx, " WHERE number = $1", int64(number))
	if err == nil && len(found) == 0 {
		err = outbox.ErrNotFound
	}
	if err != nil {
		return outbox.Message{}, err
	}
	return found[0], nil
}

// Messages implements outbox.Store.
func (o *Outbox) Messages(ctx context.Context, world uint32, before uint64, limit int) ([]outbox.Message, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return o.list(ctx, " WHERE world = $1 AND number < $2 ORDER BY number DESC LIMIT $3", world, int64(before), limit)
}

// SetEndpoint implements outbox.Store.
func (o *Outbox) SetEndpoint(ctx context.Context, e outbox.Endpoint) error {
	return o.change(ctx, "keeping an endpoint", `INSERT INTO endpoints (world, url, generation, disabled) VALUES ($1, $2, $3, $4)
		ON CONFLICT (world) DO UPDATE SET url = excluded.url, generation = excluded.generation, disabled = excluded.disabled`, e.World, e.URL, e.Generation, e.Disabled)
}

// Endpoint implements outbox.Store.
func (o *Outbox) Endpoint(ctx context.Context, world uint32) (outbox.Endpoint, error) {
	e := outbox.Endpoint{World: world}
	err := o.database.read.QueryRowContext(ctx, "SELECT url, generation, disabled FROM endpoints WHERE world = $1", world).Scan(&e.URL, &e.Generation, &e.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return outbox.Endpoint{}, outbox.ErrNotFound
	}
	if err != nil {
		return outbox.Endpoint{}, fmt.Errorf("reading an endpoint: %w", err)
	}
	return e, nil
}
