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
	"strings"
	"time"
)

// result is a line of the output.
type result struct {
	Bench     string    `json:"bench"`
	Regime    string    `json:"regime"`
	Unit      string    `json:"unit"`
	PerSecond float64   `json:"per_second"`
	P50MS     float64   `json:"p50_ms,omitempty"`
	P99MS     float64   `json:"p99_ms,omitempty"`
	Runs      []float64 `json:"runs_per_second"`
	// With names the released package of a peer and what ran it.
	With string `json:"with,omitempty"`
	// Trades and Volume are what an order book made of the stream; Deviates says
	// by how much that is not what the rules make of it.
	Trades   int64  `json:"trades,omitempty"`
	Volume   int64  `json:"volume,omitempty"`
	Deviates string `json:"deviates,omitempty"`
	CPUs     int    `json:"cpus"`
	At       string `json:"at"`
}

// contender is measured once a round.
type contender struct {
	name, unit, regime string
	// absent says why it cannot be measured here and what would help; empty if
	// it can.
	absent string
	run    func(ctx context.Context, length time.Duration) (result, error)
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
	only := flag.String("only", "", "measure what has this in its name")
	rounds := flag.Int("rounds", 3, "how often each is measured")
	length := flag.Duration("length", 4*time.Second, "length of a measurement; books play a stream of fixed length")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "Measures the bank and its peers in turns; a line each.\n\nExamples:\n  go run . --store postgres://postgres@127.0.0.1/postgres\n  go run . --only books\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *length <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	contenders, err := present(slices.Concat(transfers(*bank, *store), books()), *only)
	if err != nil {
		return err
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

// transfers are the contenders that move an amount between accounts.
func transfers(bank, store string) []contender {
	noServer := ""
	if store == "" {
		noServer = "it needs a PostgreSQL server; name one with --store"
	}
	return []contender{
		{"bank_http_postgres", "transfers", "the bank over HTTP, one transfer a request, 64 clients, idempotency keys, journal in PostgreSQL", noServer, ownBench(bank, "transfers_http_64", store)},
		{"bank_http_sqlite", "transfers", "the same with the embedded store", "", ownBench(bank, "transfers_http_64", "")},
		{"postgres_function_64", "transfers", "PostgreSQL with a plain transfer function, one call a transfer, 64 connections, keys unique, 1,000 accounts", noServer, plainFunction(store, 64, 1000)},
		{"postgres_function_hot", "transfers", "the same with all credits to one account", noServer, plainFunction(store, 64, 1)},
		{"postgres_function_1", "transfers", "the same from one connection, 1,000 accounts", noServer, plainFunction(store, 1, 1000)},
		{"numscript_memory", "transfers", "the rules alone of Formance's ledger (numscript v0.2.0, compiled): in memory, one goroutine, nothing kept, 1,000 accounts", "", interpreted},
		{"bank_batched", "transfers", "the bank in process, batches of 8,000, 1,000 accounts: rules, keys, facts and chain, durable", "", ownBench(bank, "transfers_1k", "")},
		{"bank_http_1", "transfers", "the bank over HTTP, one client, one at a time, embedded store", "", ownBench(bank, "transfers_http_1", "")},
	}
}

// present are the contenders with this in their name that can be measured here.
// Of the others it says why not.
func present(contenders []contender, only string) (list []contender, err error) {
	for _, c := range contenders {
		switch {
		case !strings.Contains(c.name, only):
		case c.absent != "":
			fmt.Fprintf(os.Stderr, "peers: %s is not measured: %s\n", c.name, c.absent)
		default:
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("nothing with %q in its name can be measured", only)
	}
	return list, nil
}

// print reports the median of the rounds.
func print(c contender, runs []result) error {
	slices.SortFunc(runs, func(a, b result) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
	median := runs[len(runs)/2]
	median.Bench, median.Regime, median.Unit = c.name, c.regime, c.unit
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
