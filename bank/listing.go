package bank

import "github.com/attentionbank/attentionbank/ledger"

// listing offers items of a person at a fixed price. It is kept for ever.
type listing struct {
	seller     uint64
	asset      uint32
	over       bool
	quantity   int64
	priceMicro int64
	hold       uint64
}

const listingBytes = 37

func appendListing(dst []byte, l *listing) []byte {
	dst = appendBool(le.AppendUint32(le.AppendUint64(dst, l.seller), l.asset), l.over)
	return le.AppendUint64(appendI64(appendI64(dst, l.quantity), l.priceMicro), l.hold)
}

func readListing(src []byte) listing {
	r := reader{src: src}
	return listing{seller: r.u64(), asset: r.u32(), over: r.bool(), quantity: r.i64(), priceMicro: r.i64(), hold: r.u64()}
}

// PlaceListing offers items of a person to others, together at one price. They
// are held until the listing is over.
type PlaceListing struct {
	Key        Key
	Reference  string
	Seller     uint64 // number of the person
	Asset      uint32
	Quantity   int64
	PriceMicro int64 // for all of them, in millionths of TIME
}

// AppendTo appends the encoded command.
func (c PlaceListing) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindPlaceListing, c.Key), c.Reference)
	return appendI64(appendI64(le.AppendUint32(le.AppendUint64(dst, c.Seller), c.Asset), c.Quantity), c.PriceMicro)
}

// ListingPlaced says what is offered. Its hold stands before it.
type ListingPlaced struct {
	Listing, Seller      uint64
	Asset                uint32
	Quantity, PriceMicro int64
	Hold                 uint64
}

// ListingEnded says that a listing was sold, or, with Buyer 0, cancelled.
type ListingEnded struct {
	Listing, Buyer uint64
	// PriceMicro is what the buyer paid; RoyaltyMicro of it went to the world,
	// rounded up.
	PriceMicro, RoyaltyMicro int64
}

func (s *State) placeListing(r *reader) Refusal {
	reference := r.text8()
	offer := listing{seller: r.u64(), asset: r.u32(), quantity: r.i64(), priceMicro: r.i64()}
	if !r.finished() {
		return Malformed
	}
	asset := s.books.Asset(offer.asset)
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case offer.seller == 0 || offer.seller > s.People():
		return PersonNotFound
	case asset == nil:
		return AssetNotFound
	case offer.quantity < 1 || offer.priceMicro < 1:
		return QuantityInvalid
	case asset.World == 0 || asset.Scale != 0:
		return NotListable
	}
	if refusal := s.may(offer.seller, FeatureResell); refusal != Accepted {
		return refusal
	}
	goods, found := s.books.Find(itemAccount(offer.seller, offer.asset))
	if !found || s.books.Account(goods).Available() < offer.quantity {
		return InsufficientAvailable
	}
	clearing := s.open(ledger.Key{Asset: offer.asset, Purpose: ledger.PurposeClearing})
	offer.hold = s.mustReserve(ledger.Hold{Account: goods, Beneficiary: clearing, Amount: offer.quantity, Managed: true})
	number := uint64(s.shop.listings.Append(offer) + 1)
	dst := le.AppendUint64(le.AppendUint64(append(s.answer, uint8(factListingPlaced)), number), offer.seller)
	dst = appendI64(appendI64(le.AppendUint32(dst, offer.asset), offer.quantity), offer.priceMicro)
	s.answer = le.AppendUint64(dst, offer.hold)
	return Accepted
}

// CancelListing gives the items back to their owner.
type CancelListing struct {
	Key       Key
	Reference string
	Listing   uint64
}

// AppendTo appends the encoded command.
func (c CancelListing) AppendTo(dst []byte) []byte {
	return le.AppendUint64(appendText8(begin(dst, kindCancelListing, c.Key), c.Reference), c.Listing)
}

func (s *State) cancelListing(r *reader) Refusal {
	reference := r.text8()
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	offer, refusal := s.offer(number)
	if refusal != Accepted {
		return refusal
	}
	s.release(offer.hold, HoldReleased)
	s.endedListing(ListingEnded{Listing: number})
	return Accepted
}

// BuyListing buys what a listing offers, all of it: TIME to the seller, the
// royalty to the world, the items to the buyer.
type BuyListing struct {
	Key           Key
	Reference     string
	Buyer         uint64 // number of the person
	Listing       uint64
	MaxPriceMicro int64
}

// AppendTo appends the encoded command.
func (c BuyListing) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindBuyListing, c.Key), c.Reference)
	return appendI64(le.AppendUint64(le.AppendUint64(dst, c.Buyer), c.Listing), c.MaxPriceMicro)
}

func (s *State) buyListing(r *reader) Refusal {
	reference := r.text8()
	buyer, number, maxMicro := r.u64(), r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if buyer == 0 || buyer > s.People() {
		return PersonNotFound
	}
	offer, refusal := s.offer(number)
	payer := timeAccount(buyer)
	switch {
	case refusal == Accepted && s.Standing(offer.seller).Features&FeatureResell == 0:
		return NotOnSale
	case offer.priceMicro > maxMicro && refusal == Accepted:
		return PriceExceeded
	case refusal != Accepted:
		return refusal
	case buyer == offer.seller:
		return OwnListing
	case s.may(buyer, FeatureResell) != Accepted:
		return s.may(buyer, FeatureResell)
	case s.maySpend(buyer, offer.priceMicro) != Accepted:
		return OwnLimitReached
	case s.books.Account(s.accountOf(payer)).Available() < offer.priceMicro:
		return InsufficientAvailable
	}
	s.spent(buyer, offer.priceMicro, 0)
	asset := s.books.Asset(offer.asset)
	royaltyBPS := uint16(0)
	if product := s.Product(s.shop.productOf[offer.asset]); product != nil {
		royaltyBPS = product.RoyaltyBPS
	}
	royalty := s.payResale(buyer, offer.seller, s.worldTime(asset.World), offer.priceMicro, royaltyBPS)
	if refusal := s.settle(offer.hold, offer.quantity, true); refusal != Accepted {
		panic("bank: the items of a listing were held and yet refused: " + refusal.String())
	}
	clearing := s.accountOf(ledger.Key{Asset: offer.asset, Purpose: ledger.PurposeClearing})
	s.mustPost(clearing, s.open(itemAccount(buyer, offer.asset)), offer.quantity)
	s.endedListing(ListingEnded{Listing: number, Buyer: buyer, PriceMicro: offer.priceMicro, RoyaltyMicro: royalty})
	return Accepted
}

// offer returns a listing that is not over.
func (s *State) offer(number uint64) (listing, Refusal) {
	if number == 0 || number > uint64(s.shop.listings.Len()) {
		return listing{}, ListingNotFound
	}
	offer := *s.shop.listings.At(int(number - 1))
	if offer.over {
		return offer, ListingOver
	}
	return offer, Accepted
}

func (s *State) endedListing(e ListingEnded) {
	s.shop.listings.Write(int(e.Listing - 1)).over = true
	dst := le.AppendUint64(le.AppendUint64(append(s.answer, uint8(factListingEnded)), e.Listing), e.Buyer)
	s.answer = appendI64(appendI64(dst, e.PriceMicro), e.RoyaltyMicro)
}

// Listing is what is known of a listing.
type Listing struct {
	Seller               uint64
	Asset                uint32
	Quantity, PriceMicro int64
	Over                 bool
}

// Listing returns a listing by its number.
func (s *State) Listing(number uint64) (Listing, bool) {
	offer, refusal := s.offer(number)
	return Listing{offer.seller, offer.asset, offer.quantity, offer.priceMicro, offer.over}, refusal != ListingNotFound
}

// Listings returns the number of listings; they are numbered from 1 on.
func (s *State) Listings() uint64 { return uint64(s.shop.listings.Len()) }
