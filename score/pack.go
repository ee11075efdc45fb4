package score

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/attentionbank/attentionbank/packs"
	"go.yaml.in/yaml/v3"
)

// packFile is a scenario pack in YAML; packs/schema.json describes it.
type packFile struct {
	Pack        string `yaml:"pack"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	Clients     []struct {
		Name   string `yaml:"name"`
		Source string `yaml:"source"`
	} `yaml:"clients"`
	Currency string              `yaml:"currency"`
	Events   map[string]ruleList `yaml:"events"`
}

// pack returns the pack that a policy names; an empty one if it names none.
func (f *policyFile) pack() (packFile, error) {
	if f.Pack == "" {
		return packFile{}, nil
	}
	text, err := packs.Text(f.Pack)
	if err != nil {
		return packFile{}, fmt.Errorf("pack: %q: %w; there are %s", f.Pack, err, strings.Join(packs.Names(), ", "))
	}
	pack, err := parsePack(text)
	if err != nil {
		return packFile{}, fmt.Errorf("pack: %s: %w", f.Pack, err)
	}
	return pack, nil
}

func parsePack(text []byte) (packFile, error) {
	var file packFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return packFile{}, fmt.Errorf("%w; fields are pack, title, description, clients, currency, events", err)
	}
	return file, nil
}

var packName = regexp.MustCompile(`^[a-z][a-z-]{1,40}-[1-9][0-9]{0,3}$`)

// ParsePack reads the text of a scenario pack, as the default policy with the
// pack's events. An error names the line or the field and what is accepted.
func ParsePack(text []byte) (*Policy, error) {
	if len(text) > MaxPolicyBytes {
		return nil, fmt.Errorf("a pack has at most %d bytes, this one has %d", MaxPolicyBytes, len(text))
	}
	file, err := parsePack(text)
	if err != nil {
		return nil, fmt.Errorf("reading the pack: %w", err)
	}
	p := *DefaultPolicy()
	p.Name, p.Pack, p.Currency = file.Title, file.Pack, file.Currency
	var faults []error
	if !packName.MatchString(file.Pack) {
		faults = append(faults, fmt.Errorf("pack: %q: expected a name and a version, such as game-1", file.Pack))
	}
	for _, field := range [][2]string{{"title", file.Title}, {"description", file.Description}, {"currency", file.Currency}} {
		if field[1] == "" {
			faults = append(faults, fmt.Errorf("%s: expected a text", field[0]))
		}
	}
	if len(file.Clients) == 0 || len(file.Events) == 0 {
		faults = append(faults, errors.New("expected at least one of clients, and one of events"))
	}
	if p.rules, p.anyRule, err = rulesOf(defaultRules, file.Events); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("the pack cannot be used: %w", err)
	}
	return &p, nil
}

// Meaning is what one rule of a policy says, for people to read.
type Meaning struct {
	// Event is the name in lower case, * for every other.
	Event string
	// Where are the conditions as property=value|value, in order.
	Where           []string
	PresenceSeconds int64
	WeightMicro     int64
	Spend, Refund   string
}

// Meanings lists the rules of a policy by the event's name, with its pack's and
// the default ones.
func (p *Policy) Meanings() (list []Meaning) {
	add := func(name string, rules []rule) {
		for i := range rules {
			r := &rules[i]
			m := Meaning{Event: name, PresenceSeconds: r.presenceMS / 1000, WeightMicro: r.weightMicro, Spend: r.spend, Refund: r.refund}
			for _, c := range r.where {
				m.Where = append(m.Where, c.property+"="+strings.Join(c.values, "|"))
			}
			list = append(list, m)
		}
	}
	for _, name := range sortedNames(p.rules) {
		add(name, p.rules[name])
	}
	add("*", p.anyRule)
	return list
}
