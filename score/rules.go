package score

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/event"
	"go.yaml.in/yaml/v3"
)

// rule says what an event of a name means, if its properties fit.
type rule struct {
	where       []condition
	presenceMS  int64
	weightMicro int64
	spend       string // property with the amount; empty if the event is no spend
	refund      string
}

// condition asks that a property has one of some values.
type condition struct {
	property string
	values   []string
}

func (r *rule) fits(e *event.Event) bool {
	for i := range r.where {
		value, found := e.Property(r.where[i].property)
		if !found || !slices.Contains(r.where[i].values, value) {
			return false
		}
	}
	return true
}

// ruleOf returns what an event means: by its own name, or as any other. The
// first rule that fits holds; where none fits, the event means nothing.
func (p *Policy) ruleOf(e *event.Event) rule {
	list := p.named(e.Type)
	for i := range list {
		if list[i].fits(e) {
			return list[i]
		}
	}
	return rule{}
}

// named returns the rules for a name, without case.
func (p *Policy) named(name string) []rule {
	if list, found := p.rules[name]; found {
		return list
	}
	if list, found := p.rules[strings.ToLower(name)]; found {
		return list
	}
	return p.anyRule
}

// Names reports whether the policy, its pack or the defaults say what an event
// of this name means; if not, it is like any other.
func (p *Policy) Names(name string) bool { return p.rules[strings.ToLower(name)] != nil }

// IsSpend reports whether an event of this name can be spend under the policy.
func (p *Policy) IsSpend(name string) bool { return p.SpendProperty(name) != "" }

// SpendProperty returns the property that holds the amount of an event of this
// name; empty if it is no spend.
func (p *Policy) SpendProperty(name string) string {
	for _, r := range p.named(name) {
		if r.spend != "" {
			return r.spend
		}
	}
	return ""
}

// WeightMicro returns the weight of an interaction by an event of this name, by
// the first of its rules.
func (p *Policy) WeightMicro(name string) int64 {
	if list := p.named(name); len(list) > 0 {
		return list[0].weightMicro
	}
	return 0
}

// Bounds of the events that a policy or a pack names.
const (
	maxRules      = 500
	maxCases      = 20 // rules of one event
	maxConditions = 8  // of one rule
	maxValues     = 20 // of one condition
)

// ruleFile is a rule in YAML.
type ruleFile struct {
	Where           map[string]valueList `yaml:"where"`
	PresenceSeconds int64                `yaml:"presence_seconds"`
	Weight          decimal              `yaml:"weight"`
	Spend           string               `yaml:"spend"`
	Refund          string               `yaml:"refund"`
}

const ruleFields = "where, presence_seconds, weight, spend, refund"

// ruleList is one rule, or several of which the first that fits holds.
type ruleList []ruleFile

// UnmarshalYAML reads a rule or a list of rules. The library does not refuse
// unknown fields below a method like this, so it is done here.
func (l *ruleList) UnmarshalYAML(node *yaml.Node) error {
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	if len(items) == 0 || len(items) > maxCases {
		return fmt.Errorf("line %d: expected a rule, or a list of 1 to %d", node.Line, maxCases)
	}
	for _, item := range items {
		if item.Kind == yaml.AliasNode {
			return fmt.Errorf("line %d: expected a rule, got an alias", item.Line)
		}
		if item.Kind != yaml.MappingNode {
			return fmt.Errorf("line %d: expected a rule with the fields %s", item.Line, ruleFields)
		}
		for i := 0; i < len(item.Content); i += 2 {
			if name := item.Content[i].Value; !slices.Contains(strings.Split(ruleFields, ", "), name) {
				return fmt.Errorf("line %d: field %s not found in a rule; fields are %s", item.Content[i].Line, name, ruleFields)
			}
		}
		var file ruleFile
		if err := item.Decode(&file); err != nil {
			return err
		}
		*l = append(*l, file)
	}
	return nil
}

// valueList is one value, or several.
type valueList []string

// UnmarshalYAML reads values as their text: true and "true" are alike.
func (l *valueList) UnmarshalYAML(node *yaml.Node) error {
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	if len(items) == 0 || len(items) > maxValues {
		return fmt.Errorf("line %d: expected a value, or a list of 1 to %d", node.Line, maxValues)
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: expected a value of a property", item.Line)
		}
		*l = append(*l, item.Value)
	}
	return nil
}

// defaultRules say what events mean when neither a policy nor its pack does.
var defaultRules = map[string]ruleList{
	"*":                     {{PresenceSeconds: 30, Weight: decimal{Micro, true}}},
	"heartbeat":             {{PresenceSeconds: 10}},
	"page_ping":             {{PresenceSeconds: 10}},
	"video content playing": {{PresenceSeconds: 10}},
	"order completed":       {{Spend: "revenue"}},
	"order refunded":        {{Refund: "revenue"}},
	"purchase":              {{Spend: "price"}},
	"refund":                {{Refund: "price"}},
	"transaction":           {{Spend: "revenue"}},
}

// rulesOf lays tables over each other: what a later one says of a name stands
// in place of what an earlier one said.
func rulesOf(tables ...map[string]ruleList) (rules map[string][]rule, anyRule []rule, err error) {
	rules = make(map[string][]rule)
	var faults []error
	for _, table := range tables {
		if len(table) > maxRules {
			faults = append(faults, fmt.Errorf("events: expected at most %d, got %d", maxRules, len(table)))
			continue
		}
		folded := map[string]string{}
		for name, list := range table {
			lower := strings.ToLower(name)
			if other, twice := folded[lower]; twice {
				faults = append(faults, fmt.Errorf("events: %q and %q are the same name; names are compared without case", min(name, other), max(name, other)))
			}
			folded[lower] = name
			compiled := make([]rule, len(list))
			for i := range list {
				var err error
				if compiled[i], err = list[i].rule(); err != nil {
					faults = append(faults, fmt.Errorf("events: %s: %w", name, err))
				}
			}
			if name == "*" {
				anyRule = compiled
			} else {
				rules[lower] = compiled
			}
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return rules, anyRule, errors.Join(faults...)
}

func (f *ruleFile) rule() (rule, error) {
	r := rule{presenceMS: f.PresenceSeconds * 1000, weightMicro: f.Weight.micro, spend: f.Spend, refund: f.Refund}
	switch {
	case f.PresenceSeconds < 0 || f.PresenceSeconds > 3600:
		return r, fmt.Errorf("presence_seconds: expected 0 to 3600, got %d", f.PresenceSeconds)
	case f.Weight.micro > 1000*Micro:
		return r, errors.New("weight: expected at most 1000")
	case f.Spend != "" && f.Refund != "":
		return r, errors.New("expected spend or refund, not both")
	case len(f.Where) > maxConditions:
		return r, fmt.Errorf("where: expected at most %d properties, got %d", maxConditions, len(f.Where))
	}
	for property, values := range f.Where {
		r.where = append(r.where, condition{property, values})
	}
	slices.SortFunc(r.where, func(a, b condition) int { return strings.Compare(a.property, b.property) })
	return r, nil
}

func sortedNames(rules map[string][]rule) []string {
	names := make([]string, 0, len(rules))
	for name := range rules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
