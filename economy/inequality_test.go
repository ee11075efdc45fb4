package economy

import (
	"math/big"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/amount"
	"pgregory.net/rapid"
)

// Figures that can be worked out on paper.
func TestInequalityOfKnownDistributions(t *testing.T) {
	equal, one := make([]int64, 200), make([]int64, 200)
	for i := range equal {
		equal[i], one[i] = 7, 1
	}
	one[199] = 801 // 199 have 1, one has 801 of 1000
	for _, c := range []struct {
		name             string
		amounts          []int64
		gini, top, fifth string
		nakamoto         int64
	}{
		{"nobody", nil, "0", "0", "", 0},
		{"one", []int64{5}, "0", "1", "0", 1},
		{"all the same", equal, "0", "0.01", "0.5", 101},
		{"one has most", one, "0.796", "0.802", "0.1", 1},
		{"1 to 4", []int64{4, 2, 1, 3}, "0.25", "0.4", "0.3", 2},
		{"half is not more than half", []int64{5, 5}, "0", "0.5", "0.5", 2},
	} {
		d := distributionOf(slices.Clone(c.amounts), 0)
		fifth := ""
		if len(d.Lorenz) > 5 {
			fifth = d.Lorenz[5]
		}
		if got := nakamoto(slices.Clone(c.amounts)); d.Gini != c.gini || d.Top1 != c.top || got != c.nakamoto || fifth != c.fifth {
			t.Errorf("%s: Gini %s, top %s, Nakamoto %d, poorer half %s; expected %+v", c.name, d.Gini, d.Top1, got, fifth, c)
		}
	}
}

// The Gini coefficient is half the mean absolute difference over the mean; the
// order of people does not matter, nor does the unit.
func TestGiniIsTheMeanDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Int64Range(1, 1<<62), 1, 30).Draw(t, "amounts")
		differences, all := new(big.Int), sumOf(amounts)
		for _, a := range amounts {
			for _, b := range amounts {
				differences.Add(differences, new(big.Int).Abs(new(big.Int).Sub(big.NewInt(a), big.NewInt(b))))
			}
		}
		want := ratio(differences, all.Mul(all, big.NewInt(2*int64(len(amounts)))))
		shuffled := rapid.Permutation(amounts).Draw(t, "shuffled")
		if got := distributionOf(shuffled, 0).Gini; got != want {
			t.Fatalf("Gini %s, by its definition %s", got, want)
		}
	})
}

func TestDecimalsOfAnySize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, scale := rapid.Int64().Draw(t, "v"), rapid.IntRange(0, 18).Draw(t, "scale")
		if got, want := decimal(big.NewInt(v), scale), amount.Format(v, scale); got != want {
			t.Fatalf("%d: %s, expected %s", v, got, want)
		}
	})
	huge, _ := new(big.Int).SetString("123456789012345678901234500", 10)
	for scale, want := range map[int]string{0: "123456789012345678901234500", 6: "123456789012345678901.2345", 2: "1234567890123456789012345"} {
		if got := decimal(huge, scale); got != want {
			t.Errorf("scale %d: %s, expected %s", scale, got, want)
		}
	}
}
