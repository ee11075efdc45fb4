package market

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/attentionbank/attentionbank/amount"
)

// Mode says how a market trades between its auctions.
type Mode uint8

// The modes.
const (
	// Batch gathers orders and clears them together at one price.
	Batch Mode = iota
	// Continuous matches each order at once, by price and then time.
	Continuous
)

// The bounds of what a market can be.
const (
	// MaxPriceLimit and MaxQuantityLimit keep sums over a full book, and
	// differences of such sums, inside 63 bits.
	MaxPriceLimit    = 1<<40 - 1
	MaxQuantityLimit = 1<<38 - 1
	// MaxOrdersLimit is the most orders that a book can hold.
	MaxOrdersLimit = 1<<24 - 1
	// maxDelayMS bounds every duration: a year.
	maxDelayMS = 366 * 24 * 3600 * 1000
)

// Config is what an operator decides about a market. Prices are in ticks and
// quantities in lots, so that tick and lot need no rule of their own.
type Config struct {
	Mode Mode
	// TickValue is the value of one lot at a price of one tick, in minor units
	// of what is paid with. Price x quantity x TickValue is exact, and its
	// largest value is below 2^62.
	TickValue   int64
	MaxPrice    int64
	MaxQuantity int64
	// MaxOrders is the most open orders of the market, MaxOwnerOrders of one
	// owner in it; 0 leaves an owner unbounded.
	MaxOrders, MaxOwnerOrders int64
	// BatchMS is how long a batch gathers orders after the first one.
	BatchMS int64
	// AuctionMS is the length of an auction and ExtensionMS of each of up to
	// Extensions extensions; each ends up to RandomMS later, by the seed. In
	// the last LockMS of the fixed part and in the random part orders are not
	// cancelled and not amended for the worse.
	AuctionMS, ExtensionMS, Extensions, RandomMS, LockMS int64
	// DynamicBPS and StaticBPS are the half-widths of the bands around the
	// reference and around the last auction's price, in 1/10000; 0 is no band.
	DynamicBPS, StaticBPS int64
	// StuckMS is how long the best price may stand at a band; 0 is for ever.
	StuckMS int64
}

// DefaultConfig returns the rules that a market has unless its operator
// decides otherwise, for lots and ticks of one minor unit.
func DefaultConfig() Config {
	return Config{
		Mode: Batch, TickValue: 1, MaxPrice: 1 << 20, MaxQuantity: 1 << 30,
		MaxOrders: 1 << 20, MaxOwnerOrders: 50, BatchMS: 1000,
		AuctionMS: 300_000, ExtensionMS: 600_000, Extensions: 2, RandomMS: 30_000, LockMS: 10_000,
		DynamicBPS: 1000, StaticBPS: 3000, StuckMS: 15_000,
	}
}

// PlaceBits returns how many low bits of an order's number are its place. A
// market has 2^(64-PlaceBits) numbers: at 2^20 orders 17 million million.
func (c *Config) PlaceBits() int { return bits.Len64(uint64(c.MaxOrders)) }

// Notional returns price x quantity x TickValue, exactly.
func (c *Config) Notional(price, quantity int64) int64 { return price * quantity * c.TickValue }

// Check returns all that is wrong with a configuration, saying what would be
// accepted.
func (c *Config) Check() error {
	faults := []error{
		within("mode", int64(c.Mode), 0, int64(Continuous)),
		within("value of a tick", c.TickValue, 1, 1<<61),
		within("largest price", c.MaxPrice, 1, MaxPriceLimit),
		within("largest quantity", c.MaxQuantity, 1, MaxQuantityLimit),
		within("most orders", c.MaxOrders, 1, MaxOrdersLimit),
		within("most orders of an owner", c.MaxOwnerOrders, 0, MaxOrdersLimit),
		within("length of a batch in ms", c.BatchMS, 1, maxDelayMS),
		within("length of an auction in ms", c.AuctionMS, 0, maxDelayMS),
		within("length of an extension in ms", c.ExtensionMS, 0, maxDelayMS),
		within("most extensions", c.Extensions, 0, 1000),
		within("random part of an auction in ms", c.RandomMS, 0, maxDelayMS),
		within("locked part of an auction in ms", c.LockMS, 0, maxDelayMS),
		within("dynamic band in 1/10000", c.DynamicBPS, 0, 4999),
		within("static band in 1/10000", c.StaticBPS, 0, 9999),
		within("time at a band in ms", c.StuckMS, 0, maxDelayMS),
	}
	if most, fits := amount.Mul(c.MaxPrice, c.MaxQuantity); !fits {
		faults = append(faults, errors.New("largest price x largest quantity does not fit 63 bits"))
	} else if value, fits := amount.Mul(most, c.TickValue); !fits || value >= 1<<62 {
		faults = append(faults, errors.New("largest price x largest quantity x value of a tick must be below 2^62"))
	}
	return errors.Join(faults...)
}

func within(what string, v, low, high int64) error {
	if v < low || v > high {
		return fmt.Errorf("%s is %d, must be %d to %d", what, v, low, high)
	}
	return nil
}
