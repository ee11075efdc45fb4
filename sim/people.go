package sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/collect"
)

// people are the subjects of a simulated world. Nothing about them is drawn at
// random, so that a seed gives the same state; a seal is a mark that shows
// whether it was opened for whom and where it was made. The real seals have
// tests of their own.
type people struct {
	numbers map[collect.Ref]uint64
	refs    []collect.Ref
}

func newPeople() *people { return &people{numbers: map[collect.Ref]uint64{}} }

func (p *people) Resolve(_ context.Context, refs []collect.Ref) (list []collect.Subject, err error) {
	for _, ref := range refs {
		if p.numbers[ref] == 0 {
			p.refs = append(p.refs, ref)
			p.numbers[ref] = uint64(len(p.refs))
		}
		id, _ := p.Person(nil, p.numbers[ref])
		list = append(list, collect.Subject{Number: p.numbers[ref], Person: id})
	}
	return list, nil
}

func (p *people) Person(_ context.Context, subject uint64) (id [16]byte, err error) {
	binary.BigEndian.PutUint64(id[8:], subject)
	return id, nil
}

func mark(subject uint64, additional []byte) []byte {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(append([]byte(nil), additional...), subject))
	return append(binary.LittleEndian.AppendUint64(nil, subject), sum[:8]...)
}

func (p *people) Seal(_ context.Context, subject uint64, dst, plaintext, additional []byte) ([]byte, error) {
	return append(append(dst, mark(subject, additional)...), plaintext...), nil
}

func (p *people) Open(_ context.Context, dst, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < 16 || string(mark(binary.LittleEndian.Uint64(sealed), additional)) != string(sealed[:16]) {
		return nil, errors.New("sealed bytes were opened in another place than they were made for")
	}
	return append(dst, sealed[16:]...), nil
}

func (p *people) Derive(_ context.Context, subject uint64, label string) ([32]byte, error) {
	return sha256.Sum256(fmt.Appendf(nil, "%d/%s", subject, label)), nil
}
