package strongroom

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/attentionbank/attentionbank/collect"
)

// Events is a collect.Log, collect.Checkpoints and collect.Purges whose batches and parts
// others keep encrypted. What is personal in them is encrypted already, under
// the keys of its subjects; this hides the rest: who was where, when, with
// which verdict. What is there from before there was a key is read as it is.
//
// The place of a batch is its sequence and time of arrival, so a store cannot
// give it another time; that of a part is its subject and day.
type Events struct {
	log collect.Log
	collect.Checkpoints
	purges collect.Purges
	ring   *Keyring
}

// EventStore is what keeps events.
type EventStore interface {
	collect.Log
	collect.Checkpoints
	collect.Purges
}

// NewEvents returns the events that a store keeps for the holder of the keys.
func NewEvents(store EventStore, ring *Keyring) *Events {
	return &Events{store, store, store, ring}
}

func batchPlace(b collect.Batch) []byte {
	return binary.LittleEndian.AppendUint64(numberPlace(b.Seq), uint64(b.ReceivedMS))
}

func partPlace(subject uint64, day int32) []byte {
	return binary.LittleEndian.AppendUint32(numberPlace(subject), uint32(day))
}

// Append implements collect.Log.
func (e *Events) Append(ctx context.Context, batch collect.Batch) error {
	batch, err := e.encrypted(batch)
	if err != nil {
		return err
	}
	return e.log.Append(ctx, batch)
}

func (e *Events) encrypted(batch collect.Batch) (collect.Batch, error) {
	if !e.ring.Encrypts() {
		return batch, nil
	}
	var err error
	if batch.Body, err = e.ring.encrypt(nil, batchKind, batchPlace(batch), batch.Body); err != nil {
		return batch, fmt.Errorf("encrypting batch %d: %w", batch.Seq, err)
	}
	return batch, nil
}

// Purged implements collect.Purges.
func (e *Events) Purged(ctx context.Context) (map[uint32]uint64, error) { return e.purges.Purged(ctx) }

// Purge implements collect.Purges. A batch from before there was a key stays
// without one, since those behind it may be so too.
func (e *Events) Purge(ctx context.Context, term uint64, step collect.Purged) error {
	step.Batches = slices.Clone(step.Batches)
	for i, batch := range step.Batches {
		encrypts, err := e.isEncrypted(ctx, batch.Seq)
		if err != nil {
			return err
		}
		if !encrypts {
			continue
		}
		if step.Batches[i], err = e.encrypted(batch); err != nil {
			return err
		}
	}
	return e.purges.Purge(ctx, term, step)
}

func (e *Events) isEncrypted(ctx context.Context, seq uint64) (bool, error) {
	for kept, err := range e.log.Load(ctx, seq) {
		return err == nil && isBlock(kept.Body), err
	}
	return false, fmt.Errorf("purging batch %d, which is not there", seq)
}

// Load implements collect.Log.
func (e *Events) Load(ctx context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return func(yield func(collect.Batch, error) bool) {
		encrypted := false
		for batch, err := range e.log.Load(ctx, from) {
			switch {
			case err != nil:
			case isBlock(batch.Body):
				encrypted = true
				if batch.Body, err = e.ring.decrypt(batch.Body, batchKind, batchPlace(batch)); err != nil {
					err = fmt.Errorf("decrypting batch %d of the events: %w", batch.Seq, damagedEvents(err))
				}
			case encrypted:
				err = fmt.Errorf("%w: batch %d is not encrypted, and one before it is", collect.ErrDamaged, batch.Seq)
			}
			if err != nil {
				yield(collect.Batch{}, err)
				return
			}
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// damagedEvents says of bytes that are not what was written what the log would.
func damagedEvents(err error) error {
	if errors.Is(err, ErrBroken) {
		return fmt.Errorf("%w: %w", collect.ErrDamaged, err)
	}
	return err
}

// FirstSince implements collect.Log.
func (e *Events) FirstSince(ctx context.Context, receivedMS int64) (uint64, error) {
	return e.log.FirstSince(ctx, receivedMS)
}

// Save implements collect.Checkpoints.
func (e *Events) Save(ctx context.Context, term, seq uint64, parts []collect.Part, places []collect.Place) error {
	if !e.ring.Encrypts() {
		return e.Checkpoints.Save(ctx, term, seq, parts, places)
	}
	encrypted := make([]collect.Part, len(parts))
	for i, part := range parts {
		encrypted[i] = part
		var err error
		if encrypted[i].Sealed, err = e.ring.encrypt(nil, partKind, partPlace(part.Subject, part.Day), part.Sealed); err != nil {
			return fmt.Errorf("encrypting a part of subject %d: %w", part.Subject, err)
		}
	}
	return e.Checkpoints.Save(ctx, term, seq, encrypted, places)
}

// Part implements collect.Checkpoints.
func (e *Events) Part(ctx context.Context, subject uint64, day int32) ([]byte, error) {
	part, err := e.Checkpoints.Part(ctx, subject, day)
	if err != nil || !isBlock(part) {
		return part, err
	}
	if part, err = e.ring.decrypt(part, partKind, partPlace(subject, day)); err != nil {
		return nil, fmt.Errorf("decrypting a part of subject %d: %w", subject, damagedEvents(err))
	}
	return part, nil
}

// Close closes the store, if it can be closed.
func (e *Events) Close() error { return closeStore(e.log) }
