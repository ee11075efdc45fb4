package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/journal"
)

var journalMigrations = []string{
	`CREATE TABLE records (
		seq  INTEGER PRIMARY KEY,
		hash BLOB NOT NULL,
		body BLOB NOT NULL
	)`,
}

// Journal keeps a journal in SQLite, a row a record, and its snapshots as
// files beside it, so that writing one does not keep the writer waiting.
type Journal struct {
	database  *database
	append    *sql.Stmt
	snapshots string
}

// OpenJournal opens the journal at path; its snapshots are in the folder
// path + ".snapshots".
func OpenJournal(ctx context.Context, path string) (*Journal, error) {
	d, err := openDatabase(ctx, path, journalMigrations)
	if err != nil {
		return nil, err
	}
	j := &Journal{database: d, snapshots: path + ".snapshots"}
	if j.append, err = d.write.PrepareContext(ctx, `
		INSERT INTO records (seq, hash, body) SELECT ?1, ?2, ?3
		WHERE ?1 = 1 OR EXISTS (SELECT 1 FROM records WHERE seq = ?1 - 1)`); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	if err := os.MkdirAll(j.snapshots, 0o700); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	return j, nil
}

// Append implements journal.Store.
func (j *Journal) Append(ctx context.Context, record journal.Record) error {
	result, err := j.append.ExecContext(ctx, int64(record.Seq), record.Hash[:], record.Body)
	if isConflict(err) {
		return journal.ErrConflict
	}
	if err == nil {
		var rows int64
		if rows, err = result.RowsAffected(); err == nil && rows == 0 {
			err = errors.New("the record before it is not there")
		}
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
	rows, err := j.database.read.QueryContext(ctx, "SELECT seq, hash, body FROM records WHERE seq >= ? ORDER BY seq LIMIT ?", int64(from), limit)
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

const snapshotSuffix = ".state"

func (j *Journal) snapshotPath(seq uint64) string {
	return filepath.Join(j.snapshots, fmt.Sprintf("%020d%s", seq, snapshotSuffix))
}

// SaveSnapshot implements journal.Store.
func (j *Journal) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	j.dropUnfinished()
	file, err := os.CreateTemp(j.snapshots, "unfinished-*")
	if err != nil {
		return fmt.Errorf("saving the snapshot at record %d: %w", seq, err)
	}
	defer os.Remove(file.Name()) // does nothing once it has its name
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), j.snapshotPath(seq))
	}
	if err == nil {
		err = syncFolder(j.snapshots)
	}
	if err != nil {
		return fmt.Errorf("saving the snapshot at record %d: %w", seq, err)
	}
	return j.dropOldSnapshots(ctx)
}

// dropUnfinished removes what a crash has left of snapshots; one is written at
// a time. A leftover costs space only, so that failing to remove it is no fault.
func (j *Journal) dropUnfinished() {
	leftovers, _ := filepath.Glob(filepath.Join(j.snapshots, "unfinished-*"))
	for _, path := range leftovers {
		os.Remove(path)
	}
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (j *Journal) dropOldSnapshots(ctx context.Context) error {
	seqs, err := j.Snapshots(ctx)
	if err != nil {
		return err
	}
	for _, seq := range seqs[min(2, len(seqs)):] {
		if err := j.DropSnapshot(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// DropSnapshot implements journal.Store.
func (j *Journal) DropSnapshot(_ context.Context, seq uint64) error {
	if err := os.Remove(j.snapshotPath(seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dropping the snapshot at record %d: %w", seq, err)
	}
	return nil
}

// Snapshots implements journal.Store.
func (j *Journal) Snapshots(context.Context) ([]uint64, error) {
	entries, err := os.ReadDir(j.snapshots)
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w", err)
	}
	var seqs []uint64
	for _, entry := range entries {
		if name, isSnapshot := strings.CutSuffix(entry.Name(), snapshotSuffix); isSnapshot {
			if seq, err := strconv.ParseUint(name, 10, 64); err == nil {
				seqs = append(seqs, seq)
			}
		}
	}
	slices.Sort(seqs)
	slices.Reverse(seqs)
	return seqs, nil
}

// OpenSnapshot implements journal.Store.
func (j *Journal) OpenSnapshot(_ context.Context, seq uint64) (io.ReadCloser, error) {
	return os.Open(j.snapshotPath(seq))
}

// Close closes the journal.
func (j *Journal) Close() error { return j.database.Close() }
