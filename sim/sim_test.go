package sim_test

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/sim"
)

const steps = 150

// requireSound runs a seed twice: nothing is found, and both runs end in the
// same state.
func requireSound(t *testing.T, seed uint64) sim.Result {
	t.Helper()
	first, err := sim.Run(context.Background(), seed, steps)
	if err != nil {
		t.Fatalf("seed %d: %v\nrepeat with: attentionbank simulate faults --seed %d --steps %d", seed, err, seed, steps)
	}
	second, err := sim.Run(context.Background(), seed, steps)
	if err != nil || second.StateHash != first.StateHash || second.Records != first.Records {
		t.Fatalf("seed %d is not repeatable: %+v and %+v, %v", seed, first, second, err)
	}
	return first
}

// TestSeeds runs a thousand worlds, and requires that in all of them together
// every kind of fault has happened. Some run twice.
func TestSeeds(t *testing.T) {
	faults := map[string]int{}
	for seed := range uint64(1000) {
		var result sim.Result
		if seed%10 == 0 {
			result = requireSound(t, seed)
		} else {
			var err error
			if result, err = sim.Run(context.Background(), seed, steps); err != nil {
				t.Fatalf("seed %d: %v\nrepeat with: attentionbank simulate faults --seed %d --steps %d", seed, err, seed, steps)
			}
		}
		for name, count := range result.Faults {
			faults[name] += count
		}
	}
	t.Logf("faults: %v", faults)
	for _, name := range []string{"write failed", "reply lost", "power cut before a write", "power cut after a write", "disk full"} {
		if faults[name] == 0 {
			t.Errorf("%q never happened", name)
		}
	}
}

// TestNamedSeeds runs the seeds that once found a bug.
func TestNamedSeeds(t *testing.T) {
	file, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), " ")
		if text == "" || text == "#" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		requireSound(t, seed)
	}
}
