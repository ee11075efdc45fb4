package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// longBenchmarks open many accounts or fill a week before they measure, so they
// are run by hand.
var longBenchmarks = []string{"transfers_batched", "transfers_hot", "replay", "history", "message_ids", "large_transfers"}

// Every other benchmark runs, durably and without a refusal; the figures of so
// short a run mean nothing.
func TestBenchmarksRun(t *testing.T) {
	for _, b := range benchmarks {
		name := b.lines[0].name
		if slices.Contains(longBenchmarks, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, "", "bench", "--only", name, "--runs", "1", "--seconds", "0.2", "--data", t.TempDir())
			if status != 0 {
				t.Fatalf("exit %d: %s", status, stderr)
			}
			for text := range strings.Lines(stdout) {
				var line benchLine
				if err := json.Unmarshal([]byte(text), &line); err != nil || line.PerSecond < 0 || line.Regime == "" || line.Unit == "" {
					t.Errorf("%v: %s", err, text)
				}
			}
		})
	}
	if status, _, stderr := command(t, "", "bench", "--only", "nothing"); status != 2 || !strings.Contains(stderr, "transfers_batched") {
		t.Errorf("an unknown benchmark: exit %d: %s", status, stderr)
	}
}
