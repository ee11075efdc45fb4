package bank

import "github.com/attentionbank/attentionbank/ledger"

func (s *State) transfer(r *reader) Refusal {
	reference := r.text8()
	count := int(r.u16())
	if len(r.src) != count*24 || r.short {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	s.legs = s.legs[:0]
	for range min(count, ledger.MaxLegs+1) {
		s.legs = append(s.legs, ledger.Leg{Debit: r.u64(), Credit: r.u64(), Amount: r.i64()})
	}
	if len(s.goods.collections) > 0 || s.standings.noTransfer > 0 || s.standings.defaults&FeatureTransfer == 0 {
		for _, leg := range s.legs {
			if refusal := s.mayGive(leg.Debit, leg.Credit); refusal != Accepted {
				return refusal
			}
		}
	}
	start := len(s.answer)
	leg, refusal := s.books.Transfer(s.legs, s.postedLeg)
	if refusal != ledger.Accepted {
		s.answer = le.AppendUint16(s.answer[:start], uint16(leg))
	}
	return refused(refusal)
}

func (s *State) placeHold(r *reader) Refusal {
	reference := r.text8()
	hold := ledger.Hold{Account: r.u64(), Beneficiary: r.u64(), Amount: r.i64(), ExpiresAtMS: r.i64(), Group: r.id()}
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if refusal := s.mayGive(hold.Account, hold.Beneficiary); refusal != Accepted {
		return refusal
	}
	number, refusal := s.books.PlaceHold(hold, s.nowMS)
	if refusal == ledger.Accepted {
		s.holdPlaced(number, hold)
	}
	return refused(refusal)
}

func (s *State) settleHold(r *reader) Refusal {
	reference := r.text8()
	number, value, final := r.u64(), r.i64(), r.bool()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if s.managed(number) {
		return HoldManaged
	}
	return s.settle(number, value, final)
}

// managed reports whether a hold ends by the bank's rules only.
func (s *State) managed(number uint64) bool {
	hold, refusal := s.books.Hold(number)
	return refusal == ledger.Accepted && hold.Managed
}

// settle posts part of a hold, or all of it, and answers the facts.
func (s *State) settle(number uint64, value int64, final bool) Refusal {
	hold, refusal := s.books.Hold(number)
	if refusal != ledger.Accepted {
		return refused(refusal)
	}
	remaining, refusal := s.books.SettleHold(number, value, final)
	if refusal != ledger.Accepted {
		return refused(refusal)
	}
	s.holdReduced(number, hold.Account, value, hold.Amount-value, HoldSettled)
	s.postedLeg(ledger.Leg{Debit: hold.Account, Credit: hold.Beneficiary, Amount: value})
	if rest := hold.Amount - value - remaining; rest > 0 {
		s.holdReduced(number, hold.Account, rest, 0, HoldReleased)
	}
	return Accepted
}

func (s *State) releaseHold(r *reader) Refusal {
	reference := r.text8()
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if s.managed(number) {
		return HoldManaged
	}
	return s.release(number, HoldReleased)
}

// release gives back what a hold still holds and answers the fact.
func (s *State) release(number uint64, end HoldEnd) Refusal {
	hold, refusal := s.books.Hold(number)
	if refusal != ledger.Accepted {
		return refused(refusal)
	}
	released, _ := s.books.ReleaseHold(number)
	s.holdReduced(number, hold.Account, released, 0, end)
	return Accepted
}

// endGroup settles in whole or releases all open holds of a group.
func (s *State) endGroup(r *reader, end HoldEnd) Refusal {
	reference := r.text8()
	group := r.id()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	numbers := s.books.Group(group)
	if len(numbers) == 0 || group == ([16]byte{}) {
		return refused(ledger.HoldNotFound)
	}
	if end == HoldSettled && !s.groupFits(numbers) {
		return refused(ledger.Overflow)
	}
	for _, number := range numbers {
		refusal := Accepted
		if end == HoldSettled {
			hold, _ := s.books.Hold(number)
			refusal = s.settle(number, hold.Amount, true)
		} else {
			refusal = s.release(number, end)
		}
		if refusal != Accepted {
			panic("bank: a hold of a group was open and yet refused: " + refusal.String())
		}
	}
	return Accepted
}

// groupFits reports whether all holds can be settled, so that none is settled
// when one cannot be. Holds come from balances of one asset, whose sum fits
// 63 bits as supply does; so only a beneficiary near the limit of an asset
// with other debts can overflow.
func (s *State) groupFits(numbers []uint64) bool {
	const half = 1 << 62
	var total uint64
	for _, number := range numbers {
		hold, _ := s.books.Hold(number)
		total += uint64(hold.Amount)
		if total >= half || s.books.Account(hold.Beneficiary).Balance >= half {
			return false
		}
	}
	return true
}

// referenceValid accepts up to 64 of A-Z a-z 0-9 . _ : - so that no free text
// stands where an id is meant.
func referenceValid(reference []byte) bool {
	return len(reference) <= 64 && codeValid(reference, func(c byte) bool {
		return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == ':' || c == '-'
	})
}

func codeValid(code []byte, allowed func(byte) bool) bool {
	for _, c := range code {
		if !allowed(c) {
			return false
		}
	}
	return true
}
