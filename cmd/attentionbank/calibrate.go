package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/calibrate"
	"github.com/attentionbank/attentionbank/score"
)

type calibrateCommand struct {
	Files []string `arg:"" help:"CSV files, or NDJSON of Segment events; - is standard input." placeholder:"FILE"`

	Map       columns `help:"Columns of a CSV file: person, time, hours, interactions, spend, type, id, outcome. a+b joins columns." placeholder:"ROLE=COLUMN" mapsep:"," group:"What is read"`
	Delimiter string  `help:"Between columns: ${enum}." enum:"comma,tab,semicolon,space" default:"comma" group:"What is read"`
	Until     string  `help:"Rows before this time are behaviour, those from it on are what came of it." placeholder:"TIME" group:"What is read"`
	Outcome   string  `help:"With --until, what counts as outcome: ${enum}." enum:"returned,hours,interactions,spend" default:"returned" group:"What is read"`
	Within    int     `help:"With --until, how many days what came of it is looked at; 0 for all." default:"0" placeholder:"DAYS" group:"What is read"`
	Policy    string  `help:"Policy file (YAML) whose weights are put anew; the default policy's caps if none is named." type:"existingfile" group:"What is read"`

	Model     string  `help:"${enum}: logistic for outcomes of 0 and 1, ridge for others." enum:"auto,logistic,ridge" default:"auto" group:"How it is estimated"`
	Seed      uint64  `help:"Draws the holdout and the resamples." default:"1" group:"How it is estimated"`
	Resamples int     `help:"How often people are drawn anew for the intervals." default:"1000" group:"How it is estimated"`
	Holdout   float64 `help:"Part of the people that is kept aside for the scores." default:"0.2" group:"How it is estimated"`
	Clip      float64 `help:"Quantile at which each measure is cut for the estimate." default:"0.99" group:"How it is estimated"`

	Out    string `help:"Write the policy to this file; standard output if none is named." type:"path" group:"What is written"`
	Report string `help:"Write a report with plots (HTML) to this file." type:"path" group:"What is written"`
	JSON   string `help:"Write the numbers (JSON) to this file." type:"path" name:"json" group:"What is written"`
}

// Help teaches by example.
func (c *calibrateCommand) Help() string {
	return `Estimates α, β and γ from what people did and what came of it: a row of the file with an outcome for
each person, or events with times, of which those before --until are behaviour and those from it on
are what came of it. Prints a policy; a summary goes to standard error.

  attentionbank calibrate players.csv --map person=user,hours=hours,interactions=moves,spend=paid,outcome=retained
  attentionbank calibrate orders.csv --map person=customer,time=date,interactions=items,spend=total --until 2026-04-01 --outcome spend
  attentionbank calibrate events.ndjson --until 2026-04-01 --within 30 --report calibration.html --out next.yaml

An outcome is a number, or true and false; a person has one. What it means and what it does not is in
docs/calibration.md. Try what comes out before publishing it:

  attentionbank policy dry-run next.yaml --world cafe --days 7`
}

// calibration collects what is read.
type calibration struct {
	behaviour, after  *tally
	untilMS, endMS    int64 // 0 for no bound
	outcomes          map[string]float64
	fromColumn        bool
	outcome           string
	withoutBehaviour  int // people who only came later
	later, outOfRange int // rows
}

// Run implements the command.
func (c *calibrateCommand) Run(env *environment) error {
	text, policy, err := c.policy()
	if err != nil {
		return err
	}
	read, err := c.plan(policy)
	if err != nil {
		return err
	}
	for _, file := range c.Files {
		if err := readFile(env, file, c.Map, c.Delimiter, read.add, read.behaviour.bad, "outcome"); err != nil {
			return err
		}
	}
	read.behaviour.report(env.stderr)
	samples := read.samples()
	options := calibrate.Options{
		Model: calibrate.Model(c.Model), Seed: c.Seed, Resamples: c.Resamples, HoldoutShare: c.Holdout, ClipQuantile: c.Clip,
		Base: [3]float64{float64(policy.AlphaMicro) / 1e6, float64(policy.BetaMicro) / 1e6, float64(policy.GammaMicro) / 1e6},
	}
	bar := progress(env, int64(max(c.Resamples, 1)), "drawing people anew")
	result, err := calibrate.Run(samples, options, func(done, _ int) {
		if bar != nil {
			bar.Set(done) // a bar that cannot be drawn is no fault
		}
	})
	if err != nil {
		return withHint(err, "docs/calibration.md says what a calibration needs")
	}
	return c.write(env, text, read, result)
}

func (c *calibrateCommand) policy() (text []byte, policy *score.Policy, err error) {
	policy = score.DefaultPolicy()
	if c.Policy != "" {
		if text, err = os.ReadFile(c.Policy); err != nil {
			return nil, nil, fmt.Errorf("reading the policy: %w", err)
		}
		if policy, err = score.ParsePolicy(text); err != nil {
			return nil, nil, err
		}
	}
	if policy.HasFormula() {
		return nil, nil, usage("--policy: the policy has a formula in place of weights, and there is nothing to calibrate")
	}
	return text, policy, nil
}

// plan settles where the outcome comes from.
func (c *calibrateCommand) plan(policy *score.Policy) (*calibration, error) {
	read := &calibration{behaviour: newTally(policy), after: newTally(policy), outcomes: map[string]float64{}, outcome: c.Outcome}
	_, read.fromColumn = c.Map["outcome"]
	switch {
	case read.fromColumn && c.Until != "":
		return nil, usage("expected an outcome column or --until, not both")
	case !read.fromColumn && c.Until == "":
		return nil, usage("expected to know what came of it: map outcome=COLUMN, or give --until TIME for rows with times")
	case c.Within < 0 || c.Within > 36_500:
		return nil, usage("--within %d: expected 0 to 36500 days", c.Within)
	}
	if c.Until != "" {
		var err error
		if read.untilMS, err = parseTime(c.Until); err != nil {
			return nil, usage("--until %s: %v", c.Until, err)
		}
		if c.Within > 0 {
			read.endMS = read.untilMS + int64(c.Within)*24*60*60*1000
		}
	}
	return read, nil
}

func (r *calibration) add(read row) error {
	if len(r.behaviour.people) >= calibrate.MaxPeople {
		return fmt.Errorf("more than %d people: take a sample of them", calibrate.MaxPeople)
	}
	if r.fromColumn {
		if err := r.addOutcome(&read); err != nil {
			return err
		}
		return r.behaviour.add(read)
	}
	switch {
	case !read.timed:
		return errors.New("--until needs a time for every row: map time=COLUMN")
	case read.event.TimeMS < r.untilMS:
		return r.behaviour.add(read)
	case r.endMS != 0 && read.event.TimeMS >= r.endMS:
		r.outOfRange++
		return nil
	}
	r.later++
	return r.after.add(read)
}

func (r *calibration) addOutcome(read *row) error {
	value, err := parseOutcome(read.outcome)
	if err != nil {
		return err
	}
	if known, is := r.outcomes[read.person]; is && known != value {
		return fmt.Errorf("outcome of %q: %v here and %v before; expected one a person", read.person, value, known)
	}
	r.outcomes[read.person] = value
	return nil
}

func parseOutcome(text string) (float64, error) {
	switch strings.ToLower(text) {
	case "true", "yes":
		return 1, nil
	case "false", "no":
		return 0, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.Abs(value) > 1e12 || len(text) > 64 {
		return 0, fmt.Errorf("outcome: %.64q: expected a number from -10^12 to 10^12, or true or false", text)
	}
	return value, nil
}

// measured returns T in hours, I and C in units.
func (p *personTally) measured() [3]float64 {
	seconds := p.seconds
	for _, d := range p.days {
		seconds += d.PresentSeconds()
	}
	return [3]float64{float64(seconds) / 3600, float64(p.allInteractions) / score.Micro, float64(p.allSpendMinor) / 100}
}

func (r *calibration) samples() []calibrate.Sample {
	samples := make([]calibrate.Sample, 0, len(r.behaviour.people))
	for name, p := range r.behaviour.people {
		s := calibrate.Sample{Person: name, X: p.measured(), Outcome: r.outcomes[name]}
		if after := r.after.people[name]; after != nil {
			measured := after.measured()
			switch r.outcome {
			case "returned":
				s.Outcome = 1
			case "hours":
				s.Outcome = measured[0]
			case "interactions":
				s.Outcome = measured[1]
			case "spend":
				s.Outcome = measured[2]
			}
		}
		samples = append(samples, s)
	}
	for name := range r.after.people {
		if r.behaviour.people[name] == nil {
			r.withoutBehaviour++
		}
	}
	return samples
}

// typicalHour returns points an hour of every person-day with at least ten
// minutes of presence; of a person as a whole, where rows have no times.
func (r *calibration) typicalHour(policy *score.Policy) (perHourMicro []int64) {
	const enoughSeconds = 600
	add := func(seconds, points int64) {
		if perHour, fits := amount.MulDivDown(points, 3600, max(seconds, 1)); fits && seconds >= enoughSeconds {
			perHourMicro = append(perHourMicro, perHour)
		}
	}
	for _, p := range r.behaviour.people {
		for _, d := range p.days {
			add(d.PresentSeconds(), d.Score(tallyWorld, policy).PointsMicro)
		}
		points, _ := policy.Linear(p.seconds, p.interactions, p.spend)
		add(p.seconds, points)
	}
	return perHourMicro
}

func (c *calibrateCommand) write(env *environment, text []byte, read *calibration, result *calibrate.Result) error {
	draft, err := result.Policy(text, "")
	if err != nil {
		return err
	}
	policy, err := score.ParsePolicy(draft)
	if err != nil {
		return err
	}
	hours := read.typicalHour(policy)
	setting := calibrate.Setting{
		Title: filepath.Base(c.Files[0]), Outcome: c.outcomeName(), Sources: c.sources(read), Command: c.commandLine(),
		TypicalHourMicro: calibrate.TypicalHourMicro(hours), Hours: len(hours),
	}
	if setting.TypicalHourMicro > 0 && len(hours) < 30 {
		setting.Warnings = append(setting.Warnings, fmt.Sprintf("The typical hour is the median of %d only.", len(hours)))
	}
	if c.Report != "" {
		if err := writeOut(env, c.Report, result.Page(setting).Write); err != nil {
			return err
		}
	}
	if c.JSON != "" {
		err := writeOut(env, c.JSON, func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(struct {
				*calibrate.Result
				TypicalHour string `json:"typical_hour_points"`
				Lambda      string `json:"lambda"`
			}{result, amount.Format(setting.TypicalHourMicro, 6), amount.Format(calibrate.LambdaMicro(setting.TypicalHourMicro), 6)})
		})
		if err != nil {
			return err
		}
	}
	if err := printCalibration(env.stderr, result, setting); err != nil {
		return err
	}
	final, err := result.Policy(text, policyComment(result, setting))
	if err != nil {
		return err
	}
	return writeOut(env, c.Out, func(w io.Writer) error { _, err := w.Write(final); return err })
}

func (c *calibrateCommand) outcomeName() string {
	if c.Until == "" {
		return "the column " + c.Map["outcome"]
	}
	within := ""
	if c.Within > 0 {
		within = fmt.Sprintf(" and within %d days", c.Within)
	}
	return map[string]string{
		"returned": "whether they came back", "hours": "how many hours they came for",
		"interactions": "how much they did", "spend": "how much they spent",
	}[c.Outcome] + " from " + c.Until + " on" + within
}

func (c *calibrateCommand) sources(read *calibration) []string {
	text := fmt.Sprintf("%d rows of %d people.", read.behaviour.rows, len(read.behaviour.people))
	if c.Until != "" {
		text = fmt.Sprintf("%d rows of %d people before %s, %d rows from then on, %d rows too late to look at. %d people appear only afterwards and do not count.",
			read.behaviour.rows, len(read.behaviour.people), c.Until, read.later, read.outOfRange, read.withoutBehaviour)
	}
	return []string{text + fmt.Sprintf(" %d rows could not be read.", read.behaviour.badRows)}
}

// commandLine is the command without where files lie.
func (c *calibrateCommand) commandLine() string {
	line := "attentionbank calibrate"
	for _, file := range c.Files {
		line += " " + filepath.Base(file)
	}
	if c.Delimiter != "comma" {
		line += " --delimiter " + c.Delimiter
	}
	var mapped []string
	for _, role := range append(columnRoles, "outcome") {
		if column, is := c.Map[role]; is {
			mapped = append(mapped, role+"="+column)
		}
	}
	if len(mapped) > 0 {
		line += " --map " + strings.Join(mapped, ",")
	}
	if c.Until != "" {
		line += fmt.Sprintf(" --until %s --outcome %s --within %d", c.Until, c.Outcome, c.Within)
	}
	if c.Policy != "" {
		line += " --policy " + filepath.Base(c.Policy)
	}
	return line + fmt.Sprintf(" --model %s --seed %d --resamples %d --holdout %g --clip %g", c.Model, c.Seed, c.Resamples, c.Holdout, c.Clip)
}

func policyComment(r *calibrate.Result, s calibrate.Setting) string {
	comment := fmt.Sprintf("Calibrated on %s: %s.\n%d people, %d of them held out.", s.Title, s.Outcome, r.People, r.Holdout)
	for j, e := range r.Estimates {
		m := calibrate.Measures[j]
		switch {
		case !e.Used:
			comment += fmt.Sprintf("\n%s: %s was not measured; as before", m.Field, m.Letter)
		default:
			comment += fmt.Sprintf("\n%s: 95 %% between %.6f and %.6f", m.Field, e.Weight.Low, e.Weight.High)
		}
	}
	if s.TypicalHourMicro > 0 {
		comment += fmt.Sprintf("\nA typical hour earns %s points; λ = %s pays 1 TIME for it (the bank's monetary policy, not this file).",
			amount.Format(s.TypicalHourMicro, 6), amount.Format(calibrate.LambdaMicro(s.TypicalHourMicro), 6))
	}
	return comment
}

func printCalibration(w io.Writer, r *calibrate.Result, s calibrate.Setting) error {
	fmt.Fprintf(w, "%s model, %d people, %d held out; %s\n\n", r.Model, r.People, r.Holdout, s.Outcome)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tCOEFFICIENT\tFROM\tTO\tWEIGHT\tFROM\tTO\tBEFORE\t")
	for j, e := range r.Estimates {
		if !e.Used {
			fmt.Fprintf(table, "%s\tnot measured\t\t\t%.6f\t\t\t%.6f\t\n", calibrate.Measures[j].Weight, e.Weight.Value, r.Options().Base[j])
			continue
		}
		fmt.Fprintf(table, "%s\t%.6g\t%.6g\t%.6g\t%.6f\t%.6f\t%.6f\t%.6f\t\n", calibrate.Measures[j].Weight,
			e.Coefficient.Value, e.Coefficient.Low, e.Coefficient.High, e.Weight.Value, e.Weight.Low, e.Weight.High, r.Options().Base[j])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if auc := r.Scores.AUC; auc != nil {
		fmt.Fprintf(w, "Holdout: AUC %.3f (%.3f to %.3f), log-loss %.4f (%.4f for the mean); AUC of the points %.3f, before %.3f\n",
			auc.Value, auc.Low, auc.High, r.Scores.LogLoss, r.Scores.ConstantLogLoss, r.Scores.PointsAUC, r.Scores.BaseAUC)
	}
	if r2 := r.Scores.R2; r2 != nil {
		fmt.Fprintf(w, "Holdout: R² %.3f (%.3f to %.3f); rank correlation of the points %.3f, before %.3f\n", r2.Value, r2.Low, r2.High, r.Scores.PointsRank, r.Scores.BaseRank)
	}
	if s.TypicalHourMicro > 0 {
		fmt.Fprintf(w, "A typical hour earns %s points: λ = %s pays 1 TIME for it\n", amount.Format(s.TypicalHourMicro, 6), amount.Format(calibrate.LambdaMicro(s.TypicalHourMicro), 6))
	} else {
		fmt.Fprintln(w, "There is no presence in the file, so no typical hour and no λ")
	}
	return nil
}
