package bank_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

// operatorCommand reads the lines about those who run the bank, and about the
// cases that they decide:
//
//	by 0 LINE · admit bo · remove 1 · two-persons
//	propose LINE · approve 1 LINE · reject 1
//	rate-limit key 5 10
//	case alice 2026-01-01 · decide 1 release|uphold · appeal 1
func (s *script) operatorCommand(args []string, options map[string]string) []byte {
	key := bank.Key(id(options["key"]))
	switch args[0] {
	case "by":
		act := bank.Act{Operation: args[2], Command: s.command(args[2:], options)}
		act.Operator = uint32(s.integer(args[1]))
		return act.AppendTo(nil)
	case "admit":
		return bank.AdmitOperator{Key: key, Name: args[1], KeyHash: [32]byte{1}}.AppendTo(nil)
	case "remove":
		return bank.RemoveOperator{Key: key, Operator: uint32(s.integer(args[1]))}.AppendTo(nil)
	case "two-persons":
		return bank.RequireTwoPersons{Key: key}.AppendTo(nil)
	case "propose":
		return bank.Propose{Key: key, ValidMS: dayMS, Command: s.command(args[1:], nil)}.AppendTo(nil)
	case "approve":
		return bank.EndProposal{Key: key, Proposal: uint64(s.integer(args[1])), Approve: true, Command: s.command(args[2:], nil)}.AppendTo(nil)
	case "reject":
		return bank.EndProposal{Key: key, Proposal: uint64(s.integer(args[1]))}.AppendTo(nil)
	case "rate-limit":
		limit := bank.RateLimit{PerSecond: uint32(s.integer(args[2])), Burst: uint32(s.integer(args[3]))}
		copy(limit.Credential[:], args[1])
		return bank.SetRateLimit{Key: key, Limit: limit}.AppendTo(nil)
	case "case":
		return bank.OpenCase{Person: id(args[1]), Day: bank.Day(parseTime(s.t, args[2]+"T00:00:00Z")), RulesVersion: 1, Signals: 1, TrustPermille: 400, Shadow: options["shadow"] == "yes"}.AppendTo(nil)
	case "decide":
		return bank.DecideCase{Key: key, Case: uint64(s.integer(args[1])), Release: args[2] == "release"}.AppendTo(nil)
	case "appeal":
		return bank.AppealCase{Key: key, Case: uint64(s.integer(args[1]))}.AppendTo(nil)
	}
	return nil
}

func (s *script) describeOperatorFact(fact bank.Fact) string {
	switch f := fact.(type) {
	case bank.OperatorAdmitted:
		return fmt.Sprintf("operator %d admitted", f.Operator)
	case bank.OperatorRemoved:
		return fmt.Sprintf("operator %d removed", f.Operator)
	case bank.ProposalMade:
		return fmt.Sprintf("proposal %d", f.Proposal)
	case bank.ProposalEnded:
		return fmt.Sprintf("proposal %d %s", f.Proposal, f.Status)
	case bank.RateLimitSet:
		return fmt.Sprintf("%s may call %d times a second, %d at once", strings.TrimRight(string(f.Limit.Credential[:]), "\x00"), f.Limit.PerSecond, f.Limit.Burst)
	case bank.CaseChanged:
		return fmt.Sprintf("case %d %s", f.Case, f.Status)
	}
	return ""
}

// rowsInCode are refusals of commands that no line of a script can hold.
var rowsInCode = map[string]string{
	"repeated":          "a row shows where the first answer is",
	"too_many_legs":     "TestBoundsOfLegsAndGroups",
	"group_too_large":   "TestBoundsOfLegsAndGroups",
	"market_behind":     "TestExpiryRunsInBoundedSteps",
	"numbers_exhausted": "TestNumbersRunOut of package market",
}

// Every refusal of the bank, of its markets and of its ledger has a row in a
// script.
func TestEveryRefusalHasARow(t *testing.T) {
	var rows strings.Builder
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rows.Write(text)
	}
	seen := 0
	for refusal := bank.Accepted + 1; refusal != 0; refusal++ { // ends where it wraps around
		name := refusal.String()
		if name == "unknown_refusal" || name == "accepted" || rowsInCode[name] != "" {
			continue
		}
		seen++
		if !strings.Contains(rows.String(), "refused: "+name+"\n") && !strings.Contains(rows.String(), "refused: "+name+" ") {
			t.Errorf("%s has no row in testdata", name)
		}
	}
	if seen < 100 {
		t.Errorf("%d refusals are known, which are too few", seen)
	}
}
