package market_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// A market of 2^24-1 orders has 2^40 numbers. When the last was given, nothing
// is placed and no order is put behind others any more; what is there can still
// be amended for less and be cancelled.
func TestNumbersRunOut(t *testing.T) {
	config := market.DefaultConfig()
	config.Mode, config.MaxOrders, config.AuctionMS, config.RandomMS = market.Continuous, market.MaxOrdersLimit, 0, 0
	young := market.NewExchange()
	if _, err := young.Open(config); err != nil {
		t.Fatal(err)
	}
	_, _ = young.CallAuction(1, 0, 1, market.Seed{}, nil)
	_, _ = young.Tick(1, market.Seed{}, 1, nil)
	kept := young.AppendTo(nil)
	const sequenceAt = 1 + 4 + 4 + market.ConfigBytes + 1 + 1 // docs/formats/market.md
	binary.LittleEndian.PutUint64(kept[sequenceAt:], 1<<40-3)
	e, err := market.Decode(bytes.NewReader(kept))
	if err != nil {
		t.Fatal(err)
	}
	place := func(price int64) (uint64, market.Refusal) {
		number, _, refusal := e.Place(1, market.Order{Owner: 1, Side: market.Sell, Price: price, Quantity: 5}, 1, nil)
		return number, refusal
	}
	first, _ := place(10)
	last, refusal := place(11)
	if refusal != market.Accepted || last>>24 != 1<<40-1 {
		t.Fatalf("the last number is %d: %s", last>>24, refusal)
	}
	if _, refusal := place(12); refusal != market.NumbersExhausted {
		t.Errorf("an order behind the last: %s", refusal)
	}
	if _, refusal := e.Amend(1, first, 1, 10, 6, 1, nil); refusal != market.NumbersExhausted {
		t.Errorf("an order that would lose its priority: %s", refusal)
	}
	if _, refusal := e.Amend(1, first, 1, 10, 4, 1, nil); refusal != market.Accepted {
		t.Errorf("an order that keeps its priority: %s", refusal)
	}
	if _, refusal := e.Cancel(1, first, 1, 1, nil); refusal != market.Accepted {
		t.Errorf("cancelling: %s", refusal)
	}
}
