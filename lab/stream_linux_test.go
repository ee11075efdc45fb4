package lab_test

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/lab"
)

// BenchmarkStream reports operations a second of processor time too, which
// stays comparable on a machine that does other things.
func BenchmarkStream(b *testing.B) {
	const operations = 1_000_000
	steps, _ := lab.Stream(operations, 1)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var busy time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p, err := lab.NewPlayer(operations)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := processorTime()
		if err := p.Play(steps, 1); err != nil {
			b.Fatal(err)
		}
		busy += processorTime() - began
	}
	b.ReportMetric(float64(operations)*float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(operations)*float64(b.N)/busy.Seconds(), "ops/cpu-s")
}

// processorTime is what this thread has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkResting compares an operation at a million resting orders with one at
// a thousand, by turns.
func BenchmarkResting(b *testing.B) {
	few, err := lab.NewResting(1000, 1)
	if err != nil {
		b.Fatal(err)
	}
	many, err := lab.NewResting(1_000_000, 1)
	if err != nil {
		b.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const operations = 20_000
	var busy [2]time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for i, r := range []*lab.Resting{few, many} {
			prepared := r.Prepare(operations)
			began := processorTime()
			if err := r.Run(prepared); err != nil {
				b.Fatal(err)
			}
			busy[i] += processorTime() - began
		}
	}
	perOperation := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N) / operations }
	b.ReportMetric(perOperation(busy[0]), "cpu-ns/op-at-1k")
	b.ReportMetric(perOperation(busy[1]), "cpu-ns/op-at-1M")
	b.ReportMetric(float64(busy[1])/float64(busy[0]), "ratio")
}

// BenchmarkCall clears batches of 100,000 orders.
func BenchmarkCall(b *testing.B) {
	c, err := lab.NewCall(100_000, 1)
	if err != nil {
		b.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var busy time.Duration
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if err := c.Gather(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := processorTime()
		if _, traded := c.Clear(); traded < 40_000 {
			b.Fatalf("%d orders traded", traded)
		}
		busy += processorTime() - began
	}
	b.ReportMetric(busy.Seconds()*1000/float64(b.N), "cpu-ms/call")
}
