package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// table is what a model is fitted to: a row a person, the columns clipped and
// brought to mean 0 and deviation 1.
type table struct {
	columns int
	x       []float64 // row after row
	y       []float64
}

func (t *table) row(i int) []float64 { return t.x[i*t.columns : (i+1)*t.columns] }

// coefficients are an intercept and a slope for each column.
type coefficients []float64

func (c coefficients) at(row []float64) float64 {
	sum := c[0]
	for j, x := range row {
		sum += c[j+1] * x
	}
	return sum
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// mean returns what the model expects for a linear term.
func (m Model) mean(z float64) float64 {
	if m == Logistic {
		return sigmoid(z)
	}
	return z
}

// loss is that of one person: the squared error, halved, or the negative
// log-likelihood.
func (m Model) loss(z, y float64) float64 {
	if m == Ridge {
		return (z - y) * (z - y) / 2
	}
	// log(1+e^z) - y·z, without overflow
	return math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - y*z
}

// fit minimises the mean loss + penalty/2·Σ slope² by Newton's method, which
// for the ridge model is one step. counts says how often each person counts,
// nil for once; start may be nil. keep says which columns may have a slope, nil
// for all.
func fit(t *table, counts []float64, model Model, penalty float64, start coefficients, keep ...bool) coefficients {
	n := t.columns + 1
	b := make(coefficients, n)
	copy(b, start)
	for j := range keep {
		if !keep[j] {
			b[j+1] = 0
		}
	}
	gradient, hessian := mat.NewVecDense(n, nil), mat.NewSymDense(n, nil)
	step := mat.NewVecDense(n, nil)
	const most = 100
	for range most {
		value := derive(t, counts, model, penalty, b, gradient, hessian)
		for j := range keep {
			if !keep[j] { // the slope stays where it is
				for k := range n {
					hessian.SetSym(j+1, k, 0)
				}
				hessian.SetSym(j+1, j+1, 1)
				gradient.SetVec(j+1, 0)
			}
		}
		var factor mat.Cholesky
		if !factor.Factorize(hessian) {
			panic(fmt.Sprintf("calibrate: a penalised problem of %d people is not convex: %v", len(t.y), mat.Formatted(hessian)))
		}
		if err := factor.SolveVecTo(step, gradient); err != nil {
			panic(fmt.Sprintf("calibrate: solving for %d people: %v", len(t.y), err))
		}
		decrease := mat.Dot(gradient, step)
		if decrease < 1e-12*(1+math.Abs(value)) {
			break
		}
		next := make(coefficients, n)
		for size := 1.0; size > 1e-8; size /= 2 {
			for j := range next {
				next[j] = b[j] - size*step.AtVec(j)
			}
			if model == Ridge || objective(t, counts, model, penalty, next) <= value-size*decrease/4 {
				break
			}
		}
		copy(b, next)
	}
	return b
}

func objective(t *table, counts []float64, model Model, penalty float64, b coefficients) float64 {
	var sum, all float64
	for i, y := range t.y {
		w := 1.0
		if counts != nil {
			w = counts[i]
		}
		if w != 0 {
			sum += w * model.loss(b.at(t.row(i)), y)
			all += w
		}
	}
	sum /= all
	for _, slope := range b[1:] {
		sum += penalty / 2 * slope * slope
	}
	return sum
}

// derive fills in the gradient and the second derivatives and returns the
// value.
func derive(t *table, counts []float64, model Model, penalty float64, b coefficients, gradient *mat.VecDense, hessian *mat.SymDense) float64 {
	n := t.columns + 1
	g, h := make([]float64, n), make([]float64, n*n)
	var sum, all float64
	for i, y := range t.y {
		w := 1.0
		if counts != nil {
			if w = counts[i]; w == 0 {
				continue
			}
		}
		row := t.row(i)
		z := b.at(row)
		m, curve := model.mean(z), 1.0
		if model == Logistic {
			curve = m * (1 - m)
		}
		sum += w * model.loss(z, y)
		all += w
		miss := w * (m - y)
		curve *= w
		g[0] += miss
		h[0] += curve
		for j, xj := range row {
			g[j+1] += miss * xj
			h[j+1] += curve * xj
			for k := j; k < len(row); k++ {
				h[(j+1)*n+k+1] += curve * xj * row[k]
			}
		}
	}
	value := sum / all
	for j := range n {
		ridge := penalty
		if j == 0 {
			ridge = 0 // the intercept is not shrunk
		}
		value += ridge / 2 * b[j] * b[j]
		gradient.SetVec(j, g[j]/all+ridge*b[j])
		for k := j; k < n; k++ {
			v := h[j*n+k] / all
			if j == k {
				v += ridge + 1e-12
			}
			hessian.SetSym(j, k, v)
		}
	}
	return value
}

// fitNonNegative returns the fit whose slopes are not below zero: the column
// with the most negative slope is left out, until none is. A policy has no
// negative weights.
func fitNonNegative(t *table, counts []float64, model Model, penalty float64, free coefficients) coefficients {
	keep := make([]bool, t.columns)
	for j := range keep {
		keep[j] = true
	}
	b := free
	for {
		worst := -1
		for j := range keep {
			if keep[j] && b[j+1] < 0 && (worst < 0 || b[j+1] < b[worst+1]) {
				worst = j
			}
		}
		if worst < 0 {
			return b
		}
		keep[worst] = false
		b = fit(t, counts, model, penalty, b, keep...)
	}
}

// penalties are tried in this order; columns have deviation 1.
var penalties = []float64{1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1}

// choosePenalty returns the penalty with the least loss over five folds.
func choosePenalty(t *table, model Model, random *rand.Rand) float64 {
	const folds = 5
	foldOf := make([]int, len(t.y))
	for i := range foldOf {
		foldOf[i] = i % folds
	}
	random.Shuffle(len(foldOf), func(i, j int) { foldOf[i], foldOf[j] = foldOf[j], foldOf[i] })
	best, least := penalties[0], math.Inf(1)
	for _, penalty := range penalties {
		var sum float64
		for fold := range folds {
			counts := make([]float64, len(t.y))
			for i := range counts {
				if foldOf[i] != fold {
					counts[i] = 1
				}
			}
			b := fit(t, counts, model, penalty, nil)
			for i, y := range t.y {
				if foldOf[i] == fold {
					sum += model.loss(b.at(t.row(i)), y)
				}
			}
		}
		if sum < least {
			best, least = penalty, sum
		}
	}
	return best
}
