package score

import (
	"math/bits"
)

// Award is what a day has earned in a world, and why.
type Award struct {
	World uint32
	// PointsMicro is the attention A of the day, rounded down once.
	PointsMicro int64
	// The sums that counted: T in seconds, I in millionths of an interaction
	// of weight 1, C in hundredths of the currency.
	PresentSeconds, InteractionsMicro, SpendMinor int64
	Slices                                        []Slice
	// DayCapped says that the day's cap on points cut the award.
	DayCapped bool
}

// Slice is the explanation of one slice. Its terms are each rounded down to
// the millionth for display; the day is summed exactly and rounded once.
type Slice struct {
	// Index is the number of the slice in the day.
	Index int
	// T, I and C as they counted, after the caps.
	PresentSeconds, InteractionsMicro, SpendMinor int64
	// Interactions is how many there were, unweighted and before caps.
	Interactions int64
	// AlphaMicro, BetaMicro and GammaMicro are αT, βI and γC after the curve;
	// with a formula, FormulaMicro is its value after the curve.
	AlphaMicro, BetaMicro, GammaMicro, FormulaMicro int64
	// Halves is the factor of the daily curve on αT and βI, and on a formula:
	// 2 is full, 1 half, 0 nothing.
	Halves int64
	Caps   CapSet
}

// CapSet says which caps cut a slice.
type CapSet uint8

// The caps.
const (
	CapSliceInteractions CapSet = 1 << iota
	CapDayInteractions
	CapDaySpend
	CapSlicePoints
	CapFormula // the formula had no value
)

// Names returns the names of the caps.
func (c CapSet) Names() (names []string) {
	for i, name := range [...]string{"slice_interactions", "day_interactions", "day_spend", "slice_points", "formula_without_value"} {
		if c>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

// Points are summed in units of 1/denominator of a millionth of a point, so
// that hours, millionths, hundredths and the halves of the curve are exact:
//
//	αT/3600 · h/2 = α·T·h · (10^6)      / (2·3600·10^6)
//	βI/10^6 · h/2 = β·I·h · (3600)      / (2·3600·10^6)
//	γC/100        = γ·C   · (72·10^6)   / (2·3600·10^6)
const (
	denominator  = 2 * 3600 * Micro
	alphaFactor  = Micro
	betaFactor   = 3600
	gammaFactor  = denominator / 100
	formulaUnits = denominator / 2
)

// wide is an unsigned 128-bit number; sums beyond it stay at the largest.
type wide struct{ high, low uint64 }

func (w wide) add(v wide) wide {
	low, carry := bits.Add64(w.low, v.low, 0)
	high, over := bits.Add64(w.high, v.high, carry)
	if over != 0 {
		return wide{^uint64(0), ^uint64(0)}
	}
	return wide{high, low}
}

func (w wide) less(v wide) bool {
	return w.high < v.high || w.high == v.high && w.low < v.low
}

// product returns a*b*c for a*b in 128 bits; beyond that the largest number.
func product(a, b, c int64) wide {
	high, low := bits.Mul64(uint64(a), uint64(b))
	over, high2 := bits.Mul64(high, uint64(c))
	carry, low2 := bits.Mul64(low, uint64(c))
	high2, overflow := bits.Add64(high2, carry, 0)
	if over != 0 || overflow != 0 {
		return wide{^uint64(0), ^uint64(0)}
	}
	return wide{high2, low2}
}

// points returns whole millionths, rounded down; at most the largest int64.
func (w wide) points() int64 {
	if w.high >= denominator {
		return 1<<63 - 1
	}
	quotient, _ := bits.Div64(w.high, w.low, denominator)
	return int64(min(quotient, 1<<63-1))
}

// Score returns what the day has earned in a world under the policy that holds
// on that day.
func (d *Day) Score(world uint32, p *Policy) Award { return d.score(world, p, DayBuckets) }

// score does the same with presence and interactions before a bucket only.
func (d *Day) score(world uint32, p *Policy, end int) Award {
	award := Award{World: world}
	presence := d.assigned(world)
	cutOff(&presence, end)
	var acts []act
	for i := range d.worlds {
		if d.worlds[i].world == world {
			acts = d.worlds[i].acts
		}
	}
	var total wide
	for first := 0; first < DayBuckets; first += p.SliceBuckets {
		s := Slice{Index: first / p.SliceBuckets, PresentSeconds: int64(ones(&presence, first, p.SliceBuckets)) * bucketSeconds}
		for len(acts) > 0 && int(acts[0].bucket) < first+p.SliceBuckets {
			if int(acts[0].bucket) < end {
				s.Interactions = saturated(s.Interactions, acts[0].count)
				s.InteractionsMicro = saturated(s.InteractionsMicro, acts[0].weightMicro)
			}
			s.SpendMinor = saturated(s.SpendMinor, acts[0].spendMinor)
			acts = acts[1:]
		}
		if s.PresentSeconds == 0 && s.Interactions == 0 && s.InteractionsMicro == 0 && s.SpendMinor == 0 {
			continue
		}
		s.Halves = p.Curve.halves(award.PresentSeconds)
		p.cap(&s, &award)
		total = total.add(p.pointsOf(&s))
		award.PresentSeconds += s.PresentSeconds
		award.InteractionsMicro += s.InteractionsMicro
		award.SpendMinor += s.SpendMinor
		award.Slices = append(award.Slices, s)
	}
	award.PointsMicro = total.points()
	if limit := p.Caps.DayPointsMicro; limit > 0 && award.PointsMicro > limit {
		award.PointsMicro, award.DayCapped = limit, true
	}
	return award
}

// ones counts the buckets from first on.
func ones(presence *[DayBuckets / 64]uint64, first, count int) (n int) {
	for bucket := first; bucket < first+count; {
		word, offset := bucket/64, bucket%64
		take := min(64-offset, first+count-bucket)
		n += bits.OnesCount64(presence[word] >> offset << (64 - take))
		bucket += take
	}
	return n
}

// cutOff takes the buckets from end on out of a presence.
func cutOff(presence *[DayBuckets / 64]uint64, end int) {
	if end >= DayBuckets {
		return
	}
	presence[end/64] &= 1<<(end%64) - 1
	clear(presence[end/64+1:])
}

func (c Curve) halves(presentSeconds int64) int64 {
	switch {
	case presentSeconds < c.FullSeconds:
		return 2
	case presentSeconds < c.HalfSeconds:
		return 1
	}
	return 0
}

// cap cuts what a slice brings to the caps of the slice and of what is left of
// the day.
func (p *Policy) cap(s *Slice, day *Award) {
	cut := func(value *int64, limit, used int64, name CapSet) {
		if limit > 0 && *value > max(limit-used, 0) {
			*value = max(limit-used, 0)
			s.Caps |= name
		}
	}
	cut(&s.InteractionsMicro, p.Caps.SliceInteractionsMicro, 0, CapSliceInteractions)
	cut(&s.InteractionsMicro, p.Caps.DayInteractionsMicro, day.InteractionsMicro, CapDayInteractions)
	cut(&s.SpendMinor, p.Caps.DaySpendMinor, day.SpendMinor, CapDaySpend)
	if p.withoutSpend && s.SpendMinor > 0 {
		s.SpendMinor = 0
		s.Caps |= CapDaySpend
	}
}

// pointsOf returns the exact points of a slice and fills in its terms.
func (p *Policy) pointsOf(s *Slice) (points wide) {
	if p.formula != nil {
		value, err := p.formula.points(s.PresentSeconds, s.InteractionsMicro, s.SpendMinor)
		if err != nil {
			s.Caps |= CapFormula
		}
		points = product(value, s.Halves, formulaUnits)
		s.FormulaMicro = points.points()
	} else {
		alpha := product(p.AlphaMicro, s.PresentSeconds*s.Halves, alphaFactor)
		beta := product(p.BetaMicro, s.InteractionsMicro, betaFactor*s.Halves)
		gamma := product(p.GammaMicro, s.SpendMinor, gammaFactor)
		s.AlphaMicro, s.BetaMicro, s.GammaMicro = alpha.points(), beta.points(), gamma.points()
		points = alpha.add(beta).add(gamma)
	}
	if limit := p.Caps.SlicePointsMicro; limit > 0 {
		if most := product(limit, denominator, 1); most.less(points) {
			s.Caps |= CapSlicePoints
			return most
		}
	}
	return points
}

// HasFormula reports whether slices earn by a formula, which totals without
// times have no value of.
func (p *Policy) HasFormula() bool { return p.formula != nil }

// Linear returns A = αT + βI + γC in millionths of a point for totals that
// have no times, without caps and curve, rounded down once; and its terms, each
// rounded down.
func (p *Policy) Linear(presentSeconds, interactionsMicro, spendMinor int64) (pointsMicro int64, terms Slice) {
	uncapped := *p
	uncapped.Caps, uncapped.formula = Caps{}, nil
	terms = Slice{PresentSeconds: presentSeconds, InteractionsMicro: interactionsMicro, SpendMinor: spendMinor, Halves: 2}
	return uncapped.pointsOf(&terms).points(), terms
}
