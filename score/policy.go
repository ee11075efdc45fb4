// Package score turns behaviour into attention: what an event means under a
// world's policy, a person's day as presence, interactions and spend, and the
// points that the day earns, with their explanation. All arithmetic is on
// integers; a day is rounded once, down.
package score

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/amount"
	"go.yaml.in/yaml/v3"
)

// Units of a policy.
const (
	Micro = 1_000_000 // millionths in a whole
	// CurrencyScale is the number of decimal places of spend.
	CurrencyScale = 2
	// BucketMS is the length of a presence bucket.
	BucketMS      = 10_000
	bucketSeconds = BucketMS / 1000
	// DayBuckets is the number of buckets in a UTC day.
	DayBuckets = 24 * 60 * 60 / bucketSeconds
	dayMS      = DayBuckets * BucketMS
)

// Policy says how a world's events become points. It is immutable.
type Policy struct {
	Name string
	// AlphaMicro is α, millionths of a point for an hour of presence; BetaMicro
	// is β, for an interaction of weight 1; GammaMicro is γ, for a whole unit
	// of currency. Each is 0 to 10^12.
	AlphaMicro, BetaMicro, GammaMicro int64
	// Currency is the only one in which spend counts, as ISO 4217 or a world's
	// own code.
	Currency string
	// SliceBuckets is the length of a slice in buckets; a slice divides an hour.
	SliceBuckets int
	// RefundWindowDays is how long spend waits before it counts.
	RefundWindowDays int
	Caps             Caps
	Curve            Curve

	// ConsentRequired says that only those who have consented to it are metered.
	ConsentRequired bool

	// Pack is the name of the pack to which the policy adds; empty if none.
	Pack string

	rules   map[string][]rule // by lower-case event name; the first that fits holds
	anyRule []rule            // for all other track, page and screen calls
	formula *formula          // nil for the weights

	minors       *Policy // nil in the policy for minors itself
	withoutSpend bool
}

// Caps bound what a slice and a day can earn; zero means no cap.
type Caps struct {
	SliceInteractionsMicro, DayInteractionsMicro int64 // weighted interactions
	DaySpendMinor                                int64
	SlicePointsMicro, DayPointsMicro             int64
}

// Curve pays presence in full up to FullSeconds of a day, half up to
// HalfSeconds and nothing after. A slice has one factor, decided by the
// presence before it begins.
type Curve struct{ FullSeconds, HalfSeconds int64 }

// policyFile is the YAML form; docs/policy.md describes it.
type policyFile struct {
	Name             string              `yaml:"name"`
	Pack             string              `yaml:"pack"`
	AlphaPerHour     decimal             `yaml:"alpha_per_hour"`
	Beta             decimal             `yaml:"beta"`
	Gamma            decimal             `yaml:"gamma"`
	Currency         string              `yaml:"currency"`
	SliceMinutes     int                 `yaml:"slice_minutes"`
	RefundWindowDays *int                `yaml:"refund_window_days"`
	Formula          string              `yaml:"formula"`
	Events           map[string]ruleList `yaml:"events"`
	Caps             capsFile            `yaml:"caps"`
	Curve            *curveFile          `yaml:"curve"`
	Minors           minorsFile          `yaml:"minors"`
	Consent          string              `yaml:"consent"`
}

type capsFile struct {
	SliceInteractions decimal `yaml:"slice_interactions"`
	DayInteractions   decimal `yaml:"day_interactions"`
	DaySpend          decimal `yaml:"day_spend"`
	SlicePoints       decimal `yaml:"slice_points"`
	DayPoints         decimal `yaml:"day_points"`
}

func (f *capsFile) caps() Caps {
	return Caps{
		SliceInteractionsMicro: f.SliceInteractions.micro, DayInteractionsMicro: f.DayInteractions.micro,
		DaySpendMinor:    f.DaySpend.micro / (Micro / 100),
		SlicePointsMicro: f.SlicePoints.micro, DayPointsMicro: f.DayPoints.micro,
	}
}

type curveFile struct {
	FullHours decimal `yaml:"full_hours"`
	HalfHours decimal `yaml:"half_hours"`
}

func (f *curveFile) curve() Curve {
	return Curve{f.FullHours.micro * 3600 / Micro, f.HalfHours.micro * 3600 / Micro}
}

func (c Curve) valid() bool { return c.FullSeconds <= c.HalfSeconds && c.HalfSeconds <= 24*3600 }

// decimal is an exact number with up to six decimal places.
type decimal struct {
	micro int64
	set   bool
}

// UnmarshalYAML reads the number's text, so that no float comes between.
func (d *decimal) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: expected a decimal number", node.Line)
	}
	micro, err := amount.Parse(node.Value, 6)
	if err != nil || micro < 0 {
		return fmt.Errorf("line %d: %q: expected a decimal number from 0 on with up to six places", node.Line, node.Value)
	}
	*d = decimal{micro, true}
	return nil
}

// MaxPolicyBytes bounds the text of a policy.
const MaxPolicyBytes = 32 << 10

// ParsePolicy reads a policy from YAML. What is left out has the default of
// DefaultPolicy, but for caps: no cap that is not named. An error names the
// line or the field and what is accepted.
func ParsePolicy(text []byte) (*Policy, error) {
	if len(text) > MaxPolicyBytes {
		return nil, fmt.Errorf("a policy has at most %d bytes, this one has %d", MaxPolicyBytes, len(text))
	}
	var file policyFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the policy: %w; fields are name, pack, alpha_per_hour, beta, gamma, currency, slice_minutes, refund_window_days, formula, events, caps, curve, minors, consent", err)
	}
	return file.policy()
}

func (f *policyFile) policy() (*Policy, error) {
	p := &Policy{
		Name: f.Name, AlphaMicro: f.AlphaPerHour.or(30 * Micro), BetaMicro: f.Beta.or(Micro / 2), GammaMicro: f.Gamma.or(Micro),
		Currency: f.Currency, RefundWindowDays: 14, Curve: Curve{4 * 3600, 8 * 3600}, Caps: f.Caps.caps(), ConsentRequired: f.Consent == "required",
	}
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	pack, err := f.pack()
	if err != nil {
		faults = append(faults, err)
	}
	p.Pack = pack.Pack
	if p.Currency == "" {
		p.Currency = cmp.Or(pack.Currency, "USD")
	}
	if f.SliceMinutes == 0 {
		f.SliceMinutes = 5
	}
	if f.RefundWindowDays != nil {
		p.RefundWindowDays = *f.RefundWindowDays
	}
	if f.Curve != nil {
		p.Curve = f.Curve.curve()
	}
	refuse(len(f.Name) > 64, "name: expected at most 64 bytes")
	for name, value := range map[string]int64{"alpha_per_hour": p.AlphaMicro, "beta": p.BetaMicro, "gamma": p.GammaMicro} {
		refuse(value > Micro*Micro, "%s: expected at most 1000000", name)
	}
	refuse(len(p.Currency) < 3 || len(p.Currency) > 24, "currency: expected a code of 3 to 24 characters such as USD")
	refuse(f.SliceMinutes < 1 || f.SliceMinutes > 60 || 60%f.SliceMinutes != 0, "slice_minutes: expected a divisor of 60, got %d", f.SliceMinutes)
	refuse(p.RefundWindowDays < 0 || p.RefundWindowDays > 60, "refund_window_days: expected 0 to 60, got %d", p.RefundWindowDays)
	refuse(!p.Curve.valid(), "curve: expected full_hours <= half_hours <= 24")
	refuse(f.Minors.Curve != nil && !f.Minors.Curve.curve().valid(), "minors: curve: expected full_hours <= half_hours <= 24")
	refuse(f.Consent != "" && f.Consent != "required" && f.Consent != "assumed", "consent: expected required or assumed, got %q", f.Consent)
	if len(faults) == 0 {
		p.SliceBuckets = f.SliceMinutes * 60 / bucketSeconds
		if p.rules, p.anyRule, err = rulesOf(defaultRules, pack.Events, f.Events); err != nil {
			faults = append(faults, err)
		}
	}
	if f.Formula != "" {
		if p.formula, err = compileFormula(f.Formula); err != nil {
			faults = append(faults, fmt.Errorf("formula: %w", err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("the policy cannot be used: %w", err)
	}
	p.minors = f.Minors.minors(p)
	return p, nil
}

func (d decimal) or(micro int64) int64 {
	if d.set {
		return d.micro
	}
	return micro
}

// DefaultPolicy is the policy of a world that has published none: 30 points
// for an hour of presence, half a point for an interaction, one for a unit of
// currency, at most 60 interactions in 5 minutes. A typical hour, present
// throughout with an interaction a minute, earns 60 points: a point is about a
// minute of engaged attention.
func DefaultPolicy() *Policy {
	p, err := ParsePolicy([]byte("name: default\ncaps: {slice_interactions: 60, day_spend: 1000}\n"))
	if err != nil {
		panic(fmt.Sprintf("score: the default policy cannot be used: %v", err))
	}
	return p
}
