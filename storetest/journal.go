// Package storetest says what a store must do: one suite for each interface,
// run by every adapter.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/journal"
)

// Journal runs the suite of journal.Store. open opens the same store again
// each time that it is called with the same testing.T; a store that does not
// outlive its closing may return itself.
func Journal(t *testing.T, open func(t *testing.T) journal.Store) {
	t.Run("records come back in order", func(t *testing.T) { recordsComeBack(t, open) })
	t.Run("a sequence is taken once", func(t *testing.T) { sequenceIsTakenOnce(t, open) })
	t.Run("of two writers at once one has each sequence", func(t *testing.T) { writersContend(t, open) })
	t.Run("snapshots are whole, and two are kept", func(t *testing.T) { snapshotsAreKept(t, open) })
}

// record makes a record; a store does not look into bodies.
func record(seq uint64, size int) journal.Record {
	body := bytes.Repeat([]byte{byte(seq)}, size)
	return journal.Record{Seq: seq, Hash: sha256.Sum256(body), Body: body}
}

func load(t *testing.T, store journal.Store, from uint64) (records []journal.Record) {
	t.Helper()
	for r, err := range store.Load(context.Background(), from) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

func recordsComeBack(t *testing.T, open func(t *testing.T) journal.Store) {
	ctx, store := context.Background(), open(t)
	if got := load(t, store, 1); len(got) != 0 {
		t.Fatalf("an empty store has %d records", len(got))
	}
	var want []journal.Record
	for seq := uint64(1); seq <= 150; seq++ {
		r := record(seq, int(seq%7)*1000)
		if seq == 100 {
			r = record(seq, 3<<20)
		}
		if err := store.Append(ctx, r); err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	for _, store := range []journal.Store{store, open(t)} {
		for _, from := range []uint64{1, 2, 64, 65, 100, 150, 151, 1000} {
			got := load(t, store, from)
			expected := want[min(from-1, 150):]
			same := slices.EqualFunc(got, expected, func(a, b journal.Record) bool {
				return a.Seq == b.Seq && a.Hash == b.Hash && bytes.Equal(a.Body, b.Body)
			})
			if !same {
				t.Fatalf("from %d: %d records came back, expected %d", from, len(got), len(expected))
			}
		}
		for range store.Load(ctx, 1) {
			break // a reader may stop early
		}
	}
}

func sequenceIsTakenOnce(t *testing.T, open func(t *testing.T) journal.Store) {
	ctx, first, second := context.Background(), open(t), open(t)
	if err := first.Append(ctx, record(1, 10)); err != nil {
		t.Fatal(err)
	}
	other := record(1, 20)
	if err := second.Append(ctx, other); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a taken sequence was answered %v", err)
	}
	if err := second.Append(ctx, record(2, 10)); err != nil {
		t.Fatal(err)
	}
	if err := first.Append(ctx, record(2, 10)); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a taken sequence was answered %v", err)
	}
	// Without the record before it, a record would be the begin of a gap.
	if err := first.Append(ctx, record(4, 10)); err == nil || errors.Is(err, journal.ErrConflict) {
		t.Fatalf("a record behind a gap was answered %v", err)
	}
	if got := load(t, first, 1); len(got) != 2 || len(got[0].Body) != 10 {
		t.Fatalf("the first record was overwritten: %d records", len(got))
	}
}

// writersContend lets two writers append the same sequences at once: each is
// taken by exactly one, and a reader sees whole records in order meanwhile.
func writersContend(t *testing.T, open func(t *testing.T) journal.Store) {
	const records = 40
	ctx, reader := context.Background(), open(t)
	var taken [2][records + 1]bool
	var wait sync.WaitGroup
	for writer := range 2 {
		store := open(t)
		wait.Go(func() {
			for seq := uint64(1); seq <= records; seq++ {
				err := store.Append(ctx, record(seq, 1000+writer))
				if taken[writer][seq] = err == nil; err != nil && !errors.Is(err, journal.ErrConflict) {
					t.Errorf("record %d: %v", seq, err)
					return
				}
			}
		})
	}
	for len(load(t, reader, 1)) < records && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	wait.Wait()
	for seq, r := range load(t, reader, 1) {
		if r.Seq != uint64(seq+1) || r.Hash != sha256.Sum256(r.Body) {
			t.Fatalf("place %d has record %d, or it is not whole", seq+1, r.Seq)
		}
		if winner := len(r.Body) - 1000; !taken[winner][r.Seq] || taken[1-winner][r.Seq] {
			t.Fatalf("record %d is of writer %d, and writers %v were told that it is theirs", r.Seq, winner, taken)
		}
	}
}

func snapshotsAreKept(t *testing.T, open func(t *testing.T) journal.Store) {
	ctx, store := context.Background(), open(t)
	content := func(seq uint64) []byte { return bytes.Repeat([]byte{byte(seq)}, 300_000) }
	for _, seq := range []uint64{10, 20, 30} {
		err := store.SaveSnapshot(ctx, seq, func(w io.Writer) error {
			for _, part := range [][]byte{content(seq)[:100_000], content(seq)[100_000:]} {
				if _, err := w.Write(part); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	broken := errors.New("the state could not be written")
	err := store.SaveSnapshot(ctx, 40, func(w io.Writer) error {
		fmt.Fprint(w, "half of it")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("a snapshot that could not be written was answered %v", err)
	}
	for _, store := range []journal.Store{store, open(t)} {
		seqs, err := store.Snapshots(ctx)
		if err != nil || !slices.Equal(seqs, []uint64{30, 20}) {
			t.Fatalf("snapshots %v, %v; expected 30 and 20", seqs, err)
		}
		for _, seq := range seqs {
			src, err := store.OpenSnapshot(ctx, seq)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(src)
			src.Close()
			if err != nil || !bytes.Equal(got, content(seq)) {
				t.Fatalf("snapshot %d came back with %d bytes, %v", seq, len(got), err)
			}
		}
		if _, err := store.OpenSnapshot(ctx, 10); err == nil {
			t.Fatal("an old snapshot is still there")
		}
	}
	for _, seq := range []uint64{30, 30, 31} { // dropping is done however often
		if err := store.DropSnapshot(ctx, seq); err != nil {
			t.Fatal(err)
		}
	}
	if seqs, err := store.Snapshots(ctx); err != nil || !slices.Equal(seqs, []uint64{20}) {
		t.Fatalf("snapshots %v, %v; expected 20 after dropping 30", seqs, err)
	}
}
