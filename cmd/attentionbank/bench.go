package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/sqldb"
)

type benchCommand struct {
	Name    string        `arg:"" optional:"" help:"Run only benchmarks whose name contains this, as --only."`
	Only    string        `help:"Run only benchmarks whose name contains this."`
	Runs    int           `default:"3" help:"Runs of each; the median is reported."`
	Seconds float64       `default:"4" help:"Length of a run."`
	Data    string        `help:"Directory for the files, on the disk to be measured; a temporary one if none is named." type:"path"`
	Store   string        `help:"PostgreSQL server to measure with: each run makes a database there and drops it. The URL names a database to connect to first." placeholder:"URL"`
	Plain   bool          `help:"Measure a bank that does not encrypt what it stores."`
	Out     string        `help:"Append the lines to this file too." type:"path"`
	length  time.Duration // of a run
}

// Help teaches by example.
func (c *benchCommand) Help() string {
	return `Each line is one benchmark: its regime, the median of the runs, and all of them. Answers are
durable (every record is synced), and the load comes from this process, on the same processors.

Examples:
  attentionbank bench
  attentionbank bench market --runs 5
  attentionbank bench --only transfers --seconds 10 --data /var/tmp
  attentionbank bench --only large --runs 1
  attentionbank bench --only history --store postgres://postgres@127.0.0.1/postgres
  attentionbank bench --out bench/results.jsonl`
}

// benchLine is a line of the output.
type benchLine struct {
	Bench     string  `json:"bench"`
	Regime    string  `json:"regime"`
	Unit      string  `json:"unit"`
	PerSecond float64 `json:"per_second"`
	P50MS     float64 `json:"p50_ms,omitempty"`
	P99MS     float64 `json:"p99_ms,omitempty"`
	// MemoryBytes and DiskBytes are what one of the unit takes.
	MemoryBytes float64   `json:"memory_bytes,omitempty"`
	DiskBytes   float64   `json:"disk_bytes,omitempty"`
	Runs        []float64 `json:"runs_per_second"`
	Seconds     float64   `json:"seconds_a_run"`
	Version     string    `json:"version"`
	Go          string    `json:"go"`
	CPU         string    `json:"cpu"`
	CPUs        int       `json:"cpus"`
	Store       string    `json:"store"`
	At          string    `json:"at"`
}

// measured is the outcome of a run: how much was done, how long it took, and
// how long single answers took if that was watched.
type measured struct {
	done    int
	took    time.Duration
	answers []time.Duration
	// what one takes, where that was watched
	memoryBytes, diskBytes float64
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

// benchmark measures one thing or, where the setting takes long to make,
// several things of one setting, each with a line of its own.
type benchmark struct {
	lines []benchTitle
	run   func(ctx context.Context, site Site, length time.Duration) ([]measured, error)
}

type benchTitle struct{ name, regime, unit string }

func single(name, regime, unit string, run func(ctx context.Context, site Site, length time.Duration) (measured, error)) benchmark {
	return benchmark{[]benchTitle{{name, regime, unit}}, func(ctx context.Context, site Site, length time.Duration) ([]measured, error) {
		m, err := run(ctx, site, length)
		return []measured{m}, err
	}}
}

func (b benchmark) matches(part string) bool {
	return slices.ContainsFunc(b.lines, func(title benchTitle) bool { return strings.Contains(title.name, part) })
}

// Run implements the command.
func (c *benchCommand) Run(env *environment) error {
	if c.Runs < 1 || c.Seconds <= 0 {
		return usage("expected --runs and --seconds above zero")
	}
	if err := (Site{Store: c.Store}).check(); err != nil {
		return err
	}
	if c.Name != "" && c.Only != "" {
		return usage("expected NAME or --only, not both")
	}
	c.Only = cmp.Or(c.Only, c.Name)
	c.length = time.Duration(c.Seconds * float64(time.Second))
	ran := false
	var names []string
	for _, b := range slices.Concat(benchmarks, bookBenchmarks) {
		for _, title := range b.lines {
			names = append(names, title.name)
		}
		if !b.matches(c.Only) {
			continue
		}
		ran = true
		runs, err := c.runs(env.context, b)
		if err != nil {
			return fmt.Errorf("%s: %w", b.lines[0].name, err)
		}
		for i, title := range b.lines {
			if err := c.print(env, c.line(title, runs[i])); err != nil {
				return err
			}
		}
	}
	if !ran {
		return usage("--only %s: expected a part of one of %s", c.Only, strings.Join(names, ", "))
	}
	return nil
}

func (c *benchCommand) print(env *environment, line benchLine) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s\n", text)
	if c.Out == "" {
		return nil
	}
	return appendLine(c.Out, text)
}

// runs runs a benchmark so often and returns the runs of each of its lines.
func (c *benchCommand) runs(ctx context.Context, b benchmark) ([][]measured, error) {
	runs := make([][]measured, len(b.lines))
	for range c.Runs {
		site, drop, err := c.freshSite(ctx)
		if err != nil {
			return nil, err
		}
		all, err := b.run(ctx, site, c.length)
		if err = errors.Join(err, drop()); err != nil {
			return nil, err
		}
		for i, m := range all {
			runs[i] = append(runs[i], m)
		}
		runtime.GC() // what a run has left is not the next one's
	}
	return runs, nil
}

func (c *benchCommand) freshSite(ctx context.Context) (site Site, drop func() error, err error) {
	if site.Data, err = os.MkdirTemp(c.Data, "attentionbank-bench-"); err != nil {
		return Site{}, nil, err
	}
	site.Plain = c.Plain
	remove := func() error { return os.RemoveAll(site.Data) }
	if c.Store == "" {
		return site, remove, nil
	}
	url, dropDatabase, err := sqldb.NewDatabase(ctx, c.Store, filepath.Base(site.Data))
	if err != nil {
		return Site{}, nil, errors.Join(err, remove())
	}
	site.Store = url
	return site, func() error { return errors.Join(dropDatabase(), remove()) }, nil
}

// line reports the median of the runs.
func (c *benchCommand) line(title benchTitle, runs []measured) benchLine {
	slices.SortFunc(runs, func(a, b measured) int { return cmp.Compare(a.perSecond(), b.perSecond()) })
	median := runs[len(runs)/2]
	line := benchLine{
		Bench: title.name, Regime: title.regime, Unit: title.unit, PerSecond: float64(int64(median.perSecond())), P50MS: median.percentile(0.50), P99MS: median.percentile(0.99),
		MemoryBytes: median.memoryBytes, DiskBytes: median.diskBytes,
		Seconds: c.Seconds, Version: version(), Go: runtime.Version(), CPU: cpuName(), CPUs: runtime.NumCPU(), Store: "SQLite", At: time.Now().UTC().Format(time.RFC3339),
	}
	if c.Store != "" {
		line.Store = "PostgreSQL"
	}
	if c.Plain {
		line.Store += ", plain"
	}
	for _, m := range runs {
		line.Runs = append(line.Runs, float64(int64(m.perSecond())))
	}
	return line
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
