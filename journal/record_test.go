package journal_test

import (
	"crypto/sha256"
	"errors"
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
