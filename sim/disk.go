package sim

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
)

// What a disk answers when it fails.
var (
	errPower = errors.New("the power is off")
	errIO    = errors.New("the disk failed")
)

// disk is what survives: the stores, and the faults that are drawn for them.
type disk struct {
	world   *world
	journal *memory.Journal
	head    *file // the journal's second head
	events  *memory.Events
	tail    *file // the second head of the events

	full bool // until space is made
	calm bool // no faults: the world is being furnished or checked
	// holds says that a write may hang; held then tells which process hangs.
	holds bool
	held  chan *process
	// torn says which store has half a record that must be found.
	torn string
	// tornAt are the snapshots that are there and not whole.
	tornAt []uint64
	// damage is what a reader meets instead of what was written.
	damage damage
}

func newDisk(w *world) *disk {
	return &disk{
		world: w, journal: memory.NewJournal(), head: newFile(1024), events: memory.NewEvents(), tail: newFile(1024),
		held: make(chan *process),
	}
}

// outcome is what becomes of a write.
type outcome struct {
	persisted, torn bool
	err             error // what the process is told
}

// write draws what becomes of a write by a process.
func (d *disk) write(p *process, what string) outcome {
	fault := func(name string, o outcome) outcome {
		d.world.count(name)
		if p.off && p.opening {
			d.world.count("power cut during recovery")
		}
		return o
	}
	cut := func(name string, o outcome) outcome {
		p.off, o.err = true, errPower
		return fault(name, o)
	}
	switch {
	case p.off:
		return outcome{err: errPower}
	case d.calm:
		return outcome{persisted: true}
	case d.full:
		return fault("disk full", outcome{err: memory.ErrDiskFull})
	}
	// A snapshot takes long to write, so the power has more time to fail.
	if what == "snapshot" && d.world.random.below(8) == 0 {
		return cut("power cut during a write", outcome{torn: true})
	}
	switch d.world.random.below(150) {
	case 0:
		return fault("write failed", outcome{err: errIO})
	case 1:
		return fault("reply of the disk lost", outcome{persisted: true, err: errIO})
	case 2:
		return cut("power cut before a write", outcome{})
	case 3:
		return cut("power cut after a write", outcome{persisted: true})
	case 4:
		return cut("power cut during a write", outcome{torn: true})
	case 5:
		d.full = true
		return fault("disk full", outcome{err: memory.ErrDiskFull})
	case 6, 7, 8:
		// Checkpoints and snapshots are written behind an answer.
		if what != "checkpoint" && what != "snapshot" && d.holds && !p.opening {
			if p.hang(what); p.off {
				return outcome{err: errPower}
			}
		}
	}
	return outcome{persisted: true}
}

// attempt does a write as it was drawn; tear does half of it.
func (d *disk) attempt(p *process, what string, do func() error, tear func()) error {
	o := d.write(p, what)
	if o.torn && tear != nil {
		tear()
	}
	if o.persisted {
		if err := do(); err != nil {
			return err
		}
	}
	return o.err
}

// journalOf is the journal as a process sees it.
type journalOf struct {
	*disk
	p *process
}

// Append implements journal.Store.
func (j journalOf) Append(ctx context.Context, record journal.Record) error {
	clockMS := j.world.nowMS // as the writer has just seen it
	return j.attempt(j.p, "journal", func() error {
		err := j.journal.Append(ctx, record)
		if err == nil {
			j.world.recordIsDurable(j.p, clockMS)
		}
		return err
	}, func() {
		// A store of rows does not show half a row. If it does, it must be found.
		if j.p == j.world.process && j.world.random.below(2) == 0 && j.journal.Append(ctx, record) == nil {
			j.journal.Corrupt(record.Seq, false, func(body []byte) []byte { return body[:j.world.random.below(len(body))] })
			j.torn = tornRecord
		}
	})
}

// Load implements journal.Store. The power may fail while it reads.
func (j journalOf) Load(ctx context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		for record, err := range j.journal.Load(ctx, from) {
			if j.cutWhileReading(j.p) {
				err = errPower
			}
			if record, err := j.damage.record(record, err); record.Seq == 0 && err == nil || !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// cutWhileReading draws whether the power fails while a program recovers.
func (d *disk) cutWhileReading(p *process) (off bool) {
	if p.opening && !d.calm && !p.off && d.world.random.below(2000) == 0 {
		p.off = true
		d.world.count("power cut during recovery")
	}
	return p.opening && p.off
}

// SaveSnapshot implements journal.Store.
func (j journalOf) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	return j.attempt(j.p, "snapshot", func() error { return j.journal.SaveSnapshot(ctx, seq, write) }, func() {
		j.world.count("power cut while a snapshot was written")
		if j.world.random.below(2) == 0 {
			return
		}
		// A file system may show a file whose content was lost in part. One that
		// is older than the two that are kept is gone at once.
		err := j.journal.SaveSnapshot(ctx, seq, write)
		if kept, _ := j.journal.Snapshots(ctx); err == nil && slices.Contains(kept, seq) {
			j.world.count("torn snapshot")
			j.tornAt = append(j.tornAt, seq)
			j.journal.Corrupt(seq, true, func(content []byte) []byte { return content[:j.world.random.below(len(content))] })
		}
	})
}

// Snapshots implements journal.Store.
func (j journalOf) Snapshots(ctx context.Context) ([]uint64, error) { return j.journal.Snapshots(ctx) }

// OpenSnapshot implements journal.Store.
func (j journalOf) OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error) {
	if j.p.off {
		return nil, errPower
	}
	src, err := j.journal.OpenSnapshot(ctx, seq)
	return j.damage.snapshot(seq, src, err)
}

// DropSnapshot implements journal.Store.
func (j journalOf) DropSnapshot(ctx context.Context, seq uint64) error {
	return j.attempt(j.p, "snapshot", func() error { return j.journal.DropSnapshot(ctx, seq) }, nil)
}

// EventStore is what keeps events.
type EventStore interface {
	collect.Log
	collect.Checkpoints
	collect.Purges
}

// eventsOf is the log of events, and its checkpoints, as a process sees them.
type eventsOf struct {
	*memory.Events
	*disk
	p *process
}

// Append implements collect.Log.
func (e eventsOf) Append(ctx context.Context, batch collect.Batch) error {
	clockMS := e.world.nowMS
	return e.attempt(e.p, "events", func() error {
		err := e.Events.Append(ctx, batch)
		if err == nil {
			e.world.batchIsDurable(e.p, clockMS)
		}
		return err
	}, func() {
		if e.p == e.world.process && e.world.random.below(2) == 0 && e.Events.Append(ctx, batch) == nil {
			e.Events.Corrupt(batch.Seq, func(body []byte) []byte { return body[:e.world.random.below(len(body))] })
			e.torn = tornBatch
		}
	})
}

// Load implements collect.Log.
func (e eventsOf) Load(ctx context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return func(yield func(collect.Batch, error) bool) {
		for batch, err := range e.Events.Load(ctx, from) {
			if e.cutWhileReading(e.p) {
				err = errPower
			}
			if batch, err := e.damage.batch(batch, err); batch.Seq == 0 && err == nil || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// Begin implements collect.Checkpoints.
func (e eventsOf) Begin(ctx context.Context) (term, seq uint64, err error) {
	err = e.attempt(e.p, "checkpoint", func() error {
		term, seq, err = e.Events.Begin(ctx)
		return err
	}, nil)
	return term, seq, err
}

// Save implements collect.Checkpoints.
func (e eventsOf) Save(ctx context.Context, term, seq uint64, parts []collect.Part, places []collect.Place) error {
	return e.attempt(e.p, "checkpoint", func() error {
		err := e.Events.Save(ctx, term, seq, parts, places)
		if err == nil {
			e.world.log.Save(e.p.fold)
		}
		return err
	}, nil)
}

// Part implements collect.Checkpoints.
func (e eventsOf) Part(ctx context.Context, subject uint64, day int32) ([]byte, error) {
	if e.p.off {
		return nil, errPower
	}
	sealed, err := e.Events.Part(ctx, subject, day)
	return e.damage.part(sealed, err)
}

// Forget implements collect.Checkpoints.
func (e eventsOf) Forget(ctx context.Context, subject uint64) error {
	return e.attempt(e.p, "checkpoint", func() error { return e.Events.Forget(ctx, subject) }, nil)
}

// Purge implements collect.Purges. All of a step is there or nothing of it.
func (e eventsOf) Purge(ctx context.Context, term uint64, step collect.Purged) error {
	err := e.attempt(e.p, "purge", func() error { return e.Events.Purge(ctx, term, step) }, nil)
	if err != nil {
		e.world.count("purge broken off")
	}
	return err
}
