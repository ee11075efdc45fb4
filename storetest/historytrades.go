package storetest

import (
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

const gem = 4

// openMarkets opens markets of GEM for GOLD, 1 in continuous trading and 2 in
// batches, and gives both persons plenty of both. Lots and ticks are minor units.
func (j *Records) openMarkets() {
	commands := [][]byte{bank.RegisterAsset{Code: "GEM", World: 1}.AppendTo(nil)}
	for _, mode := range []market.Mode{market.Continuous, market.Batch} {
		config := market.DefaultConfig()
		config.Mode, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = mode, 0, 0, 0, 0
		terms := bank.Terms{MakerBPS: 10, TakerBPS: 20, CallBPS: 15, ValueMicro: 1}
		commands = append(commands, bank.OpenMarket{Market: bank.Market{Base: gem, Quote: gold, LotUnits: 1, Terms: terms}, Config: config}.AppendTo(nil))
	}
	j.Add(commands...)
	commands = nil
	for person := uint64(1); person <= 2; person++ {
		commands = append(commands, bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: gem}.AppendTo(nil))
	}
	j.Add(commands...)
	books := j.state.Books()
	for person := uint64(1); person <= 2; person++ {
		gems, _ := books.Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: gem})
		j.Add(bank.Transfer{Legs: []ledger.Leg{
			{Debit: books.Asset(gem).Issuer, Credit: gems, Amount: 1000}, {Debit: j.Account(0), Credit: j.Account(person), Amount: 10_000},
		}}.AppendTo(nil))
	}
	j.Add(bank.CallAuction{Market: 1, Reference: 5}.AppendTo(nil), bank.CallAuction{Market: 2, Reference: 5}.AppendTo(nil))
	j.Add(bank.AppendTick(nil))
}

// order returns the command that places a GTC order.
func order(number uint32, person uint64, side market.Side, price, quantity int64) []byte {
	return bank.PlaceOrder{Market: number, Person: person, Side: side, Price: price, Quantity: quantity}.AppendTo(nil)
}

func historyTrades(t *testing.T, open func() history.Tables) {
	j := NewRecords()
	j.openMarkets()
	start := j.Len()
	resting, _ := bank.First[bank.OrderPlaced](j.Add(order(1, 1, market.Sell, 7, 10))[0])
	j.Add(order(1, 2, market.Buy, 7, 4), order(1, 2, market.Buy, 8, 3))
	j.Wait(60_000)
	if answer := j.Add(bank.AppendTick(nil), order(1, 2, market.Buy, 7, 3))[1]; bank.Refusal(answer[0]) != bank.Accepted {
		t.Fatalf("an order was refused: %s", bank.Refusal(answer[0]))
	}
	j.Add(order(2, 1, market.Sell, 4, 5), order(2, 2, market.Buy, 6, 5))
	j.Wait(2000)
	j.Add(bank.AppendTick(nil))
	tables := open()
	check(t, j.Follow(t, tables, 1).CatchUp(t.Context()))

	times := func(n uint64) int64 { return j.records[start+n].TimeMS }
	trade := func(n uint64, index uint32, price, quantity int64) history.Trade {
		return history.Trade{Market: 1, Position: history.Position{Seq: start + n + 1, Index: index}, TimeMS: times(n), Price: price, Quantity: quantity}
	}
	first, second, third := trade(1, 0, 7, 4), trade(1, 1, 7, 3), trade(2, 1, 7, 3)
	same(t, "trades", must(tables.Trades(t.Context(), 1, history.TradeQuery{}))(t), []history.Trade{third, second, first})
	same(t, "trades before the last", must(tables.Trades(t.Context(), 1, history.TradeQuery{Before: third.Position, Limit: 1}))(t), []history.Trade{second})
	same(t, "trades behind the first", must(tables.Trades(t.Context(), 1, history.TradeQuery{After: first.Position, Ascending: true}))(t), []history.Trade{second, third})
	calls := must(tables.Trades(t.Context(), 2, history.TradeQuery{}))(t)
	same(t, "a call is one trade", calls, []history.Trade{{Market: 2, Position: history.Position{Seq: start + 5}, TimeMS: times(4), Price: 5, Quantity: 5, InCall: true}})

	fills := must(tables.Fills(t.Context(), 1, history.FillQuery{Market: 1, Order: resting.Order}))(t)
	if len(fills) != 3 || fills[0].Quantity != 3 || fills[2].Quantity != 4 || fills[2].Role != market.Maker || fills[2].Notional != 28 || fills[2].Fee != 1 || fills[1].Fee != 0 {
		t.Fatalf("the fills of an order: %+v", fills)
	}
	same(t, "fills before one", must(tables.Fills(t.Context(), 1, history.FillQuery{Market: 1, Before: fills[0].Position, Limit: 1}))(t), fills[1:2])
	if all := must(tables.Fills(t.Context(), 1, history.FillQuery{}))(t); len(all) != 4 || all[0].Role != market.InCall || all[0].Side != market.Sell {
		t.Fatalf("all fills: %+v", all)
	}

	candle := func(ms, length int64) int64 { return ms - ms%length }
	minute := history.Candle{Market: 1, Minutes: 1, StartMS: candle(times(1), 60_000), Open: 7, High: 7, Low: 7, Close: 7, Volume: 7, Trades: 2}
	later := history.Candle{Market: 1, Minutes: 1, StartMS: candle(times(2), 60_000), Open: 7, High: 7, Low: 7, Close: 7, Volume: 3, Trades: 1}
	same(t, "candles", must(tables.Candles(t.Context(), 1, 1, 0, times(4), 0))(t), []history.Candle{minute, later})
	same(t, "candles of a time", must(tables.Candles(t.Context(), 1, 1, minute.StartMS+1, later.StartMS+1, 0))(t), []history.Candle{later})
	day := must(tables.Candles(t.Context(), 1, 24*60, 0, times(4), 0))(t)
	if len(day) != 1 || day[0].Volume != 10 || day[0].Trades != 3 {
		t.Fatalf("the day: %+v", day)
	}
}

// An order has one row from its placing to its end, whether both are in one
// chunk or not.
func historyOrders(t *testing.T, open func() history.Tables) {
	j := NewRecords()
	j.openMarkets()
	start := j.Len()
	placed, _ := bank.First[bank.OrderPlaced](j.Add(order(1, 1, market.Sell, 7, 10))[0])
	taker := order(1, 2, market.Buy, 7, 4)
	j.Add(taker)
	j.Add(bank.AmendOrder{Market: 1, Person: 1, Order: placed.Order, Price: 8, Quantity: 9}.AppendTo(nil))
	j.Add(taker, order(1, 2, market.Buy, 8, 2)) // the first rests
	j.Add(bank.CancelOrder{Market: 1, Person: 1, Order: placed.Order}.AppendTo(nil))
	second, _ := bank.First[bank.OrderPlaced](j.Add(order(2, 1, market.Sell, 7, 1))[0])
	times := func(n uint64) int64 { return j.records[start+n].TimeMS }
	name := history.OrderName{Person: 1, Market: 1, Number: placed.Order}
	sold := history.Order{OrderName: name, Seq: start + 1, PlacedMS: times(0), Side: market.Sell, OrderState: history.OrderState{Price: 7, Quantity: 10}}
	steps := []history.OrderState{
		{Price: 7, Quantity: 10},
		{Price: 7, Quantity: 10, Filled: 4, Notional: 28, Fee: 1},
		{Price: 8, Quantity: 9, Filled: 4, Notional: 28, Fee: 1},
		{Price: 8, Quantity: 9, Filled: 6, Notional: 44, Fee: 1},
		{Price: 8, Quantity: 9, Filled: 6, Notional: 44, Fee: 1, Status: history.OrderCancelled, Reason: market.ByOwner, EndedMS: times(4)},
	}
	tables := open()
	for n, state := range steps {
		j.ShowUpTo(start + uint64(n) + 1)
		check(t, j.Follow(t, tables, 1).CatchUp(t.Context()))
		sold.OrderState = state
		same(t, "an order", must(tables.Order(t.Context(), name))(t), sold)
	}
	j.ShowUpTo(j.Len())
	check(t, j.Follow(t, tables, 1).CatchUp(t.Context()))
	all := must(tables.Orders(t.Context(), 1, history.OrderQuery{}))(t)
	if len(all) != 2 || all[0] != sold || all[1].Number != second.Order || all[1].Market != 2 {
		t.Fatalf("the orders of a person: %+v", all)
	}
	same(t, "behind the first", must(tables.Orders(t.Context(), 1, history.OrderQuery{AfterMarket: 1, AfterNumber: placed.Order}))(t), all[1:])
	same(t, "of one market", must(tables.Orders(t.Context(), 1, history.OrderQuery{Market: 2}))(t), all[1:])
	same(t, "those that have ended", must(tables.Orders(t.Context(), 1, history.OrderQuery{Ended: true}))(t), all[:1])
	same(t, "the open ones", must(tables.Orders(t.Context(), 1, history.OrderQuery{OneStatus: true}))(t), all[1:])
	others := must(tables.Orders(t.Context(), 2, history.OrderQuery{Limit: 2}))(t)
	if len(others) != 2 || others[0].Number <= others[1].Number || others[0].Status != history.OrderFilled || others[0].EndedMS != times(3) {
		t.Fatalf("the newest orders of another: %+v", others)
	}
	_, err := tables.Order(t.Context(), history.OrderName{Person: 2, Market: 1, Number: placed.Order})
	wantErr(t, err, history.ErrNotFound)
}
