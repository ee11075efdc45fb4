package market_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/market"
	"pgregory.net/rapid"
)

// The exchange does what its twin does, whatever the commands; writing it and
// reading it back in between changes nothing.
func TestExchangeEqualsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anything := rapid.Uint64()
		m := newMaker(func(n int) int { return int(anything.Draw(t, "choice") % uint64(n)) })
		commands := rapid.IntRange(1, 150).Draw(t, "commands")
		compare(t, m, func(i int) bool { return i < commands }, map[string]int{})
	})
}

// The same of evenly distributed commands, which together cause everything that
// can happen: each refusal, and each event for each reason in each role.
func TestExchangeEqualsTwinInEverything(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(600) {
		compare(t, newMaker(rand.New(rand.NewPCG(seed, 4)).IntN), func(i int) bool { return i < 400 }, seen)
	}
	for _, r := range market.Refusals() {
		if r != market.NumbersExhausted && seen[r.String()] == 0 {
			t.Errorf("no command was answered with %v", r)
		}
	}
	for _, what := range []string{
		"filled, maker", "filled, taker", "filled, in call", "cleared",
		"cancelled by owner", "cancelled by operator", "cancelled: expired", "cancelled: unfilled", "cancelled: self-trade",
		"amended, kept", "amended, lost", "auction: opening", "auction: volatility", "auction: extended",
		"halted: no price", "halted by operator", "continuous after auction", "batch after auction",
	} {
		if seen[what] == 0 {
			t.Errorf("no event was: %s", what)
		}
	}
}

// describe names what an event is an example of.
func describe(e *market.Event) string {
	switch e.Kind {
	case market.OrderFilled:
		return "filled, " + []string{"", "maker", "taker", "in call"}[e.Role]
	case market.OrderCancelled:
		return map[market.Reason]string{
			market.ByOwner: "cancelled by owner", market.ByOperator: "cancelled by operator", market.Expired: "cancelled: expired",
			market.Unfilled: "cancelled: unfilled", market.SelfTraded: "cancelled: self-trade",
		}[e.Reason]
	case market.OrderAmended:
		return map[market.Reason]string{market.PriorityKept: "amended, kept", market.PriorityLost: "amended, lost"}[e.Reason]
	case market.MarketCleared:
		return "cleared"
	case market.PhaseChanged:
		return map[market.Reason]string{
			market.Opening: "auction: opening", market.Volatility: "auction: volatility", market.Extended: "auction: extended",
			market.NoPrice: "halted: no price", market.ByOperator: "halted by operator",
			market.AuctionEnded: []string{"", "continuous", "batch", ""}[e.Open] + " after auction",
		}[e.Reason]
	}
	return "accepted"
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// compare gives the same commands to an exchange and to its twin while more
// says so, and counts in seen what happened.
func compare(t fataler, m *maker, more func(i int) bool, seen map[string]int) {
	e, x := exchangeOf(t, m), &twin{owners: map[uint64]bool{}}
	for _, config := range m.configs {
		x.open(config)
	}
	var history []command
	open := map[uint64]int64{}
	for i := 0; more(i); i++ {
		c := m.next()
		history = append(history, c)
		number, events, refusal, some := run(e, &c, 1+m.choose(3), nil)
		m.give(&c, number)
		if d := unbalanced(events, open); d != "" {
			t.Fatalf("after %+v: %s", history, d)
		}
		seen[refusal.String()]++
		for j := range events {
			seen[describe(&events[j])]++
		}
		wantRefusal, wantSome, want := x.run(&c, m.placedBits(c.market))
		if refusal != wantRefusal || some != wantSome {
			t.Fatalf("%v, twin %v (more %v, twin %v) after\n%+v", refusal, wantRefusal, some, wantSome, history)
		}
		if got := byMarket(m.unplaced(events)); !slices.Equal(got, want) {
			t.Fatalf("%+v\ntwin\n%+v\nafter\n%+v", got, want, history)
		}
		if d := cmp.Or(differ(e, x), broken(e, 8)); d != "" {
			t.Fatalf("%s after\n%+v", d, history)
		}
		if m.choose(30) == 0 {
			second, err := restored(e)
			if err != nil {
				t.Fatalf("%v after\n%+v", err, history)
			}
			e = second
		}
	}
}
