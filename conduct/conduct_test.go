package conduct_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/conduct"
	"github.com/attentionbank/attentionbank/market"
)

// venue is a real market under watch, with people who act in it.
type venue struct {
	t        *testing.T
	exchange *market.Exchange
	watch    *conduct.Watch
	market   uint32
	nowMS    int64
	rng      *rand.Rand
	alerts   []conduct.Alert
	maker    [2]uint64 // the market maker's orders
}

const startMS = 1_767_225_600_000 // 2026-01-01

func newVenue(t *testing.T, mode market.Mode, seed uint64) *venue {
	config := market.DefaultConfig()
	config.Mode, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = mode, 0, 0, 0, 0
	v := &venue{t: t, exchange: market.NewExchange(), watch: conduct.New(), nowMS: startMS, rng: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if v.market, err = v.exchange.Open(config); err != nil {
		t.Fatal(err)
	}
	v.watch.Market(v.market, config.BatchMS)
	v.tell(v.exchange.CallAuction(v.market, 1000, v.nowMS, market.Seed{1}, nil))
	v.pass(1)
	return v
}

func (v *venue) tell(events []market.Event, refusal market.Refusal) {
	v.t.Helper()
	for _, e := range events {
		v.watch.Event(e, v.nowMS)
	}
	v.alerts = append(v.alerts, v.watch.Alerts()...)
}

// pass lets time pass and calls end.
func (v *venue) pass(ms int64) {
	v.nowMS += ms
	events, _ := v.exchange.Tick(v.nowMS, market.Seed{byte(v.nowMS), byte(v.nowMS >> 8)}, 1<<20, nil)
	v.tell(events, market.Accepted)
	v.watch.Advance(v.nowMS)
	v.alerts = append(v.alerts, v.watch.Alerts()...)
}

func (v *venue) place(person uint64, side market.Side, price, quantity int64) uint64 {
	number, events, refusal := v.exchange.Place(v.market, market.Order{Owner: person, Side: side, Price: max(price, 1), Quantity: quantity}, v.nowMS, nil)
	v.tell(events, refusal)
	return number
}

func (v *venue) cancel(person, order uint64) {
	v.tell(v.exchange.Cancel(v.market, order, person, v.nowMS, nil))
}

// honest lets one of the people 1 to 200 do what comes to mind, and the maker
// (person 201) quote both sides anew from time to time.
func (v *venue) honest(centre int64) {
	person := 1 + v.rng.Uint64N(200)
	side := market.Side(v.rng.IntN(2))
	away := v.rng.Int64N(12) - 3
	price := centre + away
	if side == market.Buy {
		price = centre - away
	}
	order := v.place(person, side, price, 1+v.rng.Int64N(20))
	if order != 0 && v.rng.IntN(4) == 0 {
		v.cancel(person, order)
	}
	if v.rng.IntN(5) == 0 {
		for i := range v.maker {
			if v.maker[i] != 0 {
				v.cancel(201, v.maker[i])
			}
		}
		v.maker[0], v.maker[1] = v.place(201, market.Buy, centre-2, 30), v.place(201, market.Sell, centre+2, 30)
	}
}

// flagged returns who is in an alert of a kind.
func (v *venue) flagged(kind conduct.Kind) (people []uint64) {
	for _, a := range v.alerts {
		if a.Kind == kind {
			people = append(people, a.People...)
		}
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// score says how many of the guilty were flagged and how many of the others.
func score(flagged []uint64, guilty func(uint64) bool) (found, innocent int) {
	for _, p := range flagged {
		if guilty(p) {
			found++
		} else {
			innocent++
		}
	}
	return found, innocent
}

// The injected wash traders are found and at most one in a hundred of the
// honest is, in both ways to trade.
func TestWashTradersAreFoundAndHonestPeopleAreNot(t *testing.T) {
	for _, mode := range []market.Mode{market.Continuous, market.Batch} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			const pairs = 20
			v := newVenue(t, mode, 7)
			for i := range uint64(pairs) {
				v.watch.Link(1001+2*i, 1002+2*i, conduct.ByDevice)
			}
			for range 6 * 60 { // six hours, by minutes
				for range 12 {
					v.honest(1000)
					v.pass(4_000)
				}
				if i := v.rng.Uint64N(pairs); true { // each pair about once in 20 minutes
					a, b := 1001+2*i, 1002+2*i
					if v.rng.IntN(2) == 0 {
						a, b = b, a
					}
					// One of the two offers just inside the spread, the other takes it.
					quantity := 40 + v.rng.Int64N(20)
					v.place(a, market.Sell, 1000, quantity)
					v.place(b, market.Buy, 1000, quantity)
				}
				v.pass(12_000)
			}
			v.pass(3_600_000)
			found, innocent := score(v.flagged(conduct.Wash), func(p uint64) bool { return p > 1000 })
			t.Logf("%d of %d wash traders, %d of 201 others, %d alerts", found, 2*pairs, innocent, len(v.alerts))
			if found*100 < 95*2*pairs || innocent*100 > 201 {
				t.Errorf("found %d of %d, and %d of 201 innocent people", found, 2*pairs, innocent)
			}
		})
	}
}

func TestRoundTripsOfStrangersAreFound(t *testing.T) {
	v := newVenue(t, market.Continuous, 3)
	for i := range 8 {
		v.place(501, market.Side(i%2), 1000, 77)
		v.place(502, market.Side(1-i%2), 1000, 77)
		v.pass(2_000)
	}
	for range 500 {
		v.honest(1000)
		v.pass(1_000)
	}
	v.pass(3_600_000)
	if got := v.flagged(conduct.RoundTrip); !slices.Equal(got, []uint64{501, 502}) {
		t.Errorf("round trips of %v", got)
	}
}

func TestSpoofsAreFoundAndLargeOrdersThatStayAreNot(t *testing.T) {
	v := newVenue(t, market.Continuous, 5)
	for i := range 600 {
		v.honest(1000)
		if i%100 == 99 { // sells a little, having shown a large wish to buy
			small := v.place(601, market.Sell, 1001, 5)
			large := v.place(601, market.Buy, 999, 2000)
			v.place(1+v.rng.Uint64N(200), market.Buy, 1001, 500)
			v.cancel(601, small)
			v.cancel(601, large)
		}
		if i%150 == 149 { // a large buyer who means it
			large := v.place(602, market.Buy, 998, 2000)
			v.pass(60_000)
			v.cancel(602, large)
		}
		v.pass(1_000)
	}
	if got := v.flagged(conduct.Spoof); !slices.Equal(got, []uint64{601}) {
		t.Errorf("spoofs of %v", got)
	}
}

func TestAnOrderThatRampsACallIsFound(t *testing.T) {
	v := newVenue(t, market.Batch, 5)
	for i := range 20 {
		v.place(uint64(1+i), market.Buy, 990+int64(i), 10)
		v.place(uint64(31+i), market.Sell, 1000+int64(i), 10)
	}
	v.pass(2_000)
	ordinary := v.place(60, market.Buy, 1005, 10)
	v.cancel(60, ordinary)
	ramp := v.place(666, market.Buy, 1100, 300)
	v.cancel(666, ramp)
	v.pass(2_000)
	if got := v.flagged(conduct.Ramp); !slices.Equal(got, []uint64{666}) {
		t.Errorf("ramps of %v", got)
	}
}

func TestAPumpIsToldWhenItsBuyersSell(t *testing.T) {
	v := newVenue(t, market.Continuous, 11)
	for range 30 * 60 { // thirty hours, by minutes
		v.honest(1000)
		v.pass(60_000)
	}
	if got := v.flagged(conduct.Pump); len(got) != 0 {
		t.Errorf("pumps before any: %v", got)
	}
	for i := range int64(40) { // two people buy the price up
		v.place(1+v.rng.Uint64N(200), market.Sell, 1000+10*i, 100)
		v.place(700+uint64(i%2), market.Buy, 1000+10*i, 100)
		v.pass(60_000)
	}
	v.pass(3_600_000)
	if got := v.flagged(conduct.Pump); len(got) != 0 {
		t.Errorf("a pump was told before anybody sold: %v", got)
	}
	for i := range 60 {
		v.place(1+v.rng.Uint64N(200), market.Buy, 1300, 100)
		v.place(700+uint64(i%2), market.Sell, 1290, 100)
		v.pass(60_000)
	}
	if got := v.flagged(conduct.Pump); !slices.Equal(got, []uint64{700, 701}) {
		t.Errorf("pumps of %v", got)
	}
}

// Twenty accounts that earn alike and pay the same person are a farm; a shop
// that many different people pay is none.
func TestFarmsAreFoundAndShopsAreNot(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	w := conduct.New()
	var alerts []conduct.Alert
	day0 := int64(startMS / 86_400_000)
	for day := range int64(10) {
		nowMS := (day0 + day) * 86_400_000
		w.Advance(nowMS)
		alerts = append(alerts, w.Alerts()...)
		for i := range uint64(20) {
			w.Earned(1+i, day0+day, 240_000_000+rng.Int64N(9_000_000)) // the farm
			w.Earned(101+i, day0+day, rng.Int64N(240_000_000))         // customers of a shop
			w.Earned(201+i, day0+day, 300_000_000+rng.Int64N(9_000_000))
			w.Transferred(1+i, 99, 4_000_000, nowMS+int64(i)*1000)
			w.Transferred(101+i, 199, 1_000_000, nowMS+int64(i)*1000)
		}
		for hour := range int64(24) {
			for i := range uint64(20) {
				if hour == 20 { // these sell in the same hour every day, to nobody in common
					w.SoldTime(201+i, nowMS+hour*3_600_000)
				}
				if rng.IntN(24) == 0 {
					w.SoldTime(101+i, nowMS+hour*3_600_000)
				}
			}
		}
	}
	var people []uint64
	for _, a := range alerts {
		if a.Kind != conduct.Farm {
			t.Errorf("an alert of kind %s", a.Kind)
		}
		people = append(people, a.People...)
	}
	slices.Sort(people)
	people = slices.Compact(people)
	want := []uint64{}
	for i := range uint64(20) {
		want = append(want, 1+i, 201+i)
	}
	want = append(want, 99)
	slices.Sort(want)
	if !slices.Equal(people, want) {
		t.Errorf("farms of %v, expected %v", people, want)
	}
}

// The same events give the same alerts.
func TestWatchIsDeterministic(t *testing.T) {
	run := func() string {
		v := newVenue(t, market.Batch, 9)
		for i := range 2000 {
			v.honest(1000)
			if i%4 == 0 {
				buyer := 801 + uint64(i/4%2)
				v.place(buyer, market.Buy, 1010, 53)
				v.place(1603-buyer, market.Sell, 990, 53)
			}
			v.pass(int64(500 + 13*(i%50)))
		}
		v.pass(3_600_000)
		return fmt.Sprint(v.alerts)
	}
	if first, second := run(), run(); first != second || first == "[]" {
		t.Errorf("two runs differ, or found nothing:\n%s\n%s", first, second)
	}
}
