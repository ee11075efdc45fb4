package calibrate

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat"
)

// preparation is how measures become columns: by what the training part alone
// shows.
type preparation struct {
	columns         []int // the measures that are used
	clip, mean, dev [3]float64
	// total is the mean of each measure over all people, as it is: what the
	// size of the weights is taken from.
	total [3]float64
	base  [3]float64
}

func (r *Result) prepare(all, train []Sample) *preparation {
	p := &preparation{base: r.options.Base}
	values := make([]float64, len(train))
	for j := range Measures {
		for i := range train {
			values[i] = train[i].X[j]
		}
		slices.Sort(values)
		p.clip[j] = stat.Quantile(r.options.ClipQuantile, stat.Empirical, values, nil)
		if p.clip[j] == 0 { // hardly anybody does it at all
			p.clip[j] = values[len(values)-1]
		}
		for i := range values {
			values[i] = min(values[i], p.clip[j])
		}
		p.mean[j], p.dev[j] = stat.MeanStdDev(values, nil)
		for i := range all {
			p.total[j] += all[i].X[j] / float64(len(all))
		}
		e := &r.Estimates[j]
		e.Measure, e.Mean, e.ClippedAt = Measures[j].Letter, p.total[j], p.clip[j]
		if e.Used = p.dev[j] > 1e-12*max(1, p.mean[j]); e.Used {
			p.columns = append(p.columns, j)
		}
	}
	for i := range all {
		r.Outcome += all[i].Outcome / float64(len(all))
	}
	return p
}

func (p *preparation) table(samples []Sample) *table {
	t := &table{columns: len(p.columns)}
	for i := range samples {
		for _, j := range p.columns {
			t.x = append(t.x, (min(samples[i].X[j], p.clip[j])-p.mean[j])/p.dev[j])
		}
		t.y = append(t.y, samples[i].Outcome)
	}
	return t
}

// weights turns slopes into points: in the ratio of the slopes, and of the size
// at which all people earn as much of what was measured as by the base. What
// was not measured keeps the weight of the base. ok is false if no slope is
// above zero, or the base gives what was measured no points.
func (p *preparation) weights(bound coefficients) (weights, shares [3]float64, ok bool) {
	weights = p.base
	var byBase, byOutcome, all float64
	for c, j := range p.columns {
		byBase += p.base[j] * p.total[j]
		byOutcome += max(bound[c+1], 0) / p.dev[j] * p.total[j]
	}
	if ok = byOutcome > 0 && byBase > 0; ok {
		for c, j := range p.columns {
			weights[j] = max(bound[c+1], 0) / p.dev[j] * byBase / byOutcome
		}
	}
	for j := range weights {
		all += weights[j] * p.total[j]
	}
	for j := range weights {
		if all > 0 {
			shares[j] = weights[j] * p.total[j] / all
		}
	}
	return weights, shares, ok
}

// settle fills in the estimates themselves.
func (r *Result) settle(p *preparation, free, bound coefficients) {
	weights, shares, ok := p.weights(bound)
	r.Informative = ok
	_, baseShares, _ := p.weights(make(coefficients, len(p.columns)+1))
	for j := range r.Estimates {
		e := &r.Estimates[j]
		e.Weight = Interval{weights[j], weights[j], weights[j]}
		e.Share = Interval{shares[j], shares[j], shares[j]}
		e.BaseShare = baseShares[j]
	}
	for c, j := range p.columns {
		r.Estimates[j].Coefficient.Value = free[c+1] / p.dev[j]
	}
}

// resample draws the people of the training part anew, as many as there are
// and with repetition, and fits again; the intervals are between the 2.5th and
// the 97.5th of 100 outcomes. Every resample has a source of its own, so the
// number of processors does not matter.
func (r *Result) resample(p *preparation, t *table, start coefficients, progressed func(done, all int)) {
	all := r.options.Resamples
	drawn := make([][3][3]float64, all) // coefficient, weight, share of each measure
	var wait sync.WaitGroup
	next, done := make(chan int), make(chan struct{}, 16)
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			counts := make([]float64, len(t.y))
			for k := range next {
				drawn[k] = r.drawOnce(p, t, start, counts, rand.New(rand.NewPCG(r.options.Seed, 100+uint64(k))))
				done <- struct{}{}
			}
		}()
	}
	go func() {
		for k := range all {
			next <- k
		}
		close(next)
		wait.Wait()
		close(done)
	}()
	finished := 0
	for range done {
		if finished++; progressed != nil {
			progressed(finished, all)
		}
	}
	values := make([]float64, all)
	between := func(into *Interval, of, j int) {
		for k := range values {
			values[k] = drawn[k][of][j]
		}
		slices.Sort(values)
		into.Low, into.High = stat.Quantile(0.025, stat.LinInterp, values, nil), stat.Quantile(0.975, stat.LinInterp, values, nil)
	}
	for _, j := range p.columns {
		e := &r.Estimates[j]
		between(&e.Coefficient, 0, j)
		between(&e.Weight, 1, j)
		between(&e.Share, 2, j)
	}
}

func (r *Result) drawOnce(p *preparation, t *table, start coefficients, counts []float64, random *rand.Rand) (drawn [3][3]float64) {
	clear(counts)
	for range counts {
		counts[random.IntN(len(counts))]++
	}
	free := fit(t, counts, r.Model, r.Penalty, start)
	for c, j := range p.columns {
		drawn[0][j] = free[c+1] / p.dev[j]
	}
	drawn[1], drawn[2], _ = p.weights(fitNonNegative(t, counts, r.Model, r.Penalty, free))
	return drawn
}

// TypicalHourMicro returns the median of points an hour, in millionths; the
// mean of the two in the middle, rounded down, if their number is even.
func TypicalHourMicro(perHourMicro []int64) int64 {
	n := len(perHourMicro)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(perHourMicro))
	low, high := sorted[(n-1)/2], sorted[n/2]
	return low + (high-low)/2
}

// LambdaMicro returns the λ at which a typical hour earns 1 TIME, in
// millionths, rounded up; 0 if that is above what the bank takes.
func LambdaMicro(typicalHourMicro int64) int64 {
	const micro, most = 1_000_000, 100_000_000
	if typicalHourMicro <= 0 {
		return 0
	}
	lambda := (micro*micro + typicalHourMicro - 1) / typicalHourMicro
	if lambda > most {
		return 0
	}
	return lambda
}

// rounded returns a weight in millionths, to the nearest.
func rounded(weight float64) int64 { return int64(math.Round(weight * 1e6)) }
