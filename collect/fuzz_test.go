package collect

import (
	"encoding/binary"
	"testing"

	"github.com/attentionbank/attentionbank/score"
)

func FuzzBatch(f *testing.F) {
	body := newBody([32]byte{1}, 0)
	e := entry{kind: eventEntry, trust: TrustServer, verdict: Accepted, world: 1, subject: 2, sealed: []byte("sealed")}
	f.Add(setEntries(e.appendTo(body), 1))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := Batch{Seq: 1, Body: body}
		if len(body) >= bodyHeader {
			b.ReceivedMS = int64(binary.LittleEndian.Uint64(body[37:]))
		}
		again := newBody([32]byte{}, b.ReceivedMS)
		count := uint32(0)
		for e, err := range b.entries() {
			if err != nil {
				return
			}
			again = e.appendTo(again)
			count++
		}
		previous, err := b.previous()
		if err != nil {
			t.Fatal(err)
		}
		copy(again[5:], previous[:])
		if string(setEntries(again, count)) != string(body) {
			t.Fatal("the entries are encoded differently")
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
	f.Add(p.appendTo(nil))
	d := day{worlds: []dayWorld{{world: 1}}, seq: 4}
	d.Present(1, 0, score.BucketMS)
	f.Add(d.appendTo(nil))
	f.Fuzz(func(t *testing.T, part []byte) {
		if p, err := decodePerson(part); err == nil {
			again := p.appendTo(nil)
			for version := part[0]; version < personVersion; version++ { // each added a list
				part = append(append([]byte{personVersion}, part[1:]...), 0, 0, 0, 0)
			}
			if string(again) != string(part) {
				t.Fatal("a person is encoded differently")
			}
		}
		if d, err := decodeDay(part); err == nil {
			if again, err := decodeDay(d.appendTo(nil)); err != nil || again.revision() != d.revision() {
				t.Fatalf("a day is encoded differently: %v", err)
			}
		}
	})
}
