package collect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// A purge drops what worlds no longer keep of their events, in small steps
// beside the loop. A step reads some batches, makes their bodies shorter and
// puts them back, all or nothing, with how far each world has got; so one that
// was broken off goes on where it was. Between steps it pauses for longer than a
// step takes. Only what is in the checkpoint and has left the horizon is
// dropped, so that a start needs nothing of it.

// Bounds of a step of a purge.
const (
	// PurgeStepBatches and PurgeStepBytes bound what a step reads, except that
	// it is at least one batch; less is read while a step takes longer than
	// PurgeStepMS.
	PurgeStepBatches = 256
	PurgeStepBytes   = 1 << 20
	PurgeStepMS      = 20
	// PurgePauseMS is the shortest pause between two steps; it is four times as
	// long as a step took if that is longer.
	PurgePauseMS = 20
)

// PurgeStatistics say what purges have done.
type PurgeStatistics struct {
	// Entries and Bytes were dropped, in Steps that took NS in all.
	Entries, Bytes, Steps, NS atomic.Int64
	// Left is how many batches a purge that runs has still to look at.
	Left atomic.Int64
}

// purge is one that runs.
type purge struct {
	c *Collector
	// through is how far worlds have got, until how far they shall get.
	through, until map[uint32]uint64
	term           uint64
	// step is how many batches are read at once.
	step int
	// last is the batch that was read last, for the chain.
	last     uint64
	lastHash [32]byte
}

// Purge drops what is older than its world keeps it, and returns when there is
// no more of it. It may be broken off at any time and called again; two must not
// run at the same time.
func (c *Collector) Purge(ctx context.Context) error {
	if c.purges == nil || c.retention == nil {
		return nil
	}
	defer c.stats.Purge.Left.Store(0)
	keep, err := c.retention(ctx)
	if err != nil {
		return fmt.Errorf("finding how long events are kept: %w", err)
	}
	p := &purge{c: c, step: cmp.Or(c.purgeBatches, 16)}
	if p.through, err = c.purges.Purged(ctx); err != nil {
		return err
	}
	if err := p.plan(ctx, keep); err != nil {
		return err
	}
	for {
		began := time.Now()
		more, err := p.next(ctx)
		if err != nil || !more {
			return err
		}
		took := time.Since(began)
		c.stats.Purge.NS.Add(int64(took))
		if c.purgeBatches > 0 {
			continue
		}
		p.pace(took)
		select {
		case <-time.After(max(PurgePauseMS*time.Millisecond, 4*took)):
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return c.stopped()
		}
	}
}

// pace makes the next step smaller or larger by how long the last one took.
func (p *purge) pace(took time.Duration) {
	switch {
	case took > PurgeStepMS*time.Millisecond:
		p.step = max(1, p.step/2)
	case took < PurgeStepMS*time.Millisecond/2:
		p.step = min(PurgeStepBatches, p.step*2)
	}
}

// plan finds until which batch the events of each world are dropped. The time is
// that of the log; if the clock is past it and that would drop more, an empty
// batch says first how late it is.
func (p *purge) plan(ctx context.Context, keep map[uint32]int64) error {
	c := p.c
	atMS := int64(0)
	look := func() error {
		atMS, p.term = c.fold.receivedMS, c.fold.term
		return nil
	}
	if err := c.do(ctx, nil, look); err != nil {
		return err
	}
	nowMS := c.now()
	byClock, err := p.limits(ctx, keep, nowMS)
	if err != nil {
		return err
	}
	if len(byClock) == 0 {
		return nil
	}
	if nowMS-atMS >= hourMS {
		if err := c.give(ctx, &request{clock: true, inspect: look, done: make(chan struct{})}); err != nil {
			return err
		}
	}
	if p.until, err = p.limits(ctx, keep, atMS); err != nil || len(p.until) == 0 {
		return err
	}
	furthest := slices.Max(slices.Collect(maps.Values(p.until)))
	return c.do(ctx, nil, func() error {
		if c.fold.checkpointed >= furthest {
			return nil
		}
		return c.fold.checkpoint(ctx)
	})
}

// limits returns for the worlds of which something may be dropped at a time the
// last batch that is old enough.
func (p *purge) limits(ctx context.Context, keep map[uint32]int64, atMS int64) (until map[uint32]uint64, err error) {
	until = map[uint32]uint64{}
	before := map[int64]uint64{} // first batch that is kept, by how long
	horizonMS := (atMS/hourMS - horizonHours) * hourMS
	for world, keepMS := range keep {
		first, found := before[keepMS]
		if !found {
			if first, err = p.c.log.FirstSince(ctx, min(atMS-keepMS, horizonMS)); err != nil {
				return nil, fmt.Errorf("finding what is to be dropped: %w", err)
			}
			before[keepMS] = first
		}
		if first-1 > p.through[world] {
			until[world] = first - 1
		}
	}
	return until, nil
}

// next carries out a step; more says whether there may be another.
func (p *purge) next(ctx context.Context) (more bool, err error) {
	from, until := uint64(1<<63), uint64(0)
	for world, end := range p.until {
		if p.through[world] < end {
			from, until = min(from, p.through[world]+1), max(until, end)
		}
	}
	if until == 0 {
		return false, nil
	}
	p.c.stats.Purge.Left.Store(int64(until - from + 1))
	read, err := p.read(ctx, from, until)
	if err != nil {
		return false, err
	}
	last := read[len(read)-1].Seq
	step := Purged{Through: map[uint32]uint64{}}
	gone := map[uint64][]uint64{}
	entries, bytes := 0, 0
	for _, batch := range read {
		left, err := batch.without(func(world uint32) bool { return batch.Seq <= p.until[world] })
		if err != nil {
			return false, err
		}
		if left.dropped == 0 {
			continue
		}
		step.Batches = append(step.Batches, left.Batch)
		entries, bytes = entries+left.dropped, bytes+len(batch.Body)-len(left.Body)
		for _, subject := range left.gone {
			if known := gone[subject]; len(known) == 0 || known[len(known)-1] != batch.Seq {
				gone[subject] = append(known, batch.Seq)
			}
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(gone)) {
		step.Gone = append(step.Gone, Place{subject, gone[subject]})
	}
	for world, end := range p.until {
		// Whoever has got to before this step has nothing older in it.
		if to := min(end, last); p.through[world] < to {
			step.Through[world] = to
		}
	}
	if err := p.c.purges.Purge(ctx, p.term, step); err != nil {
		return false, fmt.Errorf("dropping what is kept no longer of batches %d to %d: %w", from, last, err)
	}
	maps.Copy(p.through, step.Through)
	stats := &p.c.stats.Purge
	stats.Entries.Add(int64(entries))
	stats.Bytes.Add(int64(bytes))
	stats.Steps.Add(1)
	return true, nil
}

// read returns the batches of a step, at least one, once it has checked that
// each follows the one before: what is damaged stays as it is.
func (p *purge) read(ctx context.Context, from, until uint64) (list []Batch, err error) {
	size := 0
	for batch, err := range p.c.log.Load(ctx, from) {
		if err != nil {
			return nil, err
		}
		previous, err := batch.previous()
		if err != nil {
			return nil, err
		}
		if batch.Seq == p.last+1 && p.last > 0 && previous != p.lastHash {
			return nil, damaged(batch.Seq, "it does not follow the batch before it, or that one was changed")
		}
		if p.lastHash, err = batch.hash(); err != nil {
			return nil, err
		}
		p.last = batch.Seq
		list, size = append(list, batch), size+len(batch.Body)
		if batch.Seq >= until || len(list) >= p.step || size >= PurgeStepBytes {
			return list, nil
		}
	}
	if len(list) == 0 {
		return nil, damaged(from, "it is missing")
	}
	return list, nil
}
