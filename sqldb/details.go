package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/identity"
)

// What is sealed of details stands in a table that only grows at its end, for
// the reason said at identityMigrations: a detail that was replaced is
// overwritten there by zeros, and its successor gets a row of its own.
const detailMigration = `CREATE TABLE details (
		subject  INTEGER NOT NULL,
		name     TEXT NOT NULL,
		revision INTEGER NOT NULL,
		place    INTEGER NOT NULL,
		PRIMARY KEY (subject, name)
	);
	CREATE INDEX details_by_name ON details (name, subject);
	CREATE TABLE detail_secrets (
		place  INTEGER PRIMARY KEY,
		sealed BLOB NOT NULL
	)`

const selectDetails = "SELECT subject, name, revision, sealed FROM details JOIN detail_secrets USING (place)"

// SetDetail implements identity.Store.
func (i *Identity) SetDetail(ctx context.Context, detail identity.Detail) error {
	err := i.database.transact(ctx, func(tx *transaction) error {
		var revision, place int64
		err := tx.QueryRowContext(ctx, "SELECT revision, place FROM details WHERE subject = $1 AND name = $2", int64(detail.Subject), detail.Name).Scan(&revision, &place)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if uint64(revision)+1 != detail.Revision {
			return identity.ErrTaken
		}
		if err == nil {
			if err := zeroDetail(ctx, tx, place); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(place), 0) + 1 FROM detail_secrets").Scan(&place); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO detail_secrets (place, sealed) VALUES ($1, $2)", place, blob(detail.Sealed)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO details (subject, name, revision, place) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subject, name) DO UPDATE SET revision = excluded.revision, place = excluded.place`,
			int64(detail.Subject), detail.Name, int64(detail.Revision), place)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping detail %s of subject %d: %w", detail.Name, detail.Subject, err)
	}
	return nil
}

// zeroDetail overwrites what is sealed at a place by zeros of the same length.
func zeroDetail(ctx context.Context, tx *transaction, place int64) error {
	var length int
	if err := tx.QueryRowContext(ctx, "SELECT length(sealed) FROM detail_secrets WHERE place = $1", place).Scan(&length); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE detail_secrets SET sealed = $1 WHERE place = $2", make([]byte, length), place)
	return err
}

// eraseDetails overwrites what is sealed of a subject's details, and drops
// that there were any.
func eraseDetails(ctx context.Context, tx *transaction, subject int64) error {
	rows, err := tx.QueryContext(ctx, "SELECT place FROM details WHERE subject = $1", subject)
	if err != nil {
		return err
	}
	defer rows.Close()
	var places []int64
	for rows.Next() {
		var place int64
		if err := rows.Scan(&place); err != nil {
			return err
		}
		places = append(places, place)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, place := range places {
		if err := zeroDetail(ctx, tx, place); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM details WHERE subject = $1", subject)
	return err
}

func scanDetail(row interface{ Scan(...any) error }) (detail identity.Detail, err error) {
	err = row.Scan(&detail.Subject, &detail.Name, &detail.Revision, &detail.Sealed)
	if len(detail.Sealed) == 0 {
		detail.Sealed = nil
	}
	return detail, err
}

// Detail implements identity.Store.
func (i *Identity) Detail(ctx context.Context, subject uint64, name string) (identity.Detail, error) {
	detail, err := scanDetail(i.database.read.QueryRowContext(ctx, selectDetails+" WHERE subject = $1 AND name = $2", int64(subject), name))
	if err != nil {
		return identity.Detail{}, fmt.Errorf("reading detail %s of subject %d: %w", name, subject, notFound(err))
	}
	return detail, nil
}

// DetailsOf implements identity.Store.
func (i *Identity) DetailsOf(ctx context.Context, subject uint64) ([]identity.Detail, error) {
	return i.details(ctx, selectDetails+" WHERE subject = $1 ORDER BY name", int64(subject))
}

// DetailsNamed implements identity.Store.
func (i *Identity) DetailsNamed(ctx context.Context, name string, after uint64, limit int) ([]identity.Detail, error) {
	return i.details(ctx, selectDetails+" WHERE name = $1 AND subject > $2 ORDER BY subject LIMIT $3", name, int64(after), limit)
}

func (i *Identity) details(ctx context.Context, query string, arguments ...any) ([]identity.Detail, error) {
	rows, err := i.database.read.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, fmt.Errorf("reading details: %w", err)
	}
	defer rows.Close()
	var details []identity.Detail
	for rows.Next() {
		detail, err := scanDetail(rows)
		if err != nil {
			return nil, fmt.Errorf("reading details: %w", err)
		}
		details = append(details, detail)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading details: %w", err)
	}
	return details, nil
}
