package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
)

// damage is one place of the disk that does not give back what was written.
type damage struct {
	kind string
	seq  uint64
	at   int
	seen bool // a reader has met it
}

// The kinds of damage, all of which must be found.
const (
	flippedRecord    = "flipped byte in a record"
	flippedSnapshot  = "flipped byte in a snapshot"
	flippedBatch     = "flipped byte in a batch"
	flippedBatchTime = "flipped byte in the time of a batch"
	flippedPart      = "flipped byte in a checkpoint"
	lostRecords      = "acknowledged records lost"
	lostBatches      = "acknowledged batches lost"
	tornRecord       = "torn record"
	tornBatch        = "torn batch"
)

func (d *damage) meets(kind string, seq uint64) bool {
	if d.kind != kind || d.seq != seq {
		return false
	}
	d.seen = true
	return true
}

func (d *damage) flip(content []byte) []byte {
	content = bytes.Clone(content)
	content[d.at%len(content)] ^= 1 << (d.at / 7 % 8)
	return content
}

// record gives a record as a reader meets it; the zero record is the end.
func (d *damage) record(record journal.Record, err error) (journal.Record, error) {
	if d.kind == lostRecords && record.Seq >= d.seq {
		d.seen = true
		return journal.Record{}, err
	}
	if d.meets(flippedRecord, record.Seq) {
		record.Body = d.flip(record.Body)
	}
	return record, err
}

func (d *damage) snapshot(seq uint64, src io.ReadCloser, err error) (io.ReadCloser, error) {
	if err != nil || !d.meets(flippedSnapshot, seq) {
		return src, err
	}
	content, err := io.ReadAll(src)
	return io.NopCloser(bytes.NewReader(d.flip(content))), errors.Join(err, src.Close())
}

// batch gives a batch as a reader meets it; the zero batch is the end.
func (d *damage) batch(batch collect.Batch, err error) (collect.Batch, error) {
	if d.kind == lostBatches && batch.Seq >= d.seq {
		d.seen = true
		return collect.Batch{}, err
	}
	if d.meets(flippedBatch, batch.Seq) {
		batch.Body = d.flip(batch.Body)
	}
	if d.meets(flippedBatchTime, batch.Seq) {
		batch.ReceivedMS ^= 1 << (d.at % 42)
	}
	return batch, err
}

func (d *damage) part(sealed []byte, err error) ([]byte, error) {
	if d.kind != flippedPart || sealed == nil {
		return sealed, err
	}
	d.seen = true
	return d.flip(sealed), err
}

// mayDamage damages the disk under a program that has ended, and requires that
// the damage is found by the next start or by fsck. Then an operator puts back
// what was there.
func (w *world) mayDamage() error {
	if torn := w.disk.torn; torn != "" {
		w.disk.torn = ""
		w.disk.damage = damage{kind: torn}
		err := w.requireFound()
		w.disk.journal.Lose(uint64(len(w.times)))
		w.disk.events.Lose(w.batches)
		return err
	}
	if w.disk.calm || w.random.below(10) > 0 {
		return nil
	}
	known := func(f *file) int {
		seq, _, err := journal.HeadIn(fileOf{f, &process{world: w}, "head"}).Load()
		if err != nil {
			return 0 // the file was cut off in its first write
		}
		return int(seq)
	}
	records, batches := known(w.disk.head), known(w.disk.tail)
	snapshots, err := w.disk.journal.Snapshots(w.ctx)
	if err != nil {
		return err
	}
	d := damage{at: w.random.below(1 << 20)}
	choice := w.random.below(8)
	switch {
	case choice == 0 && records > 0:
		d.kind, d.seq = flippedRecord, uint64(1+w.random.below(records))
	case choice == 1 && records > 0:
		d.kind, d.seq = lostRecords, uint64(1+w.random.below(records))
	case choice == 2 && len(snapshots) > 0 && !slices.Contains(w.disk.tornAt, snapshots[0]):
		d.kind, d.seq = flippedSnapshot, snapshots[0]
	case choice == 3 && batches > 0:
		d.kind, d.seq = flippedBatch, uint64(1+w.random.below(batches))
	case choice == 4 && batches > 0:
		d.kind, d.seq = lostBatches, uint64(1+w.random.below(batches))
	case choice == 5 && batches > 0:
		d.kind, d.seq = flippedBatchTime, uint64(1+w.random.below(batches))
	case choice == 6:
		return w.damageHead()
	case choice == 7:
		// It is met when a part is read, if ever; see quiet.
		w.disk.damage = damage{kind: flippedPart, at: d.at}
		return nil
	default:
		return nil
	}
	w.disk.damage = d
	return w.requireFound()
}

// requireFound starts the program on a damaged disk.
func (w *world) requireFound() error {
	calm := w.disk.calm
	w.disk.calm = true
	err := w.start()
	found := err != nil || w.process.warned
	if err == nil && !found {
		found, err = w.fsck()
	}
	d := w.disk.damage
	w.disk.damage, w.disk.calm = damage{}, calm
	w.stop(w.process, errPower)
	if !found {
		return fmt.Errorf("%s was not found (record, snapshot or batch %d, met: %v): %v", d.kind, d.seq, d.seen, err)
	}
	w.count(d.kind)
	return nil
}

// fsck reports whether the checks that an operator runs find anything.
func (w *world) fsck() (found bool, err error) {
	for _, seq := range w.disk.tornAt {
		w.disk.journal.DropSnapshot(w.ctx, seq) // memory drops without fail
	}
	w.disk.tornAt = nil
	view := &process{world: w}
	report, err := journal.Verify(w.ctx, journalOf{w.disk, view}, journal.HeadIn(fileOf{w.disk.head, view, "head"}), func(uint64) {})
	if err != nil || !report.Clean() {
		return true, fmt.Errorf("fsck found: %v, %w", report.Findings, err)
	}
	_, err = collect.Verify(w.ctx, eventsOf{w.disk.events, w.disk, view}, journal.HeadIn(fileOf{w.disk.tail, view, "tail"}), func(uint64) {})
	return err != nil, err
}

// damageHead flips a byte in one of the two places of a second head. The other
// place may stand in for it, or the program must say that it is damaged.
func (w *world) damageHead() error {
	f, at, bit := of(&w.random, []*file{w.disk.head, w.disk.tail}), w.random.below(2)*512+w.random.below(52), byte(1)<<w.random.below(8)
	flip := func() { f.durable[at] ^= bit; f.cache[at] ^= bit }
	flip()
	w.count("flipped byte in a head")
	w.disk.calm = true
	err := w.start()
	w.disk.calm = false
	w.stop(w.process, errPower)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrDamaged) || errors.Is(err, collect.ErrDamaged):
		flip()
		return nil
	}
	return fmt.Errorf("with a flipped byte in a head: %w", err)
}
