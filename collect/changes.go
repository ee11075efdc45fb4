package collect

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Change says that a day of a subject may have earned something else.
type Change struct {
	Subject uint64
	Day     int32
}

// maxChanges bounds what waits to be taken.
const maxChanges = 200_000

// changes are the days of followed subjects that have changed and of which
// nobody was told yet. The loop adds what is durable; it costs it one load as
// long as nobody follows anyone.
type changes struct {
	following atomic.Int64
	// touched are changed by the batch that is not durable yet. The loop owns it.
	touched []Change

	mu       sync.Mutex
	subjects map[uint64]int // followed, and how often
	pending  map[Change]struct{}
	// lost says that there were too many, so that any followed day may have changed.
	lost   bool
	signal chan struct{} // has one place
}

func newChanges() *changes {
	return &changes{subjects: map[uint64]int{}, pending: map[Change]struct{}{}, signal: make(chan struct{}, 1)}
}

// touch notes that a batch changes a day. Of whoever changes many days one after
// the other, each is noted once in a row.
func (c *changes) touch(subject uint64, day int32) {
	change := Change{subject, day}
	if c.following.Load() == 0 || len(c.touched) > 0 && c.touched[len(c.touched)-1] == change {
		return
	}
	c.touched = append(c.touched, change)
}

// tell lets what was touched be taken, once it is durable.
func (c *changes) tell() {
	if len(c.touched) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range c.touched {
		if c.subjects[change.Subject] == 0 {
			continue
		}
		if len(c.pending) >= maxChanges {
			clear(c.pending)
			c.lost = true
		}
		c.pending[change] = struct{}{}
	}
	if cap(c.touched) > maxBatchEntries {
		c.touched = nil
	}
	c.touched = c.touched[:0]
	if len(c.pending) > 0 || c.lost {
		select {
		case c.signal <- struct{}{}:
		default:
		}
	}
}

// Follow lets changes of a subject's days be told until the returned function
// is called. It may be followed more than once.
func (c *Collector) Follow(subject uint64) (end func()) {
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	c.changes.subjects[subject]++
	c.changes.following.Add(1)
	return sync.OnceFunc(func() {
		c.changes.mu.Lock()
		defer c.changes.mu.Unlock()
		c.changes.following.Add(-1)
		if c.changes.subjects[subject]--; c.changes.subjects[subject] == 0 {
			delete(c.changes.subjects, subject)
		}
	})
}

// Changed has something when there are changes to take.
func (c *Collector) Changed() <-chan struct{} { return c.changes.signal }

// TakeChanges returns the changes since the last call, in order. All of them are
// durable. If there were too many, all is true: any day that is followed may
// have changed.
func (c *Collector) TakeChanges() (list []Change, all bool) {
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	for change := range c.changes.pending {
		list = append(list, change)
	}
	clear(c.changes.pending)
	all, c.changes.lost = c.changes.lost, false
	slices.SortFunc(list, func(a, b Change) int {
		if a.Subject != b.Subject {
			return compare(int64(a.Subject), int64(b.Subject))
		}
		return int(a.Day - b.Day)
	})
	return list, all
}
