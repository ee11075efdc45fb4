package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/eligibility"
)

// AgeState is what is known of a person's age.
type AgeState = eligibility.Age

// The states of age.
const (
	AgeUnknown = eligibility.Unknown
	AgeMinor   = eligibility.Minor
	AgeAdult   = eligibility.Adult
)

// Attributes are what the operator has found out about a person, by means
// outside of the bank. They are personal and lie sealed under the subject's key.
type Attributes struct {
	// Country is where the person lives, by ISO 3166-1 alpha-2; empty if that is
	// not known.
	Country string
	Age     AgeState
	// Tier is how well the person is known, 0 to bank.MaxTier.
	Tier uint8
	// Revision counts from 1 on how often they were set; 0 for never.
	Revision uint64
}

// ErrAttributesInvalid: a country is one of ISO 3166-1, a tier 0 to bank.MaxTier.
var ErrAttributesInvalid = errors.New("attributes are a country of ISO 3166-1 alpha-2, an age of unknown, minor or adult, and a tier of 0 to 9")

const attributesName = "attributes"

// Encoded attributes are
//
//	| format u8 = 1 | age u8 | tier u8 | country, 0 or 2 bytes |
func (a Attributes) encode() []byte {
	return append([]byte{1, uint8(a.Age), a.Tier}, a.Country...)
}

func decodeAttributes(plain []byte, revision uint64) (Attributes, error) {
	if plain == nil {
		return Attributes{Revision: revision}, nil
	}
	if len(plain) < 3 || plain[0] != 1 || plain[1] > uint8(AgeAdult) {
		return Attributes{}, fmt.Errorf("attributes of %d bytes: %w", len(plain), ErrSealBroken)
	}
	a := Attributes{Age: AgeState(plain[1]), Tier: plain[2], Country: string(plain[3:]), Revision: revision}
	if !a.valid() {
		return Attributes{}, fmt.Errorf("attributes that say what cannot be: %w", ErrSealBroken)
	}
	return a, nil
}

func (a Attributes) valid() bool {
	return a.Age <= AgeAdult && a.Tier <= bank.MaxTier && (a.Country == "" || eligibility.CountryKnown(a.Country))
}

// SetAttributes keeps what was found out about a subject, in place of what was
// known, and returns it with its revision. A revision that is given is not
// looked at.
func (r *Registry) SetAttributes(ctx context.Context, subject uint64, a Attributes) (Attributes, error) {
	if !a.valid() {
		return Attributes{}, fmt.Errorf("setting the attributes of subject %d: %w", subject, ErrAttributesInvalid)
	}
	var err error
	if a.Revision, err = r.setDetail(ctx, subject, attributesName, a.encode()); err != nil {
		return Attributes{}, fmt.Errorf("setting the attributes of subject %d: %w", subject, err)
	}
	return a, nil
}

// Attributes returns what is known of a subject; nothing is known at first.
func (r *Registry) Attributes(ctx context.Context, subject uint64) (Attributes, error) {
	plain, revision, err := r.detail(ctx, subject, attributesName)
	if err != nil {
		return Attributes{}, fmt.Errorf("reading the attributes of subject %d: %w", subject, err)
	}
	return decodeAttributes(plain, revision)
}

// Described is a subject with what is known of it.
type Described struct {
	Subject uint64
	Attributes
}

// DescribedAfter returns up to limit subjects above a number of whom something
// is known, by number, and the number after which to go on; 0 at the end.
// Subjects that are erased meanwhile are left out.
func (r *Registry) DescribedAfter(ctx context.Context, after uint64, limit int) (list []Described, next uint64, err error) {
	details, err := r.store.DetailsNamed(ctx, attributesName, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("reading attributes: %w", err)
	}
	for _, detail := range details {
		plain, err := r.openDetail(ctx, detail)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading attributes: %w", err)
		}
		a, err := decodeAttributes(plain, detail.Revision)
		if err != nil {
			return nil, 0, fmt.Errorf("reading the attributes of subject %d: %w", detail.Subject, err)
		}
		list = append(list, Described{detail.Subject, a})
	}
	if len(details) == limit {
		next = details[limit-1].Subject
	}
	return list, next, nil
}

// Age returns what is known of the age of the human who stands behind a
// subject: whoever is linked to a minor is one.
func (r *Registry) Age(ctx context.Context, subject uint64) (AgeState, error) {
	own, err := r.Attributes(ctx, subject)
	if err != nil || own.Age == AgeMinor {
		return own.Age, err
	}
	others, err := r.Linked(ctx, subject)
	if err != nil {
		return AgeUnknown, err
	}
	for _, other := range others {
		a, err := r.Attributes(ctx, other)
		if err != nil && !errors.Is(err, ErrErased) {
			return AgeUnknown, err
		}
		if err == nil && a.Age == AgeMinor {
			return AgeMinor, nil
		}
	}
	return own.Age, nil
}

// Linked returns the subjects of the same human that are linked to a subject
// now, itself left out.
func (r *Registry) Linked(ctx context.Context, subject uint64) ([]uint64, error) {
	head := subject
	links, err := r.Links(ctx, subject)
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		if link.Member == subject && link.UntilDay == Forever {
			head = link.Head
		}
	}
	if head != subject {
		if links, err = r.Links(ctx, head); err != nil {
			return nil, err
		}
	}
	var others []uint64
	if head != subject {
		others = append(others, head)
	}
	for _, link := range links {
		if link.Head == head && link.UntilDay == Forever && link.Member != subject {
			others = append(others, link.Member)
		}
	}
	return others, nil
}
