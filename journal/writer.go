package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
)

// ErrBusy is returned when the queue is full: try again later.
var ErrBusy = errors.New("the bank is busy, try again later")

// ErrStopped is returned once the writer has stopped. What was given to it and
// not answered may or may not have been carried out.
var ErrStopped = errors.New("the journal has stopped")

// Bounds of a record: what waits beyond them goes into the next.
const (
	maxBatchCommands = 8192
	maxBatchBytes    = 8 << 20
	maxCommandBytes  = 1 << 20
	queueLength      = 4096
	// repollMS is the longest time between two looks at the clock.
	repollMS = 1000
)

// Options of a writer.
type Options struct {
	// Now returns the time in ms since 1970-01-01 UTC. It may go back; the
	// time of records does not. The default is the system's clock.
	Now func() int64
	// SnapshotEvery is the number of commands between snapshots; the default
	// is 2,000,000.
	SnapshotEvery int
	// ByRequestOnly keeps the writer from waking up by itself: what time
	// causes is then done with the next request. It is for simulations, whose
	// time is not the system's.
	ByRequestOnly bool
	// Aside runs what is done beside the writer: the writing of a snapshot. The
	// default is a goroutine of its own; a simulation says when.
	Aside func(work func())
	// Watch is told, for traces, by the contexts of its requests that a record
	// is made of them. It returns the context for the store, and what is called
	// when the record is durable or has failed. The default watches nothing.
	Watch func(requests []context.Context, seq uint64) (context.Context, func(error))
	// Warn is told what an operator should know and what does not stop the
	// bank. The default is to say nothing.
	Warn func(message string)
}

// Answer is the answer to a command.
type Answer struct {
	// Seq and Index say where the answer is in the journal.
	Seq     uint64
	Index   uint32
	Refusal bank.Refusal
	// Bytes are the encoded answer, for bank.Facts.
	Bytes []byte
	// Repeated says that the command was carried out before under the same
	// idempotency key, and this is the answer that it got then.
	Repeated bool
}

// Writer is the single writer. Its methods may be called from any goroutine.
type Writer struct {
	store   Store
	head    Head
	options Options

	queue     chan *request
	closing   chan struct{}
	closeOnce sync.Once
	done      chan struct{}
	// gate is held for reading by whoever puts into the queue, and shut for ever
	// when the loop has ended, so that whatever is in the queue is answered.
	gate sync.RWMutex
	shut bool
	// waiting may be below 0 for a moment: a request may be under way before it
	// is counted.
	waiting atomic.Int64
	stats   Stats

	// Of the loop: the state and the last record that was made of it, the record
	// that is being made, and the one that is under way, which goes through
	// flights and comes back through landed.
	at     position
	draft  draft
	flying *flight

	flights chan *flight
	landed  chan error

	recent  recent
	durable atomic.Uint64
	newer   sync.Mutex
	grew    chan struct{} // closed and replaced when durable grows; under newer

	failure atomic.Pointer[error]

	sinceSnapshot int
	snapshots     sync.WaitGroup
	snapshotting  atomic.Bool
}

// request is one call of Submit or Read. The loop owns it until it closes done.
type request struct {
	ctx      context.Context // of the caller, for Watch only
	commands [][]byte
	read     func(*bank.State)
	answers  []Answer
	err      error
	done     chan struct{}
}

// Stats counts what a writer has done.
type Stats struct {
	Records, Commands, AppendNS atomic.Int64
}

// Open recovers the state and begins a new term, so that no other writer can
// append any longer.
func Open(ctx context.Context, store Store, head Head, options Options) (*Writer, error) {
	if options.Now == nil {
		options.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if options.SnapshotEvery == 0 {
		options.SnapshotEvery = 2_000_000
	}
	if options.Warn == nil {
		options.Warn = func(string) {}
	}
	if options.Aside == nil {
		options.Aside = func(work func()) { go work() }
	}
	at, err := recoverState(ctx, store, head, options.Warn)
	if err != nil {
		return nil, fmt.Errorf("recovering the bank: %w", err)
	}
	w := &Writer{
		store: store, head: head, options: options, at: at,
		queue: make(chan *request, queueLength), flights: make(chan *flight, 1), landed: make(chan error, 1), closing: make(chan struct{}), done: make(chan struct{}), grew: make(chan struct{}),
	}
	w.at.term++
	w.sinceSnapshot = at.replayed // crashes must not add up to a long replay
	w.open(w.nowMS())
	if err := w.carry(w.seal()); err != nil {
		return nil, fmt.Errorf("beginning term %d: %w", w.at.term, err)
	}
	go w.run()
	return w, nil
}

// Submit carries out commands, in order and within one record, and returns
// when they are durable. It returns ErrBusy when too many wait. The bytes of
// the commands must not be changed any more, also when ctx ends first.
func (w *Writer) Submit(ctx context.Context, commands ...[]byte) ([]Answer, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	if len(commands) > maxBatchCommands {
		return nil, fmt.Errorf("submitting %d commands: at most %d at once", len(commands), maxBatchCommands)
	}
	size := 0
	for _, command := range commands {
		if size += len(command); len(command) > maxCommandBytes || size > maxBatchBytes {
			return nil, fmt.Errorf("submitting commands of %d bytes: at most %d each and %d together", size, maxCommandBytes, maxBatchBytes)
		}
	}
	r := &request{ctx: ctx, commands: commands, done: make(chan struct{})}
	if err := w.enqueue(ctx, r, false); err != nil {
		return nil, err
	}
	// Once queued, the commands may be carried out whether or not the caller
	// still waits; the answer is only given if it does.
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the answer, which is still to come: %w", ctx.Err())
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.answers, w.resolve(ctx, r.answers)
}

// Read calls read with the state between two records, when nothing that is not
// durable shows. read must be quick, must not write and must not keep
// anything of the state.
func (w *Writer) Read(ctx context.Context, read func(*bank.State)) error {
	r := &request{read: read, done: make(chan struct{})}
	if err := w.enqueue(ctx, r, true); err != nil {
		return err
	}
	<-r.done
	return r.err
}

// enqueue puts a request into the queue; from then on it will be answered.
func (w *Writer) enqueue(ctx context.Context, r *request, wait bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.shut {
		return w.stopped()
	}
	select {
	case w.queue <- r:
		w.waiting.Add(1)
		return nil
	default:
	}
	if !wait {
		return ErrBusy
	}
	select {
	case w.queue <- r:
		w.waiting.Add(1)
		return nil
	case <-w.done:
		return w.stopped()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end ends the loop: nothing comes into the queue any more, and what is in it
// is refused.
func (w *Writer) end() {
	close(w.done)
	w.gate.Lock()
	w.shut = true
	w.gate.Unlock()
	for {
		select {
		case r := <-w.queue:
			w.refuse([]*request{r})
		default:
			return
		}
	}
}

func (w *Writer) stopped() error {
	if failure := w.failure.Load(); failure != nil {
		return fmt.Errorf("%w: %w", ErrStopped, *failure)
	}
	return ErrStopped
}

// Err returns why the writer has stopped; nil while it runs or after Close.
func (w *Writer) Err() error {
	if failure := w.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// Done is closed when the writer has stopped.
func (w *Writer) Done() <-chan struct{} { return w.done }

// Statistics returns the counters of the writer.
func (w *Writer) Statistics() *Stats { return &w.stats }

// Waiting returns the number of requests whose record is not under way yet.
func (w *Writer) Waiting() int { return int(max(w.waiting.Load(), 0)) }

// resolve replaces answers that only name an earlier one by that one.
func (w *Writer) resolve(ctx context.Context, answers []Answer) error {
	var first []Answer // of one record; a batch that is repeated names the same
	for i := range answers {
		seq, index, isRepeat := bank.RepeatOf(answers[i].Bytes)
		if !isRepeat {
			continue
		}
		if len(first) == 0 || first[0].Seq != seq {
			var err error
			if first, err = w.answersOf(ctx, seq); err != nil {
				return fmt.Errorf("reading the answer that was given before: %w", err)
			}
		}
		if uint64(index) >= uint64(len(first)) {
			return fmt.Errorf("reading the answer that was given before: %w", damaged(seq, "it has no command %d", index))
		}
		answers[i] = first[index]
		answers[i].Repeated = true
	}
	return nil
}

// AnswerAt reads an answer back from the journal.
func (w *Writer) AnswerAt(ctx context.Context, seq uint64, index uint32) (Answer, error) {
	answers, err := w.answersOf(ctx, seq)
	if err != nil {
		return Answer{}, err
	}
	if uint64(index) >= uint64(len(answers)) {
		return Answer{}, damaged(seq, "it has no command %d", index)
	}
	return answers[index], nil
}

func (w *Writer) answersOf(ctx context.Context, seq uint64) ([]Answer, error) {
	record, err := w.recordAt(ctx, seq)
	if err != nil {
		return nil, err
	}
	return record.answers()
}

// answers returns the answers of a record, those to Ticks with them. They are
// parts of its body.
func (r Record) answers() (answers []Answer, err error) {
	for pair, err := range r.Pairs() {
		if err != nil {
			return nil, err
		}
		if len(pair.Answer) == 0 {
			return nil, damaged(r.Seq, "command %d has no answer", pair.Index)
		}
		answers = append(answers, Answer{Seq: r.Seq, Index: pair.Index, Refusal: bank.Refusal(pair.Answer[0]), Bytes: pair.Answer})
	}
	return answers, nil
}

func (w *Writer) recordAt(ctx context.Context, seq uint64) (Record, error) {
	if record := w.recent.from(seq, 1); len(record) == 1 {
		return record[0], nil
	}
	return one(ctx, w.store, seq)
}

// Durable returns the sequence of the last durable record.
func (w *Writer) Durable() uint64 { return w.durable.Load() }

// WaitNewer returns when a record behind seq is durable, or the writer or ctx
// has ended.
func (w *Writer) WaitNewer(ctx context.Context, seq uint64) {
	for {
		w.newer.Lock()
		grew := w.grew
		w.newer.Unlock()
		if w.durable.Load() > seq {
			return
		}
		select {
		case <-grew:
		case <-w.done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Close answers what waits, takes a snapshot and ends the writer.
func (w *Writer) Close(ctx context.Context) error {
	first := false
	w.closeOnce.Do(func() { first = true; close(w.closing) })
	<-w.done
	w.snapshots.Wait()
	if err := w.Err(); err != nil || !first {
		return err
	}
	if err := w.store.SaveSnapshot(ctx, w.at.seq, w.freeze()); err != nil {
		return fmt.Errorf("taking the last snapshot: %w", err)
	}
	return nil
}
