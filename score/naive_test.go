package score_test

import (
	"math/big"
	"testing"

	"github.com/attentionbank/attentionbank/score"
	"pgregory.net/rapid"
)

// naiveDay is a day as a list of what was observed, scored second by second
// with rational numbers from the documentation in docs/policy.md.
type naiveDay struct {
	presence []naivePresence
	acts     []naiveAct
}

type naivePresence struct {
	world           uint32
	fromMS, untilMS int64
}

type naiveAct struct {
	world                         uint32
	sinceMS, count, weight, spend int64
}

func (n *naiveDay) fill(d *score.Day) {
	for _, p := range n.presence {
		d.Present(p.world, p.fromMS, p.untilMS)
	}
	for _, a := range n.acts {
		d.Act(a.world, a.sinceMS, a.count, a.weight)
		d.Spend(a.world, a.sinceMS, a.spend)
	}
}

// claims returns the worlds, ascending, whose presence touches a bucket.
func (n *naiveDay) claims(bucket int64) (worlds []uint32) {
	for world := uint32(0); world < 10; world++ {
		for _, p := range n.presence {
			from, until := max(p.fromMS, 0), min(p.untilMS, 86_400_000)
			if p.world == world && from < until && from < (bucket+1)*10_000 && until > bucket*10_000 {
				worlds = append(worlds, world)
				break
			}
		}
	}
	return worlds
}

func ratio(a, b int64) *big.Rat { return big.NewRat(a, b) }

func (n *naiveDay) points(world uint32, p *score.Policy) int64 {
	total := new(big.Rat)
	sliceSeconds := int64(p.SliceBuckets) * 10
	var daySeconds, dayWeight, daySpend int64
	for start := int64(0); start < 86_400; start += sliceSeconds {
		var seconds, weight, spend int64
		for bucket := start / 10; bucket < (start+sliceSeconds)/10; bucket++ {
			claims := n.claims(bucket)
			if len(claims) > 0 && claims[bucket%int64(len(claims))] == world {
				seconds += 10
			}
		}
		for _, a := range n.acts {
			if a.world == world && a.sinceMS/1000 >= start && a.sinceMS/1000 < start+sliceSeconds {
				weight += a.weight
				spend += a.spend
			}
		}
		limit := func(value, most int64) int64 {
			return min(value, max(most, 0))
		}
		if p.Caps.SliceInteractionsMicro > 0 {
			weight = limit(weight, p.Caps.SliceInteractionsMicro)
		}
		if p.Caps.DayInteractionsMicro > 0 {
			weight = limit(weight, p.Caps.DayInteractionsMicro-dayWeight)
		}
		if p.Caps.DaySpendMinor > 0 {
			spend = limit(spend, p.Caps.DaySpendMinor-daySpend)
		}
		factor := ratio(0, 1)
		if daySeconds < p.Curve.FullSeconds {
			factor = ratio(1, 1)
		} else if daySeconds < p.Curve.HalfSeconds {
			factor = ratio(1, 2)
		}
		time := new(big.Rat).Mul(ratio(p.AlphaMicro, 1_000_000), ratio(seconds, 3600))
		acts := new(big.Rat).Mul(ratio(p.BetaMicro, 1_000_000), ratio(weight, 1_000_000))
		points := new(big.Rat).Mul(new(big.Rat).Add(time, acts), factor)
		points.Add(points, new(big.Rat).Mul(ratio(p.GammaMicro, 1_000_000), ratio(spend, 100)))
		if p.Caps.SlicePointsMicro > 0 {
			if most := ratio(p.Caps.SlicePointsMicro, 1_000_000); points.Cmp(most) > 0 {
				points = most
			}
		}
		total.Add(total, points)
		daySeconds, dayWeight, daySpend = daySeconds+seconds, dayWeight+weight, daySpend+spend
	}
	total.Mul(total, ratio(1_000_000, 1))
	micro := new(big.Int).Div(total.Num(), total.Denom()).Int64()
	if p.Caps.DayPointsMicro > 0 {
		micro = min(micro, p.Caps.DayPointsMicro)
	}
	return micro
}

func drawPolicy(t *rapid.T) *score.Policy {
	p := *score.DefaultPolicy()
	p.AlphaMicro = rapid.Int64Range(0, 100_000_000).Draw(t, "alpha")
	p.BetaMicro = rapid.Int64Range(0, 10_000_000).Draw(t, "beta")
	p.GammaMicro = rapid.Int64Range(0, 10_000_000).Draw(t, "gamma")
	p.SliceBuckets = rapid.SampledFrom([]int{6, 12, 30, 60, 90, 120, 360}).Draw(t, "slice")
	limit := func(most int64, name string) int64 {
		return rapid.SampledFrom([]int64{0, 1, most / 7, most}).Draw(t, name)
	}
	p.Caps = score.Caps{
		SliceInteractionsMicro: limit(20_000_000, "cap I slice"), DayInteractionsMicro: limit(70_000_000, "cap I day"),
		DaySpendMinor: limit(70_000, "cap C day"), SlicePointsMicro: limit(9_000_000, "cap A slice"), DayPointsMicro: limit(99_000_000, "cap A day"),
	}
	p.Curve.HalfSeconds = rapid.Int64Range(0, 30_000).Draw(t, "half")
	p.Curve.FullSeconds = rapid.Int64Range(0, p.Curve.HalfSeconds).Draw(t, "full")
	return &p
}

func drawDay(t *rapid.T) *naiveDay {
	n := &naiveDay{}
	for range rapid.IntRange(0, 12).Draw(t, "sessions") {
		from := rapid.Int64Range(-20_000, 86_410_000).Draw(t, "from")
		n.presence = append(n.presence, naivePresence{rapid.Uint32Range(1, 3).Draw(t, "world"), from, from + rapid.Int64Range(0, 9_000_000).Draw(t, "covers")})
	}
	for range rapid.IntRange(0, 20).Draw(t, "acts") {
		n.acts = append(n.acts, naiveAct{
			rapid.Uint32Range(1, 3).Draw(t, "world"), rapid.Int64Range(0, 86_399_999).Draw(t, "at"), 1,
			rapid.Int64Range(0, 30_000_000).Draw(t, "weight"), rapid.Int64Range(0, 90_000).Draw(t, "spend"),
		})
	}
	return n
}

// A day scored by bitmaps and 128-bit integers equals the same day scored
// bucket by bucket with rational numbers.
func TestDayEqualsNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, p := drawDay(t), drawPolicy(t)
		var day score.Day
		n.fill(&day)
		var assigned int64
		for world := uint32(1); world <= 3; world++ {
			award := day.Score(world, p)
			if want := n.points(world, p); award.PointsMicro != want {
				t.Fatalf("world %d earned %d, the twin says %d: %+v", world, award.PointsMicro, want, award)
			}
			assigned += award.PresentSeconds
		}
		if union := day.PresentSeconds(); assigned != union || union > 86_400 {
			t.Fatalf("the worlds' presence sums to %d s, the person was present %d s", assigned, union)
		}
	})
}

// The order in which a day is filled, presence that is reported again, parts
// that are merged and bytes that are read back do not change the day.
func TestDayDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawDay(t)
		var day score.Day
		n.fill(&day)

		parts := [2]naiveDay{}
		for i, p := range rapid.Permutation(n.presence).Draw(t, "presence") {
			parts[i%2].presence = append(parts[i%2].presence, p, p)
		}
		for i, a := range rapid.Permutation(n.acts).Draw(t, "acts") {
			parts[i%2].acts = append(parts[i%2].acts, a)
		}
		var first, second score.Day
		parts[0].fill(&first)
		parts[1].fill(&second)
		stored, err := score.DecodeDay(second.AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		stored.Merge(&first)
		if string(stored.AppendTo(nil)) != string(day.AppendTo(nil)) {
			t.Fatal("parts in another order gave another day")
		}
	})
}
