package collect

import (
	"context"

	"github.com/attentionbank/attentionbank/score"
)

// fold is the state that comes of the log. The loop owns it.
type fold struct {
	c *Collector

	seq             uint64   // last batch that is folded
	hash            [32]byte // of that batch
	receivedMS      int64
	atMS            int64 // of the batch that is being folded
	sinceCheckpoint int
	checkpointed    uint64 // batch of the last checkpoint
	recovering      bool
	term            uint64 // of the checkpoints
	// stored says that there are parts in the checkpoints to look for.
	stored bool
	// recalls says that of people who are new to this fold the checkpoints are
	// asked since when they are known and who they are.
	recalls bool
	people  people
	// dirty are the days that differ from what was minted.
	dirty map[dayKey]struct{}
	// fresh are the subjects with marks that no checkpoint has yet.
	fresh map[Mark][]uint64
	// places are the batches with entries of subjects since the last checkpoint.
	places map[uint64][]uint64
	seen   seen
	// keptHour is the hour of the log for which everything was put away.
	keptHour int64
	// oldestHour is the oldest of which a restart remembers message ids.
	oldestHour int64
}

// dayKey names a day of a subject.
type dayKey struct {
	subject uint64
	day     int32
}

func newFold(c *Collector) fold {
	return fold{c: c, people: newPeople(), dirty: map[dayKey]struct{}{}, fresh: map[Mark][]uint64{}, places: map[uint64][]uint64{}}
}

// judge reaches the verdict on an entry and reports whether it is kept.
func (f *fold) judge(ctx context.Context, receivedMS int64, p *prepared) (kept bool, err error) {
	if p.kind == linkEntry || p.kind == appealEntry {
		return true, nil
	}
	if p.kind == termsEntry {
		return f.changesTerms(ctx, p)
	}
	if p.kind == sessionEntry {
		// What repeats a report opens no session again.
		return p.cause == nil || p.cause.verdict == Accepted || p.cause.verdict == Capped, nil
	}
	if p.rule == NoMessageID {
		p.result.Verdict, p.result.Rule = p.verdict, p.rule
		return true, nil
	}
	first, found, err := f.first(ctx, receivedMS, p.digest)
	if err != nil {
		return false, err
	}
	if found {
		p.result.Verdict, p.result.Rule, p.result.First = Duplicate, MessageIDTwice, first.verdict
		return false, nil
	}
	p.verdict = Accepted
	target, who, err := f.target(ctx, p.subject)
	if err != nil {
		return false, err
	}
	refused, err := f.refuses(ctx, who, p)
	if err != nil {
		return false, err
	}
	if refused != NoRule {
		p.verdict = Rejected
		p.result.Verdict, p.result.Rule, p.result.Detail = Rejected, refused, refusedBy[refused]
		return false, nil
	}
	switch {
	case p.trust != TrustImport && p.timeMS < receivedMS-HorizonMS:
		p.verdict, p.rule = Late, OlderThanHorizon
	case p.trust == TrustWrite && !who.covers(p.timeMS):
		p.verdict, p.rule = Quarantined, Unvouched
		if len(who.waiting) >= maxWaiting {
			p.rule = TooManyUnvouched
		}
	default:
		rule, err := f.isCapped(ctx, target, who, p)
		if err != nil {
			return false, err
		}
		if rule != NoRule {
			p.verdict, p.rule = Capped, rule
		}
	}
	p.result.Verdict, p.result.Rule = p.verdict, p.rule
	return true, nil
}

// isCapped says whether the person's paid hours of the event's day in its world,
// or those that the person allows themselves, are used up, so that the event
// adds nothing.
func (f *fold) isCapped(ctx context.Context, subject uint64, who *person, p *prepared) (Rule, error) {
	if p.observation.SpendMinor > 0 || p.observation.RefundMinor > 0 || p.observation.FromMS == p.observation.UntilMS {
		return NoRule, nil
	}
	number, _ := score.DayOf(p.timeMS)
	d, err := f.dayOf(ctx, subject, who, number)
	if err != nil {
		return NoRule, err
	}
	policy, _ := f.c.policies(p.world, number, p.policyVersion)
	switch {
	case d.CountedSeconds(p.world) >= policy.For(d.bounds.Minor).Curve.HalfSeconds:
		return DailyCurve, nil
	case d.bounds.Limited && d.PresentSeconds() >= d.bounds.EarnSeconds:
		return OwnLimit, nil
	}
	return NoRule, nil
}

// target returns the person for whom a subject's events count.
func (f *fold) target(ctx context.Context, subject uint64) (uint64, *person, error) {
	p, err := f.person(ctx, subject)
	if err != nil || p.united == 0 {
		return subject, p, err
	}
	who, err := f.person(ctx, p.united)
	return p.united, who, err
}

// add folds an entry by its verdict.
func (f *fold) add(ctx context.Context, seq uint64, receivedMS int64, p *prepared) error {
	f.stands(seq, &p.entry)
	if p.kind == linkEntry {
		who, err := f.person(ctx, p.subject)
		if err == nil {
			f.changeLink(receivedMS, who, p)
		}
		return err
	}
	if p.kind == appealEntry {
		who, err := f.person(ctx, p.subject)
		if err == nil {
			f.people.change(p.subject, who)
			who.appealed(p.appeal, receivedMS)
		}
		return err
	}
	if p.kind == termsEntry {
		return f.setTerms(ctx, seq, p)
	}
	target, who, err := f.target(ctx, p.subject)
	if err != nil {
		return err
	}
	if p.kind == sessionEntry {
		f.people.change(target, who)
		return f.openSession(ctx, seq, receivedMS, target, who, p)
	}
	if p.verdict == Accepted || p.verdict == Capped || p.verdict == Quarantined {
		f.people.change(target, who)
	}
	o := &p.observation
	switch {
	case p.verdict == Quarantined && p.rule == Unvouched:
		who.waiting = append(who.waiting, waiting{p.digest, p.world, p.policyVersion, o.FromMS, o.UntilMS, o.Count, o.WeightMicro, p.device})
		who.changed = true
		return nil
	case p.verdict != Accepted && p.verdict != Capped:
		return nil
	}
	if err := f.behave(ctx, seq, receivedMS, target, who, waiting{world: p.world, policy: p.policyVersion, timeMS: o.FromMS, untilMS: o.UntilMS, count: o.Count, weight: o.WeightMicro, device: p.device}); err != nil {
		return err
	}
	if o.SpendMinor > 0 {
		return f.spend(ctx, seq, receivedMS, target, who, p)
	}
	if o.RefundMinor > 0 {
		who.refund(refund{orderDigest(o.Order), receivedMS, o.RefundMinor})
	}
	return nil
}

// behave adds presence and interactions to the days that they fall on.
func (f *fold) behave(ctx context.Context, seq uint64, receivedMS int64, subject uint64, who *person, w waiting) error {
	first, sinceMS := score.DayOf(w.timeMS)
	if who.since.ms == 0 {
		who.since, who.changed = arrival{receivedMS, w.world}, true
		if w.policy != 0 {
			who.since.ms = 1 // an import knows people of old
		}
	}
	if w.count > 0 {
		d, err := f.touch(ctx, seq, subject, who, first, w.world, w.policy)
		if err != nil {
			return err
		}
		d.Act(w.world, sinceMS, w.count, w.weight)
		if err := f.meet(ctx, subject, who, first, w); err != nil {
			return err
		}
	}
	const dayMS = 24 * 60 * 60 * 1000
	for number, from, left := first, sinceMS, w.untilMS-w.timeMS; left > 0; number, from = number+1, 0 {
		until := min(from+left, dayMS)
		d, err := f.touch(ctx, seq, subject, who, number, w.world, w.policy)
		if err != nil {
			return err
		}
		d.Present(w.world, from, until)
		if err := f.meet(ctx, subject, who, number, w); err != nil {
			return err
		}
		left -= until - from
	}
	return nil
}

// touch returns a day that is about to change, of whomever it belongs to, who is
// noted to change as well.
func (f *fold) touch(ctx context.Context, seq uint64, subject uint64, who *person, number int32, world, policyVersion uint32) (*day, error) {
	owner, owning, err := f.owner(ctx, subject, who, number)
	if err != nil {
		return nil, err
	}
	d, err := f.day(ctx, owner, owning, number)
	if err != nil {
		return nil, err
	}
	f.bind(d, who, owning)
	f.change(seq, dayKey{owner, number}, owning, d)
	if subject != owner {
		f.c.changes.touch(subject, number)
	}
	w := d.world(world)
	w.policyVersion = max(w.policyVersion, policyVersion)
	return d, nil
}

// change notes that a day differs from what was minted.
func (f *fold) change(seq uint64, key dayKey, owning *person, d *day) {
	f.people.change(key.subject, owning)
	if d.seq != seq {
		d.seq, d.matured = seq, 0
	}
	d.dirty, d.changed, d.unsure = true, true, d.unsure || f.recovering
	f.dirty[key] = struct{}{}
	f.c.changes.touch(key.subject, key.day)
}

// openSession believes claims about a person from now on, and those that have
// waited for it.
func (f *fold) openSession(ctx context.Context, seq uint64, receivedMS int64, subject uint64, who *person, p *prepared) error {
	who.openSession(p.session)
	if p.other != 0 && p.other != subject {
		other, err := f.person(ctx, p.other)
		if err != nil {
			return err
		}
		// What an anonymous id has collected of its own stays where it is;
		// what waits goes with the person.
		who.waiting = append(who.waiting, other.waiting...)
		if other.united != 0 && other.united != subject {
			other.former = append(other.former[max(len(other.former)-maxFormer+1, 0):], other.united)
		}
		other.waiting, other.united, other.changed = nil, subject, true
		f.people.change(p.other, other)
	}
	var still []waiting
	for _, w := range who.waiting {
		if !who.covers(w.timeMS) {
			still = append(still, w)
			continue
		}
		if err := f.behave(ctx, seq, receivedMS, subject, who, w); err != nil {
			return err
		}
		f.seen.accept(w.digest)
	}
	who.waiting, who.changed = still, true
	return nil
}
