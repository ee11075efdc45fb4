package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/economy"
	"github.com/attentionbank/attentionbank/plot"
)

// reportPage puts a report on a page. Everything on it is in the report's JSON
// too; numbers become floats only for where they stand in a drawing.
func reportPage(r *economy.Report) *plot.Page {
	p := &plot.Page{
		Title: "The economy from " + strings.TrimSuffix(r.From, "T00:00:00Z") + " to " + strings.TrimSuffix(r.To, "T00:00:00Z"),
		Lead: []string{
			fmt.Sprintf("Made from the journal up to record %d at %s. Sums are exact; ratios are rounded down at the sixth decimal. Nobody is named.", r.LastRecord, r.LastTime),
		},
		Figures: []plot.Figure{
			{Name: "TIME minted", Value: r.Time.Minted, Note: fmt.Sprintf("%d epochs closed", len(r.Epochs))},
			{Name: "TIME burned", Value: r.Time.Burned},
			{Name: "Supply at the end", Value: r.Time.Closing, Note: r.Time.Opening + " at the beginning"},
			{Name: "Volume", Value: r.Time.Volume, Note: "velocity " + r.Velocity},
			{Name: "People", Value: strconv.FormatInt(r.People.Registered, 10), Note: fmt.Sprintf("%d new, %d earned, %d spent", r.People.New, r.People.Earned, r.People.Spent)},
			{Name: "Gini of holdings", Value: r.Holdings.Gini, Note: "top 1 % hold " + r.Holdings.Top1},
			{Name: "Gini of earnings", Value: r.Earnings.Gini, Note: "top 1 % earned " + r.Earnings.Top1},
			{Name: "Nakamoto coefficient", Value: strconv.FormatInt(r.Nakamoto, 10), Note: "owners who together have more than half"},
		},
		Foot: "docs/report.md defines every figure.",
	}
	p.Sections = append(p.Sections, supplySection(r), attentionSection(r), inequalitySection(r), shopSection(r))
	for _, m := range r.Others {
		if m.Minted != "0" || m.Burned != "0" || m.Volume != "0" {
			p.Sections = append(p.Sections, moneySection(m))
		}
	}
	for i := range r.Markets {
		p.Sections = append(p.Sections, marketSection(&r.Markets[i]))
	}
	p.Sections = append(p.Sections, treasurySection(r), reviewSection(r), commandSection(r))
	return p
}

// drawn is where a decimal text stands in a drawing.
func drawn(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("a report has %q for a number", text))
	}
	return v
}

// byDay is a series of the days of a report.
func byDay(r *economy.Report, name string, mark plot.Mark, of func(economy.Day) float64) plot.Series {
	s := plot.Series{Name: name, Mark: mark}
	for _, d := range r.Days {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			panic(fmt.Sprintf("a report has %q for a day", d.Day))
		}
		s.X, s.Y = append(s.X, float64(at.UnixMilli())), append(s.Y, of(d))
	}
	return s
}

var dayAxis = plot.Axis{Label: "Day (UTC)", Time: true}

func flowTable(m economy.Money) *plot.Table {
	t := &plot.Table{Header: []string{"", "Of what", "Amount", "Postings"}, Texts: 2}
	t.Rows = append(t.Rows, []string{"Opening supply", "", m.Opening, ""})
	for _, by := range []struct {
		what string
		all  string
		list []economy.Flow
	}{{"Minted", m.Minted, m.MintedBy}, {"Burned", m.Burned, m.BurnedBy}, {"Moved", m.Volume, m.VolumeBy}} {
		if by.what == "Moved" {
			t.Rows = append(t.Rows, []string{"Closing supply", "", m.Closing, ""})
		}
		for _, f := range by.list {
			t.Rows = append(t.Rows, []string{by.what, sourceName(f), f.Amount, strconv.FormatInt(f.Count, 10)})
		}
		if len(by.list) != 1 {
			t.Rows = append(t.Rows, []string{by.what + ", in all", "", by.all, ""})
		}
	}
	return t
}

func supplySection(r *economy.Report) plot.Section {
	minted := byDay(r, "minted", plot.Bars, func(d economy.Day) float64 { return drawn(d.Minted) })
	burned := byDay(r, "burned", plot.Bars, func(d economy.Day) float64 { return -drawn(d.Burned) })
	return plot.Section{
		Heading: "TIME", Table: flowTable(r.Time), Text: []string{"Opening supply and what was minted, less what was burned, is the closing supply. What is moved changes owners and not the supply."},
		Charts: []plot.Chart{
			{Title: "Minted and burned", Note: "TIME a day; what is burned goes down.", X: dayAxis, Y: plot.Axis{Label: "TIME"}, Series: []plot.Series{minted, burned}},
			{Title: "Supply", Note: "TIME at the end of each day.", X: dayAxis, Y: plot.Axis{Label: "TIME", Zero: true},
				Series: []plot.Series{byDay(r, "supply", plot.Line, func(d economy.Day) float64 { return drawn(d.Supply) })}},
			{Title: "Volume", Note: "TIME that changed owners, a day.", X: dayAxis, Y: plot.Axis{Label: "TIME"},
				Series: []plot.Series{byDay(r, "volume", plot.Bars, func(d economy.Day) float64 { return drawn(d.Volume) })}},
		},
	}
}

func attentionSection(r *economy.Report) plot.Section {
	s := plot.Section{Heading: "Attention and λ", Text: []string{"Points are earned when a day is posted and paid when its epoch closes. What people were paid for a point is below λ where an epoch's budget was less."}}
	s.Table = &plot.Table{Header: []string{"World", "Points earned", "Taken back", "Points paid", "TIME paid", "TIME a point", "TIME in", "TIME out"}, Texts: 1}
	for _, w := range r.Worlds {
		s.Table.Rows = append(s.Table.Rows, []string{w.World, w.Earned, w.TakenBack, w.PaidPoints, w.PaidTime, w.Lambda, w.TimeIn, w.TimeOut})
	}
	s.Charts = append(s.Charts, plot.Chart{Title: "Points earned", Note: "Points a day, less what was taken back.", X: dayAxis, Y: plot.Axis{Label: "Points"},
		Series: []plot.Series{byDay(r, "points", plot.Bars, func(d economy.Day) float64 { return drawn(d.Points) })}})
	s.Charts = append(s.Charts, plot.Chart{Title: "People who earned", Note: "People with new points, a day.", X: dayAxis, Y: plot.Axis{Label: "People", Zero: true},
		Series: []plot.Series{byDay(r, "people", plot.Line, func(d economy.Day) float64 { return float64(d.Active) })}})
	if len(r.Epochs) == 0 {
		return s
	}
	lambda := plot.Chart{Title: "λ", Note: "TIME for a point, by the epoch's number: what the policy said, and what was paid.", X: plot.Axis{Label: "Epoch"}, Y: plot.Axis{Label: "TIME a point", Zero: true},
		Series: []plot.Series{{Name: "λ of the policy", Mark: plot.Steps}, {Name: "paid", Mark: plot.Dots}}}
	for _, e := range r.Epochs {
		for i, text := range []string{e.Lambda, e.Effective} {
			if e.Points == "0" && i == 1 {
				continue // nobody had earned anything, so there is no rate
			}
			of := &lambda.Series[i]
			of.X, of.Y = append(of.X, float64(e.Epoch)), append(of.Y, drawn(text))
		}
	}
	s.Charts = append(s.Charts, lambda)
	return s
}

func inequalitySection(r *economy.Report) plot.Section {
	s := plot.Section{
		Heading: "Who has how much",
		Text:    []string{"Of people with more than nothing. The Gini coefficient is 0 where all have the same and near 1 where one has all; virtual worlds are found around 0.65."},
		Table:   &plot.Table{Header: []string{"", "People", "Total", "Median", "Mean", "Largest", "Gini", "Top 1 %"}, Texts: 1},
	}
	lorenz := plot.Chart{Title: "Lorenz curves", Note: "What the poorest have together. On the broken line all have the same.", X: plot.Axis{Label: "Poorest people", Unit: " %"}, Y: plot.Axis{Label: "Their share", Unit: " %"}}
	for _, d := range []struct {
		name string
		economy.Distribution
	}{{"TIME held at the end", r.Holdings}, {"TIME earned in the period", r.Earnings}, {"points earned in the period", r.Attention}} {
		s.Table.Rows = append(s.Table.Rows, []string{d.name, strconv.FormatInt(d.People, 10), d.Total, d.Median, d.Mean, d.Largest, d.Gini, d.Top1})
		curve := plot.Series{Name: d.name}
		for tenth, share := range d.Lorenz {
			curve.X, curve.Y = append(curve.X, float64(tenth*10)), append(curve.Y, drawn(share)*100)
		}
		if len(curve.X) > 0 {
			lorenz.Series = append(lorenz.Series, curve)
		}
	}
	if len(lorenz.Series) > 0 {
		lorenz.Series = append(lorenz.Series, plot.Series{Mark: plot.Dashes, Aside: true, X: []float64{0, 100}, Y: []float64{0, 100}})
		s.Charts = []plot.Chart{lorenz}
	}
	return s
}

func shopSection(r *economy.Report) plot.Section {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return plot.Section{Heading: "Redeemed", Table: &plot.Table{Header: []string{"", "Number", "TIME"}, Texts: 1, Rows: [][]string{
		{"Purchases", count(r.Shop.Purchases), r.Shop.Sold},
		{"Services rendered", count(r.Shop.Delivered), ""},
		{"Services declined", count(r.Shop.Declined), ""},
		{"Refunds", count(r.Shop.Refunds), ""},
		{"Resales between people", count(r.Shop.Resales), r.Shop.Resold},
		{"Royalties of worlds", "", r.Shop.Royalties},
	}}}
}

func moneySection(m economy.Money) plot.Section {
	title := m.Asset
	if m.World != "" {
		title += " of " + m.World
	}
	return plot.Section{Heading: title, Table: flowTable(m)}
}

func treasurySection(r *economy.Report) plot.Section {
	s := plot.Section{Heading: "Fees and treasury", Table: &plot.Table{Header: []string{"Asset", "", "Of what", "Amount"}, Texts: 3}}
	for _, t := range r.Treasury {
		s.Table.Rows = append(s.Table.Rows, []string{t.Asset, "Opening", "", t.Opening})
		for _, f := range t.In {
			s.Table.Rows = append(s.Table.Rows, []string{t.Asset, "In", sourceName(f), f.Amount})
		}
		for _, f := range t.Out {
			s.Table.Rows = append(s.Table.Rows, []string{t.Asset, "Out", sourceName(f), f.Amount})
		}
		s.Table.Rows = append(s.Table.Rows, []string{t.Asset, "Closing", "", t.Closing})
	}
	for _, f := range r.Fees {
		s.Table.Rows = append(s.Table.Rows, []string{f.Asset, "Fee to the treasury", f.Kind, f.Treasury}, []string{f.Asset, "Fee to the operator", f.Kind, f.Operator}, []string{f.Asset, "Fee burned", f.Kind, f.Burned})
	}
	return s
}

func commandSection(r *economy.Report) plot.Section {
	s := plot.Section{Heading: "Commands", Table: &plot.Table{Header: []string{"Kind", "Refused as", "Carried out", "Repeated", "Refused"}, Texts: 2}}
	for _, c := range r.Commands {
		s.Table.Rows = append(s.Table.Rows, []string{c.Kind, "", strconv.FormatInt(c.Accepted, 10), strconv.FormatInt(c.Repeated, 10), ""})
		for _, refused := range c.Refused {
			s.Table.Rows = append(s.Table.Rows, []string{"", refused.Refusal, "", "", strconv.FormatInt(refused.Count, 10)})
		}
	}
	return s
}

func marketSection(m *economy.MarketReport) plot.Section {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	s := plot.Section{
		Heading: fmt.Sprintf("Market %d: %s for %s", m.Market, m.Base, m.Quote),
		Text:    []string{fmt.Sprintf("Prices are %s for one %s. A call, in which all trade at one price, is one trade.", m.Quote, m.Base)},
		Table: &plot.Table{Header: []string{"", ""}, Texts: 1, Rows: [][]string{
			{"Trades", count(m.Trades)}, {"People who traded", count(m.Traders)}, {"Orders placed", count(m.Orders)}, {"Orders cancelled by their owners", count(m.Cancelled)},
			{"Volume, " + m.Base, m.Volume}, {"Paid, " + m.Quote, m.Notional}, {"Fees, " + m.Quote, m.Fees},
			{"First price", m.Open}, {"Highest price", m.High}, {"Lowest price", m.Low}, {"Last price", m.Close},
			{"Halts by operators", count(m.Halts)}, {"Auctions because the price left its bands", count(m.Auctions)},
		}},
	}
	if len(m.Days) == 0 {
		return s
	}
	price := plot.Chart{Title: "Price", Note: "Of each day with a trade: the last, the highest and the lowest.", X: dayAxis, Y: plot.Axis{Label: m.Quote},
		Series: []plot.Series{{Name: "last", Mark: plot.Line}, {Name: "highest", Mark: plot.Dots}, {Name: "lowest", Mark: plot.Dots}}}
	volume := plot.Chart{Title: "Volume", Note: m.Base + " a day.", X: dayAxis, Y: plot.Axis{Label: m.Base}, Series: []plot.Series{{Name: "volume", Mark: plot.Bars}}}
	for _, d := range m.Days {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			panic(fmt.Sprintf("a report has %q for a day", d.Day))
		}
		x := float64(at.UnixMilli())
		for i, text := range []string{d.Close, d.High, d.Low} {
			of := &price.Series[i]
			of.X, of.Y = append(of.X, x), append(of.Y, drawn(text))
		}
		volume.Series[0].X, volume.Series[0].Y = append(volume.Series[0].X, x), append(volume.Series[0].Y, drawn(d.Volume))
	}
	s.Charts = []plot.Chart{price, volume}
	return s
}

func reviewSection(r *economy.Report) plot.Section {
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return plot.Section{Heading: "Reviews and appeals", Text: []string{"Cases of people whose TIME was held back because their attention looked odd."},
		Table: &plot.Table{Header: []string{"Cases", "Number"}, Texts: 1, Rows: [][]string{
			{"Opened", count(r.Reviews.Opened)}, {"Released", count(r.Reviews.Released)}, {"Upheld", count(r.Reviews.Upheld)},
			{"Appealed", count(r.Reviews.Appealed)}, {"Forfeited", count(r.Reviews.Forfeited)}, {"Found by rules that only watch", count(r.Reviews.Watched)},
		}}}
}
