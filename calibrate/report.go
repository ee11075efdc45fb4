package calibrate

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/plot"
)

// Setting is what a report says of where the samples come from.
type Setting struct {
	Title    string   // such as the name of the file
	Outcome  string   // what the outcome is, such as "came back within 90 days"
	Sources  []string // files and windows, a sentence each
	Command  string   // that makes the report again; empty if nobody typed one
	Warnings []string
	// TypicalHourMicro is the median of points an hour by the new weights, over
	// Hours samples with at least ten minutes; 0 if there are none.
	TypicalHourMicro int64
	Hours            int
}

// Page returns the report.
func (r *Result) Page(s Setting) *plot.Page {
	p := &plot.Page{
		Title: "Calibration: " + s.Title,
		Lead: append([]string{
			fmt.Sprintf("What people did, held against what came of it: %s. %d people, of whom %d were kept aside and only used for the scores. %s", s.Outcome, r.People, r.Holdout, r.verdict()),
			"An outcome fixes the ratios of the weights, not their size: the people of this file earn as much in all as by the policy that was given, and only who earns it changes. Something that goes with an outcome need not cause it.",
		}, s.Sources...),
		Figures: r.figures(s),
		Foot:    "Model " + string(r.Model) + r.settings(),
	}
	if s.Command != "" {
		p.Sections = append(p.Sections, plot.Section{Heading: "How to make it again", Text: []string{s.Command}})
	}
	weights := plot.Section{Heading: "Weights", Table: r.table()}
	if r.used() > 1 {
		weights.Charts = []plot.Chart{r.shareChart()}
	}
	weights.Text = append([]string{"Intervals are between the 2.5th and the 97.5th of 100 resamples of the people. A coefficient is per unit, of " + r.scaleName() + "; a weight is in points and never below zero."}, s.Warnings...)
	p.Sections = append([]plot.Section{weights, r.holdoutSection()}, append(r.profileSection(), p.Sections...)...)
	return p
}

func (r *Result) scaleName() string {
	if r.Model == Logistic {
		return "the log-odds of the outcome"
	}
	return "the outcome"
}

func (r *Result) settings() string {
	o := r.options
	return fmt.Sprintf(", ridge penalty %g by five folds, seed %d, %d resamples, holdout %g, measures clipped at quantile %g.", r.Penalty, o.Seed, o.Resamples, o.HoldoutShare, o.ClipQuantile)
}

// used returns how many measures the estimate is of.
func (r *Result) used() (n int) {
	for _, e := range r.Estimates {
		if e.Used {
			n++
		}
	}
	return n
}

// verdict says in a sentence what the weights are worth.
func (r *Result) verdict() string {
	switch {
	case !r.Informative:
		return "Nothing that was measured goes with more of the outcome: the weights stay as they were."
	case r.used() == 1:
		return "Only one measure differs between these people, so the file cannot say how it weighs against the others: the weight stays as it was, and the report says how much the measure tells."
	}
	return "The ratios of the weights follow the outcome."
}

func (r *Result) figures(s Setting) (list []plot.Figure) {
	if auc := r.Scores.AUC; auc != nil {
		list = append(list,
			plot.Figure{Name: "AUC on the holdout", Value: plot.Number(auc.Value, 0.001), Note: fmt.Sprintf("%.3f to %.3f; 0.5 is chance", auc.Low, auc.High)},
			plot.Figure{Name: "Log-loss on the holdout", Value: plot.Number(r.Scores.LogLoss, 0.0001), Note: fmt.Sprintf("%.4f if one always says the mean", r.Scores.ConstantLogLoss)},
			plot.Figure{Name: "AUC of the points themselves", Value: plot.Number(r.Scores.PointsAUC, 0.001), Note: fmt.Sprintf("%.3f by the weights before", r.Scores.BaseAUC)})
	}
	if r2 := r.Scores.R2; r2 != nil {
		list = append(list,
			plot.Figure{Name: "R² on the holdout", Value: plot.Number(r2.Value, 0.001), Note: fmt.Sprintf("%.3f to %.3f; 0 is the mean", r2.Low, r2.High)},
			plot.Figure{Name: "Rank correlation of the points", Value: plot.Number(r.Scores.PointsRank, 0.001), Note: fmt.Sprintf("%.3f by the weights before", r.Scores.BaseRank)})
	}
	if s.TypicalHourMicro > 0 {
		list = append(list, plot.Figure{
			Name: "λ for 1 TIME a typical hour", Value: amount.Format(LambdaMicro(s.TypicalHourMicro), 6),
			Note: fmt.Sprintf("median %s points an hour, of %d", amount.Format(s.TypicalHourMicro, 6), s.Hours),
		})
	} else {
		list = append(list, plot.Figure{Name: "λ", Value: "not measured", Note: "the file has no presence, so no typical hour"})
	}
	return append(list, plot.Figure{Name: "Mean outcome", Value: plot.Exact(r.Outcome), Note: fmt.Sprintf("%d people", r.People)})
}

func (r *Result) table() *plot.Table {
	t := &plot.Table{Header: []string{"Measure", "Mean", "Clipped at", "Coefficient", "from", "to", "Weight before", "Weight", "from", "to"}, Texts: 1}
	for j, e := range r.Estimates {
		row := []string{Measures[j].Letter + ", " + Measures[j].Name}
		if e.Used {
			row = append(row, plot.Exact(e.Mean), plot.Exact(e.ClippedAt), plot.Exact(e.Coefficient.Value), plot.Exact(e.Coefficient.Low), plot.Exact(e.Coefficient.High))
		} else {
			row = append(row, "not in the data", "", "", "", "")
		}
		row = append(row, plot.Exact(r.options.Base[j]), plot.Exact(e.Weight.Value), plot.Exact(e.Weight.Low), plot.Exact(e.Weight.High))
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r *Result) shareChart() plot.Chart {
	c := plot.Chart{
		Title: "What points come of", Note: "The part of all points of these people that each measure makes, by the weights before and by the new ones, with their intervals.",
		X: plot.Axis{Label: "Measure"}, Y: plot.Axis{Label: "Part of all points", Unit: " %", Zero: true},
		Series: []plot.Series{{Name: "before", Mark: plot.Bars}, {Name: "calibrated", Mark: plot.Intervals}},
	}
	before, now := &c.Series[0], &c.Series[1]
	for j, e := range r.Estimates {
		c.X.Categories = append(c.X.Categories, Measures[j].Letter)
		before.X, before.Y = append(before.X, float64(j)), append(before.Y, e.BaseShare*100)
		now.X, now.Y = append(now.X, float64(j)), append(now.Y, e.Share.Value*100)
		now.Low, now.High = append(now.Low, e.Share.Low*100), append(now.High, e.Share.High*100)
	}
	return c
}

// holdoutSection shows how far predictions hold for people who were not seen.
func (r *Result) holdoutSection() plot.Section {
	predicted := plot.Chart{
		Title: "Prediction and outcome", Note: "Tenths of the holdout by prediction. On the broken line the outcome is as predicted.",
		X: plot.Axis{Label: "Mean prediction"}, Y: plot.Axis{Label: "Mean outcome"},
		Series: []plot.Series{{Mark: plot.Dashes, Aside: true}, {Name: "outcome", Mark: plot.Dots}},
	}
	for _, g := range r.Groups {
		for i := range predicted.Series {
			s := &predicted.Series[i]
			s.X = append(s.X, g.Predicted)
			s.Y = append(s.Y, [...]float64{g.Predicted, g.Observed}[i])
		}
	}
	section := plot.Section{Heading: "On people who were kept aside", Charts: []plot.Chart{predicted}}
	if r.Model == Logistic {
		x, y := thinned(r.ROC.FalsePositive, r.ROC.TruePositive)
		section.Charts = append(section.Charts, plot.Chart{
			Title: "How well the two kinds are told apart", Note: "For every threshold, which part of those with the outcome is found, against which part of those without it is taken for them. The broken line is chance.",
			X: plot.Axis{Label: "Wrongly found", Zero: true}, Y: plot.Axis{Label: "Found", Zero: true},
			Series: []plot.Series{{Mark: plot.Dashes, X: []float64{0, 1}, Y: []float64{0, 1}, Aside: true}, {Name: "found", X: x, Y: y}},
		})
	}
	return section
}

// thinned leaves a curve about a hundred points.
func thinned(x, y []float64) (xs, ys []float64) {
	const points = 100
	for i := range x {
		if last := len(xs) - 1; last < 0 || i == len(x)-1 || x[i]-xs[last] >= 1.0/points || y[i]-ys[last] >= 1.0/points {
			xs, ys = append(xs, x[i]), append(ys, y[i])
		}
	}
	return xs, ys
}

// profileSection shows whether a straight line fits at all.
func (r *Result) profileSection() []plot.Section {
	section := plot.Section{
		Heading: "The outcome along each measure",
		Text:    []string{"Groups of about a tenth of all people by the measure alone. A policy weighs along a straight line; where the points bend, a cap or a formula fits better."},
	}
	for j, groups := range r.Profiles {
		if len(groups) == 0 {
			continue
		}
		c := plot.Chart{
			Title: fmt.Sprintf("%s, %s", Measures[j].Letter, Measures[j].Name),
			X:     plot.Axis{Label: "Mean " + Measures[j].Name}, Y: plot.Axis{Label: "Mean outcome"},
			Series: []plot.Series{{Name: "outcome", Mark: plot.Marked}},
		}
		for _, g := range groups {
			s := &c.Series[0]
			s.X, s.Y = append(s.X, g.Predicted), append(s.Y, g.Observed)
		}
		section.Charts = append(section.Charts, c)
	}
	if len(section.Charts) == 0 {
		return nil
	}
	return []plot.Section{section}
}
