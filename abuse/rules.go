package abuse

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/score"
	"go.yaml.in/yaml/v3"
)

// Bounds of review rules.
const (
	MaxRulesBytes = 16 << 10
	maxRules      = 50
	// MaxShared is up to how many people of one device, or of one hour, are
	// counted; more are as many.
	MaxShared = 10_000
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of review rules.
func Schema() []byte { return schema }

// Rules say what of a day is odd and what follows. They are immutable.
type Rules struct {
	Name string
	// HoldBelow is the trust below which what the person is paid is held back
	// until somebody has looked at it, 0 to 1000: 0 holds nothing back.
	HoldBelow int64
	rules     []rule
}

// rule is one rule. What its numbers mean is said by parameters.
type rule struct {
	signal  Signal
	shadow  bool
	cost    int64
	numbers [2]int64 // in the order of parameters
}

// parameter is a number that a rule of a signal has.
type parameter struct {
	name         string
	least, most  int64
	usual, steps int64 // what it is if it is not named; steps is 1 or what it is a multiple of
}

var parameters = map[Signal][]parameter{
	ImpossibleRate: {{"more_than", 1, 1_000_000, 600, 1}, {"seconds", 10, 3600, 60, 10}},
	Regularity:     {{"below_permille", 1, 1000, 250, 1}, {"intervals", 8, 400, 20, 1}},
	AroundTheClock: {{"present_minutes", 60, 1440, 1140, 1}, {"pause_minutes", 1, 1440, 150, 1}},
	Unattended:     {{"more_than_minutes", 10, 1440, 240, 1}, {"after_minutes", 1, 1440, 20, 1}},
	SharedDevice:   {{"more_than", 1, MaxShared - 1, 8, 1}},
	NewPeopleBurst: {{"more_than", 1, MaxShared - 1, 20, 1}, {"times_usual", 1, 1000, 8, 1}},
	Sybil:          {{"more_than", 1, MaxShared - 1, 4, 1}},
}

// usualCosts are what a finding takes from trust if the rule does not say.
var usualCosts = map[Signal]int64{
	ImpossibleRate: 600, Regularity: 500, AroundTheClock: 400, Unattended: 400, SharedDevice: 300, NewPeopleBurst: 200, Sybil: 400,
}

// rulesFile is the YAML form; docs/review.md describes it.
type rulesFile struct {
	Name      string              `yaml:"name"`
	HoldBelow *int64              `yaml:"hold_below"`
	Rules     []map[string]string `yaml:"rules"`
}

// ParseRules reads review rules from YAML. An error names the rule and what is
// accepted.
func ParseRules(text []byte) (*Rules, error) {
	if len(text) > MaxRulesBytes {
		return nil, fmt.Errorf("review rules have at most %d bytes, these have %d", MaxRulesBytes, len(text))
	}
	var file rulesFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the review rules: %w; fields are name, hold_below, rules", err)
	}
	r := &Rules{Name: file.Name, HoldBelow: 650}
	var faults []error
	if file.Name == "" || len(file.Name) > 64 || strings.ContainsFunc(file.Name, func(c rune) bool { return c < ' ' }) {
		faults = append(faults, errors.New("name: expected 1 to 64 bytes without control characters"))
	}
	if file.HoldBelow != nil {
		r.HoldBelow = *file.HoldBelow
	}
	if r.HoldBelow < 0 || r.HoldBelow > MaxTrust {
		faults = append(faults, fmt.Errorf("hold_below: expected 0 to %d, got %d", MaxTrust, r.HoldBelow))
	}
	if len(file.Rules) == 0 || len(file.Rules) > maxRules {
		faults = append(faults, fmt.Errorf("rules: expected 1 to %d, got %d", maxRules, len(file.Rules)))
		file.Rules = nil
	}
	for i, fields := range file.Rules {
		one, err := ruleOf(fields)
		if err != nil {
			faults = append(faults, fmt.Errorf("rule %d: %w", i+1, err))
		}
		r.rules = append(r.rules, one)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("the review rules cannot be used: %w", err)
	}
	return r, nil
}

func ruleOf(fields map[string]string) (r rule, err error) {
	var known bool
	if r.signal, known = ParseSignal(fields["signal"]); !known {
		return r, fmt.Errorf("signal: expected one of %s, got %q", strings.Join(signalNames[:], ", "), fields["signal"])
	}
	switch fields["mode"] {
	case "enforce":
	case "shadow":
		r.shadow = true
	default:
		return r, fmt.Errorf("mode: expected enforce or shadow, got %q", fields["mode"])
	}
	r.cost = usualCosts[r.signal]
	all := append([]parameter{{"cost", 0, MaxTrust, r.cost, 1}}, parameters[r.signal]...)
	into := []*int64{&r.cost, &r.numbers[0], &r.numbers[1]}
	names := []string{"signal", "mode"}
	for i, p := range all {
		names = append(names, p.name)
		*into[i] = p.usual
		text, named := fields[p.name]
		if !named {
			continue
		}
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil || value < p.least || value > p.most || value%p.steps != 0 {
			return r, fmt.Errorf("%s: expected %s, got %q", p.name, p.accepts(), text)
		}
		*into[i] = value
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, name) {
			return r, fmt.Errorf("field %q is not known; a rule of %s has %s", name, r.signal, strings.Join(names, ", "))
		}
	}
	return r, nil
}

func (p parameter) accepts() string {
	text := fmt.Sprintf("%d to %d", p.least, p.most)
	if p.steps > 1 {
		text += fmt.Sprintf(", a multiple of %d", p.steps)
	}
	return text
}

// DefaultRulesText are the rules of a bank whose operator has published none.
// All of them only watch: nothing is held back that nobody has decided to.
const DefaultRulesText = `name: default
hold_below: 650
rules:
  - {signal: impossible_rate, mode: shadow}
  - {signal: regularity, mode: shadow}
  - {signal: around_the_clock, mode: shadow}
  - {signal: unattended, mode: shadow}
  - {signal: shared_device, mode: shadow}
  - {signal: new_people_burst, mode: shadow}
  - {signal: sybil, mode: shadow}
`

// DefaultRules are version 0 of the rules of every bank.
func DefaultRules() *Rules {
	r, err := ParseRules([]byte(DefaultRulesText))
	if err != nil {
		panic(fmt.Sprintf("abuse: the default rules cannot be used: %v", err))
	}
	return r
}

// Assessment is what rules find about a day.
type Assessment struct {
	Findings []Finding // in the order of the rules
	// Signals and Trust are of the rules that are enforced alone; Holds says
	// that what is paid is to be held back.
	Signals Signal
	Trust   int64
	Holds   bool
	// ShadowSignals, ShadowTrust and WouldHold are of all rules, as if those
	// that only watch were enforced too. They are zero if none of those found
	// anything.
	ShadowSignals Signal
	ShadowTrust   int64
	WouldHold     bool
}

// Assess looks at a day.
func (r *Rules) Assess(t *score.Trace, c Company) (a Assessment) {
	a.Trust, a.ShadowTrust = MaxTrust, MaxTrust
	watched := false
	for i := range r.rules {
		f, odd := r.rules[i].look(t, &c)
		if !odd {
			continue
		}
		a.Findings = append(a.Findings, f)
		a.ShadowSignals |= f.Signal
		a.ShadowTrust = max(a.ShadowTrust-f.Cost, 0)
		if f.Shadow {
			watched = true
			continue
		}
		a.Signals |= f.Signal
		a.Trust = max(a.Trust-f.Cost, 0)
	}
	a.Holds = a.Signals != 0 && a.Trust < r.HoldBelow
	a.WouldHold = watched && a.ShadowTrust < r.HoldBelow
	if !watched {
		a.ShadowSignals, a.ShadowTrust = 0, 0
	}
	return a
}

// look returns what a rule finds, and whether that is odd.
func (r *rule) look(t *score.Trace, c *Company) (f Finding, odd bool) {
	f = Finding{Signal: r.signal, Shadow: r.shadow, Cost: r.cost, Limit: r.numbers[0]}
	switch r.signal {
	case ImpossibleRate:
		f.Value, f.Beside = rate(t, r.numbers[1]), r.numbers[1]
	case Regularity:
		f.Value, f.Beside = dispersion(t)
		return f, f.Beside >= r.numbers[1] && f.Value < f.Limit
	case AroundTheClock:
		f.Value, f.Beside = presence(t)
		return f, f.Value >= f.Limit && f.Beside < r.numbers[1]
	case Unattended:
		f.Value = unattended(t, r.numbers[1])
		f.Beside, _ = presence(t)
	case SharedDevice:
		f.Value = c.DevicePeople
	case NewPeopleBurst:
		f.Value, f.Beside = c.NewPeople, c.NewBefore
		// The usual hour is a 24th of the day before, rounded up.
		f.Limit = max(f.Limit, (c.NewBefore+23)/24*r.numbers[1])
	case Sybil:
		f.Value, f.Beside = c.DeviceNewPeople, c.DevicePeople
	}
	return f, f.Value > f.Limit
}
