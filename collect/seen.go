package collect

import "slices"

// seen remembers the message ids that arrived within the horizon, exactly, in
// partitions by the UTC day of their arrival, which are dropped whole.
type seen struct{ days []seenDay }

type seenDay struct {
	day     int64
	entries map[digest]seenEntry
}

// seenEntry says where an event is in the log and what became of it.
type seenEntry struct {
	position uint64
	verdict  Verdict
	rule     Rule
}

// position packs a batch's sequence and an entry's index.
func position(seq uint64, index uint32) uint64 { return seq<<20 | uint64(index) }

func (e seenEntry) batch() (seq uint64, index uint32) {
	return e.position >> 20, uint32(e.position & (1<<20 - 1))
}

func (s *seen) find(d digest) (seenEntry, bool) {
	for i := len(s.days) - 1; i >= 0; i-- {
		if entry, found := s.days[i].entries[d]; found {
			return entry, true
		}
	}
	return seenEntry{}, false
}

// remember notes an entry of the log. What has left the horizon is forgotten;
// a partition is kept until its last moment has.
func (f *fold) remember(receivedMS int64, position uint64, e *entry) {
	const dayMS = 24 * 60 * 60 * 1000
	if e.kind != eventEntry {
		return
	}
	day := receivedMS / dayMS
	s := &f.seen
	if len(s.days) == 0 || s.days[len(s.days)-1].day != day {
		s.days = slices.DeleteFunc(s.days, func(old seenDay) bool { return (old.day+1)*dayMS <= receivedMS-HorizonMS })
		s.days = append(s.days, seenDay{day, map[digest]seenEntry{}})
	}
	s.days[len(s.days)-1].entries[e.digest] = seenEntry{position, e.verdict, e.rule}
}

// accept notes that an event that was quarantined counts now.
func (s *seen) accept(d digest) {
	for i := range s.days {
		if entry, found := s.days[i].entries[d]; found {
			entry.verdict, entry.rule = Accepted, NoRule
			s.days[i].entries[d] = entry
		}
	}
}
