package collect

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// Place says in which batches of the log a subject has entries, some of them.
type Place struct {
	Subject uint64
	// Batches are their sequences, ascending, 1 to MaxPlace of them.
	Batches []uint64
}

// MaxPlace bounds the batches of one Place.
const MaxPlace = 1024

// Archive finds what is kept of one subject.
type Archive interface {
	// Places returns up to limit places of a subject whose first batch lies
	// behind a sequence, in order.
	Places(ctx context.Context, subject, after uint64, limit int) ([]Place, error)
	// Days returns up to limit days of a subject of which there are parts, behind
	// a day, in order.
	Days(ctx context.Context, subject uint64, after int32, limit int) ([]int32, error)
	// MarksOf returns the marks of a subject in order.
	MarksOf(ctx context.Context, subject uint64) ([]Mark, error)
}

// A place is kept as
//
//	| batch, then the distance of each from the one before it: uvarint |
var errPlace = errors.New("the places of a subject are damaged")

// AppendTo appends the batches of a place.
func (p *Place) AppendTo(dst []byte) []byte {
	last := uint64(0)
	for _, seq := range p.Batches {
		dst, last = binary.AppendUvarint(dst, seq-last), seq
	}
	return dst
}

// Without returns a place without some batches, which ascend; it may have none
// left.
func (p Place) Without(batches []uint64) Place {
	return Place{p.Subject, slices.DeleteFunc(slices.Clone(p.Batches), func(seq uint64) bool {
		_, gone := slices.BinarySearch(batches, seq)
		return gone
	})}
}

// DecodePlace reads what AppendTo wrote of a subject's place.
func DecodePlace(subject uint64, src []byte) (Place, error) {
	p, last := Place{Subject: subject}, uint64(0)
	for len(src) > 0 {
		distance, n := binary.Uvarint(src)
		if n <= 0 || distance == 0 || last+distance < last || len(p.Batches) == MaxPlace {
			return Place{}, errPlace
		}
		last, src = last+distance, src[n:]
		p.Batches = append(p.Batches, last)
	}
	if len(p.Batches) == 0 {
		return Place{}, errPlace
	}
	return p, nil
}

// stands notes that a batch has an entry of a subject. Who is united with another
// or linked to another by an entry has it too.
func (f *fold) stands(seq uint64, e *entry) {
	for _, subject := range [...]uint64{e.subject, e.other} {
		if subject == 0 || f.places == nil {
			continue
		}
		if known := f.places[subject]; len(known) == 0 || known[len(known)-1] != seq {
			f.places[subject] = append(known, seq)
		}
	}
}

// newPlaces returns where subjects have entries since the last checkpoint.
func (f *fold) newPlaces() (places []Place) {
	for subject, batches := range f.places {
		for some := range slices.Chunk(batches, MaxPlace) {
			places = append(places, Place{subject, some})
		}
	}
	return places
}
