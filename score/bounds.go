package score

import "math/bits"

// Bounds are what holds of one person's day beside the world's policy.
type Bounds struct {
	// Minor says that the policy for minors holds.
	Minor bool
	// Limited says that only the first EarnSeconds of the day's presence, over
	// all worlds, earn, and the interactions before they are over. Spend is not
	// bounded by it.
	Limited     bool
	EarnSeconds int64
}

// defaultMinors is the curve of a policy that says nothing of minors.
var defaultMinors = Curve{FullSeconds: 1 * 3600, HalfSeconds: 2 * 3600}

// minorsFile is what a policy says of minors. Nothing of it can be looser than
// what holds for everybody.
type minorsFile struct {
	Caps  capsFile   `yaml:"caps"`
	Curve *curveFile `yaml:"curve"`
}

// minors returns the policy for minors: no curve is longer and no cap higher
// than for everybody, and spend counts only if a cap of it is named.
func (f *minorsFile) minors(everybody *Policy) *Policy {
	p := *everybody
	curve := defaultMinors
	if f.Curve != nil {
		curve = f.Curve.curve()
	}
	p.Curve.FullSeconds, p.Curve.HalfSeconds = min(p.Curve.FullSeconds, curve.FullSeconds), min(p.Curve.HalfSeconds, curve.HalfSeconds)
	caps := f.Caps.caps()
	for _, c := range []struct {
		of    *int64
		named int64
	}{
		{&p.Caps.SliceInteractionsMicro, caps.SliceInteractionsMicro}, {&p.Caps.DayInteractionsMicro, caps.DayInteractionsMicro},
		{&p.Caps.DaySpendMinor, caps.DaySpendMinor},
		{&p.Caps.SlicePointsMicro, caps.SlicePointsMicro}, {&p.Caps.DayPointsMicro, caps.DayPointsMicro},
	} {
		if c.named > 0 && (*c.of == 0 || c.named < *c.of) {
			*c.of = c.named
		}
	}
	p.withoutSpend = !f.Caps.DaySpend.set || caps.DaySpendMinor == 0
	return &p
}

// For returns the policy that holds for a person: itself, or that for minors.
func (p *Policy) For(minor bool) *Policy {
	if minor && p.minors != nil {
		return p.minors
	}
	return p
}

// ScoreWithin returns what the day has earned in a world under the policy that
// holds on that day and the bounds of the person.
func (d *Day) ScoreWithin(world uint32, p *Policy, b Bounds) Award {
	end := DayBuckets
	if b.Limited {
		end = d.endOf(b.EarnSeconds)
	}
	return d.score(world, p.For(b.Minor), end)
}

// endOf returns the bucket in front of which a day, over all worlds, has so much
// presence. It does not depend on the order in which the day was filled.
func (d *Day) endOf(seconds int64) (bucket int) {
	left := int(seconds / bucketSeconds)
	for word := range DayBuckets / 64 {
		var union uint64
		for i := range d.worlds {
			union |= d.worlds[i].presence[word]
		}
		if n := bits.OnesCount64(union); n < left {
			left -= n
			continue
		}
		for bit := range 64 {
			if left == 0 {
				return word*64 + bit
			}
			left -= int(union >> bit & 1)
		}
	}
	return DayBuckets
}
