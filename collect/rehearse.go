package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/abuse"
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
	// MarkSecret keys what stands for devices.
	MarkSecret [32]byte
	// Purges and Checkpoints are of the same store. If it has dropped events, they
	// tell since when people are known and who is whom, as of the checkpoint.
	Purges      Purges
	Checkpoints Checkpoints
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
// touched. Verdicts stay as they were reached; who was erased is left out, and who
// has not consented to analytics; of events that their world no longer keeps
// nothing is known. It takes about 2 KiB of memory for a person and day.
func Rehearse(ctx context.Context, log Log, subjects Subjects, r Rehearsal) ([]Rehearsed, error) {
	f, err := foldAnew(ctx, log, subjects, r)
	if err != nil {
		return nil, err
	}
	return f.rehearsed(ctx, r)
}

// Reviewed is what review rules find of a person's day.
type Reviewed struct {
	Person [16]byte
	Day    int32
	abuse.Assessment
}

// RehearseReview does the same and looks at the days of all worlds by review
// rules. Of the days before, only who came at all is read.
func RehearseReview(ctx context.Context, log Log, subjects Subjects, r Rehearsal, rules *abuse.Rules) (list []Reviewed, err error) {
	f, err := foldAnew(ctx, log, subjects, r)
	if err != nil {
		return nil, err
	}
	pass := &review{counts: map[Mark]int64{}}
	for subject, who := range f.people.unsaved {
		for number, d := range who.days {
			if number < r.FromDay || number > r.UntilDay {
				continue
			}
			person, err := f.c.subjects.Person(ctx, subject)
			if errors.Is(err, ErrErased) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("finding a person: %w", err)
			}
			company, err := f.company(ctx, pass, d)
			if err != nil {
				return nil, err
			}
			list = append(list, Reviewed{person, number, rules.Assess(d.trace(), company)})
		}
	}
	slices.SortFunc(list, func(a, b Reviewed) int {
		return cmp.Or(cmp.Compare(a.Trust+a.ShadowTrust, b.Trust+b.ShadowTrust), slices.Compare(a.Person[:], b.Person[:]), cmp.Compare(a.Day, b.Day))
	})
	return list, nil
}

// foldAnew folds the log by the policies of a rehearsal.
func foldAnew(ctx context.Context, log Log, subjects Subjects, r Rehearsal) (*fold, error) {
	const dayMS = 24 * 60 * 60 * 1000
	c := &Collector{changes: newChanges(), log: log, checkpoints: r.Checkpoints, subjects: subjects, policies: r.Policies, markSecret: r.MarkSecret}
	c.fold = newFold(c)
	f := &c.fold
	f.places = nil // nobody asks where
	if r.Purges != nil {
		purged, err := r.Purges.Purged(ctx)
		if err != nil {
			return nil, err
		}
		f.recalls = len(purged) > 0
	}
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
	return f, nil
}

// rehearse folds a batch: all of it, or only who is whom and who came at all,
// which lasts.
func (f *fold) rehearse(ctx context.Context, batch Batch, whole bool) error {
	f.atMS = batch.ReceivedMS
	for e, err := range batch.entries() {
		if err != nil {
			return err
		}
		if e.kind == droppedEntry {
			continue
		}
		if !whole && e.kind == eventEntry {
			if err := f.came(ctx, batch.ReceivedMS, &e); err != nil {
				return err
			}
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

// came notes since when a person is known, without a look at what was done.
func (f *fold) came(ctx context.Context, receivedMS int64, e *entry) error {
	if e.verdict != Accepted && e.verdict != Capped {
		return nil
	}
	target, who, err := f.target(ctx, e.subject)
	if err != nil || who.since.ms != 0 {
		return err
	}
	who.since = arrival{receivedMS, e.world}
	if e.policyVersion != 0 {
		who.since.ms = 1
	}
	f.people.change(target, who)
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
			if who.terms.Analytics == Withdrawn || policy.ConsentRequired && who.terms.Analytics != Given {
				continue
			}
			list = append(list, Rehearsed{person, number, d.ScoreWithin(r.World, policy, d.bounds)})
		}
	}
	slices.SortFunc(list, func(a, b Rehearsed) int {
		return cmp.Or(slices.Compare(a.Person[:], b.Person[:]), cmp.Compare(a.Day, b.Day))
	})
	return list, nil
}
