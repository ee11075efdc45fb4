package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

type benchCommand struct {
	Only    string        `help:"Run only benchmarks whose name contains this."`
	Runs    int           `default:"3" help:"Runs of each; the median is reported."`
	Seconds float64       `default:"4" help:"Length of a run."`
	Data    string        `help:"Directory for the files, on the disk to be measured; a temporary one if none is named." type:"path"`
	Out     string        `help:"Append the lines to this file too." type:"path"`
	length  time.Duration // of a run
}

// Help teaches by example.
func (c *benchCommand) Help() string {
	return `Each line is one benchmark: its regime, the median of the runs, and all of them. Answers are
durable (every record is synced), and the load comes from this process, on the same processors.

Examples:
  attentionbank bench
  attentionbank bench --only transfers --seconds 10 --data /var/tmp
  attentionbank bench --out bench/results.jsonl`
}

// benchLine is a line of the output.
type benchLine struct {
	Bench     string    `json:"bench"`
	Regime    string    `json:"regime"`
	Unit      string    `json:"unit"`
	PerSecond float64   `json:"per_second"`
	P50MS     float64   `json:"p50_ms,omitempty"`
	P99MS     float64   `json:"p99_ms,omitempty"`
	Runs      []float64 `json:"runs_per_second"`
	Seconds   float64   `json:"seconds_a_run"`
	Version   string    `json:"version"`
	Go        string    `json:"go"`
	CPU       string    `json:"cpu"`
	CPUs      int       `json:"cpus"`
	At        string    `json:"at"`
}

// measured is the outcome of a run: how much was done, how long it took, and
// how long single answers took if that was watched.
type measured struct {
	done    int
	took    time.Duration
	answers []time.Duration
}

func (m measured) perSecond() float64 { return float64(m.done) / m.took.Seconds() }

// percentile returns the answer time that a share of the answers did not
// exceed, in ms.
func (m measured) percentile(share float64) float64 {
	if len(m.answers) == 0 {
		return 0
	}
	slices.Sort(m.answers)
	return float64(m.answers[min(int(share*float64(len(m.answers))), len(m.answers)-1)]) / 1e6
}

type benchmark struct {
	name, regime, unit string
	run                func(ctx context.Context, folder string, length time.Duration) (measured, error)
}

// Run implements the command.
func (c *benchCommand) Run(env *environment) error {
	if c.Runs < 1 || c.Seconds <= 0 {
		return usage("expected --runs and --seconds above zero")
	}
	c.length = time.Duration(c.Seconds * float64(time.Second))
	ran := false
	for _, b := range benchmarks {
		if !strings.Contains(b.name, c.Only) {
			continue
		}
		ran = true
		line, err := c.measure(env, b)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.stdout, "%s\n", text)
		if c.Out != "" {
			if err := appendLine(c.Out, text); err != nil {
				return err
			}
		}
	}
	if !ran {
		names := make([]string, len(benchmarks))
		for i, b := range benchmarks {
			names[i] = b.name
		}
		return usage("--only %s: expected a part of one of %s", c.Only, strings.Join(names, ", "))
	}
	return nil
}

func (c *benchCommand) measure(env *environment, b benchmark) (benchLine, error) {
	var runs []measured
	for range c.Runs {
		folder, err := os.MkdirTemp(c.Data, "attentionbank-bench-")
		if err != nil {
			return benchLine{}, err
		}
		m, err := b.run(env.context, folder, c.length)
		os.RemoveAll(folder)
		if err != nil {
			return benchLine{}, err
		}
		runs = append(runs, m)
		runtime.GC() // what a run has left is not the next one's
	}
	slices.SortFunc(runs, func(a, b measured) int {
		if a.perSecond() < b.perSecond() {
			return -1
		}
		return 1
	})
	median := runs[len(runs)/2]
	line := benchLine{
		Bench: b.name, Regime: b.regime, Unit: b.unit, PerSecond: float64(int64(median.perSecond())), P50MS: median.percentile(0.50), P99MS: median.percentile(0.99),
		Seconds: c.Seconds, Version: version(), Go: runtime.Version(), CPU: cpuName(), CPUs: runtime.NumCPU(), At: time.Now().UTC().Format(time.RFC3339),
	}
	for _, m := range runs {
		line.Runs = append(line.Runs, float64(int64(m.perSecond())))
	}
	return line, nil
}

// cpuName returns what the system calls the processor.
func cpuName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func appendLine(path string, line []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
