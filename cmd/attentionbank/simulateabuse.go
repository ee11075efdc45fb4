package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/crowd"
)

type simulateAbuse struct {
	Seed   uint64 `help:"What the crowd is drawn from." default:"1"`
	People int    `help:"How many they are." default:"500"`
	Rules  string `help:"Review rules to try, a YAML file; otherwise the default ones, all enforced." type:"existingfile"`
	JSON   bool   `help:"Print JSON instead of tables."`
}

// Help teaches by example.
func (c *simulateAbuse) Help() string {
	return `A day of people of whom everything is known: honest ones of many habits, and people who are away,
have a program act, never sleep or are an army. They report by the real path into a bank in memory.
Prints how well each signal tells them apart, and what was counted, paid and held back, by kind:
TRUE are whose signal it is, FOUND those about whom it was found; BEYOND is by how many buckets of 10 s the
worst counted time differs from the truth, beyond one a session (docs/review.md).

Examples:
  attentionbank simulate abuse
  attentionbank simulate abuse --seed 7 --people 2000
  attentionbank simulate abuse --rules careful.yaml --json`
}

// Run implements the command.
func (c *simulateAbuse) Run(env *environment) error {
	if c.People < 50 || c.People > 100_000 {
		return usage("expected --people from 50 to 100000")
	}
	rules := crowd.EnforcedRules
	if c.Rules != "" {
		text, err := os.ReadFile(c.Rules)
		if err != nil {
			return err
		}
		if _, err := abuse.ParseRules(text); err != nil {
			return fmt.Errorf("%s: %w", c.Rules, err)
		}
		rules = string(text)
	}
	outcome, err := crowd.Run(env.context, c.Seed, c.People, rules)
	if err != nil {
		return withHint(fmt.Errorf("seed %d: %w", c.Seed, err), "repeat it with: attentionbank simulate abuse --seed %d --people %d", c.Seed, c.People)
	}
	if c.JSON {
		return json.NewEncoder(env.stdout).Encode(outcome)
	}
	return outcome.Print(env.stdout)
}
