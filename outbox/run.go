package outbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what an outbox is made with. Every field is required but Private,
// Warn, and Payments where nobody is paid out.
type Options struct {
	// NowMS is the clock, ms since 1970-01-01 UTC.
	NowMS func() int64
	// Sales tells what is known of a purchase.
	Sales Sales
	// Secret returns the signing secret of a world.
	Secret func(world, generation uint32) [32]byte
	// EndPurchase carries out what a world answered to a purchase. It may be
	// called again with the same purchase.
	EndPurchase func(ctx context.Context, purchase uint64, delivered bool) error
	Payouts     Payouts
	Payments    Payments
	// Warn is told why a file of payouts was not taken.
	Warn func(message string)
	// Private allows endpoints in private networks, and http.
	Private bool
}

// Statistics count what the outbox did since it was opened.
type Statistics struct {
	Kept, Delivered, Failed, Dead atomic.Int64
}

// Outbox sends what is to be told. One goroutine runs it.
type Outbox struct {
	store   Store
	source  Source
	options Options
	client  *http.Client
	stats   Statistics
	woken   chan struct{}
	// checked says that the journal is the one that was read; it belongs to
	// the goroutine that follows.
	checked bool
}

// What is sent at once, and how often the outbox looks for what is due.
const (
	workers   = 8
	lookEvery = time.Second
	keepRows  = 512
)

// New returns an outbox on a store and a journal.
func New(store Store, source Source, options Options) *Outbox {
	return &Outbox{store: store, source: source, options: options, client: newClient(options.Private), woken: make(chan struct{}, 1)}
}

// Statistics returns the counters.
func (b *Outbox) Statistics() *Statistics { return &b.stats }

// Run reads the journal and sends what is due until ctx ends or something
// fails. What was kept stays, and Run may be called again.
func (b *Outbox) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	faults := make(chan error, 2)
	var loops sync.WaitGroup
	loops.Go(func() { defer stop(); faults <- b.follow(ctx) })
	loops.Go(func() { defer stop(); faults <- b.send(ctx) })
	loops.Wait()
	return errors.Join(<-faults, <-faults)
}

// follow keeps messages of what the journal says.
func (b *Outbox) follow(ctx context.Context) error {
	for {
		if err := b.CatchUp(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		cursor, err := b.store.Cursor(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		b.source.WaitNewer(ctx, cursor.Seq)
		if ctx.Err() != nil || b.source.Durable() <= cursor.Seq {
			return nil
		}
	}
}

// CatchUp keeps messages of what is durable when it is called.
func (b *Outbox) CatchUp(ctx context.Context) error {
	cursor, err := b.store.Cursor(ctx)
	if err != nil {
		return fmt.Errorf("reading the outbox's cursor: %w", err)
	}
	durable, after := b.source.Durable(), cursor.Seq
	if err := b.checkOrigin(ctx, cursor, durable); err != nil {
		return err
	}
	if after >= durable {
		return nil
	}
	var messages []Message
	next := after + 1
	for record, err := range b.source.Load(ctx, next) {
		if err != nil {
			return fmt.Errorf("reading record %d for the outbox: %w", next, err)
		}
		told, err := messagesOf(ctx, record, b.options.Sales)
		if err != nil {
			return err
		}
		messages = append(messages, told...)
		last := record.Seq == durable
		if last || len(messages) >= keepRows || record.Seq-after >= keepRows {
			if err := b.store.Keep(ctx, after, Cursor{record.Seq, record.Hash}, messages); err != nil {
				return fmt.Errorf("keeping %d messages: %w", len(messages), err)
			}
			b.stats.Kept.Add(int64(len(messages)))
			if len(messages) > 0 {
				b.wake()
			}
			after, messages = record.Seq, nil
		}
		if last {
			return nil
		}
		next++
	}
	return fmt.Errorf("reading the journal for the outbox: it ended at record %d, and %d is durable", next-1, durable)
}

// checkOrigin returns ErrForeign, once, if the journal does not hold the record
// to which it was read.
func (b *Outbox) checkOrigin(ctx context.Context, cursor Cursor, durable uint64) error {
	if b.checked || cursor.Seq == 0 {
		return nil
	}
	if cursor.Seq > durable {
		return fmt.Errorf("%w: it has read to record %d, the journal ends at %d", ErrForeign, cursor.Seq, durable)
	}
	for record, err := range b.source.Load(ctx, cursor.Seq) {
		if err != nil {
			return fmt.Errorf("reading record %d for the outbox: %w", cursor.Seq, err)
		}
		if record.Hash != cursor.Hash {
			return fmt.Errorf("%w: record %d is another one", ErrForeign, cursor.Seq)
		}
		break
	}
	b.checked = true
	return nil
}

func (b *Outbox) wake() {
	select {
	case b.woken <- struct{}{}:
	default:
	}
}

// send sends what is due, again and again.
func (b *Outbox) send(ctx context.Context) error {
	for ctx.Err() == nil {
		sent, err := b.SendDue(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if sent > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-b.woken:
		case <-time.After(lookEvery):
		}
	}
	return nil
}

// SendDue makes one attempt at each of the messages that are due, a bounded
// number of them, and returns how many it tried.
func (b *Outbox) SendDue(ctx context.Context) (tried int, err error) {
	due, err := b.store.Due(ctx, b.options.NowMS(), 8*workers)
	if err != nil {
		return 0, fmt.Errorf("reading what is due: %w", err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	places := make(chan struct{}, workers)
	for _, message := range due {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if attemptErr := b.attempt(ctx, message); attemptErr != nil {
				mu.Lock()
				err = errors.Join(err, fmt.Errorf("message %d: %w", message.Number, attemptErr))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return len(due), err
}

// SendAgain makes a message due now, whatever became of it.
func (b *Outbox) SendAgain(ctx context.Context, number uint64) error {
	message, err := b.store.Message(ctx, number)
	if err != nil {
		return err
	}
	message.Status, message.Attempts, message.NextMS, message.Fault = Waiting, 0, b.options.NowMS(), ""
	if err := b.store.Mark(ctx, message); err != nil {
		return err
	}
	b.wake()
	return nil
}

func (b *Outbox) count(message Message) {
	switch message.Status {
	case Delivered:
		b.stats.Delivered.Add(1)
	case Dead:
		b.stats.Dead.Add(1)
	default:
		b.stats.Failed.Add(1)
	}
}
