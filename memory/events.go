package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/collect"
)

// Events is a collect.Log, collect.Checkpoints and collect.Purges. Its hooks may be changed
// between operations.
type Events struct {
	mu         sync.Mutex
	batches    []collect.Batch
	parts      map[partKey]collect.Part
	marks      map[collect.Mark]map[uint64]int32 // day, by subject
	places     []collect.Place
	checkpoint uint64
	term       uint64
	through    map[uint32]uint64 // that was purged, by world
	// OnAppend is asked before each append, OnSave before each checkpoint, OnPurge
	// before each step of a purge; nil never fails.
	OnAppend func(collect.Batch) Outcome
	OnSave   func(seq uint64) Outcome
	OnPurge  func(collect.Purged) Outcome
}

type partKey struct {
	subject uint64
	day     int32
}

// NewEvents returns an empty log of events.
func NewEvents() *Events {
	return &Events{parts: map[partKey]collect.Part{}, marks: map[collect.Mark]map[uint64]int32{}, through: map[uint32]uint64{}}
}

// Append implements collect.Log.
func (e *Events) Append(_ context.Context, batch collect.Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var outcome Outcome
	if e.OnAppend != nil {
		outcome = e.OnAppend(batch)
	}
	if outcome.Err != nil && !outcome.Persisted {
		return outcome.Err
	}
	if batch.Seq <= uint64(len(e.batches)) {
		return collect.ErrConflict
	}
	if batch.Seq != uint64(len(e.batches))+1 {
		return fmt.Errorf("appending batch %d behind %d", batch.Seq, len(e.batches))
	}
	batch.Body = bytes.Clone(batch.Body)
	e.batches = append(e.batches, batch)
	return outcome.Err
}

// Load implements collect.Log.
func (e *Events) Load(_ context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return func(yield func(collect.Batch, error) bool) {
		for ; ; from++ {
			e.mu.Lock()
			if from == 0 || from > uint64(len(e.batches)) {
				e.mu.Unlock()
				return
			}
			batch := e.batches[from-1]
			e.mu.Unlock()
			if !yield(batch, nil) {
				return
			}
		}
	}
}

// FirstSince implements collect.Log.
func (e *Events) FirstSince(_ context.Context, receivedMS int64) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, _ := slices.BinarySearchFunc(e.batches, receivedMS, func(b collect.Batch, at int64) int { return cmp.Compare(b.ReceivedMS, at) })
	for i > 0 && e.batches[i-1].ReceivedMS == receivedMS {
		i--
	}
	return uint64(i + 1), nil
}

// Save implements collect.Checkpoints.
func (e *Events) Save(_ context.Context, term, seq uint64, parts []collect.Part, places []collect.Place) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var outcome Outcome
	if e.OnSave != nil {
		outcome = e.OnSave(seq)
	}
	if outcome.Err != nil && !outcome.Persisted {
		return outcome.Err
	}
	if term != e.term {
		return collect.ErrConflict
	}
	for _, part := range parts {
		for _, mark := range part.Marks {
			if e.marks[mark] == nil {
				e.marks[mark] = map[uint64]int32{}
			}
			e.marks[mark][part.Subject] = part.Day
		}
		part.Sealed, part.Marks = bytes.Clone(part.Sealed), nil
		e.parts[partKey{part.Subject, part.Day}] = part
	}
	for _, p := range places {
		p.Batches = slices.Clone(p.Batches)
		e.places = append(e.places, p)
	}
	e.checkpoint = seq
	return outcome.Err
}

// Begin implements collect.Checkpoints.
func (e *Events) Begin(context.Context) (term, seq uint64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.term++
	return e.term, e.checkpoint, nil
}

// Part implements collect.Checkpoints.
func (e *Events) Part(_ context.Context, subject uint64, day int32) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.parts[partKey{subject, day}].Sealed, nil
}

// Due implements collect.Checkpoints.
func (e *Events) Due(_ context.Context, untilMS int64) (due []collect.Part, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, part := range e.parts {
		if part.DueMS != collect.NeverDue && part.DueMS <= untilMS {
			part.Sealed = nil
			due = append(due, part)
		}
	}
	slices.SortFunc(due, func(a, b collect.Part) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Day, b.Day))
	})
	return due, nil
}

// Marked implements collect.Checkpoints.
func (e *Events) Marked(_ context.Context, mark collect.Mark, limit int) ([]uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	subjects := slices.Sorted(maps.Keys(e.marks[mark]))
	return subjects[:min(limit, len(subjects))], nil
}

// MarksOf implements collect.Archive.
func (e *Events) MarksOf(_ context.Context, subject uint64) (marks []collect.Mark, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for mark, subjects := range e.marks {
		if _, has := subjects[subject]; has {
			marks = append(marks, mark)
		}
	}
	slices.SortFunc(marks, func(a, b collect.Mark) int { return bytes.Compare(a[:], b[:]) })
	return marks, nil
}

// DropMarks implements collect.Checkpoints.
func (e *Events) DropMarks(_ context.Context, day int32) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unmark(func(_ uint64, of int32) bool { return of < day })
	return nil
}

func (e *Events) unmark(which func(subject uint64, day int32) bool) {
	for mark, subjects := range e.marks {
		maps.DeleteFunc(subjects, which)
		if len(subjects) == 0 {
			delete(e.marks, mark)
		}
	}
}

// Forget implements collect.Checkpoints.
func (e *Events) Forget(_ context.Context, subject uint64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.parts {
		if key.subject == subject {
			delete(e.parts, key)
		}
	}
	e.unmark(func(of uint64, _ int32) bool { return of == subject })
	e.places = slices.DeleteFunc(e.places, func(p collect.Place) bool { return p.Subject == subject })
	return nil
}

// Places implements collect.Archive.
func (e *Events) Places(_ context.Context, subject, after uint64, limit int) (places []collect.Place, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.places { // in the order of checkpoints, so of their batches
		if p.Subject == subject && p.Batches[0] > after && len(places) < limit {
			places = append(places, p)
		}
	}
	return places, nil
}

// Days implements collect.Archive.
func (e *Events) Days(_ context.Context, subject uint64, after int32, limit int) (days []int32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.parts {
		if key.subject == subject && key.day > after {
			days = append(days, key.day)
		}
	}
	slices.Sort(days)
	return days[:min(len(days), limit)], nil
}

// Purged implements collect.Purges.
func (e *Events) Purged(context.Context) (through map[uint32]uint64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.through), nil
}

// Purge implements collect.Purges.
func (e *Events) Purge(_ context.Context, term uint64, step collect.Purged) error {
	var outcome Outcome
	if e.OnPurge != nil {
		outcome = e.OnPurge(step)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if outcome.Err != nil && !outcome.Persisted {
		return outcome.Err
	}
	if term != e.term {
		return collect.ErrConflict
	}
	for _, batch := range step.Batches {
		if batch.Seq == 0 || batch.Seq > uint64(len(e.batches)) {
			return fmt.Errorf("purging batch %d, which is not there", batch.Seq)
		}
	}
	for _, batch := range step.Batches {
		e.batches[batch.Seq-1].Body = bytes.Clone(batch.Body)
	}
	for _, gone := range step.Gone {
		for i, p := range e.places {
			if p.Subject == gone.Subject {
				e.places[i] = p.Without(gone.Batches)
			}
		}
	}
	e.places = slices.DeleteFunc(e.places, func(p collect.Place) bool { return len(p.Batches) == 0 })
	maps.Copy(e.through, step.Through)
	return outcome.Err
}

// Lose forgets the batches behind seq, as a disk does that lied about a sync.
func (e *Events) Lose(seq uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.batches = e.batches[:min(seq, uint64(len(e.batches)))]
}

// Corrupt changes the bytes of a batch.
func (e *Events) Corrupt(seq uint64, change func([]byte) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.batches[seq-1].Body = change(bytes.Clone(e.batches[seq-1].Body))
}
