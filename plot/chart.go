// Package plot draws charts as SVG and puts them with text and tables on one
// HTML page that needs nothing else: no script, no font, no network. Every
// chart has its numbers as a table beside it, for whoever cannot see it and for
// whoever wants to compute with it. It is for reports; floats are for where a
// point stands on the page.
package plot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Chart is a figure with two axes.
type Chart struct {
	Title string
	Note  string // what to see in it, in a sentence
	X, Y  Axis
	// Series are drawn in order, a later one over an earlier one.
	Series []Series
}

// Axis says how numbers become places.
type Axis struct {
	Label string
	// Categories name the places 0, 1, 2, … of an axis that has no numbers.
	Categories []string
	// Time says that numbers are milliseconds since 1970-01-01 UTC.
	Time bool
	// Zero makes the axis begin at 0, or end there if all is below.
	Zero bool
	// Unit stands behind the numbers of the ticks, such as %.
	Unit string
}

// Mark is the form in which a series is drawn.
type Mark int

// The marks.
const (
	Line   Mark = iota
	Marked      // a line with a dot at each point
	Steps
	Dots
	Bars
	Intervals // a dot with a bar from Low to High
	Dashes    // a broken line, for what only helps the eye
)

// Series is a row of points.
type Series struct {
	Name      string
	Mark      Mark
	X, Y      []float64
	Low, High []float64 // of Intervals
	// Aside keeps the series out of the table.
	Aside bool
}

// The size of the drawing, in the units of its own.
const (
	width, height            = 540.0, 310.0
	left, right, top, bottom = 74.0, 24.0, 14.0, 58.0
)

// scale maps numbers to places.
type scale struct {
	min, max   float64
	from, to   float64
	ticks      []float64
	axis       *Axis
	resolution float64 // the distance of ticks
}

func (s *scale) at(v float64) float64 {
	if s.max == s.min {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.min)/(s.max-s.min)*(s.to-s.from)
}

// finite reports whether a number has a place at all.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func newScale(axis *Axis, values []float64, from, to float64) *scale {
	s := &scale{min: math.Inf(1), max: math.Inf(-1), from: from, to: to, axis: axis}
	for _, v := range values {
		if finite(v) {
			s.min, s.max = min(s.min, v), max(s.max, v)
		}
	}
	if n := len(axis.Categories); n > 0 {
		s.min, s.max = -0.5, float64(n)-0.5
		// At most about twelve names fit side by side.
		for i := 0; i < n; i += (n + 11) / 12 {
			s.ticks = append(s.ticks, float64(i))
		}
		return s
	}
	if s.min > s.max { // nothing at all
		s.min, s.max = 0, 1
	}
	if axis.Zero {
		s.min, s.max = min(s.min, 0), max(s.max, 0)
	}
	if s.min == s.max {
		pad := max(math.Abs(s.min)*0.1, 1e-9)
		if axis.Time {
			pad = 12 * 3600 * 1000
		}
		s.min, s.max = s.min-pad, s.max+pad
		if axis.Zero && s.min < 0 && s.max > 0 {
			s.min = 0
		}
	}
	s.resolution = nice((s.max-s.min)/5, axis.Time)
	for v := math.Ceil(s.min/s.resolution-1e-9) * s.resolution; v <= s.max+s.resolution*1e-9; v += s.resolution {
		s.ticks = append(s.ticks, v)
	}
	if !axis.Time { // an axis of numbers ends at a tick
		if low := math.Floor(s.min/s.resolution+1e-9) * s.resolution; low < s.min {
			s.min, s.ticks = low, append([]float64{low}, s.ticks...)
		}
		if high := math.Ceil(s.max/s.resolution-1e-9) * s.resolution; high > s.max {
			s.max, s.ticks = high, append(s.ticks, high)
		}
	}
	return s
}

// nice returns a round distance of ticks that is not below the one given.
func nice(distance float64, isTime bool) float64 {
	if isTime {
		const minute, day = 60_000.0, 86_400_000.0
		for _, step := range []float64{minute, 5 * minute, 15 * minute, 60 * minute, 3 * 60 * minute, 6 * 60 * minute, 12 * 60 * minute, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 182 * day, 364 * day} {
			if step >= distance {
				return step
			}
		}
		return math.Ceil(distance/(364*day)) * 364 * day
	}
	power := math.Pow(10, math.Floor(math.Log10(distance)))
	for _, factor := range []float64{1, 2, 2.5, 5} {
		if factor*power >= distance*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// tick is the text at a place of the axis.
func (s *scale) tick(v float64) string {
	a := s.axis
	switch {
	case len(a.Categories) > 0:
		return a.Categories[int(v)]
	case a.Time:
		at := time.UnixMilli(int64(v)).UTC()
		if s.resolution < 86_400_000 {
			return at.Format("01-02 15:04")
		}
		return at.Format(time.DateOnly)
	}
	return Number(v, s.resolution) + a.Unit
}

// Number writes a number as far as a resolution shows it, thousands and
// millions shortened.
func Number(v, resolution float64) string {
	if math.Abs(v) < resolution/1e6 {
		return "0"
	}
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= unit.of*(1-1e-9) {
			return trimmed(v/unit.of, resolution/unit.of) + unit.name
		}
	}
	return trimmed(v, resolution)
}

func trimmed(v, resolution float64) string {
	if resolution <= 0 || !finite(resolution) {
		return Exact(v)
	}
	places := max(0, int(math.Ceil(-math.Log10(resolution)-1e-9)))
	if math.Abs(resolution*math.Pow(10, float64(places))-math.Round(resolution*math.Pow(10, float64(places)))) > 1e-6 {
		places++ // a distance of 2.5 has a place more
	}
	return strconv.FormatFloat(v, 'f', min(places, 9), 64)
}

// Exact writes a number with six significant digits, as tables show it.
func Exact(v float64) string {
	if !finite(v) {
		return "–"
	}
	text := strconv.FormatFloat(v, 'g', 6, 64)
	if strings.Contains(text, "e") && math.Abs(v) >= 1e-6 && math.Abs(v) < 1e15 {
		text = strconv.FormatFloat(v, 'f', -1, 64)
		if math.Abs(v) > 1 {
			text = strconv.FormatFloat(math.Round(v), 'f', -1, 64)
		}
	}
	return text
}

// value is the text of a number of the axis in a table.
func (a *Axis) value(v float64) string {
	switch {
	case len(a.Categories) > 0 && v >= 0 && int(v) < len(a.Categories):
		return a.Categories[int(v)]
	case a.Time && finite(v):
		return time.UnixMilli(int64(v)).UTC().Format("2006-01-02 15:04")
	}
	return Exact(v) + a.Unit
}

func (c *Chart) check() error {
	for _, s := range c.Series {
		if len(s.X) != len(s.Y) || s.Mark == Intervals && (len(s.Low) != len(s.X) || len(s.High) != len(s.X)) {
			return fmt.Errorf("chart %q: series %q has %d places and %d values", c.Title, s.Name, len(s.X), len(s.Y))
		}
	}
	return nil
}
