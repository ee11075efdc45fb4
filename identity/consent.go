package identity

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Purpose is what something may be done for that a person is asked about.
type Purpose uint8

// The purposes. docs/people.md says what follows from a decision on each.
const (
	// Scoring is to meter behaviour into attention.
	Scoring Purpose = iota + 1
	// Analytics is to look at a person's days among those of others, as a dry
	// run of a policy does.
	Analytics
	// Marketing is that a world writes to the person about what it offers.
	Marketing
)

var purposeNames = [...]string{Scoring: "scoring", Analytics: "analytics", Marketing: "marketing"}

// Purposes returns all purposes.
func Purposes() []Purpose { return []Purpose{Scoring, Analytics, Marketing} }

// String returns the name of the purpose.
func (p Purpose) String() string {
	if p < Scoring || p > Marketing {
		return "unknown"
	}
	return purposeNames[p]
}

// ParsePurpose reads the name of a purpose.
func ParsePurpose(name string) (Purpose, bool) {
	i := slices.Index(purposeNames[1:], name)
	return Purpose(i + 1), i >= 0
}

// Consent is a decision of a person on a purpose.
type Consent struct {
	Purpose Purpose
	Given   bool
	// Version names the text that the person saw: 1 to 32 of A-Z a-z 0-9 . _ -
	Version string
	AtMS    int64
	// ByWorld says that the world's server has reported it, and not the person by
	// a credential of their own.
	ByWorld bool
}

// MaxDecisions is how many decisions on a purpose are kept of a subject, the
// last ones.
const MaxDecisions = 90

// What can be wrong with a decision.
var (
	// ErrConsentInvalid: a purpose is a known one, and a version names a text.
	ErrConsentInvalid = errors.New("a consent is to a known purpose, with a version of 1 to 32 of A-Z a-z 0-9 . _ -")
	// ErrConsentOwn: what a person has withdrawn, a world cannot give.
	ErrConsentOwn = errors.New("the person has withdrawn this consent, and gives it again by their own credential")
)

func (c Consent) valid() bool {
	if _, known := ParsePurpose(c.Purpose.String()); !known || len(c.Version) < 1 || len(c.Version) > 32 {
		return false
	}
	for _, b := range []byte(c.Version) {
		if (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '.' && b != '_' && b != '-' {
			return false
		}
	}
	return true
}

func consentName(p Purpose) string { return "consent/" + p.String() }

// Encoded decisions on a purpose, the oldest first, are
//
//	| format u8 = 1 | decisions: given u8, by world u8, at i64, length u8, version |
func encodeConsents(decisions []Consent) []byte {
	dst := []byte{1}
	flag := func(b bool) byte {
		if b {
			return 1
		}
		return 0
	}
	for _, c := range decisions {
		dst = binary.LittleEndian.AppendUint64(append(dst, flag(c.Given), flag(c.ByWorld)), uint64(c.AtMS))
		dst = append(append(dst, uint8(len(c.Version))), c.Version...)
	}
	return dst
}

func decodeConsents(plain []byte, p Purpose) (decisions []Consent, err error) {
	if plain == nil {
		return nil, nil
	}
	broken := fmt.Errorf("decisions of %d bytes: %w", len(plain), ErrSealBroken)
	if plain[0] != 1 {
		return nil, broken
	}
	for rest := plain[1:]; len(rest) > 0; {
		if len(rest) < 11 || len(rest) < 11+int(rest[10]) {
			return nil, broken
		}
		c := Consent{Purpose: p, Given: rest[0] == 1, ByWorld: rest[1] == 1, AtMS: int64(binary.LittleEndian.Uint64(rest[2:])), Version: string(rest[11 : 11+int(rest[10])])}
		if !c.valid() {
			return nil, broken
		}
		decisions, rest = append(decisions, c), rest[11+int(rest[10]):]
	}
	return decisions, nil
}

// SetConsent keeps a decision of a subject behind those before it, sealed under
// the subject's key, and returns it with its time. The same decision on the same
// version by the same is kept once. A world reports what its user decided; what
// persons have withdrawn by their own credential it cannot give for them.
func (r *Registry) SetConsent(ctx context.Context, subject uint64, c Consent) (Consent, error) {
	if !c.valid() {
		return Consent{}, fmt.Errorf("keeping a consent of subject %d: %w", subject, ErrConsentInvalid)
	}
	c.AtMS = r.nowMS()
	kept := c
	_, err := r.changeDetail(ctx, subject, consentName(c.Purpose), func(before []byte) ([]byte, error) {
		decisions, err := decodeConsents(before, c.Purpose)
		if err != nil {
			return nil, err
		}
		if n := len(decisions); n > 0 {
			last := decisions[n-1]
			switch {
			case last.Given == c.Given && last.Version == c.Version && last.ByWorld == c.ByWorld:
				kept = last
				return nil, errUnchanged
			case c.ByWorld && c.Given && !last.Given && !last.ByWorld:
				return nil, ErrConsentOwn
			}
		}
		decisions = append(decisions, c)
		return encodeConsents(decisions[max(len(decisions)-MaxDecisions, 0):]), nil
	})
	if err != nil {
		return Consent{}, fmt.Errorf("keeping a consent of subject %d: %w", subject, err)
	}
	return kept, nil
}

// Consents returns the decisions of a subject, the oldest first.
func (r *Registry) Consents(ctx context.Context, subject uint64) (all []Consent, err error) {
	for _, p := range Purposes() {
		plain, _, err := r.detail(ctx, subject, consentName(p))
		if err != nil {
			return nil, fmt.Errorf("reading the consents of subject %d: %w", subject, err)
		}
		decisions, err := decodeConsents(plain, p)
		if err != nil {
			return nil, fmt.Errorf("reading the consents of subject %d: %w", subject, err)
		}
		all = append(all, decisions...)
	}
	slices.SortStableFunc(all, func(a, b Consent) int { return cmp.Compare(a.AtMS, b.AtMS) })
	return all, nil
}

// Decided returns the last decision of each purpose among some in order.
func Decided(decisions []Consent) map[Purpose]Consent {
	last := map[Purpose]Consent{}
	for _, c := range decisions {
		last[c.Purpose] = c
	}
	return last
}
