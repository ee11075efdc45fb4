package bank

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Feature is something that a person may do with what they own; features are
// bits, so that several are one number.
type Feature uint32

// The features.
const (
	// FeatureTrade is to place orders in a market.
	FeatureTrade Feature = 1 << iota
	// FeatureConvert is to convert at a quote.
	FeatureConvert
	// FeatureRedeem is to buy what worlds sell.
	FeatureRedeem
	// FeatureResell is to offer goods to other people, and to buy of them.
	FeatureResell
	// FeatureTransfer is to give to other people.
	FeatureTransfer
	// FeatureWithdraw is to take what one owns out to a chain.
	FeatureWithdraw
	// FeaturePayout is to be paid in real currency.
	FeaturePayout

	features
)

// AllFeatures is every feature together.
const AllFeatures = features - 1

// DefaultFeatures is what people may do of whom nothing is known, until the
// operator publishes something else: everything but payouts.
const DefaultFeatures = AllFeatures &^ FeaturePayout

// spending are the features that self-exclusion takes away. It never keeps
// anybody from taking out what is theirs.
const spending = FeatureTrade | FeatureConvert | FeatureRedeem | FeatureResell

var featureNames = [...]string{"trade", "convert", "redeem", "resell", "transfer", "withdraw", "payout"}

// FeatureNames returns the names of the features, in the order of their bits.
func FeatureNames() []string { return slices.Clone(featureNames[:]) }

// String returns the names of the features, with commas between them.
func (f Feature) String() string { return strings.Join(f.Names(), ",") }

// Names returns the names of the features.
func (f Feature) Names() []string {
	names := []string{}
	for i, name := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// ParseFeature reads the name of one feature.
func ParseFeature(name string) (Feature, bool) {
	i := slices.Index(featureNames[:], name)
	return 1 << max(i, 0), i >= 0
}

// MaxTier is the highest tier of people.
const MaxTier = 9

// Standing is what a person may do. From what it follows, such as age and
// country, is not the bank's to know.
type Standing struct {
	Features Feature
	// Tier is how well the person is known to the operator, 0 to MaxTier; limits
	// grow with it.
	Tier uint8
	// ExcludedUntilMS is until when persons keep themselves from spending.
	ExcludedUntilMS int64
	// Revision is that of what the standing follows from; 0 for everybody of
	// whom nothing was said.
	Revision uint64
}

const standingBytes = 21

func appendStanding(dst []byte, s *Standing) []byte {
	dst = append(le.AppendUint32(dst, uint32(s.Features)), s.Tier)
	return le.AppendUint64(appendI64(dst, s.ExcludedUntilMS), s.Revision)
}

func readStanding(src []byte) Standing {
	r := reader{src: src}
	return standingFrom(&r)
}

func standingFrom(r *reader) Standing {
	return Standing{Features: Feature(r.u32()) & AllFeatures, Tier: r.u8(), ExcludedUntilMS: r.i64(), Revision: r.u64()}
}

// standings are those of the people of whom something was said, by number of
// the person; those between them are zero.
type standings struct {
	of pages.Array[Standing]
	// noTransfer is made from of: how many may not give to others.
	noTransfer int
}

// Standing returns what a person may do.
func (s *State) Standing(person uint64) Standing {
	standing := Standing{Features: DefaultFeatures}
	if person == 0 || person > uint64(s.standings.of.Len()) {
		return standing
	}
	known := *s.standings.of.At(int(person - 1))
	if known.Revision == 0 {
		known.Features, known.Tier = standing.Features, standing.Tier
	}
	return known
}

// May says why a person may not do something now, or Accepted. It is asked
// after all that the command and what it names could be refused for.
func (s *State) May(person uint64, f Feature) Refusal { return s.may(person, f) }

func (s *State) may(person uint64, f Feature) Refusal {
	standing := s.Standing(person)
	switch {
	case standing.Features&f != f:
		return FeatureDenied
	case f&spending != 0 && s.nowMS < standing.ExcludedUntilMS:
		return SelfExcluded
	}
	return Accepted
}

// mayGive says why the person of an account may not give to the person of
// another. Operators' entries and what worlds are paid are no gifts.
func (s *State) mayGive(from, to uint64) Refusal {
	giver, taker := s.books.Account(from), s.books.Account(to)
	if giver == nil || taker == nil || s.operators.acting ||
		giver.OwnerKind != ledger.OwnerPerson || taker.OwnerKind != ledger.OwnerPerson || giver.Owner == taker.Owner {
		return Accepted
	}
	return s.may(giver.Owner, FeatureTransfer)
}

// SetStanding says what a person may do from now on. Its natural key is
// (person, revision): a revision that is not higher than the known one changes
// nothing, so it may be repeated for ever.
type SetStanding struct {
	Person   [16]byte
	Features Feature
	Tier     uint8
	Revision uint64 // 1 or more
}

// AppendTo appends the encoded command.
func (c SetStanding) AppendTo(dst []byte) []byte {
	dst = append(begin(dst, kindSetStanding, Key{}), c.Person[:]...)
	return le.AppendUint64(append(le.AppendUint32(dst, uint32(c.Features)), c.Tier), c.Revision)
}

// Exclude keeps a person from spending until a time, as the person wishes. It
// can be made longer and never shorter, by nobody: that is what it is for.
type Exclude struct {
	Person  [16]byte
	UntilMS int64
}

// AppendTo appends the encoded command.
func (c Exclude) AppendTo(dst []byte) []byte {
	return appendI64(append(begin(dst, kindExclude, Key{}), c.Person[:]...), c.UntilMS)
}

// StandingSet says what a person may do.
type StandingSet struct {
	Person   uint64
	Standing Standing
}

func (s *State) setStanding(r *reader) Refusal {
	id := r.id()
	want := Standing{Features: Feature(r.u32()), Tier: r.u8(), Revision: r.u64()}
	if !r.finished() {
		return Malformed
	}
	if want.Features&^AllFeatures != 0 || want.Tier > MaxTier || want.Revision == 0 {
		return StandingInvalid
	}
	person := s.person(id)
	known := s.standingToWrite(person)
	if want.Revision > known.Revision {
		want.ExcludedUntilMS = known.ExcludedUntilMS
		s.standings.count(known, -1)
		*known = want
		s.standings.count(known, 1)
	}
	s.standingSet(person)
	return Accepted
}

func (s *State) exclude(r *reader) Refusal {
	id, untilMS := r.id(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if untilMS < 0 {
		return StandingInvalid
	}
	person := s.person(id)
	if known := s.standingToWrite(person); untilMS > known.ExcludedUntilMS {
		known.ExcludedUntilMS = untilMS
	}
	s.standingSet(person)
	return Accepted
}

func (s *State) standingToWrite(person uint64) *Standing {
	for uint64(s.standings.of.Len()) < person {
		s.standings.of.Append(Standing{})
	}
	return s.standings.of.Write(int(person - 1))
}

func (s *State) standingSet(person uint64) {
	standing := s.Standing(person)
	s.answer = appendStanding(le.AppendUint64(append(s.answer, uint8(factStandingSet)), person), &standing)
}

// count keeps noTransfer up to date with a standing that comes or goes.
func (v *standings) count(standing *Standing, by int) {
	if standing.Revision != 0 && standing.Features&FeatureTransfer == 0 {
		v.noTransfer += by
	}
}

// indexStandings rebuilds what is made from standings and refuses those that
// say what cannot be.
func (s *State) indexStandings() error {
	if uint64(s.standings.of.Len()) > s.People() {
		return fmt.Errorf("there are standings of %d people, and %d people", s.standings.of.Len(), s.People())
	}
	for i := range s.standings.of.Len() {
		standing := s.standings.of.At(i)
		if standing.Tier > MaxTier || standing.ExcludedUntilMS < 0 {
			return fmt.Errorf("the standing of person %d is %+v", i+1, *standing)
		}
		s.standings.count(standing, 1)
	}
	return nil
}
