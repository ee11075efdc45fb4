package journal

import (
	"context"
	"iter"
	"sync"
)

// recentBytes bounds the records that stay in memory: about a second of a bank
// at its fastest.
const recentBytes = 32 << 20

// recent are the last durable records, without a gap. Whoever follows the
// journal closely reads them here and leaves disk and processors to the writer.
type recent struct {
	mu      sync.Mutex
	records []Record // under mu, as all here
	bytes   int
}

// add adds the record behind the last. At least that one stays.
func (r *recent) add(record Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record)
	r.bytes += len(record.Body)
	gone := 0
	for ; r.bytes > recentBytes && gone < len(r.records)-1; gone++ {
		r.bytes -= len(r.records[gone].Body)
		r.records[gone] = Record{} // lets go of the body
	}
	r.records = r.records[gone:]
}

// from returns the records from a sequence on, at most as many; none if the
// first is not there, or no longer.
func (r *recent) from(seq uint64, most int) []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 0 || seq < r.records[0].Seq || seq > r.records[len(r.records)-1].Seq {
		return nil
	}
	rest := r.records[seq-r.records[0].Seq:]
	return append([]Record(nil), rest[:min(most, len(rest))]...)
}

// Records yields the durable records from a sequence on: the last ones out of
// memory, others out of the store.
func (w *Writer) Records(ctx context.Context, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			block := w.recent.from(from, 64)
			if len(block) == 0 {
				break
			}
			for _, record := range block {
				if !yield(record, ctx.Err()) {
					return
				}
			}
			from += uint64(len(block))
		}
		if from > w.Durable() {
			return
		}
		for record, err := range w.store.Load(ctx, from) {
			if !yield(record, err) {
				return
			}
		}
	}
}
