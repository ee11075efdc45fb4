package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/score"
	"github.com/attentionbank/attentionbank/strongroom"
)

type policyDryRunCommand struct {
	File  string `arg:"" help:"Policy (YAML); - is standard input."`
	World string `required:"" help:"Code of the world." placeholder:"W"`
	Days  int    `default:"7" help:"How many days, up to 90, the last one included." placeholder:"N"`
	Until string `help:"The last day, as YYYY-MM-DD in UTC; today if none is named." placeholder:"DAY"`
	Top   int    `default:"10" help:"How many of those who gain and lose most are shown." placeholder:"N"`
	JSON  bool   `help:"Print JSON, with everybody."`
	Site
}

// Help teaches by example.
func (c *policyDryRunCommand) Help() string {
	return `Folds the events of a world's last days twice, by the policies that held and by the one of the file,
and shows what changes for whom. Nothing is published and nothing is written. People are shown by
their opaque ids. What history was imported keeps the import's policy.

It reads a bank that nobody serves, or a backup of one that is served:
  attentionbank backup /tmp/copy
  attentionbank policy dry-run next.yaml --world cafe --days 7 --data /tmp/copy --key-file data/master.key

Examples:
  attentionbank policy dry-run next.yaml --world cafe --days 7
  attentionbank policy dry-run next.yaml --world cafe --days 30 --json`
}

// dryRun is the outcome. Amounts are decimal texts; T is in seconds.
type dryRun struct {
	World    string       `json:"world"`
	FromDay  string       `json:"from_day"`
	UntilDay string       `json:"until_day"`
	Now      dryRunTotal  `json:"now"`
	Then     dryRunTotal  `json:"then"`
	Gain     int          `json:"people_who_gain"`
	Lose     int          `json:"people_who_lose"`
	Same     int          `json:"people_without_change"`
	People   []dryRunMove `json:"people"`
}

type dryRunTotal struct {
	Seconds      int64  `json:"T_seconds"`
	Interactions string `json:"I"`
	Spend        string `json:"C"`
	Points       string `json:"A"`

	interactionsMicro, spendMinor, pointsMicro int64
}

// dryRunMove is what changes for a person.
type dryRunMove struct {
	Person string `json:"person"`
	Now    string `json:"now"`
	Then   string `json:"then"`
	Change string `json:"change"`

	nowMicro, thenMicro int64
}

// Run implements the command.
func (c *policyDryRunCommand) Run(env *environment) error {
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
	text, err := readPolicy(env, c.File)
	if err != nil {
		return err
	}
	candidate, err := score.ParsePolicy(text)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", c.File, err), "attentionbank policy check %s", c.File)
	}
	lastDay := bank.Day(until.UnixMilli())
	outcome, err := c.rehearse(env, candidate, lastDay-int32(c.Days)+1, lastDay)
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

// stateRead shows a state that nobody changes.
type stateRead struct{ state *bank.State }

func (s stateRead) Read(_ context.Context, read func(*bank.State)) error {
	read(s.state)
	return nil
}

// openRehearsal opens a bank that nobody serves to fold its events anew: its
// last state, who its people are, and the events. The node is to be closed.
func openRehearsal(env *environment, site Site) (state *bank.State, n *node, events *strongroom.Events, err error) {
	store, head, done, err := openForReading(env, site)
	if err != nil {
		return nil, nil, nil, err
	}
	defer done()
	last, _, err := head.Load()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading the second head of the journal: %w", err)
	}
	progress, end := recordProgress(env, "replaying records")
	state, err = journal.StateAt(env.context, store, last, progress)
	end()
	if err != nil {
		return nil, nil, nil, err
	}
	n = &node{site: site}
	if err := n.openIdentity(env.context, systemMS); err != nil {
		return nil, nil, nil, errors.Join(err, n.close())
	}
	opened, eventsHead, err := site.openEvents(env.context)
	if err != nil {
		return nil, nil, nil, errors.Join(err, n.close())
	}
	n.closers = append(n.closers, opened.Close, eventsHead.Close)
	return state, n, opened, nil
}

func (c *policyDryRunCommand) rehearse(env *environment, candidate *score.Policy, fromDay, untilDay int32) (outcome dryRun, err error) {
	state, n, events, err := openRehearsal(env, c.Site)
	if err != nil {
		return outcome, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	world, found := state.WorldByCode(c.World)
	if !found {
		return outcome, withHint(fmt.Errorf("the bank has no world %s", c.World), "it has %s", worldsOf(state))
	}
	held := newPolicyBook(stateRead{state}, func() int64 { return state.NowMS() }).of
	proposed := func(of uint32, day int32, importVersion uint32) (*score.Policy, uint32) {
		if of != world || importVersion != 0 {
			return held(of, day, importVersion)
		}
		return candidate, 0
	}
	r := collect.Rehearsal{World: world, FromDay: fromDay, UntilDay: untilDay, LeadDays: maxRefundWindowDays, Purges: events, Checkpoints: events}
	outcome = dryRun{World: c.World, FromDay: dayName(fromDay), UntilDay: dayName(untilDay)}
	moves := map[[16]byte]*dryRunMove{}
	for _, run := range []struct {
		policies collect.Policies
		total    *dryRunTotal
		take     func(*dryRunMove, int64)
	}{
		{held, &outcome.Now, func(m *dryRunMove, points int64) { m.nowMicro += points }},
		{proposed, &outcome.Then, func(m *dryRunMove, points int64) { m.thenMicro += points }},
	} {
		r.Policies = run.policies
		progress, end := recordProgress(env, "folding batches of events")
		r.Progress = progress
		days, err := collect.Rehearse(env.context, events, subjects{n.identity}, r)
		end()
		if err != nil {
			return outcome, err
		}
		for _, d := range days {
			if moves[d.Person] == nil {
				moves[d.Person] = &dryRunMove{Person: hex.EncodeToString(d.Person[:])}
			}
			run.take(moves[d.Person], d.Award.PointsMicro)
			run.total.add(&d.Award)
		}
	}
	outcome.settle(moves)
	return outcome, nil
}

// worldsOf names the first worlds of a bank.
func worldsOf(state *bank.State) string {
	if state.Worlds() == 0 {
		return "none"
	}
	var codes []string
	for number := uint32(1); number <= min(state.Worlds(), 20); number++ {
		codes = append(codes, state.World(number).Code)
	}
	return strings.Join(codes, ", ")
}

// maxRefundWindowDays is the longest refund window that a policy can have.
const maxRefundWindowDays = 60

func dayName(day int32) string { return time.Unix(int64(day)*24*60*60, 0).UTC().Format(time.DateOnly) }

func (t *dryRunTotal) add(a *score.Award) {
	t.Seconds += a.PresentSeconds
	t.interactionsMicro += a.InteractionsMicro
	t.spendMinor += a.SpendMinor
	t.pointsMicro += a.PointsMicro
}

// settle counts who gains and loses; the first of the list gains most.
func (d *dryRun) settle(moves map[[16]byte]*dryRunMove) {
	six := func(v int64) string { return amount.Format(v, 6) }
	for _, total := range []*dryRunTotal{&d.Now, &d.Then} {
		total.Interactions, total.Spend, total.Points = six(total.interactionsMicro), amount.Format(total.spendMinor, score.CurrencyScale), six(total.pointsMicro)
	}
	d.People = make([]dryRunMove, 0, len(moves))
	for _, m := range moves {
		m.Now, m.Then, m.Change = six(m.nowMicro), six(m.thenMicro), six(m.change())
		switch {
		case m.change() > 0:
			d.Gain++
		case m.change() < 0:
			d.Lose++
		default:
			d.Same++
		}
		d.People = append(d.People, *m)
	}
	slices.SortFunc(d.People, func(a, b dryRunMove) int {
		return cmp.Or(cmp.Compare(b.change(), a.change()), bytes.Compare([]byte(a.Person), []byte(b.Person)))
	})
}

func (m *dryRunMove) change() int64 { return m.thenMicro - m.nowMicro }

func (d *dryRun) print(w io.Writer, top int) error {
	fmt.Fprintf(w, "World %s, %s to %s, %d people\n\n", d.World, d.FromDay, d.UntilDay, len(d.People))
	if len(d.People) == 0 {
		fmt.Fprintln(w, "Nobody reported anything in these days.")
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tNOW\tTHEN\tCHANGE\t")
	six := func(v int64) string { return amount.Format(v, 6) }
	row := func(name, now, then string, before, after int64) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", name, now, then, percent(before, after))
	}
	row("T seconds", fmt.Sprint(d.Now.Seconds), fmt.Sprint(d.Then.Seconds), d.Now.Seconds, d.Then.Seconds)
	row("I", d.Now.Interactions, d.Then.Interactions, d.Now.interactionsMicro, d.Then.interactionsMicro)
	row("C", d.Now.Spend, d.Then.Spend, d.Now.spendMinor, d.Then.spendMinor)
	row("A points", six(d.Now.pointsMicro), six(d.Then.pointsMicro), d.Now.pointsMicro, d.Then.pointsMicro)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d gain, %d lose, %d stay as they are\n", d.Gain, d.Lose, d.Same)
	show := func(title string, people []dryRunMove) {
		if len(people) == 0 {
			return
		}
		fmt.Fprintf(table, "\n%s\tNOW\tTHEN\tCHANGE\t\n", title)
		for i := range people {
			m := &people[i]
			row(m.Person, m.Now, m.Then, m.nowMicro, m.thenMicro)
		}
	}
	show("GAIN MOST", d.People[:min(top, d.Gain)])
	losers := slices.Clone(d.People[len(d.People)-min(top, d.Lose):])
	slices.Reverse(losers)
	show("LOSE MOST", losers)
	return table.Flush()
}

// percent writes a change in whole tenths of a percent, towards zero.
func percent(before, after int64) string {
	switch {
	case before == after:
		return "="
	case before == 0:
		return "new"
	}
	change := after - before
	sign := "+"
	if change < 0 {
		sign, change = "-", -change
	}
	tenths, fits := amount.MulDivDown(change, 1000, before)
	if !fits {
		return sign + "more than 10^15 %"
	}
	return fmt.Sprintf("%s%d.%d %%", sign, tenths/10, tenths%10)
}
