package auditor

// Policy says what a world's behaviour earns, as docs/policy.md has it.
type Policy struct {
	// AlphaMicro is for an hour of presence, BetaMicro for an interaction of
	// weight 1, GammaMicro for a unit of currency; in millionths of a point.
	AlphaMicro, BetaMicro, GammaMicro int64
	SliceSeconds                      int64 // divides an hour
	RefundMS                          int64 // how long a purchase waits
	// What a beat and an act mean: presence, and the weight of the act in
	// thousandths.
	BeatMS, ActMS, ActMilli int64
	// Caps; zero is none. Interactions in thousandths, spend in hundredths.
	SliceActsMilli, DayActsMilli, DaySpendMinor int64
	SlicePointsMicro, DayPointsMicro            int64
	// Presence is paid in full to FullSeconds of the day, half to HalfSeconds.
	FullSeconds, HalfSeconds int64
}

// Award is what a person's day has earned in a world: attention A from T, I
// and C as they counted.
type Award struct {
	Person string
	World  uint32
	Day    int64
	// PresentSeconds is T, ActsMilli is I, SpendMinor is C, PointsMicro is A.
	PresentSeconds, ActsMilli, SpendMinor, PointsMicro int64

	revision revision
}

// revision orders what is known of a day: the batch that touched it last and
// how many purchases have joined it by time since.
type revision struct{ batch, matured int64 }

func (r revision) after(other revision) bool {
	return r.batch > other.batch || r.batch == other.batch && r.matured > other.matured
}

const (
	bucketMS   = 10_000
	dayMS      = 86_400_000
	dayBuckets = dayMS / bucketMS
)

// day is a person's day: who claims each bucket, and what happened.
type day struct {
	claims   [dayBuckets]uint8 // a bit a world
	acts     []act
	revision revision
}

type act struct {
	world        uint32
	atMS         int64 // since the day began
	milli, minor int64
}

// owner returns the world that a bucket counts for: of n that claim it, number
// bucket modulo n.
func (d *day) owner(bucket int64) uint32 {
	var claims []uint32
	for world := uint32(1); world < 8; world++ {
		if d.claims[bucket]>>world&1 == 1 {
			claims = append(claims, world)
		}
	}
	if len(claims) == 0 {
		return 0
	}
	return claims[bucket%int64(len(claims))]
}

// score sums a day of a world. Points are counted in 1/7,200,000 of a
// millionth: αT/3600·h/2 is α·T·h·1000 of them, βI/1000·h/2 is β·I·h·3600 and
// γC/100 is γ·C·72000, so nothing is rounded before the end.
func (d *day) score(world uint32, p Policy) (a Award) {
	const unit = 7_200_000
	var total int64
	buckets := p.SliceSeconds / 10
	present := make([]int64, dayBuckets/buckets)
	milli, minor := make([]int64, len(present)), make([]int64, len(present))
	for bucket := range int64(dayBuckets) {
		if d.claims[bucket] != 0 && d.owner(bucket) == world {
			present[bucket/buckets] += 10
		}
	}
	for _, act := range d.acts {
		if act.world == world {
			milli[act.atMS/bucketMS/buckets] += act.milli
			minor[act.atMS/bucketMS/buckets] += act.minor
		}
	}
	cut := func(value, limit, used int64) int64 {
		if limit == 0 {
			return value
		}
		return min(value, max(limit-used, 0))
	}
	for slice := range present {
		halves := int64(2)
		if a.PresentSeconds >= p.FullSeconds {
			halves = 1
		}
		if a.PresentSeconds >= p.HalfSeconds {
			halves = 0
		}
		acts := cut(cut(milli[slice], p.SliceActsMilli, 0), p.DayActsMilli, a.ActsMilli)
		spend := cut(minor[slice], p.DaySpendMinor, a.SpendMinor)
		points := halves*(p.AlphaMicro*present[slice]*1000+p.BetaMicro*acts*3600) + p.GammaMicro*spend*72_000
		total += cut(points, p.SlicePointsMicro*unit, 0)
		a.PresentSeconds, a.ActsMilli, a.SpendMinor = a.PresentSeconds+present[slice], a.ActsMilli+acts, a.SpendMinor+spend
	}
	a.PointsMicro = cut(total/unit, p.DayPointsMicro, 0)
	return a
}
