package collect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/score"
)

func FuzzBatch(f *testing.F) {
	seed := func(entries ...entry) Batch {
		d := newDraft([32]byte{1}, 0)
		for i := range entries {
			entries[i].sum = sha256.Sum256(entries[i].sealed)
			d.add(&entries[i])
		}
		body, _ := d.finish()
		return Batch{Seq: 1, Body: body}
	}
	e := entry{kind: eventEntry, trust: TrustServer, verdict: Accepted, world: 1, subject: 2, sealed: []byte("sealed")}
	s, l := e, e
	s.kind, s.world = sessionEntry, 2
	l.kind = linkEntry
	for _, whole := range []Batch{seed(), seed(e), seed(e, s), seed(e, s, l)} {
		for dropped := range uint32(3) {
			left, err := whole.without(func(world uint32) bool { return world <= dropped })
			if err != nil {
				f.Fatal(err)
			}
			f.Add(left.Body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := Batch{Seq: 1, Body: body}
		if len(body) >= bodyHeader {
			b.ReceivedMS = int64(binary.LittleEndian.Uint64(body[37:]))
		}
		d := newDraft([32]byte{}, b.ReceivedMS)
		for e, err := range b.entries() {
			if err != nil {
				if _, err := b.hash(); err == nil {
					t.Fatal("a batch that cannot be read has a hash")
				}
				return
			}
			if e.kind != droppedEntry {
				e.sum = sha256.Sum256(e.sealed)
			}
			d.add(&e)
		}
		hash, err := b.hash()
		if err != nil {
			t.Fatal(err)
		}
		if previous, _ := b.previous(); b.Body[bodyHeader] == formEntries {
			copy(d.body[5:], previous[:])
			again, hashAgain := d.finish()
			if string(again) != string(body) || hashAgain != hash {
				t.Fatal("the entries are encoded differently")
			}
		}
		// Whatever is dropped, in whatever order, the hash stays.
		for world := range uint32(4) {
			left, err := b.without(func(of uint32) bool { return of == world || world == 3 })
			if err != nil {
				t.Fatal(err)
			}
			if now, err := left.hash(); err != nil || now != hash || left.dropped == 0 && !bytes.Equal(left.Body, b.Body) {
				t.Fatalf("a batch without %d entries has another hash: %v", left.dropped, err)
			}
			b = left.Batch
		}
	})
}

func FuzzParts(f *testing.F) {
	p := newPerson()
	p.openSession(session{1, 2})
	p.waiting = append(p.waiting, waiting{world: 1, count: 2})
	p.spends = append(p.spends, spend{world: 1, minor: 5})
	p.refund(refund{order: digest{1}, receivedMS: 3, minor: 2})
	p.links = append(p.links, link{7, 20_000, forever})
	p.appealed(appeal{number: 3, text: "it was me"}, 5)
	p.terms = Terms{Minor: true, Scoring: Withdrawn, EarnSeconds: 60, NextEarnSeconds: NoLimit, NextFromMS: 5, ExcludedUntilMS: 9, excludedFromMS: 8}
	f.Add(p.appendTo(nil))
	d := day{worlds: []dayWorld{{world: 1}}, seq: 4}
	d.Present(1, 0, score.BucketMS)
	d.marks = append(d.marks, newcomers(1, 5))
	d.keep(1, []abuse.Finding{{Signal: abuse.Sybil, Value: 9, Limit: 4}})
	d.bounds = score.Bounds{Minor: true, Limited: true, EarnSeconds: 60}
	f.Add(d.appendTo(nil))
	f.Fuzz(func(t *testing.T, part []byte) {
		if p, err := decodePerson(part); err == nil {
			again := p.appendTo(nil)
			for version := part[0]; version < 4; version++ { // each added a list
				part = append(append([]byte{4}, part[1:]...), 0, 0, 0, 0)
			}
			if part[0] < 5 {
				le := binary.LittleEndian
				part = le.AppendUint32(append([]byte{5}, part[1:]...), uint32(len(p.waiting)))
				part = append(part, make([]byte, 16*len(p.waiting))...)
				part = append(le.AppendUint64(part, 1), make([]byte, 8)...)
			}
			if defaults := DefaultTerms(); part[0] < personVersion {
				part = defaults.appendTo(append([]byte{personVersion}, part[1:]...))
			}
			if string(again) != string(part) {
				t.Fatal("a person is encoded differently")
			}
		}
		if d, err := decodeDay(part); err == nil {
			if again, err := decodeDay(d.appendTo(nil)); err != nil || again.revision() != d.revision() || !slices.Equal(again.marks, d.marks) || !slices.Equal(again.found, d.found) {
				t.Fatalf("a day is encoded differently: %v", err)
			}
		}
	})
}

// unusedBlocks stands for the methods that nothing here asks for.
type unusedBlocks interface{ Blocks }

// anyBlocks serves a directory and a page of entries that nobody has written.
type anyBlocks struct {
	unusedBlocks
	entries, directory []byte
	info               BlockInfo
}

func (b anyBlocks) BlockPage(_ context.Context, _ BlockInfo, page int) ([]byte, error) {
	if page < b.info.EntryPages {
		return b.entries, nil
	}
	from := (page - b.info.EntryPages) * directoryPage
	if from > len(b.directory) {
		return nil, errors.New("there is no such page")
	}
	return b.directory[from:min(from+directoryPage, len(b.directory))], nil
}

// FuzzBlock looks for message ids in blocks of any bytes: what is found is the
// id that was looked for, or the block is said to be damaged.
func FuzzBlock(f *testing.F) {
	ids := []rememberedID{{digest{1}, seenEntry{position: 5, verdict: Accepted}, 10}, {digest{2}, seenEntry{position: 6, verdict: Late}, 11}}
	info := BlockInfo{Hour: 10, Hours: 2}.describe(uint64(len(ids)))
	var pages [][]byte
	for page, err := range blockPages(info, func(yield func(rememberedID, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}) {
		if err != nil {
			f.Fatal(err)
		}
		pages = append(pages, bytes.Clone(page))
	}
	f.Add(pages[0], pages[1], uint64(2), ids[1].digest[:])
	f.Add(pages[0][:20], pages[1], uint64(2), ids[1].digest[:])
	f.Add([]byte{}, []byte{}, uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, entries, directory []byte, count uint64, looked []byte) {
		info := BlockInfo{Hour: 10, Hours: 2}.describe(count % (2 * pageEntries))
		blocks := anyBlocks{entries: entries, directory: directory, info: info}
		b, err := openBlock(t.Context(), blocks, info)
		if err != nil {
			return
		}
		var d digest
		copy(d[:], looked)
		if found, ok, err := b.find(t.Context(), blocks, d); err == nil && ok && found.digest != d {
			t.Fatalf("%x was looked for, %x was found", d, found.digest)
		}
	})
}
