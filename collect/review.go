package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/score"
)

// found is what a version of the rules has found of a day.
type found struct {
	version uint32
	abuse.Finding
}

// maxFound bounds the findings of a day that are kept.
const maxFound = 64

// review is one pass over days by the rules of a version.
type review struct {
	rules   *abuse.Rules
	version uint32
	// counts of marks that were asked for in the pass.
	counts map[Mark]int64
	// spread are marks whose other bearers are to be looked at, others are their
	// days.
	spread map[Mark]bool
	others []another
}

// another is a day to be looked at once more, since that of somebody else by
// the same device has signals that it may have as well.
type another struct {
	dayKey
	signals abuse.Signal
}

// byDevice are the signals that follow from how many come by a device.
const byDevice = abuse.SharedDevice | abuse.Sybil

// beginReview begins a pass; nil if there are no rules.
func (c *Collector) beginReview(ctx context.Context) (*review, error) {
	if c.rules == nil {
		return nil, nil
	}
	rules, version, err := c.rules(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the review rules: %w", err)
	}
	return &review{rules: rules, version: version, counts: map[Mark]int64{}, spread: map[Mark]bool{}}, nil
}

// look assesses a day, keeps with it what was found and returns the commands
// that open cases.
func (f *fold) look(ctx context.Context, r *review, key dayKey, who *person, d *day) (cases []bank.OpenCase, err error) {
	if r == nil {
		return nil, nil
	}
	company, err := f.company(ctx, r, d)
	if err != nil {
		return nil, err
	}
	a := r.rules.Assess(d.trace(), company)
	if len(a.Findings) == 0 {
		return nil, nil
	}
	if d.keep(r.version, a.Findings) {
		d.changed = true
		f.people.change(key.subject, who)
	}
	if shared := (a.Signals | a.ShadowSignals) & byDevice; shared != 0 {
		if err := f.spread(ctx, r, key, d, shared); err != nil {
			return nil, err
		}
	}
	id, err := f.c.subjects.Person(ctx, key.subject)
	if err != nil {
		return nil, err
	}
	open := bank.OpenCase{Person: id, Day: key.day, RulesVersion: r.version}
	if a.Holds {
		open.Signals, open.TrustPermille = uint32(a.Signals), uint16(a.Trust)
		cases = append(cases, open)
	}
	if a.WouldHold {
		open.Signals, open.TrustPermille, open.Shadow = uint32(a.ShadowSignals), uint16(a.ShadowTrust), true
		cases = append(cases, open)
	}
	return cases, nil
}

// trace is what is looked at of a day: what was not imported.
func (d *day) trace() *score.Trace {
	trace := d.Trace(func(world uint32) bool { return d.world(world).policyVersion == 0 })
	return &trace
}

// signals are what was found of a day.
func (d *day) signals() (all abuse.Signal) {
	for i := range d.found {
		all |= d.found[i].Signal
	}
	return all
}

// keep notes findings in place of the same ones of before, and reports whether
// anything has changed. What is no longer found stays: a case may rest on it.
func (d *day) keep(version uint32, findings []abuse.Finding) (changed bool) {
	for _, finding := range findings {
		now := found{version, finding}
		i := slices.IndexFunc(d.found, func(old found) bool { return old.Signal == now.Signal && old.Shadow == now.Shadow })
		switch {
		case i < 0 && len(d.found) < maxFound:
			d.found, changed = append(d.found, now), true
		case i >= 0 && d.found[i] != now:
			d.found[i], changed = now, true
		}
	}
	return changed
}

// company counts whom a person shared a day with.
func (f *fold) company(ctx context.Context, r *review, d *day) (c abuse.Company, err error) {
	count := func(mark Mark) (n int64, err error) {
		n, known := r.counts[mark]
		if known {
			return n, nil
		}
		subjects, err := f.marked(ctx, mark)
		n = int64(len(subjects))
		r.counts[mark] = n
		return n, err
	}
	for _, mark := range d.marks {
		n, err := count(mark)
		if err != nil {
			return c, err
		}
		switch mark[0] {
		case deviceMark:
			c.DevicePeople = max(c.DevicePeople, n)
		case newDeviceMark:
			c.DeviceNewPeople = max(c.DeviceNewPeople, n)
		case newcomerMark:
			if n <= c.NewPeople {
				continue
			}
			c.NewPeople, c.NewBefore = n, 0
			world, hour := binary.LittleEndian.Uint32(mark[1:]), int64(binary.LittleEndian.Uint64(mark[8:]))
			for before := hour - 24; before < hour; before++ {
				n, err := count(newcomers(world, before))
				if err != nil {
					return c, err
				}
				c.NewBefore += n
			}
		}
	}
	return c, nil
}

// spread lets the days of all who came by the same devices be looked at, since
// those of before could not know how many there would be.
func (f *fold) spread(ctx context.Context, r *review, key dayKey, d *day, signals abuse.Signal) error {
	for _, mark := range d.marks {
		if mark[0] != deviceMark || r.spread[mark] {
			continue
		}
		r.spread[mark] = true
		subjects, err := f.marked(ctx, mark)
		if err != nil {
			return err
		}
		for _, subject := range subjects {
			other := dayKey{subject, key.day}
			if _, waits := f.dirty[other]; !waits {
				r.others = append(r.others, another{other, signals})
			}
		}
	}
	return nil
}

// lookAgain lets days be looked at that have not changed.
func (f *fold) lookAgain(ctx context.Context, others []another) error {
	for _, other := range others {
		key := other.dayKey
		who, err := f.person(ctx, key.subject)
		if err != nil {
			return err
		}
		d, err := f.day(ctx, key.subject, who, key.day)
		if err != nil {
			return err
		}
		if d.seq == 0 || d.signals()&other.signals == other.signals {
			continue // erased meanwhile, or nothing new
		}
		d.dirty, d.changed = true, true
		f.dirty[key] = struct{}{}
		f.people.change(key.subject, who)
	}
	return nil
}

// Found is what rules have found of a day.
type Found struct {
	Day          int32
	RulesVersion uint32
	abuse.Finding
}

// maxFoundDays bounds the days of one question for findings.
const maxFoundDays = 31

// Findings returns what was found of a subject's days, both included: of the
// last 31 of them. What is erased is gone with the days.
func (c *Collector) Findings(ctx context.Context, subject uint64, fromDay, toDay int32) (list []Found, err error) {
	err = c.do(ctx, nil, func() error {
		for number := max(fromDay, toDay-maxFoundDays+1); number <= toDay; number++ {
			who, err := c.fold.person(ctx, subject)
			if err != nil {
				return err
			}
			d, err := c.fold.day(ctx, subject, who, number)
			if err != nil {
				return err
			}
			for _, f := range d.found {
				list = append(list, Found{number, f.version, f.Finding})
			}
		}
		return nil
	})
	return list, err
}

func appendFound(dst []byte, list []found) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(list)))
	for i := range list {
		f := &list[i]
		dst = le.AppendUint32(le.AppendUint32(dst, f.version), uint32(f.Signal))
		shadow := uint8(0)
		if f.Shadow {
			shadow = 1
		}
		dst = append(dst, shadow)
		for _, n := range [...]int64{f.Cost, f.Value, f.Limit, f.Beside} {
			dst = le.AppendUint64(dst, uint64(n))
		}
	}
	return dst
}

func readFound(f *fields) (list []found) {
	for n := f.u32(); n > 0 && !f.short; n-- {
		list = append(list, found{f.u32(), abuse.Finding{Signal: abuse.Signal(f.u32()), Shadow: f.u8() == 1, Cost: f.i64(), Value: f.i64(), Limit: f.i64(), Beside: f.i64()}})
	}
	return list
}

// appeal is what a person says about a case.
type appeal struct {
	number uint64 // of the case
	atMS   int64
	text   string
}

// Bounds of appeals.
const (
	MaxAppealBytes = 16_000 // 4,000 characters of any script
	// maxAppeals of a person are kept, the last ones.
	maxAppeals = 16
)

// ErrAppeal is returned for an appeal whose text is too long.
var ErrAppeal = errors.New("an appeal has up to 16000 bytes")

// Appeal makes what a person says about a case durable, sealed under the
// person's key.
func (c *Collector) Appeal(ctx context.Context, world uint32, subject, number uint64, text string) error {
	if len(text) > MaxAppealBytes {
		return ErrAppeal
	}
	p, err := c.prepareSealed(ctx, entry{kind: appealEntry, trust: TrustServer, verdict: Accepted, world: world, subject: subject}, append(binary.LittleEndian.AppendUint64(nil, number), text...))
	if err != nil {
		return fmt.Errorf("sealing an appeal: %w", err)
	}
	p.appeal = appeal{number: number, text: text}
	return c.do(ctx, []*prepared{p}, nil)
}

// Said is what a person has said about a case.
type Said struct {
	Case uint64
	AtMS int64
	Text string
}

// Appeals returns what a subject has said about cases, the last 16.
func (c *Collector) Appeals(ctx context.Context, subject uint64) (list []Said, err error) {
	err = c.do(ctx, nil, func() error {
		who, err := c.fold.person(ctx, subject)
		if err != nil {
			return err
		}
		for _, a := range who.appeals {
			list = append(list, Said{a.number, a.atMS, a.text})
		}
		return nil
	})
	return list, err
}

// appealed notes an appeal; said again in the same words about the same case it
// is the same.
func (p *person) appealed(a appeal, receivedMS int64) {
	a.atMS = receivedMS
	if slices.ContainsFunc(p.appeals, func(old appeal) bool { return old.number == a.number && old.text == a.text }) {
		return
	}
	p.appeals = append(p.appeals[max(len(p.appeals)-maxAppeals+1, 0):], a)
	p.changed = true
}

func appendAppeals(dst []byte, list []appeal) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(list)))
	for _, a := range list {
		dst = le.AppendUint16(le.AppendUint64(le.AppendUint64(dst, a.number), uint64(a.atMS)), uint16(len(a.text)))
		dst = append(dst, a.text...)
	}
	return dst
}

func readAppeals(f *fields) (list []appeal) {
	for n := f.u32(); n > 0 && !f.short; n-- {
		a := appeal{number: f.u64(), atMS: f.i64()}
		a.text = string(f.take(int(f.u16())))
		list = append(list, a)
	}
	return list
}
