package lab_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/lab"
)

// On the stream by which engines are compared, the production market makes the
// trades that a plain book makes, each of them, and allocates nothing once its
// memory has grown.
func TestStreamOfOperations(t *testing.T) {
	const operations = 1_000_000
	steps, want := lab.Stream(operations, 1)
	p, err := lab.NewPlayer(operations)
	if err != nil {
		t.Fatal(err)
	}
	const warm = operations / 2
	if err := p.Play(steps[:warm], 1); err != nil {
		t.Fatal(err)
	}
	const part = 1000
	at := warm
	allocations := testing.AllocsPerRun((operations-warm)/part-1, func() {
		if err := p.Play(steps[at:at+part], at+1); err != nil {
			t.Error(err)
		}
		at += part
	})
	if allocations != 0 {
		t.Errorf("%.0f allocations in %d operations", allocations, part)
	}
	if p.Outcome != want {
		t.Errorf("the market came to %+v, a plain book to %+v", p.Outcome, want)
	}
	t.Logf("%d trades, volume %d", want.Trades, want.Volume)
}
