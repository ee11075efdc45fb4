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
	"crypto/sha256"
	"encoding/binary"
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

// The body of a batch (little-endian):
//
//	| "ABEV" | version u8 = 2 | previous hash 32 | received i64 | entries u32 | entries |
//
// Its hash is its SHA-256; each body holds that of the batch before, and the
// second head that of the last: a chain. An entry is
//
//	| kind u8 | trust u8 | verdict u8 | rule u8 | world u32 | subject u64 |
//	| other u64 | digest 16 | policy version u32 | length u32 | sealed payload |
//
// kind is 0 for an event, 1 for a session, 2 for a link, 3 for an appeal and 4 for terms. other is the
// anonymous subject that a session unites with the subject, or 0; of a link the
// subject to whom the days of this one belong. The payload, sealed under the
// subject's key with the digest as additional data, is for an event
//
//	| time i64 | canonical bytes of the event |
//
// and for a session
//
//	| from i64 | until i64 |
//
// and for a link
//
//	| 1 begins, 2 ends, u8 |
//
// and for an appeal
//
//	| case u64 | text |
//
// and for the terms of a person what terms.go says.
type entry struct {
	kind          entryKind
	trust         Trust
	verdict       Verdict
	rule          Rule
	world         uint32
	subject       uint64
	other         uint64
	digest        digest
	policyVersion uint32
	sealed        []byte
}

type entryKind uint8

const (
	eventEntry entryKind = iota
	sessionEntry
	linkEntry
	appealEntry
	termsEntry
)

// digest stands for a message id of a source.
type digest [16]byte

const (
	bodyMagic   = "ABEV"
	bodyVersion = 2
	bodyHeader  = 4 + 1 + 32 + 8 + 4
	entryHeader = 4 + 4 + 8 + 8 + 16 + 4 + 4
)

func newBody(previous [32]byte, receivedMS int64) []byte {
	body := append(append([]byte(bodyMagic), bodyVersion), previous[:]...)
	return append(binary.LittleEndian.AppendUint64(body, uint64(receivedMS)), 0, 0, 0, 0)
}

// hash names a batch and all before it.
func (b Batch) hash() [32]byte { return sha256.Sum256(b.Body) }

// previous returns the hash of the batch before, once it has checked that the
// batch begins as one that was received when its store says.
func (b Batch) previous() (hash [32]byte, err error) {
	if len(b.Body) < bodyHeader || string(b.Body[:4]) != bodyMagic || b.Body[4] != bodyVersion {
		return hash, damaged(b.Seq, "it does not begin as a batch of version %d", bodyVersion)
	}
	if receivedMS := int64(binary.LittleEndian.Uint64(b.Body[37:])); receivedMS != b.ReceivedMS {
		return hash, damaged(b.Seq, "it says that it was received at %d ms and stands in the log at %d ms", receivedMS, b.ReceivedMS)
	}
	return [32]byte(b.Body[5:37]), nil
}

// setEntries fills in the number of entries of a finished body.
func setEntries(body []byte, entries uint32) []byte {
	binary.LittleEndian.PutUint32(body[bodyHeader-4:], entries)
	return body
}

func (e *entry) appendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, uint8(e.kind), uint8(e.trust), uint8(e.verdict), uint8(e.rule))
	dst = le.AppendUint64(le.AppendUint32(dst, e.world), e.subject)
	dst = append(le.AppendUint64(dst, e.other), e.digest[:]...)
	dst = le.AppendUint32(le.AppendUint32(dst, e.policyVersion), uint32(len(e.sealed)))
	return append(dst, e.sealed...)
}

// entries yields the entries of a batch in order.
func (b Batch) entries() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		le := binary.LittleEndian
		src := b.Body
		if _, err := b.previous(); err != nil {
			yield(entry{}, err)
			return
		}
		count := le.Uint32(src[bodyHeader-4:])
		src = src[bodyHeader:]
		for i := range count {
			if len(src) < entryHeader || uint64(len(src)-entryHeader) < uint64(le.Uint32(src[entryHeader-4:])) {
				yield(entry{}, damaged(b.Seq, "entry %d of %d is cut off", i, count))
				return
			}
			e := entry{
				kind: entryKind(src[0]), trust: Trust(src[1]), verdict: Verdict(src[2]), rule: Rule(src[3]),
				world: le.Uint32(src[4:]), subject: le.Uint64(src[8:]), other: le.Uint64(src[16:]),
				digest: digest(src[24:40]), policyVersion: le.Uint32(src[40:]),
			}
			end := entryHeader + int(le.Uint32(src[44:]))
			e.sealed = src[entryHeader:end:end]
			src = src[end:]
			if !yield(e, nil) {
				return
			}
		}
		if len(src) != 0 {
			yield(entry{}, damaged(b.Seq, "%d bytes are left over", len(src)))
		}
	}
}
