package market_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/lab"
	"github.com/attentionbank/attentionbank/market"
)

// On the stream by which engines are compared, the twin makes the trades that a
// plain book makes; that the exchange does, on a longer one, is in package lab.
func TestTwinOnTheStream(t *testing.T) {
	const operations = 30_000
	steps, want := lab.Stream(operations, 1)
	config := market.DefaultConfig()
	config.Mode, config.MaxOwnerOrders, config.DynamicBPS, config.StaticBPS = market.Continuous, 0, 0, 0
	x := &twin{owners: map[uint64]bool{}}
	x.open(config)
	m := x.markets[0]
	m.phase = market.PhaseContinuous
	numbers := make([]uint64, operations+1)
	var got lab.Outcome
	for i, s := range steps {
		m.events = m.events[:0]
		if s.Cancel != 0 {
			if refusal := x.cancel(1, numbers[s.Cancel], 0, 1); refusal != market.Accepted {
				t.Fatalf("operation %d: %v", i+1, refusal)
			}
			continue
		}
		o := market.Order{Owner: uint64(s.Owner), Reference: uint64(i + 1), Price: int64(s.Price), Quantity: int64(s.Quantity), Side: s.Side}
		if refusal := x.place(1, o, 1); refusal != market.Accepted {
			t.Fatalf("operation %d: %v", i+1, refusal)
		}
		numbers[i+1] = m.events[0].Number
		for _, e := range m.events {
			if e.Role == market.Maker {
				got.Trade(o.Reference, e.Reference, e.Price, e.Quantity)
			}
		}
	}
	if got != want || want.Trades < operations/4 {
		t.Errorf("the twin came to %+v, a plain book to %+v", got, want)
	}
}

// An exchange that was read back is the one that was written, and trades on as
// it would have.
func TestRestoredExchangeTradesOn(t *testing.T) {
	const operations, half = 20_000, 10_000
	steps, want := lab.Stream(operations, 1)
	p, err := lab.NewPlayer(operations)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Play(steps[:half], 1); err != nil {
		t.Fatal(err)
	}
	encoded := p.Exchange.AppendTo(nil)
	second, err := market.Restore(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(second.AppendTo(nil), encoded) {
		t.Fatal("a restored exchange encodes differently")
	}
	again := p.On(second)
	for _, player := range []*lab.Player{p, again} {
		if err := player.Play(steps[half:], half+1); err != nil {
			t.Fatal(err)
		}
		if player.Outcome != want {
			t.Errorf("%+v, expected %+v", player.Outcome, want)
		}
	}
	if !bytes.Equal(p.Exchange.AppendTo(nil), second.AppendTo(nil)) {
		t.Fatal("a restored exchange came to another state")
	}
}
