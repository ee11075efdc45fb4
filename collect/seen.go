package collect

import (
	"context"
	"slices"
	"sync/atomic"
)

// seen remembers the message ids that arrived within the horizon, exactly, to
// the hour of their arrival: an id is a duplicate until the hour in which it
// arrived is HorizonMS past. The hours that are over are put into blocks, of
// which a directory stays in memory; the blocks of a day that is over are put
// into one.
type seen struct {
	hours  []seenHour // the youngest last; those that are over wait to be put away
	blocks []*block   // the youngest last
	// from is the first batch whose ids are not in blocks.
	from uint64
	job  *keeping // runs beside the loop; nil if none does
}

type seenHour struct {
	hour        int64
	first, last uint64 // batches
	entries     map[digest]seenEntry
}

// seenEntry says where an event is in the log and what became of it.
type seenEntry struct {
	position uint64
	verdict  Verdict
	rule     Rule
	// asArrived says that the verdict is the one on arrival, read from the log
	// by a restart or from a block; the event may have been vouched for since.
	asArrived bool
}

const (
	hourMS       = 60 * 60 * 1000
	horizonHours = HorizonMS / hourMS
)

// position packs a batch's sequence and an entry's index.
func position(seq uint64, index uint32) uint64 { return seq<<20 | uint64(index) }

func (e seenEntry) batch() (seq uint64, index uint32) {
	return e.position >> 20, uint32(e.position & (1<<20 - 1))
}

// find returns what is remembered of a digest at a time of the log.
func (f *fold) find(ctx context.Context, receivedMS int64, d digest) (seenEntry, bool, error) {
	s, oldest := &f.seen, receivedMS/hourMS-horizonHours
	for i := len(s.hours) - 1; i >= 0; i-- {
		if entry, found := s.hours[i].entries[d]; found {
			return entry, s.hours[i].hour >= oldest, nil
		}
	}
	for i := len(s.blocks) - 1; i >= 0; i-- {
		kept, found, err := s.blocks[i].find(ctx, f.c.blocks, d)
		if err != nil {
			return seenEntry{}, false, err
		}
		if found {
			return kept.seenEntry, kept.hour >= oldest, nil
		}
	}
	return seenEntry{}, false, nil
}

// remember notes an entry of the log.
func (f *fold) remember(receivedMS int64, position uint64, e *entry, asArrived bool) {
	seq, s := position>>20, &f.seen
	if e.kind != eventEntry || seq < s.from {
		return
	}
	hour := receivedMS / hourMS
	if len(s.hours) == 0 || s.hours[len(s.hours)-1].hour != hour {
		s.hours = append(s.hours, seenHour{hour: hour, first: seq, entries: map[digest]seenEntry{}})
	}
	now := &s.hours[len(s.hours)-1]
	now.last = seq
	now.entries[e.digest] = seenEntry{position, e.verdict, e.rule, asArrived}
}

// accept notes that an event that was quarantined counts now. What a block says
// is as it arrived.
func (s *seen) accept(d digest) {
	for i := range s.hours {
		if entry, found := s.hours[i].entries[d]; found {
			entry.verdict, entry.rule, entry.asArrived = Accepted, NoRule, false
			s.hours[i].entries[d] = entry
		}
	}
}

// forget drops what has left the horizon, seen from the last batch of the log:
// a restart remembers as much.
func (f *fold) forget(ctx context.Context) {
	s, oldest := &f.seen, f.receivedMS/hourMS-horizonHours
	s.hours = slices.DeleteFunc(s.hours, func(h seenHour) bool { return h.hour < oldest })
	for len(s.blocks) > 0 && s.blocks[0].Hour+s.blocks[0].Hours <= oldest {
		f.drop(ctx, s.blocks[0].BlockInfo)
		s.blocks = s.blocks[1:]
	}
}

// drop removes a block that is no longer looked into. One that cannot be
// removed costs space only, until the next start.
func (f *fold) drop(ctx context.Context, info BlockInfo) {
	if err := f.c.blocks.DropBlock(ctx, info); err != nil {
		f.c.stats.Seen.Faults.Add(1)
	}
}

// SeenStatistics say where message ids are remembered.
type SeenStatistics struct {
	InMemory, InBlocks, Blocks, DirectoryBytes atomic.Int64
	// Faults counts blocks that could not be kept, read or dropped, and are
	// tried again.
	Faults atomic.Int64
}

func (f *fold) countSeen() {
	var memory, entries, directory int64
	for i := range f.seen.hours {
		memory += int64(len(f.seen.hours[i].entries))
	}
	for _, b := range f.seen.blocks {
		entries += int64(b.Entries)
		directory += int64(4*len(b.filter) + 8*len(b.firsts))
	}
	s := &f.c.stats.Seen
	s.InMemory.Store(memory)
	s.InBlocks.Store(entries)
	s.Blocks.Store(int64(len(f.seen.blocks)))
	s.DirectoryBytes.Store(directory)
}
