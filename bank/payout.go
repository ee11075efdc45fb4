package bank

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Bounds of payouts.
const (
	MaxPayoutRates = 10_000 // versions, of all assets
	MaxPayoutFiles = 1_000_000
	// MaxPerFile bounds the payouts of one file, and so the work of one command.
	MaxPerFile = 1000
	// MaxPaidMinor bounds one payout, in minor units of the currency.
	MaxPaidMinor = 1_000_000_000_000
	maxRate      = 1_000_000_000_000 // bounds both numbers of a rate
)

// PayoutRate is for how much of a national currency the operator pays out a
// world's currency.
type PayoutRate struct {
	Asset    uint32 // of a world
	Currency uint32 // a national currency: an asset of no world with a code of three letters
	// So many minor units of the currency are paid for so many of the asset.
	PaidMinor, PerMinor int64
	// Open says that payouts are taken now.
	Open bool
}

// PayoutStatus says where a payout stands.
type PayoutStatus uint8

// The statuses of payouts.
const (
	PayoutPending   PayoutStatus = iota // what was asked for is set aside
	PayoutPaid                          // and was burned
	PayoutFailed                        // and was given back
	PayoutCancelled                     // by the person, before it was in a file
	PayoutLeftOut                       // of its file, and given back: there was nobody to pay any more

	payoutStatuses
)

// String returns the name of the status.
func (s PayoutStatus) String() string {
	return [...]string{"pending", "paid", "failed", "cancelled", "left_out"}[s]
}

// Payout is value of a person that leaves the bank as money. It holds no
// pointers, and nothing of whom the money goes to.
type Payout struct {
	Person      uint64
	RateVersion uint32
	Status      PayoutStatus
	// AmountMinor of the asset is paid as PaidMinor of the currency.
	AmountMinor, PaidMinor int64
	AtMS                   int64
	File                   uint64 // in which it stands; 0 for none yet
}

const payoutBytes = 8 + 4 + 1 + 8 + 8 + 8 + 8

func appendPayout(dst []byte, p *Payout) []byte {
	dst = append(le.AppendUint32(le.AppendUint64(dst, p.Person), p.RateVersion), uint8(p.Status))
	return le.AppendUint64(appendI64(appendI64(appendI64(dst, p.AmountMinor), p.PaidMinor), p.AtMS), p.File)
}

func readPayout(src []byte) Payout {
	r := reader{src: src}
	return Payout{Person: r.u64(), RateVersion: r.u32(), Status: PayoutStatus(r.u8()), AmountMinor: r.i64(), PaidMinor: r.i64(), AtMS: r.i64(), File: r.u64()}
}

// PayoutFile is payouts of one currency that leave together. A payout is in one
// file only, for ever.
type PayoutFile struct {
	Currency    uint32
	Count       uint32
	First, Last uint64 // payouts; those between may be in other files
	SumMinor    int64
	AtMS        int64
	// SentMS is when it was handed over; 0 for not yet.
	SentMS int64
}

// payouts are all of them, the rates by which they are paid, by version, and
// the files.
type payouts struct {
	rates   []PayoutRate
	files   []PayoutFile
	list    pages.Array[Payout]
	credits pages.Array[CardCredit]
	// unfiled is before the first payout that waits for a file.
	unfiled uint64
}

// SetPayoutRate publishes at which rate an asset is paid out from now on, or
// that it is not.
type SetPayoutRate struct {
	Key  Key
	Rate PayoutRate
}

// AppendTo appends the encoded command.
func (c SetPayoutRate) AppendTo(dst []byte) []byte {
	return c.Rate.appendTo(begin(dst, kindSetPayoutRate, c.Key))
}

func (p *PayoutRate) appendTo(dst []byte) []byte {
	dst = le.AppendUint32(le.AppendUint32(dst, p.Asset), p.Currency)
	return appendBool(appendI64(appendI64(dst, p.PaidMinor), p.PerMinor), p.Open)
}

func readPayoutRate(r *reader) PayoutRate {
	return PayoutRate{Asset: r.u32(), Currency: r.u32(), PaidMinor: r.i64(), PerMinor: r.i64(), Open: r.bool()}
}

// PayoutRateSet says the version of a rate.
type PayoutRateSet struct {
	Version uint32
	Rate    PayoutRate
}

// RequestPayout sets aside up to AmountMinor of a person's asset to be paid out
// at the rate that holds now. What is paid is rounded down to minor units of the
// currency; of the asset no more is taken than that is worth, rounded up.
type RequestPayout struct {
	Key         Key
	Reference   string
	Person      uint64
	Asset       uint32
	AmountMinor int64
	// MinPaidMinor is the least that the person is ready to get, so that a rate
	// that was lowered meanwhile pays nobody.
	MinPaidMinor int64
}

// AppendTo appends the encoded command.
func (c RequestPayout) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindRequestPayout, c.Key), c.Reference)
	return appendI64(appendI64(le.AppendUint32(le.AppendUint64(dst, c.Person), c.Asset), c.AmountMinor), c.MinPaidMinor)
}

// PayoutRequested says what is to be paid. The postings stand before it.
type PayoutRequested struct {
	Payout, Person         uint64
	Asset, Currency        uint32
	AmountMinor, PaidMinor int64
}

// FilePayouts puts the oldest payouts of a currency that wait into the next
// file. Its natural key is the number of the file: one that is there already
// changes nothing.
type FilePayouts struct {
	Key      Key
	File     uint64 // one more than there are, or 0 for that
	Currency uint32
	Most     uint32 // 1 to MaxPerFile
}

// AppendTo appends the encoded command.
func (c FilePayouts) AppendTo(dst []byte) []byte {
	return le.AppendUint32(le.AppendUint32(le.AppendUint64(begin(dst, kindFilePayouts, c.Key), c.File), c.Currency), c.Most)
}

// PayoutsFiled says what is in a file.
type PayoutsFiled struct {
	File uint64
	PayoutFile
}

// PayoutRates returns the versions of all rates; the first is version 1.
func (s *State) PayoutRates() []PayoutRate { return append([]PayoutRate(nil), s.payouts.rates...) }

// PayoutRate returns the rate that holds for an asset, and its version; 0 if
// none was published.
func (s *State) PayoutRate(asset uint32) (version uint32, rate PayoutRate) {
	for i := len(s.payouts.rates) - 1; i >= 0; i-- {
		if s.payouts.rates[i].Asset == asset {
			return uint32(i + 1), s.payouts.rates[i]
		}
	}
	return 0, rate
}

// Payouts returns the number of payouts; they are numbered from 1 on.
func (s *State) Payouts() uint64 { return uint64(s.payouts.list.Len()) }

// Payout returns a payout by its number, with the rate that it is paid at.
func (s *State) Payout(number uint64) (p Payout, rate PayoutRate, found bool) {
	if number == 0 || number > s.Payouts() {
		return p, rate, false
	}
	p = *s.payouts.list.At(int(number - 1))
	return p, s.payouts.rates[p.RateVersion-1], true
}

// PayoutFiles returns the number of files; they are numbered from 1 on.
func (s *State) PayoutFiles() uint64 { return uint64(len(s.payouts.files)) }

// PayoutSent reports whether the file of a payout was handed over.
func (s *State) PayoutSent(p *Payout) bool {
	return p.File != 0 && s.payouts.files[p.File-1].SentMS != 0
}

// PayoutFile returns a file by its number, and the numbers of its payouts.
func (s *State) PayoutFile(number uint64) (file PayoutFile, payouts []uint64, found bool) {
	if number == 0 || number > s.PayoutFiles() {
		return file, nil, false
	}
	file = s.payouts.files[number-1]
	for n := file.First; n <= file.Last; n++ {
		if s.payouts.list.At(int(n-1)).File == number {
			payouts = append(payouts, n)
		}
	}
	return file, payouts, true
}

// setAside is the bank's account of what is to be paid out of an asset.
func setAside(asset uint32) ledger.Key {
	return ledger.Key{Asset: asset, Purpose: ledger.PurposePayout}
}

func (s *State) rateValid(p *PayoutRate) bool {
	asset, currency := s.books.Asset(p.Asset), s.books.Asset(p.Currency)
	if asset == nil || currency == nil || asset.World == 0 || currency.World != 0 || len(currency.Code) != 3 || currency.Scale > 4 {
		return false
	}
	if _, unique := s.goods.numbered[p.Asset]; unique {
		return false
	}
	letters := codeValid([]byte(currency.Code), func(c byte) bool { return 'A' <= c && c <= 'Z' })
	return letters && p.PaidMinor >= 1 && p.PaidMinor <= maxRate && p.PerMinor >= 1 && p.PerMinor <= maxRate
}

func (s *State) setPayoutRate(r *reader) Refusal {
	rate := readPayoutRate(r)
	if !r.finished() {
		return Malformed
	}
	if len(s.payouts.rates) >= MaxPayoutRates {
		return TooMany
	}
	if !s.rateValid(&rate) {
		return PayoutRateInvalid
	}
	s.payouts.rates = append(s.payouts.rates, rate)
	s.answer = rate.appendTo(le.AppendUint32(append(s.answer, uint8(factPayoutRateSet)), uint32(len(s.payouts.rates))))
	return Accepted
}

func (s *State) requestPayout(r *reader) Refusal {
	reference := r.text8()
	person, asset, most, least := r.u64(), r.u32(), r.i64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case person == 0 || person > s.People():
		return PersonNotFound
	case s.books.Asset(asset) == nil:
		return AssetNotFound
	case most < 1:
		return QuantityInvalid
	}
	if refusal := s.may(person, FeaturePayout); refusal != Accepted {
		return refusal
	}
	version, rate := s.PayoutRate(asset)
	if !rate.Open {
		return PayoutsClosed
	}
	paid, fits := amount.MulDivDown(most, rate.PaidMinor, rate.PerMinor)
	taken, _ := amount.MulDivUp(paid, rate.PerMinor, rate.PaidMinor)
	account, _ := s.books.Find(itemAccount(person, asset))
	switch {
	case !fits || paid > MaxPaidMinor || paid < 1:
		return PayoutOutOfRange
	case paid < least:
		return PayoutWorse
	case s.balance(cardReceivable(person, asset)) > 0:
		return ChargebackOwed
	case account == 0 || s.books.Account(account).Available() < taken:
		return InsufficientAvailable
	}
	s.mustPost(account, s.open(setAside(asset)), taken)
	p := Payout{Person: person, RateVersion: version, AmountMinor: taken, PaidMinor: paid, AtMS: s.nowMS}
	number := uint64(s.payouts.list.Append(p) + 1)
	dst := le.AppendUint64(le.AppendUint64(append(s.answer, uint8(factPayoutRequested)), number), person)
	dst = le.AppendUint32(le.AppendUint32(dst, asset), rate.Currency)
	s.answer = appendI64(appendI64(dst, taken), paid)
	return Accepted
}

func (s *State) filePayouts(r *reader) Refusal {
	file, currency, most := r.u64(), r.u32(), r.u32()
	if !r.finished() {
		return Malformed
	}
	if file == 0 {
		file = s.PayoutFiles() + 1
	}
	switch {
	case s.books.Asset(currency) == nil:
		return AssetNotFound
	case most < 1 || most > MaxPerFile || file > s.PayoutFiles()+1:
		return QuantityInvalid
	case file <= s.PayoutFiles():
		s.payoutsFiled(file)
		return Accepted
	case file > MaxPayoutFiles:
		return TooMany
	}
	made := PayoutFile{Currency: currency, AtMS: s.nowMS}
	waits := false // whether one that waits for another file was passed
	const looked = 100_000
	last := min(s.Payouts(), s.payouts.unfiled+looked)
	for n := s.payouts.unfiled + 1; n <= last && made.Count < most; n++ {
		p := s.payouts.list.At(int(n - 1))
		switch {
		case p.Status != PayoutPending || p.File != 0:
		case s.payouts.rates[p.RateVersion-1].Currency != currency:
			waits = true
		default:
			s.payouts.list.Write(int(n - 1)).File = file
			if made.Count == 0 {
				made.First = n
			}
			made.Count, made.Last, made.SumMinor = made.Count+1, n, made.SumMinor+p.PaidMinor
		}
		if !waits {
			s.payouts.unfiled = n
		}
	}
	if made.Count == 0 {
		return PayoutNotFound
	}
	s.payouts.files = append(s.payouts.files, made)
	s.payoutsFiled(file)
	return Accepted
}

func (s *State) payoutsFiled(file uint64) {
	dst := le.AppendUint64(append(s.answer, uint8(factPayoutsFiled)), file)
	s.answer = s.payouts.files[file-1].appendTo(dst)
}

func (f *PayoutFile) appendTo(dst []byte) []byte {
	dst = le.AppendUint32(le.AppendUint32(dst, f.Currency), f.Count)
	return appendI64(appendI64(appendI64(le.AppendUint64(le.AppendUint64(dst, f.First), f.Last), f.SumMinor), f.AtMS), f.SentMS)
}

func readPayoutFile(r *reader) PayoutFile {
	return PayoutFile{Currency: r.u32(), Count: r.u32(), First: r.u64(), Last: r.u64(), SumMinor: r.i64(), AtMS: r.i64(), SentMS: r.i64()}
}
