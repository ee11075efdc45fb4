package bank

import "github.com/attentionbank/attentionbank/market"

// CallAuction opens or re-opens a halted market by an auction.
type CallAuction struct {
	Key    Key
	Market uint32
	// Reference is the price, in ticks, that the bands are around from now on; 0
	// leaves them.
	Reference int64
}

// AppendTo appends the encoded command.
func (c CallAuction) AppendTo(dst []byte) []byte {
	return appendI64(le.AppendUint32(begin(dst, kindCallAuction, c.Key), c.Market), c.Reference)
}

func (s *State) callAuction(r *reader) Refusal {
	number, reference := r.u32(), r.i64()
	if !r.finished() {
		return Malformed
	}
	events, refused := s.trade.exchange.CallAuction(number, reference, s.nowMS, s.seed(), s.trade.events[:0])
	if refused != market.Accepted {
		return ofMarket(refused)
	}
	s.settleEvents(events)
	return Accepted
}

// HaltMarket stops a market until an auction is called. What rests stays.
type HaltMarket struct {
	Key    Key
	Market uint32
}

// AppendTo appends the encoded command.
func (c HaltMarket) AppendTo(dst []byte) []byte {
	return le.AppendUint32(begin(dst, kindHaltMarket, c.Key), c.Market)
}

func (s *State) haltMarket(r *reader) Refusal {
	number := r.u32()
	if !r.finished() {
		return Malformed
	}
	events, refused := s.trade.exchange.Halt(number, s.trade.events[:0])
	if refused != market.Accepted {
		return ofMarket(refused)
	}
	s.settleEvents(events)
	return Accepted
}

// HaltAll stops every market, or lets those that it stopped re-open by auction.
type HaltAll struct {
	Key  Key
	Halt bool
}

// AppendTo appends the encoded command.
func (c HaltAll) AppendTo(dst []byte) []byte {
	return appendBool(begin(dst, kindHaltAll, c.Key), c.Halt)
}

// AllHalted says whether all markets are halted. The changes of their phases
// follow it.
type AllHalted struct{ Halted bool }

func (s *State) haltAll(r *reader) Refusal {
	halt := r.bool()
	if !r.finished() {
		return Malformed
	}
	s.answer = appendBool(append(s.answer, uint8(factAllHalted)), halt)
	if halt {
		s.settleEvents(s.trade.exchange.HaltAll(s.trade.events[:0]))
	} else {
		s.settleEvents(s.trade.exchange.ResumeAll(s.nowMS, s.seed(), s.trade.events[:0]))
	}
	return Accepted
}

// HaltPerson stops a person from placing and amending orders, or lets them
// again.
type HaltPerson struct {
	Key    Key
	Person uint64
	Halt   bool
	// Cancel also cancels what the person has open, as the operator.
	Cancel bool
}

// AppendTo appends the encoded command.
func (c HaltPerson) AppendTo(dst []byte) []byte {
	return appendBool(appendBool(le.AppendUint64(begin(dst, kindHaltPerson, c.Key), c.Person), c.Halt), c.Cancel)
}

// PersonHalted says whether a person is halted. What was cancelled follows it.
type PersonHalted struct {
	Person uint64
	Halted bool
}

func (s *State) haltPerson(r *reader) Refusal {
	person, halt, cancel := r.u64(), r.bool(), r.bool()
	if !r.finished() {
		return Malformed
	}
	if person == 0 || person > s.People() {
		return PersonNotFound
	}
	s.trade.exchange.HaltOwner(person, halt)
	s.answer = appendBool(le.AppendUint64(append(s.answer, uint8(factPersonHalted)), person), halt)
	if cancel {
		s.cancelOwned(person, 0, 0, MaxTierOrders, market.NoReason)
	}
	return Accepted
}
