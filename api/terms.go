package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
)

// How what was left undone is done.
const (
	termsPage  = 256 // notes that are read at once
	termsEvery = time.Second
)

// Terms brings to where events are taken what identity and the bank keep of
// people: their age, consents, limits of their own, links. What a crash leaves
// undone between the two is found by its note and done by the next Run; what
// fails is tried again.
type Terms struct {
	bank      Bank
	identity  *identity.Registry
	collector *collect.Collector
	undone    atomic.Bool // something may be
	// deciding is held for reading while somebody's decision is under way, and
	// for writing while what was left undone of somebody is done.
	deciding sync.RWMutex
}

// NewTerms returns the terms of a bank's people.
func NewTerms(bank Bank, people *identity.Registry, collector *collect.Collector) *Terms {
	t := &Terms{bank: bank, identity: people, collector: collector}
	t.undone.Store(true)
	return t
}

// decide carries out a change of what is kept of a person, and tells it where
// events are taken. When it returns without an error both are durable; of what
// was cut off in between there is a note.
func (t *Terms) decide(ctx context.Context, subject identity.Subject, change func() error) (err error) {
	t.deciding.RLock()
	defer t.deciding.RUnlock()
	defer func() {
		if err != nil {
			t.undone.Store(true)
		}
	}()
	note, err := t.identity.Unfinished(ctx, subject.Number)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err // or it was done, and the answer was lost
	}
	if err := t.pushOfAll(ctx, subject); err != nil {
		return err
	}
	return t.identity.Finished(ctx, note)
}

// Finish does what was left undone and returns how much that was.
func (t *Terms) Finish(ctx context.Context) (done int, err error) {
	t.undone.Store(false)
	defer func() {
		if err != nil {
			t.undone.Store(true)
		}
	}()
	heads, err := t.identity.FinishLinks(ctx,
		func(member, head identity.Subject) (int32, error) {
			return t.collector.Link(ctx, member.World, member.Number, head.Number)
		},
		func(member, head identity.Subject) (int32, error) {
			return t.collector.Unlink(ctx, member.World, member.Number, head.Number)
		})
	if err != nil {
		return len(heads), err
	}
	for _, head := range heads {
		if err := t.finish(ctx, identity.Note{Subject: head.Number}); err != nil {
			return len(heads), err
		}
	}
	done = len(heads)
	for after := uint64(0); ; {
		notes, next, err := t.identity.UnfinishedAfter(ctx, after, termsPage)
		if err != nil {
			return done, err
		}
		for _, note := range notes {
			if err := t.finish(ctx, note); err != nil {
				return done, err
			}
			done++
		}
		if after = next; next == 0 {
			return done, nil
		}
	}
}

// finish tells of one person what is kept, and takes the note back.
func (t *Terms) finish(ctx context.Context, note identity.Note) error {
	t.deciding.Lock()
	defer t.deciding.Unlock()
	subject, err := t.identity.Subject(ctx, note.Subject)
	if err == nil && subject.ErasedMS == 0 {
		err = t.pushOfAll(ctx, subject)
	}
	if err != nil && !errors.Is(err, identity.ErrErased) && !errors.Is(err, collect.ErrErased) {
		return fmt.Errorf("finishing what was decided of subject %d: %w", note.Subject, err)
	}
	return t.identity.Finished(ctx, note)
}

// Run does what was left undone, at once and whenever there is more of it, until
// ctx ends. fault is told what went wrong; it is tried again.
func (t *Terms) Run(ctx context.Context, fault func(error)) {
	for ctx.Err() == nil {
		if t.undone.Load() {
			if _, err := t.Finish(ctx); err != nil && ctx.Err() == nil {
				fault(err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(termsEvery):
		}
	}
}

// push brings what is known of a person, and what the person has decided,
// to where events are taken. It is made anew of what is kept, so whatever a
// failure left behind the next call sets right.
func (t *Terms) push(ctx context.Context, subject identity.Subject) error {
	terms := collect.DefaultTerms()
	age, err := t.identity.Age(ctx, subject.Number)
	if err != nil {
		return err
	}
	terms.Minor = age == identity.AgeMinor
	decisions, err := t.identity.Consents(ctx, subject.Number)
	if err != nil {
		return err
	}
	for purpose, c := range identity.Decided(decisions) {
		decision := collect.Withdrawn
		if c.Given {
			decision = collect.Given
		}
		switch purpose {
		case identity.Scoring:
			terms.Scoring = decision
		case identity.Analytics:
			terms.Analytics = decision
		}
	}
	err = t.bank.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(subject.Person)
		own := state.OwnLimits(number)
		terms.ExcludedUntilMS = own.EarnsNothingUntilMS
		terms.EarnSeconds, terms.NextEarnSeconds, terms.NextFromMS = earnSeconds(own.EarnMinutes.Value), earnSeconds(own.EarnMinutes.Next), own.EarnMinutes.NextFromMS
	})
	if err != nil {
		return err
	}
	return t.collector.SetTerms(ctx, subject.World, subject.Number, terms)
}

func earnSeconds(minutes int64) int32 {
	if minutes == bank.NoOwnLimit {
		return collect.NoLimit
	}
	return int32(minutes * 60)
}

// pushOfAll does the same for a person and those who are the same human:
// of a minor all are minors.
func (t *Terms) pushOfAll(ctx context.Context, subject identity.Subject) error {
	others, err := t.identity.Linked(ctx, subject.Number)
	if err != nil {
		return err
	}
	if err := t.push(ctx, subject); err != nil {
		return err
	}
	for _, number := range others {
		other, err := t.identity.Subject(ctx, number)
		if err != nil {
			return err
		}
		if other.ErasedMS != 0 {
			continue
		}
		if err := t.push(ctx, other); err != nil {
			return err
		}
	}
	return nil
}
