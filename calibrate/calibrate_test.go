package calibrate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/calibrate"
)

// world makes people whose outcome is known to come of 0.4 an hour, 0.05 an
// interaction and 0.02 a unit of currency.
var truth = [3]float64{0.4, 0.05, 0.02}

func world(seed uint64, people int, outcome func(z float64, random *rand.Rand) float64) (samples []calibrate.Sample) {
	random := rand.New(rand.NewPCG(seed, 9))
	for i := range people {
		s := calibrate.Sample{Person: fmt.Sprintf("p%06d", i)}
		s.X = [3]float64{random.ExpFloat64() * 2, float64(random.IntN(40)), 0}
		if random.IntN(4) == 0 {
			s.X[2] = random.ExpFloat64() * 30
		}
		z := -2.0
		for j, x := range s.X {
			z += truth[j] * x
		}
		s.Outcome = outcome(z, random)
		samples = append(samples, s)
	}
	return samples
}

func stays(z float64, random *rand.Rand) float64 {
	if random.Float64() < 1/(1+math.Exp(-z)) {
		return 1
	}
	return 0
}

func spends(z float64, random *rand.Rand) float64 { return z + random.NormFloat64() }

func options(resamples int) calibrate.Options {
	o := calibrate.DefaultOptions()
	o.Resamples, o.ClipQuantile = resamples, 1
	return o
}

func mustRun(t *testing.T, samples []calibrate.Sample, o calibrate.Options) *calibrate.Result {
	t.Helper()
	r, err := calibrate.Run(samples, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the data was made of is found again, within the intervals.
func TestKnownCoefficientsAreRecovered(t *testing.T) {
	for name, outcome := range map[calibrate.Model]func(float64, *rand.Rand) float64{calibrate.Logistic: stays, calibrate.Ridge: spends} {
		t.Run(string(name), func(t *testing.T) {
			samples := world(2, 6000, outcome)
			r := mustRun(t, samples, options(200))
			if r.Model != name || !r.Informative {
				t.Fatalf("model %s, informative %v", r.Model, r.Informative)
			}
			for j, e := range r.Estimates {
				if c := e.Coefficient; c.Low > truth[j] || truth[j] > c.High || c.High-c.Low > truth[j] {
					t.Errorf("%s: %.4f in [%.4f, %.4f], the truth is %.4f", e.Measure, c.Value, c.Low, c.High, truth[j])
				}
				// The ratio of two weights is that of what the data was made of.
				if got, want := e.Weight.Value/r.Estimates[0].Weight.Value, truth[j]/truth[0]; math.Abs(got/want-1) > 0.15 {
					t.Errorf("%s : α = %.4f, the truth is %.4f", e.Measure, got, want)
				}
			}
		})
	}
}

// Of 95 % intervals about 95 in 100 hold the truth. Seeds are fixed: with a
// right method fewer than 103 of 120 happen once in two thousand times.
func TestIntervalsHoldTheTruthAsOftenAsTheySay(t *testing.T) {
	hits, all := 0, 0
	for seed := range uint64(40) {
		r := mustRun(t, world(100+seed, 600, stays), options(60))
		for j, e := range r.Estimates {
			all++
			if e.Coefficient.Low <= truth[j] && truth[j] <= e.Coefficient.High {
				hits++
			}
		}
	}
	if hits < all*86/100 {
		t.Errorf("%d of %d intervals hold the truth", hits, all)
	}
}

// The same people earn as much in all as by the base, whatever the ratio.
func TestWeightsKeepTheSumOfPoints(t *testing.T) {
	samples := world(5, 2000, stays)
	o := options(20)
	r := mustRun(t, samples, o)
	var base, now float64
	for _, s := range samples {
		for j, x := range s.X {
			base += o.Base[j] * x
			now += r.Weights()[j] * x
		}
	}
	if math.Abs(now/base-1) > 1e-9 {
		t.Errorf("%v points by the base, %v by the new weights", base, now)
	}
}

// Order and the number of processors decide nothing; the seed does.
func TestResultsAreOfSamplesAndSeedAlone(t *testing.T) {
	samples := world(7, 500, stays)
	first := mustRun(t, samples, options(40))
	slices.Reverse(samples)
	if second := mustRun(t, samples, options(40)); fmt.Sprintf("%+v", *first.Scores.AUC) != fmt.Sprintf("%+v", *second.Scores.AUC) || first.Estimates != second.Estimates {
		t.Errorf("the order of the samples decides: %+v, then %+v", first.Estimates, second.Estimates)
	}
	other := options(40)
	other.Seed = 2
	if mustRun(t, samples, other).Estimates == first.Estimates {
		t.Error("another seed draws the same")
	}
}

// A measure that goes with less of the outcome gets no weight, and what was not
// measured keeps its own.
func TestNegativeMeasuresWeighNothing(t *testing.T) {
	samples := world(11, 3000, stays)
	for i := range samples {
		samples[i].X[1] = 40 - samples[i].X[1] // now interactions deter
		samples[i].X[2] = 0
	}
	r := mustRun(t, samples, options(40))
	if e := r.Estimates[1]; e.Coefficient.High >= 0 || e.Weight.Value != 0 {
		t.Errorf("interactions deter and weigh %+v, coefficient %+v", e.Weight, e.Coefficient)
	}
	if e := r.Estimates[2]; e.Used || e.Weight.Value != 1 {
		t.Errorf("spend was not measured and weighs %+v", e.Weight)
	}
	for i := range samples {
		samples[i].X[0] = 0
	}
	r = mustRun(t, samples, options(40))
	if r.Informative || r.Weights() != r.Options().Base {
		t.Errorf("nothing goes with the outcome, and the weights are %v, informative %v", r.Weights(), r.Informative)
	}
}

// Scores are of people whom the fit has not seen: noise scores as noise.
func TestNoiseScoresAsNoise(t *testing.T) {
	noise := func(_ float64, random *rand.Rand) float64 { return float64(random.IntN(2)) }
	r := mustRun(t, world(13, 4000, noise), options(20))
	if auc := r.Scores.AUC; auc.Low > 0.5 || auc.High < 0.5 || auc.High-auc.Low > 0.15 {
		t.Errorf("noise has an AUC of %+v", auc)
	}
	if r.Scores.LogLoss < r.Scores.ConstantLogLoss-0.01 {
		t.Errorf("noise is predicted: %v against %v", r.Scores.LogLoss, r.Scores.ConstantLogLoss)
	}
	normal := func(_ float64, random *rand.Rand) float64 { return random.NormFloat64() }
	if r := mustRun(t, world(13, 4000, normal), options(20)); r.Scores.R2.Value > 0.01 {
		t.Errorf("noise has an R² of %+v", r.Scores.R2)
	}
}

func TestWhatSaysNothingIsRefused(t *testing.T) {
	good := world(1, 200, stays)
	with := func(change func([]calibrate.Sample)) []calibrate.Sample {
		samples := slices.Clone(good)
		change(samples)
		return samples
	}
	all := func(change func(*calibrate.Sample)) []calibrate.Sample {
		return with(func(list []calibrate.Sample) {
			for i := range list {
				change(&list[i])
			}
		})
	}
	for _, c := range []struct {
		name    string
		samples []calibrate.Sample
		option  func(*calibrate.Options)
		says    string
	}{
		{"too few", good[:49], nil, "expected at least 50"},
		{"nobody", nil, nil, "expected at least 50"},
		{"not a number", with(func(l []calibrate.Sample) { l[7].X[0] = math.NaN() }), nil, `T of "p000007"`},
		{"without end", with(func(l []calibrate.Sample) { l[7].X[2] = math.Inf(1) }), nil, `C of "p000007"`},
		{"below zero", with(func(l []calibrate.Sample) { l[7].X[1] = -1 }), nil, `I of "p000007"`},
		{"outcome no number", with(func(l []calibrate.Sample) { l[7].Outcome = math.NaN() }), nil, `outcome of "p000007"`},
		{"twice", with(func(l []calibrate.Sample) { l[7].Person = l[8].Person }), nil, "is there twice"},
		{"one outcome", all(func(s *calibrate.Sample) { s.Outcome = 1 }), nil, "of 160 people 160 have the outcome"},
		{"one outcome, ridge", all(func(s *calibrate.Sample) { s.Outcome = 7 }), nil, "nothing to explain"},
		{"all the same", all(func(s *calibrate.Sample) { s.X = [3]float64{1, 2, 3} }), nil, "no measure differs"},
		{"logistic of sums", with(func(l []calibrate.Sample) { l[7].Outcome = 2 }), func(o *calibrate.Options) { o.Model = calibrate.Logistic }, "outcomes of 0 and 1"},
		{"model", good, func(o *calibrate.Options) { o.Model = "forest" }, "expected auto, logistic or ridge"},
		{"resamples", good, func(o *calibrate.Options) { o.Resamples = 1 << 30 }, "expected 20 to 20000"},
		{"holdout", good, func(o *calibrate.Options) { o.HoldoutShare = math.NaN() }, "expected 0.05 to 0.5"},
		{"clip", good, func(o *calibrate.Options) { o.ClipQuantile = 2 }, "expected 0.5 to 1"},
	} {
		o := options(20)
		if c.option != nil {
			c.option(&o)
		}
		if _, err := calibrate.Run(c.samples, o, nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected it to say %q", c.name, err, c.says)
		}
	}
}

// Values that are as extreme as they may be do not break the arithmetic, and a
// measure that tells the outcome apart wholly has a finite weight.
func TestExtremesAreFinite(t *testing.T) {
	samples := world(1, 200, stays)
	for i := range samples {
		samples[i].Outcome = float64(i % 2)
		samples[i].X = [3]float64{samples[i].Outcome * 1e12, float64(i % 3), 1e-9 * float64(i)}
	}
	r := mustRun(t, samples, options(20))
	for _, e := range r.Estimates {
		for _, v := range []float64{e.Weight.Value, e.Weight.Low, e.Weight.High, e.Coefficient.Value, e.Share.Value} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %+v", e.Measure, e)
			}
		}
	}
	if r.Scores.AUC.Value < 0.999 {
		t.Errorf("the outcome is told by T alone, and the AUC is %+v", r.Scores.AUC)
	}
}

func TestLambdaPaysATypicalHourOneTime(t *testing.T) {
	if got := calibrate.TypicalHourMicro([]int64{90_000_000, 30_000_000, 61_000_001, 60_000_000}); got != 60_500_000 {
		t.Errorf("the median is %d", got)
	}
	for hour, lambda := range map[int64]int64{60_000_000: 16_667, 1_000_000: 1_000_000, 0: 0, 3_000_000: 333_334, 1: 0} {
		if got := calibrate.LambdaMicro(hour); got != lambda {
			t.Errorf("a typical hour of %d: λ = %d, expected %d", hour, got, lambda)
		}
	}
}
