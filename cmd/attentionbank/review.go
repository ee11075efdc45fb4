package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
)

type reviewCommand struct {
	DryRun reviewDryRunCommand `cmd:"" name:"dry-run" help:"Look at the last days by review rules: about whom they would find what."`
}

type reviewDryRunCommand struct {
	File  string `arg:"" optional:"" help:"Review rules (YAML); the default ones if none are named." type:"existingfile"`
	Days  int    `default:"7" help:"How many days, up to 90, the last one included." placeholder:"N"`
	Until string `help:"The last day, as YYYY-MM-DD in UTC; today if none is named." placeholder:"DAY"`
	Top   int    `default:"10" help:"How many days of the least trust are shown." placeholder:"N"`
	JSON  bool   `help:"Print JSON, with every day that was found odd."`
	Site
}

// Help teaches by example.
func (c *reviewDryRunCommand) Help() string {
	return `Folds the events of the last days of all worlds anew, looks at each day by the rules, those that only
watch too, and says what they find and whose TIME they would hold back. Nothing is published and nothing
is written. People are shown by their opaque ids.

It reads a bank that nobody serves, or a backup of one that is served:
  attentionbank backup /tmp/copy
  attentionbank review dry-run careful.yaml --data /tmp/copy --key-file data/master.key

Examples:
  attentionbank review dry-run
  attentionbank review dry-run careful.yaml --days 30 --json`
}

// reviewDryRun is the outcome.
type reviewDryRun struct {
	Rules    string          `json:"rules"`
	FromDay  string          `json:"from_day"`
	UntilDay string          `json:"until_day"`
	Days     int             `json:"person_days"`
	Holds    int             `json:"days_that_hold"`
	Would    int             `json:"days_that_would_hold"`
	Signals  map[string]int  `json:"days_by_signal"`
	Found    []reviewedDayTo `json:"found"`
}

// reviewedDayTo is a day that was found odd, to be shown.
type reviewedDayTo struct {
	Person   string   `json:"person"`
	Day      string   `json:"day"`
	Trust    int64    `json:"trust"`
	Holds    bool     `json:"holds"`
	Would    bool     `json:"would_hold"`
	Evidence []string `json:"evidence"`
}

// Run implements the command.
func (c *reviewDryRunCommand) Run(env *environment) error {
	if c.Days < 1 || c.Days > 90 {
		return usage("--days %d: expected 1 to 90", c.Days)
	}
	until := time.Now().UTC()
	if c.Until != "" {
		var err error
		if until, err = time.Parse(time.DateOnly, c.Until); err != nil {
			return usage("--until %s: expected a day such as 2026-01-31", c.Until)
		}
	}
	rules := abuse.DefaultRules()
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		if rules, err = abuse.ParseRules(text); err != nil {
			return withHint(fmt.Errorf("%s: %w", c.File, err), "docs/review.md has an example")
		}
	}
	outcome, err := c.rehearse(env, rules, bank.Day(until.UnixMilli()))
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(outcome)
	}
	return outcome.print(env.stdout, c.Top)
}

func (c *reviewDryRunCommand) rehearse(env *environment, rules *abuse.Rules, lastDay int32) (outcome reviewDryRun, err error) {
	state, n, events, err := openRehearsal(env, c.Site)
	if err != nil {
		return outcome, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	firstDay := lastDay - int32(c.Days) + 1
	progress, end := recordProgress(env, "folding batches of events")
	days, err := collect.RehearseReview(env.context, events, subjects{n.identity}, collect.Rehearsal{
		FromDay: firstDay, UntilDay: lastDay, LeadDays: 1, MarkSecret: markSecret(n.identity), Purges: events, Checkpoints: events, Progress: progress,
		Policies: newPolicyBook(stateRead{state}, func() int64 { return state.NowMS() }).of,
	}, rules)
	end()
	if err != nil {
		return outcome, err
	}
	outcome = reviewDryRun{Rules: rules.Name, FromDay: dayName(firstDay), UntilDay: dayName(lastDay), Days: len(days), Signals: map[string]int{}, Found: []reviewedDayTo{}}
	for i := range days {
		outcome.add(&days[i])
	}
	return outcome, nil
}

func (o *reviewDryRun) add(d *collect.Reviewed) {
	if len(d.Findings) == 0 {
		return
	}
	shown := reviewedDayTo{Person: hex.EncodeToString(d.Person[:]), Day: dayName(d.Day), Trust: d.Trust, Holds: d.Holds, Would: d.WouldHold}
	if d.ShadowSignals != 0 {
		shown.Trust = d.ShadowTrust
	}
	if d.Holds {
		o.Holds++
	}
	if d.Holds || d.WouldHold {
		o.Would++
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		o.Signals[f.Signal.String()]++
		shown.Evidence = append(shown.Evidence, f.Signal.String()+": "+f.Evidence())
	}
	o.Found = append(o.Found, shown)
}

func (o *reviewDryRun) print(w io.Writer, top int) error {
	fmt.Fprintf(w, "Rules %s, %s to %s: %d days of people, %d would hold TIME back, of which %d by rules that are enforced\n\n", o.Rules, o.FromDay, o.UntilDay, o.Days, o.Would, o.Holds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SIGNAL\tDAYS")
	for _, signal := range abuse.Signals {
		fmt.Fprintf(table, "%s\t%d\n", signal, o.Signals[signal.String()])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i := range min(top, len(o.Found)) {
		f := &o.Found[i]
		fmt.Fprintf(w, "\n%s %s, trust %d\n", f.Person, f.Day, f.Trust)
		for _, evidence := range f.Evidence {
			fmt.Fprintf(w, "  %s\n", evidence)
		}
	}
	return nil
}
