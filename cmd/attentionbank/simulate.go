package main

import (
	"encoding/json"
	"fmt"

	"github.com/attentionbank/attentionbank/sim"
)

type simulateCommand struct {
	Faults simulateFaults `cmd:"" help:"Let disks fail, replies be lost, the power be cut, clocks jump and a second program take over; and audit what comes of it."`
	Abuse  simulateAbuse  `cmd:"" help:"Let a crowd of which everything is known have a day, and say how well reviews tell it apart."`
}

type simulateFaults struct {
	Seed  uint64 `help:"The first seed." default:"1"`
	Seeds uint64 `help:"How many seeds to run." default:"1"`
	Steps int    `help:"How many things happen to each." default:"1000"`
}

// Help teaches by example.
func (c *simulateFaults) Help() string {
	return `Each seed is a world of its own: clock, disks, power and clients. It runs twice, must come to the
same state both times, and an auditor recomputes from the inputs what that state must be
(docs/simulation.md).

Examples:
  attentionbank simulate faults --seed 42
  attentionbank simulate faults --seed 1 --seeds 1000 --steps 400

Prints a JSON line for each seed. The exit status is 1 if something did not hold; the error names the
seed, which repeats it.`
}

// Run implements the command.
func (c *simulateFaults) Run(env *environment) error {
	if c.Steps < 1 || c.Seeds < 1 {
		return usage("expected --steps and --seeds above zero")
	}
	bar := progress(env, int64(c.Seeds), "simulating seeds")
	encoder := json.NewEncoder(env.stdout)
	for seed := c.Seed; seed < c.Seed+c.Seeds; seed++ {
		first, err := sim.Run(env.context, seed, c.Steps)
		if err == nil {
			var second sim.Result
			if second, err = sim.Run(env.context, seed, c.Steps); err == nil && (second.StateHash != first.StateHash || second.Records != first.Records || second.Batches != first.Batches) {
				err = fmt.Errorf("it came to state %s in %d records and %d batches once, and to %s in %d and %d the other time",
					first.StateHash, first.Records, first.Batches, second.StateHash, second.Records, second.Batches)
			}
		}
		if err != nil {
			return withHint(fmt.Errorf("seed %d: %w", seed, err), "repeat it with: attentionbank simulate faults --seed %d --steps %d", seed, c.Steps)
		}
		if bar != nil {
			bar.Add(1) // a bar that cannot be drawn is no fault
		}
		if err := encoder.Encode(first); err != nil {
			return err
		}
	}
	return nil
}
