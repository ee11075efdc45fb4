package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/identity"
)

// TokenKeys implements identity.Store.
func (i *Identity) TokenKeys(ctx context.Context, world uint32) (keys []byte, err error) {
	err = i.database.read.QueryRowContext(ctx, "SELECT keys FROM token_keys WHERE world = $1", world).Scan(&keys)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading token keys: %w", err)
	}
	return keys, nil
}

// SetTokenKeys implements identity.Store.
func (i *Identity) SetTokenKeys(ctx context.Context, world uint32, keys []byte) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO token_keys (world, keys) VALUES ($1, $2) ON CONFLICT (world) DO UPDATE SET keys = excluded.keys", world, blob(keys))
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping token keys: %w", err)
	}
	return nil
}

// SpendTokens implements identity.Store.
func (i *Identity) SpendTokens(ctx context.Context, tokens []identity.SpentToken, nowMS int64) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM spent_tokens WHERE ends_ms <= $1", nowMS); err != nil {
			return err
		}
		for _, token := range tokens {
			_, err := tx.ExecContext(ctx, "INSERT INTO spent_tokens (hash, purpose, ends_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
				token.Hash[:], token.Purpose[:], token.EndsMS)
			if err != nil {
				return err
			}
			var purpose []byte
			if err := tx.QueryRowContext(ctx, "SELECT purpose FROM spent_tokens WHERE hash = $1", token.Hash[:]).Scan(&purpose); err != nil {
				return err
			}
			if !bytes.Equal(purpose, token.Purpose[:]) {
				return identity.ErrTaken
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("using up tokens: %w", err)
	}
	return nil
}

// AddLink implements identity.Store.
func (i *Identity) AddLink(ctx context.Context, link identity.Link) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO links (number, member, head, from_day, until_day)
			SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4 FROM links`, int64(link.Member), int64(link.Head), link.FromDay, link.UntilDay)
		return err
	})
	if err != nil {
		return fmt.Errorf("adding a link: %w", err)
	}
	return nil
}

// EndLink implements identity.Store.
func (i *Identity) EndLink(ctx context.Context, member uint64, untilDay int32) error {
	result, err := i.database.write.ExecContext(ctx, "UPDATE links SET until_day = $1 WHERE member = $2 AND until_day > $1", untilDay, int64(member))
	if err = changedOne(result, err); err != nil {
		return fmt.Errorf("ending a link: %w", err)
	}
	return nil
}

// LinksOf implements identity.Store.
func (i *Identity) LinksOf(ctx context.Context, subject uint64) (links []identity.Link, err error) {
	rows, err := i.database.read.QueryContext(ctx, "SELECT member, head, from_day, until_day FROM links WHERE member = $1 OR head = $1 ORDER BY number", int64(subject))
	if err != nil {
		return nil, fmt.Errorf("reading links: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var link identity.Link
		if err := rows.Scan(&link.Member, &link.Head, &link.FromDay, &link.UntilDay); err != nil {
			return nil, fmt.Errorf("reading links: %w", err)
		}
		links = append(links, link)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading links: %w", err)
	}
	return links, nil
}
