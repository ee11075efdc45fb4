package amount_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/attentionbank/attentionbank/amount"
	"pgregory.net/rapid"
)

// anyInt64 favours the edges, where overflow lives.
func anyInt64(t *rapid.T, label string) int64 {
	return rapid.OneOf(
		rapid.Int64(),
		rapid.Int64Range(-3, 3),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1}),
	).Draw(t, label)
}

func requireEqualsBig(t *rapid.T, what string, got int64, ok bool, want *big.Int) {
	t.Helper()
	if ok != want.IsInt64() {
		t.Fatalf("%s: ok = %v for the exact result %s", what, ok, want)
	}
	if ok && got != want.Int64() {
		t.Fatalf("%s = %d, exactly it is %s", what, got, want)
	}
}

func TestArithmeticEqualsBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyInt64(t, "a"), anyInt64(t, "b")
		c := max(anyInt64(t, "c")&math.MaxInt64, 1)
		bigA, bigB, bigC := big.NewInt(a), big.NewInt(b), big.NewInt(c)

		sum, ok := amount.Add(a, b)
		requireEqualsBig(t, "Add", sum, ok, new(big.Int).Add(bigA, bigB))
		difference, ok := amount.Sub(a, b)
		requireEqualsBig(t, "Sub", difference, ok, new(big.Int).Sub(bigA, bigB))
		product := new(big.Int).Mul(bigA, bigB)
		got, ok := amount.Mul(a, b)
		requireEqualsBig(t, "Mul", got, ok, product)

		// big.Int's DivMod is Euclidean: for a positive divisor, that is the floor.
		floor, remainder := new(big.Int).DivMod(product, bigC, new(big.Int))
		down, ok := amount.MulDivDown(a, b, c)
		requireEqualsBig(t, "MulDivDown", down, ok, floor)
		if remainder.Sign() != 0 {
			floor.Add(floor, big.NewInt(1))
		}
		up, ok := amount.MulDivUp(a, b, c)
		requireEqualsBig(t, "MulDivUp", up, ok, floor)
	})
}

func TestDivisorMustBePositive(t *testing.T) {
	for _, divisor := range []int64{0, -1, math.MinInt64} {
		if _, ok := amount.MulDivDown(1, 1, divisor); ok {
			t.Errorf("MulDivDown accepted divisor %d", divisor)
		}
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		text  string
		scale int
		want  int64
		err   error
	}{
		{"3.75", 6, 3_750_000, nil},
		{"-0.5", 2, -50, nil},
		{".5", 1, 5, nil},
		{"1.500", 1, 15, nil},
		{"0", 0, 0, nil},
		{"9223372036854775807", 0, math.MaxInt64, nil},
		{"-9223372036854775808", 0, math.MinInt64, nil},
		{"9223372036854775808", 0, 0, amount.ErrRange},
		{"1", 18, 1_000_000_000_000_000_000, nil},
		{"10", 18, 0, amount.ErrRange},
		{"0.001", 2, 0, amount.ErrPrecision},
		{"", 2, 0, amount.ErrSyntax},
		{"-", 2, 0, amount.ErrSyntax},
		{".", 2, 0, amount.ErrSyntax},
		{"1.", 2, 0, amount.ErrSyntax},
		{"+1", 2, 0, amount.ErrSyntax},
		{"1e3", 2, 0, amount.ErrSyntax},
		{"1 000", 2, 0, amount.ErrSyntax},
		{"1.0x", 1, 0, amount.ErrSyntax},
		{"--1", 2, 0, amount.ErrSyntax},
	} {
		got, err := amount.Parse(test.text, test.scale)
		if got != test.want || err != test.err {
			t.Errorf("Parse(%q, %d) = %d, %v; want %d, %v", test.text, test.scale, got, err, test.want, test.err)
		}
	}
}

func TestFormatAndParseAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, scale := anyInt64(t, "v"), rapid.IntRange(0, amount.MaxScale).Draw(t, "scale")
		text := amount.Format(v, scale)
		back, err := amount.Parse(text, scale)
		if err != nil || back != v {
			t.Fatalf("%d at scale %d is %q, which reads back as %d, %v", v, scale, text, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"3.75", "-0.5", "1e9", "", ".", "00000000000000000000001"} {
		f.Add(seed, 6)
	}
	f.Fuzz(func(t *testing.T, text string, scale int) {
		v, err := amount.Parse(text, scale)
		if err != nil {
			return
		}
		if back, err := amount.Parse(amount.Format(v, scale), scale); err != nil || back != v {
			t.Fatalf("%q is %d, which prints as %q", text, v, amount.Format(v, scale))
		}
	})
}
