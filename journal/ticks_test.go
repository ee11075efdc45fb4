package journal_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// However many orders expire at one moment, the order that comes next is not
// refused for it: the record has as many Ticks as that takes. The answer that it
// is given is the one in the journal, and comes again when it is replayed.
func TestOrdersDoNotWaitForThoseThatExpire(t *testing.T) {
	const many = 5000 // a Tick ends 2,048
	r := newRig(t)
	w := r.mustOpen()
	config := market.DefaultConfig()
	config.Mode, config.MaxOwnerOrders, config.AuctionMS, config.RandomMS = market.Continuous, bank.MaxTierOrders, 0, 0
	asset := func(code string) bank.AssetRegistered {
		registered, _ := bank.First[bank.AssetRegistered](submit(t, w, bank.RegisterAsset{Code: code, World: 1}.AppendTo(nil)).Bytes)
		return registered
	}
	submit(t, w, bank.RegisterWorld{Code: "bazaar"}.AppendTo(nil))
	item, coin := asset("ITEM"), asset("COIN")
	submit(t, w, bank.RegisterPerson{ID: [16]byte{1}}.AppendTo(nil))
	submit(t, w, bank.SetTier{Tier: bank.Tier{OrderMicro: bank.MaxTierMicro, DailyMicro: 1 << 62, HoldingsMicro: 1 << 62, OpenOrders: bank.MaxTierOrders, MessagesPerSecond: bank.MaxMessages, MessagesBurst: bank.MaxMessages}}.AppendTo(nil))
	for _, of := range []bank.AssetRegistered{item, coin} {
		opened, _ := bank.First[bank.AccountOpened](submit(t, w, bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: 1, Asset: of.Asset}.AppendTo(nil)).Bytes)
		submit(t, w, bank.Transfer{Legs: []ledger.Leg{{Debit: of.Issuer, Credit: opened.Account, Amount: 1_000_000}}}.AppendTo(nil))
	}
	submit(t, w, bank.OpenMarket{Config: config, Market: bank.Market{Base: item.Asset, Quote: coin.Asset, LotUnits: 1, Terms: bank.Terms{ValueMicro: 1}}}.AppendTo(nil))
	submit(t, w, bank.CallAuction{Market: 1, Reference: 100}.AppendTo(nil))
	r.clock.ms.Add(1) // the auction ends
	order := bank.PlaceOrder{Market: 1, Person: 1, Side: market.Sell, Kind: market.GTD, Price: 100, Quantity: 1, ExpiresMS: r.clock.now() + 1000}
	for range many {
		submit(t, w, order.AppendTo(nil))
	}
	r.clock.ms.Add(1000)
	order.Kind, order.ExpiresMS = market.GTC, 0
	answer := submit(t, w, order.AppendTo(nil))

	ended := 0
	for record, err := range r.store.Load(t.Context(), answer.Seq) {
		if err != nil {
			t.Fatal(err)
		}
		for pair, err := range record.Pairs() {
			if err != nil {
				t.Fatal(err)
			}
			for fact := range bank.Facts(pair.Answer) {
				switch fact := fact.(type) {
				case bank.OrderCancelled:
					ended++
				case bank.OrderPlaced:
					if pair.Index != answer.Index || fact.Person != 1 {
						t.Fatalf("the order is command %d of the record, answered as command %d", pair.Index, answer.Index)
					}
				}
			}
		}
	}
	if ended != many {
		t.Fatalf("%d of %d orders ended in the record of the next order, or behind it", ended, many)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.verify() // which carries everything out again and compares the answers
}
