package collect

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
)

// keeping is a block that is being put away beside the loop: an hour that is
// over, or several blocks that become one.
type keeping struct {
	made   *block
	err    error
	done   chan struct{}
	merges bool // it takes the place of others
}

// keep takes in what was put away and begins to put away what is over. It is
// called between batches.
func (f *fold) keep(ctx context.Context, receivedMS int64) {
	defer f.countSeen()
	f.takeIn(ctx)
	hour := receivedMS / hourMS
	if f.seen.job != nil || hour == f.keptHour {
		return
	}
	f.forget(ctx)
	if f.c.blocks == nil {
		f.keptHour = hour
		return
	}
	if len(f.seen.hours) > 0 && f.seen.hours[0].hour < hour {
		hash, err := f.hashOf(ctx, f.seen.hours[0].last)
		if err != nil {
			f.c.stats.Seen.Faults.Add(1)
			f.keptHour = hour // to be tried again in the next hour
			return
		}
		f.begin(f.hourJob(f.seen.hours[0], hash))
	} else if at, count := f.mergeable(hour); count > 1 {
		f.begin(f.mergeJob(at, count))
	} else {
		f.keptHour = hour // until the next hour nothing is over
	}
}

func (f *fold) begin(job *keeping, make func(context.Context) (*block, error)) {
	f.seen.job = job
	go func() {
		defer close(job.done)
		job.made, job.err = make(f.c.keepers)
	}()
}

// endKeeping breaks off what is being put away: it is done again from the log.
func (f *fold) endKeeping() {
	f.c.endKeepers()
	if f.seen.job != nil {
		<-f.seen.job.done
	}
}

// takeIn notes that a block was put away. One that could not be is tried again
// in the next hour.
func (f *fold) takeIn(ctx context.Context) {
	s, job := &f.seen, f.seen.job
	if job == nil {
		return
	}
	select {
	case <-job.done:
	default:
		return
	}
	s.job = nil
	if job.err != nil {
		f.c.stats.Seen.Faults.Add(1)
		f.keptHour = f.receivedMS / hourMS
		return
	}
	if !job.merges {
		s.hours = slices.DeleteFunc(s.hours, func(h seenHour) bool { return h.hour == job.made.Hour })
		s.blocks = append(s.blocks, job.made)
		s.from = job.made.Last + 1
		return
	}
	// Those at the front may have left the horizon meanwhile, and been dropped.
	at := slices.IndexFunc(s.blocks, func(b *block) bool { return b.Last >= job.made.First })
	end := slices.IndexFunc(s.blocks, func(b *block) bool { return b.Last == job.made.Last }) + 1
	for _, old := range s.blocks[at:end] {
		f.drop(ctx, old.BlockInfo)
	}
	s.blocks = slices.Replace(s.blocks, at, end, job.made)
}

// hourJob puts away an hour that is over. The loop may still note that an event
// of it was vouched for, so the entries are copied.
func (f *fold) hourJob(h seenHour, hash [32]byte) (*keeping, func(context.Context) (*block, error)) {
	entries := make([]rememberedID, 0, len(h.entries))
	for d, e := range h.entries {
		entries = append(entries, rememberedID{d, e, h.hour})
	}
	info := BlockInfo{First: h.first, Last: h.last, Hour: h.hour, Hours: 1, Hash: hash}.describe(uint64(len(entries)))
	return &keeping{done: make(chan struct{})}, func(ctx context.Context) (*block, error) {
		slices.SortFunc(entries, func(a, b rememberedID) int { return bytes.Compare(a.digest[:], b.digest[:]) })
		return f.c.putBlock(ctx, info, func(yield func(rememberedID, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		})
	}
}

func (c *Collector) putBlock(ctx context.Context, info BlockInfo, entries iter.Seq2[rememberedID, error]) (*block, error) {
	if err := c.blocks.PutBlock(ctx, info, blockPages(info, entries)); err != nil {
		return nil, err
	}
	return openBlock(ctx, c.blocks, info)
}

// mergeable returns the blocks of the oldest day that is over and has several.
func (f *fold) mergeable(hour int64) (at, count int) {
	blocks := f.seen.blocks
	for at < len(blocks) {
		day := blocks[at].Hour / MaxBlockHours
		count = 1
		for at+count < len(blocks) && blocks[at+count].Hour/MaxBlockHours == day {
			count++
		}
		if count > 1 && day < hour/MaxBlockHours {
			return at, count
		}
		at += count
	}
	return 0, 0
}

// mergeJob makes one block of several.
func (f *fold) mergeJob(at, count int) (*keeping, func(context.Context) (*block, error)) {
	parts := slices.Clone(f.seen.blocks[at : at+count])
	first, last := parts[0], parts[count-1]
	info := BlockInfo{First: first.First, Last: last.Last, Hour: first.Hour, Hours: last.Hour + last.Hours - first.Hour, Hash: last.Hash}
	entries := uint64(0)
	for _, part := range parts {
		entries += part.Entries
	}
	info = info.describe(entries)
	return &keeping{done: make(chan struct{}), merges: true}, func(ctx context.Context) (*block, error) {
		return f.c.putBlock(ctx, info, f.c.merged(ctx, parts))
	}
}

// merged yields the entries of several blocks in one order.
func (c *Collector) merged(ctx context.Context, parts []*block) iter.Seq2[rememberedID, error] {
	return func(yield func(rememberedID, error) bool) {
		type run struct {
			head rememberedID
			next func() (rememberedID, error, bool)
		}
		var runs []*run
		advance := func(r *run) (ok bool, err error) {
			r.head, err, ok = r.next()
			return ok, err
		}
		for _, part := range parts {
			next, stop := iter.Pull2(part.all(ctx, c.blocks))
			defer stop()
			r := &run{next: next}
			ok, err := advance(r)
			if err != nil {
				yield(rememberedID{}, err)
				return
			}
			if ok {
				runs = append(runs, r)
			}
		}
		for len(runs) > 0 {
			least := slices.MinFunc(runs, func(a, b *run) int {
				return cmp.Or(bytes.Compare(a.head.digest[:], b.head.digest[:]), cmp.Compare(a.head.position, b.head.position))
			})
			if !yield(least.head, nil) {
				return
			}
			ok, err := advance(least)
			if err != nil {
				yield(rememberedID{}, err)
				return
			}
			if !ok {
				runs = slices.DeleteFunc(runs, func(r *run) bool { return r == least })
			}
		}
	}
}

// openBlock opens a block of this log.
func (f *fold) openBlock(ctx context.Context, info BlockInfo) (*block, error) {
	hash, err := f.hashOf(ctx, info.Last)
	if err != nil {
		return nil, err
	}
	if hash != info.Hash {
		return nil, fmt.Errorf("the block of message ids %d to %d is of another log", info.First, info.Last)
	}
	return openBlock(ctx, f.c.blocks, info)
}

func (f *fold) hashOf(ctx context.Context, seq uint64) (hash [32]byte, err error) {
	for batch, err := range f.c.log.Load(ctx, seq) {
		if err != nil {
			return hash, err
		}
		return batch.hash()
	}
	return hash, fmt.Errorf("batch %d of the events is not there", seq)
}

// openBlocks finds the blocks from a batch on that follow each other without a
// gap, drops all others, and returns the batch behind the last.
func (f *fold) openBlocks(ctx context.Context, from uint64) (behind uint64, err error) {
	if f.c.blocks == nil {
		return from, nil
	}
	infos, err := f.c.blocks.Blocks(ctx)
	if err != nil {
		return from, err
	}
	end, err := f.c.log.FirstSince(ctx, 1<<63-1)
	if err != nil {
		return from, err
	}
	behind = from
	for _, info := range infos {
		// A block may begin before the horizon, and one that was merged stands
		// before its parts.
		fits := info.First <= behind && info.Last >= behind && info.Last < end && info.Hour+info.Hours > f.oldestHour
		var opened *block
		if fits {
			if opened, err = f.openBlock(ctx, info); err != nil {
				f.c.stats.Seen.Faults.Add(1) // its ids are read from the log
			}
		}
		if opened == nil {
			f.drop(ctx, info)
			continue
		}
		f.seen.blocks = append(f.seen.blocks, opened)
		behind = info.Last + 1
	}
	return behind, nil
}
