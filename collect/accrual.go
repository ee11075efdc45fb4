package collect

import (
	"context"
	"errors"
	"slices"

	"github.com/attentionbank/attentionbank/score"
)

// PauseMS is how long presence may be interrupted and still be one stretch.
const PauseMS = 5 * 60 * 1000

// Accrual is a subject's day as it stood between two batches. It belongs to
// whoever asked, and is scored beside the loop.
type Accrual struct {
	Change
	// Owner is to whom the day belongs: by a link not always the subject.
	Owner  uint64
	Earned []Earned // by world
	// Err says why there is nothing: ErrErased.
	Err error

	day, before score.Day // before is the day before, if a stretch may reach into it
}

// Earned is what a world's part of a day has come to.
type Earned struct {
	Award         score.Award
	Policy        *score.Policy
	PolicyVersion uint32
	Revision      uint64
	// MintedMicro is what the bank knows of.
	MintedMicro int64
	// WaitingMinor are the subject's orders whose refund window is open, on
	// whatever day it ends; what was refunded is in it until then.
	WaitingMinor int64
}

// Accrued returns days as they stand, in the order in which they are asked for.
func (c *Collector) Accrued(ctx context.Context, days []Change) ([]Accrual, error) {
	list := make([]Accrual, len(days))
	err := c.do(ctx, nil, func() error {
		for i, asked := range days {
			list[i].Change = asked
			if list[i].Err = c.fold.copyDay(ctx, &list[i]); list[i].Err != nil && !errors.Is(list[i].Err, ErrErased) {
				return list[i].Err
			}
		}
		return nil
	})
	for i := range list {
		for j := range list[i].Earned {
			e := &list[i].Earned[j]
			e.Policy, e.PolicyVersion = c.policies(e.Award.World, list[i].Day, e.PolicyVersion)
			e.Award = list[i].day.Score(e.Award.World, e.Policy)
		}
	}
	return list, err
}

// copyDay fills in a day; it is not scored yet.
func (f *fold) copyDay(ctx context.Context, a *Accrual) error {
	subject, who, err := f.target(ctx, a.Subject)
	if err != nil {
		return err
	}
	owner, owning, err := f.owner(ctx, subject, who, a.Day)
	if err != nil {
		return err
	}
	d, err := f.day(ctx, owner, owning, a.Day)
	if err != nil {
		return err
	}
	a.Owner = owner
	a.day.Merge(&d.Day)
	for _, w := range d.worlds {
		a.Earned = append(a.Earned, Earned{Award: score.Award{World: w.world}, PolicyVersion: w.policyVersion, Revision: d.revision(), MintedMicro: w.mintedMicro})
	}
	for _, s := range who.spends {
		a.wait(s)
	}
	// The first presence of the day may go on from the day before.
	if fromMS, _, found := a.day.Stretch(0, dayMS, dayMS); found && fromMS >= PauseMS {
		return nil
	}
	before, err := f.day(ctx, owner, owning, a.Day-1)
	if err == nil {
		a.before.Merge(&before.Day)
	}
	return err
}

// dayMS is the length of a day.
const dayMS = 24 * 60 * 60 * 1000

// wait adds an order in its refund window.
func (a *Accrual) wait(s spend) {
	i := slices.IndexFunc(a.Earned, func(e Earned) bool { return e.Award.World == s.world })
	if i < 0 {
		i = len(a.Earned)
		a.Earned = append(a.Earned, Earned{Award: score.Award{World: s.world}, PolicyVersion: s.policy})
	}
	if sum := a.Earned[i].WaitingMinor + s.minor; sum >= s.minor {
		a.Earned[i].WaitingMinor = sum
	}
}

// Stretch returns the presence that goes on at a time since the day began, in a
// world or in any for world 0: since when, before the day if negative, and until
// when. Pauses shorter than PauseMS do not end it.
func (a *Accrual) Stretch(world uint32, atMS int64) (fromMS, untilMS int64, found bool) {
	fromMS, untilMS, found = a.day.Stretch(world, atMS, PauseMS)
	begin := fromMS
	if !found {
		begin = atMS
	}
	if begin >= PauseMS {
		return fromMS, untilMS, found
	}
	from, until, goesOn := a.before.Stretch(world, dayMS, PauseMS)
	if !goesOn || begin+dayMS-until >= PauseMS {
		return fromMS, untilMS, found
	}
	if !found {
		untilMS = until - dayMS
	}
	return from - dayMS, untilMS, true
}

// PresentSeconds returns the presence of the day over all worlds.
func (a *Accrual) PresentSeconds() int64 { return a.day.PresentSeconds() }
