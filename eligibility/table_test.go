package eligibility_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/eligibility"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const launch = `
name: launch
rules:
  - {countries: [KR, CN], deny: [trade, convert, resell, withdraw]}
  - {countries: [CN], ages: [minor], deny: [redeem]}
  - {ages: [unknown], up_to_tier: 0, deny: [transfer]}
  - {countries: [DE, PT], ages: [adult], from_tier: 2, allow: [payout]}
  - {countries: [DE], ages: [adult], from_tier: 2, up_to_tier: 2, deny: [payout]}
  - {countries: [unknown], deny: [withdraw]}
  - {ages: [minor], allow: [trade, convert, resell, withdraw]}
`

// The last rule of such a person counts, and no table gives minors a market.
func TestFeatures(t *testing.T) {
	table, err := eligibility.Parse([]byte(launch))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		country string
		age     eligibility.Age
		tier    uint8
		want    string
	}{
		{"", eligibility.Unknown, 0, "trade,convert,redeem,resell"},
		{"", eligibility.Unknown, 1, "trade,convert,redeem,resell,transfer"},
		{"FR", eligibility.Unknown, 1, "trade,convert,redeem,resell,transfer,withdraw"},
		{"KR", eligibility.Adult, 3, "redeem,transfer"},
		{"CN", eligibility.Adult, 3, "redeem,transfer"},
		{"CN", eligibility.Minor, 3, "transfer"},
		{"DE", eligibility.Adult, 1, "trade,convert,redeem,resell,transfer,withdraw"},
		{"DE", eligibility.Adult, 2, "trade,convert,redeem,resell,transfer,withdraw"},
		{"DE", eligibility.Adult, 3, "trade,convert,redeem,resell,transfer,withdraw,payout"},
		{"PT", eligibility.Adult, 2, "trade,convert,redeem,resell,transfer,withdraw,payout"},
		{"PT", eligibility.Unknown, 9, "trade,convert,redeem,resell,transfer,withdraw"},
		{"PT", eligibility.Minor, 9, "redeem,transfer"},
	} {
		if got := table.Features(eligibility.Person{Country: row.country, Age: row.age, Tier: row.tier}); got.String() != row.want {
			t.Errorf("%q, %s, tier %d: %s; want %s", row.country, row.age, row.tier, got, row.want)
		}
	}
}

// What is refused says what is accepted, and the schema refuses it too, where a
// schema can.
func TestRefusedTables(t *testing.T) {
	schema := compiled(t)
	for text, says := range map[string]string{
		"rules: []":            "name: expected",
		"name: x\nrule: []":    "fields are name and rules",
		"name: x\nrules: [{}]": "expected what it allows or denies",
		"name: x\nrules: [{countries: [EU], deny: [trade]}]":                           "ISO 3166-1",
		"name: x\nrules: [{countries: [de], deny: [trade]}]":                           "ISO 3166-1",
		"name: x\nrules: [{ages: [old], deny: [trade]}]":                               "unknown, minor, adult",
		"name: x\nrules: [{from_tier: 10, deny: [trade]}]":                             "expected 0 to 9",
		"name: x\nrules: [{from_tier: 3, up_to_tier: 2, deny: [trade]}]":               "is above",
		"name: x\nrules: [{deny: [gamble]}]":                                           "expected trade, convert",
		"name: x\nrules: [{deny: [trade], allow: [trade]}]":                            "allows and denies trade",
		"name: x\nrules: [{allow: [payout]}]":                                          "names countries and ages",
		"name: x\nrules: [{allow: [payout], ages: [adult]}]":                           "names countries and ages",
		"name: x\nrules: [{allow: [payout], countries: [DE]}]":                         "names countries and ages",
		"name: x\nrules: [{allow: [payout], countries: [DE], ages: [adult, unknown]}]": "names countries and ages",
		"name: x\nrules: [{allow: [payout], countries: [DE, unknown], ages: [adult]}]": "names countries and ages",
	} {
		_, err := eligibility.Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want it to say %q", text, err, says)
		}
		beyond := strings.Contains(text, "from_tier: 3") || strings.Contains(text, "allow: [trade]") || strings.Contains(text, "EU")
		if err := schema.Validate(value(t, text)); (err == nil) != beyond {
			t.Errorf("%s: the schema says %v", text, err)
		}
	}
	if err := schema.Validate(value(t, launch)); err != nil {
		t.Error(err)
	}
	if _, err := eligibility.Parse(bytes.Repeat([]byte("#"), bank.MaxEligibilityBytes+1)); err == nil {
		t.Error("a table that is too long was read")
	}
	many := "name: x\nrules:\n" + strings.Repeat("- {deny: [trade]}\n", eligibility.MaxRules+1)
	if _, err := eligibility.Parse([]byte(many)); err == nil || !strings.Contains(err.Error(), "up to 500") {
		t.Errorf("a table of too many rules: %v", err)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(eligibility.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("table", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("table")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func value(t *testing.T, text string) (v any) {
	var read any
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded)); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCountries(t *testing.T) {
	known := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if eligibility.CountryKnown(fmt.Sprintf("%c%c", a, b)) {
				known++
			}
		}
	}
	if known != 249 { // officially assigned codes
		t.Errorf("%d countries are known", known)
	}
	for _, code := range []string{"", "D", "DEU", "de", " D", "E ", "EU", "UK"} {
		if eligibility.CountryKnown(code) {
			t.Errorf("%q is known", code)
		}
	}
}

// Whatever a table says: minors have no market and no payout, and real money
// goes to adults whose country is known.
func FuzzParse(f *testing.F) {
	f.Add(launch)
	f.Add("name: &a x\nrules: [&r {deny: [trade]}, *r, *r]")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := eligibility.Parse([]byte(text))
		if err != nil {
			return
		}
		const market = bank.FeatureTrade | bank.FeatureConvert | bank.FeatureResell | bank.FeatureWithdraw | bank.FeaturePayout
		for _, country := range []string{"", "DE", "CN"} {
			for age := eligibility.Unknown; age <= eligibility.Adult; age++ {
				for tier := range uint8(bank.MaxTier + 1) {
					f := table.Features(eligibility.Person{Country: country, Age: age, Tier: tier})
					if f&^bank.AllFeatures != 0 || age == eligibility.Minor && f&market != 0 || f&bank.FeaturePayout != 0 && (age != eligibility.Adult || country == "") {
						t.Fatalf("%q, %s, tier %d: %s", country, age, tier, f)
					}
				}
			}
		}
	})
}
