package plot

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// drawing collects the text of an SVG.
type drawing struct {
	strings.Builder
	x, y *scale
	// barSeries is how many series share a place, barSpace how wide a place is.
	barSeries int
	barSpace  float64
}

// svg draws a chart. Colours are classes, so that the page decides them.
func (c *Chart) svg(id string) string {
	var xs, ys []float64
	bars := 0
	for _, s := range c.Series {
		xs, ys = append(xs, s.X...), append(append(append(ys, s.Y...), s.Low...), s.High...)
		if s.Mark == Bars {
			bars++
		}
	}
	d := &drawing{barSeries: bars}
	y := c.Y
	y.Zero = y.Zero || bars > 0 // a bar's length is what it says
	d.y = newScale(&y, ys, height-bottom, top)
	d.x = newScale(&c.X, xs, left, width-right)
	if bars > 0 {
		d.makeRoomForBars(c)
	}
	fmt.Fprintf(d, `<svg viewBox="0 0 %g %g" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		width, height, id, id, id, html.EscapeString(c.Title), id, html.EscapeString(c.Note))
	d.axes(c)
	bar := 0
	for i, s := range c.Series {
		fmt.Fprintf(d, `<g class="s%d">`, i%seriesColours)
		switch s.Mark {
		case Line, Steps, Dashes:
			d.line(&s)
		case Marked:
			d.line(&s)
			d.dots(&s)
		case Dots:
			d.dots(&s)
		case Bars:
			d.bars(&s, bar)
			bar++
		case Intervals:
			d.intervals(&s)
		}
		d.WriteString("</g>")
	}
	d.WriteString("</svg>")
	return d.String()
}

// makeRoomForBars finds how wide bars may be: a place is as wide as the
// smallest distance of two, and half of one lies beyond the first and the last.
func (d *drawing) makeRoomForBars(c *Chart) {
	if len(c.X.Categories) > 0 {
		d.barSpace = 1
		return
	}
	space, at := math.Inf(1), map[float64]bool{}
	var places []float64
	for _, s := range c.Series {
		for _, x := range s.X {
			if s.Mark == Bars && finite(x) && !at[x] {
				at[x] = true
				places = append(places, x)
			}
		}
	}
	slices.Sort(places)
	for i := 1; i < len(places); i++ {
		space = min(space, places[i]-places[i-1])
	}
	if math.IsInf(space, 1) {
		space = d.x.max - d.x.min
	}
	d.barSpace = space
	if n := len(places); n > 0 {
		d.x.min, d.x.max = min(d.x.min, places[0]-space/2), max(d.x.max, places[n-1]+space/2)
	}
}

func (d *drawing) axes(c *Chart) {
	d.WriteString(`<g class="axis">`)
	for _, v := range d.y.ticks {
		at := d.y.at(v)
		fmt.Fprintf(d, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`,
			left, width-right, at, at, left-8, at+4, html.EscapeString(d.y.tick(v)))
	}
	for _, v := range d.x.ticks {
		at := d.x.at(v)
		fmt.Fprintf(d, `<line x1="%.1f" x2="%.1f" y1="%g" y2="%g"/><text x="%.1f" y="%g" text-anchor="middle">%s</text>`,
			at, at, height-bottom, height-bottom+5, at, height-bottom+20, html.EscapeString(d.x.tick(v)))
	}
	fmt.Fprintf(d, `<line x1="%g" x2="%g" y1="%g" y2="%g"/>`, left, width-right, height-bottom, height-bottom)
	if d.y.min < 0 && d.y.max > 0 {
		fmt.Fprintf(d, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, left, width-right, d.y.at(0), d.y.at(0))
	}
	fmt.Fprintf(d, `<text x="%g" y="%g" text-anchor="middle">%s</text>`, (left+width-right)/2, height-14, html.EscapeString(c.X.Label))
	fmt.Fprintf(d, `<text transform="translate(15 %g) rotate(-90)" text-anchor="middle">%s</text></g>`, (top+height-bottom)/2, html.EscapeString(c.Y.Label))
}

// line joins the points; a number that has no place leaves a gap.
func (d *drawing) line(s *Series) {
	class := "line"
	if s.Mark == Dashes {
		class = "line dashes"
	}
	fmt.Fprintf(d, `<path class="%s" d="`, class)
	pen := false
	for i := range s.X {
		if !finite(s.X[i]) || !finite(s.Y[i]) {
			pen = false
			continue
		}
		x, y := d.x.at(s.X[i]), d.y.at(s.Y[i])
		switch {
		case !pen:
			fmt.Fprintf(d, "M%.1f %.1f", x, y)
		case s.Mark == Steps:
			fmt.Fprintf(d, "H%.1fV%.1f", x, y)
		default:
			fmt.Fprintf(d, "L%.1f %.1f", x, y)
		}
		pen = true
	}
	d.WriteString(`"/>`)
	if len(s.X) == 1 && s.Mark != Marked { // one point makes no line
		d.dots(s)
	}
}

func (d *drawing) dots(s *Series) {
	for i := range s.X {
		if finite(s.X[i]) && finite(s.Y[i]) {
			fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3.5"/>`, d.x.at(s.X[i]), d.y.at(s.Y[i]))
		}
	}
}

func (d *drawing) bars(s *Series, number int) {
	share := d.barSpace * 0.8 / float64(d.barSeries)
	for i := range s.X {
		if !finite(s.X[i]) || !finite(s.Y[i]) {
			continue
		}
		from := s.X[i] - d.barSpace*0.4 + share*float64(number)
		x1, x2, y1, y2 := d.x.at(from), d.x.at(from+share), d.y.at(s.Y[i]), d.y.at(0)
		fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x1, min(y1, y2), max(x2-x1-0.5, 0.5), math.Abs(y2-y1))
	}
}

func (d *drawing) intervals(s *Series) {
	for i := range s.X {
		if !finite(s.Low[i]) || !finite(s.High[i]) {
			continue
		}
		x, low, high := d.x.at(s.X[i]), d.y.at(s.Low[i]), d.y.at(s.High[i])
		fmt.Fprintf(d, `<path class="line" d="M%.1f %.1fV%.1fM%.1f %.1fh12M%.1f %.1fh12"/>`, x, low, high, x-6, low, x-6, high)
	}
	d.dots(s)
}
