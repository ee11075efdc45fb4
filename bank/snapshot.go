package bank

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// An encoded state (little-endian; docs/formats/state.md has the drawing):
//
//	| "ABSTATE1" | length u32 | small part | books | people | days |
//	| accounts waiting, parity 0 | parity 1 | repeats | purchases | listings |
//	| cases | standings | allowances |
//	| exchange | money of the orders of each market | traders |
//	| goods | payouts | card credits |
//	| own limits |
//
// The small part holds sequence, time, worlds, policies, epochs, the bounds of
// the ring of repeats and the products. Equal states have equal bytes.
const (
	stateMagic  = "ABSTATE1"
	dayBytes    = 32
	repeatBytes = 44
)

// Frozen is an unchanging view of a state, for any goroutine.
type Frozen struct {
	seq     uint64
	small   []byte
	books   ledger.Frozen
	people  pages.View[[16]byte]
	days    pages.View[personDay]
	waiting [2]pages.View[uint64]
	repeats pages.View[repeat]

	purchases pages.View[purchase]
	listings  pages.View[listing]
	cases     pages.View[Case]
	standings pages.View[Standing]
	allowed   pages.View[Allowance]
	goods     pages.View[good]
	payouts   pages.View[Payout]
	credits   pages.View[CardCredit]
	trade     frozenTrade
	ownLimits pages.View[OwnLimits]
}

// Freeze returns a view of the state as it is now. It costs a pointer for
// every 64 records; Apply may go on at once.
func (s *State) Freeze() *Frozen {
	return &Frozen{
		seq:     s.seq,
		small:   s.appendSmall(nil),
		books:   s.books.Freeze(),
		people:  s.people.Freeze(),
		days:    s.days.Freeze(),
		waiting: [2]pages.View[uint64]{s.epochs.waiting[0].Freeze(), s.epochs.waiting[1].Freeze()},
		repeats: s.repeats.ring.Freeze(),

		purchases: s.shop.purchases.Freeze(),
		listings:  s.shop.listings.Freeze(),
		cases:     s.reviews.cases.Freeze(),
		standings: s.standings.of.Freeze(),
		allowed:   s.allowances.list.Freeze(),
		goods:     s.goods.list.Freeze(),
		payouts:   s.payouts.list.Freeze(),
		credits:   s.payouts.credits.Freeze(),
		trade:     s.trade.freeze(),
		ownLimits: s.ownLimits.list.Freeze(),
	}
}

// Seq returns the sequence number of the last record in the view.
func (f *Frozen) Seq() uint64 { return f.seq }

// WriteTo writes the encoded state.
func (f *Frozen) WriteTo(w io.Writer) (written int64, err error) {
	counted := &countingWriter{w: w}
	head := le.AppendUint32([]byte(stateMagic), uint32(len(f.small)))
	if _, err := counted.Write(append(head, f.small...)); err != nil {
		return counted.n, err
	}
	if err := f.books.Encode(counted); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.people, 16, func(dst []byte, id *[16]byte) []byte { return append(dst, id[:]...) }); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.days, dayBytes, appendDay); err != nil {
		return counted.n, err
	}
	for _, waiting := range f.waiting {
		if err := pages.Encode(counted, waiting, 8, func(dst []byte, a *uint64) []byte { return le.AppendUint64(dst, *a) }); err != nil {
			return counted.n, err
		}
	}
	if err := pages.Encode(counted, f.repeats, repeatBytes, appendRepeat); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.purchases, purchaseBytes, appendPurchase); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.listings, listingBytes, appendListing); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.cases, caseBytes, appendCase); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.standings, standingBytes, appendStanding); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.allowed, allowanceBytes, appendAllowance); err != nil {
		return counted.n, err
	}
	if err := f.trade.encode(counted); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.goods, goodBytes, appendGood); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.payouts, payoutBytes, appendPayout); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.credits, cardCreditBytes, appendCardCredit); err != nil {
		return counted.n, err
	}
	if err := pages.Encode(counted, f.ownLimits, ownLimitsBytes, appendOwnLimits); err != nil {
		return counted.n, err
	}
	return counted.n, nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func appendDay(dst []byte, d *personDay) []byte {
	dst = le.AppendUint32(le.AppendUint64(dst, d.person), d.world)
	return appendI64(le.AppendUint64(le.AppendUint32(dst, uint32(d.day)), d.revision), d.cumulativeMicro)
}

func readDay(src []byte) personDay {
	r := reader{src: src}
	return personDay{r.u64(), r.u32(), int32(r.u32()), r.u64(), r.i64()}
}

func appendRepeat(dst []byte, p *repeat) []byte {
	dst = le.AppendUint64(append(dst, p.key[:]...), p.digest)
	return le.AppendUint32(le.AppendUint64(appendI64(dst, p.atMS), p.seq), p.index)
}

func readRepeat(src []byte) repeat {
	r := reader{src: src}
	return repeat{key: Key(r.id()), digest: r.u64(), atMS: r.i64(), seq: r.u64(), index: r.u32()}
}

func (s *State) appendSmall(dst []byte) []byte {
	dst = appendI64(le.AppendUint64(dst, s.seq), s.nowMS)
	dst = le.AppendUint32(dst, uint32(len(s.worlds)))
	for _, w := range s.worlds {
		dst = le.AppendUint16(le.AppendUint32(appendText8(dst, w.Code), w.ShareWeight), w.RetentionDays)
		dst = appendI64(appendI64(dst, w.pendingMicro[0]), w.pendingMicro[1])
	}
	dst = le.AppendUint32(dst, uint32(len(s.policies)))
	for _, p := range s.policies {
		dst = le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, p.World), p.Version), uint32(p.EffectiveDay))
		dst = append(le.AppendUint16(appendBool(dst, p.ForImport), uint16(len(p.Text))), p.Text...)
	}
	e := &s.epochs
	dst = e.next.appendTo(appendEpoch(appendEpoch(dst, e.running), e.closing))
	dst = appendI64(le.AppendUint64(dst, uint64(e.paid)), e.issued)
	dst = le.AppendUint32(dst, uint32(len(e.worlds)))
	for _, w := range e.worlds {
		dst = appendBool(appendI64(appendI64(dst, w.rate.numerator), w.rate.denominator), w.shares)
		dst = appendI64(appendI64(dst, w.shareMicro), w.paidMicro)
	}
	dst = le.AppendUint64(le.AppendUint64(dst, s.repeats.oldest), s.repeats.next)
	dst = le.AppendUint32(dst, uint32(len(s.shop.products)))
	for i := range s.shop.products {
		dst = s.shop.products[i].appendTo(dst)
	}
	return s.appendPayouts(s.appendEligibility(s.trade.appendSmall(s.appendReviewRules(s.appendRateLimits(s.appendOperators(dst))))))
}

func appendEpoch(dst []byte, e Epoch) []byte {
	return e.Policy.appendTo(appendI64(appendI64(le.AppendUint64(dst, e.Number), e.StartMS), e.EndMS))
}

func readEpoch(r *reader) Epoch {
	return Epoch{Number: r.u64(), StartMS: r.i64(), EndMS: r.i64(), Policy: readMonetaryPolicy(r)}
}

func (s *State) readSmall(r *reader) error {
	s.seq, s.nowMS = r.u64(), r.i64()
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.worlds = append(s.worlds, World{Code: string(r.text8()), ShareWeight: r.u32(), RetentionDays: r.u16(), pendingMicro: [2]int64{r.i64(), r.i64()}})
	}
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.policies = append(s.policies, Policy{World: r.u32(), Version: r.u32(), EffectiveDay: int32(r.u32()), ForImport: r.bool(), Text: string(r.text16())})
	}
	e := &s.epochs
	e.running, e.closing, e.next = readEpoch(r), readEpoch(r), readMonetaryPolicy(r)
	e.paid, e.issued = int(r.u64()), r.i64()
	for n := r.u32(); n > 0 && !r.short; n-- {
		e.worlds = append(e.worlds, closingWorld{rate: rate{r.i64(), r.i64()}, shares: r.bool(), shareMicro: r.i64(), paidMicro: r.i64()})
	}
	s.repeats.oldest, s.repeats.next = r.u64(), r.u64()
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.shop.products = append(s.shop.products, readProduct(r))
	}
	s.readOperators(r)
	s.readRateLimits(r)
	s.readReviewRules(r)
	s.trade.readSmall(r)
	s.readEligibility(r)
	s.readPayouts(r)
	if !r.finished() {
		return fmt.Errorf("the small part of the state is cut off or too long")
	}
	return nil
}

// Restore reads a state that Frozen.WriteTo wrote, rebuilds what finds records
// by their keys, and checks it.
func Restore(src io.Reader) (*State, error) {
	r := bufio.NewReaderSize(src, 64<<10)
	var head [len(stateMagic) + 4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("reading the head of a state: %w", err)
	}
	if string(head[:len(stateMagic)]) != stateMagic {
		return nil, fmt.Errorf("reading a state: it begins with %q, expected %q", head[:len(stateMagic)], stateMagic)
	}
	small, err := io.ReadAll(io.LimitReader(r, int64(binary.LittleEndian.Uint32(head[len(stateMagic):]))))
	if err != nil {
		return nil, fmt.Errorf("reading the small part of a state: %w", err)
	}
	s := &State{}
	if err := s.readSmall(&reader{src: small}); err != nil {
		return nil, err
	}
	if s.seq >= 1<<62 || s.nowMS < 0 || s.nowMS >= 1<<53 {
		return nil, fmt.Errorf("a state of record %d at %d ms is of no bank", s.seq, s.nowMS)
	}
	if s.books, err = ledger.Decode(r); err != nil {
		return nil, fmt.Errorf("restoring the books: %w", err)
	}
	if err := s.readArrays(r); err != nil {
		return nil, err
	}
	if err := s.rebuildIndexes(); err != nil {
		return nil, err
	}
	return s, s.checkOwn() // the books were checked when they were read
}

func (s *State) readArrays(r *bufio.Reader) error {
	people, err := pages.Decode(r, 16, func(src []byte) [16]byte { return [16]byte(src) })
	if err != nil {
		return fmt.Errorf("reading people: %w", err)
	}
	days, err := pages.Decode(r, dayBytes, readDay)
	if err != nil {
		return fmt.Errorf("reading days: %w", err)
	}
	s.people, s.days = *people, *days
	for parity := range s.epochs.waiting {
		waiting, err := pages.Decode(r, 8, le.Uint64)
		if err != nil {
			return fmt.Errorf("reading waiting accounts: %w", err)
		}
		s.epochs.waiting[parity] = *waiting
	}
	repeats, err := pages.Decode(r, repeatBytes, readRepeat)
	if err != nil {
		return fmt.Errorf("reading idempotency keys: %w", err)
	}
	s.repeats.ring = *repeats
	purchases, err := pages.Decode(r, purchaseBytes, readPurchase)
	if err != nil {
		return fmt.Errorf("reading purchases: %w", err)
	}
	listings, err := pages.Decode(r, listingBytes, readListing)
	if err != nil {
		return fmt.Errorf("reading listings: %w", err)
	}
	s.shop.purchases, s.shop.listings = *purchases, *listings
	cases, err := pages.Decode(r, caseBytes, readCase)
	if err != nil {
		return fmt.Errorf("reading cases: %w", err)
	}
	s.reviews.cases = *cases
	standings, err := pages.Decode(r, standingBytes, readStanding)
	if err != nil {
		return fmt.Errorf("reading standings: %w", err)
	}
	s.standings.of = *standings
	allowed, err := pages.Decode(r, allowanceBytes, readAllowance)
	if err != nil {
		return fmt.Errorf("reading allowances: %w", err)
	}
	s.allowances.list = *allowed
	if err := s.trade.read(r); err != nil {
		return err
	}
	goods, err := pages.Decode(r, goodBytes, readGood)
	if err != nil {
		return fmt.Errorf("reading goods: %w", err)
	}
	payouts, err := pages.Decode(r, payoutBytes, readPayout)
	if err != nil {
		return fmt.Errorf("reading payouts: %w", err)
	}
	credits, err := pages.Decode(r, cardCreditBytes, readCardCredit)
	if err != nil {
		return fmt.Errorf("reading card credits: %w", err)
	}
	s.goods.list, s.payouts.list, s.payouts.credits = *goods, *payouts, *credits
	own, err := pages.Decode(r, ownLimitsBytes, readOwnLimits)
	if err != nil {
		return fmt.Errorf("reading own limits: %w", err)
	}
	s.ownLimits.list = *own
	return nil
}

// rebuildIndexes rebuilds the indexes and refuses references that point nowhere.
func (s *State) rebuildIndexes() error {
	first, second, twice := s.personOf.Fill(s.people.Len(),
		func(i int) (uint64, int) { return Key(*s.people.At(i)).hash(), i },
		func(a, b int) bool { return *s.people.At(a) == *s.people.At(b) })
	if twice {
		return fmt.Errorf("persons %d and %d have the same id", first+1, second+1)
	}
	first, second, twice = s.dayOf.Fill(s.days.Len(),
		func(i int) (uint64, int) { return s.days.At(i).hash(), i },
		func(a, b int) bool { return s.days.At(a).same(s.days.At(b)) })
	if twice {
		return fmt.Errorf("records %d and %d are of the same day of a person", first+1, second+1)
	}
	p := &s.repeats
	if p.oldest > p.next || p.next-p.oldest > MaxRepeats || uint64(p.ring.Len()) != min(p.next, MaxRepeats) {
		return fmt.Errorf("idempotency keys %d to %d do not fit a ring of %d", p.oldest, p.next, p.ring.Len())
	}
	place := func(i int) int { return int((p.oldest + uint64(i)) % MaxRepeats) }
	first, second, twice = p.position.Fill(int(p.next-p.oldest),
		func(i int) (uint64, int) { return p.ring.At(place(i)).key.hash(), place(i) },
		func(a, b int) bool { return p.ring.At(a).key == p.ring.At(b).key })
	if twice {
		return fmt.Errorf("places %d and %d have the same idempotency key", first, second)
	}
	if err := s.checkShop(); err != nil {
		return err
	}
	if err := s.indexReviews(); err != nil {
		return err
	}
	if err := s.indexStandings(); err != nil {
		return err
	}
	if err := s.indexAllowances(); err != nil {
		return err
	}
	if err := s.indexGoods(); err != nil {
		return err
	}
	if err := s.validPayouts(); err != nil {
		return err
	}
	if err := s.indexTrade(); err != nil {
		return err
	}
	if err := s.indexOwnLimits(); err != nil {
		return err
	}
	for _, waiting := range s.epochs.waiting {
		for i := range waiting.Len() {
			account := s.books.Account(*waiting.At(i))
			if account == nil || account.Purpose != ledger.PurposePoints || s.World(account.Sub/2) == nil {
				return fmt.Errorf("account %d waits for an epoch and is no account of points", *waiting.At(i))
			}
		}
	}
	for i := range s.worlds {
		if !retentionValid(s.worlds[i].RetentionDays) {
			return fmt.Errorf("world %d keeps its events for %d days", i+1, s.worlds[i].RetentionDays)
		}
	}
	if e := &s.epochs; e.closing.Number != 0 && (len(e.worlds) > len(s.worlds) || e.paid > e.waiting[e.closing.Number&1].Len()) {
		return fmt.Errorf("epoch %d is being paid with %d worlds and %d accounts paid", e.closing.Number, len(e.worlds), e.paid)
	} else if waiting := &e.waiting[e.closing.Number&1]; e.closing.Number != 0 {
		for i := e.paid; i < waiting.Len(); i++ {
			if world := s.books.Account(*waiting.At(i)).Sub / 2; int(world) > len(e.worlds) {
				return fmt.Errorf("account %d waits for an epoch of %d worlds and is of world %d", *waiting.At(i), len(e.worlds), world)
			}
		}
	}
	return nil
}
