package sqldb

import (
	"context"
	"fmt"
	"iter"

	"github.com/attentionbank/attentionbank/collect"
)

var blocksSettings = settings{name: "ids", rebuildable: true, migrations: []string{
	`CREATE TABLE blocks (
		first_batch INTEGER NOT NULL,
		last_batch  INTEGER NOT NULL,
		hour        INTEGER NOT NULL,
		hours       INTEGER NOT NULL,
		entries     INTEGER NOT NULL,
		entry_pages INTEGER NOT NULL,
		pages       INTEGER NOT NULL,
		hash        BLOB NOT NULL,
		PRIMARY KEY (first_batch, last_batch)
	) WITHOUT ROWID;
	CREATE TABLE pages (
		first_batch INTEGER NOT NULL,
		last_batch  INTEGER NOT NULL,
		page        INTEGER NOT NULL,
		body        BLOB NOT NULL,
		PRIMARY KEY (first_batch, last_batch, page)
	)`,
}}

// Blocks keeps blocks of message ids, a row a page. What is lost of them with
// the power is made again from the log of events.
type Blocks struct{ database *database }

// OpenBlocks opens the blocks at a place, the path of a file or the URL of a
// PostgreSQL database, making it if it is not there.
func OpenBlocks(ctx context.Context, place string) (*Blocks, error) {
	d, err := openDatabase(ctx, place, blocksSettings)
	if err != nil {
		return nil, err
	}
	return &Blocks{d}, nil
}

// Close closes the database.
func (b *Blocks) Close() error { return b.database.Close() }

// Blocks implements collect.Blocks.
func (b *Blocks) Blocks(ctx context.Context) (infos []collect.BlockInfo, err error) {
	rows, err := b.database.read.QueryContext(ctx, `SELECT first_batch, last_batch, hour, hours, entries, entry_pages, pages, hash
		FROM blocks ORDER BY first_batch, last_batch DESC`)
	if err != nil {
		return nil, fmt.Errorf("listing blocks of message ids: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i collect.BlockInfo
		var hash []byte
		err := rows.Scan(&i.First, &i.Last, &i.Hour, &i.Hours, &i.Entries, &i.EntryPages, &i.Pages, &hash)
		if err == nil && copy(i.Hash[:], hash) != len(i.Hash) {
			err = fmt.Errorf("a hash of %d bytes", len(hash))
		}
		if err != nil {
			return nil, fmt.Errorf("listing blocks of message ids: %w", err)
		}
		infos = append(infos, i)
	}
	return infos, rows.Err()
}

// pagesPerInsert bounds what is in memory of a block that is being written.
const pagesPerInsert = 64

// PutBlock implements collect.Blocks.
func (b *Blocks) PutBlock(ctx context.Context, info collect.BlockInfo, pages iter.Seq2[[]byte, error]) error {
	err := b.database.transact(ctx, func(tx *transaction) error {
		if err := dropBlock(ctx, tx, info); err != nil {
			return err
		}
		var some [][]byte
		written := 0
		put := func() error {
			err := tx.insert(ctx, "pages", "first_batch, last_batch, page, body", len(some), func(values []any, i int) []any {
				return append(values, int64(info.First), int64(info.Last), written+i, some[i])
			})
			written, some = written+len(some), some[:0]
			return err
		}
		for page, err := range pages {
			if err != nil {
				return err
			}
			if some = append(some, append([]byte(nil), page...)); len(some) == pagesPerInsert {
				if err := put(); err != nil {
					return err
				}
			}
		}
		if err := put(); err != nil {
			return err
		}
		return tx.insert(ctx, "blocks", "first_batch, last_batch, hour, hours, entries, entry_pages, pages, hash", 1, func(values []any, _ int) []any {
			return append(values, int64(info.First), int64(info.Last), info.Hour, info.Hours, int64(info.Entries), info.EntryPages, info.Pages, info.Hash[:])
		})
	})
	if err != nil {
		return fmt.Errorf("keeping a block of %d message ids: %w", info.Entries, err)
	}
	return nil
}

func dropBlock(ctx context.Context, tx *transaction, info collect.BlockInfo) error {
	for _, table := range []string{"pages", "blocks"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE first_batch = $1 AND last_batch = $2", int64(info.First), int64(info.Last)); err != nil {
			return err
		}
	}
	return nil
}

// BlockPage implements collect.Blocks.
func (b *Blocks) BlockPage(ctx context.Context, info collect.BlockInfo, page int) (body []byte, err error) {
	err = b.database.read.QueryRowContext(ctx, "SELECT body FROM pages WHERE first_batch = $1 AND last_batch = $2 AND page = $3", int64(info.First), int64(info.Last), page).Scan(&body)
	if err != nil {
		return nil, fmt.Errorf("reading a page of message ids: %w", err)
	}
	return body, nil
}

// DropBlock implements collect.Blocks.
func (b *Blocks) DropBlock(ctx context.Context, info collect.BlockInfo) error {
	err := b.database.transact(ctx, func(tx *transaction) error { return dropBlock(ctx, tx, info) })
	if err != nil {
		return fmt.Errorf("dropping a block of message ids: %w", err)
	}
	return nil
}
