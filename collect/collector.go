package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// Bounds and times of the collector. docs/collect.md states them for clients.
const (
	// HorizonMS is how long message ids are remembered after they arrived, and
	// how old an event may be when it arrives to count: seven days.
	HorizonMS = 7 * 24 * 60 * 60 * 1000
	// FutureMS is how far a client's clock may be ahead before its times are
	// corrected.
	FutureMS = 5 * 60 * 1000
	// SessionMS is how long a server key's identify vouches for a person.
	SessionMS = 12 * 60 * 60 * 1000
	// MaxSessionMS is the longest session that can be opened.
	MaxSessionMS = 24 * 60 * 60 * 1000

	queueLength       = 1024
	maxBatchEntries   = 20_000
	checkpointEntries = 200_000 // unless the options say otherwise
	peopleBytes       = 512 << 20
)

// ErrBusy is returned when too many requests wait: try again later.
var ErrBusy = errors.New("the collector is busy, try again later")

// ErrStopped is returned once the collector has stopped: the events of the
// request may or may not be durable, and are safe to send again.
var ErrStopped = errors.New("the collector has stopped")

// ErrErased is returned by Subjects for a subject whose key was destroyed.
var ErrErased = errors.New("the subject was erased")

// Ref names a person as a world does: by a user id or by an anonymous id.
type Ref struct {
	World               uint32
	UserID, AnonymousID string
}

// Subject is a person as one world knows them.
type Subject struct {
	Number uint64
	Person [16]byte
}

// Subjects knows people and their keys.
type Subjects interface {
	// Resolve returns the subjects of refs in order, making those that are new;
	// they are durable when it returns.
	Resolve(ctx context.Context, refs []Ref) ([]Subject, error)
	// Person returns the opaque id of a subject.
	Person(ctx context.Context, subject uint64) ([16]byte, error)
	// Seal appends plaintext sealed under the subject's key.
	Seal(ctx context.Context, subject uint64, dst, plaintext, additional []byte) ([]byte, error)
	// Open appends what was sealed, or returns ErrErased.
	Open(ctx context.Context, dst, sealed, additional []byte) ([]byte, error)
	// Derive returns a secret of the subject that is the same for ever.
	Derive(ctx context.Context, subject uint64, label string) ([32]byte, error)
}

// Policies returns the policy of a world that holds on a day, or for an import
// the one of that version, and its version. It must give the same answer for
// ever.
type Policies func(world uint32, day int32, importVersion uint32) (policy *score.Policy, version uint32)

// Options of a collector.
type Options struct {
	// Now returns the time in ms since 1970-01-01 UTC; the default is the
	// system's clock.
	Now func() int64
	// CheckpointEntries is how many entries at the most are folded again after
	// a crash; the default is 200,000.
	CheckpointEntries int
	// Blocks keep the message ids of hours that are over; without them all stay
	// in memory.
	Blocks Blocks
	// PeopleBytes is about how much memory people and their days take at the
	// most; the others are read back from the checkpoint. The default is 512 MiB.
	PeopleBytes int
	// Rules returns the review rules that hold now and their version; without
	// them nobody's day is looked at.
	Rules func(ctx context.Context) (*abuse.Rules, uint32, error)
	// MarkSecret keys what stands for devices.
	MarkSecret [32]byte
	// Purges let go of what worlds no longer keep, and Retention returns for each
	// world how long it keeps its events after they arrived, in ms; without them
	// everything is kept. A time below HorizonMS counts as HorizonMS.
	Purges    Purges
	Retention func(ctx context.Context) (map[uint32]int64, error)
	// PurgeBatches is how many batches each step of a purge reads, which then
	// never pauses: for who drives purges by a clock of their own. By default
	// steps and pauses follow from how long a step took.
	PurgeBatches int
	// Watch is told, for traces, by the contexts of its requests that a batch is
	// made of them. It returns the context for the log, and what is called when
	// the batch is durable or has failed. The default watches nothing.
	Watch func(requests []context.Context, seq uint64) (context.Context, func(error))
}

// Collector accepts events. Its methods may be called from any goroutine.
type Collector struct {
	log         Log
	head        Head
	checkpoints Checkpoints
	subjects    Subjects
	policies    Policies
	blocks      Blocks          // nil if there are none
	keepers     context.Context // of what is put away beside the loop; ends with the collector
	endKeepers  context.CancelFunc
	now         func() int64
	watching    func(requests []context.Context, seq uint64) (context.Context, func(error))
	// checkpointEntries are accepted between two checkpoints.
	checkpointEntries int
	peopleBytes       int
	rules             func(ctx context.Context) (*abuse.Rules, uint32, error)
	markSecret        [32]byte
	purges            Purges // nil if everything is kept
	retention         func(ctx context.Context) (map[uint32]int64, error)
	purgeBatches      int // 0 if steps are paced by time

	queue   chan *request
	closing chan struct{}
	done    chan struct{}
	failure atomic.Pointer[error]
	closed  sync.Once
	stats   Stats
	changes *changes

	fold // owned by the loop
}

// request is one call. The loop owns it until it closes done.
type request struct {
	ctx     context.Context // of the caller, for Watch only
	entries []*prepared
	inspect func() error // runs between batches
	tick    bool         // writes a batch if something is due by time
	clock   bool         // writes a batch if the clock is an hour past the log
	err     error
	done    chan struct{}
}

// prepared is an entry that its caller has made ready for the loop.
type prepared struct {
	entry
	timeMS      int64
	reported    event.Event // of an entry that was opened
	observation score.Observation
	session     session
	linking     linkRequest
	link        link // what came of it
	device      Mark // of the device on the day; zero if there is none
	appeal      appeal
	terms       Terms
	asksConsent bool    // of the person, by the policy of its world
	result      *Result // nil for a session
	// cause is the event that opens a session, if it counts; nil for one that
	// is opened by itself.
	cause *prepared
}

// Stats counts what a collector has done.
type Stats struct {
	Accepted, Capped, Duplicate, Late, Quarantined, Rejected atomic.Int64
	Batches, AppendNS                                        atomic.Int64
	Seen                                                     SeenStatistics
	Purge                                                    PurgeStatistics
	// People is how many stayed in memory when others last left it.
	People atomic.Int64
}

// Request is a batch of events from one source.
type Request struct {
	World uint32
	Trust Trust
	// PolicyVersion is the policy of an import; 0 for live events.
	PolicyVersion uint32
	Items         []event.Item
}

// Open folds again what came after the last checkpoint and begins to accept.
func Open(ctx context.Context, log Log, head Head, checkpoints Checkpoints, subjects Subjects, policies Policies, options Options) (*Collector, error) {
	c := &Collector{
		log: log, head: head, checkpoints: checkpoints, subjects: subjects, policies: policies, blocks: options.Blocks, now: options.Now, watching: options.Watch, checkpointEntries: cmp.Or(options.CheckpointEntries, checkpointEntries), peopleBytes: cmp.Or(options.PeopleBytes, peopleBytes), rules: options.Rules, markSecret: options.MarkSecret,
		purges: options.Purges, retention: options.Retention, purgeBatches: options.PurgeBatches,
		queue: make(chan *request, queueLength), closing: make(chan struct{}), done: make(chan struct{}), changes: newChanges(),
	}
	if c.now == nil {
		c.now = func() int64 { return time.Now().UnixMilli() }
	}
	c.keepers, c.endKeepers = context.WithCancel(context.Background())
	c.fold = newFold(c)
	if err := c.fold.recover(ctx); err != nil {
		return nil, fmt.Errorf("folding the events again: %w", err)
	}
	go c.run()
	return c, nil
}

// Accept makes the events of a request durable and says what became of each,
// in order. It returns ErrBusy when too many requests wait. After any other
// error the events are safe to send again.
func (c *Collector) Accept(ctx context.Context, request Request) ([]Result, error) {
	results := make([]Result, len(request.Items))
	entries, err := c.prepare(ctx, request, results)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		if err := c.do(ctx, entries, nil); err != nil {
			return nil, err
		}
	}
	c.stats.count(results)
	return results, nil
}

func (s *Stats) count(results []Result) {
	for i := range results {
		switch results[i].Verdict {
		case Accepted:
			s.Accepted.Add(1)
		case Capped:
			s.Capped.Add(1)
		case Duplicate:
			s.Duplicate.Add(1)
		case Late:
			s.Late.Add(1)
		case Quarantined:
			s.Quarantined.Add(1)
		case Rejected:
			s.Rejected.Add(1)
		}
	}
}

// Statistics returns the counters of the collector.
func (c *Collector) Statistics() *Stats { return &c.stats }

// Waiting returns the number of requests in the queue.
func (c *Collector) Waiting() int { return len(c.queue) }

// do gives a request to the loop and waits for it.
func (c *Collector) do(ctx context.Context, entries []*prepared, inspect func() error) error {
	return c.give(ctx, &request{entries: entries, inspect: inspect, done: make(chan struct{})})
}

func (c *Collector) give(ctx context.Context, r *request) error {
	r.ctx = ctx
	select {
	case <-c.done:
		return c.stopped()
	default:
	}
	select {
	case c.queue <- r:
	default:
		if r.inspect == nil {
			return ErrBusy
		}
		select {
		case c.queue <- r:
		case <-c.done:
			return c.stopped()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-r.done:
		return r.err
	case <-c.done:
		// The loop may have answered just before it ended.
		select {
		case <-r.done:
			return r.err
		default:
			return c.stopped()
		}
	}
}

func (c *Collector) stopped() error {
	if failure := c.failure.Load(); failure != nil {
		return fmt.Errorf("%w: %w", ErrStopped, *failure)
	}
	return ErrStopped
}

// Err returns why the collector has stopped; nil while it runs or after Close.
func (c *Collector) Err() error {
	if failure := c.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// Done is closed when the collector has stopped.
func (c *Collector) Done() <-chan struct{} { return c.done }

// Close answers what waits, saves a checkpoint and ends the collector.
func (c *Collector) Close() error {
	c.closed.Do(func() { close(c.closing) })
	<-c.done
	return c.Err()
}

// run is the loop: take what waits, judge it, make it durable, answer it.
func (c *Collector) run() {
	defer close(c.done)
	defer c.fold.endKeeping()
	fail := func(err error) { c.failure.Store(&err) }
	for {
		var first *request
		select {
		case first = <-c.queue:
		case <-c.closing:
			select {
			case first = <-c.queue:
			default:
				if err := c.fold.checkpoint(context.Background()); err != nil {
					fail(err)
				}
				return
			}
		}
		batch := c.take(first)
		err := c.write(batch)
		for _, r := range batch {
			if r.err = err; err == nil && r.inspect != nil {
				r.err = r.inspect()
			}
			close(r.done)
		}
		if err == nil {
			c.changes.tell()
		}
		if err == nil && (c.fold.sinceCheckpoint >= c.checkpointEntries || c.fold.full()) {
			err = c.fold.checkpoint(context.Background())
		}
		if err != nil {
			fail(err)
			return
		}
	}
}

func (c *Collector) take(first *request) (batch []*request) {
	entries := 0
	for r := first; ; {
		batch = append(batch, r)
		if entries += len(r.entries); entries >= maxBatchEntries {
			return batch
		}
		select {
		case r = <-c.queue:
		default:
			return batch
		}
	}
}
