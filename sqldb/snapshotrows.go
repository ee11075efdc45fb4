package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// snapshotRows keeps snapshots in a table, in parts. A snapshot is one
// transaction on a connection of its own, so that it is there in whole or not
// at all and no record waits for it.
type snapshotRows struct{ database *database }

var snapshotMigrations = []string{
	`CREATE TABLE snapshots (
		seq  INTEGER NOT NULL,
		part INTEGER NOT NULL,
		body BLOB NOT NULL,
		PRIMARY KEY (seq, part)
	)`,
}

const snapshotPartBytes = 1 << 20

func openSnapshotRows(ctx context.Context, place string) (snapshotRows, error) {
	d, err := openDatabase(ctx, place, settings{name: "snapshots", migrations: snapshotMigrations})
	return snapshotRows{d}, err
}

// Close closes the database.
func (s snapshotRows) Close() error { return s.database.Close() }

// SaveSnapshot implements journal.Store.
func (s snapshotRows) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	err := s.database.transact(ctx, func(tx *transaction) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM snapshots WHERE seq = $1", int64(seq)); err != nil {
			return err
		}
		if err := copySnapshot(ctx, tx, seq, write); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM snapshots WHERE seq NOT IN
			(SELECT DISTINCT seq FROM snapshots ORDER BY seq DESC LIMIT 2)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("saving the snapshot at record %d: %w", seq, err)
	}
	return nil
}

func copySnapshot(ctx context.Context, tx *transaction, seq uint64, write func(io.Writer) error) error {
	read, filled := io.Pipe()
	written := make(chan error)
	go func() {
		err := write(filled)
		filled.CloseWithError(err) // nil is the end
		written <- err
	}()
	buffer, number := make([]byte, snapshotPartBytes), int64(0)
	parts := pgx.CopyFromFunc(func() ([]any, error) {
		n, err := io.ReadFull(read, buffer)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		number++
		return []any{int64(seq), number, buffer[:n]}, nil
	})
	err := tx.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"snapshots"}, []string{"seq", "part", "body"}, parts)
		return err
	})
	read.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // so that write ends
	if writeErr := <-written; writeErr != nil {
		return errors.Join(writeErr, err)
	}
	return err
}

// Snapshots implements journal.Store.
func (s snapshotRows) Snapshots(ctx context.Context) (seqs []uint64, err error) {
	rows, err := s.database.read.QueryContext(ctx, "SELECT DISTINCT seq FROM snapshots ORDER BY seq DESC")
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return nil, fmt.Errorf("listing snapshots: %w", err)
		}
		seqs = append(seqs, seq)
	}
	return seqs, rows.Err()
}

// DropSnapshot implements journal.Store.
func (s snapshotRows) DropSnapshot(ctx context.Context, seq uint64) error {
	if _, err := s.database.write.ExecContext(ctx, "DELETE FROM snapshots WHERE seq = $1", int64(seq)); err != nil {
		return fmt.Errorf("dropping the snapshot at record %d: %w", seq, err)
	}
	return nil
}

// OpenSnapshot implements journal.Store.
func (s snapshotRows) OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error) {
	rows, err := s.database.read.QueryContext(ctx, "SELECT body FROM snapshots WHERE seq = $1 ORDER BY part", int64(seq))
	if err != nil {
		return nil, fmt.Errorf("opening the snapshot at record %d: %w", seq, err)
	}
	reader := &partReader{rows: rows}
	if err := reader.next(); err != nil {
		rows.Close()
		return nil, fmt.Errorf("opening the snapshot at record %d: %w", seq, err)
	}
	return reader, nil
}

// partReader reads the parts of a snapshot, one after another.
type partReader struct {
	rows *sql.Rows
	part []byte
}

// next goes to the next part; io.EOF behind the last one.
func (r *partReader) next() error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	return r.rows.Scan(&r.part)
}

// Read implements io.Reader.
func (r *partReader) Read(into []byte) (int, error) {
	for len(r.part) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(into, r.part)
	r.part = r.part[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *partReader) Close() error { return r.rows.Close() }
