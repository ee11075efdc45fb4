package client

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// ErrFull says that so much waits for the bank that nothing more is taken.
var ErrFull = errors.New("client: too many events wait for the bank")

// ErrClosed says that the tracker was closed.
var ErrClosed = errors.New("client: the tracker is closed")

// queue holds the events that the bank has not acknowledged, in order, in
// memory and in the spool if there is one.
type queue struct {
	mu       sync.Mutex
	spool    *spool // nil: in memory alone
	maxBytes int64
	waiting  [][]byte
	bytes    int64
	full     chan struct{} // told when there is a batch
	closed   bool

	appended uint64 // events that were ever added
	removed  uint64 // events that are done with

	syncing sync.Mutex // held by whoever syncs, never under mu
	synced  uint64     // of the appended; under syncing
}

// A batch has at most so many events and bytes; the bank takes 2,000 and a MiB.
const (
	maxBatchEvents = 500
	maxBatchBytes  = 512 << 10
)

// add takes an event; it returns its number in the order of all.
func (q *queue) add(event []byte) (number uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return 0, ErrClosed
	case q.bytes+int64(len(event)) > q.maxBytes:
		return 0, fmt.Errorf("%w: %d bytes", ErrFull, q.bytes)
	}
	if q.spool != nil {
		if err := q.spool.append(event); err != nil {
			return 0, err
		}
	}
	q.take(event)
	if len(q.waiting) >= maxBatchEvents || q.bytes >= maxBatchBytes {
		select {
		case q.full <- struct{}{}:
		default:
		}
	}
	return q.appended, nil
}

func (q *queue) take(event []byte) {
	q.waiting = append(q.waiting, event)
	q.bytes += int64(len(event))
	q.appended++
}

// sync returns once an event is on the disk. Whoever waits together shares a
// sync.
func (q *queue) sync(number uint64) error {
	q.syncing.Lock()
	defer q.syncing.Unlock()
	if q.synced >= number {
		return nil
	}
	q.mu.Lock()
	reached := q.appended
	var file *os.File
	if q.spool != nil {
		file = q.spool.file
	}
	q.mu.Unlock()
	if file != nil {
		// A segment that was closed meanwhile was synced, or acknowledged whole.
		if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			return fmt.Errorf("client: spool: %w", err)
		}
	}
	q.synced = reached
	return nil
}

// batch returns the oldest events, as many as are sent at once, at most most.
func (q *queue) batch(most int) [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < min(len(q.waiting), most) && (n == 0 || bytes+len(q.waiting[n]) <= maxBatchBytes) {
		bytes += len(q.waiting[n])
		n++
	}
	return q.waiting[:n:n]
}

// done forgets the n oldest events.
func (q *queue) done(n int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, event := range q.waiting[:n] {
		q.bytes -= int64(len(event))
		q.waiting[i] = nil // a batch that is being written has its own slice of them
	}
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	q.removed += uint64(n)
	if q.spool == nil {
		return nil
	}
	return q.spool.acknowledge(n)
}

// reached returns how many events were added, and how many of them are done with.
func (q *queue) reached() (appended, removed uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.appended, q.removed
}

// close takes no more, and lets go of the disk.
func (q *queue) close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.spool == nil {
		return nil
	}
	return q.spool.close()
}

// stop takes no more.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
