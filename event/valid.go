package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// ErrJSON is returned for bytes that are no JSON.
var ErrJSON = errors.New("not valid JSON")

// shape checks that a body is JSON (RFC 8259) within the bounds on depth and
// members. Its events may lie nesting levels deep in it. What it accepts is
// what encoding/json accepts within those bounds: a fuzz test compares the two.
// One walk over the bytes, eight at a time within strings, is several times as
// fast as the library's, and validity is the larger part of reading events.
func shape(body []byte, nesting int) error {
	v := validator{src: body, maxDepth: MaxDepth + nesting}
	end := v.value(skipSpace(body, 0), 0)
	if v.err == nil && skipSpace(body, end) != len(body) {
		v.err = ErrJSON
	}
	return v.err
}

// validator walks bytes that may be anything. Its methods take where something
// begins, and return the index after it; they set err if it is not there.
type validator struct {
	src      []byte
	maxDepth int
	err      error
}

func (v *validator) fail(err error) int {
	if v.err == nil {
		v.err = err
	}
	return len(v.src)
}

// at returns the byte at i; 0, which stands nowhere in JSON, behind the end.
func (v *validator) at(i int) byte {
	if i < len(v.src) {
		return v.src[i]
	}
	return 0
}

// value walks a value that lies in depth objects and lists.
func (v *validator) value(i, depth int) int {
	switch c := v.at(i); c {
	case '"':
		return v.text(i)
	case '{', '[':
		if depth == v.maxDepth {
			return v.fail(fmt.Errorf("nested deeper than %d levels", v.maxDepth))
		}
		if c == '{' {
			return v.object(i, depth+1)
		}
		return v.list(i, depth+1)
	case 't':
		return v.literal(i, "true")
	case 'f':
		return v.literal(i, "false")
	case 'n':
		return v.literal(i, "null")
	}
	return v.number(i)
}

func (v *validator) object(i, depth int) int {
	if i = skipSpace(v.src, i+1); v.at(i) == '}' {
		return i + 1
	}
	for keys := 1; v.err == nil; keys++ {
		if v.at(i) != '"' {
			return v.fail(ErrJSON)
		}
		if keys > MaxKeys {
			return v.fail(fmt.Errorf("an object has more than %d members", MaxKeys))
		}
		if i = skipSpace(v.src, v.text(i)); v.at(i) != ':' {
			return v.fail(ErrJSON)
		}
		i = skipSpace(v.src, v.value(skipSpace(v.src, i+1), depth))
		switch v.at(i) {
		case ',':
			i = skipSpace(v.src, i+1)
		case '}':
			return i + 1
		default:
			return v.fail(ErrJSON)
		}
	}
	return len(v.src)
}

func (v *validator) list(i, depth int) int {
	if i = skipSpace(v.src, i+1); v.at(i) == ']' {
		return i + 1
	}
	for v.err == nil {
		i = skipSpace(v.src, v.value(i, depth))
		switch v.at(i) {
		case ',':
			i = skipSpace(v.src, i+1)
		case ']':
			return i + 1
		default:
			return v.fail(ErrJSON)
		}
	}
	return len(v.src)
}

func (v *validator) text(i int) int {
	for i = special(v.src, i+1); v.at(i) == '\\'; i = special(v.src, i) {
		switch v.at(i + 1) {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			for digit := i + 2; digit < i+6; digit++ {
				if c := v.at(digit) | 0x20; !isDigit(v.at(digit)) && (c < 'a' || c > 'f') {
					return v.fail(ErrJSON)
				}
			}
			i += 6
		default:
			return v.fail(ErrJSON)
		}
	}
	if v.at(i) != '"' {
		return v.fail(ErrJSON)
	}
	return i + 1
}

func (v *validator) literal(i int, word string) int {
	if end := i + len(word); end <= len(v.src) && string(v.src[i:end]) == word {
		return end
	}
	return v.fail(ErrJSON)
}

func (v *validator) number(i int) int {
	if v.at(i) == '-' {
		i++
	}
	if v.at(i) == '0' {
		i++
	} else {
		i = v.digits(i)
	}
	if v.at(i) == '.' {
		i = v.digits(i + 1)
	}
	if c := v.at(i); c == 'e' || c == 'E' {
		if c = v.at(i + 1); c == '+' || c == '-' {
			i++
		}
		i = v.digits(i + 1)
	}
	return i
}

// digits walks one digit or more.
func (v *validator) digits(i int) int {
	if !isDigit(v.at(i)) {
		return v.fail(ErrJSON)
	}
	for isDigit(v.at(i)) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// special returns the index of the next quote, backslash or control character
// from i on, or the length of src.
func special(src []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(src); i += 8 {
		word := binary.LittleEndian.Uint64(src[i:])
		quote, slash := word^ones*'"', word^ones*'\\'
		// The highest bit of each byte that is below 0x20, or that is zero in
		// quote or slash; a borrow disturbs only bytes above the first such.
		found := ((word-ones*0x20)&^word | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(src); i++ {
		if c := src[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return len(src)
}
