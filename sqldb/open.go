// Package sqldb keeps journal, events, history and identity in SQL databases:
// the embedded SQLite by default, one file each, so that none waits for
// another, or PostgreSQL, a schema each. Both are spoken to in one SQL text;
// what differs is in sqlite.go and postgres.go.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// settings are what one of the stores asks of its database.
type settings struct {
	// name of the store, and of its schema in PostgreSQL.
	name string
	// migrations[i] leads from version i of the tables to i+1; a step is never
	// changed once it was released.
	migrations []string
	// pragmas are for SQLite.
	pragmas []string
	// vfs is what SQLite reaches the file through; empty for the system's.
	vfs string
	// rebuildable says that the last writes may be lost with the power.
	rebuildable bool
}

// database is one SQLite file, or one schema of a PostgreSQL database, with one
// connection that writes and a few that read. A write is durable when it
// returns, unless the store is rebuildable.
type database struct {
	write    *sql.DB
	read     *sql.DB
	engine   engine
	settings settings
	// undurable counts the commits of which the server said that they may be
	// lost; see postgres.
	undurable atomic.Int64
}

// errUndurable says that a write was committed and may yet be lost.
var errUndurable = errors.New("the server did not wait until it was durable")

// engine is what SQLite and PostgreSQL do each in its own way.
type engine interface {
	// connect fills in d.write and d.read.
	connect(ctx context.Context, d *database) error
	// migrate brings the tables to the last of the steps, in the engine's own
	// words, and keeps how many were taken.
	migrate(ctx context.Context, tx *sql.Tx, steps []string) error
	// beginReading begins a transaction that sees one moment.
	beginReading() string
	// insert adds rows to a table, fast.
	insert(ctx context.Context, tx *transaction, rows bulk) error
	// patience is how long a write may take to become durable before its
	// outcome counts as unknown; zero if for ever.
	patience() time.Duration
	// settle waits until all that can be read is durable, as after a write
	// whose outcome is unknown, and returns an error if that cannot be told.
	settle(ctx context.Context, d *database) error
	// checkpoint brings what was written where it stays, beside the writer.
	checkpoint(ctx context.Context, d *database) error
	// wipe leaves no copy of what was overwritten where that is in its power.
	wipe(ctx context.Context, d *database, tables ...string) error
}

// IsURL reports whether a place of a store names a PostgreSQL database and not
// a file.
func IsURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// openDatabase opens the database at a place, making its tables if they are not
// there and bringing them up to date.
func openDatabase(ctx context.Context, place string, s settings) (*database, error) {
	d := &database{settings: s}
	what := s.name // a URL may have a password in it
	if IsURL(place) {
		d.engine = &postgres{url: place}
	} else {
		d.engine = sqlite{path: place}
		what += " in " + place
	}
	err := d.engine.connect(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("opening the %s: %w", what, err)
	}
	err = d.transact(ctx, func(tx *transaction) error { return d.engine.migrate(ctx, tx.Tx, s.migrations) })
	if err == nil {
		err = d.engine.settle(ctx, d)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the %s: %w", what, err)
	}
	return d, nil
}

// advance takes the steps behind a version.
func advance(ctx context.Context, tx *sql.Tx, version int, steps []string) error {
	if version > len(steps) {
		return fmt.Errorf("the tables have version %d, this program knows up to %d: use a newer program", version, len(steps))
	}
	for ; version < len(steps); version++ {
		if _, err := tx.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("bringing the tables to version %d: %w", version+1, err)
		}
	}
	return nil
}

// transaction is a transaction and the connection that it runs on.
type transaction struct {
	*sql.Tx
	conn   *sql.Conn
	engine engine
}

// transact runs do in a transaction that is durable when transact returns nil.
func (d *database) transact(ctx context.Context, do func(*transaction) error) error {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // gives it back
	before := d.undurable.Load()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&transaction{tx, conn, d.engine}); err != nil {
		tx.Rollback() // the error of do is what matters
		return err
	}
	if patience := d.engine.patience(); patience > 0 {
		defer time.AfterFunc(patience, cancel).Stop()
	}
	if err = tx.Commit(); err == nil && d.undurable.Load() != before {
		err = errUndurable
	}
	return err
}

// log is a table that is only appended to, one statement a row.
type log struct {
	*database
	insert *sql.Stmt
	// unsettled is set when an append failed: what can be read then may yet be
	// lost, until the database has settled.
	unsettled   atomic.Bool
	grown       atomic.Int64  // bytes since a checkpoint was asked for
	checkpoints chan struct{} // closed by Close
	closeOnce   sync.Once
	ended       chan struct{} // closed when no checkpoint runs any more
}

// checkpointBytes is how much is appended between two checkpoints beside the
// writer: well below what makes the writer do one itself, see sqlite.connect.
const checkpointBytes = 2 << 20

func openLog(ctx context.Context, place string, s settings, insert string) (*log, error) {
	d, err := openDatabase(ctx, place, s)
	if err != nil {
		return nil, err
	}
	l := &log{database: d, checkpoints: make(chan struct{}, 1), ended: make(chan struct{})}
	if l.insert, err = d.write.PrepareContext(ctx, insert); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the %s: %w", s.name, err)
	}
	go l.checkpointBeside()
	return l, nil
}

// checkpointBeside keeps the writer from copying the whole log into the file
// while everybody waits. What it leaves undone, also by an error, the writer
// does and reports.
func (l *log) checkpointBeside() {
	defer close(l.ended)
	for range l.checkpoints {
		_ = l.engine.checkpoint(context.Background(), l.database)
	}
}

// Close closes the log.
func (l *log) Close() error {
	l.closeOnce.Do(func() { close(l.checkpoints) })
	<-l.ended
	return l.database.Close()
}

// append adds a row that is durable when append returns nil.
func (l *log) append(ctx context.Context, values ...any) (rows int64, err error) {
	before := l.undurable.Load()
	if patience := l.engine.patience(); patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	result, err := l.insert.ExecContext(ctx, values...)
	if err == nil {
		rows, err = result.RowsAffected()
	}
	if err == nil && l.undurable.Load() != before {
		err = errUndurable
	}
	if err != nil {
		l.unsettled.Store(true)
		return rows, err
	}
	size := 0
	for _, value := range values {
		if content, is := value.([]byte); is {
			size += len(content)
		}
	}
	if l.grown.Add(int64(size)) >= checkpointBytes {
		l.grown.Store(0)
		select {
		case l.checkpoints <- struct{}{}:
		default: // one is asked for already
		}
	}
	return rows, nil
}

// settled returns when all that can be read is durable.
func (l *log) settled(ctx context.Context) error {
	if !l.unsettled.Load() {
		return nil
	}
	if err := l.engine.settle(ctx, l.database); err != nil {
		return err
	}
	l.unsettled.Store(false)
	return nil
}

// bulk is many rows for a table. bind appends the values of row i.
type bulk struct {
	table   string
	columns string // with commas between
	// onConflict says what becomes of a row whose key is taken; without it that
	// is an error.
	onConflict string
	rows       int
	bind       func(values []any, i int) []any
}

func (b bulk) width() int { return strings.Count(b.columns, ",") + 1 }

// insert adds rows to a table; a key that is taken is an error.
func (tx *transaction) insert(ctx context.Context, table, columns string, rows int, bind func(values []any, i int) []any) error {
	return tx.put(ctx, bulk{table: table, columns: columns, rows: rows, bind: bind})
}

// insertNew adds the rows whose keys are new to a table.
func (tx *transaction) insertNew(ctx context.Context, table, columns string, rows int, bind func(values []any, i int) []any) error {
	return tx.put(ctx, bulk{table: table, columns: columns, onConflict: " ON CONFLICT DO NOTHING", rows: rows, bind: bind})
}

func (tx *transaction) put(ctx context.Context, rows bulk) error {
	if rows.rows == 0 {
		return nil
	}
	if err := tx.engine.insert(ctx, tx, rows); err != nil {
		return fmt.Errorf("writing %d rows of %s: %w", rows.rows, rows.table, err)
	}
	return nil
}

// Close closes the database.
func (d *database) Close() error {
	readErr := d.read.Close()
	if err := d.write.Close(); err != nil {
		return err
	}
	return readErr
}

// isConflict reports whether an insert failed because its key was taken.
func isConflict(err error) bool {
	return err != nil && (isPostgresConflict(err) || strings.Contains(err.Error(), "UNIQUE constraint failed"))
}
