// Command peers measures the bank beside what others would build it on, in
// turns of one run, so that both meet the same machine. It is a module of its
// own: what it depends on is no part of the product.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// result is a line of the output.
type result struct {
	Bench     string    `json:"bench"`
	Regime    string    `json:"regime"`
	Unit      string    `json:"unit"`
	PerSecond float64   `json:"per_second"`
	P50MS     float64   `json:"p50_ms"`
	P99MS     float64   `json:"p99_ms"`
	Runs      []float64 `json:"runs_per_second"`
	CPUs      int       `json:"cpus"`
	At        string    `json:"at"`
}

// contender is measured once a round.
type contender struct {
	name, regime string
	run          func(ctx context.Context, length time.Duration) (result, error)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run() error {
	bank := flag.String("bank", "../../bin/attentionbank", "the program of the bank")
	store := flag.String("store", "", "PostgreSQL server; databases are made there and dropped")
	rounds := flag.Int("rounds", 3, "how often each is measured")
	length := flag.Duration("length", 4*time.Second, "length of a measurement")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Measures the bank and its peers in turns; a line each.\n\nExample:\n  go run . --store postgres://postgres@127.0.0.1/postgres\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *store == "" || *rounds < 1 || *length <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	contenders := []contender{
		{"bank_http_postgres", "the bank over HTTP, one transfer a request, 64 clients, idempotency keys, journal in PostgreSQL", ownBench(*bank, "transfers_http_64", *store)},
		{"bank_http_sqlite", "the same with the embedded store", ownBench(*bank, "transfers_http_64", "")},
		{"postgres_function_64", "PostgreSQL with a plain transfer function, one call a transfer, 64 connections, keys unique, 1,000 accounts", plainFunction(*store, 64, 1000)},
		{"postgres_function_hot", "the same with all credits to one account", plainFunction(*store, 64, 1)},
		{"postgres_function_1", "the same from one connection, 1,000 accounts", plainFunction(*store, 1, 1000)},
		{"numscript_memory", "the rules alone of Formance's ledger (numscript v0.2.0, compiled): in memory, one goroutine, nothing kept, 1,000 accounts", interpreted},
		{"bank_batched", "the bank in process, batches of 8,000, 1,000 accounts: rules, keys, facts and chain, durable", ownBench(*bank, "transfers_1k", "")},
		{"bank_http_1", "the bank over HTTP, one client, one at a time, embedded store", ownBench(*bank, "transfers_http_1", "")},
	}
	all := make([][]result, len(contenders))
	for range *rounds {
		for i, c := range contenders {
			r, err := c.run(context.Background(), *length)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			all[i] = append(all[i], r)
		}
	}
	for i, c := range contenders {
		if err := print(c, all[i]); err != nil {
			return err
		}
	}
	return nil
}

// print reports the median of the rounds.
func print(c contender, runs []result) error {
	slices.SortFunc(runs, func(a, b result) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
	median := runs[len(runs)/2]
	median.Bench, median.Regime, median.Unit = c.name, c.regime, "transfers"
	median.CPUs, median.At = runtime.NumCPU(), time.Now().UTC().Format(time.RFC3339)
	median.Runs = nil
	for _, r := range runs {
		median.Runs = append(median.Runs, r.PerSecond)
	}
	return json.NewEncoder(os.Stdout).Encode(median)
}

// ownBench runs a benchmark of the bank's own.
func ownBench(program, name, store string) func(context.Context, time.Duration) (result, error) {
	return func(ctx context.Context, length time.Duration) (r result, err error) {
		args := []string{"bench", "--only", name, "--runs", "1", "--seconds", strconv.FormatFloat(length.Seconds(), 'f', -1, 64)}
		if store != "" {
			args = append(args, "--store", store)
		}
		output, err := exec.CommandContext(ctx, program, args...).Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, exit.Stderr)
			}
			return r, err
		}
		// A name may be the beginning of others; the first line is its own.
		first := output
		if end := slices.Index(output, '\n'); end >= 0 {
			first = output[:end]
		}
		return r, json.Unmarshal(first, &r)
	}
}
