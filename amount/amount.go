// Package amount is checked integer arithmetic for money and attention.
//
// An amount is an int64 count of minor units; its asset says how many decimal
// places a minor unit stands for (its scale). Nothing here rounds without its
// name saying in which direction, and nothing wraps: a result that does not
// fit is reported, never truncated.
package amount

import "math/bits"

// MaxScale is the largest number of decimal places that an asset may have:
// 10^18 is the largest power of ten that fits an int64.
const MaxScale = 18

// Add returns a+b; ok is false when the sum does not fit.
func Add(a, b int64) (sum int64, ok bool) {
	sum = a + b
	return sum, (a^sum)&(b^sum) >= 0
}

// Sub returns a-b; ok is false when the difference does not fit.
func Sub(a, b int64) (difference int64, ok bool) {
	difference = a - b
	return difference, (a^b)&(a^difference) >= 0
}

// Mul returns a*b; ok is false when the product does not fit.
func Mul(a, b int64) (product int64, ok bool) {
	return MulDivDown(a, b, 1)
}

// MulDivDown returns a*b/c rounded towards minus infinity, with the product in
// 128 bits. ok is false when c is not positive or the result does not fit.
func MulDivDown(a, b, c int64) (quotient int64, ok bool) {
	return mulDiv(a, b, c, false)
}

// MulDivUp returns a*b/c rounded towards plus infinity, with the product in
// 128 bits. ok is false when c is not positive or the result does not fit.
func MulDivUp(a, b, c int64) (quotient int64, ok bool) {
	return mulDiv(a, b, c, true)
}

func mulDiv(a, b, c int64, up bool) (int64, bool) {
	if c <= 0 {
		return 0, false
	}
	negative := (a < 0) != (b < 0)
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high >= uint64(c) {
		return 0, false
	}
	quotient, remainder := bits.Div64(high, low, uint64(c))
	// The magnitude grows by one where rounding goes away from zero.
	if remainder != 0 && negative != up {
		quotient++
		if quotient == 0 {
			return 0, false
		}
	}
	return signed(quotient, negative)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func signed(magnitude uint64, negative bool) (int64, bool) {
	if negative {
		return int64(-magnitude), magnitude <= 1<<63
	}
	return int64(magnitude), magnitude < 1<<63
}
