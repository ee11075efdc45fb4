package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/economy"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/journal"
)

type reportCommand struct {
	From string `help:"The period begins at this time, such as 2026-01-01; 30 days before its end if none is named." placeholder:"TIME"`
	To   string `help:"The period ends before this time; now if none is named." placeholder:"TIME"`
	HTML string `name:"html" help:"Write the report with plots (HTML) to this file." type:"path" placeholder:"FILE"`
	JSON string `name:"json" help:"Write the report as JSON to this file; - is standard output, without the summary." placeholder:"FILE"`
	Site
}

// Help teaches by example.
func (c *reportCommand) Help() string {
	return `Says what happened in the bank in a period, from its journal alone: what was minted and burned and by
what, λ of each epoch, volumes, fees, the treasury, and how unequally TIME is held and earned. Nobody
is named. docs/report.md defines every figure; two who have the same journal get the same digits.

It reads a bank that nobody serves, or a backup of one that is served:
  attentionbank backup /tmp/copy
  attentionbank report --from 2026-01-01 --to 2026-02-01 --data /tmp/copy --key-file data/master.key

Examples:
  attentionbank report
  attentionbank report --from 2026-01-01 --to 2026-02-01 --html january.html --json january.json
  attentionbank report --json - | jq .holdings.gini`
}

// Run implements the command.
func (c *reportCommand) Run(env *environment) error {
	fromMS, toMS, err := c.period(time.Now().UnixMilli())
	if err != nil {
		return err
	}
	fold, err := economy.New(fromMS, toMS)
	if err != nil {
		return usage("--from, --to: %v", err)
	}
	store, _, done, err := openForReading(env, c.Site)
	if err != nil {
		return err
	}
	defer done()
	progress, end := recordProgress(env, "reading records")
	err = foldJournal(store.Load(env.context, 1), fold, progress)
	end()
	if err != nil {
		return err
	}
	report := fold.Report()
	if c.HTML != "" {
		if err := writeOut(env, c.HTML, reportPage(report).Write); err != nil {
			return err
		}
	}
	if c.JSON == "" {
		return printReport(env.stdout, report)
	}
	asJSON := func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	if c.JSON == "-" {
		return asJSON(env.stdout)
	}
	if err := writeOut(env, c.JSON, asJSON); err != nil {
		return err
	}
	return printReport(env.stdout, report)
}

func (c *reportCommand) period(nowMS int64) (fromMS, toMS int64, err error) {
	if toMS = nowMS; c.To != "" {
		if toMS, err = parseTime(c.To); err != nil {
			return 0, 0, usage("--to %s: %v", c.To, err)
		}
	}
	if fromMS = toMS - 30*24*60*60*1000; c.From != "" {
		if fromMS, err = parseTime(c.From); err != nil {
			return 0, 0, usage("--from %s: %v", c.From, err)
		}
	}
	return fromMS, toMS, nil
}

// foldJournal tells a report the journal from its first record on.
func foldJournal(records func(func(journal.Record, error) bool), fold *economy.Fold, progress func(uint64)) error {
	return eachCommand(records, progress, func(seq uint64, timeMS int64, command, answer []byte) (bool, error) {
		kind, _, err := history.KindOf(command)
		if err != nil {
			kind = "malformed" // it was refused as that
		}
		more, err := fold.Add(economy.Entry{Seq: seq, TimeMS: timeMS, Kind: kind, Command: command, Answer: answer})
		if err != nil {
			err = fmt.Errorf("making the report: %w", err)
		}
		return more, err
	})
}

// eachCommand calls take with each command of a journal from its first record on
// until it has enough, with what an act of an operator carries out as itself. Each
// record is checked to follow the one before.
func eachCommand(records func(func(journal.Record, error) bool), progress func(uint64), take func(seq uint64, timeMS int64, command, answer []byte) (more bool, err error)) error {
	var previous [32]byte
	for record, err := range records {
		if err != nil {
			return err
		}
		header, err := record.Verify(previous)
		if err != nil {
			return err
		}
		previous = record.Hash
		progress(record.Seq)
		for pair, err := range record.Pairs() {
			if err != nil {
				return err
			}
			command := bank.CarriedOut(pair.Command)
			if len(command) == 0 {
				command = pair.Command // an act that only notes something
			}
			if more, err := take(record.Seq, header.TimeMS, command, pair.Answer); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

func printReport(w io.Writer, r *economy.Report) error {
	fmt.Fprintf(w, "From %s to %s; the journal up to record %d at %s\n\n", r.From, r.To, r.LastRecord, r.LastTime)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "ASSET\tOPENING\tMINTED\tBURNED\tCLOSING\tVOLUME\t")
	for _, m := range append([]economy.Money{r.Time, r.Points}, r.Others...) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n", m.Asset, m.Opening, m.Minted, m.Burned, m.Closing, m.Volume)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, m := range append([]economy.Money{r.Time, r.Points}, r.Others...) {
		for _, by := range []struct {
			what string
			list []economy.Flow
		}{{"minted by", m.MintedBy}, {"burned by", m.BurnedBy}, {"moved by", m.VolumeBy}} {
			for _, flow := range by.list {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", m.Asset, by.what, sourceName(flow), flow.Amount)
			}
		}
	}
	fmt.Fprintln(w)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d people, %d of them new; %d earned points, %d were paid, %d spent, %d hold TIME\n",
		r.People.Registered, r.People.New, r.People.Earned, r.People.Paid, r.People.Spent, r.People.Holding)
	fmt.Fprintf(w, "Velocity %s; Nakamoto coefficient %d\n\n", r.Velocity, r.Nakamoto)
	fmt.Fprintln(table, "\tPEOPLE\tTOTAL\tMEDIAN\tMEAN\tGINI\tTOP 1 %\t")
	for _, d := range []struct {
		name string
		economy.Distribution
	}{{"TIME held", r.Holdings}, {"TIME earned", r.Earnings}, {"points earned", r.Attention}} {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", d.name, d.People, d.Total, d.Median, d.Mean, d.Gini, d.Top1)
	}
	if len(r.Epochs) > 0 {
		fmt.Fprintln(table, "\nEPOCH\tPOINTS\tλ\tPAID A POINT\tISSUED\tTO TREASURY\t")
	}
	for _, e := range r.Epochs {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t\n", e.Epoch, e.Points, e.Lambda, e.Effective, e.Issued, e.Treasury)
	}
	return table.Flush()
}

func sourceName(f economy.Flow) string {
	if f.World == "" {
		return f.Source
	}
	return f.Source + " of " + f.World
}
