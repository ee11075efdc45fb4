package score_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/score"
)

// FuzzParseSpend: an amount is read as big numbers read it, rounded down to
// hundredths, or not at all.
func FuzzParseSpend(f *testing.F) {
	for _, text := range []string{"19.99", "0.009", "1000000000000", "-0.5", ".5", "1.", "1.999999999999999999999", "1e3", "", "007"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		minor, ok := score.ParseSpend(text)
		if !ok {
			return
		}
		exact, isNumber := new(big.Rat).SetString(text)
		if !isNumber || strings.ContainsAny(text, "eE/_xX") {
			t.Fatalf("%q was read as %d", text, minor)
		}
		exact.Mul(exact, big.NewRat(100, 1))
		floor := new(big.Int).Div(exact.Num(), exact.Denom())
		if !floor.IsInt64() || floor.Int64() != minor || minor < 0 {
			t.Fatalf("%q was read as %d, expected %s", text, minor, floor)
		}
	})
}
