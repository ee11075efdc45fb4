package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// copied are the stores that can be copied; the history is made again.
var copied = map[string]settings{"journal": journalSettings, "events": eventsSettings, "identity": identitySettings, "outbox": outboxSettings}

// Copy writes a copy of a store, "journal", "events", "identity" or "outbox", from one
// place to another that has nothing of it yet, as it is at one moment, while
// others read and write it. The copy is durable when Copy returns. Snapshots
// are not copied.
func Copy(ctx context.Context, store, from, to string) error {
	var err error
	if IsURL(from) || IsURL(to) {
		err = copyRows(ctx, copied[store], from, to)
	} else {
		err = copyFile(ctx, from, to)
	}
	if err != nil {
		return fmt.Errorf("copying the %s: %w", store, err)
	}
	return nil
}

// copyFile copies a file of SQLite.
func copyFile(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	query := url.Values{"_pragma": {"busy_timeout(10000)"}}
	source, err := sql.Open("sqlite", "file:"+(&url.URL{Path: from}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return err
	}
	defer source.Close()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return err
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return err
	}
	return syncFile(to)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = file.Sync()
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return err
}

var createTable = regexp.MustCompile(`CREATE TABLE (\w+)`)

// copyRows copies the rows of every table between databases of any kind.
func copyRows(ctx context.Context, s settings, from, to string) error {
	if !IsURL(from) {
		if _, err := os.Stat(from); err != nil {
			return err
		}
	}
	source, err := openDatabase(ctx, from, s)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := openDatabase(ctx, to, s)
	if err != nil {
		return err
	}
	defer target.Close()
	moment, err := source.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer moment.Close()
	if _, err := moment.ExecContext(ctx, source.engine.beginReading()); err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer moment.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // nothing was changed
	for _, step := range s.migrations {
		for _, table := range createTable.FindAllStringSubmatch(step, -1) {
			if err := copyTable(ctx, moment, target, table[1]); err != nil {
				return fmt.Errorf("table %s: %w", table[1], err)
			}
		}
	}
	return nil
}

// What is held in memory at once.
const (
	copyRowsAtOnce  = 512
	copyBytesAtOnce = 16 << 20
)

func copyTable(ctx context.Context, from *sql.Conn, to *database, table string) error {
	var there int
	if err := to.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT 1) AS any_row").Scan(&there); err != nil {
		return err
	}
	if there > 0 {
		return fmt.Errorf("there are rows already; expected a database without a bank")
	}
	// In their order, so that tables which only grow at their end do.
	rows, err := from.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY 1")
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name()
	}
	return to.transact(ctx, func(tx *transaction) error {
		var page [][]any
		size := 0
		put := func() error {
			full := page
			page, size = nil, 0
			return tx.insert(ctx, table, strings.Join(names, ", "), len(full), func(values []any, i int) []any { return append(values, full[i]...) })
		}
		for rows.Next() {
			row := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			for i := range row {
				switch value := row[i].(type) {
				case []byte:
					row[i] = blob(value)
					size += len(value)
				case int64:
					if columns[i].DatabaseTypeName() == "BOOLEAN" { // which SQLite keeps as a number
						row[i] = value != 0
					}
				}
			}
			if page = append(page, row); len(page) == copyRowsAtOnce || size >= copyBytesAtOnce {
				if err := put(); err != nil {
					return err
				}
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return put()
	})
}
