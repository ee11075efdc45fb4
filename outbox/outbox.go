// Package outbox is the one door out of the bank, for what worlds are told and
// for what people are paid: it turns facts of the journal into messages, keeps them until they
// are delivered, and takes back what the receiver answered.
//
// A message is kept before it is sent and marked after it was answered, so a
// crash may send it twice and never lets it out; its id stays the same, by which
// the receiver knows it.
package outbox

import (
	"context"
	"errors"
	"iter"
)

// Record is what is read of a record of the journal.
type Record struct {
	Seq    uint64
	TimeMS int64
	Hash   [32]byte
	// Answers are the encoded answers to its commands, in order.
	Answers [][]byte
}

// Source is a journal.
type Source interface {
	// Durable returns the sequence of the last durable record.
	Durable() uint64
	// Load yields the records from a sequence on, in order and without a gap.
	Load(ctx context.Context, from uint64) iter.Seq2[Record, error]
	// WaitNewer returns when there is a newer durable record, or ctx ends.
	WaitNewer(ctx context.Context, seq uint64)
}

// Status says where a message is on its way.
type Status uint8

// The statuses of messages.
const (
	// Waiting for its next attempt.
	Waiting Status = iota
	// Delivered: the receiver took it.
	Delivered
	// Dead: the last attempt failed too; it waits for somebody to send it again.
	Dead
)

// String returns the name of the status.
func (s Status) String() string { return [...]string{"waiting", "delivered", "dead"}[s] }

// Message is something to tell a world.
type Message struct {
	// Number is made of where in the journal it came to be, so that the same
	// message has the same number for ever: the record's sequence times 65,536
	// and its place among the record's messages. The id by which receivers know
	// it is made of it.
	Number uint64
	World  uint32 // 0 for what tells no world
	// Kind names what happened, such as "purchase.created".
	Kind string
	// Body is JSON and never changes.
	Body      []byte
	CreatedMS int64
	Status    Status
	// Attempts were made; NextMS is when the next is due.
	Attempts int
	NextMS   int64
	// Fault says why the last attempt failed, in a few words.
	Fault string
}

// Endpoint is where the messages of a world go.
type Endpoint struct {
	World uint32
	URL   string // empty for nowhere
	// Generation counts how often the signing secret was renewed.
	Generation uint32
	// Disabled says that the receiver answered that it is gone (410).
	Disabled bool
}

// Cursor is how far the journal was read.
type Cursor struct {
	Seq  uint64
	Hash [32]byte
}

// ErrBehind is returned by Keep when the cursor is not where the caller
// believes: another outbox is at work.
var ErrBehind = errors.New("another outbox has read on")

// ErrForeign is returned when the journal is not the one that was read.
var ErrForeign = errors.New("the outbox belongs to another journal")

// ErrNotFound is returned when there is no such message or endpoint.
var ErrNotFound = errors.New("there is no such message")

// Store keeps messages and endpoints. The suite storetest.Outbox says what an
// adapter must do. What a method returns without an error is durable.
type Store interface {
	// Cursor returns how far the journal was read; zero at first.
	Cursor(ctx context.Context) (Cursor, error)
	// Keep adds messages and moves the cursor from after to to, both or neither. It returns ErrBehind if the cursor is not at after.
	Keep(ctx context.Context, after uint64, to Cursor, messages []Message) error
	// Due returns up to limit messages that wait and are due by a time, the
	// earliest first.
	Due(ctx context.Context, nowMS int64, limit int) ([]Message, error)
	// Mark replaces what changes of a message: status, attempts, next, fault.
	Mark(ctx context.Context, message Message) error
	// Message returns a message by its number, or ErrNotFound.
	Message(ctx context.Context, number uint64) (Message, error)
	// Messages returns up to limit messages of a world before a number, 0 for
	// the newest, the newest first.
	Messages(ctx context.Context, world uint32, before uint64, limit int) ([]Message, error)
	// SetEndpoint keeps where the messages of a world go.
	SetEndpoint(ctx context.Context, endpoint Endpoint) error
	// Endpoint returns it, or ErrNotFound.
	Endpoint(ctx context.Context, world uint32) (Endpoint, error)
}
