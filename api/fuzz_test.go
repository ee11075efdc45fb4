package api

import (
	"strconv"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/history"
)

// FuzzParameters reads any text as each of the things that paths, queries and
// bodies hold as text: what is taken is written back as what it was taken for.
func FuzzParameters(f *testing.F) {
	for _, text := range []string{"2026-01-31", "2026-01-31T12:00:00.5+02:00", "00112233445566778899aabbccddeeff", "2026-01-31.1.65536", "12.0.3", "18446744073709551615", "1.50", "-1", "", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := parsePerson(text); err == nil && !strings.EqualFold(personText(id), text) {
			t.Errorf("person %q was read as %s", text, personText(id))
		}
		if day, err := parseDay(text); err == nil && dayText(day) != text {
			t.Errorf("day %q was read as %s", text, dayText(day))
		}
		if number, err := parseNumber("account", text); err == nil && strconv.FormatUint(number, 10) != strings.TrimLeft(text, "0") && number != 0 {
			t.Errorf("number %q was read as %d", text, number)
		}
		if ms, err := parseTime("from", text); err == nil && text != "" {
			if again, err := parseTime("from", timeText(ms)); ms != 0 && (err != nil || again != ms) {
				t.Errorf("time %q was read as %d and written as %s", text, ms, timeText(ms))
			}
		}
		if day, world, revision, err := parseMintCursor(text); err == nil {
			wrote := dayText(day) + "." + strconv.FormatUint(uint64(world), 10) + "." + strconv.FormatUint(revision, 10)
			if d, w, r, err := parseMintCursor(wrote); err != nil || d != day || w != world || r != revision {
				t.Errorf("cursor %q was read as %s", text, wrote)
			}
		}
		if position, err := history.ParsePosition(text); err == nil && position.String() != text {
			t.Errorf("position %q was read as %s", text, position)
		}
		if value, err := parseAmount("amount", text, 6); err == nil {
			if again, err := parseAmount("amount", points(value), 6); err != nil || again != value {
				t.Errorf("amount %q was read as %d", text, value)
			}
		}
	})
}
