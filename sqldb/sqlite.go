package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	driver "modernc.org/sqlite" // which registers itself as "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqlite is a file. Writes are durable when they return: WAL with
// synchronous=FULL.
type sqlite struct{ path string }

func (e sqlite) connect(_ context.Context, d *database) (err error) {
	pragmas := append([]string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)",
		// Checkpoints copy the log into the file while the writer waits; fewer
		// and larger ones cost it less.
		"wal_autocheckpoint(4000)", "cache_size(-16000)",
	}, d.settings.pragmas...)
	if d.settings.rebuildable {
		pragmas = append(pragmas, "synchronous(NORMAL)")
	}
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	if d.settings.vfs != "" {
		query.Set("vfs", d.settings.vfs)
	}
	name := "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?" + query.Encode()
	if d.write, err = sql.Open("sqlite", name); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", name); err != nil {
		d.write.Close()
		return err
	}
	d.read.SetMaxOpenConns(4)
	return nil
}

// isNoDatabase reports whether a file is none of SQLite's, or cannot be read as
// one.
func isNoDatabase(err error) bool {
	var coded *driver.Error
	return errors.As(err, &coded) && coded.Code()&0xff == sqlite3.SQLITE_NOTADB
}

func (sqlite) migrate(ctx context.Context, tx *sql.Tx, steps []string) error {
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("reading the version of the tables: %w", err)
	}
	if err := advance(ctx, tx, version, steps); err != nil || version == len(steps) {
		return err
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
	return err
}

func (sqlite) beginReading() string { return "BEGIN" }

// rowsPerInsert is how many rows one statement takes: a call of the engine
// costs more than a row.
const rowsPerInsert = 32

func (sqlite) insert(ctx context.Context, tx *transaction, b bulk) error {
	head := "INSERT INTO " + b.table + " (" + b.columns + ") VALUES "
	one := "(?" + strings.Repeat(", ?", b.width()-1) + ")"
	var many *sql.Stmt
	values := make([]any, 0, b.width()*rowsPerInsert)
	for start := 0; start < b.rows; {
		count := min(b.rows-start, rowsPerInsert)
		values = values[:0]
		for i := start; i < start+count; i++ {
			values = b.bind(values, i)
		}
		start += count
		var err error
		if count < rowsPerInsert {
			_, err = tx.ExecContext(ctx, head+one+strings.Repeat(", "+one, count-1)+b.onConflict, values...)
		} else {
			if many == nil {
				many, err = tx.PrepareContext(ctx, head+one+strings.Repeat(", "+one, rowsPerInsert-1)+b.onConflict)
			}
			if err == nil {
				_, err = many.ExecContext(ctx, values...)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (sqlite) patience() time.Duration { return 0 }

// settle has nothing to wait for: what a file shows to its only user is in it.
func (sqlite) settle(context.Context, *database) error { return nil }

// checkpoint copies what it can of the log into the file, and waits for nobody.
func (sqlite) checkpoint(ctx context.Context, d *database) error {
	var busy, logged, copied int
	return d.read.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &logged, &copied)
}

// wipe copies the log into the file and cuts it to nothing: it still holds
// pages as they were. That waits for those who read. Within the file,
// secure_delete has overwritten what was deleted.
func (sqlite) wipe(ctx context.Context, d *database, _ ...string) error {
	var busy, logged, copied int
	if err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &copied); err != nil {
		return fmt.Errorf("old pages are still in the log: %w", err)
	}
	if busy != 0 {
		return errors.New("old pages are still in the log, which is being read")
	}
	return nil
}
