package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
)

// largeLines are measured in one bank of ten million accounts, which takes
// about a minute to make.
var largeLines = []benchTitle{
	{"large_transfers", "like transfers_batched, between 10,000,000 accounts; without the history", "transfers"},
	{"large_restart", "restart from a snapshot of 10,000,000 accounts; p50 is the time of one restart", "accounts"},
	{"large_answers_quiet", "one transfer at a time from each of 64 clients in process, 10,000,000 accounts, durable", "transfers"},
	{"large_answers_snapshot", "the same while snapshots are taken one after another", "transfers"},
}

const largeAccounts = 10_000_000

func benchLarge(ctx context.Context, site Site, length time.Duration) ([]measured, error) {
	store, head, err := site.openJournal(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	defer head.Close()
	bench := largeBench{store, head}
	var lines [4]measured
	var accounts []uint64
	err = bench.with(ctx, math.MaxInt, func(w *journal.Writer) (err error) {
		if accounts, err = bench.fill(ctx, w); err != nil {
			return err
		}
		lines[0], err = transferBatches(ctx, w, accounts, length, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = bench.with(ctx, math.MaxInt, func(w *journal.Writer) (err error) {
		took := time.Since(began)
		lines[1] = measured{done: largeAccounts, took: took, answers: []time.Duration{took}}
		lines[2], err = singles(ctx, w, accounts, length)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = bench.with(ctx, 1, func(w *journal.Writer) (err error) {
		lines[3], err = singles(ctx, w, accounts, length)
		return err
	})
	return lines[:], err
}

type largeBench struct {
	store journal.Store
	head  *journal.HeadFile
}

func (b largeBench) with(ctx context.Context, snapshotEvery int, do func(*journal.Writer) error) error {
	w, err := journal.Open(ctx, b.store, b.head, journal.Options{Now: systemMS, SnapshotEvery: snapshotEvery})
	if err != nil {
		return err
	}
	return errors.Join(do(w), w.Close(ctx))
}

// fill opens the accounts, one a person, and puts plenty into each.
func (b largeBench) fill(ctx context.Context, w *journal.Writer) (accounts []uint64, err error) {
	answers, err := w.Submit(ctx, bank.RegisterWorld{Code: "bench"}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", Scale: 2}.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	asset, _ := bank.First[bank.AssetRegistered](answers[1].Bytes)
	const page = 4000
	commands := make([][]byte, 0, 2*page)
	for from := 0; from < largeAccounts; from += page {
		commands = commands[:0]
		for i := from; i < from+page; i++ {
			var id [16]byte
			copy(id[:], fmt.Sprintf("%016d", i+1))
			commands = append(commands, bank.RegisterPerson{ID: id}.AppendTo(nil),
				bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(i + 1), Asset: asset.Asset}.AppendTo(nil))
		}
		if answers, err = w.Submit(ctx, commands...); err != nil {
			return nil, err
		}
		var legs []ledger.Leg
		for i := 1; i < len(answers); i += 2 {
			opened, accepted := bank.First[bank.AccountOpened](answers[i].Bytes)
			if !accepted {
				return nil, fmt.Errorf("refused: %s", answers[i].Refusal)
			}
			accounts = append(accounts, opened.Account)
			legs = append(legs, ledger.Leg{Debit: asset.Issuer, Credit: opened.Account, Amount: 1_000_000})
		}
		commands = commands[:0]
		for start := 0; start < len(legs); start += ledger.MaxLegs {
			commands = append(commands, bank.Transfer{Legs: legs[start : start+ledger.MaxLegs]}.AppendTo(nil))
		}
		if _, err = w.Submit(ctx, commands...); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// singles makes transfers from 64 clients, each of which waits for its answer.
func singles(ctx context.Context, w *journal.Writer, accounts []uint64, length time.Duration) (measured, error) {
	return together(64, length, func(client int, until time.Time) (m measured, err error) {
		random := draws(client + 1)
		for time.Now().Before(until) {
			from, to := random.pair(accounts)
			command := bank.Transfer{Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: 1}}}.AppendTo(nil)
			began := time.Now()
			if _, err := w.Submit(ctx, command); err != nil {
				return m, err
			}
			m.answers = append(m.answers, time.Since(began))
			m.done++
		}
		return m, nil
	})
}
