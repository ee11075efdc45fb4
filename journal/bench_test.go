package journal_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

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
}
