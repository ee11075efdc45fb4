// Package collect accepts what worlds report: it makes every event durable
// before it acknowledges it, decides what it counts for, folds it into the
// days of people and turns days into Mint commands.
//
// Its state is a fold over the log of accepted events, in their order. A
// restart reads the last checkpoint, folds the events behind it again and
// comes to the same days and verdicts. docs/collect.md has the rules.
package collect

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// ErrConflict is returned by Log.Append when the sequence is taken, and by
// Checkpoints.Save when a later term has begun: another collector is alive, and
// this one must stop.
var ErrConflict = errors.New("another collector has written here")

// Batch is what one append makes durable.
type Batch struct {
	Seq        uint64
	ReceivedMS int64
	Body       []byte
}

// Log keeps batches of events in the order in which they were accepted. The
// suite storetest.Events says what an adapter must do.
type Log interface {
	// Append makes a batch durable at its sequence; ErrConflict if that is
	// taken. After any other error it may or may not be there.
	Append(ctx context.Context, batch Batch) error
	// Load yields the batches from a sequence on, in order, without a gap.
	Load(ctx context.Context, from uint64) iter.Seq2[Batch, error]
	// FirstSince returns the sequence of the first batch received at or after
	// a time, or the sequence behind the last batch.
	FirstSince(ctx context.Context, receivedMS int64) (uint64, error)
}

// Purges let go of what worlds no longer keep. They are kept by the store of the
// log and the checkpoints; the suite storetest.Events says what an adapter must
// do.
type Purges interface {
	// Purged returns through which batch of the log the events of worlds were
	// dropped; a world of which none were is not in it.
	Purged(ctx context.Context) (through map[uint32]uint64, err error)
	// Purge carries out a step, all or nothing, and without a trace of what was
	// there before; ErrConflict if a later term has begun.
	Purge(ctx context.Context, term uint64, step Purged) error
}

// Purged is a step of a purge.
type Purged struct {
	// Batches are there already and get these shorter bodies.
	Batches []Batch
	// Gone says in which batches subjects have nothing any more, each subject once;
	// their Places become shorter by those.
	Gone []Place
	// Through is how far worlds have got.
	Through map[uint32]uint64
}

// Part is a piece of the folded state: a person's day, or with the day
// PersonPart what is known of the person apart from days. It is sealed under
// the key of its subject.
type Part struct {
	Subject uint64
	Day     int32
	// DueMS is when the part has something to do again; NeverDue if it has not.
	DueMS  int64
	Sealed []byte
	// Marks are added to those by which the subject is found.
	Marks []Mark
}

// Mark stands for something that people have in common on a day, such as a
// device, and does not say what.
type Mark [16]byte

// PersonPart stands in place of a day for what belongs to no day.
const PersonPart int32 = -1 << 31

// NeverDue is later than any time.
const NeverDue int64 = 1<<63 - 1

// Head is a second place, outside the log, that remembers the last durable
// batch, so that a log that has silently lost its tail is found out.
type Head interface {
	// Load returns the sequence and hash that were saved last; zero if none.
	Load() (seq uint64, hash [32]byte, err error)
	// Save makes them durable.
	Save(seq uint64, hash [32]byte) error
}

// ErrDamaged is wrapped by every error about a batch whose bytes are not what
// was written.
var ErrDamaged = errors.New("the log of events is damaged")

func damaged(seq uint64, format string, args ...any) error {
	return fmt.Errorf("%w at batch %d: %s", ErrDamaged, seq, fmt.Sprintf(format, args...))
}

// Checkpoints keep the folded state up to a batch of the log.
type Checkpoints interface {
	// Begin begins a term, so that no collector of an earlier one can save any
	// longer, and returns it with the sequence of the checkpoint; that is zero
	// if there is none.
	Begin(ctx context.Context) (term, seq uint64, err error)
	// Save replaces parts, adds their marks, adds places and moves the checkpoint
	// to seq, all or nothing; ErrConflict if a later term has begun.
	Save(ctx context.Context, term, seq uint64, parts []Part, places []Place) error
	// Part returns a part's sealed bytes; nil if there is none.
	Part(ctx context.Context, subject uint64, day int32) ([]byte, error)
	// Due returns the parts that are due by a time, without their bytes.
	Due(ctx context.Context, untilMS int64) ([]Part, error)
	// Marked returns the subjects with a mark in order, at most limit.
	Marked(ctx context.Context, mark Mark, limit int) ([]uint64, error)
	// DropMarks drops the marks of parts of days before one.
	DropMarks(ctx context.Context, day int32) error
	// Forget drops all parts, marks and places of a subject.
	Forget(ctx context.Context, subject uint64) error
	Archive
}
