// Package journal runs the bank: one writer that applies commands, makes them
// durable and only then answers. What it keeps is a chain of records from
// which the same state comes again.
package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Record is what one append makes durable: the commands that arrived together
// and their answers. Its body (little-endian) is encoded once, and what the
// answers given to clients point into:
//
//	| "ABRC" | seq u64 | time i64 | engine u32 | term u64 | previous hash 32 |
//	| commands u32 | length of commands u32 |
//	| per command: length u32, bytes | per answer: length u32, bytes |
//
// Hash is the SHA-256 of the body, which holds the hash of the record before:
// a chain from the first record on.
type Record struct {
	Seq  uint64
	Hash [32]byte
	Body []byte
}

const (
	recordMagic = "ABRC"
	headerBytes = 4 + 8 + 8 + 4 + 8 + 32 + 4 + 4
)

// Header is what stands before the commands of a record.
type Header struct {
	Seq      uint64
	TimeMS   int64
	Engine   uint32
	Term     uint64
	Previous [32]byte
	Commands uint32
}

// appendHeader appends a header; setCommands fills in number and length of the
// commands once they stand behind it.
func appendHeader(dst []byte, h Header) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(append(dst, recordMagic...), h.Seq)
	dst = le.AppendUint32(le.AppendUint64(dst, uint64(h.TimeMS)), h.Engine)
	dst = append(le.AppendUint64(dst, h.Term), h.Previous[:]...)
	return le.AppendUint32(le.AppendUint32(dst, h.Commands), 0)
}

func setCommands(body []byte, count, length int) {
	binary.LittleEndian.PutUint32(body[headerBytes-8:], uint32(count))
	binary.LittleEndian.PutUint32(body[headerBytes-4:], uint32(length))
}

// seal returns the record of a finished body.
func seal(seq uint64, body []byte) Record {
	return Record{Seq: seq, Hash: sha256.Sum256(body), Body: body}
}

// ErrDamaged is wrapped by every error about a record whose bytes are not what
// was written.
var ErrDamaged = errors.New("the journal is damaged")

func damaged(seq uint64, format string, args ...any) error {
	return fmt.Errorf("%w at record %d: %s", ErrDamaged, seq, fmt.Sprintf(format, args...))
}

// Verify checks that the record is whole and follows the record with the hash
// previous, and returns its header.
func (r Record) Verify(previous [32]byte) (Header, error) {
	if sha256.Sum256(r.Body) != r.Hash {
		return Header{}, damaged(r.Seq, "its hash does not match its bytes")
	}
	h, _, _, err := r.parts()
	if err != nil {
		return Header{}, err
	}
	if h.Seq != r.Seq {
		return Header{}, damaged(r.Seq, "it says that it is record %d", h.Seq)
	}
	if h.Previous != previous {
		return Header{}, damaged(r.Seq, "it does not follow the record before it")
	}
	return h, nil
}

func (r Record) parts() (h Header, commands, answers []byte, err error) {
	le := binary.LittleEndian
	if len(r.Body) < headerBytes || string(r.Body[:4]) != recordMagic {
		return h, nil, nil, damaged(r.Seq, "it does not begin as a record")
	}
	b := r.Body[4:]
	h = Header{
		Seq: le.Uint64(b), TimeMS: int64(le.Uint64(b[8:])), Engine: le.Uint32(b[16:]), Term: le.Uint64(b[20:]),
		Previous: [32]byte(b[28:60]), Commands: le.Uint32(b[60:]),
	}
	rest, length := r.Body[headerBytes:], le.Uint32(b[64:])
	if uint64(length) > uint64(len(rest)) {
		return h, nil, nil, damaged(r.Seq, "its commands are cut off")
	}
	return h, rest[:length], rest[length:], nil
}

// Pairs yields each command with its answer.
func (r Record) Pairs() iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		h, commands, answers, err := r.parts()
		if err != nil {
			yield(Pair{}, err)
			return
		}
		for index := range h.Commands {
			command, restC, ok := frame(commands)
			answer, restA, ok2 := frame(answers)
			if !ok || !ok2 {
				yield(Pair{}, damaged(r.Seq, "command %d of %d is cut off", index, h.Commands))
				return
			}
			if !yield(Pair{Index: index, Command: command, Answer: answer}, nil) {
				return
			}
			commands, answers = restC, restA
		}
		if len(commands)+len(answers) != 0 {
			yield(Pair{}, damaged(r.Seq, "%d bytes are left over", len(commands)+len(answers)))
		}
	}
}

// Pair is a command of a record and its answer.
type Pair struct {
	Index           uint32
	Command, Answer []byte
}

func frame(src []byte) (content, rest []byte, ok bool) {
	if len(src) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(src)
	if uint64(n) > uint64(len(src)-4) {
		return nil, nil, false
	}
	return src[4 : 4+n : 4+n], src[4+n:], true
}

// Header returns the header of a record that was verified before.
func (r Record) Header() Header {
	h, _, _, err := r.parts()
	if err != nil {
		panic(fmt.Sprintf("journal: %v", err))
	}
	return h
}

// ErrConflict is returned by Store.Append when the sequence is taken: another
// writer is alive, and this one must stop.
var ErrConflict = errors.New("another writer has written this record")

// Store keeps records and snapshots. The suite storetest.Journal says what an
// adapter must do.
type Store interface {
	// Append makes a record durable at its sequence. It returns ErrConflict if
	// that is taken. After any other error the record may or may not be there.
	Append(ctx context.Context, record Record) error
	// Load yields the records from a sequence on, in order and without a gap.
	Load(ctx context.Context, from uint64) iter.Seq2[Record, error]
	// SaveSnapshot keeps what write writes as the snapshot at a sequence; it is
	// there in whole or not at all. The last two are kept.
	SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error
	// Snapshots returns the sequences of the snapshots, the newest first.
	Snapshots(ctx context.Context) ([]uint64, error)
	// DropSnapshot removes a snapshot; one that is not there is none to remove.
	DropSnapshot(ctx context.Context, seq uint64) error
	// OpenSnapshot reads a snapshot.
	OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error)
}

// Head is a second place, outside the store, that remembers the last durable
// record, so that a store that has silently lost its tail is found out.
type Head interface {
	// Load returns the sequence and hash that were saved last; zero if none.
	Load() (seq uint64, hash [32]byte, err error)
	// Save makes them durable.
	Save(seq uint64, hash [32]byte) error
}
