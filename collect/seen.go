package collect

import (
	"context"
	"fmt"
	"slices"
)

// seen remembers the message ids that arrived within the horizon, exactly: by
// the hour of their arrival, which goes by the time of the log, so that a
// restart forgets the same. They lie in partitions by the day, which are
// dropped whole.
type seen struct{ days []seenDay }

type seenDay struct {
	day     int64
	entries map[digest]seenEntry
}

// seenEntry says where an event is in the log and what became of it.
type seenEntry struct {
	position uint64
	hour     int32 // of its arrival
	verdict  Verdict
	rule     Rule
	// asArrived says that the verdict is the one on arrival, read from the log
	// by a restart; the event may have been vouched for since.
	asArrived bool
}

// position packs a batch's sequence and an entry's index.
func position(seq uint64, index uint32) uint64 { return seq<<20 | uint64(index) }

func (e seenEntry) batch() (seq uint64, index uint32) {
	return e.position >> 20, uint32(e.position & (1<<20 - 1))
}

const hourMS = 60 * 60 * 1000

// hourOf returns the hour of a time, in hours since 1970-01-01 UTC.
func hourOf(timeMS int64) int32 { return int32(timeMS / hourMS) }

// find finds what arrived within the horizon of a time.
func (s *seen) find(nowMS int64, d digest) (seenEntry, bool) {
	for i := len(s.days) - 1; i >= 0; i-- {
		if entry, found := s.days[i].entries[d]; found {
			return entry, entry.hour >= hourOf(nowMS-HorizonMS)
		}
	}
	return seenEntry{}, false
}

// remember notes an entry of the log. What has left the horizon is forgotten;
// a partition is kept until its last moment has.
func (f *fold) remember(receivedMS int64, position uint64, e *entry, asArrived bool) {
	const dayMS = 24 * 60 * 60 * 1000
	if e.kind != eventEntry || e.rule == NoMessageID {
		return
	}
	day := receivedMS / dayMS
	s := &f.seen
	if len(s.days) == 0 || s.days[len(s.days)-1].day != day {
		s.days = slices.DeleteFunc(s.days, func(old seenDay) bool { return hourOf((old.day+1)*dayMS) <= hourOf(receivedMS-HorizonMS) })
		s.days = append(s.days, seenDay{day, map[digest]seenEntry{}})
	}
	s.days[len(s.days)-1].entries[e.digest] = seenEntry{position, hourOf(receivedMS), e.verdict, e.rule, asArrived}
}

// accept notes that an event that was quarantined counts now.
func (s *seen) accept(d digest) {
	for i := range s.days {
		if entry, found := s.days[i].entries[d]; found {
			entry.verdict, entry.rule, entry.asArrived = Accepted, NoRule, false
			s.days[i].entries[d] = entry
		}
	}
}

// first returns what became of the first event of a message id. An event that
// was quarantined before a restart may have been vouched for since: then it no
// longer waits.
func (f *fold) first(ctx context.Context, nowMS int64, d digest) (seenEntry, bool, error) {
	entry, found := f.seen.find(nowMS, d)
	if !found || !entry.asArrived || entry.verdict != Quarantined || entry.rule != Unvouched {
		return entry, found, nil
	}
	waits, err := f.waits(ctx, entry, d)
	if err == nil && !waits {
		f.seen.accept(d)
		entry.verdict, entry.rule = Accepted, NoRule
	}
	return entry, true, err
}

// waits reports whether an event still waits to be vouched for.
func (f *fold) waits(ctx context.Context, e seenEntry, d digest) (bool, error) {
	seq, index := e.batch()
	for batch, err := range f.c.log.Load(ctx, seq) {
		if err != nil {
			return false, err
		}
		for kept, err := range batch.entries() {
			if err != nil {
				return false, err
			}
			if index == 0 {
				return f.waitsWith(ctx, kept.subject, d)
			}
			index--
		}
		break
	}
	return false, fmt.Errorf("batch %d of the events has no such entry", seq)
}

// waitsWith reports whether an event waits with its subject, with the user that
// this is, or with one that it was taken for.
func (f *fold) waitsWith(ctx context.Context, subject uint64, d digest) (bool, error) {
	own, err := f.person(ctx, subject)
	if err != nil {
		return false, err
	}
	for _, holder := range append([]uint64{subject, own.united}, own.former...) {
		if holder == 0 {
			continue
		}
		who, err := f.person(ctx, holder)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(who.waiting, func(w waiting) bool { return w.digest == d }) {
			return true, nil
		}
	}
	return false, nil
}
