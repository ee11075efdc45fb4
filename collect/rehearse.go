package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/score"
)

// Rehearsal is which days are scored anew, and of what.
type Rehearsal struct {
	World uint32
	// FromDay to UntilDay, both included, in days since 1970-01-01.
	FromDay, UntilDay int32
	// LeadDays are folded before FromDay, for spend whose refund window ends
	// within the days: as many as the longest window has.
	LeadDays int
	Policies Policies
	// Progress is told the batches that were read.
	Progress func(seq uint64)
}

// Rehearsed is what a person's day would have earned in the world.
type Rehearsed struct {
	Person [16]byte
	Day    int32
	Award  score.Award
}

// Rehearse folds the log anew by other policies and returns what each day of
// each person would have earned, by person and day. Nothing that is kept is
// touched. Verdicts stay as they were reached; who was erased is left out. It
// takes about 2 KiB of memory for a person and day.
func Rehearse(ctx context.Context, log Log, subjects Subjects, r Rehearsal) ([]Rehearsed, error) {
	const dayMS = 24 * 60 * 60 * 1000
	c := &Collector{log: log, subjects: subjects, policies: r.Policies}
	c.fold = newFold(c)
	f := &c.fold
	first, err := log.FirstSince(ctx, -1<<63)
	if err != nil {
		return nil, fmt.Errorf("finding the first batch: %w", err)
	}
	sinceMS := (int64(r.FromDay) - int64(r.LeadDays)) * dayMS
	for batch, err := range log.Load(ctx, first) {
		if err != nil {
			return nil, err
		}
		r.Progress(batch.Seq)
		if err := f.rehearse(ctx, batch, batch.ReceivedMS >= sinceMS); err != nil {
			return nil, err
		}
		f.seq, f.receivedMS = batch.Seq, batch.ReceivedMS
	}
	f.receivedMS = max(f.receivedMS, (int64(r.UntilDay)+1)*dayMS-1)
	for subject, who := range f.people.unsaved {
		if err := f.matureOf(ctx, subject, who); err != nil {
			return nil, err
		}
	}
	return f.rehearsed(ctx, r)
}

// rehearse folds a batch: all of it, or only who is whom, which lasts.
func (f *fold) rehearse(ctx context.Context, batch Batch, whole bool) error {
	for e, err := range batch.entries() {
		if err != nil {
			return err
		}
		if !whole && e.kind == eventEntry {
			continue
		}
		p, err := f.open(ctx, e)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return fmt.Errorf("an entry of batch %d: %w", batch.Seq, err)
		}
		if err := f.add(ctx, batch.Seq, batch.ReceivedMS, p); err != nil {
			return err
		}
	}
	return nil
}

// rehearsed scores the days of the world.
func (f *fold) rehearsed(ctx context.Context, r Rehearsal) (list []Rehearsed, err error) {
	for subject, who := range f.people.unsaved {
		var person [16]byte
		for number, d := range who.days {
			if number < r.FromDay || number > r.UntilDay || !slices.Contains(d.Worlds(), r.World) {
				continue
			}
			if person == ([16]byte{}) {
				if person, err = f.c.subjects.Person(ctx, subject); errors.Is(err, ErrErased) {
					break
				} else if err != nil {
					return nil, fmt.Errorf("finding a person: %w", err)
				}
			}
			policy, _ := r.Policies(r.World, number, d.world(r.World).policyVersion)
			list = append(list, Rehearsed{person, number, d.Score(r.World, policy)})
		}
	}
	slices.SortFunc(list, func(a, b Rehearsed) int {
		return cmp.Or(slices.Compare(a.Person[:], b.Person[:]), cmp.Compare(a.Day, b.Day))
	})
	return list, nil
}
