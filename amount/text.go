package amount

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSyntax is returned by Parse for text that is not a plain decimal number.
var ErrSyntax = errors.New("not a decimal number: expected digits with at most one point, such as 12 or -0.50")

// ErrPrecision is returned by Parse for a number that has a non-zero digit
// below the minor unit. Parse never rounds.
var ErrPrecision = errors.New("more decimal places than the asset has")

// ErrRange is returned by Parse for a number that does not fit an int64.
var ErrRange = errors.New("number too large")

// Parse reads a decimal number as minor units of the given scale (0 to
// MaxScale), exactly: "3.75" at scale 6 is 3750000. An exponent, a sign other
// than one leading minus, digit separators and spaces are refused. Zeros below
// the minor unit are accepted.
func Parse(text string, scale int) (int64, error) {
	if scale < 0 || scale > MaxScale {
		return 0, fmt.Errorf("scale %d is outside 0 to %d", scale, MaxScale)
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, hasPoint := strings.Cut(digits, ".")
	if whole == "" && fraction == "" || hasPoint && fraction == "" {
		return 0, ErrSyntax
	}
	var value uint64
	for _, digit := range []byte(whole) {
		if err := appendDigit(&value, digit); err != nil {
			return 0, err
		}
	}
	for place := range max(scale, len(fraction)) {
		digit := byte('0')
		if place < len(fraction) {
			digit = fraction[place]
		}
		if place < scale {
			if err := appendDigit(&value, digit); err != nil {
				return 0, err
			}
			continue
		}
		if digit < '0' || digit > '9' {
			return 0, ErrSyntax
		}
		if digit != '0' {
			return 0, ErrPrecision
		}
	}
	result, ok := signed(value, negative)
	if !ok {
		return 0, ErrRange
	}
	return result, nil
}

func appendDigit(value *uint64, digit byte) error {
	if digit < '0' || digit > '9' {
		return ErrSyntax
	}
	if *value > (1<<63)/10 {
		return ErrRange
	}
	*value = *value*10 + uint64(digit-'0')
	return nil
}

// Format writes minor units of the given scale as the shortest decimal text
// that Parse reads back to the same value: 3750000 at scale 6 is "3.75".
// A scale outside 0 to MaxScale panics.
func Format(v int64, scale int) string {
	if scale < 0 || scale > MaxScale {
		panic(fmt.Sprintf("amount: scale %d is outside 0 to %d", scale, MaxScale))
	}
	digits := strconv.FormatUint(magnitude(v), 10)
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 {
		return "-" + whole
	}
	return whole
}
