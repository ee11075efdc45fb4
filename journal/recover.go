package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/attentionbank/attentionbank/bank"
)

// A snapshot is the encoded state and the SHA-256 of it:
//
//	| state, as bank.Frozen.WriteTo writes it | hash 32 |

func writeSnapshot(w io.Writer, state *bank.Frozen) error {
	sum := sha256.New()
	if _, err := state.WriteTo(io.MultiWriter(w, sum)); err != nil {
		return err
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// readSnapshot restores a state and checks its hash.
func readSnapshot(src io.Reader) (*bank.State, error) {
	content := &allButTail{src: src, sum: sha256.New()}
	state, err := bank.Restore(content)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return nil, err
	}
	if !bytes.Equal(content.sum.Sum(nil), content.tail) {
		return nil, errors.New("its hash does not match its bytes")
	}
	return state, nil
}

// allButTail reads all but the last 32 bytes of src, which it keeps.
type allButTail struct {
	src  io.Reader
	sum  hash.Hash
	tail []byte
}

func (r *allButTail) Read(p []byte) (int, error) {
	buffer := make([]byte, len(p))
	n, err := r.src.Read(buffer)
	r.tail = append(r.tail, buffer[:n]...)
	ready := min(max(len(r.tail)-32, 0), len(p))
	copy(p, r.tail[:ready])
	r.tail = append(r.tail[:0], r.tail[ready:]...)
	r.sum.Write(p[:ready])
	return ready, err
}

// position is where a state stands in the journal.
type position struct {
	state *bank.State
	seq   uint64
	hash  [32]byte // of record seq
	term  uint64
}

// recoverState comes to the state after the last record: from the newest
// snapshot that is whole, and the records behind it, by the code that applied
// them first. What is not as it was written is an error that names the record.
func recoverState(ctx context.Context, store Store, head Head, warn func(string)) (position, error) {
	at, err := fromSnapshot(ctx, store, warn)
	if err != nil {
		return at, err
	}
	headSeq, headHash, err := head.Load()
	if err != nil {
		return at, fmt.Errorf("reading the second head: %w", err)
	}
	if headSeq != 0 && headSeq < at.seq {
		// The records between are not read again below, so the head's is here.
		if err := requireHash(ctx, store, headSeq, headHash); err != nil {
			return at, err
		}
	}
	for record, err := range store.Load(ctx, at.seq+1) {
		if err != nil {
			return at, fmt.Errorf("reading the journal behind record %d: %w", at.seq, err)
		}
		if err := at.apply(record); err != nil {
			return at, err
		}
		if record.Seq == headSeq && record.Hash != headHash {
			return at, damaged(headSeq, "the second head knows it with another hash")
		}
	}
	if headSeq > at.seq {
		return at, fmt.Errorf("%w: it ends at record %d, but record %d was acknowledged; its tail was lost: restore the journal from a copy that has record %d", ErrDamaged, at.seq, headSeq, headSeq)
	}
	if headSeq == 0 && at.seq > 1 {
		return at, fmt.Errorf("%w: the second head is missing while the journal has %d records; if you moved the journal on purpose, accept it as it is with: attentionbank fsck --accept-journal", ErrDamaged, at.seq)
	}
	return at, nil
}

// fromSnapshot restores the newest snapshot that is whole; without one it
// begins with an empty bank.
func fromSnapshot(ctx context.Context, store Store, warn func(string)) (position, error) {
	seqs, err := store.Snapshots(ctx)
	if err != nil {
		return position{}, fmt.Errorf("listing snapshots: %w", err)
	}
	for _, seq := range seqs {
		state, err := openSnapshot(ctx, store, seq)
		if err != nil {
			warn(fmt.Sprintf("the snapshot at record %d cannot be used and is passed over: %v", seq, err))
			continue
		}
		for record, err := range store.Load(ctx, seq) {
			if err != nil {
				return position{}, fmt.Errorf("reading record %d, at which there is a snapshot: %w", seq, err)
			}
			if sha256.Sum256(record.Body) != record.Hash || record.Seq != seq {
				return position{}, damaged(seq, "its hash does not match its bytes")
			}
			return position{state: state, seq: seq, hash: record.Hash, term: record.Header().Term}, nil
		}
		return position{}, damaged(seq, "there is a snapshot at it, and the journal ends before")
	}
	return position{state: bank.New()}, nil
}

func openSnapshot(ctx context.Context, store Store, seq uint64) (*bank.State, error) {
	src, err := store.OpenSnapshot(ctx, seq)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	state, err := readSnapshot(src)
	if err != nil {
		return nil, err
	}
	if state.Seq() != seq {
		return nil, fmt.Errorf("it holds the state at record %d", state.Seq())
	}
	return state, nil
}

func requireHash(ctx context.Context, store Store, seq uint64, hash [32]byte) error {
	for record, err := range store.Load(ctx, seq) {
		if err != nil {
			return fmt.Errorf("reading record %d: %w", seq, err)
		}
		if record.Seq != seq || record.Hash != hash {
			return damaged(seq, "the second head knows it with another hash")
		}
		return nil
	}
	return damaged(seq, "the second head knows it, and it is not there")
}

// apply verifies the next record, applies its commands and compares the
// answers with those that were given.
func (p *position) apply(record Record) error {
	if record.Seq != p.seq+1 {
		return damaged(p.seq+1, "it is missing; the next one is %d", record.Seq)
	}
	header, err := record.Verify(p.hash)
	if err != nil {
		return err
	}
	if header.Engine > bank.Engine {
		return fmt.Errorf("record %d was written by engine version %d, this program knows up to %d: use a newer program", record.Seq, header.Engine, bank.Engine)
	}
	if header.TimeMS < p.state.NowMS() || header.Term < p.term {
		return damaged(record.Seq, "its time or term goes back")
	}
	p.state.Begin(record.Seq, header.TimeMS)
	var answer []byte
	for pair, err := range record.Pairs() {
		if err != nil {
			return err
		}
		if answer = p.state.Apply(pair.Command, answer[:0]); !bytes.Equal(answer, pair.Answer) {
			return damaged(record.Seq, "command %d is answered differently than it was", pair.Index)
		}
	}
	p.seq, p.hash, p.term = record.Seq, record.Hash, header.Term
	return nil
}
