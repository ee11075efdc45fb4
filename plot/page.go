package plot

import (
	"fmt"
	"html/template"
	"io"
	"strings"
)

// Page is a report.
type Page struct {
	Title string
	Lead  []string // what the reader should know, a paragraph each
	// Figures are the few numbers that matter most.
	Figures  []Figure
	Sections []Section
	Foot     string
}

// Figure is a number with its name and what it means.
type Figure struct{ Name, Value, Note string }

// Section is a part of a page. What is empty is left out.
type Section struct {
	Heading string
	Text    []string
	Table   *Table
	Charts  []Chart
}

// Table has a header and rows; columns of numbers stand right.
type Table struct {
	Header []string
	Rows   [][]string
	// Texts is how many of the first columns hold words.
	Texts int
}

// seriesColours is how many colours a page has.
const seriesColours = 6

// Write writes the page as HTML.
func (p *Page) Write(w io.Writer) error {
	number := 0
	page, err := template.New("page").Funcs(template.FuncMap{
		"draw": func(c Chart) (template.HTML, error) {
			if err := c.check(); err != nil {
				return "", err
			}
			number++
			return template.HTML(c.svg(fmt.Sprintf("c%d", number))), nil
		},
		"numbers": func(c Chart) *Table { return c.table() },
		"legend":  func(c Chart) []legendEntry { return c.legend() },
		"words":   func(t *Table, column int) bool { return column < t.Texts },
	}).Parse(pageText)
	if err != nil {
		panic(fmt.Sprintf("plot: the page's template: %v", err))
	}
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("writing the page %q: %w", p.Title, err)
	}
	return nil
}

type legendEntry struct {
	Colour int
	Name   string
}

func (c *Chart) legend() (list []legendEntry) {
	named := 0
	for i, s := range c.Series {
		if s.Name != "" {
			list = append(list, legendEntry{i % seriesColours, s.Name})
			named++
		}
	}
	if named < 2 {
		return nil
	}
	return list
}

// table returns the numbers of a chart: a row a place, a column a series.
func (c *Chart) table() *Table {
	t := &Table{Header: []string{c.X.Label}, Texts: 1}
	var rows [][]string
	at := map[float64]int{}
	for _, s := range c.Series {
		if s.Aside {
			continue
		}
		column := len(t.Header)
		name := s.Name
		if name == "" {
			name = c.Y.Label
		}
		if t.Header = append(t.Header, name); s.Mark == Intervals {
			t.Header = append(t.Header, "from", "to")
		}
		for i, x := range s.X {
			row, known := at[x]
			if !known {
				row = len(rows)
				at[x] = row
				rows = append(rows, []string{c.X.value(x)})
			}
			for len(rows[row]) < column {
				rows[row] = append(rows[row], "")
			}
			rows[row] = append(rows[row][:column], c.Y.value(s.Y[i]))
			if s.Mark == Intervals {
				rows[row] = append(rows[row], c.Y.value(s.Low[i]), c.Y.value(s.High[i]))
			}
		}
	}
	for i := range rows {
		for len(rows[i]) < len(t.Header) {
			rows[i] = append(rows[i], "")
		}
	}
	t.Rows = rows
	return t
}

var pageText = strings.TrimSpace(`
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
:root { --ink: #1b2430; --soft: #5b6778; --rule: #d9dee6; --paper: #fbfcfd; --card: #fff;
  --c0: #1f6fb2; --c1: #d1662a; --c2: #3f8f4f; --c3: #8a4fb0; --c4: #b8902a; --c5: #64748b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf3; --soft: #a3afbf; --rule: #333d4b; --paper: #12171e; --card: #1a212a;
  --c0: #64aef0; --c1: #f0945c; --c2: #74c686; --c3: #c192e6; --c4: #e0bd60; --c5: #9aa8ba; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .5rem; padding-top: 1.2rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p { max-width: 48rem; margin: .4rem 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: .8rem; margin: 1.5rem 0 0; padding: 0; }
.figures div, figure { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .8rem 1rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures dd small { display: block; font-size: .8rem; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1rem; margin-top: 1rem; }
figure { margin: 0; min-width: 0; }
figcaption p { font-size: .88rem; color: var(--soft); margin: 0 0 .5rem; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
.axis line { stroke: var(--soft); } .axis .grid { stroke: var(--rule); } .axis text { fill: var(--soft); }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; } .dashes { stroke-dasharray: 5 5; stroke-width: 1.5; }
circle, rect { fill: currentColor; }
.s0 { color: var(--c0); } .s1 { color: var(--c1); } .s2 { color: var(--c2); } .s3 { color: var(--c3); } .s4 { color: var(--c4); } .s5 { color: var(--c5); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .3rem 0 0; padding: 0; list-style: none; font-size: .85rem; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; background: currentColor; vertical-align: -.05em; }
.legend span { color: var(--ink); }
.scroll { overflow-x: auto; max-height: 32rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .6rem 0; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } .word { text-align: left; white-space: normal; }
details { margin-top: .4rem; font-size: .88rem; } summary { color: var(--soft); cursor: pointer; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media print { body { background: #fff; } figure { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{range .Lead}}<p>{{.}}</p>
{{end}}{{with .Figures}}<dl class="figures">
{{range .}}<div><dt>{{.Name}}</dt><dd>{{.Value}}{{with .Note}}<small>{{.}}</small>{{end}}</dd></div>
{{end}}</dl>
{{end}}{{range .Sections}}<section>
<h2>{{.Heading}}</h2>
{{range .Text}}<p>{{.}}</p>
{{end}}{{with .Table}}{{template "table" .}}{{end}}{{with .Charts}}<div class="charts">
{{range .}}<figure><figcaption><h3>{{.Title}}</h3>{{with .Note}}<p>{{.}}</p>{{end}}</figcaption>
{{draw .}}
{{with legend .}}<ul class="legend">{{range .}}<li class="s{{.Colour}}"><i></i><span>{{.Name}}</span></li>{{end}}</ul>
{{end}}<details><summary>The numbers</summary>{{template "table" numbers .}}</details></figure>
{{end}}</div>
{{end}}</section>
{{end}}</main>
{{with .Foot}}<footer>{{.}}</footer>
{{end}}</body>
</html>
{{define "table"}}{{$t := .}}<div class="scroll" tabindex="0"><table><thead><tr>{{range $i, $h := .Header}}<th scope="col"{{if words $t $i}} class="word"{{end}}>{{$h}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr>{{range $i, $v := .}}<td{{if words $t $i}} class="word"{{end}}>{{$v}}</td>{{end}}</tr>
{{end}}</tbody></table></div>{{end}}`) + "\n"
