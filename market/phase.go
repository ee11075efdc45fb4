package market

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/attentionbank/attentionbank/pages"
)

// Phase is what a market is doing.
type Phase uint8

// The phases.
const (
	// PhaseHalted: orders can only be cancelled. Markets begin halted.
	PhaseHalted Phase = iota
	// PhaseContinuous: each order is matched at once.
	PhaseContinuous
	// PhaseBatch: orders wait for the clearing of their batch.
	PhaseBatch
	// PhaseAuction: orders wait for the end of the auction.
	PhaseAuction
)

// Phase returns what the market is doing.
func (b *Book) Phase() Phase { return b.phase }

// locked reports whether it is too late to cancel in a running auction.
func (b *Book) locked(nowMS int64) bool { return b.phase == PhaseAuction && nowMS >= b.lockAtMS }

func (b *Book) phaseChanged(reason Reason, earliestMS int64, events []Event) []Event {
	return append(events, Event{
		Kind: PhaseChanged, Reason: reason, Market: b.market,
		Price: b.reference, Quantity: earliestMS, Open: int64(b.phase),
	})
}

// CallAuction opens or re-opens a halted market by an auction. A reference
// above 0 is what the bands are around from now on; 0 leaves them. seed decides
// the auction's random end and its ties.
func (e *Exchange) CallAuction(market uint32, reference, nowMS int64, seed Seed, events []Event) ([]Event, Refusal) {
	b := e.Book(market)
	switch {
	case b == nil:
		return events, MarketNotFound
	case reference < 0 || reference > b.config.MaxPrice:
		return events, PriceOutOfRange
	case e.halted:
		return events, AllHalted
	case b.phase != PhaseHalted:
		return events, NotHalted
	}
	if reference > 0 {
		b.forget()
		b.agree(reference, nowMS)
	}
	b.seed = seed
	b.setBands()
	return b.startAuction(Opening, b.config.AuctionMS, nowMS, events), Accepted
}

// startAuction begins an auction, or an extension of one.
func (b *Book) startAuction(reason Reason, lengthMS, nowMS int64, events []Event) []Event {
	if reason != Extended {
		b.extensions = 0
		b.epoch++
	}
	b.phase, b.stuckAtMS = PhaseAuction, 0
	fixedMS := nowMS + lengthMS
	b.lockAtMS = fixedMS - min(b.config.LockMS, lengthMS)
	b.draws++
	b.clearAtMS = fixedMS + b.seed.draw(b.draws, b.config.RandomMS)
	return b.phaseChanged(reason, fixedMS, events)
}

// draw returns a number from 0 to most that only who knows the seed foresees,
// whatever other draws were seen.
func (s *Seed) draw(number uint64, most int64) int64 {
	digest := sha256.Sum256(binary.LittleEndian.AppendUint64(s[:], number))
	return int64(binary.LittleEndian.Uint64(digest[:]) % uint64(most+1))
}

// mix returns a number that the seed and a word decide. It orders ties, where
// at most one lot is at stake.
func (s *Seed) mix(word uint64) uint64 {
	h := uint64(0)
	for i := 0; i < len(s); i += 8 {
		h = pages.Mix(h, binary.LittleEndian.Uint64(s[i:]))
	}
	return pages.Mix(h, word)
}

// Halt stops a market until an auction is called. Orders that rest stay.
func (e *Exchange) Halt(market uint32, events []Event) ([]Event, Refusal) {
	b := e.Book(market)
	if b == nil {
		return events, MarketNotFound
	}
	b.resumes = false
	if b.phase == PhaseHalted {
		return events, Accepted
	}
	return b.halt(ByOperator, events), Accepted
}

func (b *Book) halt(reason Reason, events []Event) []Event {
	events = b.cancelImmediate(events)
	b.phase = PhaseHalted
	b.clearAtMS, b.lockAtMS, b.stuckAtMS = 0, 0, 0
	return b.phaseChanged(reason, 0, events)
}

// HaltAll stops every market.
func (e *Exchange) HaltAll(events []Event) []Event {
	e.halted = true
	for _, b := range e.books {
		if b.phase != PhaseHalted {
			events = b.halt(ByOperator, events)
			b.resumes = true
		}
	}
	return events
}

// ResumeAll ends HaltAll: the markets that it stopped re-open by auction.
func (e *Exchange) ResumeAll(nowMS int64, seed Seed, events []Event) []Event {
	e.halted = false
	for _, b := range e.books {
		if b.resumes {
			b.resumes, b.seed = false, seed
			events = b.startAuction(Opening, b.config.AuctionMS, nowMS, events)
		}
	}
	return events
}

// Tick does what time causes: orders expire, bands move, batches clear and
// auctions end. It comes before every other instruction whose time has reached
// NextDueMS; afterwards nothing is due. It ends at most limit orders by expiry;
// more says that it has to be called again at the same time before anything
// else. seed is for the calls that begin after those that end here.
func (e *Exchange) Tick(nowMS int64, seed Seed, limit int, events []Event) (_ []Event, more bool) {
	for _, b := range e.books {
		for {
			due, any := b.NextDueMS()
			if !any || due > nowMS {
				break
			}
			if events, more = b.tick(nowMS, seed, &limit, events); more {
				return events, true
			}
		}
	}
	return events, false
}

// NextDueMS returns the time from which on Tick has something to do.
func (e *Exchange) NextDueMS() (atMS int64, any bool) {
	for _, b := range e.books {
		if due, anyHere := b.NextDueMS(); anyHere && (!any || due < atMS) {
			atMS, any = due, true
		}
	}
	return atMS, any
}

// NextDueMS returns the time from which on Tick has something to do in this
// market.
func (b *Book) NextDueMS() (atMS int64, any bool) {
	at := func(t int64) {
		if !any || t < atMS {
			atMS, any = t, true
		}
	}
	if b.expiries.Len() > 0 {
		due := b.orders.At(int(*b.expiries.At(0))).expiresMS
		if b.phase == PhaseAuction && due >= b.lockAtMS {
			due = max(due, b.clearAtMS)
		}
		at(due)
	}
	for _, t := range [...]int64{b.clearAtMS, b.stuckAtMS, b.wideUntilMS, b.staticUntilMS} {
		if t != 0 {
			at(t)
		}
	}
	if b.trades > 0 {
		at((b.bucket + 1) * bucketMS)
	}
	return atMS, any
}

func (b *Book) tick(nowMS int64, seed Seed, limit *int, events []Event) (_ []Event, more bool) {
	if events, more = b.expire(nowMS, limit, events); more {
		return events, true
	}
	b.roll(nowMS)
	if b.stuckAtMS != 0 && b.stuckAtMS <= nowMS {
		events = b.startAuction(Volatility, b.config.AuctionMS, nowMS, events)
	}
	if b.clearAtMS != 0 && b.clearAtMS <= nowMS {
		if b.phase == PhaseAuction {
			events = b.endAuction(nowMS, seed, events)
		} else {
			events = b.endBatch(nowMS, seed, events)
		}
	}
	b.watch(nowMS)
	return events, false
}

// expire ends orders whose time has come. In the locked part of an auction
// nobody leaves, so an expiry waits for its end.
func (b *Book) expire(nowMS int64, limit *int, events []Event) (_ []Event, more bool) {
	for b.expiries.Len() > 0 {
		place := *b.expiries.At(0)
		due := b.orders.At(int(place)).expiresMS
		if due > nowMS || b.phase == PhaseAuction && due >= b.lockAtMS {
			break
		}
		if *limit == 0 {
			return events, true
		}
		*limit--
		events = b.cancel(place, Expired, events)
	}
	return events, false
}
