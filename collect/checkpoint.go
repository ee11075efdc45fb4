package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// part reads and opens a part; nil if there is none or its subject was erased.
func (f *fold) part(ctx context.Context, subject uint64, number int32) ([]byte, error) {
	sealed, err := f.c.checkpoints.Part(ctx, subject, number)
	if err != nil || sealed == nil {
		return nil, err
	}
	plain, err := f.c.subjects.Open(ctx, nil, sealed, partPlace(number))
	if errors.Is(err, ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening a part of subject %d: %w", subject, err)
	}
	return plain, nil
}

func partPlace(number int32) []byte {
	return binary.LittleEndian.AppendUint32([]byte("part"), uint32(number))
}

// checkpoint saves what has changed since the last one, after which it may
// leave memory.
func (f *fold) checkpoint(ctx context.Context) error {
	var parts []Part
	put := func(subject uint64, number int32, dueMS int64, plain []byte, marks []Mark) error {
		sealed, err := f.c.subjects.Seal(ctx, subject, nil, plain, partPlace(number))
		if errors.Is(err, ErrErased) {
			return nil
		}
		parts = append(parts, Part{Subject: subject, Day: number, DueMS: dueMS, Sealed: sealed, Marks: marks})
		return err
	}
	for subject, p := range f.people.unsaved {
		for number, d := range p.days {
			if !d.changed {
				continue
			}
			due := NeverDue
			if d.dirty {
				due = 0
			}
			if err := put(subject, number, due, d.appendTo(nil), d.marks[d.savedMarks:]); err != nil {
				return fmt.Errorf("sealing day %d of subject %d: %w", number, subject, err)
			}
		}
		if p.changed {
			if err := put(subject, PersonPart, p.nextDueMS(), p.appendTo(nil), nil); err != nil {
				return fmt.Errorf("sealing subject %d: %w", subject, err)
			}
		}
	}
	if err := f.c.checkpoints.Save(ctx, f.term, f.seq, parts, f.newPlaces()); err != nil {
		return fmt.Errorf("saving the checkpoint at batch %d: %w", f.seq, err)
	}
	f.stored, f.sinceCheckpoint, f.checkpointed = true, 0, f.seq
	for _, p := range f.people.unsaved {
		p.saved()
	}
	clear(f.people.unsaved)
	clear(f.fresh)
	clear(f.places)
	return f.age(ctx)
}
