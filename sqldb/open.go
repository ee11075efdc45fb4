// Package sqldb keeps journal, events, history and identity in SQL databases:
// the embedded SQLite by default, one file each, so that none waits for
// another.
package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// database is one SQLite file with one connection that writes and a few that
// read. Writes are durable when they return: WAL with synchronous=FULL.
type database struct {
	write *sql.DB
	read  *sql.DB
	path  string
}

// openDatabase opens a file, making it if it is not there, and brings its
// schema up to date. migrations[i] leads from version i to i+1; a step is never
// changed once it was released.
func openDatabase(ctx context.Context, path string, migrations []string, pragmas ...string) (*database, error) {
	pragmas = append([]string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)",
		// Checkpoints copy the log into the file while the writer waits; fewer
		// and larger ones cost it less.
		"wal_autocheckpoint(4000)", "cache_size(-16000)",
	}, pragmas...)
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	name := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
	d := &database{path: path}
	var err error
	if d.write, err = sql.Open("sqlite", name); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", name); err != nil {
		d.write.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	d.read.SetMaxOpenConns(4)
	if err := d.migrate(ctx, migrations); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return d, nil
}

func (d *database) migrate(ctx context.Context, migrations []string) error {
	var version int
	if err := d.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version > len(migrations) {
		return fmt.Errorf("the schema has version %d, this program knows up to %d: use a newer program", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		err := d.transact(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1))
			return err
		})
		if err != nil {
			return fmt.Errorf("bringing the schema to version %d: %w", version+1, err)
		}
	}
	return nil
}

// transact runs do in a transaction that is durable when transact returns nil.
func (d *database) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		tx.Rollback() // the error of do is what matters
		return err
	}
	return tx.Commit()
}

// Close closes the file.
func (d *database) Close() error {
	readErr := d.read.Close()
	if err := d.write.Close(); err != nil {
		return err
	}
	return readErr
}

// isConflict reports whether an insert failed because its key was taken.
func isConflict(err error) bool {
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}
