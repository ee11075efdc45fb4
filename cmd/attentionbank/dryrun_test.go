package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
)

// A dry run of the policy that holds changes nothing; of another one it says
// who gains and who loses. It writes nothing: the bank goes on as it was.
func TestDryRun(t *testing.T) {
	ctx := context.Background()
	site := Site{Data: t.TempDir()}
	nowMS := int64(1_768_046_400_000) // 2026-01-10T12:00:00Z
	warn := func(message string) { t.Log(message) }
	n, err := openNode(ctx, site, func() int64 { return nowMS }, warn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.journal.Submit(ctx, bank.RegisterWorld{Code: "cafe"}.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	var items []event.Item
	report := func(user, name string, count int, minutes int64) {
		for i := range count {
			items = append(items, event.Item{Event: event.Event{
				Call: event.Track, Type: name, UserID: user, MessageID: fmt.Sprintf("%s %s %d", user, name, i), TimeMS: nowMS - int64(i)*minutes*60_000,
			}})
		}
	}
	report("dancer", "Danced", 4, 10)    // 30 s and an interaction each
	report("sitter", "heartbeat", 60, 1) // 10 s each
	report("both", "Danced", 1, 1)
	report("both", "heartbeat", 12, 1)
	if _, err := n.collector.Accept(ctx, collect.Request{World: 1, Trust: collect.TrustServer, Items: items}); err != nil {
		t.Fatal(err)
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	dry := func(policy string, args ...string) (string, int) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "next.yaml")
		if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		line := append([]string{"policy", "dry-run", file, "--world", "cafe", "--until", "2026-01-10", "--data", site.Data}, args...)
		status := run(&environment{ctx, strings.NewReader(""), &stdout, &stderr}, line)
		t.Log(stderr.String())
		return stdout.String(), status
	}
	read := func(policy string) (outcome dryRun) {
		t.Helper()
		text, status := dry(policy, "--json")
		if err := json.Unmarshal([]byte(text), &outcome); err != nil || status != 0 {
			t.Fatalf("%d, %v: %s", status, err, text)
		}
		return outcome
	}
	// 4 × 30 s and 4 acts are 1 + 2 points, 600 s are 5; 30 s, 120 s of
	// heartbeats of which one falls into the dance, and an act are 1.5 and a bit.
	same := read("caps: {slice_interactions: 60, day_spend: 1000}\n")
	if same.Now.Points != same.Then.Points || same.Gain+same.Lose != 0 || same.Same != 3 || same.Now.Points == "0" || same.FromDay != "2026-01-04" {
		t.Errorf("by the policy that holds: %+v", same)
	}
	acts := read("alpha_per_hour: 0\nbeta: 2\n")
	if acts.Gain != 2 || acts.Lose != 1 || acts.People[0].Now != "3" || acts.People[0].Then != "8" || acts.People[2].Now != "5" || acts.People[2].Then != "0" || acts.Then.Points != "10" {
		t.Errorf("by one that pays acts alone: %+v", acts)
	}
	text, _ := dry("alpha_per_hour: 0\nbeta: 2\n", "--days", "1", "--top", "1")
	for _, part := range []string{"World cafe, 2026-01-10 to 2026-01-10, 3 people", "2 gain, 1 lose, 0 stay as they are", "GAIN MOST", "+166.6 %", "LOSE MOST", "-100.0 %"} {
		if !strings.Contains(text, part) {
			t.Errorf("without %q:\n%s", part, text)
		}
	}
	if text, status := dry("", "--until", "2025-12-31"); status != 0 || !strings.Contains(text, "Nobody reported anything") {
		t.Errorf("of days without events: %d %s", status, text)
	}
	if _, status := dry("", "--world", "bar"); status != 1 {
		t.Errorf("of a world that is not there: %d", status)
	}
	if n, err = openNode(ctx, site, func() int64 { return nowMS }, warn); err != nil {
		t.Fatal(err)
	}
	defer n.close()
	if minted, err := n.flush(ctx); err != nil || minted != 3 {
		t.Errorf("the bank goes on with %d person-days, %v", minted, err)
	}
}

// A dry run leaves out who has withdrawn consent to analytics, and where the
// policy asks for consent, who has not given it; what they have earned stays.
func TestDryRunLooksAtThoseWhoConsent(t *testing.T) {
	ctx := context.Background()
	site := Site{Data: t.TempDir()}
	nowMS := int64(1_768_046_400_000) // 2026-01-10T12:00:00Z
	n, err := openNode(ctx, site, func() int64 { return nowMS }, func(message string) { t.Log(message) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.journal.Submit(ctx, bank.RegisterWorld{Code: "cafe"}.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	id := 0
	report := func(user string) {
		t.Helper()
		id++
		item := event.Item{Event: event.Event{Call: event.Track, Type: "Danced", UserID: user, MessageID: fmt.Sprint(id), TimeMS: nowMS}}
		results, err := n.collector.Accept(ctx, collect.Request{World: 1, Trust: collect.TrustServer, Items: []event.Item{item}})
		if err != nil || results[0].Verdict != collect.Accepted {
			t.Fatalf("what %s did is %+v, %v", user, results, err)
		}
	}
	decided := map[string]collect.Decision{"nobody asked": collect.Undecided, "agrees": collect.Given, "does not": collect.Withdrawn, "agrees later": collect.Withdrawn}
	decide := func(user string, decision collect.Decision) {
		t.Helper()
		found, err := n.identity.Resolve(ctx, []identity.SubjectRef{{World: 1, UserID: user}})
		if err != nil {
			t.Fatal(err)
		}
		terms := collect.DefaultTerms()
		terms.Analytics = decision
		if err := n.collector.SetTerms(ctx, 1, found[0].Number, terms); err != nil {
			t.Fatal(err)
		}
	}
	for user, decision := range decided {
		decide(user, decision)
		report(user)
	}
	decide("agrees later", collect.Given) // what holds at the end counts
	report("agrees")
	if minted, err := n.flush(ctx); err != nil || minted != 4 {
		t.Errorf("%d person-days earn, %v", minted, err)
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	for policy, people := range map[string]int{"beta: 2\n": 3, "beta: 2\nconsent: required\n": 2} {
		file := filepath.Join(t.TempDir(), "next.yaml")
		if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		if status := run(&environment{ctx, strings.NewReader(""), &stdout, &stderr}, []string{"policy", "dry-run", file, "--world", "cafe", "--until", "2026-01-10", "--data", site.Data, "--json"}); status != 0 {
			t.Fatalf("%d: %s", status, stderr.String())
		}
		var outcome dryRun
		if err := json.Unmarshal(stdout.Bytes(), &outcome); err != nil {
			t.Fatal(err)
		}
		earning := 0
		for _, p := range outcome.People {
			if p.Then != "0" {
				earning++
			}
		}
		if earning != people {
			t.Errorf("by %q, %d people are looked at, expected %d: %s", policy, earning, people, stdout.String())
		}
	}
}
