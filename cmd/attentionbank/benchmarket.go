package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/attentionbank/attentionbank/lab"
)

const marketOperations = 1_000_000

// bookBenchmarks measure the order book alone: no bank, no journal.
var bookBenchmarks = []benchmark{
	single("market_stream", "order book alone, one thread: 1,000,000 operations, 60 % limit orders that rest, 30 % cancellations of a random live order, 10 % limit orders that trade; each trade compared with a plain book's", "operations", benchMarketStream),
	{marketRestingLines, benchMarketResting},
	{marketRandomLines, benchMarketRandom},
	single("market_call", "clearing a batch of 100,000 limit orders of 10,000 owners, about half of which trade; answers are clearings", "orders", benchMarketCall),
}

// benchMarketStream plays the stream once, however long a run is to be.
func benchMarketStream(context.Context, Site, time.Duration) (m measured, err error) {
	steps, want := lab.Stream(marketOperations, 1)
	player, err := lab.NewPlayer(marketOperations)
	if err != nil {
		return m, err
	}
	runtime.GC() // what drawing the stream has left
	began := time.Now()
	if err := player.Play(steps, 1); err != nil {
		return m, err
	}
	m = measured{done: len(steps), took: time.Since(began)}
	if player.Outcome != want {
		return m, fmt.Errorf("the market came to %+v, a plain book to %+v", player.Outcome, want)
	}
	return m, nil
}

var marketRestingLines = []benchTitle{
	{"market_resting_1k", "the same stream, while 1,000 orders of others rest beyond it", "operations"},
	{"market_resting_1m", "the same stream, while 1,000,000 orders of others rest beyond it; by turns with the line before", "operations"},
}

// benchMarketResting plays the stream on two markets by turns, so that both
// meet the same machine.
func benchMarketResting(context.Context, Site, time.Duration) ([]measured, error) {
	const part = 10_000
	steps, want := lab.Stream(marketOperations, 1)
	runs := make([]measured, len(marketRestingLines))
	var players []*lab.Player
	for _, resting := range []int{1000, 1_000_000} {
		player, err := lab.NewPlayer(marketOperations)
		if err != nil {
			return nil, err
		}
		if err := player.Fill(resting); err != nil {
			return nil, err
		}
		players = append(players, player)
	}
	runtime.GC()
	for at := 0; at < len(steps); at += part {
		for i, player := range players {
			began := time.Now()
			if err := player.Play(steps[at:at+part], at+1); err != nil {
				return nil, err
			}
			runs[i].took += time.Since(began)
			runs[i].done += part
		}
	}
	for _, player := range players {
		if player.Outcome != want {
			return nil, fmt.Errorf("the market came to %+v, a plain book to %+v", player.Outcome, want)
		}
	}
	return runs, nil
}

var marketRandomLines = []benchTitle{
	{"market_random_1k", "a random one of 1,000 resting orders is cancelled and another placed; each counts", "operations"},
	{"market_random_1m", "the same of 1,000,000 resting orders of 50,000 owners, by turns with the line before: memory that no cache holds", "operations"},
}

func benchMarketRandom(_ context.Context, _ Site, length time.Duration) ([]measured, error) {
	const part = 10_000
	runs := make([]measured, len(marketRandomLines))
	var markets []*lab.Resting
	for _, resting := range []int{1000, 1_000_000} {
		r, err := lab.NewResting(resting, 1)
		if err != nil {
			return nil, err
		}
		markets = append(markets, r)
	}
	runtime.GC()
	for runs[0].took+runs[1].took < length {
		for i, r := range markets {
			prepared := r.Prepare(part)
			began := time.Now()
			if err := r.Run(prepared); err != nil {
				return nil, err
			}
			runs[i].took += time.Since(began)
			runs[i].done += part
		}
	}
	return runs, nil
}

// benchMarketCall clears batches for the length of a run, gathering not counted.
func benchMarketCall(_ context.Context, _ Site, length time.Duration) (m measured, err error) {
	const orders = 100_000
	call, err := lab.NewCall(orders, 1)
	if err != nil {
		return m, err
	}
	for began := time.Now(); time.Since(began) < length; m.done += orders {
		if err := call.Gather(); err != nil {
			return m, err
		}
		took, traded := call.Clear()
		if traded < orders*4/10 {
			return m, fmt.Errorf("%d of %d orders traded", traded, orders)
		}
		m.answers = append(m.answers, took)
		m.took += took
	}
	return m, nil
}
