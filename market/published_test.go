package market_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// The worked examples of BNB's match engine, the one large market that cleared
// in batches (docs of BNB Beacon Chain, "Match Steps and Examples"), in our
// words: buyers and sellers by price, the reference, the price that it prints
// and ours. Ours differs where the printed one leaves an order short that is
// strictly better than it.
func TestPublishedBatches(t *testing.T) {
	type levels map[int64]int64 // quantity by price
	for _, example := range []struct {
		name                    string
		buys, sells             levels
		reference, theirs, ours int64
		volume                  int64
		// left is an order that their price would leave short although it is
		// better than that price.
		left string
	}{
		{"1 largest volume", levels{100: 150, 98: 150}, levels{98: 250, 97: 50}, 0, 98, 98, 300, ""},
		{"2 largest volume", levels{100: 150, 99: 50, 97: 300}, levels{97: 200, 96: 100}, 0, 97, 97, 300, ""},
		{"3 least surplus", levels{102: 300, 100: 100, 99: 200, 98: 300}, levels{98: 250, 97: 250, 96: 1000}, 0, 96, 96, 900, ""},
		{"4 least surplus", levels{102: 30, 101: 10, 99: 50, 96: 15}, levels{98: 10, 97: 50, 95: 50}, 0, 97, 97, 90, ""},
		{"5.1 sell pressure, reference below", levels{102: 10, 97: 10}, levels{95: 50}, 80, 95, 95, 20, ""},
		{"5.2 sell pressure, reference above", levels{99: 10, 94: 10}, levels{92: 50}, 100, 94, 92, 20, "30 to sell at 92"},
		{"5.3 buy pressure, reference below", levels{99: 100}, levels{92: 50}, 90, 95, 99, 50, "50 to buy at 99"},
		{"5.4 sell pressure, reference above", levels{101: 10, 96: 10}, levels{94: 50}, 100, 95, 94, 20, "30 to sell at 94"},
		{"6.1 either side, reference above", levels{100: 25, 97: 25}, levels{98: 25, 95: 25}, 99, 99, 98, 25, "25 to sell at 98"},
		{"6.2 either side, reference inside", levels{100: 25, 97: 25}, levels{98: 25, 95: 25}, 97, 97, 97, 25, ""},
	} {
		t.Run(example.name, func(t *testing.T) {
			e := market.NewExchange()
			if _, err := e.Open(market.Config{Mode: market.Batch, TickValue: 1, MaxPrice: 1000, MaxQuantity: 10_000, MaxOrders: 100, BatchMS: 1}); err != nil {
				t.Fatal(err)
			}
			if _, refusal := e.CallAuction(1, example.reference, 1, market.Seed{}, nil); refusal != market.Accepted {
				t.Fatal(refusal)
			}
			e.Tick(1, market.Seed{}, 1, nil)
			owner, envied := uint64(0), int64(0)
			place := func(side market.Side, price, quantity int64) {
				owner++
				if _, _, refusal := e.Place(1, market.Order{Owner: owner, Side: side, Price: price, Quantity: quantity}, 10, nil); refusal != market.Accepted {
					t.Fatal(refusal)
				}
			}
			better := func(limits levels, side market.Side) (quantity int64) {
				for price, q := range limits {
					if price != example.theirs && reaches(side, price, example.theirs) {
						quantity += q
					}
				}
				return quantity
			}
			envied = max(better(example.buys, market.Buy), better(example.sells, market.Sell)) - example.volume
			for price, quantity := range example.buys {
				place(market.Buy, price, quantity)
			}
			for price, quantity := range example.sells {
				place(market.Sell, price, quantity)
			}
			events, _ := e.Tick(11, market.Seed{}, 1, nil)
			if len(events) == 0 || events[0].Kind != market.MarketCleared || events[0].Price != example.ours || events[0].Quantity != example.volume {
				t.Fatalf("expected %d at %d, got %+v", example.volume, example.ours, events)
			}
			if short := envied > 0; short != (example.left != "") || short != (example.ours != example.theirs) {
				t.Errorf("at their price %d are short of what they would trade; we print %d, they %d", envied, example.ours, example.theirs)
			}
		})
	}
}

// Limit up-limit down, as the plan of US exchanges has it: bands of 5, 10 and
// 20 percent around the reference, doubled at the open, and a pause of five
// minutes after the best price has stood at a band for fifteen seconds.
func TestLimitUpLimitDown(t *testing.T) {
	for _, band := range []struct{ reference, bps, low, high, wideLow, wideHigh int64 }{
		{100_00, 500, 95_00, 105_00, 90_00, 110_00},
		{100_00, 1000, 90_00, 110_00, 80_00, 120_00},
		{2_00, 2000, 1_60, 2_40, 1_20, 2_80},
		{33_33, 500, 31_67, 34_99, 30_00, 36_66}, // 31.6635 up, 34.9965 down; 29.997 up, 36.663 down
	} {
		config := market.DefaultConfig()
		config.Mode, config.DynamicBPS, config.StaticBPS, config.RandomMS = market.Continuous, band.bps, 0, 0
		e := market.NewExchange()
		if _, err := e.Open(config); err != nil {
			t.Fatal(err)
		}
		at := func(nowMS int64) []market.Event {
			events, _ := e.Tick(nowMS, market.Seed{}, 10, nil)
			return events
		}
		place := func(side market.Side, price, nowMS int64) {
			if _, _, refusal := e.Place(1, market.Order{Owner: uint64(1 + side), Side: side, Price: price, Quantity: 1}, nowMS, nil); refusal != market.Accepted {
				t.Fatalf("%+v: %v", band, refusal)
			}
		}
		if _, refusal := e.CallAuction(1, band.reference, 1, market.Seed{}, nil); refusal != market.Accepted {
			t.Fatal(refusal)
		}
		open := 1 + config.AuctionMS
		at(open)
		if r := e.Book(1).Reference(); r.Low != band.wideLow || r.High != band.wideHigh {
			t.Errorf("%+v: at the open the band is %d to %d", band, r.Low, r.High)
		}
		now := open + 15*60*1000
		at(now)
		if r := e.Book(1).Reference(); r.Low != band.low || r.High != band.high {
			t.Errorf("%+v: the band is %d to %d", band, r.Low, r.High)
		}
		place(market.Buy, band.high, now)
		if events := at(now + 14_999); len(events) != 0 || e.Book(1).Phase() != market.PhaseContinuous {
			t.Errorf("%+v: after 14.999 s %+v", band, events)
		}
		at(now + 15_000)
		if e.Book(1).Phase() != market.PhaseAuction {
			t.Errorf("%+v: no pause after 15 s at the band", band)
		}
		if _, ends, _ := e.Book(1).Call(); ends != now+15_000+5*60*1000 {
			t.Errorf("%+v: the pause is %d ms", band, ends-now-15_000)
		}
	}
}
