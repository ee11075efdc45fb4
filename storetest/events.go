package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
)

// EventStore is what keeps events: the log and the checkpoints of its fold.
type EventStore interface {
	collect.Log
	collect.Checkpoints
	collect.Purges
}

// Events runs the suite of collect.Log and collect.Checkpoints. open opens the
// same store again each time that it is called with the same testing.T.
func Events(t *testing.T, open func(t *testing.T) EventStore) {
	t.Run("batches come back in order", func(t *testing.T) { batchesComeBack(t, open) })
	t.Run("a sequence is taken once", func(t *testing.T) { batchIsTakenOnce(t, open) })
	t.Run("the first batch since a time is found", func(t *testing.T) { firstSince(t, open) })
	t.Run("checkpoints replace parts", func(t *testing.T) { checkpoints(t, open) })
	t.Run("marks find subjects", func(t *testing.T) { marks(t, open) })
	t.Run("what is kept of a subject is found", func(t *testing.T) { archive(t, open) })
	t.Run("a purge replaces bodies", func(t *testing.T) { purges(t, open) })
}

func marks(t *testing.T, open func(t *testing.T) EventStore) {
	ctx, store := context.Background(), open(t)
	term, _, err := store.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	part := func(subject uint64, day int32, marks ...byte) collect.Part {
		p := collect.Part{Subject: subject, Day: day, DueMS: collect.NeverDue, Sealed: []byte("x")}
		for _, m := range marks {
			p.Marks = append(p.Marks, collect.Mark{m})
		}
		return p
	}
	want := func(store EventStore, mark byte, limit int, subjects ...uint64) {
		t.Helper()
		if got, err := store.Marked(ctx, collect.Mark{mark}, limit); err != nil || !slices.Equal(got, subjects) {
			t.Errorf("mark %d finds %v, %v; expected %v", mark, got, err, subjects)
		}
	}
	save := func(seq uint64, parts ...collect.Part) {
		t.Helper()
		if err := store.Save(ctx, term, seq, parts, nil); err != nil {
			t.Fatal(err)
		}
	}
	save(1, part(3, 10, 1, 2), part(2, 10, 1), part(1, 9, 3), part(4, 9))
	save(2, part(3, 10, 1), part(2, 10, 4, 4)) // a part that is saved again keeps its marks
	if err := store.Save(ctx, term-1, 3, []collect.Part{part(9, 10, 1)}, nil); !errors.Is(err, collect.ErrConflict) {
		t.Fatalf("a checkpoint of an earlier term was answered %v", err)
	}
	for _, store := range []EventStore{store, open(t)} {
		want(store, 1, 10, 2, 3)
		want(store, 1, 1, 2)
		want(store, 2, 10, 3)
		want(store, 3, 10, 1)
		want(store, 4, 10, 2)
		want(store, 5, 10)
		for subject, marks := range map[uint64][]collect.Mark{1: {{3}}, 2: {{1}, {4}}, 3: {{1}, {2}}, 4: nil} {
			if got, err := store.MarksOf(ctx, subject); err != nil || !slices.Equal(got, marks) {
				t.Errorf("subject %d has the marks %v, %v; expected %v", subject, got, err, marks)
			}
		}
	}
	if err := store.DropMarks(ctx, 10); err != nil {
		t.Fatal(err)
	}
	want(store, 3, 10)
	want(store, 1, 10, 2, 3)
	if err := store.Forget(ctx, 3); err != nil {
		t.Fatal(err)
	}
	want(store, 1, 10, 2)
	want(store, 2, 10)
}

func batch(seq uint64, receivedMS int64, size int) collect.Batch {
	return collect.Batch{Seq: seq, ReceivedMS: receivedMS, Body: bytes.Repeat([]byte{byte(seq)}, size)}
}

func appendBatch(t *testing.T, log collect.Log, b collect.Batch) {
	t.Helper()
	if err := log.Append(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func batchesComeBack(t *testing.T, open func(t *testing.T) EventStore) {
	store := open(t)
	for seq := uint64(1); seq <= 130; seq++ {
		appendBatch(t, store, batch(seq, int64(seq/3), int(seq)*10))
	}
	for _, store := range []EventStore{store, open(t)} {
		for _, from := range []uint64{1, 64, 65, 130, 131} {
			next := from
			for b, err := range store.Load(context.Background(), from) {
				if err != nil {
					t.Fatal(err)
				}
				want := batch(next, int64(next/3), int(next)*10)
				if b.Seq != want.Seq || b.ReceivedMS != want.ReceivedMS || !bytes.Equal(b.Body, want.Body) {
					t.Fatalf("batch %d came back as %d at %d with %d bytes", next, b.Seq, b.ReceivedMS, len(b.Body))
				}
				next++
			}
			if next != 131 {
				t.Fatalf("from %d on, the batches end before %d", from, next)
			}
		}
	}
}

func batchIsTakenOnce(t *testing.T, open func(t *testing.T) EventStore) {
	first, second := open(t), open(t)
	appendBatch(t, first, batch(1, 1, 10))
	if err := second.Append(context.Background(), batch(1, 1, 20)); !errors.Is(err, collect.ErrConflict) {
		t.Fatalf("a taken sequence was answered %v", err)
	}
	for b := range first.Load(context.Background(), 1) {
		if len(b.Body) != 10 {
			t.Fatal("the first batch was overwritten")
		}
	}
}

func firstSince(t *testing.T, open func(t *testing.T) EventStore) {
	ctx, store := context.Background(), open(t)
	want := func(receivedMS int64, seq uint64) {
		t.Helper()
		if got, err := store.FirstSince(ctx, receivedMS); err != nil || got != seq {
			t.Errorf("since %d: batch %d, %v; expected %d", receivedMS, got, err, seq)
		}
	}
	want(0, 1)
	for i, receivedMS := range []int64{100, 100, 200, 300} {
		appendBatch(t, store, batch(uint64(i+1), receivedMS, 1))
	}
	want(0, 1)
	want(100, 1)
	want(101, 3)
	want(200, 3)
	want(300, 4)
	want(301, 5)
}

func checkpoints(t *testing.T, open func(t *testing.T) EventStore) {
	ctx, store := context.Background(), open(t)
	old, seq, err := store.Begin(ctx)
	if err != nil || seq != 0 {
		t.Fatalf("an empty store has a checkpoint at %d, %v", seq, err)
	}
	term, _, err := store.Begin(ctx)
	if err != nil || term <= old {
		t.Fatalf("term %d came behind term %d, %v", term, old, err)
	}
	save := func(seq uint64, parts ...collect.Part) {
		t.Helper()
		if err := store.Save(ctx, term, seq, parts, nil); err != nil {
			t.Fatal(err)
		}
	}
	save(7, collect.Part{Subject: 1, Day: 20000, DueMS: 50, Sealed: []byte("a")},
		collect.Part{Subject: 1, Day: collect.PersonPart, DueMS: collect.NeverDue, Sealed: []byte("b")},
		collect.Part{Subject: 2, Day: -5, DueMS: 0, Sealed: []byte("c")})
	save(9, collect.Part{Subject: 1, Day: 20000, DueMS: 60, Sealed: []byte("a2")})
	// A collector of an earlier term that ends late neither moves the checkpoint
	// nor replaces a part.
	late := []collect.Part{{Subject: 1, Day: 20000, DueMS: 0, Sealed: []byte("late")}}
	for _, seq := range []uint64{8, 9, 10} {
		if err := store.Save(ctx, old, seq, late, nil); !errors.Is(err, collect.ErrConflict) {
			t.Fatalf("a checkpoint of an earlier term was answered %v", err)
		}
	}
	for _, store := range []EventStore{store, open(t)} {
		if _, seq, err := store.Begin(ctx); err != nil || seq != 9 {
			t.Fatalf("the checkpoint is at %d, %v", seq, err)
		}
		for _, test := range []struct {
			subject uint64
			day     int32
			want    string
		}{{1, 20000, "a2"}, {1, collect.PersonPart, "b"}, {2, -5, "c"}, {2, 5, ""}, {3, 20000, ""}} {
			if got, err := store.Part(ctx, test.subject, test.day); err != nil || string(got) != test.want {
				t.Errorf("part %d of subject %d is %q, %v; expected %q", test.day, test.subject, got, err, test.want)
			}
		}
		for untilMS, want := range map[int64]int{-1: 0, 0: 1, 59: 1, 60: 2, collect.NeverDue: 2} {
			if due, err := store.Due(ctx, untilMS); err != nil || len(due) != want {
				t.Errorf("by %d, %d parts are due, %v; expected %d", untilMS, len(due), err, want)
			}
		}
	}
	if err := store.Forget(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Part(ctx, 1, 20000); err != nil || got != nil {
		t.Errorf("a forgotten part is still there: %q, %v", got, err)
	}
	if due, err := store.Due(ctx, 100); err != nil || len(due) != 1 || due[0].Subject != 2 {
		t.Errorf("after a subject was forgotten, %v is due, %v", due, err)
	}
}
