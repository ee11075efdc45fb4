package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

// λ takes two operators from the first start on, unless that was told
// otherwise; a later start decides nothing.
func TestTheFirstStartDecidesWhetherTwoAreNeeded(t *testing.T) {
	for _, single := range []bool{false, true} {
		site := Site{Data: t.TempDir()}
		for start := range 2 {
			n, err := openNode(context.Background(), site, systemMS, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			if err := n.requireTwo(context.Background(), single && start == 0); err != nil {
				t.Fatal(err)
			}
			var two bool
			if err := n.journal.Read(context.Background(), func(state *bank.State) { two = state.TwoPersons() }); err != nil {
				t.Fatal(err)
			}
			alone, err := n.oneOperator(context.Background())
			if err != nil || two == single || alone != single {
				t.Errorf("first start with --single-operator=%v, start %d: two are needed: %v, one decides: %v, %v", single, start+1, two, alone, err)
			}
			if err := n.close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The trail is read from the journal itself, without a server.
func TestAuditReadsTheJournal(t *testing.T) {
	site := Site{Data: t.TempDir()}
	n, err := openNode(context.Background(), site, systemMS, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	act := bank.Act{Operation: "create-world", After: `{"world":"cafe"}`, Command: bank.RegisterWorld{Code: "cafe"}.AppendTo(nil)}
	note := bank.Act{Operation: "revoke-key", Target: "key=key_1"}
	if _, err := n.journal.Submit(context.Background(), act.AppendTo(nil), note.AppendTo(nil), act.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := command(t, "", "audit", "--data", site.Data)
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n")[1:] {
		got = append(got, strings.Join(strings.Fields(line)[1:], " "))
	}
	want := []string{`0 create-world done {"world":"cafe"}`, "0 revoke-key key=key_1 done", `0 create-world code_taken {"world":"cafe"}`}
	if status != 0 || !slices.Equal(got, want) {
		t.Errorf("status %d %s\n%s", status, stderr, strings.Join(got, "\n"))
	}
	status, stdout, _ = command(t, "", "audit", "--data", site.Data, "--json", "--operation", "revoke-key", "--since", "2020-01-01")
	if status != 0 || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `"target":"key=key_1"`) {
		t.Errorf("status %d\n%s", status, stdout)
	}
	if status, _, stderr := command(t, "", "audit", "--data", site.Data, "--since", "yesterday"); status != 2 || !strings.Contains(stderr, "YYYY-MM-DD") {
		t.Errorf("a time that makes no sense: %d %s", status, stderr)
	}
}

func TestOperatorKeyPrintsTheHashOfTheKey(t *testing.T) {
	_, stdout, _ := command(t, "", "operator-key")
	fields := strings.Fields(stdout)
	if len(fields) != 4 || fmt.Sprintf("%x", sha256.Sum256([]byte(fields[1]))) != fields[3] || !strings.HasPrefix(fields[1], "ab_op_") {
		t.Errorf("printed %q", stdout)
	}
}
