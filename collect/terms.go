package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/score"
)

// Decision is what a person has decided on a purpose.
type Decision uint8

// The decisions.
const (
	Undecided Decision = iota
	Given
	Withdrawn
)

// Terms are what a person's behaviour is collected on: what is known of the
// person and what the person has decided. They go through the log as events do,
// so that a restart scores by what held when it happened.
type Terms struct {
	// Minor says that the policy's caps for minors hold.
	Minor bool
	// Scoring and Analytics are decisions on these purposes.
	Scoring, Analytics Decision
	// EarnSeconds is how much presence of a UTC day earns, NoLimit for all that
	// the policy pays; from NextFromMS on NextEarnSeconds. NextFromMS is 0 if
	// nothing is to come.
	EarnSeconds, NextEarnSeconds int32
	NextFromMS                   int64
	// ExcludedUntilMS is until when persons keep themselves from earning.
	ExcludedUntilMS int64
	// excludedFromMS is since when; the log knows.
	excludedFromMS int64
}

// NoLimit is more presence than any day has.
const NoLimit int32 = -1

// DefaultTerms are those of a person of whom nothing is known.
func DefaultTerms() Terms { return Terms{EarnSeconds: NoLimit, NextEarnSeconds: NoLimit} }

// earnSeconds returns how much presence of a day earns by a time.
func (t *Terms) earnSeconds(atMS int64) (seconds int64, limited bool) {
	now := t.EarnSeconds
	if t.NextFromMS != 0 && atMS >= t.NextFromMS {
		now = t.NextEarnSeconds
	}
	return int64(now), now != NoLimit
}

// Encoded terms are (little-endian)
//
//	| version u8 = 1 | minor u8 | scoring u8 | analytics u8 | earn i32 | next earn i32 | next from i64 | excluded until i64 | from i64 |
const (
	termsVersion = 1
	termsBytes   = 4 + 4 + 4 + 8 + 8 + 8
)

var errTerms = errors.New("terms of a person are damaged")

func (t *Terms) appendTo(dst []byte) []byte {
	le := binary.LittleEndian
	minor := uint8(0)
	if t.Minor {
		minor = 1
	}
	dst = append(dst, termsVersion, minor, uint8(t.Scoring), uint8(t.Analytics))
	dst = le.AppendUint32(le.AppendUint32(dst, uint32(t.EarnSeconds)), uint32(t.NextEarnSeconds))
	dst = le.AppendUint64(le.AppendUint64(dst, uint64(t.NextFromMS)), uint64(t.ExcludedUntilMS))
	return le.AppendUint64(dst, uint64(t.excludedFromMS))
}

func decodeTerms(src []byte) (t Terms, err error) {
	le := binary.LittleEndian
	if len(src) != termsBytes || src[0] != termsVersion || src[1] > 1 || src[2] > uint8(Withdrawn) || src[3] > uint8(Withdrawn) {
		return t, errTerms
	}
	t = Terms{
		Minor: src[1] == 1, Scoring: Decision(src[2]), Analytics: Decision(src[3]),
		EarnSeconds: int32(le.Uint32(src[4:])), NextEarnSeconds: int32(le.Uint32(src[8:])),
		NextFromMS: int64(le.Uint64(src[12:])), ExcludedUntilMS: int64(le.Uint64(src[20:])), excludedFromMS: int64(le.Uint64(src[28:])),
	}
	if t.EarnSeconds < NoLimit || t.NextEarnSeconds < NoLimit || t.NextFromMS < 0 || t.ExcludedUntilMS < 0 {
		return t, errTerms
	}
	return t, nil
}

// Bounds of a day are a byte of flags and, if it is limited, seconds.
const (
	minorBound = 1 << iota
	limitedBound
)

func appendBounds(dst []byte, b score.Bounds) []byte {
	flags := uint8(0)
	if b.Minor {
		flags |= minorBound
	}
	if b.Limited {
		flags |= limitedBound
	}
	if dst = append(dst, flags); b.Limited {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(b.EarnSeconds))
	}
	return dst
}

func readBounds(f *fields) (b score.Bounds) {
	flags := f.u8()
	f.short = f.short || flags > minorBound|limitedBound
	if b.Minor, b.Limited = flags&minorBound != 0, flags&limitedBound != 0; b.Limited {
		b.EarnSeconds = int64(f.u32())
	}
	return b
}

// SetTerms replaces the terms of a subject of a world. They hold from when they
// are durable, which they are when it returns.
//
// What makes the running day stricter holds for it: of a minor it is scored
// anew, and within a limit that was lowered nothing more is earned, while what
// was earned stays. What makes it looser holds from the next day on.
func (c *Collector) SetTerms(ctx context.Context, world uint32, subject uint64, terms Terms) error {
	p, err := c.prepareSealed(ctx, entry{kind: termsEntry, trust: TrustServer, verdict: Accepted, world: world, subject: subject}, terms.appendTo(nil))
	if err != nil {
		return fmt.Errorf("sealing the terms of a subject: %w", err)
	}
	p.terms = terms
	return c.do(ctx, []*prepared{p}, nil)
}

// Terms returns the terms of a subject.
func (c *Collector) Terms(ctx context.Context, subject uint64) (terms Terms, err error) {
	err = c.do(ctx, nil, func() error {
		who, err := c.fold.person(ctx, subject)
		if err == nil {
			terms = who.terms
		}
		return err
	})
	return terms, err
}

// changesTerms reports whether terms differ from those that hold, so that what
// is said again leaves nothing in the log.
func (f *fold) changesTerms(ctx context.Context, p *prepared) (bool, error) {
	who, err := f.person(ctx, p.subject)
	if err != nil {
		return false, err
	}
	said := p.terms
	said.excludedFromMS = who.terms.excludedFromMS
	return who.terms != said, nil
}

// setTerms folds terms and binds the running day by them.
func (f *fold) setTerms(ctx context.Context, seq uint64, p *prepared) error {
	who, err := f.person(ctx, p.subject)
	if err != nil {
		return err
	}
	f.people.change(p.subject, who)
	fromMS := who.terms.excludedFromMS
	if who.terms.ExcludedUntilMS <= f.atMS { // an earlier time is over
		fromMS = f.atMS
	}
	who.terms, who.changed = p.terms, true
	who.terms.excludedFromMS = fromMS
	today, _ := score.DayOf(f.atMS)
	owner, owning, err := f.owner(ctx, p.subject, who, today)
	if err != nil {
		return err
	}
	d, err := f.day(ctx, owner, owning, today)
	if err != nil || len(d.worlds) == 0 {
		return err // a day that begins later is bound by its first event
	}
	before := d.bounds
	f.bind(d, who, owning)
	if d.bounds != before {
		f.change(seq, dayKey{owner, today}, owning, d)
	}
	return nil
}

// bind notes on a day what the terms of its people say of it now. It only ever
// becomes stricter.
func (f *fold) bind(d *day, people ...*person) {
	b := &d.bounds
	for _, p := range people {
		b.Minor = b.Minor || p.terms.Minor
		seconds, limited := p.terms.earnSeconds(f.atMS)
		if !limited || b.Limited && b.EarnSeconds <= seconds {
			continue
		}
		// What was earned before the limit stays.
		seconds = max(seconds, d.PresentSeconds())
		if !b.Limited || seconds < b.EarnSeconds {
			b.Limited, b.EarnSeconds = true, seconds
		}
	}
}

// excludes reports whether a person earned nothing at a time, by choice.
func (t *Terms) excludes(timeMS int64) bool {
	return t.excludedFromMS <= timeMS && timeMS < t.ExcludedUntilMS
}

// refuses says why an event is not taken, because of what the person has
// decided: the person under whose name it came, or to whom that one belongs.
func (f *fold) refuses(ctx context.Context, target *person, p *prepared) (Rule, error) {
	own, err := f.person(ctx, p.subject)
	if err != nil {
		return NoRule, err
	}
	switch {
	case own.terms.Scoring == Withdrawn || target.terms.Scoring == Withdrawn:
		return ConsentWithdrawn, nil
	case own.terms.excludes(p.timeMS) || target.terms.excludes(p.timeMS):
		return SelfExcludedPerson, nil
	}
	if p.asksConsent && own.terms.Scoring != Given && target.terms.Scoring != Given {
		return ConsentMissing, nil
	}
	return NoRule, nil
}

var refusedBy = map[Rule]string{
	ConsentWithdrawn:   "the person has withdrawn consent to being metered",
	ConsentMissing:     "this world meters those who have consented: report the person's consent, then send the event again",
	SelfExcludedPerson: "the person has chosen to earn nothing for a time",
}
