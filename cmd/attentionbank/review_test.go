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
)

// A dry run of review rules finds of days that are over what the bank that
// served them found, and writes nothing. The default rules watch from the first
// day on, and hold nothing back.
func TestReviewDryRun(t *testing.T) {
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
	come := func(users int, device string, day string) {
		var items []event.Item
		for i := range users {
			items = append(items, event.Item{Event: event.Event{Call: event.Track, Type: "Jumped", UserID: fmt.Sprint("user", i), AnonymousID: device, MessageID: fmt.Sprint(day, i)}})
		}
		if _, err := n.collector.Accept(ctx, collect.Request{World: 1, Trust: collect.TrustServer, Items: items}); err != nil {
			t.Fatal(err)
		}
	}
	come(3, "", "early")
	nowMS += 3 * 24 * 60 * 60 * 1000
	come(12, "tablet", "day")
	if _, err := n.flush(ctx); err != nil {
		t.Fatal(err)
	}
	watched := 0
	if err := n.journal.Read(ctx, func(state *bank.State) {
		for number := uint64(1); number <= state.Cases(); number++ {
			if c, _ := state.Case(number); c.Status != bank.CaseShadow || c.RulesVersion != 0 {
				t.Errorf("the default rules opened %+v", c)
			}
			watched++
		}
	}); err != nil || watched != 9 {
		t.Errorf("the default rules found %d, expected the 9 newcomers, %v", watched, err)
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
	dry := func(args ...string) (string, int) {
		var stdout, stderr bytes.Buffer
		status := run(&environment{ctx, strings.NewReader(""), &stdout, &stderr}, append([]string{"review", "dry-run", "--until", "2026-01-13", "--days", "2", "--data", site.Data}, args...))
		return stdout.String() + stderr.String(), status
	}
	read := func(args ...string) (o reviewDryRun) {
		t.Helper()
		text, status := dry(append(args, "--json")...)
		if err := json.Unmarshal([]byte(text), &o); err != nil || status != 0 {
			t.Fatalf("%d, %v: %s", status, err, text)
		}
		return o
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte("name: strict\nrules: [{signal: sybil, mode: enforce, cost: 900}, {signal: shared_device, mode: shadow, more_than: 20}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := read(); o.Rules != "default" || o.Days != 12 || o.Holds != 0 || o.Would != 9 || o.Signals["shared_device"] != 12 || o.Signals["sybil"] != 9 {
		t.Errorf("by the default rules: %+v", o)
	}
	// Three of the twelve have been there before.
	if o := read(file); o.Holds != 9 || o.Signals["shared_device"] != 0 || len(o.Found) != 9 || !strings.Contains(o.Found[0].Evidence[0], "9 of the 12 people") {
		t.Errorf("by strict rules: %+v", o)
	}
	if text, status := dry(file, "--top", "1"); status != 0 || !strings.Contains(text, "9 would hold TIME back, of which 9") || strings.Count(text, "trust 100") != 1 {
		t.Errorf("as text: %d %s", status, text)
	}
	if err := os.WriteFile(file, []byte("name: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, status := dry(file); status != 1 || !strings.Contains(text, "expected 1 to 50") {
		t.Errorf("rules that cannot be read: %d %s", status, text)
	}
}
