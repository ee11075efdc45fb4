package history_test

import (
	"errors"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

// Behind is told in records and time, and is too far beyond a bound only.
func TestLagIsToldAndBounded(t *testing.T) {
	journal := storetest.NewRecords()
	follower := journal.Follow(t, memory.NewHistory(), 0)
	journal.Add(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	if err := follower.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lag := follower.Lag(); lag != (history.Lag{}) {
		t.Errorf("caught up, and the lag is %+v", lag)
	}
	journal.Add(bank.RegisterWorld{Code: "park"}.AppendTo(nil))
	journal.Add(bank.RegisterWorld{Code: "hall"}.AppendTo(nil))
	journal.Wait(58_000)
	if lag, want := follower.Lag(), (history.Lag{Records: 2, MS: 60_000}); lag != want {
		t.Errorf("the lag is %+v, expected %+v", lag, want)
	}
	if err := follower.Bound(60_000); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if err := follower.Bound(59_999); !errors.Is(err, history.ErrLagging) {
		t.Errorf("beyond the bound: %v", err)
	}
	if err := follower.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := follower.Bound(0); err != nil {
		t.Errorf("caught up again: %v", err)
	}
}
