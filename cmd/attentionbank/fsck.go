package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/strongroom"
	"github.com/schollz/progressbar/v3"
)

type fsckCommand struct {
	Site
	JSON          bool `help:"Print the report as JSON."`
	AcceptJournal bool `help:"Make the second head name the journal's last record: your word that nothing behind it was lost."`
}

// Help teaches by example.
func (c *fsckCommand) Help() string {
	return `Runs the whole journal again from its first record: the chain of hashes, every answer against
the one that was given, the sums of the books, the snapshots, the second head; and the chain of
the log of events. Sealed events are not opened.

Examples:
  attentionbank fsck --data ./data
  attentionbank fsck --data ./data --json | jq .findings

The exit status is 0 if nothing was found, 1 if something was, 2 if the command line makes no sense.`
}

// fsckReport is what the command prints as JSON.
type fsckReport struct {
	journal.Report
	EventBatches uint64 `json:"event_batches"`
	EventEntries uint64 `json:"event_entries"`
	EventDropped uint64 `json:"event_entries_dropped"`
}

// Run implements the command.
func (c *fsckCommand) Run(env *environment) error {
	store, head, done, err := openForReading(env, c.Site)
	if err != nil {
		return err
	}
	defer done()
	if c.AcceptJournal {
		if err := c.accept(env, store, head); err != nil {
			return err
		}
	}
	progress, end := recordProgress(env, "checking records")
	report := fsckReport{}
	report.Report, err = journal.Verify(env.context, store, head, progress)
	end()
	if err != nil {
		return err
	}
	progress, end = recordProgress(env, "checking batches of events")
	err = c.withEvents(env, func(events *strongroom.Events, head *journal.HeadFile) error {
		verified, err := collect.Verify(env.context, events, head, progress)
		report.EventBatches, report.EventEntries, report.EventDropped = verified.Batches, verified.Entries, verified.Dropped
		return err
	})
	end()
	if err != nil {
		report.Findings = append(report.Findings, err.Error())
	}
	return c.print(env, report)
}

func (c *fsckCommand) print(env *environment, report fsckReport) error {
	if c.JSON {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(env.stdout, "%d records, %d commands, %d snapshots; %d batches of events, %d entries",
			report.Records, report.Commands, report.Snapshots, report.EventBatches, report.EventEntries)
		if report.EventDropped > 0 {
			fmt.Fprintf(env.stdout, ", of which %d are kept as hashes only", report.EventDropped)
		}
		fmt.Fprintln(env.stdout)
		if report.Clean() {
			fmt.Fprintf(env.stdout, "clean; state %s\n", report.StateHash)
		}
		for _, finding := range report.Findings {
			fmt.Fprintf(env.stdout, "FOUND %s\n", finding)
		}
	}
	if !report.Clean() {
		return withHint(fmt.Errorf("%d things are not as they were written", len(report.Findings)), "keep this directory as it is and restore the journal from a copy")
	}
	return nil
}

// accept makes both second heads name what is there.
func (c *fsckCommand) accept(env *environment, store *strongroom.Journal, head *journal.HeadFile) error {
	seq, err := journal.AcceptHead(env.context, store, head)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "The second head names record %d now.\n", seq)
	return c.withEvents(env, func(events *strongroom.Events, head *journal.HeadFile) error {
		seq, err := collect.AcceptHead(env.context, events, head)
		if err == nil {
			fmt.Fprintf(env.stdout, "The second head of the events names batch %d now.\n", seq)
		}
		return err
	})
}

// withEvents opens the log of events, if the bank has one.
func (c *fsckCommand) withEvents(env *environment, use func(*strongroom.Events, *journal.HeadFile) error) error {
	if _, err := os.Stat(c.place("events")); c.Store == "" && os.IsNotExist(err) {
		return nil
	}
	events, head, err := c.openEvents(env.context)
	if err != nil {
		return err
	}
	defer events.Close()
	defer head.Close()
	return use(events, head)
}

// openForReading opens the journal of a bank that nobody serves.
func openForReading(env *environment, site Site) (store *strongroom.Journal, head *journal.HeadFile, done func(), err error) {
	if err := site.exists(); err != nil {
		return nil, nil, nil, err
	}
	_, release, err := site.hold(env.context)
	if err != nil {
		return nil, nil, nil, err
	}
	if store, head, err = site.openJournal(env.context); err != nil {
		release()
		return nil, nil, nil, err
	}
	return store, head, func() { head.Close(); store.Close(); release() }, nil
}

// recordProgress shows on a terminal how many records were read.
func recordProgress(env *environment, what string) (progressed func(uint64), end func()) {
	bar := progress(env, -1, what)
	if bar == nil {
		return func(uint64) {}, func() {}
	}
	return func(seq uint64) {
		bar.Describe(what + " " + strconv.FormatUint(seq, 10))
		bar.Add(1) // a bar that cannot be drawn is no fault
	}, func() { finish(bar) }
}

func finish(bar *progressbar.ProgressBar) { bar.Finish() }
