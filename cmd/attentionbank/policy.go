package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/packs"
	"github.com/attentionbank/attentionbank/score"
)

type policyCommand struct {
	Check  policyCheckCommand  `cmd:"" help:"Read a policy or a scenario pack and show what its events mean."`
	DryRun policyDryRunCommand `cmd:"" name:"dry-run" help:"Score the last days of a world anew by a policy: who would gain and lose."`
	Packs  policyPacksCommand  `cmd:"" help:"List the scenario packs that a policy can name, or print one."`
}

// Help teaches by example.
func (c *policyCommand) Help() string {
	return `Examples:
  attentionbank policy packs
  attentionbank policy check cafe.yaml
  attentionbank policy dry-run cafe.yaml --world cafe --days 7`
}

type policyCheckCommand struct {
	File   string `arg:"" help:"Policy or scenario pack (YAML); - is standard input."`
	Events string `help:"Events that your clients send, as NDJSON in Segment's form: what each would mean." type:"existingfile" placeholder:"FILE"`
	JSON   bool   `help:"Print JSON."`
}

// Help teaches by example.
func (c *policyCheckCommand) Help() string {
	return `Reads a policy as the bank would when it is published, and prints every rule that holds: the policy's
own, those of the pack that it names, and the default ones. A file that begins with "pack:" and has
"clients:" is read as a scenario pack.

Examples:
  attentionbank policy check cafe.yaml
  attentionbank policy check cafe.yaml --events sample.ndjson
  attentionbank policy check cafe.yaml --json
  attentionbank policy packs game-1 | attentionbank policy check -`
}

// policyShown is a policy as the command prints it.
type policyShown struct {
	Name             string       `json:"name"`
	Pack             string       `json:"pack,omitempty"`
	AlphaPerHour     string       `json:"alpha_per_hour"`
	Beta             string       `json:"beta"`
	Gamma            string       `json:"gamma"`
	Currency         string       `json:"currency"`
	SliceMinutes     int          `json:"slice_minutes"`
	RefundWindowDays int          `json:"refund_window_days"`
	Formula          bool         `json:"formula"`
	Events           []eventShown `json:"events"`
	Reported         []reported   `json:"reported,omitempty"`
	Warnings         []string     `json:"warnings"`
}

type eventShown struct {
	Event           string   `json:"event"`
	Where           []string `json:"where,omitempty"`
	PresenceSeconds int64    `json:"presence_seconds"`
	Weight          string   `json:"weight"`
	Spend           string   `json:"spend,omitempty"`
	Refund          string   `json:"refund,omitempty"`
}

// Run implements the command.
func (c *policyCheckCommand) Run(env *environment) error {
	text, err := readPolicy(env, c.File)
	if err != nil {
		return err
	}
	parse, hint := score.ParsePolicy, "docs/policy.md has an example with every field"
	if isPack(text) {
		parse, hint = score.ParsePack, "packs/schema.json describes a pack, for editors too"
	}
	policy, err := parse(text)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", c.File, err), "%s", hint)
	}
	shown := showPolicy(policy)
	if c.Events != "" {
		if shown.Reported, err = readReported(env, c.Events, policy); err != nil {
			return err
		}
	}
	return c.print(env.stdout, shown)
}

func readPolicy(env *environment, file string) ([]byte, error) {
	src := env.stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, withHint(fmt.Errorf("reading the policy: %w", err), "name an existing file, or - for standard input")
		}
		defer opened.Close()
		src = opened
	}
	text, err := io.ReadAll(io.LimitReader(src, score.MaxPolicyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	return text, nil
}

// isPack tells a pack from a policy: only it says whose events they are.
func isPack(text []byte) bool {
	return strings.Contains("\n"+string(text), "\npack:") && strings.Contains(string(text), "\nclients:")
}

func showPolicy(p *score.Policy) policyShown {
	six := func(v int64) string { return amount.Format(v, 6) }
	shown := policyShown{
		Name: p.Name, Pack: p.Pack, AlphaPerHour: six(p.AlphaMicro), Beta: six(p.BetaMicro), Gamma: six(p.GammaMicro), Currency: p.Currency,
		SliceMinutes: p.SliceBuckets * score.BucketMS / 60_000, RefundWindowDays: p.RefundWindowDays, Formula: p.HasFormula(), Warnings: []string{},
	}
	warn := func(when bool, format string, args ...any) {
		if when {
			shown.Warnings = append(shown.Warnings, fmt.Sprintf(format, args...))
		}
	}
	for _, m := range p.Meanings() {
		shown.Events = append(shown.Events, eventShown{m.Event, m.Where, m.PresenceSeconds, six(m.WeightMicro), m.Spend, m.Refund})
		warn(m.Event == "*" && m.PresenceSeconds > 0 && p.Pack != "", "events.*: every other event covers %d s, so what the pack leaves out on purpose counts too", m.PresenceSeconds)
		warn(m.PresenceSeconds > 600, "events.%s: one event covers %d s; whoever leaves after it is paid for being there", m.Event, m.PresenceSeconds)
	}
	warn(p.Caps.SliceInteractionsMicro == 0 && p.Caps.DayInteractionsMicro == 0 && p.BetaMicro > 0, "caps: nothing bounds the interactions of a slice or a day; a script earns what it sends")
	warn(p.RefundWindowDays == 0 && p.GammaMicro > 0, "refund_window_days: 0; what is bought counts at once, and its refund takes nothing back")
	return shown
}

func (c *policyCheckCommand) print(w io.Writer, shown policyShown) error {
	if c.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown)
	}
	fmt.Fprintf(w, "%s: good", orUnnamed(shown.Name))
	if shown.Pack != "" {
		fmt.Fprintf(w, ", with pack %s", shown.Pack)
	}
	earns := "by a formula"
	if !shown.Formula {
		earns = fmt.Sprintf("%s an hour, %s an interaction, %s for 1 %s", shown.AlphaPerHour, shown.Beta, shown.Gamma, shown.Currency)
	}
	fmt.Fprintf(w, "\nearns %s; slices of %d minutes, refund window of %d days\n\n", earns, shown.SliceMinutes, shown.RefundWindowDays)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EVENT\tWHERE\tPRESENCE\tWEIGHT\tSPEND\tREFUND")
	for _, e := range shown.Events {
		fmt.Fprintf(table, "%s\t%s\t%d s\t%s\t%s\t%s\n", e.Event, strings.Join(e.Where, " "), e.PresenceSeconds, e.Weight, e.Spend, e.Refund)
	}
	if len(shown.Reported) > 0 {
		fmt.Fprintln(table, "\nREPORTED\tEVENTS\tPRESENCE\tWEIGHT\tSPEND\tMEANT BY")
	}
	for _, r := range shown.Reported {
		fmt.Fprintf(table, "%s\t%d\t%d s\t%s\t%s\t%s\n", r.Event, r.Count, r.PresenceSeconds, r.Weight, r.Spend, r.By)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, warning := range shown.Warnings {
		fmt.Fprintf(w, "\nWARNING %s\n", warning)
	}
	return nil
}

func orUnnamed(name string) string {
	if name == "" {
		return "(no name)"
	}
	return name
}

type policyPacksCommand struct {
	Name string `arg:"" optional:"" help:"Print this pack." placeholder:"NAME"`
}

// Help teaches by example.
func (c *policyPacksCommand) Help() string {
	return `A policy names a pack with "pack: NAME"; what the policy says of an event itself stands in place of
what the pack says.

Examples:
  attentionbank policy packs
  attentionbank policy packs virtual-land-1`
}

// Run implements the command.
func (c *policyPacksCommand) Run(env *environment) error {
	if c.Name != "" {
		text, err := packs.Text(c.Name)
		if errors.Is(err, packs.ErrUnknown) {
			return withHint(fmt.Errorf("%s: %w", c.Name, err), "there are %s", strings.Join(packs.Names(), ", "))
		}
		if err != nil {
			return err
		}
		_, err = env.stdout.Write(text)
		return err
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	for _, name := range packs.Names() {
		policy, err := score.ParsePolicy([]byte("pack: " + name))
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%d rules\n", name, len(policy.Meanings()))
	}
	return table.Flush()
}
