package main

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/lab"
)

// The released books make every trade of a short stream as the rules have it,
// and so does ours.
func TestBooksAgree(t *testing.T) {
	steps, want := lab.Stream(20_000, 2)
	stream := func() drawn { return drawn{steps, want} }
	if _, err := ownBook(stream)(t.Context(), 0); err != nil {
		t.Error(err)
	}
	for _, library := range []string{"nodejs-order-book", "limit-order-book"} {
		t.Run(library, func(t *testing.T) {
			c := releasedBook(library, library, "", stream)
			if c.absent != "" {
				t.Skip(c.absent)
			}
			r, err := c.run(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if r.Deviates != "" || r.Trades != want.Trades || r.With == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A book that trades otherwise is not taken for one that agrees.
func TestDeviationIsSaid(t *testing.T) {
	var want lab.Outcome
	want.Trade(2, 1, 100, 5)
	for name, c := range map[string]struct {
		trades []uint32
		says   string
	}{
		"the same":       {[]uint32{2, 1, 100, 5}, ""},
		"another price":  {[]uint32{2, 1, 101, 5}, "as many trades and as much volume as the rules make of the stream, but not the same trades"},
		"one trade less": {nil, "-1 trades and -5 volume from what the rules make of the stream"},
	} {
		output := []byte(`{"with":"a book","operations":2,"seconds":1}` + "\n")
		for _, word := range c.trades {
			output = binary.LittleEndian.AppendUint32(output, word)
		}
		r, err := readBook(output, want)
		if err != nil || r.Deviates != c.says {
			t.Errorf("%s: %q, %v", name, r.Deviates, err)
		}
		if _, err := readBook(slices.Concat(output, []byte("abc")), want); err == nil {
			t.Errorf("%s: half a trade was read", name)
		}
	}
}
