package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/attentionbank/attentionbank/history"
)

// Tables that grow without bound are ordered by account, person or reference,
// and filled in runs of that order: a row a page would cost a page write each.
// They have no second index for the same reason; what belongs to a transaction
// is read from its facts.
var historyMigrations = []string{
	`CREATE TABLE cursor (
		one     INTEGER PRIMARY KEY CHECK (one = 1),
		seq     INTEGER NOT NULL,
		time_ms INTEGER NOT NULL,
		hash    BLOB NOT NULL
	);
	CREATE TABLE records (
		seq     INTEGER PRIMARY KEY,
		time_ms INTEGER NOT NULL
	);
	CREATE INDEX records_by_time ON records (time_ms);
	CREATE TABLE transactions (
		seq       INTEGER NOT NULL,
		idx       INTEGER NOT NULL,
		time_ms   INTEGER NOT NULL,
		kind      TEXT NOT NULL,
		reference TEXT NOT NULL,
		answer    BLOB NOT NULL,
		PRIMARY KEY (seq, idx)
	) WITHOUT ROWID;
	CREATE TABLE reference (
		text TEXT NOT NULL,
		seq  INTEGER NOT NULL,
		idx  INTEGER NOT NULL,
		PRIMARY KEY (text, seq, idx)
	) WITHOUT ROWID;
	CREATE TABLE postings (
		account INTEGER NOT NULL,
		seq     INTEGER NOT NULL,
		idx     INTEGER NOT NULL,
		n       INTEGER NOT NULL,
		other   INTEGER NOT NULL,
		amount  INTEGER NOT NULL,
		balance INTEGER NOT NULL,
		PRIMARY KEY (account, seq, idx, n)
	) WITHOUT ROWID;
	CREATE TABLE accounts (
		number     INTEGER PRIMARY KEY,
		owner_kind INTEGER NOT NULL,
		owner      INTEGER NOT NULL,
		asset      INTEGER NOT NULL,
		purpose    INTEGER NOT NULL,
		sub        INTEGER NOT NULL,
		seq        INTEGER NOT NULL
	);
	CREATE INDEX accounts_by_owner ON accounts (owner_kind, owner);
	CREATE TABLE holds (
		number      INTEGER PRIMARY KEY,
		account     INTEGER NOT NULL,
		beneficiary INTEGER NOT NULL,
		amount      INTEGER NOT NULL,
		remaining   INTEGER NOT NULL,
		expires_ms  INTEGER NOT NULL,
		hold_group  BLOB NOT NULL,
		reference   TEXT NOT NULL,
		seq         INTEGER NOT NULL,
		idx         INTEGER NOT NULL,
		placed_ms   INTEGER NOT NULL,
		settled     INTEGER NOT NULL,
		released    INTEGER NOT NULL,
		expired     INTEGER NOT NULL,
		ended_ms    INTEGER NOT NULL
	);
	CREATE INDEX holds_by_account ON holds (account, seq, idx);
	CREATE TABLE mints (
		person      INTEGER NOT NULL,
		day         INTEGER NOT NULL,
		world       INTEGER NOT NULL,
		revision    INTEGER NOT NULL,
		cumulative  INTEGER NOT NULL,
		delta       INTEGER NOT NULL,
		receivable  INTEGER NOT NULL,
		epoch       INTEGER NOT NULL,
		policy      INTEGER NOT NULL,
		commitment  BLOB NOT NULL,
		seq         INTEGER NOT NULL,
		idx         INTEGER NOT NULL,
		time_ms     INTEGER NOT NULL,
		PRIMARY KEY (person, day, world, revision)
	) WITHOUT ROWID;
	CREATE TABLE payments (
		person  INTEGER NOT NULL,
		epoch   INTEGER NOT NULL,
		world   INTEGER NOT NULL,
		points  INTEGER NOT NULL,
		time    INTEGER NOT NULL,
		seq     INTEGER NOT NULL,
		idx     INTEGER NOT NULL,
		time_ms INTEGER NOT NULL,
		PRIMARY KEY (person, epoch, world)
	) WITHOUT ROWID;
	CREATE TABLE epochs (
		number    INTEGER PRIMARY KEY,
		start_ms  INTEGER NOT NULL,
		end_ms    INTEGER NOT NULL,
		accounts  INTEGER NOT NULL,
		issued    INTEGER NOT NULL,
		treasury  INTEGER NOT NULL,
		closed_ms INTEGER NOT NULL
	)`,
	`CREATE TABLE acts (
		seq        INTEGER NOT NULL,
		idx        INTEGER NOT NULL,
		time_ms    INTEGER NOT NULL,
		operator   INTEGER NOT NULL,
		credential BLOB NOT NULL,
		operation  TEXT NOT NULL,
		target     TEXT NOT NULL,
		before     TEXT NOT NULL,
		after      TEXT NOT NULL,
		refusal    INTEGER NOT NULL,
		PRIMARY KEY (seq, idx)
	) WITHOUT ROWID`,
	`CREATE TABLE trades (
		market   INTEGER NOT NULL,
		seq      INTEGER NOT NULL,
		idx      INTEGER NOT NULL,
		n        INTEGER NOT NULL,
		time_ms  INTEGER NOT NULL,
		price    INTEGER NOT NULL,
		quantity INTEGER NOT NULL,
		taker    INTEGER NOT NULL,
		in_call  BOOLEAN NOT NULL,
		PRIMARY KEY (market, seq, idx, n)
	) WITHOUT ROWID;
	CREATE TABLE fills (
		person   INTEGER NOT NULL,
		seq      INTEGER NOT NULL,
		idx      INTEGER NOT NULL,
		n        INTEGER NOT NULL,
		time_ms  INTEGER NOT NULL,
		market   INTEGER NOT NULL,
		number   INTEGER NOT NULL,
		side     INTEGER NOT NULL,
		role     INTEGER NOT NULL,
		price    INTEGER NOT NULL,
		quantity INTEGER NOT NULL,
		notional INTEGER NOT NULL,
		fee      INTEGER NOT NULL,
		PRIMARY KEY (person, seq, idx, n)
	) WITHOUT ROWID;
	CREATE TABLE candles (
		market   INTEGER NOT NULL,
		minutes  INTEGER NOT NULL,
		start_ms INTEGER NOT NULL,
		open     INTEGER NOT NULL,
		high     INTEGER NOT NULL,
		low      INTEGER NOT NULL,
		close    INTEGER NOT NULL,
		volume   INTEGER NOT NULL,
		trades   INTEGER NOT NULL,
		PRIMARY KEY (market, minutes, start_ms)
	) WITHOUT ROWID`,
	`CREATE TABLE affairs (
		topic  INTEGER NOT NULL,
		number INTEGER NOT NULL,
		seq    INTEGER NOT NULL,
		idx    INTEGER NOT NULL,
		PRIMARY KEY (topic, number, seq, idx)
	) WITHOUT ROWID;
	` + clearing(historyTables[:len(historyTables)-2]), // which is made again, with the new table
	`CREATE TABLE orders (
		person     INTEGER NOT NULL,
		market     INTEGER NOT NULL,
		newest     INTEGER NOT NULL, -- 2^63 - 1 - number: ascends from the newest on
		seq        INTEGER NOT NULL,
		idx        INTEGER NOT NULL,
		placed_ms  INTEGER NOT NULL,
		side       INTEGER NOT NULL,
		kind       INTEGER NOT NULL,
		post_only  BOOLEAN NOT NULL,
		expires_ms INTEGER NOT NULL,
		price      INTEGER NOT NULL,
		quantity   INTEGER NOT NULL,
		filled     INTEGER NOT NULL,
		notional   INTEGER NOT NULL,
		fee        INTEGER NOT NULL,
		status     INTEGER NOT NULL,
		reason     INTEGER NOT NULL,
		ended_ms   INTEGER NOT NULL,
		PRIMARY KEY (person, market, newest)
	) WITHOUT ROWID;
	` + clearing(historyTables[:len(historyTables)-1]),
}

// historyTables are all of them, the cursor first.
var historyTables = []string{"cursor", "records", "transactions", "reference", "postings", "accounts", "holds", "mints", "payments", "epochs", "acts", "trades", "fills", "candles", "affairs", "orders"}

func clearing(tables []string) string {
	return "DELETE FROM " + strings.Join(tables, "; DELETE FROM ")
}

// History keeps what history makes of the journal.
type History struct{ database *database }

// OpenHistory opens the history at a place, the path of a file or the URL of a
// PostgreSQL database, making it if it is not there. Its
// writes survive a crash in whole or not at all, but the last ones may be lost
// with the power: they are made again from the journal.
func OpenHistory(ctx context.Context, place string) (*History, error) {
	return openHistory(ctx, place, historySettings)
}

// OpenEncryptedHistory does the same with a file whose pages are encrypted by a
// key. A file that is in clear, or under another key, is ErrOtherKey. In
// PostgreSQL the tables are in clear: there it is the server's to encrypt.
func OpenEncryptedHistory(ctx context.Context, place string, key [32]byte) (h *History, err error) {
	s := historySettings
	if s.vfs, err = encryptedVFS(key); err != nil {
		return nil, fmt.Errorf("opening the history: %w", err)
	}
	if h, err = openHistory(ctx, place, s); err != nil && isNoDatabase(err) {
		err = fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	return h, err
}

// ErrOtherKey: the file of a history was not written under the key.
var ErrOtherKey = errors.New("the file is not encrypted by this key")

var historySettings = settings{name: "history", migrations: historyMigrations, pragmas: []string{"cache_size(-65536)"}, rebuildable: true}

func openHistory(ctx context.Context, place string, s settings) (*History, error) {
	d, err := openDatabase(ctx, place, s)
	if err != nil {
		return nil, err
	}
	return &History{database: d}, nil
}

// DropHistory removes the file of a history that nobody has open; it is made
// again from the journal.
func DropHistory(place string) error {
	var faults []error
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(place + suffix); !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// Close closes the database.
func (h *History) Close() error { return h.database.Close() }

// Cursor implements history.Store.
func (h *History) Cursor(ctx context.Context) (history.Cursor, error) {
	cursor, err := readCursor(ctx, h.database.read)
	if err != nil {
		return history.Cursor{}, fmt.Errorf("reading the cursor: %w", err)
	}
	return cursor, nil
}

func readCursor(ctx context.Context, from interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (cursor history.Cursor, err error) {
	var hash []byte
	err = from.QueryRowContext(ctx, "SELECT seq, time_ms, hash FROM cursor").Scan(&cursor.Seq, &cursor.TimeMS, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return history.Cursor{}, nil
	}
	if err == nil && len(hash) != len(cursor.Hash) {
		err = fmt.Errorf("a hash of %d bytes", len(hash))
	}
	if err != nil {
		return history.Cursor{}, err
	}
	cursor.Hash = [32]byte(hash)
	return cursor, nil
}

// Apply implements history.Store.
func (h *History) Apply(ctx context.Context, after uint64, chunk *history.Chunk) error {
	return h.database.transact(ctx, func(tx *transaction) error {
		cursor, err := readCursor(ctx, tx)
		if err != nil {
			return fmt.Errorf("reading the cursor: %w", err)
		}
		if cursor.Seq != after {
			return fmt.Errorf("%w: the cursor is at %d, not %d", history.ErrBehind, cursor.Seq, after)
		}
		for _, write := range []func(context.Context, *transaction, *history.Chunk) error{
			writeTransactions, writePostings, writeAccounts, writeHolds, writeMints, writeEpochs, writeActs,
			writeTrades, writeAffairs, writeOrders,
		} {
			if err := write(ctx, tx, chunk); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO cursor (one, seq, time_ms, hash) VALUES (1, $1, $2, $3)
			ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, time_ms = excluded.time_ms, hash = excluded.hash`,
			int64(chunk.Cursor.Seq), chunk.Cursor.TimeMS, chunk.Cursor.Hash[:])
		return err
	})
}

// Clear implements history.Store.
func (h *History) Clear(ctx context.Context) error {
	return h.database.transact(ctx, func(tx *transaction) error {
		if _, err := tx.ExecContext(ctx, clearing(historyTables)); err != nil {
			return fmt.Errorf("clearing the history: %w", err)
		}
		return nil
	})
}
