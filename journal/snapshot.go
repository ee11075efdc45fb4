package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/bank"
)

// A snapshot is the state after a record, behind the head of the journal at
// that record, so that it cannot be taken for one of another journal
// (little-endian; docs/formats/snapshot.md):
//
//	| "ABSNAP01" | seq u64 | hash of record seq 32 | CRC-32C of the above u32 |
//	| state, as bank.Frozen.WriteTo writes it | SHA-256 of the state 32 |
const snapshotMagic = "ABSNAP01"

func writeSnapshot(dst io.Writer, state *bank.Frozen, recordHash [32]byte) error {
	if _, err := dst.Write(appendHead(nil, snapshotMagic, state.Seq(), recordHash)); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := state.WriteTo(io.MultiWriter(dst, sum)); err != nil {
		return err
	}
	_, err := dst.Write(sum.Sum(nil))
	return err
}

// seenSnapshot is what checkSnapshot has found in a snapshot that is whole.
type seenSnapshot struct {
	seq                   uint64
	recordHash, stateHash [32]byte
}

// checkSnapshot reads a snapshot to its end and checks its sums, before
// anything of it is decoded.
func checkSnapshot(ctx context.Context, store Store, seq uint64) (seen seenSnapshot, err error) {
	src, err := store.OpenSnapshot(ctx, seq)
	if err != nil {
		return seen, err
	}
	defer src.Close()
	if seen.recordHash, err = readSnapshotHead(src, seq); err != nil {
		return seen, err
	}
	sum := sha256.New()
	buffer := make([]byte, 64<<10)
	held := 0 // bytes at the begin of buffer that may be the sum at the end
	for err != io.EOF {
		var n int
		if n, err = src.Read(buffer[held:]); err != nil && err != io.EOF {
			return seen, err
		}
		if held += n; held > sha256.Size {
			sum.Write(buffer[:held-sha256.Size])
			copy(buffer, buffer[held-sha256.Size:held])
			held = sha256.Size
		}
	}
	seen.seq, seen.stateHash = seq, [32]byte(sum.Sum(nil))
	if held < sha256.Size || [32]byte(buffer[:held]) != seen.stateHash {
		return seen, errors.New("its hash does not match its bytes")
	}
	return seen, nil
}

func readSnapshotHead(src io.Reader, seq uint64) (recordHash [32]byte, err error) {
	var head [headBytes]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return recordHash, fmt.Errorf("reading its head: %w", err)
	}
	at, recordHash, whole := readHead(head[:], snapshotMagic)
	if !whole {
		return recordHash, errors.New("its head is damaged")
	}
	if at != seq {
		return recordHash, fmt.Errorf("it is one of record %d", at)
	}
	return recordHash, nil
}

// restoreSnapshot returns the state of a snapshot that is whole.
func restoreSnapshot(ctx context.Context, store Store, seq uint64) (*bank.State, seenSnapshot, error) {
	seen, err := checkSnapshot(ctx, store, seq)
	if err != nil {
		return nil, seen, err
	}
	src, err := store.OpenSnapshot(ctx, seq)
	if err != nil {
		return nil, seen, err
	}
	defer src.Close()
	if _, err := readSnapshotHead(src, seq); err != nil {
		return nil, seen, err
	}
	state, err := bank.Restore(src)
	if err != nil {
		return nil, seen, err
	}
	if state.Seq() != seq {
		return nil, seen, fmt.Errorf("it holds the state at record %d", state.Seq())
	}
	return state, seen, nil
}

// fromSnapshot restores the newest snapshot up to a record that is whole;
// without one it begins with an empty bank. A snapshot that is whole and does
// not fit the journal says that the journal is not the one it was.
func fromSnapshot(ctx context.Context, store Store, upTo uint64, warn func(string)) (position, error) {
	seqs, err := store.Snapshots(ctx)
	if err != nil {
		return position{}, fmt.Errorf("listing snapshots: %w", err)
	}
	for _, seq := range seqs {
		if seq > upTo {
			continue
		}
		state, seen, err := restoreSnapshot(ctx, store, seq)
		if err != nil {
			warn(fmt.Sprintf("the snapshot at record %d cannot be used and is passed over: %v", seq, err))
			continue
		}
		record, err := one(ctx, store, seq)
		if err != nil {
			return position{}, fmt.Errorf("there is a snapshot at record %d: %w", seq, err)
		}
		if record.Hash != seen.recordHash {
			return position{}, damaged(seq, "the snapshot at it was taken of another journal: restore journal and snapshots from the same copy")
		}
		return position{state: state, seq: seq, hash: record.Hash, term: record.Header().Term}, nil
	}
	return position{state: bank.New()}, nil
}

// one returns a record whose bytes match its hash.
func one(ctx context.Context, store Store, seq uint64) (Record, error) {
	for record, err := range store.Load(ctx, seq) {
		if err != nil {
			return record, fmt.Errorf("reading record %d: %w", seq, err)
		}
		if record.Seq != seq {
			return record, damaged(seq, "it is missing; the next one is %d", record.Seq)
		}
		if sha256.Sum256(record.Body) != record.Hash {
			return record, damaged(seq, "its hash does not match its bytes")
		}
		_, _, _, err := record.parts()
		return record, err
	}
	return Record{}, damaged(seq, "it is missing, the journal ends before: restore the journal from a copy that has it")
}
