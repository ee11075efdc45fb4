package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// flight is a record on its way to the store, with the requests that it answers.
type flight struct {
	record   Record
	ticks    int // that stand before the commands of the requests
	requests []*request
	reads    bool // one of them reads
	// snapshot writes the state at the record; nil if no snapshot is due.
	snapshot func(io.Writer) error
}

// launch ends the record that is being made and has it carried to the store:
// beside the loop, which goes on with the next one meanwhile, or by the loop if
// it is a single command, so that a client who is alone waits for no other
// goroutine. Of requests that only read no record comes.
func (w *Writer) launch() {
	w.waiting.Add(-int64(len(w.draft.requests)))
	if !w.draft.begun {
		w.answerReads(w.draft.requests)
		w.draft = w.draft.next()
		return
	}
	alone := w.draft.count == 1
	f := w.seal()
	w.flying = f
	if w.sinceSnapshot >= w.options.SnapshotEvery && w.snapshotting.CompareAndSwap(false, true) {
		w.sinceSnapshot = 0
		f.snapshot = w.freeze()
	}
	if alone {
		w.landed <- w.carry(f)
	} else {
		w.flights <- f
	}
}

// carryFlights is the goroutine beside the loop.
func (w *Writer) carryFlights() {
	for f := range w.flights {
		w.landed <- w.carry(f)
	}
}

// answer gives requests their parts of a record that is durable; those that read
// were answered before.
func (f *flight) answer() {
	answers, err := f.record.answers()
	if err != nil {
		panic(fmt.Sprintf("journal: the record that was made: %v", err))
	}
	answers = answers[f.ticks:]
	for _, r := range f.requests {
		if r.read == nil {
			n := len(r.commands)
			r.answers, answers = answers[:n:n], answers[n:]
			close(r.done)
		}
	}
}

// answerReads answers those that read. The state must be that of a durable
// record.
func (w *Writer) answerReads(requests []*request) {
	for _, r := range requests {
		if r.read != nil {
			r.read(w.at.state)
			close(r.done)
		}
	}
}

// land is told what became of the record that was under way. If that is durable
// its requests are answered, and if something came meanwhile the next one
// follows: first, if it goes beside the loop, so that the disk does not wait.
func (w *Writer) land(err error) error {
	f := w.flying
	if err != nil {
		return fmt.Errorf("writing record %d: %w", f.record.Seq, err)
	}
	w.flying = nil
	if f.reads {
		w.answerReads(f.requests)
	}
	if f.snapshot != nil {
		w.saveSnapshot(f.record.Seq, f.snapshot)
	}
	w.joinWaiting()
	if w.draft.count > 1 {
		w.launch()
		f.answer()
	} else {
		f.answer()
		w.launch()
	}
	return nil
}

// carry makes a record durable in the store and then in the second head. If
// the outcome in the store is unknown, the record is read back first.
func (w *Writer) carry(f *flight) error {
	ctx, watched := w.watch(f)
	err := w.append(ctx, f.record)
	watched(err)
	return err
}

// watch begins to watch a record.
func (w *Writer) watch(f *flight) (context.Context, func(error)) {
	if w.options.Watch == nil {
		return context.Background(), func(error) {}
	}
	var requests []context.Context
	for _, r := range f.requests {
		if r.read == nil {
			requests = append(requests, r.ctx)
		}
	}
	return w.options.Watch(requests, f.record.Seq)
}

func (w *Writer) append(ctx context.Context, record Record) error {
	began := time.Now()
	if err := w.store.Append(ctx, record); err != nil {
		if errors.Is(err, ErrConflict) {
			return err
		}
		if requireHash(ctx, w.store, record.Seq, record.Hash) != nil {
			return err
		}
	}
	if err := w.head.Save(record.Seq, record.Hash); err != nil {
		return fmt.Errorf("saving the second head: %w", err)
	}
	w.stats.AppendNS.Add(int64(time.Since(began)))
	w.stats.Records.Add(1)
	w.stats.Commands.Add(int64(record.Header().Commands))
	w.recent.add(record)
	w.newer.Lock()
	w.durable.Store(record.Seq)
	close(w.grew)
	w.grew = make(chan struct{})
	w.newer.Unlock()
	return nil
}

// freeze freezes the state at the last record and returns what writes a snapshot
// of it.
func (w *Writer) freeze() func(io.Writer) error {
	frozen, hash := w.at.state.Freeze(), w.at.hash
	return func(dst io.Writer) error { return writeSnapshot(dst, frozen, hash) }
}

// saveSnapshot writes a snapshot beside the loop; there is one at a time.
func (w *Writer) saveSnapshot(seq uint64, write func(io.Writer) error) {
	w.snapshots.Add(1)
	w.options.Aside(func() {
		defer w.snapshots.Done()
		defer w.snapshotting.Store(false)
		if err := w.store.SaveSnapshot(context.Background(), seq, write); err != nil {
			w.options.Warn(fmt.Sprintf("the snapshot at record %d could not be taken: %v", seq, err))
		}
	})
}
