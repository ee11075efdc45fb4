package history_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/history"
)

// FuzzParsePosition: a position has one text, and nothing else is read as one.
func FuzzParsePosition(f *testing.F) {
	f.Add("12.0.3")
	f.Add("012.0.3")
	f.Add("1.4294967296.0")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := history.ParsePosition(text); err == nil && p.String() != text {
			t.Errorf("%q was read as %s", text, p)
		} else if err != nil && p != (history.Position{}) {
			t.Errorf("%q was refused and gave %s", text, p)
		}
	})
}
