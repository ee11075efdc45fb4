package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
)

type purgeCommand struct {
	Site
	JSON bool `help:"Print the outcome as JSON."`
}

// Help teaches by example.
func (c *purgeCommand) Help() string {
	return `Drops the events that their worlds keep no longer, of a bank that nobody serves; one that is served
does so by itself. It may be broken off at any time: the next purge goes on where it was. Hashes stay,
so that attentionbank fsck verifies the log as before.

Examples:
  attentionbank call set-world-retention world=cafe days=30    # for how long a world keeps its events
  attentionbank purge --data ./data`
}

// purgeReport is what the command prints as JSON.
type purgeReport struct {
	Entries int64 `json:"entries"`
	Bytes   int64 `json:"bytes"`
	Steps   int64 `json:"steps"`
}

// Run implements the command.
func (c *purgeCommand) Run(env *environment) error {
	if err := c.exists(); err != nil {
		return err
	}
	n, err := openNode(env.context, c.Site, systemMS, func(message string) { fmt.Fprintln(env.stderr, "warning:", message) })
	if err != nil {
		return err
	}
	stats := &n.collector.Statistics().Purge
	watched, stop := context.WithCancel(env.context)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		showPurge(watched, env, &stats.Left)
	}()
	err = n.collector.Purge(env.context)
	stop()
	<-shown
	if closing := n.close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	report := purgeReport{stats.Entries.Load(), stats.Bytes.Load(), stats.Steps.Load()}
	if c.JSON {
		return json.NewEncoder(env.stdout).Encode(report)
	}
	_, err = fmt.Fprintf(env.stdout, "%d events and sessions dropped, %d bytes, in %d steps\n", report.Entries, report.Bytes, report.Steps)
	return err
}

// showPurge shows on a terminal how many batches are left to look at.
func showPurge(ctx context.Context, env *environment, left interface{ Load() int64 }) {
	bar := progress(env, -1, "purging")
	if bar == nil {
		return
	}
	defer finish(bar)
	for ctx.Err() == nil {
		bar.Describe(fmt.Sprintf("purging, %d batches left", left.Load()))
		bar.Add(1) // a bar that cannot be drawn is no fault
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// retention says how long worlds keep their events.
func retention(writer *journal.Writer) func(context.Context) (map[uint32]int64, error) {
	const dayMS = 24 * 60 * 60 * 1000
	return func(ctx context.Context) (keep map[uint32]int64, err error) {
		keep = map[uint32]int64{}
		err = writer.Read(ctx, func(state *bank.State) {
			for number := uint32(1); number <= state.Worlds(); number++ {
				keep[number] = int64(state.World(number).RetentionDays) * dayMS
			}
		})
		return keep, err
	}
}

// purge drops every so often what worlds keep no longer.
func (c *serveCommand) purge(ctx context.Context, n *node, logger *slog.Logger) {
	stats := &n.collector.Statistics().Purge
	for ctx.Err() == nil {
		before := stats.Entries.Load()
		err := n.collector.Purge(ctx)
		if dropped := stats.Entries.Load() - before; dropped > 0 {
			logger.Info("dropped what worlds keep no longer", "entries", dropped)
		}
		if err != nil && ctx.Err() == nil {
			logger.Error("dropping what worlds keep no longer failed and will be tried again", "error", err)
		}
		select {
		case <-time.After(c.PurgeEvery):
		case <-ctx.Done():
		}
	}
}
