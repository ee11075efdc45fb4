// Package patrol follows the journal and keeps the alerts that a watch over
// people's conduct raises. It keeps nothing on disk: after a start it reads the
// last days of the journal again and finds the same.
package patrol

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/conduct"
)

// Source is where records come from. The journal is joined to it in the
// composition root.
type Source interface {
	// Load yields the records from a sequence on, in order and without a gap.
	Load(ctx context.Context, from uint64) iter.Seq2[Record, error]
	// Durable returns the sequence of the last record that is durable.
	Durable() uint64
	// WaitNewer returns when a record behind seq is durable, or when there will
	// be none any more, or when ctx has ended.
	WaitNewer(ctx context.Context, seq uint64)
}

// Record is what became durable together.
type Record struct {
	Seq     uint64
	TimeMS  int64
	Answers []Answer
}

// Answer is what the bank answered to a command.
type Answer struct {
	IsTransfer bool
	Facts      []byte // see bank.Facts
}

const (
	// windowMS is how far back a start reads: what the rules of package conduct
	// look at, and a day.
	windowMS = 9 * 24 * 60 * 60 * 1000
	// keep is how many alerts are kept; the oldest go first.
	keep = 10_000
)

// Patrol keeps alerts. Run is for one goroutine; Alerts may be called from any.
type Patrol struct {
	source Source
	fold   *conduct.Fold

	mu     sync.Mutex
	alerts []conduct.Alert // the oldest first
	seq    uint64          // the last record that was read
}

// New returns a patrol that has read nothing. ties, which may be nil, says what
// people have in common.
func New(source Source, known conduct.Known, ties conduct.Ties) *Patrol {
	p := &Patrol{source: source, fold: conduct.NewFold(known)}
	p.fold.Ask(ties)
	return p
}

// Run follows until ctx ends, or the journal does, or something fails. nowMS is
// the time from which the first of its days is counted back.
func (p *Patrol) Run(ctx context.Context, nowMS int64) error {
	for ctx.Err() == nil {
		if err := p.CatchUp(ctx, nowMS); err != nil {
			return err
		}
		at := p.Seq()
		p.source.WaitNewer(ctx, at)
		if p.source.Durable() <= at {
			return nil
		}
	}
	return nil
}

// CatchUp reads what is durable when it is called.
func (p *Patrol) CatchUp(ctx context.Context, nowMS int64) error {
	if p.Seq() == 0 {
		first, err := p.firstSince(ctx, nowMS-windowMS)
		if err != nil {
			return fmt.Errorf("looking for the last days of the journal: %w", err)
		}
		p.begin(first - 1)
	}
	at, durable := p.Seq(), p.source.Durable()
	if at >= durable {
		return nil
	}
	for record, err := range p.source.Load(ctx, at+1) {
		if err == nil {
			err = p.add(record)
		}
		if err != nil {
			return fmt.Errorf("watching record %d: %w", at+1, err)
		}
		if at = record.Seq; at >= durable {
			return nil
		}
	}
	return fmt.Errorf("watching the journal: it ended at record %d, and %d is durable", at, durable)
}

// firstSince returns the first record at a time or later.
func (p *Patrol) firstSince(ctx context.Context, timeMS int64) (uint64, error) {
	low, high := uint64(1), p.source.Durable()+1
	for low < high {
		middle := low + (high-low)/2
		atMS, err := p.timeOf(ctx, middle)
		if err != nil {
			return 0, err
		}
		if atMS < timeMS {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

func (p *Patrol) timeOf(ctx context.Context, seq uint64) (int64, error) {
	for record, err := range p.source.Load(ctx, seq) {
		return record.TimeMS, err
	}
	return 0, fmt.Errorf("the journal has no record %d", seq)
}

func (p *Patrol) add(record Record) error {
	for _, answer := range record.Answers {
		if err := p.fold.Add(record.TimeMS, answer.IsTransfer, answer.Facts); err != nil {
			return err
		}
	}
	found := p.fold.Alerts()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq = record.Seq
	p.alerts = append(p.alerts, found...)
	if over := len(p.alerts) - keep; over > 0 {
		p.alerts = slices.Delete(p.alerts, 0, over)
	}
	return nil
}

// begin lets reading begin behind a record.
func (p *Patrol) begin(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq = seq
}

// Seq returns the last record that was read.
func (p *Patrol) Seq() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seq
}

// Query says which alerts to return.
type Query struct {
	Kind    conduct.Kind // of this one only, if OneKind
	OneKind bool
	Market  uint32 // of this one only; 0 for all
	Person  uint64 // that list this one only; 0 for all
	Before  string // older than the alert of this id; empty for the newest
	Limit   int
}

// Alerts returns alerts, the newest first. found is false if the query begins
// behind an alert that is not kept.
func (p *Patrol) Alerts(query Query) (list []conduct.Alert, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found = query.Before == ""
	for _, a := range slices.Backward(p.alerts) {
		if len(list) == query.Limit {
			break
		}
		if !found {
			found = a.ID() == query.Before
			continue
		}
		if (!query.OneKind || a.Kind == query.Kind) && (query.Market == 0 || a.Market == query.Market) &&
			(query.Person == 0 || slices.Contains(a.People, query.Person)) {
			list = append(list, a)
		}
	}
	return list, found
}
