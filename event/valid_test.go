package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// What is accepted as JSON is what the standard library accepts, but for the
// bounds on depth and members.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0,0.5,1e9,-1.25E-3,true,false,null,"\u00e9\\\"\/\b\f\n\r\t"]}`, " [ ] ", `{}`, `{ "a" : { } , "b" : [ [ ] ] }`, `"eight by eight bytes, and some"`,
		``, ` `, `-`, `01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `tru`, `nulll`, `"`, `"\`, `"\u12g4"`, `"\x"`, "\"\x1f\"", "\"\x7f\xff\"", `{"a"}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{,}`, `{1:2}`, `[}`, `1 1`, "\x00", "1\x00",
		`"seven77\"and more than that"`, strings.Repeat("[", 40), strings.Repeat(`{"a":`, 12) + "1" + strings.Repeat("}", 12),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := shape(body, 0)
		if err == nil && !json.Valid(body) {
			t.Fatalf("%q was accepted", body)
		}
		if errors.Is(err, ErrJSON) && json.Valid(body) {
			t.Fatalf("%q was refused", body)
		}
		if err != nil {
			return
		}
		if depth := deepest(t, body); depth > MaxDepth {
			t.Fatalf("%q was accepted, of depth %d", body, depth)
		}
		if end := valueEnd(body, skipSpace(body, 0)); len(bytes.TrimRight(body[end:], " \t\r\n")) != 0 {
			t.Fatalf("the walk ended %q at byte %d", body, end)
		}
	})
}

// deepest returns how deep a valid text is nested, as the library reads it.
func deepest(t *testing.T, body []byte) (most int) {
	decoder, depth := json.NewDecoder(bytes.NewReader(body)), 0
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		most = max(most, depth)
	}
}

func TestBoundsOfShape(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	object := func(n int) []byte { return []byte("{" + strings.Repeat(`"a":1,`, n-1) + `"a":1}`) }
	for body, want := range map[string]string{
		string(nested(MaxDepth)): "", string(nested(MaxDepth + 1)): "nested deeper than",
		string(object(MaxKeys)): "", string(object(MaxKeys + 1)): "more than",
	} {
		switch err := shape([]byte(body), 0); {
		case want == "" && err != nil:
			t.Errorf("%.20s… of %d bytes was refused: %v", body, len(body), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.20s… of %d bytes: %v, want %q", body, len(body), err, want)
		}
	}
}
