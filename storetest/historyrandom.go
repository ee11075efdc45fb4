package storetest

import (
	"context"
	"fmt"

	"pgregory.net/rapid"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// randomRecords adds records of random commands, refused ones among them.
func (j *Records) randomRecords(rt *rapid.T) {
	var holds []uint64
	var orders []bank.OrderPlaced
	j.openMarkets()
	for range rapid.IntRange(1, 12).Draw(rt, "records") {
		if rapid.IntRange(0, 5).Draw(rt, "a night passes") == 0 {
			j.Wait(dayMS)
		}
		var commands [][]byte
		for range rapid.IntRange(1, 8).Draw(rt, "commands") {
			if rapid.IntRange(0, 4).Draw(rt, "about orders") == 0 {
				commands = append(commands, randomOrder(rt, orders))
			} else {
				commands = append(commands, j.randomCommand(rt, holds))
			}
		}
		for _, answer := range j.Add(commands...) {
			if placed, found := bank.First[bank.HoldPlaced](answer); found {
				holds = append(holds, placed.Hold)
			}
			if placed, found := bank.First[bank.OrderPlaced](answer); found {
				orders = append(orders, placed)
			}
		}
	}
}

func (j *Records) randomCommand(rt *rapid.T, holds []uint64) []byte {
	account := rapid.SampledFrom([]uint64{j.Account(0), j.Account(1), j.Account(2)})
	amount := rapid.Int64Range(1, 50)
	reference := rapid.SampledFrom([]string{"", "order-1", "order-2"}).Draw(rt, "reference")
	switch kind := rapid.IntRange(0, 7).Draw(rt, "kind"); {
	case kind <= 1:
		legs := make([]ledger.Leg, rapid.IntRange(1, 3).Draw(rt, "legs"))
		for i := range legs {
			legs[i] = ledger.Leg{Debit: account.Draw(rt, "debit"), Credit: account.Draw(rt, "credit"), Amount: amount.Draw(rt, "amount")}
		}
		return bank.Transfer{Reference: reference, Legs: legs}.AppendTo(nil)
	case kind == 2:
		expiresMS := rapid.SampledFrom([]int64{0, j.nowMS + 5000, j.nowMS + dayMS}).Draw(rt, "expires")
		return bank.PlaceHold{
			Reference: reference, Account: account.Draw(rt, "account"), Beneficiary: account.Draw(rt, "beneficiary"),
			Amount: amount.Draw(rt, "amount"), ExpiresAtMS: expiresMS,
		}.AppendTo(nil)
	case kind == 3 && len(holds) > 0:
		return bank.SettleHold{
			Reference: reference, Hold: rapid.SampledFrom(holds).Draw(rt, "hold"), Amount: amount.Draw(rt, "amount"),
			Final: rapid.Bool().Draw(rt, "final"),
		}.AppendTo(nil)
	case kind == 4 && len(holds) > 0:
		return bank.ReleaseHold{Reference: reference, Hold: rapid.SampledFrom(holds).Draw(rt, "hold")}.AppendTo(nil)
	case kind == 5:
		return bank.Mint{
			Person: [16]byte{rapid.ByteRange(1, 3).Draw(rt, "person")}, World: 1, Day: bank.Day(j.nowMS) - rapid.Int32Range(0, 1).Draw(rt, "days ago"),
			Revision: rapid.Uint64Range(1, 6).Draw(rt, "revision"), CumulativePointsMicro: rapid.Int64Range(0, 9_000_000).Draw(rt, "points"),
		}.AppendTo(nil)
	}
	if rapid.Bool().Draw(rt, "an act") {
		target := rapid.SampledFrom([]string{"cafe", "person=1", "person=1 world=cafe", "person=12"}).Draw(rt, "target")
		act := bank.Act{Operation: "set-world-share", Target: target, After: `{"weight":2}`}
		act.Operator = rapid.Uint32Range(0, 1).Draw(rt, "operator") // 1 is nobody
		if rapid.Bool().Draw(rt, "with a command") {
			act.Command = bank.SetWorldShare{World: rapid.Uint32Range(1, 2).Draw(rt, "world"), Weight: 2}.AppendTo(nil)
		}
		return act.AppendTo(nil)
	}
	return bank.AppendTick(nil)
}

// randomOrder places an order, or amends or cancels one of those that were
// placed, which may have ended.
func randomOrder(rt *rapid.T, orders []bank.OrderPlaced) []byte {
	price, quantity := rapid.Int64Range(1, 5).Draw(rt, "price"), rapid.Int64Range(1, 5).Draw(rt, "quantity")
	if kind := rapid.IntRange(0, 4).Draw(rt, "kind of command"); kind < 2 && len(orders) > 0 {
		o := rapid.SampledFrom(orders).Draw(rt, "order")
		if kind == 0 {
			return bank.CancelOrder{Market: o.Market, Person: o.Person, Order: o.Order}.AppendTo(nil)
		}
		return bank.AmendOrder{Market: o.Market, Person: o.Person, Order: o.Order, Price: price, Quantity: quantity}.AppendTo(nil)
	}
	return bank.PlaceOrder{
		Market: rapid.Uint32Range(1, 2).Draw(rt, "market"), Person: rapid.Uint64Range(1, 2).Draw(rt, "person"),
		Side: market.Side(rapid.IntRange(0, 1).Draw(rt, "side")), Kind: rapid.SampledFrom([]market.Kind{market.GTC, market.GTC, market.IOC}).Draw(rt, "kind of order"),
		Price: price, Quantity: quantity,
	}.AppendTo(nil)
}

// answers is all that tables can tell about a journal, read page by page.
func answers(t tester, tables history.Tables, j *Records, limit int) map[string]any {
	ctx := context.Background()
	all := map[string]any{"cursor": must(tables.Cursor(ctx))(t), "epochs": must(tables.Epochs(ctx, 0, 0))(t)}
	named := func(name string, number uint64) string { return name + " " + history.Position{Seq: number}.String() }
	for account := uint64(1); account <= j.state.Books().Accounts(); account++ {
		all[named("statement", account)] = pages(t, func(last *history.Entry) ([]history.Entry, error) {
			return tables.Statement(ctx, account, history.StatementQuery{Before: last.Position, Limit: limit})
		})
		all[named("second day", account)] = must(tables.Statement(ctx, account, history.StatementQuery{FromMS: 20_001 * dayMS, ToMS: 20_002 * dayMS}))(t)
		all[named("holds", account)] = pages(t, func(last *history.Hold) ([]history.Hold, error) {
			return tables.Holds(ctx, account, false, last.Seq, last.Index, limit)
		})
		all[named("open holds", account)] = must(tables.Holds(ctx, account, true, 0, 0, 0))(t)
	}
	for person := uint64(1); person <= 3; person++ {
		all[named("accounts", person)] = pages(t, func(last *history.Account) ([]history.Account, error) {
			return tables.Accounts(ctx, ledger.OwnerPerson, person, last.Number, limit)
		})
		all[named("mints", person)] = pages(t, func(last *history.Mint) ([]history.Mint, error) {
			return tables.Mints(ctx, person, history.MintQuery{BeforeDay: last.Day, BeforeWorld: last.World, BeforeRevision: last.Revision, Limit: limit})
		})
		all[named("payments", person)] = pages(t, func(last *history.Payment) ([]history.Payment, error) {
			return tables.Payments(ctx, person, last.Epoch, last.World, limit)
		})
	}
	for number := uint32(1); number <= 2; number++ {
		all[named("trades", uint64(number))] = pages(t, func(last *history.Trade) ([]history.Trade, error) {
			return tables.Trades(ctx, number, history.TradeQuery{Before: last.Position, Limit: limit})
		})
		all[named("trades in order", uint64(number))] = pages(t, func(last *history.Trade) ([]history.Trade, error) {
			return tables.Trades(ctx, number, history.TradeQuery{After: last.Position, Ascending: true, Limit: limit})
		})
		all[named("fills", uint64(number))] = pages(t, func(last *history.Fill) ([]history.Fill, error) {
			return tables.Fills(ctx, uint64(number), history.FillQuery{Before: last.Position, Limit: limit})
		})
		all[named("orders", uint64(number))] = pages(t, func(last *history.Order) ([]history.Order, error) {
			return tables.Orders(ctx, uint64(number), history.OrderQuery{AfterMarket: last.Market, AfterNumber: last.Number, Limit: limit})
		})
		all[named("ended orders", uint64(number))] = must(tables.Orders(ctx, uint64(number), history.OrderQuery{Ended: true, Market: 1}))(t)
		all[named("open orders", uint64(number))] = must(tables.Orders(ctx, uint64(number), history.OrderQuery{OneStatus: true}))(t)
		for _, minutes := range history.Resolutions {
			all[named("candles", uint64(number)*10_000+uint64(minutes))] = must(tables.Candles(ctx, number, minutes, 0, j.nowMS+1, 0))(t)
		}
	}
	all["acts"] = pages(t, func(last *history.Act) ([]history.Act, error) {
		return tables.Acts(ctx, history.ActQuery{BeforeSeq: last.Seq, BeforeIndex: last.Index, Limit: limit})
	})
	for topic := history.Orders; topic <= history.OfCase; topic++ {
		for number := uint64(1); number <= 5; number++ {
			all[named(fmt.Sprintf("affairs of topic %d", topic), number)] = pages(t, func(last *history.Transaction) ([]history.Transaction, error) {
				return tables.Affairs(ctx, history.AffairQuery{Topic: topic, Number: number, After: history.Position{Seq: last.Seq, Index: last.Index}, UntilSeq: j.Len() - 1, Limit: limit})
			})
		}
	}
	all["acts on a target"] = must(tables.Acts(ctx, history.ActQuery{Target: "person=1"}))(t)
	all["acts of the first"] = must(tables.Acts(ctx, history.ActQuery{OneOperator: true, Operation: "set-world-share", FromMS: 1, ToMS: j.nowMS + 1}))(t)
	for _, reference := range []string{"", "order-1", "order-2"} {
		all["reference "+reference] = pages(t, func(last *history.Transaction) ([]history.Transaction, error) {
			return tables.OfReference(ctx, reference, last.Seq, last.Index, limit)
		})
	}
	return all
}

// pages reads a list to its end, each page behind the last row of the one
// before; the first behind a zero row.
func pages[T any](t tester, read func(last *T) ([]T, error)) (rows []T) {
	for last := new(T); ; last = &rows[len(rows)-1] {
		page := must(read(last))(t)
		if len(page) == 0 {
			return rows
		}
		rows = append(rows, page...)
	}
}
