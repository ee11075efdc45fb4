package memory

import (
	"context"
	"errors"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
)

// People joins a registry of people to a collector, as the program does, for
// tests and simulations.
type People struct{ *identity.Registry }

// Resolve implements collect.Subjects.
func (p People) Resolve(ctx context.Context, refs []collect.Ref) (list []collect.Subject, err error) {
	named := make([]identity.SubjectRef, len(refs))
	for i, ref := range refs {
		named[i] = identity.SubjectRef{World: ref.World, UserID: ref.UserID, AnonymousID: ref.AnonymousID}
	}
	found, err := p.Registry.Resolve(ctx, named)
	for _, subject := range found {
		list = append(list, collect.Subject{Number: subject.Number, Person: subject.Person})
	}
	return list, erased(err)
}

// Person implements collect.Subjects.
func (p People) Person(ctx context.Context, number uint64) ([16]byte, error) {
	subject, err := p.Registry.Subject(ctx, number)
	return subject.Person, erased(err)
}

// Seal implements collect.Subjects.
func (p People) Seal(ctx context.Context, number uint64, dst, plain, additional []byte) ([]byte, error) {
	sealed, err := p.Registry.Seal(ctx, number, dst, plain, additional)
	return sealed, erased(err)
}

// Open implements collect.Subjects.
func (p People) Open(ctx context.Context, dst, sealed, additional []byte) ([]byte, error) {
	plain, err := p.Registry.Open(ctx, dst, sealed, additional)
	return plain, erased(err)
}

// Derive implements collect.Subjects.
func (p People) Derive(ctx context.Context, number uint64, label string) ([32]byte, error) {
	secret, err := p.Registry.Derive(ctx, number, label)
	return secret, erased(err)
}

func erased(err error) error {
	if errors.Is(err, identity.ErrErased) {
		return collect.ErrErased
	}
	return err
}
