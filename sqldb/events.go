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
	`ALTER TABLE checkpoint ADD COLUMN term INTEGER NOT NULL DEFAULT 0`,
	`CREATE TABLE marks (
		mark    BLOB NOT NULL,
		subject INTEGER NOT NULL,
		day     INTEGER NOT NULL,
		PRIMARY KEY (mark, subject)
	) WITHOUT ROWID;
	CREATE INDEX marks_subject ON marks (subject);
	CREATE INDEX marks_day ON marks (day)`,
	`CREATE TABLE places (
		subject INTEGER NOT NULL,
		first   INTEGER NOT NULL,
		batches BLOB NOT NULL,
		PRIMARY KEY (subject, first)
	) WITHOUT ROWID`,
	`CREATE TABLE purged (
		world   INTEGER PRIMARY KEY,
		through INTEGER NOT NULL
	)`,
}

var eventsSettings = settings{name: "events", migrations: eventsMigrations, pragmas: []string{"secure_delete(ON)"}}

// Events keeps the log of events, a row a batch, and the checkpoints of their
// fold.
type Events struct{ log *log }

// OpenEvents opens the log of events at a place: the path of a file, or the
// URL of a PostgreSQL database.
func OpenEvents(ctx context.Context, place string) (*Events, error) {
	l, err := openLog(ctx, place, eventsSettings,
		"INSERT INTO batches (seq, received_ms, body) VALUES ($1, $2, $3)")
	if err != nil {
		return nil, err
	}
	return &Events{log: l}, nil
}

// Append implements collect.Log.
func (e *Events) Append(ctx context.Context, batch collect.Batch) error {
	_, err := e.log.append(ctx, int64(batch.Seq), batch.ReceivedMS, batch.Body)
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
		if err := e.log.settled(ctx); err != nil {
			yield(collect.Batch{}, fmt.Errorf("reading batch %d of the events: %w", from, err))
			return
		}
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
	rows, err := e.log.read.QueryContext(ctx, "SELECT seq, received_ms, body FROM batches WHERE seq >= $1 ORDER BY seq LIMIT $2", int64(from), limit)
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
	if err := e.log.read.QueryRowContext(ctx, "SELECT min(seq), max(seq) FROM batches").Scan(&first, &last); err != nil {
		return 0, fmt.Errorf("finding the first and last batch: %w", err)
	}
	if !last.Valid {
		return 1, nil
	}
	low, high := first.Int64, last.Int64+1
	for low < high {
		middle := low + (high-low)/2
		var at int64
		err := e.log.read.QueryRowContext(ctx, "SELECT received_ms FROM batches WHERE seq = $1", middle).Scan(&at)
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
func (e *Events) Save(ctx context.Context, term, seq uint64, parts []collect.Part, places []collect.Place) error {
	return e.log.transact(ctx, func(tx *transaction) error {
		// First, so that of two collectors the second waits for the first.
		moved, err := tx.ExecContext(ctx, "UPDATE checkpoint SET seq = $1 WHERE term = $2", int64(seq), int64(term))
		if err != nil {
			return err
		}
		if rows, err := moved.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(err, collect.ErrConflict)
		}
		if err := putMarks(ctx, tx, parts); err != nil {
			return err
		}
		err = tx.insert(ctx, "places", "subject, first, batches", len(places), func(values []any, i int) []any {
			return append(values, int64(places[i].Subject), int64(places[i].Batches[0]), places[i].AppendTo(nil))
		})
		if err != nil {
			return err
		}
		return tx.put(ctx, bulk{
			table: "parts", columns: "subject, day, due_ms, sealed", rows: len(parts),
			onConflict: " ON CONFLICT (subject, day) DO UPDATE SET due_ms = excluded.due_ms, sealed = excluded.sealed",
			bind: func(values []any, i int) []any {
				return append(values, int64(parts[i].Subject), parts[i].Day, parts[i].DueMS, parts[i].Sealed)
			},
		})
	})
}

func putMarks(ctx context.Context, tx *transaction, parts []collect.Part) error {
	type row struct {
		mark    collect.Mark
		subject uint64
	}
	var rows []row
	days := map[row]int32{}
	for i := range parts {
		for _, mark := range parts[i].Marks {
			r := row{mark, parts[i].Subject}
			if _, twice := days[r]; !twice {
				rows = append(rows, r)
			}
			days[r] = parts[i].Day
		}
	}
	return tx.put(ctx, bulk{
		table: "marks", columns: "mark, subject, day", rows: len(rows),
		onConflict: " ON CONFLICT (mark, subject) DO UPDATE SET day = excluded.day",
		bind: func(values []any, i int) []any {
			return append(values, rows[i].mark[:], int64(rows[i].subject), days[rows[i]])
		},
	})
}

// Begin implements collect.Checkpoints.
func (e *Events) Begin(ctx context.Context) (term, seq uint64, err error) {
	err = e.log.transact(ctx, func(tx *transaction) error {
		return tx.QueryRowContext(ctx, `INSERT INTO checkpoint (one, seq, term) VALUES (1, 0, 1)
			ON CONFLICT (one) DO UPDATE SET term = checkpoint.term + 1 RETURNING term, seq`).Scan(&term, &seq)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("beginning a term of the checkpoints: %w", err)
	}
	return term, seq, nil
}

// Part implements collect.Checkpoints.
func (e *Events) Part(ctx context.Context, subject uint64, day int32) ([]byte, error) {
	var sealed []byte
	err := e.log.read.QueryRowContext(ctx, "SELECT sealed FROM parts WHERE subject = $1 AND day = $2", int64(subject), day).Scan(&sealed)
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
	rows, err := e.log.read.QueryContext(ctx, "SELECT subject, day, due_ms FROM parts WHERE due_ms < 9223372036854775807 AND due_ms <= $1 ORDER BY subject, day", untilMS)
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

// Marked implements collect.Checkpoints.
func (e *Events) Marked(ctx context.Context, mark collect.Mark, limit int) (subjects []uint64, err error) {
	rows, err := e.log.read.QueryContext(ctx, "SELECT subject FROM marks WHERE mark = $1 ORDER BY subject LIMIT $2", mark[:], limit)
	if err != nil {
		return nil, fmt.Errorf("finding who has a mark: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var subject int64
		if err := rows.Scan(&subject); err != nil {
			return nil, fmt.Errorf("finding who has a mark: %w", err)
		}
		subjects = append(subjects, uint64(subject))
	}
	return subjects, rows.Err()
}

// MarksOf implements collect.Archive.
func (e *Events) MarksOf(ctx context.Context, subject uint64) (marks []collect.Mark, err error) {
	rows, err := e.log.read.QueryContext(ctx, "SELECT mark FROM marks WHERE subject = $1 ORDER BY mark", int64(subject))
	if err != nil {
		return nil, fmt.Errorf("reading the marks of a subject: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var mark []byte
		err := rows.Scan(&mark)
		if err == nil && len(mark) != len(collect.Mark{}) {
			err = fmt.Errorf("a mark of %d bytes", len(mark))
		}
		if err != nil {
			return nil, fmt.Errorf("reading the marks of a subject: %w", err)
		}
		marks = append(marks, collect.Mark(mark))
	}
	return marks, rows.Err()
}

// DropMarks implements collect.Checkpoints.
func (e *Events) DropMarks(ctx context.Context, day int32) error {
	if _, err := e.log.write.ExecContext(ctx, "DELETE FROM marks WHERE day < $1", day); err != nil {
		return fmt.Errorf("dropping marks: %w", err)
	}
	return nil
}

// Forget implements collect.Checkpoints.
func (e *Events) Forget(ctx context.Context, subject uint64) error {
	err := e.log.transact(ctx, func(tx *transaction) error {
		for _, table := range []string{"parts", "marks", "places"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE subject = $1", int64(subject)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forgetting subject %d: %w", subject, err)
	}
	return nil
}

// Places implements collect.Archive.
func (e *Events) Places(ctx context.Context, subject, after uint64, limit int) (places []collect.Place, err error) {
	rows, err := e.log.read.QueryContext(ctx, "SELECT batches FROM places WHERE subject = $1 AND first > $2 ORDER BY first LIMIT $3", int64(subject), int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("finding the places of subject %d: %w", subject, err)
	}
	defer rows.Close()
	for rows.Next() {
		var batches []byte
		if err := rows.Scan(&batches); err != nil {
			return nil, fmt.Errorf("finding the places of subject %d: %w", subject, err)
		}
		place, err := collect.DecodePlace(subject, batches)
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", subject, err)
		}
		places = append(places, place)
	}
	return places, rows.Err()
}

// Days implements collect.Archive.
func (e *Events) Days(ctx context.Context, subject uint64, after int32, limit int) (days []int32, err error) {
	rows, err := e.log.read.QueryContext(ctx, "SELECT day FROM parts WHERE subject = $1 AND day > $2 ORDER BY day LIMIT $3", int64(subject), after, limit)
	if err != nil {
		return nil, fmt.Errorf("finding the days of subject %d: %w", subject, err)
	}
	defer rows.Close()
	for rows.Next() {
		var day int32
		if err := rows.Scan(&day); err != nil {
			return nil, fmt.Errorf("finding the days of subject %d: %w", subject, err)
		}
		days = append(days, day)
	}
	return days, rows.Err()
}

// Close closes the log.
func (e *Events) Close() error { return e.log.Close() }
