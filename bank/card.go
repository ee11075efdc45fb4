package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
)

// MaxCardHoldMS bounds how long what was bought by card is held: 180 days.
const MaxCardHoldMS = 180 * dayMS

// CardCredit is value of a world's currency that a person bought by card. Until
// a time it stays where it is: the card's bank may take the payment back, so it
// can neither be paid out nor leave the account. It holds no pointers.
type CardCredit struct {
	Person      uint64
	Asset       uint32
	ChargedBack bool
	AmountMinor int64
	// OwedMinor is what of a charge-back the person still owes.
	OwedMinor int64
	Hold      uint64
	UntilMS   int64
}

const cardCreditBytes = 8 + 4 + 1 + 8 + 8 + 8 + 8

func appendCardCredit(dst []byte, c *CardCredit) []byte {
	dst = appendBool(le.AppendUint32(le.AppendUint64(dst, c.Person), c.Asset), c.ChargedBack)
	return appendI64(le.AppendUint64(appendI64(appendI64(dst, c.AmountMinor), c.OwedMinor), c.Hold), c.UntilMS)
}

func readCardCredit(src []byte) CardCredit {
	r := reader{src: src}
	return CardCredit{Person: r.u64(), Asset: r.u32(), ChargedBack: r.bool(), AmountMinor: r.i64(), OwedMinor: r.i64(), Hold: r.u64(), UntilMS: r.i64()}
}

// CreditCard issues what a person bought by card and holds it until a time.
type CreditCard struct {
	Key         Key
	Reference   string
	Person      uint64
	Asset       uint32 // of a world
	AmountMinor int64
	UntilMS     int64
}

// AppendTo appends the encoded command.
func (c CreditCard) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindCreditCard, c.Key), c.Reference)
	return appendI64(appendI64(le.AppendUint32(le.AppendUint64(dst, c.Person), c.Asset), c.AmountMinor), c.UntilMS)
}

// ChargeBack takes back what was bought by card: what is held of it, then what
// else the person has of the asset. What is missing, the person owes, and is
// paid nothing out; given again, the command takes of it what there is now.
type ChargeBack struct {
	Key       Key
	Reference string
	Credit    uint64
}

// AppendTo appends the encoded command.
func (c ChargeBack) AppendTo(dst []byte) []byte {
	return le.AppendUint64(appendText8(begin(dst, kindChargeBack, c.Key), c.Reference), c.Credit)
}

// CardCredited says what was bought by card, or what of it was taken back. The
// postings and the hold stand before it.
type CardCredited struct {
	Number uint64
	Credit CardCredit
}

// CardCredits returns the number of card credits; they are numbered from 1 on.
func (s *State) CardCredits() uint64 { return uint64(s.payouts.credits.Len()) }

// CardCredit returns a card credit by its number.
func (s *State) CardCredit(number uint64) (c CardCredit, found bool) {
	if number == 0 || number > s.CardCredits() {
		return c, false
	}
	return *s.payouts.credits.At(int(number - 1)), true
}

// cardReceivable is what a person owes of charge-backs in an asset.
func cardReceivable(person uint64, asset uint32) ledger.Key {
	return ledger.Key{Owner: person, Asset: asset, Purpose: ledger.PurposeReceivable}
}

func (s *State) creditCard(r *reader) Refusal {
	reference := r.text8()
	c := CardCredit{Person: r.u64(), Asset: r.u32(), AmountMinor: r.i64(), UntilMS: r.i64()}
	if !r.finished() {
		return Malformed
	}
	asset := s.books.Asset(c.Asset)
	_, unique := s.goods.numbered[c.Asset]
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case c.Person == 0 || c.Person > s.People():
		return PersonNotFound
	case asset == nil:
		return AssetNotFound
	case c.AmountMinor < 1:
		return QuantityInvalid
	case asset.World == 0 || unique, c.UntilMS <= s.nowMS, c.UntilMS > s.nowMS+MaxCardHoldMS:
		return CardCreditInvalid
	case c.AmountMinor > s.issuable(c.Asset):
		return Overflow
	}
	account := s.open(itemAccount(c.Person, c.Asset))
	s.mustPost(asset.Issuer, account, c.AmountMinor)
	c.Hold = s.mustReserve(ledger.Hold{Account: account, Beneficiary: asset.Issuer, Amount: c.AmountMinor, ExpiresAtMS: c.UntilMS, Managed: true})
	s.cardCredited(uint64(s.payouts.credits.Append(c)+1), &c)
	return Accepted
}

func (s *State) cardCredited(number uint64, c *CardCredit) {
	s.answer = appendCardCredit(le.AppendUint64(append(s.answer, uint8(factCardCredited)), number), c)
}

func (s *State) chargeBack(r *reader) Refusal {
	reference := r.text8()
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	c, found := s.CardCredit(number)
	switch {
	case !found:
		return CardCreditNotFound
	case c.ChargedBack && c.OwedMinor == 0:
		return CardCreditOver
	}
	account, issuer := s.open(itemAccount(c.Person, c.Asset)), s.books.Asset(c.Asset).Issuer
	missing := c.OwedMinor
	if !c.ChargedBack {
		missing = c.AmountMinor
		if hold, refusal := s.books.Hold(c.Hold); refusal == ledger.Accepted {
			missing -= hold.Amount
			if refusal := s.settle(c.Hold, hold.Amount, true); refusal != Accepted {
				return refusal
			}
		}
	}
	taken := min(missing, s.books.Account(account).Available())
	if taken > 0 {
		s.mustPost(account, issuer, taken)
	}
	owed := missing - taken
	contra := s.open(ledger.Key{Asset: c.Asset, Purpose: ledger.PurposeReceivableContra})
	receivable := s.open(cardReceivable(c.Person, c.Asset))
	if owed > c.OwedMinor {
		s.mustPost(contra, receivable, owed-c.OwedMinor)
	} else if owed < c.OwedMinor {
		s.mustPost(receivable, contra, c.OwedMinor-owed)
	}
	c.ChargedBack, c.OwedMinor = true, owed
	*s.payouts.credits.Write(int(number - 1)) = c
	s.cardCredited(number, &c)
	return Accepted
}

// appendPayouts appends the rates, the files and how far payouts are filed.
func (s *State) appendPayouts(dst []byte) []byte {
	dst = le.AppendUint32(dst, uint32(len(s.payouts.rates)))
	for i := range s.payouts.rates {
		dst = s.payouts.rates[i].appendTo(dst)
	}
	dst = le.AppendUint32(dst, uint32(len(s.payouts.files)))
	for i := range s.payouts.files {
		dst = s.payouts.files[i].appendTo(dst)
	}
	dst = le.AppendUint32(le.AppendUint64(dst, s.payouts.unfiled), uint32(len(s.goods.collections)))
	for i := range s.goods.collections {
		dst = s.goods.collections[i].appendTo(dst)
	}
	return dst
}

func (s *State) readPayouts(r *reader) {
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.payouts.rates = append(s.payouts.rates, readPayoutRate(r))
	}
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.payouts.files = append(s.payouts.files, readPayoutFile(r))
	}
	s.payouts.unfiled = r.u64()
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.goods.collections = append(s.goods.collections, readCollection(r))
	}
}

// validPayouts refuses rates, payouts, files and card credits that say what
// cannot be.
func (s *State) validPayouts() error {
	for i := range s.payouts.rates {
		if !s.rateValid(&s.payouts.rates[i]) {
			return fmt.Errorf("version %d of the payout rates is not valid: %+v", i+1, s.payouts.rates[i])
		}
	}
	for i := range s.payouts.list.Len() {
		p := s.payouts.list.At(i)
		if p.Person == 0 || p.Person > s.People() || p.RateVersion == 0 || int(p.RateVersion) > len(s.payouts.rates) || p.Status >= payoutStatuses ||
			p.AmountMinor < 1 || p.PaidMinor < 1 || p.PaidMinor > MaxPaidMinor || p.File > s.PayoutFiles() ||
			p.File == 0 && (p.Status == PayoutPaid || p.Status == PayoutLeftOut) {
			return fmt.Errorf("payout %d is not valid: %+v", i+1, *p)
		}
	}
	for i := range s.payouts.files {
		if f := &s.payouts.files[i]; f.First == 0 || f.First > f.Last || f.Last > s.Payouts() || s.books.Asset(f.Currency) == nil || f.SentMS != 0 && f.SentMS < f.AtMS {
			return fmt.Errorf("file %d of payouts is not valid: %+v", i+1, *f)
		}
	}
	for i := range s.payouts.credits.Len() {
		c := s.payouts.credits.At(i)
		if c.Person == 0 || c.Person > s.People() || s.books.Asset(c.Asset) == nil || c.AmountMinor < 1 || c.OwedMinor < 0 || c.OwedMinor > c.AmountMinor || c.OwedMinor > 0 && !c.ChargedBack {
			return fmt.Errorf("card credit %d is not valid: %+v", i+1, *c)
		}
	}
	if s.payouts.unfiled > s.Payouts() {
		return fmt.Errorf("payouts are filed up to %d of %d", s.payouts.unfiled, s.Payouts())
	}
	return nil
}
