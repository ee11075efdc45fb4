package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is a database of a PostgreSQL server, with a schema for each store.
//
// With a synchronous standby a commit waits until the standby has it, and what
// has been read here may nevertheless be there only: a commit whose waiting was
// broken off stays in the primary, visible, and is lost with it. So nothing is
// believed after such a break until a later commit has reached the standby,
// which puts all earlier ones there too; that is what settle does.
type postgres struct {
	url string
	// timeout is connect_timeout of the URL.
	timeout time.Duration
}

const connectTimeout = 10 * time.Second

func (e *postgres) connect(ctx context.Context, d *database) error {
	config, err := e.config(d)
	if err != nil {
		return err
	}
	e.timeout = config.ConnectTimeout
	d.write = stdlib.OpenDB(*config)
	d.write.SetMaxOpenConns(1)
	err = checkServer(ctx, d.write)
	if err == nil {
		if _, err = d.write.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+d.settings.name); err != nil {
			err = fmt.Errorf("making the schema %s: %w", d.settings.name, err)
		}
	}
	if err != nil {
		d.write.Close()
		return err
	}
	d.read = stdlib.OpenDB(*config)
	d.read.SetMaxOpenConns(4)
	return nil
}

func (e *postgres) config(d *database) (*pgx.ConnConfig, error) {
	config, err := parseURL(e.url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "attentionbank " + d.settings.name
	config.RuntimeParams["search_path"] = d.settings.name
	config.RuntimeParams["synchronous_commit"] = "on"
	if d.settings.rebuildable {
		config.RuntimeParams["synchronous_commit"] = "off"
	}
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		// That it no longer waits for the standby comes as a plain warning.
		// There is no other that a bank should see.
		if notice.SeverityUnlocalized == "WARNING" {
			d.undurable.Add(1)
		}
	}
	return config, nil
}

func parseURL(place string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(place)
	if err != nil {
		// The library shows the address, in which it may not know a password for
		// one; what lies behind its error names a part of an URL at most.
		reason := errors.Unwrap(err)
		if reason == nil || !IsURL(place) {
			return nil, errors.New("the address of the PostgreSQL server: expected postgres://USER@HOST/DATABASE")
		}
		return nil, fmt.Errorf("the address of the PostgreSQL server: expected postgres://USER@HOST/DATABASE: %w", reason)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.ValidateConnect == nil { // of several servers, the one that takes writes
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return config, nil
}

// checkServer refuses a server that would lose what it has acknowledged.
func checkServer(ctx context.Context, db *sql.DB) error {
	var version int
	var fsync, encoding string
	err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num'), current_setting('fsync'), current_setting('server_encoding')").
		Scan(&version, &fsync, &encoding)
	if err != nil {
		return fmt.Errorf("asking the PostgreSQL server for its settings: %w", err)
	}
	switch {
	case version < 130000:
		return fmt.Errorf("the PostgreSQL server has version %d.%d; expected 13 or newer", version/10000, version%10000)
	case fsync != "on":
		return errors.New("the PostgreSQL server runs with fsync off and would lose what it acknowledged; expected fsync = on")
	case encoding != "UTF8":
		return fmt.Errorf("the PostgreSQL database has the encoding %s; expected UTF8", encoding)
	}
	return nil
}

// postgresWords are the words of the tables' definitions that PostgreSQL says
// in another way. Integers have 64 bits in both.
var postgresWords = strings.NewReplacer("INTEGER", "BIGINT", "BLOB", "BYTEA", " WITHOUT ROWID", "")

// migrate keeps others who open the same schema waiting until it ends.
func (*postgres) migrate(ctx context.Context, tx *sql.Tx, steps []string) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('attentionbank ' || current_schema(), 0));
		CREATE TABLE IF NOT EXISTS tables_version (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL);
		INSERT INTO tables_version (one, version) VALUES (1, 0) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	var version int
	if err := tx.QueryRowContext(ctx, "SELECT version FROM tables_version").Scan(&version); err != nil {
		return err
	}
	words := make([]string, len(steps))
	for i, step := range steps {
		words[i] = postgresWords.Replace(step)
	}
	if err := advance(ctx, tx, version, words); err != nil || version == len(steps) {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE tables_version SET version = $1", len(steps))
	return err
}

func (*postgres) beginReading() string { return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" }

// insert copies rows as they come, or, where a key may be taken, inserts them
// in one statement after the other.
func (*postgres) insert(ctx context.Context, tx *transaction, b bulk) error {
	if b.onConflict != "" {
		return insertEach(ctx, tx, b)
	}
	columns := strings.FieldsFunc(b.columns, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	values := make([]any, 0, b.width())
	next := 0
	source := pgx.CopyFromFunc(func() ([]any, error) {
		if next == b.rows {
			return nil, nil
		}
		values = b.bind(values[:0], next)
		next++
		return values, nil
	})
	return tx.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{b.table}, columns, source)
		return err
	})
}

func insertEach(ctx context.Context, tx *transaction, b bulk) error {
	places := make([]string, b.width())
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	query := "INSERT INTO " + b.table + " (" + b.columns + ") VALUES (" + strings.Join(places, ", ") + ")" + b.onConflict
	return tx.conn.Raw(func(driver any) error {
		var batch pgx.Batch
		for i := range b.rows {
			batch.Queue(query, b.bind(nil, i)...)
		}
		return driver.(*stdlib.Conn).Conn().SendBatch(ctx, &batch).Close()
	})
}

// patience is how long a standby may be away before the bank stops: twice the
// connect_timeout of the URL.
func (e *postgres) patience() time.Duration { return 2 * e.timeout }

// settle commits a change of nothing and waits until the standby has it.
func (e *postgres) settle(ctx context.Context, d *database) error {
	if d.settings.rebuildable {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.patience())
	defer cancel()
	before := d.undurable.Load()
	if _, err := d.write.ExecContext(ctx, "UPDATE tables_version SET version = version"); err != nil {
		return fmt.Errorf("waiting until what was written is durable on the server and its synchronous standby: %w", err)
	}
	if d.undurable.Load() != before {
		return errUndurable
	}
	return nil
}

// checkpoint is the server's to do.
func (*postgres) checkpoint(context.Context, *database) error { return nil }

// wipe makes the space of rows that were overwritten free. Their bytes are gone
// from tables when the space is used again, and from the server's log when its
// segments are.
func (*postgres) wipe(ctx context.Context, d *database, tables ...string) error {
	if _, err := d.write.ExecContext(ctx, "VACUUM "+strings.Join(tables, ", ")); err != nil {
		return fmt.Errorf("old rows are still in the tables: %w", err)
	}
	return nil
}

func isPostgresConflict(err error) bool {
	var fault *pgconn.PgError
	return errors.As(err, &fault) && fault.Code == "23505" // unique_violation
}

// NewDatabase makes an empty database on the server of a URL and returns its
// URL and what drops it again.
func NewDatabase(ctx context.Context, from, name string) (made string, drop func() error, err error) {
	place, err := url.Parse(from)
	if err != nil {
		return "", nil, errors.New("reading the address of the PostgreSQL server: it is no URL")
	}
	config, err := parseURL(from)
	if err != nil {
		return "", nil, err
	}
	do := func(statement, option string) error {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return fmt.Errorf("connecting to PostgreSQL: %w", err)
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement+pgx.Identifier{name}.Sanitize()+option)
		return err
	}
	if err := do("CREATE DATABASE ", ""); err != nil {
		return "", nil, fmt.Errorf("making a database: %w", err)
	}
	place.Path = "/" + name
	return place.String(), func() error { return do("DROP DATABASE ", " WITH (FORCE)") }, nil
}
