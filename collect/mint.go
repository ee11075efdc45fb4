package collect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/score"
)

// mintDays is how many days are turned into one call of submit.
const mintDays = 200

// Posting is what is given to the bank at once: what days have earned, and the
// cases of days that were found odd, which have to be open before it is paid.
type Posting struct {
	Mints []bank.Mint
	Cases []bank.OpenCase
}

// posting is what a day gives to the bank, with what the loop has to note once
// it is durable.
type posting struct {
	key      dayKey
	revision uint64
	mints    []bank.Mint
	cases    []bank.OpenCase
}

// Flush turns the days that have changed into commands, after a look at each by
// the review rules, and gives them to submit, some at a time. What was submitted
// and whose reply was lost is submitted again by the next Flush, which the bank
// knows how to take.
func (c *Collector) Flush(ctx context.Context, submit func(context.Context, Posting) error) (minted int, err error) {
	reviewing, err := c.beginReview(ctx)
	if err != nil {
		return 0, err
	}
	var owners []uint64
	wake := func() (err error) {
		owners, err = c.fold.wake(ctx)
		return err
	}
	if err := c.give(ctx, &request{tick: true, inspect: wake, done: make(chan struct{})}); err != nil {
		return 0, fmt.Errorf("finding days to mint: %w", err)
	}
	for some := range slices.Chunk(owners, mintDays) {
		if err := c.do(ctx, nil, func() error { return c.fold.matureDue(ctx, some) }); err != nil {
			return 0, fmt.Errorf("letting spends mature: %w", err)
		}
	}
	minted, err = c.post(ctx, reviewing, submit)
	if reviewing == nil || len(reviewing.others) == 0 {
		return minted, err
	}
	// What was found of some is told of others, whose days have not changed.
	for some := range slices.Chunk(reviewing.others, mintDays) {
		if err := c.do(ctx, nil, func() error { return c.fold.lookAgain(ctx, some) }); err != nil {
			return minted, fmt.Errorf("looking at more days: %w", err)
		}
	}
	more, again := c.post(ctx, reviewing, submit)
	return minted + more, errors.Join(err, again)
}

// post gives the days that differ from what the bank knows to submit.
func (c *Collector) post(ctx context.Context, reviewing *review, submit func(context.Context, Posting) error) (minted int, err error) {
	var days []dayKey
	if err := c.do(ctx, nil, func() error {
		days = c.fold.dirtyDays()
		return nil
	}); err != nil {
		return 0, fmt.Errorf("finding days to mint: %w", err)
	}
	var faults []error
	for some := range slices.Chunk(days, mintDays) {
		var list []posting
		if err := c.do(ctx, nil, func() (err error) {
			list, err = c.fold.toPost(ctx, reviewing, some)
			return err
		}); err != nil {
			return minted, fmt.Errorf("preparing days to mint: %w", err)
		}
		if len(list) == 0 {
			continue
		}
		var all Posting
		for i := range list {
			all.Mints, all.Cases = append(all.Mints, list[i].mints...), append(all.Cases, list[i].cases...)
		}
		if err := submit(ctx, all); err != nil {
			// The others need not wait for what keeps these.
			faults = append(faults, fmt.Errorf("minting %d days: %w", len(all.Mints), err))
			continue
		}
		if err := c.do(ctx, nil, func() error { return c.fold.posted(ctx, list) }); err != nil {
			return minted, err
		}
		minted += len(all.Mints)
	}
	return minted, errors.Join(faults...)
}

// isDue reports whether the refund window of a spend ends between the last
// batch and nowMS.
func (f *fold) isDue(ctx context.Context, nowMS int64) (bool, error) {
	ends := func(s spend) bool { return s.dueMS > f.receivedMS && s.dueMS <= nowMS }
	for _, who := range f.people.unsaved {
		if slices.ContainsFunc(who.spends, ends) {
			return true, nil
		}
	}
	if !f.stored {
		return false, nil
	}
	due, err := f.c.checkpoints.Due(ctx, nowMS) // by the first of a person's spends
	if err != nil {
		return false, err
	}
	for _, part := range due {
		if part.Day != PersonPart {
			continue
		}
		who, err := f.load(ctx, part.Subject) // most are not needed for longer
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(who.spends, ends) {
			return true, nil
		}
	}
	return false, nil
}

// wake finds the days that were not minted before a restart, and returns the
// subjects with spends whose refund window has ended by the time of the log,
// which never goes back and is the same after a restart.
func (f *fold) wake(ctx context.Context) (owners []uint64, err error) {
	if f.stored {
		due, err := f.c.checkpoints.Due(ctx, f.receivedMS)
		if err != nil {
			return nil, err
		}
		for _, part := range due {
			if part.Day == PersonPart {
				owners = append(owners, part.Subject)
			} else {
				f.dirty[dayKey{part.Subject, part.Day}] = struct{}{}
			}
		}
	}
	for subject, who := range f.people.unsaved {
		if slices.ContainsFunc(who.spends, func(s spend) bool { return s.dueMS <= f.receivedMS }) {
			owners = append(owners, subject)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners), nil
}

// dirtyDays returns the days to look at, in order.
func (f *fold) dirtyDays() []dayKey {
	return slices.SortedFunc(maps.Keys(f.dirty), func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.day, b.day))
	})
}

// toPost returns what is to be posted of some days.
func (f *fold) toPost(ctx context.Context, reviewing *review, days []dayKey) (list []posting, err error) {
	for _, key := range days {
		who, err := f.person(ctx, key.subject)
		if err != nil {
			return nil, err
		}
		d, err := f.day(ctx, key.subject, who, key.day)
		if err != nil {
			return nil, err
		}
		p := posting{key: key, revision: d.revision()}
		if d.dirty {
			p.mints, err = f.mintsOf(ctx, key.subject, key.day, d)
			if err == nil {
				p.cases, err = f.look(ctx, reviewing, key, who, d)
			}
		}
		if err != nil && !errors.Is(err, ErrErased) {
			return nil, err
		}
		if err == nil && len(p.mints)+len(p.cases) > 0 {
			list = append(list, p)
			continue
		}
		if err == nil && d.dirty {
			d.dirty, d.changed, d.unsure = false, true, false
			f.people.change(key.subject, who)
		}
		delete(f.dirty, key)
	}
	return list, nil
}

// mintsOf returns the Mints of a day, one for each world whose points differ
// from what was minted, or may.
func (f *fold) mintsOf(ctx context.Context, subject uint64, number int32, d *day) (list []bank.Mint, err error) {
	id, err := f.c.subjects.Person(ctx, subject)
	if err != nil {
		return nil, err
	}
	for i := range d.worlds {
		w := &d.worlds[i]
		opened, err := f.c.commit(ctx, subject, number, d, w)
		if err != nil {
			return nil, err
		}
		if w.mintedMicro == opened.PointsMicro && (!d.unsure || w.mintedRevision == opened.Revision) {
			continue
		}
		list = append(list, bank.Mint{
			Person: id, World: w.world, Day: number, Revision: opened.Revision,
			CumulativePointsMicro: opened.PointsMicro, PolicyVersion: opened.PolicyVersion, Commitment: opened.Commitment(),
		})
	}
	return list, nil
}

// posted notes what is durable in the bank. A day that has changed meanwhile
// stays dirty.
func (f *fold) posted(ctx context.Context, list []posting) error {
	for _, p := range list {
		who, err := f.person(ctx, p.key.subject)
		if err != nil {
			return err
		}
		d, err := f.day(ctx, p.key.subject, who, p.key.day)
		if err != nil {
			return err
		}
		for _, m := range p.mints {
			w := d.world(m.World)
			w.mintedMicro, w.mintedRevision = m.CumulativePointsMicro, m.Revision
		}
		f.c.changes.touch(p.key.subject, p.key.day)
		d.changed = true
		f.people.change(p.key.subject, who)
		if d.revision() == p.revision {
			d.dirty, d.unsure = false, false
			delete(f.dirty, p.key)
		}
	}
	return nil
}

// Opened is the content of a day's commitment: what its owner may show to
// prove T, I and C of the day to anyone who sees the Mint in the journal.
type Opened struct {
	World                                         uint32
	Day                                           int32
	Revision                                      uint64
	PolicyVersion                                 uint32
	PresentSeconds, InteractionsMicro, SpendMinor int64
	PointsMicro                                   int64
	// Blind keeps the commitment from being guessed. It is derived from the
	// subject's key and gone with it.
	Blind [32]byte
}

// Commitment returns the SHA-256 that the Mint carries (little-endian):
//
//	| "attention-day-v1" | blind 32 | world u32 | day i32 | revision u64 |
//	| policy version u32 | T i64 | I i64 | C i64 | points i64 |
func (o *Opened) Commitment() [32]byte {
	le := binary.LittleEndian
	b := append([]byte("attention-day-v1"), o.Blind[:]...)
	b = le.AppendUint64(le.AppendUint32(le.AppendUint32(b, o.World), uint32(o.Day)), o.Revision)
	b = le.AppendUint32(b, o.PolicyVersion)
	for _, n := range [...]int64{o.PresentSeconds, o.InteractionsMicro, o.SpendMinor, o.PointsMicro} {
		b = le.AppendUint64(b, uint64(n))
	}
	return sha256.Sum256(b)
}

// commit scores a day of a world and opens its commitment.
func (c *Collector) commit(ctx context.Context, subject uint64, number int32, d *day, w *dayWorld) (Opened, error) {
	policy, version := c.policies(w.world, number, w.policyVersion)
	award := d.ScoreWithin(w.world, policy, d.bounds)
	o := Opened{
		World: w.world, Day: number, Revision: d.revision(), PolicyVersion: version,
		PresentSeconds: award.PresentSeconds, InteractionsMicro: award.InteractionsMicro, SpendMinor: award.SpendMinor,
		PointsMicro: min(award.PointsMicro, bank.MaxPointsMicro),
	}
	var err error
	o.Blind, err = c.subjects.Derive(ctx, subject, fmt.Sprintf("commitment/%d/%d/%d", o.World, o.Day, o.Revision))
	return o, err
}

// Attention is what a day has earned in a world.
type Attention struct {
	Award  score.Award
	Policy *score.Policy // that for minors, if it holds
	Bounds score.Bounds
	Opened Opened
	// MintedMicro is what the bank knows of; the rest follows with the next
	// Mint.
	MintedMicro int64
}

// Attention returns what a subject's day has earned so far, a world after the
// other; of whomever the day belongs to.
func (c *Collector) Attention(ctx context.Context, subject uint64, number int32) (list []Attention, err error) {
	err = c.do(ctx, nil, func() error {
		target, who, err := c.fold.target(ctx, subject)
		if err != nil {
			return err
		}
		if target, who, err = c.fold.owner(ctx, target, who, number); err != nil {
			return err
		}
		d, err := c.fold.day(ctx, target, who, number)
		if err != nil {
			return err
		}
		for i := range d.worlds {
			w := &d.worlds[i]
			opened, err := c.commit(ctx, target, number, d, w)
			if err != nil {
				return err
			}
			policy, _ := c.policies(w.world, number, w.policyVersion)
			list = append(list, Attention{Award: d.ScoreWithin(w.world, policy, d.bounds), Policy: policy.For(d.bounds.Minor), Bounds: d.bounds, Opened: opened, MintedMicro: w.mintedMicro})
		}
		return nil
	})
	return list, err
}

// Kept is what became of a message id.
type Kept struct {
	Trust   Trust
	Verdict Verdict
	Rule    Rule
}

// Verdict returns what became of a message id in a world, within the horizon:
// one answer for each kind of key under which it came.
func (c *Collector) Verdict(ctx context.Context, world uint32, messageID string) (list []Kept, err error) {
	err = c.do(ctx, nil, func() error {
		for _, trust := range []Trust{TrustServer, TrustWrite, TrustImport} {
			d := digestOf(world, trust, messageID)
			entry, found, err := c.fold.first(ctx, max(c.now(), c.fold.receivedMS), d)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			list = append(list, Kept{trust, entry.verdict, entry.rule})
		}
		return nil
	})
	return list, err
}

// Forget drops what is folded of a subject, after its key was destroyed.
func (c *Collector) Forget(ctx context.Context, subject uint64) error {
	return c.do(ctx, nil, func() error {
		c.fold.people.drop(subject)
		c.fold.unmark(subject)
		delete(c.fold.places, subject)
		maps.DeleteFunc(c.fold.dirty, func(key dayKey, _ struct{}) bool { return key.subject == subject })
		return c.checkpoints.Forget(ctx, subject)
	})
}
