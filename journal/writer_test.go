package journal_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/sqldb"
)

// openFiles opens a writer on real files.
func openFiles(t testing.TB, folder string) *journal.Writer {
	t.Helper()
	ctx := context.Background()
	store, err := sqldb.OpenJournal(ctx, filepath.Join(folder, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	head, err := journal.OpenHeadFile(filepath.Join(folder, "head"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := journal.Open(ctx, store, head, journal.Options{Warn: func(m string) { t.Log(m) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close(ctx)
		head.Close()
		store.Close()
	})
	return w
}

// fund opens n accounts of persons in an asset and puts an amount into each.
func fund(t testing.TB, w *journal.Writer, n int, amount int64) (accounts []uint64) {
	t.Helper()
	ctx := context.Background()
	submit := func(command []byte) journal.Answer {
		answers, err := w.Submit(ctx, command)
		if err != nil {
			t.Fatal(err)
		}
		if answers[0].Refusal != bank.Accepted {
			t.Fatalf("refused: %s", answers[0].Refusal)
		}
		return answers[0]
	}
	asset, _ := bank.First[bank.AssetRegistered](submit(bank.RegisterAsset{Code: "GOLD", Scale: 2}.AppendTo(nil)).Bytes)
	var commands [][]byte
	for i := range n {
		commands = append(commands, bank.RegisterPerson{ID: [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(i+1)))}.AppendTo(nil))
	}
	for part := range chunks(commands) {
		if _, err := w.Submit(ctx, part...); err != nil {
			t.Fatal(err)
		}
	}
	commands = nil
	for i := range n {
		commands = append(commands, bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(i + 1), Asset: asset.Asset}.AppendTo(nil))
	}
	for part := range chunks(commands) {
		answers, err := w.Submit(ctx, part...)
		if err != nil {
			t.Fatal(err)
		}
		commands = nil
		for _, answer := range answers {
			opened, _ := bank.First[bank.AccountOpened](answer.Bytes)
			accounts = append(accounts, opened.Account)
			commands = append(commands, bank.Transfer{Legs: []ledger.Leg{{Debit: asset.Issuer, Credit: opened.Account, Amount: amount}}}.AppendTo(nil))
		}
		if _, err := w.Submit(ctx, commands...); err != nil {
			t.Fatal(err)
		}
	}
	return accounts
}

func chunks(commands [][]byte) func(func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		for len(commands) > 0 {
			n := min(len(commands), 8000)
			if !yield(commands[:n]) {
				return
			}
			commands = commands[n:]
		}
	}
}

// BenchmarkTransfers gives durable transfers in batches of 8,000, each with an
// idempotency key, between 100,000 accounts on real files.
func BenchmarkTransfers(b *testing.B) {
	w := openFiles(b, b.TempDir())
	accounts := fund(b, w, 100_000, 1_000_000)
	const size = 8000
	n, seed := uint64(0), uint64(1)
	b.ResetTimer()
	for b.Loop() {
		commands := make([][]byte, size)
		for i := range commands {
			n++
			seed = seed*6364136223846793005 + 1442695040888963407
			var key bank.Key
			binary.LittleEndian.PutUint64(key[:], n)
			from, to := accounts[seed>>33%uint64(len(accounts))], accounts[seed>>13%uint64(len(accounts))]
			commands[i] = bank.Transfer{Key: key, Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: 1}}}.AppendTo(nil)
		}
		if _, err := w.Submit(context.Background(), commands...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "transfers/s")
	b.Log(fmt.Sprint(w.Statistics().Records.Load()))
}
