package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/plot"
	"pgregory.net/rapid"
)

func written(t interface{ Fatal(...any) }, p *plot.Page) string {
	var text strings.Builder
	if err := p.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// drawings returns the SVGs of a page and fails if one is no XML.
func drawings(t *rapid.T, page string) (list []string) {
	for rest := page; ; {
		_, after, found := strings.Cut(rest, "<svg")
		if !found {
			return list
		}
		svg, after, found := strings.Cut(after, "</svg>")
		if !found {
			t.Fatal("a drawing has no end")
		}
		svg = "<svg" + svg + "</svg>"
		for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, svg)
			}
		}
		list, rest = append(list, svg), after
	}
}

// Whatever the numbers are, a drawing is XML without a place that is none.
func TestDrawingsHoldOnlyPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1)}))
		chart := plot.Chart{
			Title: rapid.StringMatching(`[ -~äλ]*`).Draw(t, "title"),
			X:     plot.Axis{Label: "x", Time: rapid.Bool().Draw(t, "time"), Zero: rapid.Bool().Draw(t, "zero")},
			Y:     plot.Axis{Label: "y", Zero: rapid.Bool().Draw(t, "zero")},
		}
		if rapid.Bool().Draw(t, "categories") {
			chart.X.Categories = []string{"<a>", "b&", ""}
		}
		bound := func(v float64) float64 { // what a report can hold
			return math.Max(-1e15, math.Min(v, 1e15))
		}
		for range rapid.IntRange(0, 3).Draw(t, "series") {
			s := plot.Series{Name: rapid.StringMatching(`[ -~äλ]*`).Draw(t, "name"), Mark: rapid.SampledFrom([]plot.Mark{plot.Line, plot.Marked, plot.Steps, plot.Dots, plot.Bars, plot.Intervals, plot.Dashes}).Draw(t, "mark")}
			for i := range rapid.IntRange(0, 20).Draw(t, "points") {
				x := bound(number.Draw(t, "x"))
				if len(chart.X.Categories) > 0 {
					x = float64(i % 3)
				}
				s.X, s.Y = append(s.X, x), append(s.Y, bound(number.Draw(t, "y")))
				s.Low, s.High = append(s.Low, s.Y[i]), append(s.High, s.Y[i])
			}
			chart.Series = append(chart.Series, s)
		}
		page := written(t, &plot.Page{Title: "p", Sections: []plot.Section{{Heading: "h", Charts: []plot.Chart{chart}}}})
		list := drawings(t, page)
		if len(list) != 1 {
			t.Fatalf("%d drawings", len(list))
		}
		for _, attribute := range strings.Split(list[0], `"`) {
			if attribute == "NaN" || strings.Contains(attribute, "Inf") && !strings.Contains(attribute, " ") {
				t.Fatalf("a place %q in\n%s", attribute, list[0])
			}
		}
	})
}

// Texts come from files and policies, so they are never markup.
func TestTextsAreNoMarkup(t *testing.T) {
	evil := `<script>alert(1)</script>"' onload=x`
	chart := plot.Chart{Title: evil, Note: evil, X: plot.Axis{Label: evil, Categories: []string{evil}}, Y: plot.Axis{Label: evil, Unit: evil},
		Series: []plot.Series{{Name: evil, Mark: plot.Bars, X: []float64{0}, Y: []float64{1}}, {Name: evil, X: []float64{0}, Y: []float64{1}}}}
	page := written(t, &plot.Page{Title: evil, Lead: []string{evil}, Foot: evil, Figures: []plot.Figure{{Name: evil, Value: evil, Note: evil}},
		Sections: []plot.Section{{Heading: evil, Text: []string{evil}, Charts: []plot.Chart{chart}, Table: &plot.Table{Header: []string{evil}, Rows: [][]string{{evil}}}}}})
	if strings.Contains(page, "<script") {
		t.Error("a text became markup")
	}
}

func TestASeriesWithoutItsValuesIsAnError(t *testing.T) {
	p := plot.Page{Sections: []plot.Section{{Charts: []plot.Chart{{Title: "c", Series: []plot.Series{{Name: "s", X: []float64{1}}}}}}}}
	if err := p.Write(io.Discard); err == nil || !strings.Contains(err.Error(), `series "s" has 1 places and 0 values`) {
		t.Errorf("%v", err)
	}
}

func TestNumbersAreShort(t *testing.T) {
	for _, c := range []struct {
		value, resolution float64
		text              string
	}{{0, 1, "0"}, {1500, 500, "1.5k"}, {2_500_000, 250_000, "2.50M"}, {0.25, 0.05, "0.25"}, {-3, 1, "-3"}, {12.5, 2.5, "12.5"}} {
		if got := plot.Number(c.value, c.resolution); got != c.text {
			t.Errorf("%v at %v: %s, expected %s", c.value, c.resolution, got, c.text)
		}
	}
}
