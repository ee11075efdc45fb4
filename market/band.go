package market

import "math/bits"

// Bands keep trades near what the market has agreed on. The reference is the
// mean price of the last five minutes, weighted by quantity; the dynamic band
// is around it, and the static one around the price of the last auction. After
// the rules of limit up-limit down: a trade outside interrupts, it is not
// refused, and the reference moves by steps of at least one percent.

const (
	// The window of the reference is kept in parts of ten seconds: thirty whole
	// ones and the one that runs.
	bucketMS = 10_000
	buckets  = 31
	// A reference needs that many trades in the window.
	minTrades = 5
	// The dynamic band is twice as wide for a quarter of an hour after an
	// auction, and the static band is moved to the reference once a day.
	wideMS = 15 * 60 * 1000
	dayMS  = 24 * 3600 * 1000
	// noBand as the upper edge means that there are no bands.
	noBand = 1<<63 - 1
	// fullBucket is the quantity from which on a bucket counts no more, so that
	// the sum over the window stays inside 63 bits.
	fullBucket = 1 << 57
)

type bands struct {
	// anchor is the price of the last trade or clearing, or what the operator
	// said: of prices that clear a call equally well, the nearest is taken.
	anchor int64
	// reference and static are what the bands are around; 0 is none yet.
	reference, static int64
	// staticUntilMS is when static moves to the reference, wideUntilMS when the
	// dynamic band gets its usual width, stuckAtMS when a best price at a band
	// interrupts; 0 is never.
	staticUntilMS, wideUntilMS, stuckAtMS int64
	// low and high are the least and the largest price of a trade.
	low, high int64
	// bucket is the time in buckets of the running one, trades is how many the
	// window holds, window[i%buckets] is bucket i.
	bucket int64
	trades uint64
	window [buckets]bucket
}

type bucket struct {
	trades, quantity uint64
	high, low        uint64 // the sum of price x quantity
}

// around returns the edges of a band: the lower one rounded up, the upper one
// down, but at least one tick on each side.
func (b *bands) around(price, bps int64) (low, high int64) {
	if price == 0 || bps == 0 {
		return 0, noBand
	}
	low = (price*(10_000-bps) + 9_999) / 10_000
	high = price * (10_000 + bps) / 10_000
	return max(min(low, price-1), 1), max(high, price+1)
}

func (b *bands) outside(price int64) bool { return price < b.low || price > b.high }

// setBands computes the edges of both bands together.
func (b *Book) setBands() {
	bps := b.config.DynamicBPS
	if b.wideUntilMS != 0 {
		bps *= 2
	}
	low, high := b.around(b.reference, bps)
	staticLow, staticHigh := b.around(b.static, b.config.StaticBPS)
	b.low, b.high = max(low, staticLow), min(high, staticHigh)
}

// agree makes a price the middle of both bands.
func (b *Book) agree(price, nowMS int64) {
	b.anchor, b.reference, b.static = price, price, price
	b.staticUntilMS = nowMS + dayMS
	b.setBands()
}

// traded takes trades into the window of the reference.
func (b *Book) traded(t *tally, nowMS int64) {
	b.anchor = t.last
	if b.trades == 0 {
		b.bucket = nowMS / bucketMS
	}
	b.trades += t.count
	now := &b.window[b.bucket%buckets]
	now.trades += t.count
	if now.quantity < fullBucket && t.quantity < fullBucket {
		var carry uint64
		now.low, carry = bits.Add64(now.low, t.low, 0)
		now.high += t.high + carry
		now.quantity += t.quantity
	}
	if b.reference == 0 {
		b.agree(t.last, nowMS)
	}
}

// roll moves the window and the bands to the present, a bucket at a time.
func (b *Book) roll(nowMS int64) {
	moved := false
	for b.trades > 0 && (b.bucket+1)*bucketMS <= nowMS {
		b.bucket++
		gone := &b.window[b.bucket%buckets]
		b.trades -= gone.trades
		*gone = bucket{}
		b.follow()
		moved = true
	}
	if b.wideUntilMS != 0 && b.wideUntilMS <= nowMS {
		b.wideUntilMS, moved = 0, true
	}
	if b.staticUntilMS != 0 && b.staticUntilMS <= nowMS {
		b.static, moved = b.reference, true
		b.staticUntilMS = nowMS + dayMS
	}
	if moved {
		b.setBands()
	}
}

// follow moves the reference to the mean of the window, rounded down. With few
// trades a batch market follows its last price, and a continuous one, whose
// last price may be one man's, stays where it is.
func (b *Book) follow() {
	next := b.reference
	if b.trades >= minTrades {
		var quantity, high, low uint64
		for i := range b.window {
			var carry uint64
			low, carry = bits.Add64(low, b.window[i].low, 0)
			high += b.window[i].high + carry
			quantity += b.window[i].quantity
		}
		if quantity > 0 {
			mean, _ := bits.Div64(high, low, quantity)
			next = int64(mean)
		}
	} else if b.trades > 0 && b.config.Mode == Batch {
		next = b.anchor
	}
	if change := max(next-b.reference, b.reference-next); change*100 >= b.reference {
		b.reference = next
	}
}

// forget empties the window.
func (b *Book) forget() {
	b.trades = 0
	b.window = [buckets]bucket{}
}

// watch starts or stops the time that the best price may stand at a band.
func (b *Book) watch(nowMS int64) {
	if b.high == noBand || b.phase != PhaseContinuous || b.config.StuckMS == 0 {
		return
	}
	buy, sell := b.best(Buy), b.best(Sell)
	switch {
	case (buy == nil || buy.price < b.high) && (sell == nil || sell.price > b.low):
		b.stuckAtMS = 0
	case b.stuckAtMS == 0:
		b.stuckAtMS = nowMS + b.config.StuckMS
	}
}
