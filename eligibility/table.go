// Package eligibility says what people may do by where they live, how old they
// are and how well the operator knows them: a table that the operator publishes.
// schema.json describes its form, docs/eligibility.md what it means.
package eligibility

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"go.yaml.in/yaml/v3"
)

// MaxRules bounds the rules of a table.
const MaxRules = 500

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (2020-12) of a table.
func Schema() []byte { return schema }

// Age is what is known of a person's age.
type Age uint8

// The states of age.
const (
	Unknown Age = iota
	Minor
	Adult
)

var ageNames = [...]string{"unknown", "minor", "adult"}

// String returns the name of the state.
func (a Age) String() string { return ageNames[a] }

// ParseAge reads the name of a state.
func ParseAge(name string) (Age, bool) {
	i := slices.Index(ageNames[:], name)
	return Age(max(i, 0)), i >= 0
}

// never are the features of minors that no table gives them: every market, and
// what leads to one.
const never = bank.FeatureTrade | bank.FeatureConvert | bank.FeatureResell | bank.FeatureWithdraw | bank.FeaturePayout

// Person is what a table asks of a person.
type Person struct {
	Country string // ISO 3166-1 alpha-2, empty if not known
	Age     Age
	Tier    uint8 // 0 to bank.MaxTier
}

// Table says what people may do. It is immutable.
type Table struct {
	Name  string
	rules []rule
}

// rule changes what the people may do whom it is of.
type rule struct {
	countries          []string // nil for everywhere; "" is not known
	ages               uint8    // bits by Age
	fromTier, upToTier uint8
	allow, deny        bank.Feature
}

// Features returns what a person may do: bank.DefaultFeatures, changed by each
// rule that is of such a person, the last word counting.
func (t *Table) Features(p Person) bank.Feature {
	f := bank.DefaultFeatures
	for i := range t.rules {
		r := &t.rules[i]
		if r.ages>>p.Age&1 == 1 && p.Tier >= r.fromTier && p.Tier <= r.upToTier && (r.countries == nil || slices.Contains(r.countries, p.Country)) {
			f = f&^r.deny | r.allow
		}
	}
	if p.Age == Minor {
		f &^= never
	}
	return f
}

// ruleFile is the YAML form of a rule.
type ruleFile struct {
	Countries []string `yaml:"countries"`
	Ages      []string `yaml:"ages"`
	FromTier  *int     `yaml:"from_tier"`
	UpToTier  *int     `yaml:"up_to_tier"`
	Allow     []string `yaml:"allow"`
	Deny      []string `yaml:"deny"`
}

// Parse reads a table from YAML. An error names the rule and what is accepted.
func Parse(text []byte) (*Table, error) {
	if len(text) > bank.MaxEligibilityBytes {
		return nil, fmt.Errorf("a table has at most %d bytes, this one has %d", bank.MaxEligibilityBytes, len(text))
	}
	var file struct {
		Name  string     `yaml:"name"`
		Rules []ruleFile `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the table: %w; fields are name and rules, those of a rule countries, ages, from_tier, up_to_tier, allow, deny", err)
	}
	t := &Table{Name: file.Name}
	var faults []error
	if file.Name == "" || len(file.Name) > 64 || strings.ContainsFunc(file.Name, func(c rune) bool { return c < ' ' }) {
		faults = append(faults, errors.New("name: expected 1 to 64 bytes without control characters"))
	}
	if len(file.Rules) > MaxRules {
		faults = append(faults, fmt.Errorf("rules: expected up to %d, got %d", MaxRules, len(file.Rules)))
		file.Rules = nil
	}
	for i := range file.Rules {
		r, err := file.Rules[i].read()
		if err != nil {
			faults = append(faults, fmt.Errorf("rule %d: %w", i+1, err))
		}
		t.rules = append(t.rules, r)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("the table cannot be used: %w", err)
	}
	return t, nil
}

func (f *ruleFile) read() (r rule, err error) {
	if r.countries, err = readCountries(f.Countries); err != nil {
		return r, err
	}
	for _, name := range f.Ages {
		age, known := ParseAge(name)
		if !known {
			return r, fmt.Errorf("ages: expected %s, got %q", strings.Join(ageNames[:], ", "), name)
		}
		r.ages |= 1 << age
	}
	if f.Ages == nil {
		r.ages = 1<<Unknown | 1<<Minor | 1<<Adult
	}
	if r.fromTier, err = readTier("from_tier", f.FromTier, 0); err != nil {
		return r, err
	}
	if r.upToTier, err = readTier("up_to_tier", f.UpToTier, bank.MaxTier); err != nil {
		return r, err
	}
	if r.allow, err = readFeatures("allow", f.Allow); err != nil {
		return r, err
	}
	if r.deny, err = readFeatures("deny", f.Deny); err != nil {
		return r, err
	}
	switch {
	case r.allow|r.deny == 0:
		return r, errors.New("expected what it allows or denies")
	case r.allow&r.deny != 0:
		return r, fmt.Errorf("it allows and denies %s", r.allow&r.deny)
	case r.fromTier > r.upToTier:
		return r, fmt.Errorf("from_tier %d is above up_to_tier %d", r.fromTier, r.upToTier)
	case r.allow&bank.FeaturePayout != 0 && (r.ages != 1<<Adult || r.countries == nil || slices.Contains(r.countries, "")):
		// Nobody is paid real money by a rule that forgot to say whom.
		return r, errors.New("payout is allowed only by a rule that names countries and ages: [adult]")
	}
	return r, nil
}

func readCountries(names []string) ([]string, error) {
	if len(names) > 300 {
		return nil, fmt.Errorf("countries: expected up to 300, got %d", len(names))
	}
	countries := slices.Clone(names)
	for i, name := range countries {
		switch {
		case name == "unknown":
			countries[i] = ""
		case !CountryKnown(name):
			return nil, fmt.Errorf("countries: expected codes of ISO 3166-1 alpha-2 or unknown, got %q", name)
		}
	}
	return countries, nil
}

func readTier(field string, tier *int, otherwise uint8) (uint8, error) {
	if tier == nil {
		return otherwise, nil
	}
	if *tier < 0 || *tier > bank.MaxTier {
		return 0, fmt.Errorf("%s: expected 0 to %d, got %d", field, bank.MaxTier, *tier)
	}
	return uint8(*tier), nil
}

func readFeatures(field string, names []string) (f bank.Feature, err error) {
	for _, name := range names {
		one, known := bank.ParseFeature(name)
		if !known {
			return 0, fmt.Errorf("%s: expected %s, got %q", field, strings.Join(bank.FeatureNames(), ", "), name)
		}
		f |= one
	}
	return f, nil
}
