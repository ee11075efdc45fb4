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
	// Revision is that of what the standing follows from: the version of the table
	// of eligibility in the upper 32 bits, and in the lower how often what is
	// known of the person was set. It is 0 for everybody of whom nothing was
	// said.
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

// Bounds of the tables of eligibility.
const (
	MaxEligibility      = 1000 // versions
	MaxEligibilityBytes = 16 << 10
)

// standings are those of the people of whom something was said, by number of
// the person; those between them are zero.
type standings struct {
	of pages.Array[Standing]
	// tables are the texts from which standings follow, by version from 1 on;
	// defaults are what the last one says of people of whom nothing is known.
	tables   []string
	defaults Feature
	// noTransfer is made from of: how many may not give to others.
	noTransfer int
}

// Standing returns what a person may do.
func (s *State) Standing(person uint64) Standing {
	standing := Standing{Features: s.standings.defaults}
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

// may does not let a table that was replaced pay anybody: until the standing
// follows from the last one, there is no payout.
func (s *State) may(person uint64, f Feature) Refusal {
	standing := s.Standing(person)
	switch {
	case standing.Features&f != f, f&FeaturePayout != 0 && !s.upToDate(standing):
		return FeatureDenied
	case f&spending != 0 && s.nowMS < standing.ExcludedUntilMS:
		return SelfExcluded
	}
	return Accepted
}

// upToDate reports whether a standing follows from the table that holds now.
func (s *State) upToDate(standing Standing) bool {
	version, _ := s.Eligibility()
	return version != 0 && standing.Revision>>32 == uint64(version)
}

// mayGive says why the person of an account may not give to the person of
// another. Operators' entries and what worlds are paid are no gifts.
func (s *State) mayGive(from, to uint64) Refusal {
	giver, taker := s.books.Account(from), s.books.Account(to)
	if giver != nil && giver.Purpose == ledger.PurposeIssuer && s.isCollection(giver.Asset) {
		return NotTransferable // which good it is has to be said
	}
	if giver == nil || taker == nil || s.operators.acting ||
		giver.OwnerKind != ledger.OwnerPerson || taker.OwnerKind != ledger.OwnerPerson || giver.Owner == taker.Owner {
		return Accepted
	}
	return s.may(giver.Owner, FeatureTransfer)
}

// PublishEligibility adds a version of the table from which standings follow.
// Whether its text can be read is checked before, and so is what it says of
// people of whom nothing is known.
type PublishEligibility struct {
	Key      Key
	Defaults Feature
	Text     string // at most MaxEligibilityBytes
}

// AppendTo appends the encoded command. The text's length is a u16.
func (c PublishEligibility) AppendTo(dst []byte) []byte {
	text := c.Text[:min(len(c.Text), 1<<16-1)]
	dst = le.AppendUint32(begin(dst, kindPublishEligibility, c.Key), uint32(c.Defaults))
	return append(le.AppendUint16(dst, uint16(len(text))), text...)
}

// EligibilityPublished says the version of the table.
type EligibilityPublished struct{ Version uint32 }

func (s *State) publishEligibility(r *reader) Refusal {
	defaults, text := Feature(r.u32()), r.text16()
	if !r.finished() {
		return Malformed
	}
	switch {
	case len(s.standings.tables) >= MaxEligibility:
		return TooMany
	case len(text) > MaxEligibilityBytes:
		return PolicyTooLarge
	case defaults&^AllFeatures != 0 || defaults&FeaturePayout != 0:
		return StandingInvalid
	}
	s.standings.tables, s.standings.defaults = append(s.standings.tables, string(text)), defaults
	s.answer = le.AppendUint32(append(s.answer, uint8(factEligibilityPublished)), uint32(len(s.standings.tables)))
	return Accepted
}

// Eligibility returns the table that holds now, and its version; 0 and nothing
// before there is one.
func (s *State) Eligibility() (version uint32, text string) {
	if n := len(s.standings.tables); n > 0 {
		return uint32(n), s.standings.tables[n-1]
	}
	return 0, ""
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

func (s *State) appendEligibility(dst []byte) []byte {
	dst = le.AppendUint32(le.AppendUint32(dst, uint32(s.standings.defaults)), uint32(len(s.standings.tables)))
	for _, text := range s.standings.tables {
		dst = append(le.AppendUint16(dst, uint16(len(text))), text...)
	}
	return dst
}

func (s *State) readEligibility(r *reader) {
	s.standings.defaults = Feature(r.u32())
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.standings.tables = append(s.standings.tables, string(r.text16()))
	}
}

// indexStandings rebuilds what is made from standings and refuses those that
// say what cannot be.
func (s *State) indexStandings() error {
	if s.standings.defaults&^(AllFeatures&^FeaturePayout) != 0 || len(s.standings.tables) > MaxEligibility {
		return fmt.Errorf("by default people may do %d, by %d tables", s.standings.defaults, len(s.standings.tables))
	}
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
