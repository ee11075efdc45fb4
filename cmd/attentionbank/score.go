package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/score"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

type scoreCommand struct {
	Files []string `arg:"" optional:"" help:"CSV files, or NDJSON of Segment events; - is standard input." placeholder:"FILE"`

	Time         *time.Duration `help:"T, such as 50h." group:"From numbers"`
	Interactions *string        `help:"I, the number of interactions." group:"From numbers"`
	Spend        *string        `help:"C, in units of currency." group:"From numbers"`
	Alpha        *string        `help:"α, points for an hour." group:"Weights"`
	Beta         *string        `help:"β, points for an interaction." group:"Weights"`
	Gamma        *string        `help:"γ, points for a unit of currency." group:"Weights"`
	Lambda       string         `help:"λ, TIME for a point." default:"0.016667" group:"Weights"`
	Policy       string         `help:"Policy file (YAML); the default policy if none is named." type:"existingfile" group:"Weights"`

	Map       columns `help:"Columns of a CSV file: person, time, hours, interactions, spend, type, id. a+b joins columns." placeholder:"ROLE=COLUMN" mapsep:"," group:"From files"`
	Delimiter string  `help:"Between columns: ${enum}." enum:"comma,tab,semicolon,space" default:"comma" group:"From files"`
	Strict    bool    `help:"Fail if a row cannot be read." group:"From files"`
	Format    string  `help:"Form of the output: ${enum}." enum:"csv,json,table" default:"csv" group:"From files"`
	Out       string  `help:"Write to this file; standard output if none is named." type:"path" group:"From files"`
}

// Help teaches by example.
func (c *scoreCommand) Help() string {
	return `A = αT + βI + γC in points, V = λA in TIME. From numbers, T counts in hours.

  attentionbank score --time 50h --interactions 500 --spend 1000 --alpha 0.5 --beta 0.3 --gamma 0.2 --lambda 0.01

prints A = 375 and V = 3.75: 0.5·50 + 0.3·500 + 0.2·1000 = 25 + 150 + 200. The article with which
the product began prints 1300 and 13 for these numbers; its arithmetic is wrong.

From files, a row is printed for each person: person,T_seconds,I,C,A,V. T, I and C are what was
measured, A is what the policy makes of it.

  attentionbank score plays.csv --map person=user,hours=hours
  attentionbank score orders.csv --map person=customer,time=date,spend=total,id=order --format table
  attentionbank score events.ndjson --policy cafe.yaml --out scores.csv
  zcat events.gz | attentionbank score - --map person=user_id,time=event_time,type=event_type,spend=price

With an id column a repeated id counts once; without one every row counts. With a time column, rows
are events that fall into the slices of days; with hours and no time, T is the sum of the hours, and
caps and the daily curve, which need times, do not apply.`
}

// Run implements the command.
func (c *scoreCommand) Run(env *environment) error {
	policy, err := c.policy()
	if err != nil {
		return err
	}
	lambda, err := amount.Parse(c.Lambda, 6)
	if err != nil || lambda < 0 {
		return usage("--lambda %s: expected a number from 0 on with up to six decimal places", c.Lambda)
	}
	fromNumbers := c.Time != nil || c.Interactions != nil || c.Spend != nil
	switch {
	case fromNumbers && len(c.Files) > 0:
		return usage("expected numbers or files, not both")
	case fromNumbers:
		return c.scoreNumbers(env, policy, lambda)
	case len(c.Files) == 0:
		return usage("expected --time, --interactions or --spend, or files to read; try: attentionbank score --help")
	}
	tally := newTally(policy)
	for _, file := range c.Files {
		if err := readFile(env, file, c.Map, c.Delimiter, tally.add, tally.bad); err != nil {
			return err
		}
	}
	tally.report(env.stderr)
	if c.Strict && tally.badRows > 0 {
		return fmt.Errorf("%d rows could not be read", tally.badRows)
	}
	return writeOut(env, c.Out, func(w io.Writer) error { return writeScores(w, c.Format, tally.scores(lambda)) })
}

func (c *scoreCommand) policy() (*score.Policy, error) {
	policy := score.DefaultPolicy()
	if c.Policy != "" {
		text, err := os.ReadFile(c.Policy)
		if err != nil {
			return nil, fmt.Errorf("reading the policy: %w", err)
		}
		if policy, err = score.ParsePolicy(text); err != nil {
			return nil, err
		}
	}
	weighted := *policy
	for _, weight := range []struct {
		flag string
		text *string
		into *int64
	}{{"--alpha", c.Alpha, &weighted.AlphaMicro}, {"--beta", c.Beta, &weighted.BetaMicro}, {"--gamma", c.Gamma, &weighted.GammaMicro}} {
		if weight.text == nil {
			continue
		}
		micro, err := amount.Parse(*weight.text, 6)
		if err != nil || micro < 0 || micro > score.Micro*score.Micro {
			return nil, usage("%s %s: expected 0 to 1000000 with up to six decimal places", weight.flag, *weight.text)
		}
		*weight.into = micro
	}
	return &weighted, nil
}

func (c *scoreCommand) scoreNumbers(env *environment, policy *score.Policy, lambda int64) error {
	if policy.HasFormula() {
		return usage("the policy has a formula of slices; numbers without times have none")
	}
	var seconds, interactions, spend int64
	if c.Time != nil {
		if *c.Time < 0 || *c.Time%time.Second != 0 {
			return usage("--time %s: expected whole seconds from 0 on, such as 50h or 90m", *c.Time)
		}
		seconds = int64(*c.Time / time.Second)
	}
	if c.Interactions != nil {
		var err error
		if interactions, err = amount.Parse(*c.Interactions, 6); err != nil || interactions < 0 {
			return usage("--interactions %s: expected a number from 0 on", *c.Interactions)
		}
	}
	if c.Spend != nil {
		var ok bool
		if spend, ok = score.ParseSpend(*c.Spend); !ok {
			return usage("--spend %s: expected an amount such as 1000 or 19.90", *c.Spend)
		}
	}
	points, terms := policy.Linear(seconds, interactions, spend)
	value, fits := amount.MulDivDown(points, lambda, score.Micro)
	if !fits {
		return fmt.Errorf("the value does not fit: A is %s points", amount.Format(points, 6))
	}
	hours, _ := amount.MulDivDown(seconds, score.Micro, 3600)
	six := func(v int64) string { return amount.Format(v, 6) }
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "T\t%s h\tα·T = %s · %s\t= %s\n", six(hours), six(policy.AlphaMicro), six(hours), six(terms.AlphaMicro))
	fmt.Fprintf(table, "I\t%s\tβ·I = %s · %s\t= %s\n", six(interactions), six(policy.BetaMicro), six(interactions), six(terms.BetaMicro))
	fmt.Fprintf(table, "C\t%s\tγ·C = %s · %s\t= %s\n", amount.Format(spend, 2), six(policy.GammaMicro), amount.Format(spend, 2), six(terms.GammaMicro))
	fmt.Fprintf(table, "A\t\tα·T + β·I + γ·C\t= %s\n", six(points))
	fmt.Fprintf(table, "V\t\tλ·A = %s · %s\t= %s\n", six(lambda), six(points), six(value))
	return table.Flush()
}

// readFile reads a file of behaviour row by row, with a progress bar where
// somebody watches. Roles in also may be mapped too.
func readFile(env *environment, name string, mapping columns, delimiter string, add func(row) error, bad func(error), also ...string) error {
	src, size := env.stdin, int64(-1)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return withHint(fmt.Errorf("reading behaviour: %w", err), "name an existing file, or - for standard input")
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			size = info.Size()
		}
		src = file
	}
	if bar := progress(env, size, "reading "+filepath.Base(name)); bar != nil {
		defer bar.Close()
		src = io.TeeReader(src, bar)
	}
	rows, err := openRows(src, mapping, delimiter, also...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for {
		r, err := rows.next()
		switch {
		case err == io.EOF:
			return nil
		case isBadRow(err):
			bad(fmt.Errorf("%s: %w", name, err))
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		default:
			if err := add(r); err != nil {
				return fmt.Errorf("%s: line %d: %w", name, r.line, err)
			}
		}
	}
}

func isBadRow(err error) bool {
	_, is := err.(*badRow)
	return is
}

// progress returns a bar on standard error, nil where that is no terminal.
func progress(env *environment, total int64, what string) *progressbar.ProgressBar {
	file, isFile := env.stderr.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(file), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(total >= 0), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
}

// writeOut writes to a file, whole or not at all, or to standard output.
func writeOut(env *environment, path string, write func(io.Writer) error) error {
	if path == "" {
		return write(env.stdout)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".unfinished-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	err = write(file)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func writeScores(w io.Writer, format string, scores []personScore) error {
	header := []string{"person", "T_seconds", "I", "C", "A", "V"}
	switch format {
	case "json":
		encoder := json.NewEncoder(w)
		for _, s := range scores {
			if err := encoder.Encode(s); err != nil {
				return err
			}
		}
		return nil
	case "table":
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "PERSON\tT (SECONDS)\tI\tC\tA (POINTS)\tV (TIME)")
		for _, s := range scores {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", s.Person, s.Seconds, s.Interactions, s.Spend, s.Points, s.Value)
		}
		return table.Flush()
	}
	table := csv.NewWriter(w)
	table.Write(header)
	for _, s := range scores {
		table.Write([]string{s.Person, fmt.Sprint(s.Seconds), s.Interactions, s.Spend, s.Points, s.Value})
	}
	table.Flush()
	return table.Error()
}
