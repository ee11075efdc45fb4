package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/eligibility"
	"github.com/attentionbank/attentionbank/identity"
)

// How standings are brought up to date.
const (
	standingsPage   = 256 // people in one record of the journal
	standingsEvery  = time.Second
	standingsRounds = 16
)

// Standings keeps what people may do, which the bank knows, up to date with
// what identity knows of them and with the table of eligibility. What a crash
// leaves undone is found and done by the next Run.
type Standings struct {
	bank     Bank
	identity *identity.Registry
	stale    atomic.Bool // somebody's standing may be behind

	mu      sync.Mutex
	version uint32
	table   *eligibility.Table // of version
}

// NewStandings returns the standings of a bank's people.
func NewStandings(bank Bank, people *identity.Registry) *Standings {
	k := &Standings{bank: bank, identity: people}
	k.stale.Store(true)
	return k
}

// tableOf returns the table of a version, from its text the first time.
func (k *Standings) tableOf(version uint32, text string) (*eligibility.Table, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if version == 0 {
		return &eligibility.Table{}, nil
	}
	if k.table == nil || k.version != version {
		table, err := eligibility.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("version %d of the table of eligibility: %w", version, err)
		}
		k.version, k.table = version, table
	}
	return k.table, nil
}

// wanted is the command that sets what follows from what is known.
func wanted(table *eligibility.Table, version uint32, person [16]byte, a identity.Attributes) bank.SetStanding {
	return bank.SetStanding{
		Person: person, Tier: a.Tier, Revision: uint64(version)<<32 | a.Revision,
		Features: table.Features(eligibility.Person{Country: a.Country, Age: a.Age, Tier: a.Tier}),
	}
}

// Update brings one person's standing up to date and returns it.
func (k *Standings) Update(ctx context.Context, subject identity.Subject) (bank.Standing, error) {
	standing, err := k.update(ctx, subject)
	if err != nil {
		k.stale.Store(true)
		return standing, fmt.Errorf("bringing a standing up to date: %w", err)
	}
	return standing, nil
}

func (k *Standings) update(ctx context.Context, subject identity.Subject) (standing bank.Standing, err error) {
	for range standingsRounds {
		a, err := k.ofHuman(ctx, subject.Number)
		if err != nil {
			return standing, err
		}
		var version uint32
		var text string
		err = k.bank.Read(ctx, func(state *bank.State) {
			number, _ := state.PersonByID(subject.Person)
			standing = state.Standing(number)
			version, text = state.Eligibility()
		})
		if err != nil || a.Revision == 0 {
			return standing, err
		}
		table, err := k.tableOf(version, text)
		if err != nil {
			return standing, err
		}
		want := wanted(table, version, subject.Person, a)
		if standing.Revision == want.Revision {
			return standing, nil
		}
		if standing.Revision > want.Revision {
			continue // somebody was faster, with what is newer
		}
		if _, err := k.bank.Submit(ctx, want.AppendTo(nil)); err != nil {
			return standing, err
		}
	}
	return standing, errors.New("what is known of the person changes all the time")
}

// ofHuman returns what is known of a subject. Whoever is linked to a minor is
// one, and stays one when the link ends.
func (k *Standings) ofHuman(ctx context.Context, subject uint64) (identity.Attributes, error) {
	a, err := k.identity.Attributes(ctx, subject)
	if err != nil || a.Age == identity.AgeMinor {
		return a, err
	}
	age, err := k.identity.Age(ctx, subject)
	if err != nil || age == a.Age {
		return a, err
	}
	a.Age = age
	return k.identity.SetAttributes(ctx, subject, a)
}

// Describe keeps what was found out about a person, and brings the standing up
// to date. The age is the human's: it holds for all whom the person is linked
// to.
func (k *Standings) Describe(ctx context.Context, subject identity.Subject, a identity.Attributes) (identity.Attributes, error) {
	linked, err := k.identity.Linked(ctx, subject.Number)
	if err != nil {
		return a, err
	}
	k.stale.Store(true) // until all of it is done
	for _, other := range linked {
		known, err := k.identity.Attributes(ctx, other)
		if errors.Is(err, identity.ErrErased) {
			continue
		}
		if err == nil && known.Age != a.Age {
			known.Age = a.Age
			_, err = k.identity.SetAttributes(ctx, other, known)
		}
		if err != nil {
			return a, err
		}
	}
	if a, err = k.identity.SetAttributes(ctx, subject.Number, a); err != nil {
		return a, err
	}
	if _, err = k.Update(ctx, subject); err != nil {
		return a, err
	}
	return a, k.updateAllOf(ctx, linked)
}

func (k *Standings) updateAllOf(ctx context.Context, subjects []uint64) error {
	for _, number := range subjects {
		subject, err := k.identity.Subject(ctx, number)
		if err == nil && subject.ErasedMS == 0 {
			_, err = k.Update(ctx, subject)
		}
		if err != nil && !errors.Is(err, identity.ErrErased) {
			return err
		}
	}
	return nil
}

// UpdateAll brings the standings of all people up to date, a bounded number in
// a record of the journal, and returns how many were not.
func (k *Standings) UpdateAll(ctx context.Context) (updated int, err error) {
	for after := uint64(0); ; {
		page, next, err := k.identity.DescribedAfter(ctx, after, standingsPage)
		if err != nil {
			return updated, err
		}
		n, err := k.updatePage(ctx, page)
		if updated += n; err != nil {
			return updated, fmt.Errorf("bringing standings up to date: %w", err)
		}
		if after = next; next == 0 {
			return updated, nil
		}
	}
}

func (k *Standings) updatePage(ctx context.Context, page []identity.Described) (updated int, err error) {
	people := make([][16]byte, len(page))
	for i, described := range page {
		subject, err := k.identity.Subject(ctx, described.Subject)
		if err != nil {
			return 0, err
		}
		people[i] = subject.Person
	}
	known := make([]bank.Standing, len(page))
	var version uint32
	var text string
	err = k.bank.Read(ctx, func(state *bank.State) {
		for i := range people {
			number, _ := state.PersonByID(people[i])
			known[i] = state.Standing(number)
		}
		version, text = state.Eligibility()
	})
	if err != nil {
		return 0, err
	}
	table, err := k.tableOf(version, text)
	if err != nil {
		return 0, err
	}
	var commands [][]byte
	for i, described := range page {
		if want := wanted(table, version, people[i], described.Attributes); known[i].Revision < want.Revision {
			commands = append(commands, want.AppendTo(nil))
		}
		if described.Age != identity.AgeMinor {
			continue
		}
		linked, err := k.identity.Linked(ctx, described.Subject)
		if err != nil {
			return 0, err
		}
		if err := k.updateAllOf(ctx, linked); err != nil {
			return 0, err
		}
	}
	if len(commands) == 0 {
		return 0, nil
	}
	_, err = k.bank.Submit(ctx, commands...)
	return len(commands), err
}

// Run brings standings up to date whenever the table has changed or something
// was left undone, until ctx ends. fault is told what went wrong; it is tried
// again.
func (k *Standings) Run(ctx context.Context, fault func(error)) {
	done := uint32(0)
	for {
		var version uint32
		err := k.bank.Read(ctx, func(state *bank.State) { version, _ = state.Eligibility() })
		if err == nil && (k.stale.Swap(false) || version != done) {
			if _, err = k.UpdateAll(ctx); err == nil {
				done = version
			} else {
				k.stale.Store(true)
			}
		}
		if err != nil && ctx.Err() == nil {
			fault(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(standingsEvery):
		}
	}
}
