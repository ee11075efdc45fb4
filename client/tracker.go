package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/wire"
)

// SyncPolicy says when events in the spool are safe from a power cut. From the
// end of the program itself they are safe at once.
type SyncPolicy int

const (
	// SyncEverySecond loses at most the last second. It is the default.
	SyncEverySecond SyncPolicy = iota
	// SyncAlways takes an event when it is on the disk.
	SyncAlways
	// SyncNever leaves it to the operating system.
	SyncNever
)

// TrackerConfig says what a Tracker reports, and how.
type TrackerConfig struct {
	// Client has the server key of a world, or its write key, whose events count
	// inside sessions only and never as spend.
	Client *Client
	// Spool is a folder of this program's own in which events wait until the bank
	// has acknowledged them; empty: they wait in memory and end with the program.
	Spool string
	Sync  SyncPolicy
	// MaxBytes bounds what waits; beyond it events are refused with ErrFull. The
	// default is 64 MiB, some 300,000 heartbeats. All of it is in memory too.
	MaxBytes int64
	// FlushEvery is how long an event waits for others to be sent with; the
	// default is 5 seconds. 500 events or 512 KiB are sent at once.
	FlushEvery time.Duration
	// Idle ends the presence of a visit for which there was no sign of anybody
	// (Touch, Act) for so long; zero: it lasts until Away or Leave.
	Idle time.Duration
	// Verdict, which may be nil, is told what became of each event. Fault, which
	// may be nil, is told what went wrong, also if it is tried again. Neither is
	// called at the same time as itself, nor may it call the Tracker.
	Verdict func(wire.Verdict)
	Fault   func(error)

	now clock
}

// Tracker reports to the bank what people do in a world: presence as heartbeats
// of ten seconds, interactions, purchases. Whatever it has taken it sends until
// the bank has made it durable, under the same message id. It may be used from
// several goroutines.
type Tracker struct {
	config TrackerConfig
	queue  *queue
	run    string // begins the message ids of this run
	count  atomic.Uint64
	sent   Stats // under report

	mu    sync.Mutex // of the meter
	meter *meter

	report  sync.Mutex // one report at a time
	flush   chan struct{}
	moved   chan struct{} // closed and replaced when events are done with; under report
	stop    context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
	closed  chan struct{}
}

// Stats says how a Tracker has fared.
type Stats struct {
	Waiting   uint64            // events that the bank has not acknowledged
	Verdicts  map[string]uint64 // acknowledged events by verdict
	Dropped   uint64            // events that were not taken, or that the bank cannot read
	LastFault error
}

// NewTracker returns a Tracker. What an earlier run left in the spool is sent
// first. Close it.
func NewTracker(config TrackerConfig) (*Tracker, error) {
	if config.Client == nil || config.Client.key == "" {
		return nil, errors.New("client: a tracker needs a Client with a key of a world")
	}
	if config.MaxBytes <= 0 {
		config.MaxBytes = 64 << 20
	}
	if config.FlushEvery <= 0 {
		config.FlushEvery = 5 * time.Second
	}
	if config.now == nil {
		config.now = systemClock()
	}
	t := &Tracker{
		config: config, run: rand.Text(), flush: make(chan struct{}, 1), moved: make(chan struct{}), closed: make(chan struct{}),
		queue: &queue{maxBytes: config.MaxBytes, full: make(chan struct{}, 1)}, sent: Stats{Verdicts: map[string]uint64{}},
	}
	if config.Spool != "" {
		spool, waiting, damaged, err := openSpool(config.Spool)
		if err != nil {
			return nil, err
		}
		spool.durable = config.Sync == SyncAlways
		t.queue.spool = spool
		for _, event := range waiting {
			t.queue.take(event)
		}
		for _, path := range damaged {
			t.fault(fmt.Errorf("client: a part of the spool was changed and cannot be read; it is kept as %s", path))
		}
	}
	t.meter = newMeter(config.now, config.Idle.Milliseconds(), t.heartbeat)
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.running.Go(func() { t.deliver(ctx) })
	t.running.Go(t.tick)
	return t, nil
}

// Track takes an event. It is safe in the spool when Track returns, as far as
// the SyncPolicy goes; without a spool it is in memory.
func (t *Tracker) Track(e Event) error {
	number, err := t.take(e)
	if err == nil && t.queue.spool != nil && t.config.Sync == SyncAlways {
		err = t.queue.sync(number)
	}
	return err
}

// take puts an event into the queue, and returns its number there.
func (t *Tracker) take(e Event) (number uint64, err error) {
	if e.call == "" {
		e.call = "track"
	}
	if e.MessageID == "" {
		e.MessageID = t.run + "-" + strconv.FormatUint(t.count.Add(1), 36)
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	text, err := e.encode()
	if err != nil {
		return 0, err
	}
	return t.queue.add(text)
}

// Identify says that a device's user is known now: with a server key, what the
// device reported in the session is the user's from then on.
func (t *Tracker) Identify(userID, anonymousID string) error {
	return t.Track(Event{UserID: userID, AnonymousID: anonymousID, call: "identify"})
}

// Purchase reports what a user has spent, as Segment's Order Completed. It
// counts from a server key, once for an OrderID however often it is reported.
func (t *Tracker) Purchase(o Order) error { return t.order(o, "Order Completed", "purchase:") }

// Refund takes back what was reported of the same OrderID, as Segment's Order
// Refunded; once for an OrderID. Further refunds of one order are Events with
// message ids of their own.
func (t *Tracker) Refund(o Order) error { return t.order(o, "Order Refunded", "refund:") }

func (t *Tracker) order(o Order, name, prefix string) error {
	e, err := o.event(name, prefix)
	if err != nil {
		return err
	}
	return t.Track(e)
}

// heartbeat reports a bucket in which a visit was present. All heartbeats of a
// bucket share the sync of the next tick.
func (t *Tracker) heartbeat(v *Visit, bucketMS int64) {
	_, err := t.take(Event{UserID: v.userID, AnonymousID: v.anonymousID, Name: "heartbeat", Time: time.UnixMilli(bucketMS)})
	if err != nil {
		t.dropped(err)
	}
}

// tick keeps the meter going, and the disk in step.
func (t *Tracker) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-t.closed:
			return
		}
		t.mu.Lock()
		t.meter.look()
		t.mu.Unlock()
		if t.queue.spool != nil && t.config.Sync != SyncNever {
			appended, _ := t.queue.reached()
			if err := t.queue.sync(appended); err != nil {
				t.fault(err)
			}
		}
	}
}

// Flush sends all that was taken before, and returns when the bank has
// acknowledged it or the context ends. It shortens no pause that the bank has
// asked for.
func (t *Tracker) Flush(ctx context.Context) error {
	appended, _ := t.queue.reached()
	select {
	case t.flush <- struct{}{}:
	default:
	}
	for {
		t.report.Lock()
		moved := t.moved
		t.report.Unlock()
		if _, removed := t.queue.reached(); removed >= appended {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			_, removed := t.queue.reached()
			return fmt.Errorf("client: %d events still wait for the bank: %w", appended-removed, errors.Join(ctx.Err(), t.Stats().LastFault))
		}
	}
}

// Close ends all visits, sends what waits, and lets go of the spool. What could
// not be sent before the context ends stays in the spool for the next run;
// without a spool it is lost, and the error says how much that is.
func (t *Tracker) Close(ctx context.Context) (err error) {
	t.closing.Do(func() {
		t.mu.Lock()
		for v := range t.meter.visits {
			t.meter.leave(v)
		}
		t.mu.Unlock()
		close(t.closed)
		t.queue.stop()
		err = t.Flush(ctx)
		t.stop()
		t.running.Wait()
		err = errors.Join(err, t.queue.close())
	})
	return err
}

// Stats returns how the Tracker has fared so far.
func (t *Tracker) Stats() Stats {
	appended, removed := t.queue.reached()
	t.report.Lock()
	defer t.report.Unlock()
	stats := t.sent
	stats.Waiting = appended - removed
	stats.Verdicts = map[string]uint64{}
	for verdict, n := range t.sent.Verdicts {
		stats.Verdicts[verdict] = n
	}
	return stats
}

// fault tells the program that something went wrong.
func (t *Tracker) fault(err error) {
	t.report.Lock()
	defer t.report.Unlock()
	t.tell(err)
}

// dropped tells the program that an event is lost.
func (t *Tracker) dropped(err error) {
	t.report.Lock()
	defer t.report.Unlock()
	t.sent.Dropped++
	t.tell(err)
}

func (t *Tracker) tell(err error) {
	t.sent.LastFault = err
	if t.config.Fault != nil {
		t.config.Fault(err)
	}
}
