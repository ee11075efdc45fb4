package strongroom_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/strongroom"
)

func record(seq uint64, body string) journal.Record {
	return journal.Record{Seq: seq, Hash: sha256.Sum256([]byte(body)), Body: []byte(body)}
}

func appendAll(t *testing.T, store journal.Store, records ...journal.Record) {
	t.Helper()
	for _, r := range records {
		if err := store.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns the records until the first error.
func read(store journal.Store) (bodies []string, err error) {
	for r, err := range store.Load(context.Background(), 1) {
		if err != nil {
			return bodies, err
		}
		if r.Hash != sha256.Sum256(r.Body) {
			return bodies, errors.New("another hash came back")
		}
		bodies = append(bodies, string(r.Body))
	}
	return bodies, nil
}

// stored returns what the store below has.
func stored(inner *memory.Journal) (records []journal.Record) {
	for r := range inner.Load(context.Background(), 1) {
		records = append(records, r)
	}
	return records
}

func begin(t *testing.T, checkpoints collect.Checkpoints) (term uint64) {
	t.Helper()
	term, _, err := checkpoints.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func TestTheStoreSeesNothing(t *testing.T) {
	inner, ring := memory.NewJournal(), newRing(t, 1)
	text := strings.Repeat("Ann pays 1234 to Bob. ", 5000)
	appendAll(t, strongroom.NewJournal(inner, ring), record(1, text), record(2, text))
	both := stored(inner)
	for _, r := range both {
		if bytes.Contains(r.Body, []byte("Ann pays")) || bytes.Contains(r.Body, []byte("1234 to Bob")) {
			t.Error("the text shows")
		}
		if r.Hash == sha256.Sum256([]byte(text)) {
			t.Error("the hash confirms a guess")
		}
	}
	if bytes.Contains(both[0].Body, both[1].Body[100:200]) {
		t.Error("two equal records show that they are equal")
	}
	events := memory.NewEvents()
	front := strongroom.NewEvents(events, ring)
	if err := front.Append(t.Context(), collect.Batch{Seq: 1, ReceivedMS: 5, Body: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	if err := front.Save(t.Context(), begin(t, front), 1, []collect.Part{{Subject: 1, Day: 2, Sealed: []byte(text)}}, nil); err != nil {
		t.Fatal(err)
	}
	part, err := events.Part(t.Context(), 1, 2)
	if err != nil || bytes.Contains(part, []byte("Ann pays")) {
		t.Errorf("a part shows its text, %v", err)
	}
	for b := range events.Load(t.Context(), 1) {
		if bytes.Contains(b.Body, []byte("Ann pays")) {
			t.Error("a batch shows its text")
		}
	}
}

// A block that was changed, cut, or put in the place of another is refused.
func TestWhatWasWrittenElsewhereIsRefused(t *testing.T) {
	ring := newRing(t, 1)
	first := memory.NewJournal()
	appendAll(t, strongroom.NewJournal(first, ring), record(1, "one"), record(2, "two"))
	blocks := stored(first)
	refuse := func(t *testing.T, what string, blocks ...journal.Record) {
		t.Helper()
		inner := memory.NewJournal()
		appendAll(t, inner, blocks...)
		if got, err := read(strongroom.NewJournal(inner, ring)); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("%s: read %q, %v", what, got, err)
		}
	}
	refuse(t, "records in each other's place",
		journal.Record{Seq: 1, Hash: blocks[1].Hash, Body: blocks[1].Body}, journal.Record{Seq: 2, Hash: blocks[0].Hash, Body: blocks[0].Body})
	refuse(t, "a plain record behind an encrypted one", blocks[0], record(2, "two"))
	for length := range len(blocks[0].Body) {
		if length >= len("ABSR") { // shorter, it is no block, and its hash is wrong
			refuse(t, fmt.Sprint("cut to ", length), journal.Record{Seq: 1, Body: blocks[0].Body[:length]})
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		changed := bytes.Clone(blocks[0].Body)
		at := rapid.IntRange(len("ABSR"), len(changed)-1).Draw(rt, "byte")
		changed[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "change"))
		inner := memory.NewJournal()
		if err := inner.Append(context.Background(), journal.Record{Seq: 1, Body: changed}); err != nil {
			rt.Fatal(err)
		}
		if got, err := read(strongroom.NewJournal(inner, ring)); err == nil {
			rt.Fatalf("byte %d was changed, and %q was read", at, got)
		}
	})
}

func TestAnEventKeepsItsPlaceAndTime(t *testing.T) {
	ring, inner := newRing(t, 1), memory.NewEvents()
	front := strongroom.NewEvents(inner, ring)
	if err := front.Append(t.Context(), collect.Batch{Seq: 1, ReceivedMS: 1000, Body: []byte("jump")}); err != nil {
		t.Fatal(err)
	}
	if err := front.Save(t.Context(), begin(t, front), 1, []collect.Part{{Subject: 1, Day: 7, Sealed: []byte("a day")}, {Subject: 2, Day: 7, Sealed: []byte("another")}}, nil); err != nil {
		t.Fatal(err)
	}
	for b := range inner.Load(t.Context(), 1) {
		b.ReceivedMS++
		other := memory.NewEvents()
		if err := other.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for _, err := range strongroom.NewEvents(other, ring).Load(t.Context(), 1) {
			if !errors.Is(err, collect.ErrDamaged) {
				t.Errorf("a batch with another time of arrival was read: %v", err)
			}
		}
	}
	part, err := inner.Part(t.Context(), 1, 7)
	if err != nil {
		t.Fatal(err)
	}
	if err := inner.Save(t.Context(), begin(t, inner), 2, []collect.Part{{Subject: 2, Day: 7, Sealed: part}}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := front.Part(t.Context(), 2, 7); !errors.Is(err, collect.ErrDamaged) {
		t.Errorf("subject 2 got the part of subject 1: %q, %v", got, err)
	}
}

// A snapshot of any length, written in any pieces, comes back; cut, extended or
// with chunks in another order it gives an error before its end.
func TestSnapshotsAreStreams(t *testing.T) {
	ring := newRing(t, 1)
	const chunk = 64 << 10
	rapid.Check(t, func(rt *rapid.T) {
		length := rapid.SampledFrom([]int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3*chunk + 17}).Draw(rt, "length")
		content := make([]byte, length)
		for i := range content {
			content[i] = byte(i / 100)
		}
		inner := memory.NewJournal()
		front := strongroom.NewJournal(inner, ring)
		err := front.SaveSnapshot(context.Background(), 9, func(dst io.Writer) error {
			for rest := content; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(rt, "piece")
				if _, err := dst.Write(rest[:n]); err != nil {
					return err
				}
				rest = rest[n:]
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		if got, err := readSnapshot(front, 9); err != nil || !bytes.Equal(got, content) {
			rt.Fatalf("%d bytes came back as %d, %v", length, len(got), err)
		}
		file, err := readSnapshot(inner, 9)
		if err != nil {
			rt.Fatal(err)
		}
		put := func(seq uint64, b []byte) ([]byte, error) {
			other := memory.NewJournal()
			if err := other.SaveSnapshot(context.Background(), seq, func(dst io.Writer) error { _, err := dst.Write(b); return err }); err != nil {
				rt.Fatal(err)
			}
			return readSnapshot(strongroom.NewJournal(other, ring), seq)
		}
		cut := rapid.IntRange(4, len(file)-1).Draw(rt, "cut")
		damaged := map[string][]byte{"cut": file[:cut], "longer": append(bytes.Clone(file), 0)}
		if whole := chunk + 16; length > 2*chunk {
			damaged["swapped"] = bytes.Join([][]byte{file[:30], file[30+whole : 30+2*whole], file[30 : 30+whole], file[30+2*whole:]}, nil)
			damaged["ended at a chunk"] = file[:30+whole]
		}
		for what, b := range damaged {
			if got, err := put(9, b); err == nil {
				rt.Fatalf("%s: %d bytes were read", what, len(got))
			}
		}
		if _, err := put(8, file); !errors.Is(err, strongroom.ErrBroken) {
			rt.Fatalf("a snapshot was taken for one of another record: %v", err)
		}
	})
}

func readSnapshot(store journal.Store, seq uint64) ([]byte, error) {
	src, err := store.OpenSnapshot(context.Background(), seq)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return io.ReadAll(src)
}

// A bank begins without keys, gets one, and another: each record is read under
// its own, and one whose key is gone says which.
func TestKeysRotate(t *testing.T) {
	inner, keys := memory.NewJournal(), &shelf{}
	open := func() *strongroom.Keyring { t.Helper(); return openRing(t, keys, secret(1)) }
	for seq, text := range []string{"plain", "first key", "second key"} {
		if seq > 0 {
			if err := open().Rotate(t.Context(), secret(1), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		appendAll(t, strongroom.NewJournal(inner, open()), record(uint64(seq+1), text))
	}
	if got, err := read(strongroom.NewJournal(inner, open())); err != nil || len(got) != 3 {
		t.Fatalf("read %q, %v", got, err)
	}
	// By another wrapping key, without the keys, and without the second.
	if _, err := strongroom.OpenKeyring(t.Context(), keys, by(secret(2))); !errors.Is(err, strongroom.ErrNoKey) ||
		!strings.Contains(err.Error(), secret(1).Name()) || !strings.Contains(err.Error(), secret(2).Name()) {
		t.Errorf("another wrapping key was answered %v", err)
	}
	entries, err := strongroom.ParseEntries(keys.text)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	both := keys.text
	firstLine, _, _ := strings.Cut(both, "\n")
	for what, text := range map[string]string{"": "", entries[1].ID: firstLine + "\n"} {
		keys.text = text
		got, err := read(strongroom.NewJournal(inner, open()))
		if !errors.Is(err, strongroom.ErrNoKey) || errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), "store key "+what) {
			t.Errorf("without key %q: read %q, %v", what, got, err)
		}
	}
	// An entry under the id of another, and a text that is none.
	keys.text = entries[0].ID + " 2026-01-01T00:00:00Z " + entries[1].Wrapped
	if _, err := strongroom.OpenKeyring(t.Context(), keys, by(secret(1))); err == nil || !strings.Contains(err.Error(), "it is key "+entries[1].ID) {
		t.Errorf("an entry under another id was answered %v", err)
	}
	keys.text = both + "half a line"
	if _, err := strongroom.OpenKeyring(t.Context(), keys, by(secret(1))); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("half a line was answered %v", err)
	}
}

func TestKeysAreWrappedAnew(t *testing.T) {
	keys := &shelf{}
	ring := openRing(t, keys, secret(1))
	if err := ring.Rotate(t.Context(), secret(1), time.Now()); err != nil {
		t.Fatal(err)
	}
	inner := memory.NewJournal()
	appendAll(t, strongroom.NewJournal(inner, ring), record(1, "text"))
	if err := ring.Rewrap(t.Context(), secret(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := strongroom.OpenKeyring(t.Context(), keys, by(secret(1))); !errors.Is(err, strongroom.ErrNoKey) {
		t.Errorf("the old wrapping key was answered %v", err)
	}
	if got, err := read(strongroom.NewJournal(inner, openRing(t, keys, secret(2)))); err != nil || len(got) != 1 {
		t.Errorf("read %q, %v", got, err)
	}
}

// The bank runs on what stands in front, recovers from snapshot and records,
// and one written before there were keys goes on.
func TestABankRunsOnIt(t *testing.T) {
	inner, head := memory.NewJournal(), &lastHead{}
	for _, ring := range []*strongroom.Keyring{newRing(t, 0), newRing(t, 1)} {
		for range 2 {
			w, err := journal.Open(t.Context(), strongroom.NewJournal(inner, ring), head, journal.Options{Warn: func(m string) { t.Error(m) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := journal.Open(t.Context(), strongroom.NewJournal(inner, newRing(t, 1)), head, journal.Options{})
	if !errors.Is(err, strongroom.ErrNoKey) {
		t.Errorf("a bank of which the keys are gone was opened: %v", err)
	}
}

// lastHead is a journal.Head in memory.
type lastHead struct {
	seq  uint64
	hash [32]byte
}

func (h *lastHead) Load() (uint64, [32]byte, error)      { return h.seq, h.hash, nil }
func (h *lastHead) Save(seq uint64, hash [32]byte) error { h.seq, h.hash = seq, hash; return nil }

func FuzzDecrypt(f *testing.F) {
	ring := newRing(f, 1)
	inner := memory.NewJournal()
	front := strongroom.NewJournal(inner, ring)
	if err := front.Append(context.Background(), record(1, "a record")); err != nil {
		f.Fatal(err)
	}
	if err := front.SaveSnapshot(context.Background(), 1, func(w io.Writer) error { _, err := w.Write([]byte("a state")); return err }); err != nil {
		f.Fatal(err)
	}
	snapshot, err := readSnapshot(inner, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored(inner)[0].Body)
	f.Add(snapshot)
	f.Fuzz(func(t *testing.T, b []byte) {
		inner := memory.NewJournal()
		if err := inner.Append(t.Context(), journal.Record{Seq: 1, Body: b}); err != nil {
			t.Fatal(err)
		}
		if err := inner.SaveSnapshot(t.Context(), 1, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
			t.Fatal(err)
		}
		front := strongroom.NewJournal(inner, ring)
		for r, err := range front.Load(t.Context(), 1) {
			if err == nil && bytes.HasPrefix(b, []byte("ABSR")) && string(r.Body) != "a record" {
				t.Fatalf("%q was read from what was never written", r.Body)
			}
		}
		if got, err := readSnapshot(front, 1); err == nil && bytes.HasPrefix(b, []byte("ABSR")) && string(got) != "a state" {
			t.Fatalf("%q was read from what was never written", got)
		}
	})
}

func FuzzEntries(f *testing.F) {
	f.Add("0011223344556677 2026-01-01T00:00:00Z local:00112233:AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		ring, err := strongroom.OpenKeyring(t.Context(), &shelf{text}, by(secret(1)))
		if err == nil && ring.Encrypts() {
			t.Fatal("keys that nobody has wrapped were unwrapped")
		}
	})
}
