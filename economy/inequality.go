package economy

import (
	"math/big"
	"slices"

	"github.com/attentionbank/attentionbank/amount"
)

// Distribution says how unequally something is spread over people. All figures
// are exact on integers; a ratio is in millionths, rounded down.
type Distribution struct {
	// People are those with more than nothing.
	People int64  `json:"people"`
	Total  string `json:"total"`
	// Median is that of the lower of the two in the middle, if their number is
	// even; Mean is rounded down.
	Median  string `json:"median"`
	Mean    string `json:"mean"`
	Largest string `json:"largest"`
	// Gini is (2·Σ i·x_i - (n+1)·Σ x_i) / (n·Σ x_i), x_1 ≤ … ≤ x_n: 0 if all have
	// the same, near 1 if one has all.
	Gini string `json:"gini"`
	// Top1 is the share of the richest hundredth, of ⌈n/100⌉ people.
	Top1 string `json:"top_1_percent_share"`
	// Lorenz is what the poorest 0, 10, … 100 in a hundred have of the total:
	// ⌊n·d/10⌋ people.
	Lorenz []string `json:"lorenz"`
}

// distributionOf describes amounts above zero at a scale; it sorts them.
func distributionOf(amounts []int64, scale int) Distribution {
	slices.Sort(amounts)
	n := int64(len(amounts))
	d := Distribution{People: n, Total: "0", Median: "0", Mean: "0", Largest: "0", Gini: "0", Top1: "0", Lorenz: []string{}}
	if n == 0 {
		return d
	}
	all := sumOf(amounts)
	d.Total, d.Largest, d.Median = decimal(all, scale), amount.Format(amounts[n-1], scale), amount.Format(amounts[(n-1)/2], scale)
	d.Mean = decimal(new(big.Int).Quo(all, big.NewInt(n)), scale)
	d.Gini = ratio(giniParts(amounts))
	d.Top1 = ratio(sumOf(amounts[n-(n+99)/100:]), all)
	for tenth := range int64(11) {
		d.Lorenz = append(d.Lorenz, ratio(sumOf(amounts[:n*tenth/10]), all))
	}
	return d
}

// giniParts returns numerator and denominator of the Gini coefficient of sorted
// amounts.
func giniParts(sorted []int64) (numerator, denominator *big.Int) {
	n, weighted, term := big.NewInt(int64(len(sorted))), new(big.Int), new(big.Int)
	for i, v := range sorted {
		weighted.Add(weighted, term.Mul(big.NewInt(int64(i+1)), big.NewInt(v)))
	}
	all := sumOf(sorted)
	numerator = weighted.Lsh(weighted, 1)
	numerator.Sub(numerator, term.Mul(new(big.Int).Add(n, big.NewInt(1)), all))
	return numerator, new(big.Int).Mul(n, all)
}

// nakamoto returns the least number of owners who together have more than half;
// 0 if nobody has anything. It sorts the amounts.
func nakamoto(amounts []int64) int64 {
	slices.Sort(amounts)
	all, have := sumOf(amounts), new(big.Int)
	for i := len(amounts) - 1; i >= 0; i-- {
		have.Add(have, big.NewInt(amounts[i]))
		if new(big.Int).Lsh(have, 1).Cmp(all) > 0 {
			return int64(len(amounts) - i)
		}
	}
	return 0
}

func sumOf(amounts []int64) *big.Int {
	all := new(big.Int)
	for _, v := range amounts {
		all.Add(all, big.NewInt(v))
	}
	return all
}

// ratio is a/b with six decimal places, rounded down; 0 if b is.
func ratio(a, b *big.Int) string {
	if b.Sign() == 0 {
		return "0"
	}
	millionths := new(big.Int).Mul(a, big.NewInt(1_000_000))
	return decimal(millionths.Div(millionths, b), 6)
}

// decimal writes minor units of a scale as amount.Format does, of any size.
func decimal(v *big.Int, scale int) string {
	if v.IsInt64() {
		return amount.Format(v.Int64(), scale)
	}
	whole, rest := new(big.Int).QuoRem(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil), new(big.Int))
	fraction := amount.Format(new(big.Int).Abs(rest).Int64(), scale)
	if rest.Sign() == 0 {
		return whole.String()
	}
	return whole.String() + fraction[1:] // without the zero before the point
}
