package score_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// The worked example of the founding article, with its arithmetic put right:
// A = 0.5·50 + 0.3·500 + 0.2·1000 = 25 + 150 + 200 = 375.
func TestWorkedExample(t *testing.T) {
	p, err := score.ParsePolicy([]byte("alpha_per_hour: 0.5\nbeta: 0.3\ngamma: 0.2\n"))
	if err != nil {
		t.Fatal(err)
	}
	points, terms := p.Linear(50*3600, 500*score.Micro, 1000*100)
	if points != 375*score.Micro || terms.AlphaMicro != 25*score.Micro || terms.BetaMicro != 150*score.Micro || terms.GammaMicro != 200*score.Micro {
		t.Errorf("A = %d, terms %+v", points, terms)
	}
}

// A typical hour, present throughout with an interaction a minute, earns 60
// points by the default policy, and by the default λ of 1/60 about 1 TIME.
func TestTypicalHour(t *testing.T) {
	var day score.Day
	for minute := range int64(60) {
		for beat := range int64(6) {
			day.Present(1, minute*60_000+beat*10_000, minute*60_000+beat*10_000+10_000)
		}
		day.Act(1, minute*60_000, 1, score.Micro)
	}
	if award := day.Score(1, score.DefaultPolicy()); award.PointsMicro != 60*score.Micro || len(award.Slices) != 12 {
		t.Errorf("%d points in %d slices", award.PointsMicro, len(award.Slices))
	}
}

func TestPresenceBuckets(t *testing.T) {
	for _, test := range []struct {
		name    string
		beatsMS []int64
		covers  int64
		seconds int64
	}{
		{"a heartbeat every ten seconds counts each bucket once", []int64{0, 10_000, 20_000}, 10_000, 30},
		{"jitter leaves no gap", []int64{300, 9_900, 20_100, 30_050}, 10_000, 50},
		{"the same heartbeat again adds nothing", []int64{0, 0, 0}, 10_000, 10},
		{"a second device adds nothing", []int64{0, 5_000, 10_000, 15_000}, 10_000, 30},
		{"a sparse client earns what its event covers", []int64{0, 60_000}, 30_000, 60},
		{"nothing before the day or after it", []int64{-10_000, 86_395_000}, 10_000, 10},
	} {
		var day score.Day
		for _, at := range test.beatsMS {
			day.Present(1, at, at+test.covers)
		}
		if got := day.PresentSeconds(); got != test.seconds {
			t.Errorf("%s: %d s, expected %d", test.name, got, test.seconds)
		}
	}
}

func TestFormula(t *testing.T) {
	parse := func(formula string) (*score.Policy, error) {
		return score.ParsePolicy(fmt.Appendf(nil, "formula: %q\n", formula))
	}
	for _, test := range []struct {
		formula string
		points  int64 // for a slice of 100 s, 2 interactions and 3.00
	}{
		{"t_seconds * 1000", 100_000},
		{"min(t_seconds, 60) * 1000000 + interactions_micro + spend_minor", 62_000_300},
		{"t_seconds > 200 ? 5 : max(7, -1)", 7},
		{"-5", 0},
		{"1 / (t_seconds - 100)", 0}, // no value: the slice earns nothing
		{"9223372036854775807 + t_seconds", 0},
	} {
		p, err := parse(test.formula)
		if err != nil {
			t.Errorf("%s: %v", test.formula, err)
			continue
		}
		var day score.Day
		day.Present(1, 0, 100_000)
		day.Act(1, 0, 2, 2*score.Micro)
		day.Spend(1, 0, 300)
		if award := day.Score(1, p); award.PointsMicro != test.points {
			t.Errorf("%s: %d, expected %d", test.formula, award.PointsMicro, test.points)
		}
	}
	for _, refused := range []string{
		"t_seconds * 0.5", "double(t_seconds)", "'a'", "[1,2].size()", "t_seconds == 1", "now()", "t_seconds +", "size('abc')",
		"int(1.5)", "[1].map(x, x)[0]", strings.Repeat("1+", 3000) + "1", strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200),
	} {
		if _, err := parse(refused); err == nil {
			t.Errorf("%.40q was accepted", refused)
		}
	}
}

func TestParsePolicyRefuses(t *testing.T) {
	for _, test := range []struct{ yaml, names string }{
		{"alfa: 1", "alpha_per_hour"},
		{"alpha_per_hour: -1", "line 1"},
		{"alpha_per_hour: 0.0000001", "six places"},
		{"alpha_per_hour: 1e3", "decimal"},
		{"beta: [1]", "decimal"},
		{"slice_minutes: 7", "divisor of 60"},
		{"curve: {full_hours: 9, half_hours: 8}", "full_hours"},
		{"refund_window_days: 61", "0 to 60"},
		{"events: {jump: {presence_seconds: 3601}}", "3600"},
		{"events: {jump: {spend: a, refund: b}}", "not both"},
		{"currency: X", "USD"},
		{"a: &a [*a]", ""},
		{strings.Repeat("#", score.MaxPolicyBytes+1), "at most"},
	} {
		_, err := score.ParsePolicy([]byte(test.yaml))
		if err == nil || !strings.Contains(err.Error(), test.names) {
			t.Errorf("%.40q: error %v, expected it to name %q", test.yaml, err, test.names)
		}
	}
}

func TestObserve(t *testing.T) {
	p, err := score.ParsePolicy([]byte("currency: EUR\nevents:\n  Parcel Moved: {presence_seconds: 60, weight: 2.5}\n"))
	if err != nil {
		t.Fatal(err)
	}
	property := func(pairs ...string) (list []event.Property) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, event.Property{Name: pairs[i], Value: pairs[i+1]})
		}
		return list
	}
	for _, test := range []struct {
		name string
		e    event.Event
		want score.Observation
	}{
		{"a heartbeat is presence only", event.Event{Call: event.Track, Type: "Heartbeat"}, score.Observation{UntilMS: 10_000}},
		{"any other event is presence and one interaction", event.Event{Call: event.Page, Type: "page"}, score.Observation{UntilMS: 30_000, WeightMicro: score.Micro, Count: 1}},
		{"a rule of the policy", event.Event{Call: event.Track, Type: "parcel moved"}, score.Observation{UntilMS: 60_000, WeightMicro: 2.5 * score.Micro, Count: 1}},
		{"identify is neither", event.Event{Call: event.Identify, Type: "identify"}, score.Observation{}},
		{"an order is spend", event.Event{Call: event.Track, Type: "Order Completed", Properties: property("revenue", "19.999", "currency", "eur", "order_id", "7")}, score.Observation{SpendMinor: 1999, Order: "7"}},
		{"its total stands in", event.Event{Call: event.Track, Type: "Order Completed", Properties: property("total", "5")}, score.Observation{SpendMinor: 500}},
		{"a refund", event.Event{Call: event.Track, Type: "Order Refunded", Properties: property("revenue", "5", "order_id", "7")}, score.Observation{RefundMinor: 500, Order: "7"}},
		{"another currency does not count", event.Event{Call: event.Track, Type: "Order Completed", Properties: property("revenue", "5", "currency", "USD")}, score.Observation{Rule: score.RuleOtherCurrency}},
		{"nor does what is no amount", event.Event{Call: event.Track, Type: "Order Completed", Properties: property("revenue", "-5")}, score.Observation{Rule: score.RuleNoAmount}},
		{"an import covers what it says, counts what it says", event.Event{Call: event.Track, Type: "x", CoversMS: 3_600_000, Count: 7}, score.Observation{UntilMS: 3_600_000, WeightMicro: 7 * score.Micro, Count: 7}},
		{"what an import does not say is none", event.Event{Call: event.Track, Type: "x", CoversMS: 3_600_000}, score.Observation{UntilMS: 3_600_000}},
	} {
		if got := p.Observe(&test.e, 0); got != test.want {
			t.Errorf("%s: got %+v, expected %+v", test.name, got, test.want)
		}
	}
}

// An event means what the first rule says that fits its properties: the
// policy's own, or else its pack's, or else the default.
func TestRulesByProperties(t *testing.T) {
	p, err := score.ParsePolicy([]byte(`
pack: vr-venue-1
events:
  Door:
    - {where: {state: [open, ajar], side: left}, weight: 3}
    - {where: {side: left}, weight: 2}
    - {where: {paid: true}, spend: price}
  EnteredRoom: {weight: 5}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name       string
		properties []string
		want       string
	}{
		{"door", []string{"side", "left", "state", "ajar"}, "0s 3000000 0"},
		{"Door", []string{"side", "left", "state", "shut"}, "0s 2000000 0"},
		{"Door", []string{"side", "right"}, "0s 0 0"},
		{"Door", []string{"paid", "true", "price", "2.50"}, "0s 0 250"},
		{"enteredRoom", nil, "0s 5000000 0"},                      // the policy's own
		{"wa_follow", nil, "30s 1000000 0"},                       // the pack's
		{"heartbeat", nil, "10s 0 0"},                             // the default
		{"whatever", nil, "0s 0 0"},                               // the pack's *
		{"Order Completed", []string{"revenue", "1"}, "0s 0 100"}, // the default
	} {
		e := event.Event{Call: event.Track, Type: test.name, UserID: "u"}
		for i := 0; i < len(test.properties); i += 2 {
			e.Properties = append(e.Properties, event.Property{Name: test.properties[i], Value: test.properties[i+1]})
		}
		o := p.Observe(&e, 0)
		if got := fmt.Sprintf("%ds %d %d", o.UntilMS/1000, o.WeightMicro, o.SpendMinor); got != test.want {
			t.Errorf("%s %v: %s, expected %s", test.name, test.properties, got, test.want)
		}
	}
	if !p.IsSpend("Door") || p.SpendProperty("door") != "price" || p.WeightMicro("Door") != 3*score.Micro {
		t.Errorf("by the name alone: %v %q %d", p.IsSpend("Door"), p.SpendProperty("door"), p.WeightMicro("Door"))
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("alpha_per_hour: 0.5\nevents: {a: {weight: 2}}\nformula: t_seconds * 2\n"))
	f.Add([]byte("curve: {full_hours: 1, half_hours: 2}\ncaps: {day_points: 5}\n"))
	f.Add([]byte("pack: game-1\nevents: {a: [{where: {k: [v, w]}, weight: 2}, {spend: p}]}\n"))
	f.Add([]byte("pack: x-1\ntitle: t\ndescription: d\nclients: [{name: n, source: s}]\ncurrency: USD\nevents: {a: {presence_seconds: 1}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := score.ParsePolicy(text)
		if err != nil {
			if p, err = score.ParsePack(text); err != nil {
				return
			}
		}
		for _, m := range p.Meanings() {
			if m.PresenceSeconds < 0 || m.PresenceSeconds > 3600 || m.WeightMicro < 0 || m.Spend != "" && m.Refund != "" {
				t.Fatalf("out of bounds: %+v", m)
			}
		}
		var day score.Day
		day.Present(1, 0, 86_400_000)
		day.Act(1, 0, 1, score.Micro)
		if award := day.Score(1, p); award.PointsMicro < 0 {
			t.Fatalf("earned %d", award.PointsMicro)
		}
	})
}

func FuzzDecodeDay(f *testing.F) {
	var day score.Day
	day.Present(1, 0, 100_000)
	day.Act(2, 0, 1, score.Micro)
	f.Add(day.AppendTo(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		day, err := score.DecodeDay(src)
		if err != nil {
			return
		}
		for _, world := range day.Worlds() {
			day.Score(world, score.DefaultPolicy())
		}
		if again, err := score.DecodeDay(day.AppendTo(nil)); err != nil || string(again.AppendTo(nil)) != string(day.AppendTo(nil)) {
			t.Fatalf("a decoded day is encoded differently: %v", err)
		}
	})
}

// Folding an event into a day that has one of its kind allocates nothing.
func TestFoldAllocatesNothing(t *testing.T) {
	policy := score.DefaultPolicy()
	var day score.Day
	jump := event.Event{Call: event.Track, Type: "jump"}
	at := int64(0)
	allocations := testing.AllocsPerRun(1000, func() {
		o := policy.Observe(&jump, at)
		day.Present(1, o.FromMS, o.UntilMS)
		day.Act(1, o.FromMS, o.Count, o.WeightMicro)
		at = (at + 1000) % 86_000_000
	})
	if allocations != 0 {
		t.Errorf("%v allocations an event", allocations)
	}
}

// BenchmarkFold folds heartbeats and interactions of a thousand people into
// their days, the lookup of the person included.
func BenchmarkFold(b *testing.B) {
	policy := score.DefaultPolicy()
	days := map[uint64]*score.Day{}
	for person := range uint64(1000) {
		days[person] = &score.Day{}
	}
	beat := event.Event{Call: event.Track, Type: "heartbeat"}
	jump := event.Event{Call: event.Track, Type: "jump"}
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		e := &beat
		if i%10 == 9 {
			e = &jump
		}
		o := policy.Observe(e, int64(i/1000*1000)%86_000_000)
		day := days[i%1000]
		day.Present(1, o.FromMS, o.UntilMS)
		if o.Count > 0 {
			day.Act(1, o.FromMS, o.Count, o.WeightMicro)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkScore(b *testing.B) {
	policy := score.DefaultPolicy()
	var day score.Day
	for at := int64(0); at < 3*3_600_000; at += 10_000 {
		day.Present(1, at, at+10_000)
		day.Act(1, at, 1, score.Micro)
	}
	for b.Loop() {
		day.Score(1, policy)
	}
}
