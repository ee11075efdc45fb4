package sim_test

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/attentionbank/attentionbank/sim"
)

// steps are few, so that many seeds fit into the time of a test; longer runs
// are made with the command.
const steps = 60

// requireSound runs a seed twice: nothing is found, and both runs end in the
// same state.
func requireSound(t *testing.T, seed uint64, steps int) sim.Result {
	t.Helper()
	first, err := sim.Run(context.Background(), seed, steps)
	if err != nil {
		t.Fatalf("seed %d: %v\nrepeat with: attentionbank simulate faults --seed %d --steps %d", seed, err, seed, steps)
	}
	second, err := sim.Run(context.Background(), seed, steps)
	if err != nil || second.StateHash != first.StateHash || second.Records != first.Records || second.Batches != first.Batches {
		t.Fatalf("seed %d is not repeatable: %+v and %+v, %v", seed, first, second, err)
	}
	return first
}

// TestSeeds runs a thousand worlds twice, and requires that in all of them
// together every kind of fault has happened.
func TestSeeds(t *testing.T) {
	const seeds = 1000
	var next atomic.Uint64
	var mu sync.Mutex
	faults := map[string]int{}
	t.Run("worlds", func(t *testing.T) {
		for _, worker := range []string{"a", "b"} {
			t.Run(worker, func(t *testing.T) {
				t.Parallel()
				for seed := next.Add(1); seed <= seeds; seed = next.Add(1) {
					result := requireSound(t, seed, steps)
					mu.Lock()
					for name, count := range result.Faults {
						faults[name] += count
					}
					mu.Unlock()
				}
			})
		}
	})
	for _, name := range sim.Faults {
		t.Logf("%6d × %s", faults[name], name)
		if faults[name] == 0 {
			t.Errorf("%q never happened", name)
		}
		delete(faults, name)
	}
	if len(faults) > 0 {
		t.Errorf("these faults are not in the list: %v", faults)
	}
}

// TestNamedSeeds runs the worlds that once found a bug, or would find one that
// is easily made.
func TestNamedSeeds(t *testing.T) {
	file, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		seed, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		requireSound(t, seed, steps)
	}
}
