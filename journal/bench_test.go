package journal_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
)

// benchAccounts is how many accounts the transfers of the benchmarks are between.
const benchAccounts = 100_000

// payments makes transfers with idempotency keys between random accounts.
type payments struct {
	accounts []uint64
	n, seed  uint64
}

func (p *payments) next() []byte {
	p.n++
	p.seed = p.seed*6364136223846793005 + 1442695040888963407
	last := uint64(len(p.accounts))
	return transfer(p.n, p.accounts[p.seed>>33%last], p.accounts[p.seed>>13%last], 1)
}

func (p *payments) batch(size int) [][]byte {
	commands := make([][]byte, size)
	for i := range commands {
		commands[i] = p.next()
	}
	return commands
}

// BenchmarkBatches gives durable transfers in requests of 8,000, one after the
// other, on real files.
func BenchmarkBatches(b *testing.B) {
	w := openFiles(b, b.TempDir())
	p := &payments{accounts: fund(b, w, benchAccounts, 1_000_000)}
	b.ResetTimer()
	for b.Loop() {
		if _, err := w.Submit(context.Background(), p.batch(8000)...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.n)/b.Elapsed().Seconds(), "transfers/s")
}

// BenchmarkSingles gives durable transfers one in a request, from one client
// and from 64 at once, on real files.
func BenchmarkSingles(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(map[int]string{1: "1 client", 64: "64 clients"}[clients], func(b *testing.B) {
			w := openFiles(b, b.TempDir())
			accounts := fund(b, w, benchAccounts, 1_000_000)
			var client atomic.Uint64
			took := make(chan []time.Duration, clients)
			b.SetParallelism(clients) // goroutines for each of GOMAXPROCS, which is 1 here
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				number := client.Add(1)
				p := &payments{accounts: accounts, n: number << 32, seed: number}
				var times []time.Duration
				for pb.Next() {
					began := time.Now()
					if _, err := w.Submit(context.Background(), p.next()); err != nil {
						b.Error(err)
						return
					}
					times = append(times, time.Since(began))
				}
				took <- times
			})
			close(took)
			var all []time.Duration
			for times := range took {
				all = append(all, times...)
			}
			slices.Sort(all)
			b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "transfers/s")
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
		})
	}
}

// BenchmarkReplay runs a journal of 100 records of 8,000 transfers again,
// chain and answers checked, and once from a snapshot.
func BenchmarkReplay(b *testing.B) {
	folder := b.TempDir()
	f, err := openFolder(folder)
	if err != nil {
		b.Fatal(err)
	}
	p := &payments{accounts: fund(b, f.writer, benchAccounts, 1_000_000)}
	for range 100 {
		if _, err := f.writer.Submit(context.Background(), p.batch(8000)...); err != nil {
			b.Fatal(err)
		}
	}
	last := f.writer.Durable()
	f.close(b)
	b.Run("records", func(b *testing.B) {
		store, err := sqldb.OpenJournal(context.Background(), filepath.Join(folder, "journal.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer store.Close()
		commands := 0
		for b.Loop() {
			if _, err := journal.StateAt(context.Background(), store, last, func(uint64) {}); err != nil {
				b.Fatal(err)
			}
			commands += int(p.n) + 3*benchAccounts
		}
		b.ReportMetric(float64(commands)/b.Elapsed().Seconds(), "commands/s")
	})
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			f, err := openFolder(folder)
			if err != nil {
				b.Fatal(err)
			}
			f.close(b) // takes another one
		}
	})
}
