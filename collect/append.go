package collect

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// write judges the entries of a batch, folds those that are kept and makes
// them durable as one batch of the log.
func (c *Collector) write(requests []*request) error {
	ctx := context.Background()
	batch := Batch{Seq: c.fold.seq + 1, ReceivedMS: max(c.now(), c.fold.receivedMS)}
	c.fold.keep(ctx, batch.ReceivedMS)
	c.fold.atMS = batch.ReceivedMS
	body, tick, behind := newDraft(c.fold.hash, batch.ReceivedMS), false, false
	for _, r := range requests {
		tick = tick || r.tick
		behind = behind || r.clock && batch.ReceivedMS-c.fold.receivedMS >= hourMS
		for _, p := range r.entries {
			kept, err := c.fold.judge(ctx, batch.ReceivedMS, p)
			if err != nil {
				return err
			}
			if !kept {
				continue
			}
			if err := c.fold.add(ctx, batch.Seq, batch.ReceivedMS, p); err != nil {
				return err
			}
			c.fold.remember(batch.ReceivedMS, position(batch.Seq, body.entries), &p.entry, false)
			body.add(&p.entry)
		}
	}
	if body.entries == 0 && !behind {
		if !tick {
			return nil
		}
		// Time takes effect by the log alone, so that a restart finds it there.
		if due, err := c.fold.isDue(ctx, batch.ReceivedMS); err != nil || !due {
			return err
		}
	}
	var hash [32]byte
	batch.Body, hash = body.finish()
	began := time.Now()
	ctx, watched := c.watch(requests, batch.Seq)
	err := c.append(ctx, batch, hash)
	if watched(err); err != nil {
		return fmt.Errorf("writing batch %d of the events: %w", batch.Seq, err)
	}
	c.stats.AppendNS.Add(int64(time.Since(began)))
	c.stats.Batches.Add(1)
	c.fold.seq, c.fold.receivedMS, c.fold.hash = batch.Seq, batch.ReceivedMS, hash
	c.fold.sinceCheckpoint += int(body.entries)
	return nil
}

// watch begins to watch a batch.
func (c *Collector) watch(requests []*request, seq uint64) (context.Context, func(error)) {
	if c.watching == nil {
		return context.Background(), func(error) {}
	}
	var contexts []context.Context
	for _, r := range requests {
		if len(r.entries) > 0 {
			contexts = append(contexts, r.ctx)
		}
	}
	return c.watching(contexts, seq)
}

// append makes a batch durable in the log and then in the second head. If the
// outcome in the log is unknown, the batch is read back first.
func (c *Collector) append(ctx context.Context, batch Batch, hash [32]byte) error {
	if err := c.log.Append(ctx, batch); err != nil {
		if errors.Is(err, ErrConflict) || !c.isThere(ctx, batch.Seq, hash) {
			return err
		}
	}
	if err := c.head.Save(batch.Seq, hash); err != nil {
		return fmt.Errorf("saving the second head: %w", err)
	}
	return nil
}

func (c *Collector) isThere(ctx context.Context, seq uint64, want [32]byte) bool {
	for there, err := range c.log.Load(ctx, seq) {
		if err != nil || there.Seq != seq {
			return false
		}
		hash, err := there.hash()
		return err == nil && hash == want
	}
	return false
}
