package journal_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
)

// FuzzRecord reads any bytes as a record: they are a record whose parts are
// all of them, or damage that names the record.
func FuzzRecord(f *testing.F) {
	r, _ := paid(f, 2)
	for _, record := range r.records() {
		f.Add(record.Body)
		f.Add(record.Body[:len(record.Body)-3])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		record := journal.Record{Seq: 1, Hash: sha256.Sum256(body), Body: body}
		var previous [32]byte
		if len(body) >= 64 {
			previous = [32]byte(body[32:64])
		}
		header, err := record.Verify(previous)
		if err != nil {
			if !errors.Is(err, journal.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		size, pairs := 4+8+8+4+8+32+4+4, uint32(0)
		for pair, err := range record.Pairs() {
			if err != nil {
				if !errors.Is(err, journal.ErrDamaged) {
					t.Fatal(err)
				}
				return
			}
			if pair.Index != pairs {
				t.Fatalf("command %d comes after %d", pair.Index, pairs)
			}
			pairs++
			size += 8 + len(pair.Command) + len(pair.Answer)
		}
		if pairs != header.Commands || size != len(body) {
			t.Fatalf("%d of %d commands in %d of %d bytes", pairs, header.Commands, size, len(body))
		}
	})
}

// FuzzHead opens any bytes as a file of the second head: it is damage, or a
// place that is kept when the file is opened again; and what is saved then
// stands.
func FuzzHead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	head, err := journal.OpenHeadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for seq := range uint64(3) {
		whole, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole)
		if err := head.Save(seq+1, [32]byte{byte(seq)}); err != nil {
			f.Fatal(err)
		}
	}
	if err := head.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		path := filepath.Join(t.TempDir(), "head")
		if err := os.WriteFile(path, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		load := func() (*journal.HeadFile, uint64, [32]byte, error) {
			head, err := journal.OpenHeadFile(path)
			if err != nil {
				return nil, 0, [32]byte{}, err
			}
			t.Cleanup(func() { head.Close() })
			seq, hash, err := head.Load()
			return head, seq, hash, err
		}
		head, seq, hash, err := load()
		if err != nil {
			return
		}
		if _, again, sameHash, err := load(); err != nil || again != seq || sameHash != hash {
			t.Fatalf("opened again it names %d, before %d: %v", again, seq, err)
		}
		if seq == math.MaxUint64 {
			return // there is nothing behind it
		}
		if err := head.Save(seq+1, [32]byte{7}); err != nil {
			t.Fatal(err)
		}
		if _, saved, hash, err := load(); err != nil || saved != seq+1 || hash != [32]byte{7} {
			t.Fatalf("record %d was saved, the file names %d: %v", seq+1, saved, err)
		}
	})
}

// FuzzSnapshot opens a journal beside which lie any bytes as its snapshot: it
// comes to the state that it comes to without one, or it is damage.
func FuzzSnapshot(f *testing.F) {
	r, _ := paid(f, 2)
	w, err := r.open()
	if err == nil {
		err = w.Close(f.Context()) // takes one
	}
	if err != nil {
		f.Fatal(err)
	}
	seqs, err := r.store.Snapshots(f.Context())
	if err != nil || len(seqs) == 0 {
		f.Fatalf("%d snapshots, %v", len(seqs), err)
	}
	src, err := r.store.OpenSnapshot(f.Context(), seqs[0])
	if err != nil {
		f.Fatal(err)
	}
	whole, err := io.ReadAll(src)
	if err = errors.Join(err, src.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-40])
	f.Add(whole[:60])
	records := r.records()
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		other := newRig(t)
		for _, record := range records {
			if err := other.store.Append(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		if err := other.store.SaveSnapshot(t.Context(), seqs[0], func(w io.Writer) error { _, err := w.Write(snapshot); return err }); err != nil {
			t.Fatal(err)
		}
		w, err := other.open()
		if err != nil {
			if !errors.Is(err, journal.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		defer w.Close(context.Background()) // a snapshot that cannot be written is not what this is about
		live := stateHash(t, w)
		again, err := journal.StateAt(t.Context(), other.store, w.Durable(), func(uint64) {})
		if err != nil || again.Hash() != live {
			t.Fatalf("with this snapshot the state is %x, run again %x: %v", live, again.Hash(), err)
		}
	})
}

// The second head survives a write that was cut off: the place before stands.
func TestHeadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "head")
	open := func() *journal.HeadFile {
		head, err := journal.OpenHeadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return head
	}
	load := func() (uint64, [32]byte, error) {
		head := open()
		defer head.Close()
		return head.Load()
	}
	save := func(seq uint64) {
		head := open()
		defer head.Close()
		if _, _, err := head.Load(); err != nil {
			t.Fatal(err)
		}
		if err := head.Save(seq, [32]byte{byte(seq)}); err != nil {
			t.Fatal(err)
		}
	}
	require := func(want uint64) {
		t.Helper()
		if seq, hash, err := load(); err != nil || seq != want || hash != [32]byte{byte(want)} {
			t.Fatalf("the head is at record %d with hash %x, %v; expected %d", seq, hash[:1], err, want)
		}
	}
	require(0)
	for seq := uint64(1); seq <= 5; seq++ {
		save(seq)
		require(seq)
	}
	save(3) // an operator accepts a shorter journal
	require(3)
	save(4)

	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if content[8] != 4 { // the place of record 4 is put first, for what follows
		content = append(append([]byte(nil), content[512:]...), content[:512]...)
	}
	damage := func(change func([]byte)) {
		damaged := append([]byte(nil), content...)
		change(damaged)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const placeBytes, otherPlace = 52, 512
	for at := range placeBytes {
		damage(func(b []byte) { b[at] ^= 16 })
		require(3)
		damage(func(b []byte) { b[otherPlace+at] ^= 16 })
		require(4)
		damage(func(b []byte) { b[at] ^= 16; b[otherPlace+at] ^= 1 })
		if _, _, err := load(); !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("both places damaged at byte %d: %v", at, err)
		}
	}
}
