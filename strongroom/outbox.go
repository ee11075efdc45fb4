package strongroom

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/attentionbank/attentionbank/outbox"
)

// Outbox encrypts the bodies of messages on their way into a store. Worlds,
// kinds, times and what became of them stay in clear, as do endpoints.
type Outbox struct {
	outbox.Store
	ring *Keyring
}

// NewOutbox puts a keyring in front of a store.
func NewOutbox(store outbox.Store, ring *Keyring) *Outbox { return &Outbox{store, ring} }

func messagePlace(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number) }

// Keep implements outbox.Store.
func (o *Outbox) Keep(ctx context.Context, after uint64, to outbox.Cursor, messages []outbox.Message) error {
	if !o.ring.Encrypts() {
		return o.Store.Keep(ctx, after, to, messages)
	}
	encrypted := make([]outbox.Message, len(messages))
	for i, message := range messages {
		encrypted[i] = message
		var err error
		if encrypted[i].Body, err = o.ring.encrypt(nil, messageKind, messagePlace(message.Number), message.Body); err != nil {
			return fmt.Errorf("encrypting message %d: %w", message.Number, err)
		}
	}
	return o.Store.Keep(ctx, after, to, encrypted)
}

// Due implements outbox.Store.
func (o *Outbox) Due(ctx context.Context, nowMS int64, limit int) ([]outbox.Message, error) {
	messages, err := o.Store.Due(ctx, nowMS, limit)
	return o.open(messages, err)
}

// Message implements outbox.Store.
func (o *Outbox) Message(ctx context.Context, number uint64) (outbox.Message, error) {
	message, err := o.Store.Message(ctx, number)
	if err != nil {
		return message, err
	}
	messages, err := o.open([]outbox.Message{message}, nil)
	if err != nil {
		return outbox.Message{}, err
	}
	return messages[0], nil
}

// Messages implements outbox.Store.
func (o *Outbox) Messages(ctx context.Context, world uint32, before uint64, limit int) ([]outbox.Message, error) {
	messages, err := o.Store.Messages(ctx, world, before, limit)
	return o.open(messages, err)
}

func (o *Outbox) open(messages []outbox.Message, err error) ([]outbox.Message, error) {
	if err != nil {
		return nil, err
	}
	for i := range messages {
		m := &messages[i]
		if !isBlock(m.Body) {
			continue
		}
		if m.Body, err = o.ring.decrypt(m.Body, messageKind, messagePlace(m.Number)); err != nil {
			return nil, fmt.Errorf("decrypting message %d: %w", m.Number, err)
		}
	}
	return messages, nil
}
