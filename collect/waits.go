package collect

import (
	"context"
	"fmt"
	"slices"
)

// first returns what became of the first event of a message id. An event of
// which only is known that it was quarantined when it arrived may have been
// vouched for since: then it no longer waits.
func (f *fold) first(ctx context.Context, receivedMS int64, d digest) (seenEntry, bool, error) {
	entry, found, err := f.find(ctx, receivedMS, d)
	if err != nil || !found || !entry.asArrived || entry.verdict != Quarantined || entry.rule != Unvouched {
		return entry, found, err
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
