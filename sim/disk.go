package sim

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
)

// What a disk answers when it fails.
var (
	errPower = errors.New("the power is off")
	errIO    = errors.New("the disk failed")
)

// process is one run of the program. Once its power is off, whatever it still
// tries reaches no disk.
type process struct{ off bool }

// disk is what survives: the stores, and the faults that are drawn for them.
type disk struct {
	random  *draws
	journal *memory.Journal
	head    *memory.Head
	events  *memory.Events
	tail    *memory.Head
	faults  map[string]int
	full    bool // until space is made
	calm    bool // no faults: the world is being checked
}

func newDisk(random *draws) *disk {
	return &disk{random: random, journal: memory.NewJournal(), head: &memory.Head{}, events: memory.NewEvents(), tail: &memory.Head{}, faults: map[string]int{}}
}

// write draws what becomes of a write by a process: persisted says whether it
// reaches the disk, the error is what the process is told.
func (d *disk) write(p *process) (persisted bool, err error) {
	fault := func(name string, persisted bool, err error) (bool, error) {
		d.faults[name]++
		return persisted, err
	}
	switch {
	case p.off:
		return false, errPower
	case d.calm:
		return true, nil
	case d.full:
		return fault("disk full", false, memory.ErrDiskFull)
	}
	switch d.random.below(100) {
	case 0:
		return fault("write failed", false, errIO)
	case 1:
		return fault("reply lost", true, errIO)
	case 2:
		p.off = true
		return fault("power cut before a write", false, errPower)
	case 3:
		p.off = true
		return fault("power cut after a write", true, errPower)
	case 4:
		d.full = true
		return fault("disk full", false, memory.ErrDiskFull)
	}
	return true, nil
}

// attempt does a write as it was drawn.
func (d *disk) attempt(p *process, do func() error) error {
	persisted, fault := d.write(p)
	if persisted {
		if err := do(); err != nil {
			return err
		}
	}
	return fault
}

// journalOf is the journal as a process sees it.
type journalOf struct {
	*disk
	p *process
}

func (j journalOf) Append(ctx context.Context, record journal.Record) error {
	return j.attempt(j.p, func() error { return j.journal.Append(ctx, record) })
}

func (j journalOf) Load(ctx context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return func(yield func(journal.Record, error) bool) {
		if j.p.off {
			yield(journal.Record{}, errPower)
			return
		}
		j.journal.Load(ctx, from)(yield)
	}
}

func (j journalOf) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	return j.attempt(j.p, func() error { return j.journal.SaveSnapshot(ctx, seq, write) })
}

func (j journalOf) Snapshots(ctx context.Context) ([]uint64, error) { return j.journal.Snapshots(ctx) }

func (j journalOf) OpenSnapshot(ctx context.Context, seq uint64) (io.ReadCloser, error) {
	return j.journal.OpenSnapshot(ctx, seq)
}

// headOf is a second head as a process sees it.
type headOf struct {
	*disk
	p    *process
	head *memory.Head
}

func (h headOf) Load() (uint64, [32]byte, error) { return h.head.Load() }

func (h headOf) Save(seq uint64, hash [32]byte) error {
	return h.attempt(h.p, func() error { return h.head.Save(seq, hash) })
}

// eventsOf is the log of events as a process sees it.
type eventsOf struct {
	*disk
	p *process
}

func (e eventsOf) Append(ctx context.Context, batch collect.Batch) error {
	return e.attempt(e.p, func() error { return e.events.Append(ctx, batch) })
}

func (e eventsOf) Load(ctx context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return func(yield func(collect.Batch, error) bool) {
		if e.p.off {
			yield(collect.Batch{}, errPower)
			return
		}
		e.events.Load(ctx, from)(yield)
	}
}

func (e eventsOf) FirstSince(ctx context.Context, receivedMS int64) (uint64, error) {
	return e.events.FirstSince(ctx, receivedMS)
}

func (e eventsOf) Save(ctx context.Context, seq uint64, parts []collect.Part) error {
	return e.attempt(e.p, func() error { return e.events.Save(ctx, seq, parts) })
}

func (e eventsOf) Seq(ctx context.Context) (uint64, error) { return e.events.Seq(ctx) }

func (e eventsOf) Part(ctx context.Context, subject uint64, day int32) ([]byte, error) {
	return e.events.Part(ctx, subject, day)
}

func (e eventsOf) Due(ctx context.Context, untilMS int64) ([]collect.Part, error) {
	return e.events.Due(ctx, untilMS)
}

func (e eventsOf) Forget(ctx context.Context, subject uint64) error {
	return e.attempt(e.p, func() error { return e.events.Forget(ctx, subject) })
}

func (j journalOf) DropSnapshot(ctx context.Context, seq uint64) error {
	return j.attempt(j.p, func() error { return j.journal.DropSnapshot(ctx, seq) })
}
