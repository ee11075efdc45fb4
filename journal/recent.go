package journal

import (
	"context"
	"iter"
	"sync"
)

// Records stay in memory until they were released, but at most recentBytes of
// them: some seconds of a bank at its fastest. The last releasedBytes stay in
// any case, for commands that are repeated soon.
const (
	recentBytes   = 128 << 20
	releasedBytes = 4 << 20
)

// recent are the last durable records, without a gap. Whoever follows the
// journal reads them here and leaves disk and processors to the writer.
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
	r.drop(recentBytes, record.Seq-1)
}

// drop lets go of the oldest records up to a sequence until no more than so many
// bytes are there.
func (r *recent) drop(bytes int, through uint64) {
	gone := 0
	for ; r.bytes > bytes && gone < len(r.records) && r.records[gone].Seq <= through; gone++ {
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

// Release says that whoever follows the journal most slowly has read it up to a
// sequence, so that memory need not hold it.
func (w *Writer) Release(through uint64) {
	w.recent.mu.Lock()
	defer w.recent.mu.Unlock()
	w.recent.drop(releasedBytes, through)
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
