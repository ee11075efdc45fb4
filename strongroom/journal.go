package strongroom

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/attentionbank/attentionbank/journal"
)

// Journal is a journal.Store whose records and snapshots another store keeps
// encrypted. Records from before there was a key are read as they are; behind
// an encrypted one there are none.
//
// A record becomes a block of | hash 32 | body |, and its place is its
// sequence. What stands in the hash's place is an HMAC of it: the hash itself
// would confirm a guess of what a record says.
type Journal struct {
	store journal.Store
	ring  *Keyring
	room  sync.Pool // of *[]byte: blocks of records that have been appended
}

// NewJournal returns the journal that store keeps for the holder of the keys.
// The store must not keep the bytes of a record that it was given.
func NewJournal(store journal.Store, ring *Keyring) *Journal {
	return &Journal{store: store, ring: ring}
}

// hashName stands for a hash in the store.
func (s *storeKey) hashName(hash [32]byte) [32]byte {
	h := hmac.New(sha256.New, s.secret[:])
	h.Write([]byte("attentionbank/record-hash/1"))
	h.Write(hash[:])
	return [32]byte(h.Sum(nil))
}

// Append implements journal.Store.
func (j *Journal) Append(ctx context.Context, record journal.Record) error {
	if !j.ring.Encrypts() {
		return j.store.Append(ctx, record)
	}
	room, _ := j.room.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	defer j.room.Put(room)
	block, err := j.ring.encrypt(*room, recordKind, numberPlace(record.Seq), record.Hash[:], record.Body)
	if err != nil {
		return fmt.Errorf("encrypting record %d: %w", record.Seq, err)
	}
	*room = block[:0]
	return j.store.Append(ctx, journal.Record{Seq: record.Seq, Hash: j.ring.writing.hashName(record.Hash), Body: block})
}

// Load implements journal.Store.
func (j *Journal) Load(ctx context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		encrypted := false
		for record, err := range j.store.Load(ctx, from) {
			switch {
			case err != nil:
			case isBlock(record.Body):
				encrypted = true
				record, err = j.open(record)
			case encrypted:
				err = fmt.Errorf("%w: record %d is not encrypted, and one before it is", journal.ErrDamaged, record.Seq)
			}
			if err != nil {
				yield(journal.Record{}, err)
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

func (j *Journal) open(record journal.Record) (journal.Record, error) {
	plain, err := j.ring.decrypt(record.Body, recordKind, numberPlace(record.Seq))
	if err == nil && len(plain) < len(record.Hash) {
		err = ErrBroken
	}
	if errors.Is(err, ErrBroken) {
		err = fmt.Errorf("%w: %w", journal.ErrDamaged, err)
	}
	if err != nil {
		return record, fmt.Errorf("decrypting record %d: %w", record.Seq, err)
	}
	record.Hash, record.Body = [32]byte(plain), plain[len(record.Hash):]
	return record, nil
}

// SaveSnapshot implements journal.Store.
func (j *Journal) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	if !j.ring.Encrypts() {
		return j.store.SaveSnapshot(ctx, seq, write)
	}
	return j.store.SaveSnapshot(ctx, seq, func(dst io.Writer) error {
		chunks, err := newChunkWriter(dst, j.ring.writing, seq)
		if err == nil {
			err = write(chunks)
		}
		if err != nil {
			return err
		}
		return chunks.finish()
	})
}

// OpenSnapshot implements journal.Store.
func (j *Journal) OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error) {
	src, err := j.store.OpenSnapshot(ctx, seq)
	if err != nil {
		return nil, err
	}
	chunks, err := newChunkReader(src, j.ring, seq)
	if err != nil {
		src.Close()
		return nil, fmt.Errorf("decrypting the snapshot at record %d: %w", seq, err)
	}
	return chunks, nil
}

// Snapshots implements journal.Store.
func (j *Journal) Snapshots(ctx context.Context) ([]uint64, error) { return j.store.Snapshots(ctx) }

// DropSnapshot implements journal.Store.
func (j *Journal) DropSnapshot(ctx context.Context, seq uint64) error {
	return j.store.DropSnapshot(ctx, seq)
}

// Keyring returns the keys under which the journal is kept.
func (j *Journal) Keyring() *Keyring { return j.ring }

// Close closes the store, if it can be closed.
func (j *Journal) Close() error { return closeStore(j.store) }

func closeStore(store any) error {
	if closer, can := store.(io.Closer); can {
		return closer.Close()
	}
	return nil
}
