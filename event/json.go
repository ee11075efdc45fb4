package event

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The functions below walk JSON that json.Valid has accepted, without building
// anything from the parts that nobody asks for. Validity is the standard
// library's judgement; the walk relies on it.

// ErrJSON is returned for bytes that are no JSON.
var ErrJSON = errors.New("not valid JSON")

// checkShape refuses what is nested deeper than MaxDepth or has an object of
// more than MaxKeys members. It runs before the bytes are known to be valid.
func checkShape(src []byte, maxDepth int) error {
	var keys [64]int // by depth
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			depth++
			if depth > maxDepth {
				return fmt.Errorf("nested deeper than %d levels", maxDepth)
			}
			keys[depth] = 0
		case '}', ']':
			depth = max(depth-1, 0)
		case ':':
			if keys[depth]++; keys[depth] > MaxKeys {
				return fmt.Errorf("an object has more than %d members", MaxKeys)
			}
		case '"':
			i = stringEnd(src, i) - 1
		}
	}
	return nil
}

// stringEnd returns the index after the string that begins at i.
func stringEnd(src []byte, i int) int {
	for i++; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns the index after the value that begins at i.
func valueEnd(src []byte, i int) int {
	switch src[i] {
	case '"':
		return stringEnd(src, i)
	case '{', '[':
		for depth := 0; i < len(src); i++ {
			switch src[i] {
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			case '"':
				i = stringEnd(src, i) - 1
			}
		}
		return len(src)
	}
	for i < len(src) && src[i] != ',' && src[i] != '}' && src[i] != ']' && src[i] > ' ' {
		i++
	}
	return i
}

// members calls yield with each member of an object, the key with its quotes,
// and reports whether src is an object.
func members(src []byte, yield func(key, value []byte)) bool {
	i := skipSpace(src, 0)
	if i == len(src) || src[i] != '{' {
		return false
	}
	for i = skipSpace(src, i+1); i < len(src) && src[i] == '"'; {
		keyEnd := stringEnd(src, i)
		key := src[i:keyEnd]
		i = skipSpace(src, skipSpace(src, keyEnd)+1)
		end := valueEnd(src, i)
		yield(key, src[i:end])
		if i = skipSpace(src, end); i < len(src) && src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
	return true
}

// elements calls yield with each element of an array and reports whether src
// is an array.
func elements(src []byte, yield func(value []byte)) bool {
	i := skipSpace(src, 0)
	if i == len(src) || src[i] != '[' {
		return false
	}
	for i = skipSpace(src, i+1); i < len(src) && src[i] != ']'; {
		end := valueEnd(src, i)
		yield(src[i:end])
		if i = skipSpace(src, end); i < len(src) && src[i] == ',' {
			i = skipSpace(src, i+1)
		}
	}
	return true
}

// text returns the string that a JSON string means.
func text(value []byte) (s string, isString bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		// Escapes and what may be invalid UTF-8 are left to the library.
		if c == '\\' || c >= 0x80 {
			if json.Unmarshal(value, &s) != nil {
				return "", false
			}
			return s, true
		}
	}
	return string(inner), true
}

// keyIs reports whether a key means name, without a copy where it has no
// escapes.
func keyIs(key []byte, name string) bool {
	if len(key) == len(name)+2 && string(key[1:len(key)-1]) == name {
		return true
	}
	for _, c := range key {
		if c == '\\' {
			s, _ := text(key)
			return s == name
		}
	}
	return false
}
