package event

import (
	"bytes"
	"encoding/json"
)

// The functions below walk JSON that shape has accepted, without building
// anything from the parts that nobody asks for. They rely on its validity.

// stringEnd returns the index after the string that begins at i.
func stringEnd(src []byte, i int) int {
	for i = special(src, i+1); i < len(src) && src[i] != '"'; {
		i = special(src, min(i+2, len(src))) // behind what is escaped
	}
	return min(i+1, len(src))
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

// members calls yield with each member of an object, its name without quotes
// and escapes, and reports whether src is an object.
func members(src []byte, yield func(name, value []byte)) bool {
	i := skipSpace(src, 0)
	if i == len(src) || src[i] != '{' {
		return false
	}
	for i = skipSpace(src, i+1); i < len(src) && src[i] == '"'; {
		nameEnd := stringEnd(src, i)
		name := src[i+1 : nameEnd-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			plain, _ := text(src[i:nameEnd])
			name = []byte(plain)
		}
		i = skipSpace(src, skipSpace(src, nameEnd)+1)
		end := valueEnd(src, i)
		yield(name, src[i:end])
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
	if isPlain(inner) {
		return string(inner), true
	}
	// Escapes and what may be invalid UTF-8 are left to the library.
	if json.Unmarshal(value, &s) != nil {
		return "", false
	}
	return s, true
}

func isPlain(inner []byte) bool {
	for _, c := range inner {
		if c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}
