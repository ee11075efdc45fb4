package sqldb

import (
	"context"
	"fmt"
	"iter"

	"github.com/attentionbank/attentionbank/identity"
)

const selectKeys = "SELECT id, hash, kind, world, subject, person, label, created_ms, revoked_ms, last_used_day FROM keys JOIN key_labels USING (number)"

func scanKey(row interface{ Scan(...any) error }) (key identity.Key, err error) {
	var hash, person, label []byte
	err = row.Scan(&key.ID, &hash, &key.Owner.Kind, &key.Owner.World, &key.Owner.Subject, &person,
		&label, &key.CreatedMS, &key.RevokedMS, &key.LastUsedDay)
	if err != nil {
		return key, err
	}
	if len(hash) != 32 || len(person) != 16 {
		return key, fmt.Errorf("key %q: a hash of %d bytes and a person id of %d, want 32 and 16", key.ID, len(hash), len(person))
	}
	key.Label = string(label)
	key.Hash, key.Owner.PersonID, key.Owner.KeyID = [32]byte(hash), [16]byte(person), key.ID
	return key, nil
}

// LiveKeys implements identity.Store.
func (i *Identity) LiveKeys(ctx context.Context) iter.Seq2[identity.Key, error] {
	return func(yield func(identity.Key, error) bool) {
		rows, err := i.database.read.QueryContext(ctx, selectKeys+" WHERE revoked_ms = 0")
		if err != nil {
			yield(identity.Key{}, fmt.Errorf("reading keys: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			key, err := scanKey(rows)
			if err != nil {
				err = fmt.Errorf("reading keys: %w", err)
			}
			if !yield(key, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(identity.Key{}, fmt.Errorf("reading keys: %w", err))
		}
	}
}

// KeysOf implements identity.Store.
func (i *Identity) KeysOf(ctx context.Context, owner identity.Principal) ([]identity.Key, error) {
	rows, err := i.database.read.QueryContext(ctx,
		selectKeys+" WHERE kind = $1 AND world = $2 AND subject = $3 AND person = $4 ORDER BY number",
		owner.Kind, owner.World, int64(owner.Subject), owner.PersonID[:])
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	defer rows.Close()
	var keys []identity.Key
	for rows.Next() {
		key, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("reading keys: %w", err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	return keys, nil
}

// Key implements identity.Store.
func (i *Identity) Key(ctx context.Context, id string) (identity.Key, error) {
	key, err := scanKey(i.database.read.QueryRowContext(ctx, selectKeys+" WHERE id = $1", id))
	if err != nil {
		return identity.Key{}, fmt.Errorf("reading key %q: %w", id, notFound(err))
	}
	return key, nil
}

// AddKey implements identity.Store.
func (i *Identity) AddKey(ctx context.Context, key identity.Key) error {
	err := i.database.transact(ctx, func(tx *transaction) error { return addKey(ctx, tx, key) })
	if err != nil {
		return fmt.Errorf("adding key %q: %w", key.ID, err)
	}
	return nil
}

// addKey gives a key the number after every number that ever had a label, so
// that a label is never written in the middle of its table.
func addKey(ctx context.Context, tx *transaction, key identity.Key) error {
	var number int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) + 1 FROM key_labels").Scan(&number); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx,
		`INSERT INTO keys (number, id, hash, kind, world, subject, person, created_ms, revoked_ms, last_used_day)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		number, key.ID, key.Hash[:], key.Owner.Kind, key.Owner.World, int64(key.Owner.Subject), key.Owner.PersonID[:],
		key.CreatedMS, key.RevokedMS, key.LastUsedDay)
	if err != nil {
		return taken(err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO key_labels (number, label) VALUES ($1, $2)", number, []byte(key.Label))
	return err
}

// RevokeKey implements identity.Store.
func (i *Identity) RevokeKey(ctx context.Context, id string, revokedMS int64) error {
	result, err := i.database.write.ExecContext(ctx,
		"UPDATE keys SET revoked_ms = CASE revoked_ms WHEN 0 THEN $1 ELSE revoked_ms END WHERE id = $2", revokedMS, id)
	if err = changedOne(result, err); err != nil {
		return fmt.Errorf("revoking key %q: %w", id, err)
	}
	return nil
}

// MarkUsed implements identity.Store.
func (i *Identity) MarkUsed(ctx context.Context, day int32, ids []string) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		statements, err := prepareAll(ctx, tx, "UPDATE keys SET last_used_day = $1 WHERE id = $2")
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := statements[0].ExecContext(ctx, day, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("marking keys as used: %w", err)
	}
	return nil
}

// SaveTicket implements identity.Store.
func (i *Identity) SaveTicket(ctx context.Context, ticket identity.Ticket, expiredMS int64) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM tickets WHERE expires_ms <= $1 OR (kind = $2 AND subject = $3)",
			expiredMS, ticket.Kind, int64(ticket.Subject))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO tickets (hash, kind, subject, expires_ms) VALUES ($1, $2, $3, $4)",
			ticket.Hash[:], ticket.Kind, int64(ticket.Subject), ticket.ExpiresMS)
		return err
	})
	if err != nil {
		return fmt.Errorf("saving a ticket: %w", err)
	}
	return nil
}

// Ticket implements identity.Store.
func (i *Identity) Ticket(ctx context.Context, hash [32]byte) (identity.Ticket, error) {
	ticket := identity.Ticket{Hash: hash}
	err := i.database.read.QueryRowContext(ctx, "SELECT kind, subject, expires_ms FROM tickets WHERE hash = $1", hash[:]).
		Scan(&ticket.Kind, &ticket.Subject, &ticket.ExpiresMS)
	if err != nil {
		return identity.Ticket{}, fmt.Errorf("reading a ticket: %w", notFound(err))
	}
	return ticket, nil
}

// RedeemTicket implements identity.Store.
func (i *Identity) RedeemTicket(ctx context.Context, hash [32]byte, key identity.Key) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM tickets WHERE hash = $1", hash[:])
		if err := changedOne(result, err); err != nil {
			return err
		}
		return addKey(ctx, tx, key)
	})
	if err != nil {
		return fmt.Errorf("redeeming a ticket: %w", err)
	}
	return nil
}
