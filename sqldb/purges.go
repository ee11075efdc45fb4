package sqldb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/attentionbank/attentionbank/collect"
)

// Purged implements collect.Purges.
func (e *Events) Purged(ctx context.Context) (through map[uint32]uint64, err error) {
	rows, err := e.log.read.QueryContext(ctx, "SELECT world, through FROM purged")
	if err != nil {
		return nil, fmt.Errorf("reading how far events were purged: %w", err)
	}
	defer rows.Close()
	through = map[uint32]uint64{}
	for rows.Next() {
		var world uint32
		var seq int64
		if err := rows.Scan(&world, &seq); err != nil {
			return nil, fmt.Errorf("reading how far events were purged: %w", err)
		}
		through[world] = uint64(seq)
	}
	return through, rows.Err()
}

// Purge implements collect.Purges.
func (e *Events) Purge(ctx context.Context, term uint64, step collect.Purged) error {
	return e.log.transact(ctx, func(tx *transaction) error {
		// It changes nothing, but holds a later term back until this is done.
		held, err := tx.ExecContext(ctx, "UPDATE checkpoint SET term = term WHERE term = $1", int64(term))
		if err != nil {
			return err
		}
		if rows, err := held.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(err, collect.ErrConflict)
		}
		for _, batch := range step.Batches {
			put, err := tx.ExecContext(ctx, "UPDATE batches SET body = $1 WHERE seq = $2", batch.Body, int64(batch.Seq))
			if err != nil {
				return err
			}
			if rows, err := put.RowsAffected(); err != nil || rows == 0 {
				return errors.Join(err, fmt.Errorf("purging batch %d, which is not there", batch.Seq))
			}
		}
		for _, gone := range step.Gone {
			if err := shortenPlaces(ctx, tx, gone); err != nil {
				return err
			}
		}
		worlds := slices.Sorted(maps.Keys(step.Through))
		return tx.put(ctx, bulk{
			table: "purged", columns: "world, through", rows: len(worlds),
			onConflict: " ON CONFLICT (world) DO UPDATE SET through = excluded.through",
			bind: func(values []any, i int) []any {
				return append(values, int64(worlds[i]), int64(step.Through[worlds[i]]))
			},
		})
	})
}

// shortenPlaces takes batches out of the places of a subject. Only those can have
// them that begin no later than the last, from the one on that begins no later
// than the first.
func shortenPlaces(ctx context.Context, tx *transaction, gone collect.Place) error {
	subject, last := int64(gone.Subject), int64(gone.Batches[len(gone.Batches)-1])
	places, err := placesUntil(ctx, tx, gone)
	if err != nil {
		return fmt.Errorf("finding the places of subject %d up to %d: %w", gone.Subject, last, err)
	}
	for _, place := range places {
		left := place.Without(gone.Batches)
		if len(left.Batches) == len(place.Batches) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM places WHERE subject = $1 AND first = $2", subject, int64(place.Batches[0])); err != nil {
			return err
		}
		if len(left.Batches) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO places (subject, first, batches) VALUES ($1, $2, $3)", subject, int64(left.Batches[0]), left.AppendTo(nil)); err != nil {
			return err
		}
	}
	return nil
}

func placesUntil(ctx context.Context, tx *transaction, gone collect.Place) (places []collect.Place, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT batches FROM places WHERE subject = $1 AND first <= $2
		AND first >= coalesce((SELECT max(first) FROM places WHERE subject = $1 AND first <= $3), 0)`,
		int64(gone.Subject), int64(gone.Batches[len(gone.Batches)-1]), int64(gone.Batches[0]))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var batches []byte
		if err := rows.Scan(&batches); err != nil {
			return nil, err
		}
		place, err := collect.DecodePlace(gone.Subject, batches)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, rows.Err()
}
