package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/outbox"
)

// Outbox is an outbox.Store in memory.
type Outbox struct {
	// Before and After, if set, are called around each Keep and Mark. An error
	// of Before is returned and nothing is done; an error of After is returned
	// though all was done, as when an answer is lost.
	Before, After func() error

	mu        sync.Mutex
	cursor    outbox.Cursor
	messages  []outbox.Message
	endpoints map[uint32]outbox.Endpoint
}

// NewOutbox returns an empty outbox.
func NewOutbox() *Outbox { return &Outbox{endpoints: map[uint32]outbox.Endpoint{}} }

// write runs do between the hooks.
func (o *Outbox) write(ctx context.Context, do func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.Before != nil {
		if err := o.Before(); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if o.After != nil {
		return o.After()
	}
	return nil
}

// Cursor implements outbox.Store.
func (o *Outbox) Cursor(context.Context) (outbox.Cursor, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cursor, nil
}

// Keep implements outbox.Store.
func (o *Outbox) Keep(ctx context.Context, after uint64, to outbox.Cursor, messages []outbox.Message) error {
	return o.write(ctx, func() error {
		if o.cursor.Seq != after {
			return outbox.ErrBehind
		}
		for _, message := range messages {
			message.Body = slices.Clone(message.Body)
			o.messages = append(o.messages, message)
		}
		o.cursor = to
		return nil
	})
}

// Due implements outbox.Store.
func (o *Outbox) Due(_ context.Context, nowMS int64, limit int) ([]outbox.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var due []outbox.Message
	for _, message := range o.messages {
		if message.Status == outbox.Waiting && message.NextMS <= nowMS {
			due = append(due, message)
		}
	}
	slices.SortStableFunc(due, func(a, b outbox.Message) int { return cmp.Compare(a.NextMS, b.NextMS) })
	return due[:min(limit, len(due))], nil
}

// Mark implements outbox.Store.
func (o *Outbox) Mark(ctx context.Context, message outbox.Message) error {
	return o.write(ctx, func() error {
		kept := o.find(message.Number)
		if kept == nil {
			return outbox.ErrNotFound
		}
		kept.Status, kept.Attempts, kept.NextMS, kept.Fault = message.Status, message.Attempts, message.NextMS, message.Fault
		return nil
	})
}

// Message implements outbox.Store.
func (o *Outbox) Message(_ context.Context, number uint64) (outbox.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if message := o.find(number); message != nil {
		return *message, nil
	}
	return outbox.Message{}, outbox.ErrNotFound
}

func (o *Outbox) find(number uint64) *outbox.Message {
	i := slices.IndexFunc(o.messages, func(m outbox.Message) bool { return m.Number == number })
	if i < 0 {
		return nil
	}
	return &o.messages[i]
}

// Messages implements outbox.Store.
func (o *Outbox) Messages(_ context.Context, world uint32, before uint64, limit int) ([]outbox.Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var found []outbox.Message
	for i := len(o.messages) - 1; i >= 0 && len(found) < limit; i-- {
		if message := o.messages[i]; message.World == world && (before == 0 || message.Number < before) {
			found = append(found, message)
		}
	}
	return found, nil
}

// SetEndpoint implements outbox.Store.
func (o *Outbox) SetEndpoint(ctx context.Context, endpoint outbox.Endpoint) error {
	return o.write(ctx, func() error {
		o.endpoints[endpoint.World] = endpoint
		return nil
	})
}

// Endpoint implements outbox.Store.
func (o *Outbox) Endpoint(_ context.Context, world uint32) (outbox.Endpoint, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	endpoint, found := o.endpoints[world]
	if !found {
		return outbox.Endpoint{}, outbox.ErrNotFound
	}
	return endpoint, nil
}
