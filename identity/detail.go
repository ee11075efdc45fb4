package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxDetailBytes bounds what one detail of a subject says, before it is sealed.
const MaxDetailBytes = 4096

// Detail is something that is known of a subject beside what its world calls
// it, sealed under the subject's key.
type Detail struct {
	Subject uint64
	// Name says what it is: up to 64 of a-z 0-9 - and /. It is not sealed.
	Name string
	// Revision counts from 1 on how often it was set.
	Revision uint64
	// Sealed is empty when the detail was taken back.
	Sealed []byte
}

// DetailStore keeps details of subjects.
type DetailStore interface {
	// SetDetail keeps a detail in place of the one of the same subject and name.
	// It returns ErrTaken if the revision is not one above the one that is kept,
	// or 1 if there is none. Erasing leaves no byte of either.
	SetDetail(ctx context.Context, detail Detail) error
	// Detail returns a detail, or ErrNotFound.
	Detail(ctx context.Context, subject uint64, name string) (Detail, error)
	// DetailsOf returns the details of a subject, by name.
	DetailsOf(ctx context.Context, subject uint64) ([]Detail, error)
	// DetailsNamed returns up to limit details of a name, of subjects above
	// after, by subject.
	DetailsNamed(ctx context.Context, name string, after uint64, limit int) ([]Detail, error)
}

// detailPlace binds sealed bytes to what they are, so that an older revision
// cannot be put back in the place of a newer one unseen.
func detailPlace(name string, revision uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte("attentionbank/detail/1/"+name+"/"), revision)
}

// setDetail seals what is known of a subject by a name and keeps it; nothing is
// known any more if plain is empty.
func (r *Registry) setDetail(ctx context.Context, subject uint64, name string, plain []byte) (revision uint64, err error) {
	r.changeMu.Lock() // so nobody is erased between sealing and keeping
	defer r.changeMu.Unlock()
	known, err := r.store.Detail(ctx, subject, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	return r.keepDetail(ctx, known, subject, name, plain)
}

// errUnchanged is what a change returns that has nothing to keep.
var errUnchanged = errors.New("unchanged")

// changeDetail does the same with what change makes of what was known; nobody
// else changes it meanwhile.
func (r *Registry) changeDetail(ctx context.Context, subject uint64, name string, change func(before []byte) (after []byte, err error)) (revision uint64, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	known, err := r.store.Detail(ctx, subject, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	before, err := r.openDetail(ctx, known)
	if err != nil {
		return 0, err
	}
	after, err := change(before)
	if errors.Is(err, errUnchanged) {
		return known.Revision, nil
	}
	if err != nil {
		return 0, err
	}
	return r.keepDetail(ctx, known, subject, name, after)
}

func (r *Registry) keepDetail(ctx context.Context, known Detail, subject uint64, name string, plain []byte) (revision uint64, err error) {
	detail := Detail{Subject: subject, Name: name, Revision: known.Revision + 1}
	if detail.Sealed, err = r.Seal(ctx, subject, nil, plain, detailPlace(name, detail.Revision)); err != nil {
		return 0, err
	}
	if len(plain) == 0 {
		detail.Sealed = nil
	}
	return detail.Revision, r.store.SetDetail(ctx, detail)
}

// detail opens what is known of a subject by a name; nothing if there is none.
func (r *Registry) detail(ctx context.Context, subject uint64, name string) (plain []byte, revision uint64, err error) {
	kept, err := r.store.Detail(ctx, subject, name)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	plain, err = r.openDetail(ctx, kept)
	return plain, kept.Revision, err
}

func (r *Registry) openDetail(ctx context.Context, kept Detail) ([]byte, error) {
	if len(kept.Sealed) == 0 {
		return nil, nil
	}
	if sealedFor, err := SealedFor(kept.Sealed); err != nil || sealedFor != kept.Subject {
		return nil, fmt.Errorf("detail %s of subject %d: %w", kept.Name, kept.Subject, ErrSealBroken)
	}
	return r.Open(ctx, nil, kept.Sealed, detailPlace(kept.Name, kept.Revision))
}
