package economy_test

import (
	"reflect"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/economy"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// Two days of a market of GEM for GOLD, worked out by hand. A lot is a GEM of
// two decimals and a tick is 0.05 GOLD. Makers pay 1 %, takers 2 %: of 4 GEM
// at 7.50 (30 GOLD) 0.30 and 0.60; of 6 more the same order 0.45 and another
// 0.90; of 2 at 8.75 (17.50) 0.175, rounded up to 0.18, and 0.35.
func TestTwoDaysOfAMarket(t *testing.T) {
	w := newTown(t)
	w.must(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "GEM", Scale: 2, World: 1}.AppendTo(nil))
	config := market.DefaultConfig()
	config.Mode, config.TickValue, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = market.Continuous, 5, 0, 0, 0, 0
	w.must(bank.OpenMarket{Market: bank.Market{Base: 4, Quote: 3, LotUnits: 100, Terms: bank.Terms{MakerBPS: 100, TakerBPS: 200, ValueMicro: 1}}, Config: config}.AppendTo(nil))
	for person := uint64(1); person <= 2; person++ {
		w.must(bank.RegisterPerson{ID: id(int(person))}.AppendTo(nil))
		for asset := uint32(3); asset <= 4; asset++ {
			w.must(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset}.AppendTo(nil))
			account, _ := w.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset})
			w.must(w.pay(w.state.Books().Asset(asset).Issuer, account, 100_000))
		}
	}
	w.must(bank.CallAuction{Market: 1, Reference: 150}.AppendTo(nil))
	w.wait(1)
	place := func(person uint64, side market.Side, price, quantity int64) uint64 {
		answer := w.do(bank.PlaceOrder{Market: 1, Person: person, Side: side, Price: price, Quantity: quantity}.AppendTo(nil))[0]
		placed, found := bank.First[bank.OrderPlaced](answer)
		if !found {
			t.Fatalf("an order was refused: %s", bank.Refusal(answer[0]))
		}
		return placed.Order
	}
	beginMS := w.nowMS
	place(1, market.Sell, 150, 10)
	place(2, market.Buy, 150, 4)
	place(2, market.Buy, 150, 6)
	w.wait(dayMS)
	place(1, market.Sell, 175, 2)
	place(2, market.Buy, 180, 2)
	w.must(bank.CancelOrder{Market: 1, Order: place(2, market.Buy, 1, 9), Person: 2}.AppendTo(nil))
	w.must(bank.HaltMarket{Market: 1}.AppendTo(nil))

	r := w.report(beginMS, w.nowMS+1)
	if len(r.Markets) != 1 {
		t.Fatalf("markets: %+v", r.Markets)
	}
	want := economy.MarketReport{
		Market: 1, Base: "GEM", Quote: "GOLD", Trades: 3, Volume: "12", Notional: "92.5", Fees: "2.78", Open: "7.5", High: "8.75", Low: "7.5", Close: "8.75",
		Orders: 6, Cancelled: 1, Traders: 2, Halts: 1,
		Days: []economy.MarketDay{
			{Day: "2026-01-01", Open: "7.5", High: "7.5", Low: "7.5", Close: "7.5", Volume: "10", Notional: "75"},
			{Day: "2026-01-02", Open: "8.75", High: "8.75", Low: "8.75", Close: "8.75", Volume: "2", Notional: "17.5"},
		},
	}
	if !reflect.DeepEqual(r.Markets[0], want) {
		t.Errorf("got\n%+v\nwant\n%+v", r.Markets[0], want)
	}
	var fees string
	for _, fee := range r.Fees {
		fees += fee.Kind + " " + fee.Asset + " " + fee.Treasury + " " + fee.Operator + " " + fee.Burned + "; "
	}
	if fees != "place_order GOLD 2.78 0 0; " {
		t.Errorf("fees: %s", fees)
	}
}
