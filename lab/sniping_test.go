package lab_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// Budish, Cramton and Shim, The high-frequency trading arms race: frequent batch
// auctions as a market design response, Quarterly Journal of Economics 130
// (2015) 1547-1621: the value jumps at a time that all see. Who quotes cancels a
// little late, by δ. In continuous trading the quote is always sniped; in batches
// of τ only if the jump is in the last δ of one, a share of δ/τ. The jump is
// tried at every ms of a batch, so the share is exact.
func TestSniping(t *testing.T) {
	const delta = 10
	for _, tau := range []int64{100, 1000, 10_000} {
		if sniped := snipes(t, market.Continuous, tau, delta); sniped != tau {
			t.Errorf("continuous: %d of %d jumps are sniped", sniped, tau)
		}
		sniped := snipes(t, market.Batch, tau, delta)
		t.Logf("batches of %d ms: %d of %d jumps are sniped, %.5f", tau, sniped, tau, float64(sniped)/float64(tau))
		if sniped != delta {
			t.Errorf("batches of %d ms: %d of %d jumps are sniped, expected %d", tau, sniped, tau, delta)
		}
	}
}

const stale, jumped = 100, 110 // the quote and the value after the jump

// snipes counts the jumps, one for each ms of a batch, at which a quote that is
// cancelled delta later is hit.
func snipes(t *testing.T, mode market.Mode, tau, delta int64) (sniped int64) {
	x := open(t, mode, 1, 1000, stale, tau)
	for jump := range tau {
		// The quote stands from an earlier batch; a bid far away begins this one.
		quote := x.place(1, market.Order{Owner: 1, Side: market.Sell, Price: stale, Quantity: 1})
		x.tick(tau)
		far := x.place(1, market.Order{Owner: 2, Side: market.Buy, Price: 1, Quantity: 1})
		x.tick(jump)
		x.place(1, market.Order{Owner: 3, Side: market.Buy, Kind: market.IOC, Price: jumped, Quantity: 1})
		hit := traded(x, quote)
		x.tick(min(delta, tau-jump))
		hit = hit || traded(x, quote)
		if hit {
			sniped++
		} else {
			x.cancel(1, quote)
		}
		x.tick(tau)
		x.cancel(1, far)
		x.tick(tau)
	}
	return sniped
}

func traded(x *engine, number uint64) bool {
	for _, e := range x.events {
		if e.Kind == market.OrderFilled && e.Number == number {
			return true
		}
	}
	return false
}

// Two and more who snipe in one batch compete in price and not in speed: the
// quote trades at the new value, and nothing is left to gain by being fast.
func TestSnipersCompeteThePriceAway(t *testing.T) {
	for snipers := uint64(2); snipers <= 6; snipers++ {
		x := open(t, market.Batch, 1, 1000, stale, 100)
		quote := x.place(1, market.Order{Owner: 100, Side: market.Sell, Price: stale, Quantity: 1})
		x.tick(100)
		for owner := range snipers {
			x.place(1, market.Order{Owner: 1 + owner, Side: market.Buy, Kind: market.IOC, Price: jumped, Quantity: 1})
		}
		x.tick(100)
		if e := x.events[0]; e.Kind != market.MarketCleared || e.Price != jumped || !traded(x, quote) {
			t.Errorf("%d snipers: %+v, expected a trade at %d", snipers, e, jumped)
		}
	}
	x := open(t, market.Continuous, 1, 1000, stale, 100)
	x.place(1, market.Order{Owner: 100, Side: market.Sell, Price: stale, Quantity: 1})
	x.place(1, market.Order{Owner: 1, Side: market.Buy, Kind: market.IOC, Price: jumped, Quantity: 1})
	if e := x.events[1]; e.Kind != market.OrderFilled || e.Price != stale {
		t.Errorf("continuous: %+v, expected the first to gain the whole jump", e)
	}
}
