package history

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultChunkRows is about how many rows are written in one transaction when
// the history is behind: many enough that a large table takes them in runs, few
// enough that it takes about half a second.
const DefaultChunkRows = 65536

// Options are what a Follower may be told.
type Options struct {
	// NowMS is the clock, milliseconds since 1970-01-01 UTC. Required.
	NowMS func() int64
	// ChunkRows bounds the rows of a transaction, to within a record; 0 means
	// DefaultChunkRows.
	ChunkRows int
}

// Follower brings records into a Store. One goroutine runs it.
type Follower struct {
	store     Store
	source    Source
	nowMS     func() int64
	chunkRows int
	// uncertain is set after a write that failed: the cursor is then read
	// again. It belongs to the goroutine that runs the Follower.
	uncertain bool
	wanted    chan struct{} // somebody waits for what is not there yet

	mu      sync.Mutex
	cursor  Cursor
	grew    chan struct{} // closed and made anew when the cursor moves
	freshMS int64         // when nothing was left to do, last
	tell    func(*Chunk)
}

// Open begins where the store has come to. It returns ErrForeign if the
// journal does not hold the record at which the store stands.
func Open(ctx context.Context, store Store, source Source, options Options) (*Follower, error) {
	if options.NowMS == nil {
		return nil, errors.New("opening history: no clock was given")
	}
	f := &Follower{store: store, source: source, nowMS: options.NowMS, chunkRows: options.ChunkRows, grew: make(chan struct{}), wanted: make(chan struct{}, 1)}
	if f.chunkRows <= 0 {
		f.chunkRows = DefaultChunkRows
	}
	var err error
	if f.cursor, err = store.Cursor(ctx); err != nil {
		return nil, fmt.Errorf("opening history: %w", err)
	}
	if err := f.checkOrigin(ctx); err != nil {
		return nil, fmt.Errorf("opening history: %w", err)
	}
	return f, nil
}

func (f *Follower) checkOrigin(ctx context.Context) error {
	if f.cursor.Seq == 0 {
		return nil
	}
	if durable := f.source.Durable(); f.cursor.Seq > durable {
		return fmt.Errorf("%w: it has come to record %d, the journal to %d", ErrForeign, f.cursor.Seq, durable)
	}
	for record, err := range f.source.Load(ctx, f.cursor.Seq) {
		if err != nil {
			return fmt.Errorf("reading record %d: %w", f.cursor.Seq, err)
		}
		if record.Seq != f.cursor.Seq || record.Hash != f.cursor.Hash {
			return fmt.Errorf("%w: record %d is another one", ErrForeign, f.cursor.Seq)
		}
		return nil
	}
	return fmt.Errorf("%w: the journal has no record %d", ErrForeign, f.cursor.Seq)
}

// Run follows until ctx ends or the journal does, and then returns nil, or
// until something fails. What was written stays, and Run may be called again.
func (f *Follower) Run(ctx context.Context) error {
	for {
		began := time.Now()
		if err := f.CatchUp(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		at := f.Cursor().Seq
		f.source.WaitNewer(ctx, at)
		if f.source.Durable() <= at {
			return nil
		}
		f.rest(ctx, time.Since(began))
	}
}

// maxRest bounds the time that a Follower lets pass between two writes.
const maxRest = time.Second

// restingMS is how far behind a Follower rests at all while the journal grows:
// a rush passes, and what does not is followed as fast as it can be.
const restingMS = 60_000

// rest lets as much time pass as the last writes took: the writer of the bank
// comes first, and many records are written with less work than few. With
// little to do that is no time, and while somebody waits there is none.
func (f *Follower) rest(ctx context.Context, worked time.Duration) {
	timer := time.NewTimer(min(worked, maxRest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.wanted:
	case <-ctx.Done():
	}
}

// CatchUp brings in what is durable when it is called.
func (f *Follower) CatchUp(ctx context.Context) error {
	if f.uncertain {
		cursor, err := f.store.Cursor(ctx)
		if err != nil {
			return fmt.Errorf("reading how far the history has come: %w", err)
		}
		f.advance(cursor, false)
		f.uncertain = false
	}
	durable := f.source.Durable()
	cursor := f.Cursor()
	if cursor.Seq >= durable {
		f.advance(cursor, true)
		return nil
	}
	reading, stop := context.WithCancel(ctx)
	chunks := make(chan loaded, 1)
	go func() {
		defer close(chunks)
		f.load(reading, cursor.Seq+1, durable, chunks)
	}()
	defer func() {
		stop()
		for range chunks { // until load has ended
		}
	}()
	for next := range chunks {
		if next.err != nil {
			return next.err
		}
		began := time.Now()
		if err := f.apply(ctx, next.chunk, next.last); err != nil {
			return err
		}
		if next.last {
			return nil
		}
		if f.source.Durable() > durable && f.Lag().MS < restingMS {
			f.rest(ctx, time.Since(began))
		}
	}
	return ctx.Err() // load was told to stop
}

// loaded is a chunk that is ready to be written, or why there is none.
type loaded struct {
	chunk *Chunk
	last  bool
	err   error
}

// load makes chunks of the records from next to last, each while the one
// before it is written.
func (f *Follower) load(ctx context.Context, next, last uint64, into chan<- loaded) {
	give := func(l loaded) bool {
		select {
		case into <- l:
			return l.err == nil && !l.last
		case <-ctx.Done():
			return false
		}
	}
	chunk := new(Chunk)
	for record, err := range f.source.Load(ctx, next) {
		if err != nil {
			err = fmt.Errorf("following the journal at record %d: %w", next, err)
		} else if record.Seq != next {
			err = fmt.Errorf("following the journal: record %d is missing, %d came", next, record.Seq)
		} else if err = chunk.add(record); err != nil {
			err = fmt.Errorf("following the journal: %w", err)
		}
		if err != nil {
			give(loaded{err: err})
			return
		}
		if record.Seq == last || chunk.rows() >= f.chunkRows {
			chunk.sort()
			if !give(loaded{chunk: chunk, last: record.Seq == last}) {
				return
			}
			chunk = new(Chunk)
		}
		next++
	}
	give(loaded{err: fmt.Errorf("following the journal: it ended at record %d, and %d is durable", next-1, last)})
}

func (f *Follower) apply(ctx context.Context, chunk *Chunk, last bool) error {
	after := f.Cursor().Seq
	err := f.store.Apply(ctx, after, chunk)
	if err != nil {
		f.uncertain = true // it may have been done all the same
		return fmt.Errorf("writing the history of records %d to %d: %w", after+1, chunk.Cursor.Seq, err)
	}
	f.advance(chunk.Cursor, last)
	f.mu.Lock()
	tell := f.tell
	f.mu.Unlock()
	if tell != nil {
		tell(chunk)
	}
	return nil
}

// Tell lets a function see each chunk once its rows are there. It is called by
// the goroutine that runs the Follower, so it must be quick; it must not keep
// or change the chunk. After a write of which the outcome was unknown, a chunk
// may be left out.
func (f *Follower) Tell(tell func(*Chunk)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell = tell
}

func (f *Follower) advance(cursor Cursor, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fresh {
		f.freshMS = f.nowMS()
	}
	if cursor.Seq != f.cursor.Seq {
		close(f.grew)
		f.grew = make(chan struct{})
	}
	f.cursor = cursor
}

// Cursor returns how far history has come.
func (f *Follower) Cursor() Cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor
}

// Lag is how far history is behind the journal.
type Lag struct {
	Records uint64
	// MS is the time since history last had everything; 0 while it has.
	MS int64
}

// Lag returns how far history is behind the journal.
func (f *Follower) Lag() Lag {
	durable := f.source.Durable()
	f.mu.Lock()
	defer f.mu.Unlock()
	if durable <= f.cursor.Seq {
		return Lag{}
	}
	since := max(f.freshMS, f.cursor.TimeMS)
	if since == 0 { // nothing has been read yet, so nobody knows since when
		return Lag{Records: durable - f.cursor.Seq}
	}
	return Lag{Records: durable - f.cursor.Seq, MS: max(f.nowMS()-since, 0)}
}

// Bound returns ErrLagging if history has been behind for longer than maxMS.
func (f *Follower) Bound(maxMS int64) error {
	if lag := f.Lag(); lag.MS > maxMS {
		return fmt.Errorf("%w: by %d records since %d ms", ErrLagging, lag.Records, lag.MS)
	}
	return nil
}

// WaitFor returns when the rows of a record are there, or with ctx's error: so
// that whoever was answered by the bank finds the answer in the history.
func (f *Follower) WaitFor(ctx context.Context, seq uint64) error {
	for {
		f.mu.Lock()
		at, grew := f.cursor.Seq, f.grew
		f.mu.Unlock()
		if at >= seq {
			return nil
		}
		select {
		case f.wanted <- struct{}{}: // nobody rests while somebody waits
		default:
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the history of record %d: %w", seq, ctx.Err())
		}
	}
}

// Rebuild clears the store and brings everything in again.
func (f *Follower) Rebuild(ctx context.Context) error {
	if err := f.store.Clear(ctx); err != nil {
		return fmt.Errorf("clearing the history: %w", err)
	}
	f.advance(Cursor{}, false)
	return f.CatchUp(ctx)
}
