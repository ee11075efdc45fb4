package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/attentionbank/attentionbank/journal"
)

var journalMigrations = []string{
	`CREATE TABLE records (
		seq  INTEGER PRIMARY KEY,
		hash BLOB NOT NULL,
		body BLOB NOT NULL
	)`,
	`CREATE TABLE store_keys (
		one  INTEGER PRIMARY KEY CHECK (one = 1),
		text TEXT NOT NULL
	)`,
}

var journalSettings = settings{name: "journal", migrations: journalMigrations}

// Journal keeps a journal, a row a record, and its snapshots, apart from the
// records so that writing one does not keep the writer waiting.
type Journal struct {
	log *log
	snapshots
}

// snapshots is the part of a journal.Store that is about snapshots.
type snapshots interface {
	SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error
	Snapshots(ctx context.Context) ([]uint64, error)
	DropSnapshot(ctx context.Context, seq uint64) error
	OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error)
	Close() error
}

// OpenJournal opens the journal at a place: the path of a file, whose snapshots
// are in the folder path + ".snapshots", or the URL of a PostgreSQL database.
func OpenJournal(ctx context.Context, place string) (*Journal, error) {
	l, err := openLog(ctx, place, journalSettings, `
		INSERT INTO records (seq, hash, body) SELECT CAST($1 AS BIGINT), $2, $3
		WHERE CAST($1 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM records WHERE seq = CAST($1 AS BIGINT) - 1)`)
	if err != nil {
		return nil, err
	}
	j := &Journal{log: l}
	if IsURL(place) {
		j.snapshots, err = openSnapshotRows(ctx, place)
	} else {
		j.snapshots, err = openSnapshotFiles(place + ".snapshots")
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return j, nil
}

// Append implements journal.Store.
func (j *Journal) Append(ctx context.Context, record journal.Record) error {
	rows, err := j.log.append(ctx, int64(record.Seq), record.Hash[:], record.Body)
	if isConflict(err) {
		return journal.ErrConflict
	}
	if err == nil && rows == 0 {
		err = errors.New("the record before it is not there")
	}
	if err != nil {
		return fmt.Errorf("appending record %d: %w", record.Seq, err)
	}
	return nil
}

// loadRows and loadBytes bound what is read at once; between reads no cursor is
// open, which would keep the log from being copied back.
const (
	loadRows  = 64
	loadBytes = 4 << 20
)

// Load implements journal.Store.
func (j *Journal) Load(ctx context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		if err := j.log.settled(ctx); err != nil {
			yield(journal.Record{}, fmt.Errorf("reading record %d: %w", from, err))
			return
		}
		for rows := 1; ; rows = loadRows {
			page, more, err := j.page(ctx, from, rows)
			if err != nil {
				yield(journal.Record{}, fmt.Errorf("%w: reading record %d: %w", journal.ErrDamaged, from, err))
				return
			}
			for _, record := range page {
				if record.Seq != from {
					yield(journal.Record{}, fmt.Errorf("%w: record %d is missing; the next one is %d", journal.ErrDamaged, from, record.Seq))
					return
				}
				if !yield(record, nil) {
					return
				}
				from++
			}
			if !more {
				return
			}
		}
	}
}

// page returns the next records, and whether there may be more behind them.
func (j *Journal) page(ctx context.Context, from uint64, limit int) (page []journal.Record, more bool, err error) {
	rows, err := j.log.read.QueryContext(ctx, "SELECT seq, hash, body FROM records WHERE seq >= $1 ORDER BY seq LIMIT $2", int64(from), limit)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for size := 0; size < loadBytes; {
		if !rows.Next() {
			return page, len(page) == limit, rows.Err()
		}
		var seq int64
		var hash []byte
		var record journal.Record
		if err := rows.Scan(&seq, &hash, &record.Body); err != nil {
			return nil, false, err
		}
		if len(hash) != len(record.Hash) {
			return nil, false, fmt.Errorf("its hash has %d bytes", len(hash))
		}
		record.Seq, record.Hash = uint64(seq), [32]byte(hash)
		page = append(page, record)
		size += len(record.Body)
	}
	return page, true, nil
}

// StoreKeys implements strongroom.KeyStore.
func (j *Journal) StoreKeys(ctx context.Context) (text string, err error) {
	err = j.log.read.QueryRowContext(ctx, "SELECT text FROM store_keys").Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

// SaveStoreKeys implements strongroom.KeyStore.
func (j *Journal) SaveStoreKeys(ctx context.Context, text string) error {
	return j.log.transact(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO store_keys (one, text) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET text = excluded.text", text)
		return err
	})
}

// Close closes the journal.
func (j *Journal) Close() error { return errors.Join(j.snapshots.Close(), j.log.Close()) }
