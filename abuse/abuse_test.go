package abuse_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/score"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// clock reads hh:mm as ms since the day began.
func clock(t *testing.T, text string) int64 {
	t.Helper()
	var hours, minutes int64
	if _, err := fmt.Sscanf(text, "%d:%d", &hours, &minutes); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return (hours*60 + minutes) * 60_000
}

// everyone counts the events of all worlds.
func everyone(uint32) bool { return true }

// The days of testdata/days.txt and what the default rules find of them.
func TestDays(t *testing.T) {
	script, err := os.ReadFile("testdata/days.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split("\n"+string(script), "\nday ")[1:]
	if len(blocks) < 10 {
		t.Fatalf("%d days", len(blocks))
	}
	for _, block := range blocks {
		name, body, _ := strings.Cut(block, "\n")
		t.Run(name, func(t *testing.T) {
			var day score.Day
			var company abuse.Company
			var want, got []string
			for line := range strings.SplitSeq(body, "\n") {
				fields := strings.Fields(line)
				switch {
				case len(fields) == 0:
				case fields[0] == "present":
					day.Present(1, clock(t, fields[1]), clock(t, fields[2]))
				case fields[0] == "acts":
					every, err := time.ParseDuration(fields[4])
					if err != nil {
						t.Fatal(err)
					}
					count := int64(1)
					if len(fields) > 5 {
						fmt.Sscan(fields[6], &count)
					}
					for at := clock(t, fields[1]); at < clock(t, fields[2]); at += every.Milliseconds() {
						day.Act(1, at, count, count*score.Micro)
					}
				case fields[0] == "company":
					for i := 1; i < len(fields); i += 2 {
						into := map[string]*int64{"device": &company.DevicePeople, "new": &company.DeviceNewPeople, "newcomers": &company.NewPeople, "before": &company.NewBefore}[fields[i]]
						fmt.Sscan(fields[i+1], into)
					}
				case fields[0] == "=>":
					if found := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "=>")); found != "" {
						want = append(want, found)
					}
				default:
					t.Fatalf("%q is no line of a day", line)
				}
			}
			trace := day.Trace(everyone)
			for _, f := range abuse.DefaultRules().Assess(&trace, company).Findings {
				got = append(got, f.Signal.String()+": "+f.Evidence())
			}
			if !slices.Equal(got, want) {
				t.Errorf("found\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// army is a day that several rules find odd.
func army() (score.Trace, abuse.Company) {
	var day score.Day
	day.Present(1, 0, 86_400_000)
	return day.Trace(everyone), abuse.Company{DevicePeople: 9, DeviceNewPeople: 9}
}

// Each finding costs trust; only what is enforced holds, and what only watches
// says what would be.
func TestTrustAndModes(t *testing.T) {
	trace, company := army()
	for _, test := range []struct {
		rules                          string
		trust, shadowTrust             int64
		signals, shadow                abuse.Signal
		holds, wouldHold, nothingFound bool
	}{
		{rules: `[{signal: sybil, mode: enforce, cost: 300}]`, trust: 700, signals: abuse.Sybil},
		{rules: `[{signal: sybil, mode: enforce, cost: 300}, {signal: shared_device, mode: enforce, cost: 100}]`, trust: 600, signals: abuse.Sybil | abuse.SharedDevice, holds: true},
		{rules: `[{signal: sybil, mode: enforce, cost: 300}, {signal: shared_device, mode: shadow, cost: 100}]`, trust: 700, signals: abuse.Sybil, shadowTrust: 600, shadow: abuse.Sybil | abuse.SharedDevice, wouldHold: true},
		{rules: `[{signal: sybil, mode: enforce, cost: 900}, {signal: unattended, mode: enforce, cost: 900}]`, trust: 0, signals: abuse.Sybil | abuse.Unattended, holds: true},
		{rules: `[{signal: regularity, mode: enforce, cost: 1000}]`, trust: 1000, nothingFound: true},
		{rules: `[{signal: sybil, mode: enforce, cost: 0}]`, trust: 1000, signals: abuse.Sybil},
	} {
		rules, err := abuse.ParseRules([]byte("name: t\nhold_below: 650\nrules: " + test.rules))
		if err != nil {
			t.Fatal(err)
		}
		a := rules.Assess(&trace, company)
		if a.Trust != test.trust || a.ShadowTrust != test.shadowTrust || a.Signals != test.signals || a.ShadowSignals != test.shadow ||
			a.Holds != test.holds || a.WouldHold != test.wouldHold || (len(a.Findings) == 0) != test.nothingFound {
			t.Errorf("%s: %+v", test.rules, a)
		}
	}
}

// What a bank looks at is what the world reported live, and each signal that a
// rule can name has words.
func TestSignalsHaveWords(t *testing.T) {
	for _, s := range abuse.Signals {
		again, known := abuse.ParseSignal(s.String())
		f := abuse.Finding{Signal: s}
		if !known || again != s || s.Meaning() == "" || f.Evidence() == "" {
			t.Errorf("signal %d: %q, %q, %q", s, s, s.Meaning(), f.Evidence())
		}
	}
	if got := (abuse.Sybil | abuse.ImpossibleRate | 1<<20).Split(); !slices.Equal(got, []abuse.Signal{abuse.ImpossibleRate, abuse.Sybil}) {
		t.Errorf("split into %v", got)
	}
}

// The schema and the program accept and refuse the same texts.
func TestSchemaAndProgramAgree(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(abuse.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("rules.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("rules.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		good bool
	}{
		{abuse.DefaultRulesText, true},
		{"name: a\nhold_below: 0\nrules: [{signal: sybil, mode: enforce, cost: 1000, more_than: 9999}]", true},
		{"name: a\nrules: [{signal: impossible_rate, mode: shadow, seconds: 120}]", true},
		{"", false},
		{"name: a\nrules: []", false},
		{"rules: [{signal: sybil, mode: enforce}]", false},
		{"name: a\nhold_below: 1001\nrules: [{signal: sybil, mode: enforce}]", false},
		{"name: a\nmore: 1\nrules: [{signal: sybil, mode: enforce}]", false},
		{"name: a\nrules: [{signal: sybil}]", false},
		{"name: a\nrules: [{mode: shadow}]", false},
		{"name: a\nrules: [{signal: sybil, mode: watch}]", false},
		{"name: a\nrules: [{signal: sybl, mode: shadow}]", false},
		{"name: a\nrules: [{signal: sybil, mode: shadow, seconds: 60}]", false},
		{"name: a\nrules: [{signal: sybil, mode: shadow, more_than: 0}]", false},
		{"name: a\nrules: [{signal: sybil, mode: shadow, more_than: 10000}]", false},
		{"name: a\nrules: [{signal: sybil, mode: shadow, cost: -1}]", false},
		{"name: a\nrules: [{signal: impossible_rate, mode: shadow, seconds: 65}]", false},
		{"name: a\nrules: [{signal: sybil, mode: shadow, more_than: many}]", false},
		{"name: a\nrules: [7]", false},
	} {
		var value any
		if err := yaml.Unmarshal([]byte(test.text), &value); err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); (err == nil) != test.good {
			t.Errorf("%q by the schema: %v", test.text, err)
		}
		if _, err := abuse.ParseRules([]byte(test.text)); (err == nil) != test.good {
			t.Errorf("%q by the program: %v", test.text, err)
		}
	}
	if _, err := abuse.ParseRules(bytes.Repeat([]byte("#"), abuse.MaxRulesBytes+1)); err == nil {
		t.Error("a text beyond the bound was read")
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte(abuse.DefaultRulesText))
	f.Add([]byte("name: a\nhold_below: 0\nrules: [{signal: regularity, mode: enforce, cost: 1000, below_permille: 9, intervals: 8}]"))
	trace, company := army()
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := abuse.ParseRules(text)
		if err != nil {
			return
		}
		a := rules.Assess(&trace, company)
		if a.Trust < 0 || a.Trust > abuse.MaxTrust || a.Holds && a.Trust >= rules.HoldBelow || a.ShadowTrust > a.Trust {
			t.Fatalf("out of bounds: %+v", a)
		}
	})
}
