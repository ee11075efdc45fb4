package market

import (
	"errors"
	"fmt"
)

// maxTimeMS bounds restored times, so that adding a delay cannot overflow.
const maxTimeMS = 1 << 60

// check tells what is wrong with a status that was read: all that trading
// relies on and does not look at again.
func (b *Book) check(allHalted bool) error {
	s, c := &b.status, &b.config
	if s.phase > PhaseAuction {
		return fmt.Errorf("phase is %d, must be 0 to %d", s.phase, PhaseAuction)
	}
	if s.phase != PhaseHalted && allHalted {
		return errors.New("a market trades while all are halted")
	}
	if s.resumes && !allHalted {
		return errors.New("a market waits to resume and the halt of all is over")
	}
	if s.phase == PhaseContinuous && c.Mode != Continuous || s.phase == PhaseBatch && c.Mode != Batch {
		return errors.New("the phase is not one of the market's mode")
	}
	if s.sequence >= 1<<(64-b.shift) {
		return fmt.Errorf("%d orders were placed, more than there are numbers", s.sequence)
	}
	calls := s.phase == PhaseBatch || s.phase == PhaseAuction
	switch {
	case s.clearAtMS != 0 && !calls, s.clearAtMS == 0 && s.phase == PhaseAuction:
		return errors.New("the end of a call does not fit the phase")
	case (s.lockAtMS != 0) != (s.phase == PhaseAuction), s.lockAtMS > s.clearAtMS && s.lockAtMS != 0:
		return errors.New("the locked part of an auction does not fit the phase")
	case s.stuckAtMS != 0 && s.phase != PhaseContinuous:
		return errors.New("the time at a band does not fit the phase")
	case s.epoch == 0:
		return errors.New("calls are numbered from 1")
	}
	faults := []error{
		within("end of the call in ms", s.clearAtMS, 0, maxTimeMS),
		within("extensions", s.extensions, 0, c.Extensions),
		within("last price", s.anchor, 0, c.MaxPrice),
		within("reference", s.reference, 0, c.MaxPrice),
		within("static reference", s.static, 0, c.MaxPrice),
		within("end of the static reference in ms", s.staticUntilMS, 0, maxTimeMS),
		within("end of the wide band in ms", s.wideUntilMS, 0, maxTimeMS),
		within("time at a band in ms", s.stuckAtMS, 0, maxTimeMS),
		within("bucket", s.bucket, 0, maxTimeMS/bucketMS),
		s.checkWindow(c),
	}
	if (s.reference == 0) != (s.static == 0) || (s.reference == 0) != (s.anchor == 0) || (s.static == 0) != (s.staticUntilMS == 0) {
		faults = append(faults, errors.New("of the prices of reference some are there and some not"))
	}
	return errors.Join(faults...)
}

// checkWindow tells whether the mean of the window is a price.
func (s *status) checkWindow(c *Config) error {
	trades := uint64(0)
	for i := range s.window {
		w := &s.window[i]
		if w.trades > 1<<55 || w.quantity >= 2*fullBucket || w.trades == 0 && *w != (bucket{}) {
			return fmt.Errorf("part %d of the window of trades is out of range", i)
		}
		least := tally{}
		least.add(1, int64(w.quantity))
		most := tally{}
		most.add(c.MaxPrice, int64(w.quantity))
		if w.high < least.high || w.high == least.high && w.low < least.low || w.high > most.high || w.high == most.high && w.low > most.low {
			return fmt.Errorf("the mean of part %d of the window of trades is no price", i)
		}
		trades += w.trades
	}
	if trades != s.trades {
		return fmt.Errorf("the window holds %d trades, expected %d", trades, s.trades)
	}
	if trades > 0 && s.reference == 0 {
		return errors.New("there were trades and there is no reference")
	}
	return nil
}

// checkPlaces tells whether each place holds an order that could have been
// placed, or is free.
func (b *Book) checkPlaces() error {
	if int64(b.orders.Len()) > b.config.MaxOrders+1 {
		return fmt.Errorf("%d places, most is %d", b.orders.Len(), b.config.MaxOrders+1)
	}
	free := 0
	for i := range b.orders.Len() {
		o := b.orders.At(i)
		if o.number != 0 {
			if err := b.checkOrder(uint64(i), o); err != nil {
				return fmt.Errorf("place %d: %w", i, err)
			}
			continue
		}
		if *o != (order{next: o.next}) {
			return fmt.Errorf("place %d is free and not empty", i)
		}
		free++
	}
	if int64(b.orders.Len()-free) > b.config.MaxOrders {
		return fmt.Errorf("%d orders, most is %d", b.orders.Len()-free, b.config.MaxOrders)
	}
	for at := b.free; at != 0; free-- {
		if free == 0 || int(at) > b.orders.Len() || b.orders.At(int(at-1)).number != 0 {
			return errors.New("the list of free places is damaged")
		}
		at = b.orders.At(int(at - 1)).next
	}
	if free != 0 {
		return fmt.Errorf("%d free places are in no list", free)
	}
	return nil
}

func (b *Book) checkOrder(place uint64, o *order) error {
	placed := o.number >> b.shift
	switch {
	case o.number&(1<<b.shift-1) != place:
		return fmt.Errorf("its number %d has another place", o.number)
	case placed == 0, placed > o.priority, o.priority > b.sequence:
		return fmt.Errorf("number %d and priority %d are not of one history", o.number, o.priority)
	case o.epoch > b.epoch:
		return fmt.Errorf("its call is %d, the latest is %d", o.epoch, b.epoch)
	case o.open < 1, o.filled < 0, o.open > b.config.MaxQuantity, o.filled > b.config.MaxQuantity-o.open:
		return fmt.Errorf("open %d and filled %d are no quantities", o.open, o.filled)
	case o.owner == 0, o.price == 0, o.kind == FOK, o.next != 0:
		return errors.New("it could not be waiting")
	case !o.kind.rests() && b.phase != PhaseBatch && b.phase != PhaseAuction:
		return errors.New("it does not rest and no call is running")
	}
	asked := o.asked().Order
	// Whether an expiry has come is not known here; the next Tick says.
	if refusal := asked.check(&b.config, 0); refusal != Accepted {
		return fmt.Errorf("%v", refusal)
	}
	return nil
}

// checkCrossing tells whether orders meet that should not: an owner's own
// never, others only while they wait for a clearing.
func (b *Book) checkCrossing() error {
	records := &b.exchange.traders.records
	for i := range records.Len() {
		if t := records.At(i); t.market == b.market && t.highestBuy >= t.lowestSell {
			return fmt.Errorf("orders of owner %d meet each other", t.owner)
		}
	}
	waits := b.phase == PhaseAuction || b.phase == PhaseHalted || b.clearAtMS != 0
	buy, sell := b.best(Buy), b.best(Sell)
	if !waits && buy != nil && sell != nil && buy.price >= sell.price {
		return errors.New("the book is crossed and no call is running")
	}
	return nil
}
