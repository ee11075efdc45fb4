package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/schollz/progressbar/v3"
)

type fsckCommand struct {
	Data          string `default:"./data" help:"Directory of the bank's files." type:"path"`
	JSON          bool   `help:"Print the report as JSON."`
	AcceptJournal bool   `help:"Make the second head name the journal's last record: your word that nothing behind it was lost."`
}

// Help teaches by example.
func (c *fsckCommand) Help() string {
	return `Runs the whole journal again from its first record: the chain of hashes, every answer against
the one that was given, the sums of the books, the snapshots, the second head.

Examples:
  attentionbank fsck --data ./data
  attentionbank fsck --data ./data --json | jq .findings

The exit status is 0 if nothing was found, 1 if something was, 2 if the command line makes no sense.`
}

// Run implements the command.
func (c *fsckCommand) Run(env *environment) error {
	store, head, done, err := openForReading(env, c.Data)
	if err != nil {
		return err
	}
	defer done()
	if c.AcceptJournal {
		seq, err := journal.AcceptHead(env.context, store, head)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "The second head names record %d now.\n", seq)
	}
	progress, end := recordProgress(env, "checking records")
	report, err := journal.Verify(env.context, store, head, progress)
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(env.stdout, "%d records, %d commands, %d snapshots\n", report.Records, report.Commands, report.Snapshots)
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

// openForReading opens the journal of a bank that nobody serves.
func openForReading(env *environment, folder string) (store *sqldb.Journal, head *journal.HeadFile, done func(), err error) {
	if _, err := os.Stat(filepath.Join(folder, "journal.db")); err != nil {
		return nil, nil, nil, withHint(fmt.Errorf("there is no bank in %s", folder), "name its directory with --data")
	}
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, nil, nil, err
	}
	if store, head, err = openJournalFiles(env.context, folder); err != nil {
		lock.Close()
		return nil, nil, nil, err
	}
	return store, head, func() { head.Close(); store.Close(); lock.Close() }, nil
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
