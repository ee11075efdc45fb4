package ledger

import "github.com/attentionbank/attentionbank/pages"

// MaxGroup bounds the open holds of a group, and so the work of one command.
const MaxGroup = 1000

// Hold reserves an amount of an account for another account. While it is
// open, the amount counts against what is available.
type Hold struct {
	Account, Beneficiary uint64
	// Amount is what is still held; zero when the hold is closed.
	Amount int64
	// ExpiresAtMS is the time from which the hold is void; 0 means never.
	ExpiresAtMS int64
	// Group joins holds that are settled or released together; zero is none.
	Group [16]byte
	// Managed holds end by the bank's rules only: they are part of a purchase,
	// a listing or an order.
	Managed bool
	// generation counts how often this place was used. The hold's number is
	// generation<<32 | place, so an old number never finds a newer hold.
	generation uint32
	// previous and next are places+1 in the list of the group.
	previous, next uint32
}

// holds are kept in places that are used again once a hold is closed.
type holds struct {
	places pages.Array[Hold]
	free   pages.Array[uint32]
	// expiries is a binary heap by (time, number) of all holds that expire,
	// closed ones included until their time has come.
	expiries pages.Array[expiry]
	open     int
}

type expiry struct {
	atMS   int64
	number uint64
}

func (h *holds) number(place int) uint64 {
	return uint64(h.places.At(place).generation)<<32 | uint64(place)
}

// find returns the place of an open hold.
func (h *holds) find(number uint64) (place int, refusal Refusal) {
	place = int(number & (1<<32 - 1))
	if number == 0 || place >= h.places.Len() || uint32(number>>32) > h.places.At(place).generation {
		return 0, HoldNotFound
	}
	hold := h.places.At(place)
	if uint32(number>>32) < hold.generation || hold.Amount == 0 {
		return place, HoldNotOpen
	}
	return place, Accepted
}

// Hold returns a hold by its number. With HoldNotOpen it returns the hold that
// has ended, with an amount of zero, as long as its place was not used again;
// after that it is HoldNotFound.
func (b *Books) Hold(number uint64) (Hold, Refusal) {
	place, refusal := b.holds.find(number)
	if refusal == HoldNotFound {
		return Hold{}, refusal
	}
	hold := *b.holds.places.At(place)
	if hold.generation != uint32(number>>32) {
		return Hold{}, HoldNotFound
	}
	return hold, refusal
}

// OpenHolds returns the number of open holds.
func (b *Books) OpenHolds() int { return b.holds.open }

// PlaceHold reserves hold.Amount of hold.Account at nowMS and returns the
// hold's number.
func (b *Books) PlaceHold(hold Hold, nowMS int64) (number uint64, refusal Refusal) {
	if refusal := b.transferable(hold.Account, hold.Beneficiary, hold.Amount); refusal != Accepted {
		return 0, refusal
	}
	// An issuer's totals are checked when it posts, which a hold puts off.
	if b.Account(hold.Account).Purpose == PurposeIssuer || b.Account(hold.Beneficiary).Purpose == PurposeIssuer {
		return 0, NotTransferable
	}
	return b.Reserve(hold, nowMS)
}

// Reserve is PlaceHold between accounts that the caller vouches for.
func (b *Books) Reserve(hold Hold, nowMS int64) (number uint64, refusal Refusal) {
	if hold.ExpiresAtMS != 0 && hold.ExpiresAtMS <= nowMS {
		return 0, ExpiryNotAhead
	}
	if hold.Group != ([16]byte{}) && len(b.group(hold.Group, MaxGroup)) == MaxGroup {
		return 0, GroupTooLarge
	}
	account := b.accounts.Write(int(hold.Account - 1))
	if account.Available() < hold.Amount {
		return 0, InsufficientAvailable
	}
	if account.Held+hold.Amount < 0 {
		return 0, Overflow
	}
	account.Held += hold.Amount
	place := b.holds.place(hold)
	b.joinGroup(place)
	number = b.holds.number(place)
	if hold.ExpiresAtMS != 0 {
		b.holds.pushExpiry(expiry{hold.ExpiresAtMS, number})
	}
	return number, Accepted
}

func (h *holds) place(hold Hold) int {
	h.open++
	if n := h.free.Len(); n > 0 {
		place := int(*h.free.At(n - 1))
		h.free.Truncate(n - 1)
		hold.generation = h.places.At(place).generation + 1
		*h.places.Write(place) = hold
		return place
	}
	hold.generation = 1
	return h.places.Append(hold)
}

// SettleHold posts value of what is held to the beneficiary; final releases
// the rest. remaining is what is still held.
func (b *Books) SettleHold(number uint64, value int64, final bool) (remaining int64, refusal Refusal) {
	if value <= 0 {
		return 0, AmountNotPositive
	}
	place, refusal := b.holds.find(number)
	if refusal != Accepted {
		return 0, refusal
	}
	hold := *b.holds.places.At(place)
	if value > hold.Amount {
		return 0, ExceedsHold
	}
	// What is held was available when the hold was placed, and nothing else
	// could use it since; so the posting is not checked against limits, which
	// may have been lowered in between.
	if credit := b.Account(hold.Beneficiary); credit.Balance > 0 && credit.Balance+value < 0 || !b.creditFits(b.Account(hold.Account), value) {
		return 0, Overflow
	}
	b.unhold(place, value)
	b.post(hold.Account, hold.Beneficiary, value)
	remaining = hold.Amount - value
	if final && remaining > 0 {
		b.unhold(place, remaining)
		remaining = 0
	}
	return remaining, Accepted
}

// ReleaseHold gives back what is still held and returns that amount.
func (b *Books) ReleaseHold(number uint64) (released int64, refusal Refusal) {
	place, refusal := b.holds.find(number)
	if refusal != Accepted {
		return 0, refusal
	}
	released = b.holds.places.At(place).Amount
	b.unhold(place, released)
	return released, Accepted
}

// unhold takes value off a hold and closes it when nothing is left.
func (b *Books) unhold(place int, value int64) {
	hold := b.holds.places.Write(place)
	b.accounts.Write(int(hold.Account - 1)).Held -= value
	hold.Amount -= value
	if hold.Amount == 0 {
		b.leaveGroup(place)
		b.holds.free.Append(uint32(place))
		b.holds.open--
	}
}
