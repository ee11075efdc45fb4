package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
)

type auditCommand struct {
	Site
	Operator  int    `default:"-1" help:"The acts of this operator only, by number." placeholder:"NUMBER"`
	Operation string `help:"This operation only, such as set-monetary-policy."`
	Since     string `help:"Acts at this time or later." placeholder:"YYYY-MM-DD"`
	JSON      bool   `help:"Print a JSON object a line."`
}

// Help teaches by example.
func (c *auditCommand) Help() string {
	return `Reads what operators did, and tried, from the journal itself, the oldest first. It does not disturb a
bank that serves. docs/operators.md says what stands on the trail.

Examples:
  attentionbank audit --data ./data
  attentionbank audit --data ./data --since 2026-01-01 --operation set-monetary-policy
  attentionbank audit --data ./data --json | jq 'select(.outcome != "done")'`
}

// auditLine is an act as the command prints it.
type auditLine struct {
	Position   string          `json:"position"`
	Time       time.Time       `json:"time"`
	Operator   uint32          `json:"operator"`
	Credential string          `json:"credential"`
	Operation  string          `json:"operation"`
	Target     string          `json:"target,omitempty"`
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	Outcome    string          `json:"outcome"`
}

// Run implements the command.
func (c *auditCommand) Run(env *environment) error {
	var sinceMS int64
	if c.Since != "" {
		since, err := time.Parse(time.DateOnly, c.Since)
		if err != nil {
			return usage("--since: expected YYYY-MM-DD")
		}
		sinceMS = since.UnixMilli()
	}
	store, _, done, err := openForReading(env, c.Site)
	if err != nil {
		return err
	}
	defer done()
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "TIME\tOPERATOR\tOPERATION\tTARGET\tOUTCOME\tBEFORE\tAFTER")
	}
	encoder := json.NewEncoder(env.stdout)
	for record, err := range store.Load(env.context, 1) {
		if err != nil {
			return err
		}
		header := record.Header()
		for pair, err := range record.Pairs() {
			if err != nil {
				return err
			}
			act, isAct := bank.ActOf(pair.Command)
			if !isAct || len(pair.Answer) == 0 || bank.Refusal(pair.Answer[0]) == bank.Repeated || header.TimeMS < sinceMS ||
				c.Operator >= 0 && uint32(c.Operator) != act.Operator || c.Operation != "" && c.Operation != act.Operation {
				continue
			}
			line := auditLine{
				Position: fmt.Sprintf("%d.%d.0", record.Seq, pair.Index), Time: time.UnixMilli(header.TimeMS).UTC(), Operator: act.Operator,
				Credential: "key_" + hex.EncodeToString(act.Credential[:]), Operation: act.Operation, Target: act.Target,
				Before: json.RawMessage(act.Before), After: json.RawMessage(act.After), Outcome: "done",
			}
			if refusal := bank.Refusal(pair.Answer[0]); refusal != bank.Accepted {
				line.Outcome = refusal.String()
			}
			if c.JSON {
				err = encoder.Encode(line)
			} else {
				_, err = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", line.Time.Format(time.RFC3339), line.Operator, line.Operation, line.Target, line.Outcome, act.Before, act.After)
			}
			if err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

type operatorKeyCommand struct{}

// Help teaches by example.
func (c *operatorKeyCommand) Help() string {
	return `Makes an operator's key on this machine and prints it with its hash. Keep the key; give the hash to an
operator, who admits you by it (POST /v1/operators). Nobody else ever sees the key.

Examples:
  attentionbank operator-key`
}

// Run implements the command.
func (c *operatorKeyCommand) Run(env *environment) error {
	secret, hash := identity.NewSecret(identity.Operator)
	_, err := fmt.Fprintf(env.stdout, "key:  %s\nhash: %x\n", secret, hash)
	return err
}
