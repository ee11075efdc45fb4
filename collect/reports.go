package collect

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/attentionbank/attentionbank/event"
)

// Report is an entry of the log about a person, opened.
type Report struct {
	Batch      uint64
	ReceivedMS int64
	// Kind is event, session, link, appeal or terms.
	Kind    string
	World   uint32
	Trust   Trust
	Verdict Verdict
	Rule    Rule
	// PolicyVersion is that of an import; 0 for what is live.
	PolicyVersion uint32
	// Event is what a client reported, and HappenedMS when that was by the bank's
	// judgement.
	Event      event.Event
	HappenedMS int64
	// FromMS and UntilMS are those of a session. Other is the anonymous subject
	// that it united with the person, or to whom a link joins the person's days.
	FromMS, UntilMS int64
	Other           uint64
	Ends            bool // of a link: it ends
	// Case and Text are those of an appeal.
	Case  uint64
	Text  string
	Terms Terms
}

var reportKinds = [...]string{eventEntry: "event", sessionEntry: "session", linkEntry: "link", appealEntry: "appeal", termsEntry: "terms"}

// Folded is what is known of a subject apart from days.
type Folded struct {
	// SinceMS and SinceWorld are when and where the person was first reported; 1
	// ms for who is known of old.
	SinceMS    int64
	SinceWorld uint32
	// Waiting are events that no session covers yet.
	Waiting  int
	Sessions [][2]int64 // from, until
	Spends   []Spend
	Refunds  []Spend
	Terms    Terms
	// Batch is the last batch of the log.
	Batch uint64
}

// Spend is an order in its refund window, which ends at AtMS, or a refund that
// arrived at AtMS and has met no order yet.
type Spend struct {
	World uint32
	AtMS  int64
	Minor int64
}

// Folded returns what is known of a subject.
func (c *Collector) Folded(ctx context.Context, subject uint64) (known Folded, err error) {
	err = c.do(ctx, nil, func() error {
		who, err := c.fold.person(ctx, subject)
		if err != nil {
			return err
		}
		known = Folded{SinceMS: who.since.ms, SinceWorld: who.since.world, Waiting: len(who.waiting), Terms: who.terms, Batch: c.fold.seq}
		for _, s := range who.sessions {
			known.Sessions = append(known.Sessions, [2]int64{s.fromMS, s.untilMS})
		}
		for _, s := range who.spends {
			known.Spends = append(known.Spends, Spend{s.world, s.dueMS, s.minor})
		}
		for _, r := range who.refunds {
			known.Refunds = append(known.Refunds, Spend{0, r.receivedMS, r.minor})
		}
		return nil
	})
	return known, err
}

// Days returns up to limit days of which something is known of a subject, behind
// one, in order. Before the first is PersonPart.
func (c *Collector) Days(ctx context.Context, subject uint64, after int32, limit int) (days []int32, err error) {
	err = c.do(ctx, nil, func() error {
		if c.fold.stored {
			if days, err = c.checkpoints.Days(ctx, subject, after, limit); err != nil {
				return err
			}
		}
		if who, found := c.fold.people.find(subject); found {
			for number, d := range who.days {
				if number > after && d.seq != 0 {
					days = append(days, number)
				}
			}
		}
		return nil
	})
	slices.Sort(days)
	days = slices.Compact(days)
	return days[:min(len(days), limit)], err
}

// Reports yields what the log has of a person up to a batch: of the user first,
// then of each device that is or was the user's, as far as it was. The log is
// read beside the loop. What worlds no longer keep is not there.
func (c *Collector) Reports(ctx context.Context, subject uint64, devices []uint64, until uint64) iter.Seq2[Report, error] {
	return func(yield func(Report, error) bool) {
		devices := slices.Clone(devices)
		owned := func(e *entry) bool {
			if e.kind == sessionEntry && e.other != 0 && e.subject == subject && !slices.Contains(devices, e.other) {
				devices = append(devices, e.other)
			}
			return e.subject == subject
		}
		if !c.reportsOf(ctx, subject, until, owned, yield) {
			return
		}
		for i := 0; i < len(devices); i++ { // of which more may have been found
			device := devices[i]
			mine, err := c.wasAlways(ctx, device, subject)
			if err != nil {
				yield(Report{}, err)
				return
			}
			owned := func(e *entry) bool {
				if e.kind == sessionEntry && e.other == device {
					mine = e.subject == subject
					return false // it was told of the user
				}
				return mine && e.subject == device
			}
			if !c.reportsOf(ctx, device, until, owned, yield) {
				return
			}
		}
	}
}

// wasAlways reports whether a device has been of one user only. Of one that was
// handed on, what came before a session that says whose it is is nobody's.
func (c *Collector) wasAlways(ctx context.Context, device, user uint64) (always bool, err error) {
	err = c.do(ctx, nil, func() error {
		who, err := c.fold.person(ctx, device)
		if err == nil {
			always = (who.united == user || who.united == 0) && !slices.ContainsFunc(who.former, func(of uint64) bool { return of != user })
		}
		return err
	})
	return always, err
}

// reportsOf yields the entries of a subject's batches that are owned. It reports
// whether to go on.
func (c *Collector) reportsOf(ctx context.Context, subject, until uint64, owned func(*entry) bool, yield func(Report, error) bool) bool {
	for seq, err := range c.batchesOf(ctx, subject, until) {
		if err != nil {
			return yield(Report{}, err) && false
		}
		for batch, err := range c.log.Load(ctx, seq) {
			if err != nil {
				return yield(Report{}, err) && false
			}
			if batch.Seq != seq {
				break
			}
			for e, err := range batch.entries() {
				if err != nil {
					return yield(Report{}, err) && false
				}
				if !owned(&e) {
					continue
				}
				report, err := c.report(ctx, batch, e)
				if errors.Is(err, ErrErased) {
					continue
				}
				if err != nil {
					err = fmt.Errorf("an entry of batch %d: %w", seq, err)
				}
				if !yield(report, err) || err != nil {
					return false
				}
			}
			break
		}
	}
	return true
}

// batchesOf yields the batches up to one that have entries of a subject.
func (c *Collector) batchesOf(ctx context.Context, subject, until uint64) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		var fresh []uint64
		stored := false
		err := c.do(ctx, nil, func() error {
			fresh, stored = slices.Clone(c.fold.places[subject]), c.fold.stored
			return nil
		})
		if err != nil {
			yield(0, err)
			return
		}
		last := uint64(0)
		tell := func(batches []uint64) bool {
			for _, seq := range batches {
				if seq <= last {
					continue // a checkpoint has it meanwhile
				}
				if last = seq; seq > until || !yield(seq, nil) {
					return false
				}
			}
			return true
		}
		const places = 16
		for after := uint64(0); stored; {
			page, err := c.checkpoints.Places(ctx, subject, after, places)
			if err != nil {
				yield(0, err)
				return
			}
			for _, p := range page {
				if after = p.Batches[0]; !tell(p.Batches) {
					return
				}
			}
			if len(page) < places {
				break
			}
		}
		tell(fresh)
	}
}

func (c *Collector) report(ctx context.Context, batch Batch, e entry) (Report, error) {
	r := Report{
		Batch: batch.Seq, ReceivedMS: batch.ReceivedMS, World: e.world, Trust: e.trust, Verdict: e.verdict, Rule: e.rule,
		PolicyVersion: e.policyVersion, Other: e.other,
	}
	if int(e.kind) >= len(reportKinds) {
		return r, damaged(batch.Seq, "an entry of kind %d is unknown", e.kind)
	}
	r.Kind = reportKinds[e.kind]
	p, err := c.fold.open(ctx, e)
	if err != nil {
		return r, err
	}
	r.Event, r.HappenedMS = p.reported, p.timeMS
	r.FromMS, r.UntilMS = p.session.fromMS, p.session.untilMS
	r.Ends = p.linking == endLink
	r.Case, r.Text, r.Terms = p.appeal.number, p.appeal.text, p.terms
	return r, nil
}
