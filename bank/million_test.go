package bank_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

var commands = flag.Int("commands", 30_000, "how many random commands TestManyRandomCommands carries out")

type seeded struct{ *rand.Rand }

func (s seeded) between(low, high int64, _ string) int64 { return low + s.Int64N(high-low+1) }

// Many random commands give the same hash when they are carried out again, with
// the state written and read back in between, and leave the oracle's balances.
// A million: go test ./bank -run ManyRandomCommands -commands 1000000
func TestManyRandomCommands(t *testing.T) {
	x := newExchange(40)
	s := seeded{rand.New(rand.NewPCG(1, 2))}
	seen := map[string]int{}
	for i := range *commands {
		answer := x.step(s)
		seen[bank.Refusal(answer[0]).String()]++
		for fact := range bank.Facts(answer) {
			switch f := fact.(type) {
			case bank.OrderFilled:
				seen[[...]string{"", "fills of makers", "fills of takers", "fills in calls"}[f.Role]]++
			case bank.Converted:
				seen["conversions"]++
			case bank.OrderCancelled:
				seen["ended "+reasons[f.Reason]]++
			case bank.PhaseChanged:
				seen["phase "+reasons[f.Reason]]++
			}
		}
		if i%2000 == 0 {
			if err := x.fault(answer); err != nil {
				t.Fatalf("command %d: %v", i, err)
			}
		}
	}
	if err := x.fault(nil); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{
		"fills of makers", "fills of takers", "fills in calls", "conversions", "ended by owner", "ended by operator", "ended expired", "ended unfilled",
		"ended self-trade", "ended disconnected", "phase opening", "phase volatility", "phase auction ended",
	} {
		if seen[what] == 0 {
			t.Errorf("in %d commands there were no %s", *commands, what)
		}
	}
	if burned := x.state.Books().Asset(ledger.Time).Burned; burned == 0 {
		t.Error("nothing was burned of the fees in TIME")
	}
	t.Logf("%d commands with their ticks: %v", len(x.journal), seen)
	state := bank.New()
	for i, record := range x.journal {
		if i%(len(x.journal)/5) == 1 {
			var encoded bytes.Buffer
			if _, err := state.Freeze().WriteTo(&encoded); err != nil {
				t.Fatal(err)
			}
			restored, err := bank.Restore(&encoded)
			if err != nil {
				t.Fatal(err)
			}
			state = restored
		}
		state.Begin(uint64(i+1), record.nowMS)
		state.Chain([32]byte{byte(i + 1), byte((i + 1) >> 8)})
		if answer := state.Apply(record.command, nil); !bytes.Equal(answer, record.answer) {
			t.Fatalf("command %d is answered differently the second time", i)
		}
	}
	if state.Hash() != x.state.Hash() {
		t.Fatal("the same commands give another hash")
	}
	t.Logf("hash %x", state.Hash())
}

// An order, its cancellation and its trades allocate nothing but, now and then,
// a page.
func TestOrderAllocatesNothing(t *testing.T) {
	x := newExchange(2)
	x.nowMS += 60_000
	x.apply(bank.AppendTick(nil))
	tier := bank.DefaultTiers()[0]
	tier.OrderMicro, tier.DailyMicro, tier.HoldingsMicro, tier.MessagesPerSecond, tier.MessagesBurst = bank.MaxTierMicro, 1<<62, 1<<62, bank.MaxMessages, bank.MaxMessages
	x.apply(bank.SetTier{Tier: tier}.AppendTo(nil))
	answer, command := make([]byte, 0, 4096), make([]byte, 0, 256)
	seq := x.seq
	apply := func(c []byte) {
		seq++
		x.state.Begin(seq, x.nowMS)
		if answer = x.state.Apply(c, answer[:0]); bank.Refusal(answer[0]) != bank.Accepted {
			t.Fatal(bank.Refusal(answer[0]))
		}
	}
	turn := func() {
		order := bank.PlaceOrder{Key: bank.Key{byte(seq), byte(seq >> 8), byte(seq >> 16), 1}, Market: 2, Person: 1, Side: market.Sell, Price: 100, Quantity: 2}
		command = order.AppendTo(command[:0])
		apply(command)
		order.Person, order.Side, order.Key[3] = 2, market.Buy, 2
		command = order.AppendTo(command[:0])
		apply(command)
		order.Person, order.Side, order.Price, order.Key[3] = 2, market.Sell, 100, 3
		command = order.AppendTo(command[:0])
		apply(command)
		order.Person, order.Side, order.Key[3] = 1, market.Buy, 4
		command = order.AppendTo(command[:0])
		apply(command)
	}
	if allocations := testing.AllocsPerRun(2000, turn); allocations != 0 {
		t.Errorf("%v allocations in four orders and two trades", allocations)
	}
}

// When more orders expire at once than a Tick ends, the next goes on, and what
// comes in between is told to come again.
func TestExpiryRunsInBoundedSteps(t *testing.T) {
	x := newExchange(40)
	x.nowMS += 60_000
	x.apply(bank.AppendTick(nil))
	tier := bank.DefaultTiers()[9]
	tier.OpenOrders, tier.MessagesPerSecond, tier.MessagesBurst = bank.MaxTierOrders, bank.MaxMessages, bank.MaxMessages
	x.apply(bank.SetTier{Tier: tier}.AppendTo(nil))
	for i := range 2500 {
		order := bank.PlaceOrder{Market: 2, Person: uint64(1 + i%40), Side: market.Sell, Kind: market.GTD, Price: int64(101 + i%40), Quantity: 1, ExpiresMS: x.nowMS + 1000}
		if i >= 2000 { // beyond the fifty that a person may have in a market
			order.Market, order.Price = 3, 150
		}
		if answer := x.apply(order.AppendTo(nil)); bank.Refusal(answer[0]) != bank.Accepted {
			t.Fatalf("order %d: %s", i, bank.Refusal(answer[0]))
		}
	}
	x.nowMS += 1000
	x.seq++
	x.state.Begin(x.seq, x.nowMS)
	ended := 0
	count := func() {
		for fact := range bank.Facts(x.state.Apply(bank.AppendTick(nil), nil)) {
			if _, is := fact.(bank.OrderCancelled); is {
				ended++
			}
		}
	}
	count()
	if dueMS, any := x.state.NextDueMS(); ended != 2048 || !any || dueMS > x.nowMS {
		t.Errorf("a Tick ended %d orders, and the next is due at %d of %d", ended, dueMS, x.nowMS)
	}
	late := bank.PlaceOrder{Market: 3, Person: 1, Side: market.Sell, Price: 150, Quantity: 1}.AppendTo(nil)
	if refusal := bank.Refusal(x.state.Apply(late, nil)[0]); refusal != bank.MarketBehind {
		t.Errorf("an order in between is answered %s", refusal)
	}
	if refusal := bank.Refusal(x.state.Apply(bank.CancelOrder{Market: 3, Person: 1, Order: 1}.AppendTo(nil), nil)[0]); refusal != bank.MarketBehind {
		t.Errorf("a cancellation in between is answered %s", refusal)
	}
	count()
	if refusal := bank.Refusal(x.state.Apply(late, nil)[0]); ended != 2500 || refusal != bank.Accepted {
		t.Errorf("after two Ticks %d orders have ended, and an order is answered %s", ended, refusal)
	}
	if err := x.state.Check(); err != nil {
		t.Error(err)
	}
}
