package bank

// SendPayouts says that a file was handed over. Its natural key is the number
// of the file: given again it changes nothing.
type SendPayouts struct {
	Key  Key
	File uint64
}

// AppendTo appends the encoded command.
func (c SendPayouts) AppendTo(dst []byte) []byte {
	return le.AppendUint64(begin(dst, kindSendPayouts, c.Key), c.File)
}

// PayoutsSent says when a file was handed over.
type PayoutsSent struct {
	File   uint64
	SentMS int64
}

// EndPayout says what became of a payout: paid or failed after its file was
// handed over, failed or cancelled before it is in one, left out in between.
// What was paid may still come back and be failed. Its natural key is the
// payout with its status: given again it changes nothing.
type EndPayout struct {
	Key       Key
	Reference string
	Payout    uint64
	Status    PayoutStatus
}

// AppendTo appends the encoded command.
func (c EndPayout) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindEndPayout, c.Key), c.Reference)
	return append(le.AppendUint64(dst, c.Payout), uint8(c.Status))
}

// PayoutEnded says what became of a payout. The postings stand before it.
type PayoutEnded struct {
	Payout uint64
	Status PayoutStatus
}

func (s *State) sendPayouts(r *reader) Refusal {
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	if number == 0 || number > s.PayoutFiles() {
		return PayoutNotFound
	}
	file := &s.payouts.files[number-1]
	if file.SentMS == 0 {
		file.SentMS = s.nowMS
	}
	s.answer = appendI64(le.AppendUint64(append(s.answer, uint8(factPayoutsSent)), number), file.SentMS)
	return Accepted
}

func (s *State) endPayout(r *reader) Refusal {
	reference := r.text8()
	number, status := r.u64(), PayoutStatus(r.u8())
	if !r.finished() || status == PayoutPending || status >= payoutStatuses {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	p, rate, found := s.Payout(number)
	if !found {
		return PayoutNotFound
	}
	if p.Status == status {
		s.payoutEnded(number, status)
		return Accepted
	}
	filed, sent := p.File != 0, s.PayoutSent(&p)
	switch {
	case p.Status == PayoutPaid && status == PayoutFailed:
	case p.Status != PayoutPending, status == PayoutCancelled && filed, status == PayoutLeftOut && (sent || !filed):
		return PayoutOver
	case status == PayoutPaid && !sent, status == PayoutFailed && filed && !sent:
		// Nobody was told to pay it, or somebody is being told just now.
		return PayoutNotSent
	}
	aside, issuer := s.open(setAside(rate.Asset)), s.books.Asset(rate.Asset).Issuer
	owner := s.open(itemAccount(p.Person, rate.Asset))
	switch {
	case status == PayoutPaid:
		s.mustPost(aside, issuer, p.AmountMinor)
	case p.Status == PayoutPaid: // it came back
		if p.AmountMinor > s.issuable(rate.Asset) {
			return Overflow
		}
		s.mustPost(issuer, owner, p.AmountMinor)
	default:
		s.mustPost(aside, owner, p.AmountMinor)
	}
	s.payouts.list.Write(int(number - 1)).Status = status
	s.payoutEnded(number, status)
	return Accepted
}

func (s *State) payoutEnded(number uint64, status PayoutStatus) {
	s.answer = append(le.AppendUint64(append(s.answer, uint8(factPayoutEnded)), number), uint8(status))
}
