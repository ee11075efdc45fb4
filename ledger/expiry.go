package ledger

// NextExpiryMS returns the earliest time at which a hold may have to expire.
func (b *Books) NextExpiryMS() (atMS int64, any bool) {
	if b.holds.expiries.Len() == 0 {
		return 0, false
	}
	return b.holds.expiries.At(0).atMS, true
}

// PopExpired removes the earliest expiry up to nowMS and returns its hold if
// that is still open. more is false when no expiry is due any longer.
func (b *Books) PopExpired(nowMS int64) (number uint64, open, more bool) {
	if b.holds.expiries.Len() == 0 || b.holds.expiries.At(0).atMS > nowMS {
		return 0, false, false
	}
	number = b.holds.popExpiry().number
	_, refusal := b.holds.find(number)
	return number, refusal == Accepted, true
}

func (e expiry) before(other expiry) bool {
	if e.atMS != other.atMS {
		return e.atMS < other.atMS
	}
	return e.number < other.number
}

func (h *holds) pushExpiry(e expiry) {
	i := h.expiries.Append(e)
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(*h.expiries.At(parent)) {
			break
		}
		*h.expiries.Write(i) = *h.expiries.At(parent)
		i = parent
	}
	*h.expiries.Write(i) = e
}

func (h *holds) popExpiry() expiry {
	first := *h.expiries.At(0)
	n := h.expiries.Len() - 1
	last := *h.expiries.At(n)
	h.expiries.Truncate(n)
	if n == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && h.expiries.At(child+1).before(*h.expiries.At(child)) {
			child++
		}
		if !h.expiries.At(child).before(last) {
			break
		}
		*h.expiries.Write(i) = *h.expiries.At(child)
		i = child
	}
	*h.expiries.Write(i) = last
	return first
}
