// Package calibrate estimates the weights α, β and γ of a policy from what
// people did and what came of it: whether they stayed, what they spent. It is a
// tool for whoever writes a policy, and no part of the bank: it counts in
// floats, and what it prints is a proposal.
//
// An outcome fixes the ratios of the weights and not their size, so the size is
// taken from a policy: people whose behaviour was measured earn as much in all
// as they do by it, and only who earns it changes.
package calibrate

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// Measures are the things that a policy weighs, in the order of Sample.X.
var Measures = [3]Measure{
	{"T", "hours of presence", "alpha_per_hour", "α"},
	{"I", "interactions", "beta", "β"},
	{"C", "units of currency", "gamma", "γ"},
}

// Measure is a thing that a policy weighs.
type Measure struct{ Letter, Name, Field, Weight string }

// Sample is one person: what was measured, and what came of it.
type Sample struct {
	Person  string
	X       [3]float64 // T in hours, I, C in units
	Outcome float64    // 0 or 1 for the logistic model
}

// Model says how the outcome is explained.
type Model string

// The models.
const (
	Auto     Model = "auto"     // Logistic if every outcome is 0 or 1, else Ridge
	Logistic Model = "logistic" // log-odds of the outcome
	Ridge    Model = "ridge"    // the outcome itself
)

// Options say how to estimate. All of them decide the result, so a report
// states them.
type Options struct {
	Model Model
	// Base are the weights whose size is kept: points for an hour, an
	// interaction, a unit of currency.
	Base [3]float64
	// Seed draws the holdout, the folds and the resamples.
	Seed uint64
	// Resamples is how often people are drawn anew for the intervals; 20 to
	// MaxResamples.
	Resamples int
	// HoldoutShare of the people is kept aside for the scores; 0.05 to 0.5.
	HoldoutShare float64
	// ClipQuantile bounds each measure for the estimate, so that a few people
	// who do a thousand times as much do not decide it; 0.5 to 1.
	ClipQuantile float64
}

// DefaultOptions are what the command uses unless told otherwise.
func DefaultOptions() Options {
	return Options{Model: Auto, Base: [3]float64{30, 0.5, 1}, Seed: 1, Resamples: 1000, HoldoutShare: 0.2, ClipQuantile: 0.99}
}

// Bounds of what is accepted.
const (
	MaxPeople    = 5_000_000
	MaxResamples = 20_000
	minPeople    = 50
	minOfEach    = 5 // of each outcome, in each part
	maxValue     = 1e12
	boxes        = 10 // groups of people that a figure compares
)

// Interval is an estimate with the bounds between which 95 in 100 resamples
// lie.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Estimate is what was learned of a measure.
type Estimate struct {
	Measure string `json:"measure"`
	// Used is false if the measure is not in the data or is the same for all.
	Used bool `json:"used"`
	// Coefficient is per unit: of the outcome, or of its log-odds. It may be
	// negative.
	Coefficient Interval `json:"coefficient"`
	// Weight is in points; never negative.
	Weight Interval `json:"weight"`
	// Share is the part of all points that comes of the measure, 0 to 1;
	// BaseShare is the same by the base weights.
	Share     Interval `json:"share"`
	BaseShare float64  `json:"base_share"`
	Mean      float64  `json:"mean"`
	ClippedAt float64  `json:"clipped_at"`
}

// Result is all that a calibration found.
type Result struct {
	Model     Model       `json:"model"`
	People    int         `json:"people"`
	Holdout   int         `json:"holdout"`
	Outcome   float64     `json:"mean_outcome"`
	Penalty   float64     `json:"ridge_penalty"`
	Estimates [3]Estimate `json:"estimates"`
	// Informative is false if nothing that was measured goes with more of the
	// outcome; the weights are then those of the base.
	Informative bool   `json:"informative"`
	Scores      Scores `json:"holdout_scores"`
	// Groups compare prediction and outcome in the holdout, from the tenth of
	// the people with the lowest prediction to that with the highest.
	Groups []Group `json:"groups"`
	// Profiles show the outcome along each measure, over all people.
	Profiles [3][]Group `json:"profiles"`
	ROC      Curve      `json:"-"`

	options Options
}

// Options returns what the result was estimated with.
func (r *Result) Options() Options { return r.options }

// Group is the mean of some people.
type Group struct {
	People    int     `json:"people"`
	Predicted float64 `json:"x"` // the prediction, or the measure of a profile
	Observed  float64 `json:"outcome"`
}

// Curve is the receiver operating characteristic.
type Curve struct{ FalsePositive, TruePositive []float64 }

// Weights returns the weights as points, in the order of Measures.
func (r *Result) Weights() (weights [3]float64) {
	for j := range weights {
		weights[j] = r.Estimates[j].Weight.Value
	}
	return weights
}

func (o *Options) check() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	refuse(o.Model != Auto && o.Model != Logistic && o.Model != Ridge, "model %q: expected auto, logistic or ridge", o.Model)
	refuse(o.Resamples < 20 || o.Resamples > MaxResamples, "resamples %d: expected 20 to %d", o.Resamples, MaxResamples)
	refuse(!(o.HoldoutShare >= 0.05 && o.HoldoutShare <= 0.5), "holdout %v: expected 0.05 to 0.5", o.HoldoutShare)
	refuse(!(o.ClipQuantile >= 0.5 && o.ClipQuantile <= 1), "clip %v: expected 0.5 to 1", o.ClipQuantile)
	for j, w := range o.Base {
		refuse(!(w >= 0 && w <= 1e6), "%s of the base: expected 0 to 1000000", Measures[j].Weight)
	}
	return errors.Join(faults...)
}

// checkSamples bounds what comes in and settles the model.
func checkSamples(samples []Sample, options *Options) error {
	if len(samples) > MaxPeople {
		return fmt.Errorf("%d people: expected at most %d", len(samples), MaxPeople)
	}
	if len(samples) < minPeople {
		return fmt.Errorf("%d people: expected at least %d, fewer say nothing", len(samples), minPeople)
	}
	binary := true
	for i := range samples {
		s := &samples[i]
		for j, x := range s.X {
			if !(x >= 0 && x <= maxValue) {
				return fmt.Errorf("%s of %q: expected 0 to 10^12, got %v", Measures[j].Letter, s.Person, x)
			}
		}
		if !(math.Abs(s.Outcome) <= maxValue) {
			return fmt.Errorf("outcome of %q: expected -10^12 to 10^12, got %v", s.Person, s.Outcome)
		}
		binary = binary && (s.Outcome == 0 || s.Outcome == 1)
	}
	switch {
	case options.Model == Auto && binary:
		options.Model = Logistic
	case options.Model == Auto:
		options.Model = Ridge
	case options.Model == Logistic && !binary:
		return errors.New("the logistic model explains outcomes of 0 and 1; expected these alone, or the model ridge")
	}
	return nil
}

// Run estimates. The order of the samples does not matter, and two runs with
// the same samples and options agree in every digit on one kind of machine.
// progressed is told how many of all resamples are done.
func Run(samples []Sample, options Options, progressed func(done, all int)) (*Result, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	if err := checkSamples(samples, &options); err != nil {
		return nil, err
	}
	samples = slices.Clone(samples)
	slices.SortFunc(samples, func(a, b Sample) int { return strings.Compare(a.Person, b.Person) })
	for i := 1; i < len(samples); i++ {
		if samples[i].Person == samples[i-1].Person {
			return nil, fmt.Errorf("%q is there twice: expected a sample a person", samples[i].Person)
		}
	}
	r := &Result{Model: options.Model, People: len(samples), options: options}
	random := rand.New(rand.NewPCG(options.Seed, 0))
	random.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	r.Holdout = int(math.Round(options.HoldoutShare * float64(len(samples))))
	train, hold := samples[r.Holdout:], samples[:r.Holdout]
	if options.Model == Logistic {
		if err := enoughOfEach(train, hold); err != nil {
			return nil, err
		}
	}
	p := r.prepare(samples, train)
	if len(p.columns) == 0 {
		return nil, errors.New("no measure differs between people: map at least one of hours, interactions, spend to a column that does")
	}
	t := p.table(train)
	if stat.StdDev(t.y, nil) == 0 {
		return nil, fmt.Errorf("the outcome is %v for everybody; there is nothing to explain", t.y[0])
	}
	r.Penalty = choosePenalty(t, options.Model, rand.New(rand.NewPCG(options.Seed, 1)))
	free := fit(t, nil, options.Model, r.Penalty, nil)
	bound := fitNonNegative(t, nil, options.Model, r.Penalty, free)
	r.settle(p, free, bound)
	r.resample(p, t, free, progressed)
	r.score(p, free, bound, train, hold)
	for _, j := range p.columns {
		r.Profiles[j] = profile(samples, func(s *Sample) float64 { return s.X[j] })
	}
	return r, nil
}

func enoughOfEach(parts ...[]Sample) error {
	for _, part := range parts {
		ones := 0
		for i := range part {
			ones += int(part[i].Outcome)
		}
		if ones < minOfEach || len(part)-ones < minOfEach {
			return fmt.Errorf("of %d people %d have the outcome: expected at least %d with and without it, in the holdout and in the rest", len(part), ones, minOfEach)
		}
	}
	return nil
}
