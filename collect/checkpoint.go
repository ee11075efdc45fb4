package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/score"
)

// person returns what is folded of a subject, from the checkpoint if it is not
// in memory.
func (f *fold) person(ctx context.Context, subject uint64) (*person, error) {
	if p, found := f.people[subject]; found {
		return p, nil
	}
	p := newPerson()
	if f.stored {
		plain, err := f.part(ctx, subject, PersonPart)
		if err != nil {
			return nil, err
		}
		if plain != nil {
			if p, err = decodePerson(plain); err != nil {
				return nil, fmt.Errorf("reading subject %d: %w", subject, err)
			}
		}
	}
	f.people[subject] = p
	return p, nil
}

func (f *fold) day(ctx context.Context, subject uint64, who *person, number int32) (*day, error) {
	if d, found := who.days[number]; found {
		return d, nil
	}
	d := &day{}
	if f.stored {
		plain, err := f.part(ctx, subject, number)
		if err != nil {
			return nil, err
		}
		if plain != nil {
			if d, err = decodeDay(plain); err != nil {
				return nil, fmt.Errorf("reading day %d of subject %d: %w", number, subject, err)
			}
			d.unsure = d.dirty
		}
	}
	who.days[number] = d
	return d, nil
}

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

// checkpoint saves what has changed since the last one, and then drops from
// memory what is idle.
func (f *fold) checkpoint(ctx context.Context) error {
	var parts []Part
	put := func(subject uint64, number int32, dueMS int64, plain []byte) error {
		sealed, err := f.c.subjects.Seal(ctx, subject, nil, plain, partPlace(number))
		if errors.Is(err, ErrErased) {
			return nil
		}
		parts = append(parts, Part{Subject: subject, Day: number, DueMS: dueMS, Sealed: sealed})
		return err
	}
	for subject, p := range f.people {
		for number, d := range p.days {
			if !d.changed {
				continue
			}
			due := NeverDue
			if d.dirty {
				due = 0
			}
			if err := put(subject, number, due, d.appendTo(nil)); err != nil {
				return fmt.Errorf("sealing day %d of subject %d: %w", number, subject, err)
			}
			d.changed = false
		}
		if p.changed {
			if err := put(subject, PersonPart, p.nextDueMS(), p.appendTo(nil)); err != nil {
				return fmt.Errorf("sealing subject %d: %w", subject, err)
			}
			p.changed = false
		}
	}
	if err := f.c.checkpoints.Save(ctx, f.term, f.seq, parts); err != nil {
		return fmt.Errorf("saving the checkpoint at batch %d: %w", f.seq, err)
	}
	f.stored, f.sinceCheckpoint = true, 0
	f.forgetIdle()
	return nil
}

// forgetIdle drops from memory what the checkpoint holds and what is not
// likely to be needed soon: days before yesterday, and people without a day.
// They are read back when an event or a question comes. So memory holds the
// people of two days, however long the bank runs.
func (f *fold) forgetIdle() {
	today, _ := score.DayOf(f.c.now())
	for subject, p := range f.people {
		for number, d := range p.days {
			if number < today-1 && !d.dirty {
				delete(p.days, number)
			}
		}
		if _, dirty := f.dirty[subject]; len(p.days) == 0 && !dirty {
			delete(f.people, subject)
		}
	}
}
