package market_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// An exchange that was read back is the one that was written, and trades on as
// it would have.
func TestRestoredExchangeTradesOn(t *testing.T) {
	steps := stream(20_000)
	numbers := make([]uint64, len(steps))
	first := rest(1)
	play(t, first, steps[:10_000], 0, numbers)
	encoded := first.AppendTo(nil)
	second, err := market.Restore(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(second.AppendTo(nil), encoded) {
		t.Fatal("a restored exchange encodes differently")
	}
	again := append([]uint64(nil), numbers...)
	tradesA, volumeA := play(t, first, steps, 10_000, numbers)
	tradesB, volumeB := play(t, second, steps, 10_000, again)
	if tradesA != tradesB || volumeA != volumeB || tradesA == 0 {
		t.Fatalf("%d trades of %d, restored %d of %d", tradesA, volumeA, tradesB, volumeB)
	}
	if !bytes.Equal(first.AppendTo(nil), second.AppendTo(nil)) {
		t.Fatal("a restored exchange came to another state")
	}
}
