package calibrate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// Scores are taken on people whom the estimate has not seen.
type Scores struct {
	// AUC is the chance that of two people, one with the outcome and one
	// without, the model ranks the former higher; BaseAUC and PointsAUC are the
	// same by the points of the base and of the new weights. Logistic only.
	AUC       *Interval `json:"auc,omitempty"`
	BaseAUC   float64   `json:"base_points_auc,omitempty"`
	PointsAUC float64   `json:"points_auc,omitempty"`
	// LogLoss is the mean negative log-likelihood, in nats; ConstantLogLoss
	// that of who always says the share of the training part.
	LogLoss         float64 `json:"log_loss,omitempty"`
	ConstantLogLoss float64 `json:"constant_log_loss,omitempty"`
	// R2 is 1 - Σ(miss)²/Σ(miss of the training part's mean)²: below zero if
	// the model is worse than that mean. Ridge only.
	R2 *Interval `json:"r2,omitempty"`
	// Correlation of points and outcome by ranks (Spearman), by the base and by
	// the new weights. Ridge only.
	BaseRank   float64 `json:"base_points_rank_correlation,omitempty"`
	PointsRank float64 `json:"points_rank_correlation,omitempty"`
}

// scoreResamples is how often the holdout is drawn anew for the interval of a
// score.
const scoreResamples = 200

func (r *Result) score(p *preparation, free, bound coefficients, train, hold []Sample) {
	t := p.table(hold)
	predicted := make([]float64, len(t.y))
	for i := range predicted {
		predicted[i] = free.at(t.row(i))
	}
	weights := r.Weights()
	points := func(by [3]float64) []float64 {
		list := make([]float64, len(hold))
		for i := range hold {
			for j, w := range by {
				list[i] += w * hold[i].X[j]
			}
		}
		return list
	}
	var trainMean float64
	for i := range train {
		trainMean += train[i].Outcome / float64(len(train))
	}
	random := rand.New(rand.NewPCG(r.options.Seed, 2))
	if r.Model == Logistic {
		r.ROC, _ = roc(predicted, t.y, nil)
		r.Scores.AUC = interval(t.y, random, func(counts []float64) float64 {
			_, auc := roc(predicted, t.y, counts)
			return auc
		})
		_, r.Scores.BaseAUC = roc(points(p.base), t.y, nil)
		_, r.Scores.PointsAUC = roc(points(weights), t.y, nil)
		for i, y := range t.y {
			r.Scores.LogLoss += Logistic.loss(predicted[i], y) / float64(len(t.y))
			r.Scores.ConstantLogLoss += Logistic.loss(math.Log(trainMean/(1-trainMean)), y) / float64(len(t.y))
		}
	} else {
		r.Scores.R2 = interval(t.y, random, func(counts []float64) float64 { return rSquared(predicted, t.y, trainMean, counts) })
		r.Scores.BaseRank = rankCorrelation(points(p.base), t.y)
		r.Scores.PointsRank = rankCorrelation(points(weights), t.y)
	}
	at := make(map[string]float64, len(hold))
	for i := range hold {
		at[hold[i].Person] = r.Model.mean(predicted[i])
	}
	r.Groups = profile(hold, func(s *Sample) float64 { return at[s.Person] })
}

// interval computes a score of the holdout, and of as many draws from it.
func interval(y []float64, random *rand.Rand, score func(counts []float64) float64) *Interval {
	counts, values := make([]float64, len(y)), make([]float64, 0, scoreResamples)
	for range scoreResamples {
		clear(counts)
		for range counts {
			counts[random.IntN(len(counts))]++
		}
		if v := score(counts); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	result := &Interval{Value: score(nil)}
	result.Low, result.High = result.Value, result.Value
	if slices.Sort(values); len(values) > 0 {
		result.Low, result.High = stat.Quantile(0.025, stat.LinInterp, values, nil), stat.Quantile(0.975, stat.LinInterp, values, nil)
	}
	return result
}

// roc returns the curve of a ranking and the area under it.
func roc(rank, y, counts []float64) (curve Curve, auc float64) {
	order := make([]int, len(y))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rank[a], rank[b]) })
	scores, classes := make([]float64, len(y)), make([]bool, len(y))
	var weights []float64
	for at, i := range order {
		scores[at], classes[at] = rank[i], y[i] == 1
		if counts != nil {
			weights = append(weights, counts[i])
		}
	}
	truePositive, falsePositive, _ := stat.ROC(nil, scores, classes, weights)
	return Curve{falsePositive, truePositive}, integrate.Trapezoidal(falsePositive, truePositive)
}

func rSquared(predicted, y []float64, mean float64, counts []float64) float64 {
	var miss, spread float64
	for i := range y {
		w := 1.0
		if counts != nil {
			w = counts[i]
		}
		miss += w * (y[i] - predicted[i]) * (y[i] - predicted[i])
		spread += w * (y[i] - mean) * (y[i] - mean)
	}
	return 1 - miss/spread
}

// rankCorrelation is Spearman's: the correlation of the places in the order,
// equals having the mean of theirs.
func rankCorrelation(a, b []float64) float64 {
	if c := stat.Correlation(ranks(a), ranks(b), nil); !math.IsNaN(c) {
		return c
	}
	return 0 // one of them is the same for all
}

func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranked := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranked[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return ranked
}

// profile returns the mean outcome of groups of about equal number, along a
// value. People with the same value stay together.
func profile(samples []Sample, value func(*Sample) float64) (groups []Group) {
	type point struct{ x, y float64 }
	points := make([]point, len(samples))
	for i := range samples {
		points[i] = point{value(&samples[i]), samples[i].Outcome}
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y)) })
	for from := 0; from < len(points); {
		box := from*boxes/len(points) + 1
		to := min(len(points), (box*len(points)+boxes-1)/boxes)
		for to < len(points) && points[to].x == points[to-1].x {
			to++
		}
		g := Group{People: to - from}
		for _, p := range points[from:to] {
			g.Predicted += p.x / float64(to-from)
			g.Observed += p.y / float64(to-from)
		}
		groups, from = append(groups, g), to
	}
	return groups
}
