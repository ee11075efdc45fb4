package main

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/formancehq/numscript"
)

// script moves an amount between two accounts in Formance's language of
// transactions; the source may not go below zero.
const script = `vars {
  account $from
  account $to
}
send [GOLD/2 1] (
  source = $from
  destination = $to
)`

// balances are what a script is run against, and what its postings change. It
// keeps nothing anywhere else.
type balances map[string]*big.Int

// GetBalance implements the store of the language.
func (b balances) GetBalance(_ context.Context, account, _, _, _ string) (*big.Int, error) {
	if balance, found := b[account]; found {
		return balance, nil
	}
	return new(big.Int), nil
}

// GetMetadata implements the store of the language; there is none.
func (balances) GetMetadata(context.Context, string, string, string) (string, bool, error) {
	return "", false, nil
}

// interpreted measures the released rules of a Go ledger by themselves: the
// script is compiled once and run for each transfer, in memory, by one
// goroutine. Nothing is made durable, no key is remembered, no history is kept.
func interpreted(ctx context.Context, length time.Duration) (r result, err error) {
	encoder, program, err := numscript.Compile(script)
	if err != nil {
		return r, err
	}
	machine, held, names := numscript.NewVm(program), balances{}, make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("person:%04d", i)
		held[names[i]] = big.NewInt(1_000_000_000)
	}
	random := rand.New(rand.NewPCG(1, 1))
	var answers []time.Duration
	began := time.Now()
	for time.Since(began) < length {
		from := random.IntN(len(names))
		to := (from + 1 + random.IntN(len(names)-1)) % len(names)
		asked := time.Now()
		vars, err := encoder.Encode(map[string]string{"from": names[from], "to": names[to]})
		if err != nil {
			return r, err
		}
		done, err := numscript.ExecVm(ctx, machine, &vars, held)
		if err != nil {
			return r, err
		}
		for _, posting := range done.Postings {
			held[posting.Source].Sub(held[posting.Source], posting.Amount)
			held[posting.Destination].Add(held[posting.Destination], posting.Amount)
		}
		answers = append(answers, time.Since(asked))
	}
	took := time.Since(began)
	total := new(big.Int)
	for _, balance := range held {
		total.Add(total, balance)
	}
	if total.Int64() != int64(len(names))*1_000_000_000 {
		return r, fmt.Errorf("the balances come to %s", total)
	}
	slices.Sort(answers)
	at := func(share float64) float64 { return float64(answers[int(share*float64(len(answers)-1))]) / 1e6 }
	r.PerSecond, r.P50MS, r.P99MS = float64(int64(float64(len(answers))/took.Seconds())), at(0.5), at(0.99)
	return r, nil
}
