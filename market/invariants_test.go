package market_test

import (
	"fmt"

	"github.com/attentionbank/attentionbank/market"
)

// broken tells what of that which always holds does not hold in an exchange,
// "" if all does. owners is above the largest number of an owner.
func broken(e *market.Exchange, owners uint64) string {
	for number := range uint32(e.Markets()) {
		b := e.Book(number + 1)
		if d := brokenBook(b, owners); d != "" {
			return fmt.Sprintf("market %d: %s", number+1, d)
		}
	}
	return ""
}

func brokenBook(b *market.Book, owners uint64) string {
	config := b.Config()
	type at struct {
		side  market.Side
		price int64
	}
	sums, count := map[at]market.Level{}, 0
	for owner := range owners {
		buys, sells := int64(0), config.MaxPrice+1
		for _, order := range b.OwnerOrders(owner, 1<<30, nil) {
			o, found := b.Order(order)
			if !found || o.Filled < 0 || o.Filled >= o.Quantity || o.Quantity > config.MaxQuantity || o.Price < 1 || o.Price > config.MaxPrice {
				return fmt.Sprintf("order %+v", o)
			}
			key := at{o.Side, o.Price}
			sum := sums[key]
			sums[key] = market.Level{Price: o.Price, Quantity: sum.Quantity + o.Quantity - o.Filled, Orders: sum.Orders + 1}
			if count++; o.Side == market.Buy {
				buys = max(buys, o.Price)
			} else {
				sells = min(sells, o.Price)
			}
		}
		if buys >= sells {
			return fmt.Sprintf("owner %d buys at %d and sells at %d", owner, buys, sells)
		}
	}
	if count != b.Orders() {
		return fmt.Sprintf("%d orders, their owners have %d", b.Orders(), count)
	}
	levels := 0
	for _, side := range []market.Side{market.Buy, market.Sell} {
		for _, level := range b.Depth(side, 1<<30, nil) {
			if levels++; sums[at{side, level.Price}] != level {
				return fmt.Sprintf("level %+v, its orders are %+v", level, sums[at{side, level.Price}])
			}
		}
	}
	if levels != len(sums) {
		return fmt.Sprintf("%d levels, orders have %d", levels, len(sums))
	}
	return crossed(b)
}

// crossed tells whether orders meet although they wait for no clearing.
func crossed(b *market.Book) string {
	bid, bids := b.Best(market.Buy)
	ask, asks := b.Best(market.Sell)
	_, _, calls := b.Call()
	waits := b.Phase() == market.PhaseHalted || calls
	if bids && asks && bid.Price >= ask.Price && !waits {
		return fmt.Sprintf("crossed: %+v and %+v", bid, ask)
	}
	return ""
}

// unbalanced tells what is wrong with the quantities of the events of one
// command: as much is bought as is sold, in each call as much as was cleared,
// and what a trade leaves open is what was open less what was traded.
func unbalanced(events []market.Event, open map[uint64]int64) string {
	var sum [2]int64
	left := [2]int64{}
	for i := range events {
		e := &events[i]
		key := uint64(e.Market)<<56 | e.Number
		switch e.Kind {
		case market.OrderAccepted, market.OrderAmended:
			open[key] = e.Open
		case market.OrderFilled:
			sum[e.Side] += e.Quantity
			if e.Role == market.InCall {
				left[e.Side] -= e.Quantity
			}
			if open[key] -= e.Quantity; open[key] != e.Open || e.Quantity <= 0 || e.Open < 0 {
				return fmt.Sprintf("%+v leaves %d open", e, open[key])
			}
		case market.OrderCancelled:
			if open[key] != e.Quantity || e.Quantity <= 0 {
				return fmt.Sprintf("%+v cancels, %d was open", e, open[key])
			}
		case market.MarketCleared:
			if left != [2]int64{} {
				return fmt.Sprintf("a clearing left %v undone", left)
			}
			left = [2]int64{e.Quantity, e.Quantity}
		}
	}
	if sum[0] != sum[1] || left != [2]int64{} {
		return fmt.Sprintf("%d bought and %d sold, clearings left %v undone", sum[0], sum[1], left)
	}
	return ""
}
