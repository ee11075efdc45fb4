// Package memory keeps everything in memory: real implementations of what the
// verbs need, for tests and simulations, with hooks that make them fail as
// disks and networks do.
package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/journal"
)

// Outcome is what a hook makes of an operation.
type Outcome struct {
	// Err is returned; nil does the operation as usual.
	Err error
	// Persisted does the operation although Err is returned: the reply was
	// lost, not the write.
	Persisted bool
}

// Journal is a journal.Store. Its fields may be changed between operations.
type Journal struct {
	mu        sync.Mutex
	records   []journal.Record
	snapshots map[uint64][]byte
	// OnAppend is asked before each append; nil never fails.
	OnAppend func(journal.Record) Outcome
	// OnLoad is asked before each record is read; nil never fails.
	OnLoad func(seq uint64) error
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{snapshots: map[uint64][]byte{}} }

// Append implements journal.Store.
func (j *Journal) Append(_ context.Context, record journal.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var outcome Outcome
	if j.OnAppend != nil {
		outcome = j.OnAppend(record)
	}
	if outcome.Err != nil && !outcome.Persisted {
		return outcome.Err
	}
	if record.Seq <= uint64(len(j.records)) {
		return journal.ErrConflict
	}
	if record.Seq != uint64(len(j.records))+1 {
		return fmt.Errorf("appending record %d behind %d", record.Seq, len(j.records))
	}
	record.Body = bytes.Clone(record.Body)
	j.records = append(j.records, record)
	return outcome.Err
}

// Load implements journal.Store.
func (j *Journal) Load(_ context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for ; ; from++ {
			j.mu.Lock()
			if from == 0 || from > uint64(len(j.records)) {
				j.mu.Unlock()
				return
			}
			record := j.records[from-1]
			var err error
			if j.OnLoad != nil {
				err = j.OnLoad(from)
			}
			j.mu.Unlock()
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

// SaveSnapshot implements journal.Store.
func (j *Journal) SaveSnapshot(_ context.Context, seq uint64, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.snapshots[seq] = content.Bytes()
	for _, old := range j.seqs()[min(2, len(j.snapshots)):] {
		delete(j.snapshots, old)
	}
	return nil
}

func (j *Journal) seqs() (seqs []uint64) {
	for seq := range j.snapshots {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	slices.Reverse(seqs)
	return seqs
}

// Snapshots implements journal.Store.
func (j *Journal) Snapshots(context.Context) ([]uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seqs(), nil
}

// DropSnapshot implements journal.Store.
func (j *Journal) DropSnapshot(_ context.Context, seq uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.snapshots, seq)
	return nil
}

// OpenSnapshot implements journal.Store.
func (j *Journal) OpenSnapshot(_ context.Context, seq uint64) (io.ReadCloser, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	content, found := j.snapshots[seq]
	if !found {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

// Lose forgets the records behind seq and the snapshots that need them, as a
// disk does that lied about a sync.
func (j *Journal) Lose(seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = j.records[:min(seq, uint64(len(j.records)))]
	for at := range j.snapshots {
		if at > seq {
			delete(j.snapshots, at)
		}
	}
}

// Corrupt changes the bytes of a record or, where snapshot is set, of a
// snapshot.
func (j *Journal) Corrupt(seq uint64, snapshot bool, change func([]byte) []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if snapshot {
		j.snapshots[seq] = change(bytes.Clone(j.snapshots[seq]))
		return
	}
	j.records[seq-1].Body = change(bytes.Clone(j.records[seq-1].Body))
}

// Head is a journal.Head.
type Head struct {
	mu   sync.Mutex
	seq  uint64
	hash [32]byte
	// OnSave is asked before each save; nil never fails.
	OnSave func(seq uint64) error
}

// Load implements journal.Head.
func (h *Head) Load() (uint64, [32]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seq, h.hash, nil
}

// Save implements journal.Head.
func (h *Head) Save(seq uint64, hash [32]byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.OnSave != nil {
		if err := h.OnSave(seq); err != nil {
			return err
		}
	}
	h.seq, h.hash = seq, hash
	return nil
}

// ErrDiskFull is what a full disk answers.
var ErrDiskFull = errors.New("no space left on the disk")
