package sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/attentionbank/attentionbank/collect"
)

// people are the subjects of a simulated world: a name is one person in every
// world. Nothing about them is drawn at random, so that a seed gives the same
// state; a seal is a sum that shows for whom and where it was made and that
// nothing of it has changed. The real seals have tests of their own.
type people struct {
	mu      sync.Mutex
	numbers map[string]uint64
	names   []string
	seals   uint64 // no two are equal
}

func newPeople() *people { return &people{numbers: map[string]uint64{}} }

// Resolve implements collect.Subjects.
func (p *people) Resolve(ctx context.Context, refs []collect.Ref) (list []collect.Subject, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ref := range refs {
		name := ref.UserID + ref.AnonymousID
		if p.numbers[name] == 0 {
			p.names = append(p.names, name)
			p.numbers[name] = uint64(len(p.names))
		}
		id, _ := p.Person(ctx, p.numbers[name])
		list = append(list, collect.Subject{Number: p.numbers[name], Person: id})
	}
	return list, nil
}

// Person implements collect.Subjects.
func (p *people) Person(_ context.Context, subject uint64) (id [16]byte, err error) {
	binary.BigEndian.PutUint64(id[8:], subject)
	return id, nil
}

func mark(subject uint64, additional, plaintext []byte) []byte {
	sum := sha256.New()
	for _, part := range [][]byte{binary.LittleEndian.AppendUint64(nil, subject), additional, plaintext} {
		sum.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(part))))
		sum.Write(part)
	}
	return append(binary.LittleEndian.AppendUint64(nil, subject), sum.Sum(nil)[:8]...)
}

// Seal implements collect.Subjects.
func (p *people) Seal(_ context.Context, subject uint64, dst, plaintext, additional []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seals++
	plaintext = append(binary.LittleEndian.AppendUint64(nil, p.seals), plaintext...)
	return append(append(dst, mark(subject, additional, plaintext)...), plaintext...), nil
}

// Open implements collect.Subjects.
func (p *people) Open(_ context.Context, dst, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < 24 || string(mark(binary.LittleEndian.Uint64(sealed), additional, sealed[16:])) != string(sealed[:16]) {
		return nil, errors.New("sealed bytes were changed, or opened in another place than they were made for")
	}
	return append(dst, sealed[24:]...), nil
}

// Derive implements collect.Subjects.
func (p *people) Derive(_ context.Context, subject uint64, label string) ([32]byte, error) {
	return sha256.Sum256(fmt.Appendf(nil, "%d/%s", subject, label)), nil
}
