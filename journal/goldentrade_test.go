package journal_test

import (
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// markets opens a market of each mode between TIME and the arcade's tickets and
// gives the people tickets.
func (g *golden) markets() {
	config := market.DefaultConfig()
	config.Mode, config.AuctionMS, config.MaxPrice, config.MaxQuantity = market.Continuous, 60_000, 10_000, 1_000_000
	terms := bank.Terms{MakerBPS: 10, TakerBPS: 30, CallBPS: 20, OperatorBPS: 2500, MinNotional: 5}
	continuous := bank.OpenMarket{Key: g.next(), Config: config, Market: bank.Market{Base: ledger.Time, Quote: 4, LotUnits: 10_000, Terms: terms}}
	terms.BurnedBPS = 5000
	config.Mode = market.Batch
	batch := bank.OpenMarket{Key: g.next(), Config: config, Market: bank.Market{Base: 4, Quote: ledger.Time, LotUnits: 1, Terms: terms}}
	tier := bank.DefaultTiers()[1]
	tier.MessagesBurst = 1000
	g.do(continuous.AppendTo(nil), batch.AppendTo(nil), bank.SetTier{Key: g.next(), Tier: tier}.AppendTo(nil))
	var issuer uint64
	if err := g.writer.Read(g.t.Context(), func(state *bank.State) { issuer = state.Books().Asset(4).Issuer }); err != nil {
		g.t.Fatal(err)
	}
	for person := uint64(1); person <= 4; person++ {
		answers := g.do(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: 4}.AppendTo(nil))
		opened, _ := bank.First[bank.AccountOpened](answers[0].Bytes)
		g.do(bank.Transfer{Legs: []ledger.Leg{{Debit: issuer, Credit: opened.Account, Amount: 1_000_000}}}.AppendTo(nil))
	}
	for number := uint32(1); number <= 2; number++ {
		g.do(bank.CallAuction{Key: g.next(), Market: number, Reference: 100}.AppendTo(nil))
	}
}

// orders lets the people trade: placed, amended, cancelled and converted, with
// a halt and a silence now and then.
func (g *golden) orders(day int32) {
	var placed []bank.OrderPlaced
	for range 12 {
		order := bank.PlaceOrder{
			Key: g.next(), Reference: "order", Market: uint32(1 + g.draw(2)), Person: 1 + g.draw(4), Side: market.Side(g.draw(2)),
			Kind: []market.Kind{market.GTC, market.GTC, market.GTD, market.IOC, market.FOK}[g.draw(5)], Price: int64(95 + g.draw(11)), Quantity: int64(1 + g.draw(20)),
		}
		if order.Kind == market.GTD {
			order.ExpiresMS = g.rig.clock.now() + int64(1+g.draw(5000))
		}
		answer := g.do(order.AppendTo(nil))[0]
		if fact, is := bank.First[bank.OrderPlaced](answer.Bytes); is {
			placed = append(placed, fact)
		}
		g.later(int64(g.draw(700)))
	}
	for _, some := range placed {
		switch g.draw(4) {
		case 0:
			g.do(bank.CancelOrder{Key: g.next(), Market: some.Market, Person: some.Person, Order: some.Order}.AppendTo(nil))
		case 1:
			g.do(bank.AmendOrder{Key: g.next(), Market: some.Market, Person: some.Person, Order: some.Order, Price: some.Price + 1, Quantity: some.Quantity + 1}.AppendTo(nil))
		}
	}
	for side := range market.Side(2) {
		g.do(bank.Convert{Key: g.next(), Market: 1, Person: 1 + g.draw(4), Side: side, Quantity: 1, Bound: int64(side^1) * 1000, ExpiresMS: g.rig.clock.now() + 5000}.AppendTo(nil))
	}
	g.do(bank.KeepOrders{Person: 1, TimeoutMS: 1000}.AppendTo(nil), bank.CancelOrders{Key: g.next(), Person: 2}.AppendTo(nil))
	if day == 3 {
		g.do(bank.HaltPerson{Key: g.next(), Person: 3, Halt: true, Cancel: true}.AppendTo(nil), bank.HaltPerson{Key: g.next(), Person: 3}.AppendTo(nil),
			bank.HaltMarket{Key: g.next(), Market: 2}.AppendTo(nil), bank.CallAuction{Key: g.next(), Market: 2}.AppendTo(nil),
			bank.HaltAll{Key: g.next(), Halt: true}.AppendTo(nil), bank.HaltAll{Key: g.next()}.AppendTo(nil),
			bank.SetMarketTerms{Key: g.next(), Market: 1, Terms: bank.Terms{TakerBPS: 50}}.AppendTo(nil))
	}
	g.later(2000)
}
