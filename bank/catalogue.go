package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Bounds of what worlds sell.
const (
	MaxProducts = 100_000
	// MaxWindowMS bounds the time in which a product is taken back, and the
	// time in which a service is rendered: 90 days.
	MaxWindowMS = 90 * 24 * 60 * 60 * 1000
	// MaxRoyaltyBPS bounds a world's share of resales: a quarter.
	MaxRoyaltyBPS = 2500
)

// ProductKind says what a world sells.
type ProductKind uint8

// The kinds of product.
const (
	// Item is so many units of an asset of the world. Land and other goods of
	// which there is one are items of an asset with a supply of 1.
	Item ProductKind = iota
	// Service is rendered by the world after it was paid for; until then the
	// price is held.
	Service
)

// Product is something that a world sells for TIME.
type Product struct {
	World uint32
	Code  string // tells the products of a world apart; 1 to 32 of A-Z a-z 0-9 - _
	Kind  ProductKind
	Asset uint32 // of an item; 0 for a service
	// PriceMicro is the price of one in millionths of TIME, 1 or more.
	PriceMicro int64
	// Supply is how many are sold in all, 0 for as many as are bought; Sold is
	// how many were, less those taken back.
	Supply, Sold int64
	// RefundWindowMS is how long after the purchase it may be taken back.
	RefundWindowMS int64
	// DeadlineMS is how long the world may take to render a service; after that
	// the price is given back.
	DeadlineMS int64
	// RoyaltyBPS is the world's share of the price of a resale, in basis points.
	// An asset is sold by one product only, so that it has one royalty.
	RoyaltyBPS uint16
	OnSale     bool
}

// shop is what is sold by worlds and between people.
type shop struct {
	products  []Product
	purchases pages.Array[purchase]
	listings  pages.Array[listing]

	// What follows is made from products.
	numberOf  map[productKey]uint32
	productOf map[uint32]uint32 // by asset, the one product that sells it
}

type productKey struct {
	world uint32
	code  string
}

// note brings what is made from products up to date with one of them.
func (s *shop) note(number uint32) {
	if s.numberOf == nil {
		s.numberOf, s.productOf = map[productKey]uint32{}, map[uint32]uint32{}
	}
	product := &s.products[number-1]
	s.numberOf[productKey{product.World, product.Code}] = number
	if product.Kind == Item {
		s.productOf[product.Asset] = number
	}
}

// SetProduct adds a product to the catalogue of a world, or replaces the one of
// the same code, which keeps what was sold, its kind and its asset.
type SetProduct struct {
	Key     Key
	Product Product // Sold is not looked at
}

// AppendTo appends the encoded command.
func (c SetProduct) AppendTo(dst []byte) []byte {
	return c.Product.appendTo(begin(dst, kindSetProduct, c.Key))
}

// ProductSet says what a product is now.
type ProductSet struct {
	Number  uint32
	Product Product
}

// A product is
//
//	| world u32 | code | kind u8 | asset u32 | price i64 | supply i64 | sold i64 |
//	| refund window i64 | deadline i64 | royalty u16 | on sale u8 |
func (p *Product) appendTo(dst []byte) []byte {
	dst = append(appendText8(le.AppendUint32(dst, p.World), p.Code), uint8(p.Kind))
	dst = appendI64(appendI64(le.AppendUint32(dst, p.Asset), p.PriceMicro), p.Supply)
	dst = appendI64(appendI64(appendI64(dst, p.Sold), p.RefundWindowMS), p.DeadlineMS)
	return appendBool(le.AppendUint16(dst, p.RoyaltyBPS), p.OnSale)
}

func readProduct(r *reader) Product {
	return Product{
		World: r.u32(), Code: string(r.text8()), Kind: ProductKind(r.u8()), Asset: r.u32(), PriceMicro: r.i64(), Supply: r.i64(), Sold: r.i64(),
		RefundWindowMS: r.i64(), DeadlineMS: r.i64(), RoyaltyBPS: r.u16(), OnSale: r.bool(),
	}
}

func (s *State) setProduct(r *reader) Refusal {
	product := readProduct(r)
	if !r.finished() {
		return Malformed
	}
	if s.World(product.World) == nil {
		return WorldNotFound
	}
	number, known := s.ProductByCode(product.World, product.Code)
	if !known && len(s.shop.products) >= MaxProducts {
		return TooMany
	}
	if !s.productValid(&product) {
		return ProductInvalid
	}
	if known {
		before := s.Product(number)
		if product.Kind != before.Kind || product.Asset != before.Asset {
			return ProductInvalid
		}
		product.Sold = before.Sold
		s.shop.products[number-1] = product
	} else if _, sold := s.shop.productOf[product.Asset]; sold && product.Kind == Item {
		return ProductInvalid
	} else {
		product.Sold = 0
		s.shop.products = append(s.shop.products, product)
		number = uint32(len(s.shop.products))
	}
	s.shop.note(number)
	s.answer = product.appendTo(le.AppendUint32(append(s.answer, uint8(factProductSet)), number))
	return Accepted
}

func (s *State) productValid(p *Product) bool {
	codeFits := len(p.Code) >= 1 && len(p.Code) <= 32 && codeValid([]byte(p.Code), func(c byte) bool {
		return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	})
	if !codeFits || p.PriceMicro < 1 || p.Supply < 0 || p.RoyaltyBPS > MaxRoyaltyBPS || p.RefundWindowMS < 0 || p.RefundWindowMS > MaxWindowMS {
		return false
	}
	switch p.Kind {
	case Item:
		asset := s.books.Asset(p.Asset)
		return asset != nil && asset.World == p.World && asset.Scale == 0 && !s.isCollection(p.Asset) && p.DeadlineMS == 0
	case Service:
		return p.Asset == 0 && p.DeadlineMS >= 1 && p.DeadlineMS <= MaxWindowMS && p.RoyaltyBPS == 0
	}
	return false
}

// Product returns a product by its number, nil if there is none.
func (s *State) Product(number uint32) *Product {
	if number == 0 || int(number) > len(s.shop.products) {
		return nil
	}
	return &s.shop.products[number-1]
}

// Products returns the number of products; they are numbered from 1 on.
func (s *State) Products() uint32 { return uint32(len(s.shop.products)) }

// ProductByCode returns the number of a product of a world.
func (s *State) ProductByCode(world uint32, code string) (number uint32, found bool) {
	number, found = s.shop.numberOf[productKey{world, code}]
	return number, found
}

// checkShop makes what is made from products, and refuses products, purchases
// and listings that point nowhere, on which later code relies.
func (s *State) checkShop() error {
	for i := range s.shop.products {
		p := &s.shop.products[i]
		if s.World(p.World) == nil || !s.productValid(p) || p.Sold < 0 {
			return fmt.Errorf("product %d is not valid: %+v", i+1, *p)
		}
		if first, twice := s.ProductByCode(p.World, p.Code); twice {
			return fmt.Errorf("products %d and %d have the same code", first, i+1)
		}
		s.shop.note(uint32(i + 1))
	}
	for i := range s.shop.purchases.Len() {
		p := s.shop.purchases.At(i)
		if s.Product(p.product) == nil || p.buyer == 0 || p.buyer > s.People() || p.outcome >= outcomes {
			return fmt.Errorf("purchase %d is not valid: %+v", i+1, *p)
		}
	}
	for i := range s.shop.listings.Len() {
		l := s.shop.listings.At(i)
		if l.seller == 0 || l.seller > s.People() || s.books.Asset(l.asset) == nil || s.World(s.books.Asset(l.asset).World) == nil {
			return fmt.Errorf("listing %d is not valid: %+v", i+1, *l)
		}
		if !l.over && !s.holdsListing(l) {
			return fmt.Errorf("listing %d does not hold what it offers: %+v", i+1, *l)
		}
	}
	return nil
}

// holdsListing reports whether a listing holds what it offers until it is over.
func (s *State) holdsListing(l *listing) bool {
	hold, refusal := s.books.Hold(l.hold)
	items, found := s.books.Find(itemAccount(l.seller, l.asset))
	clearing, foundToo := s.books.Find(ledger.Key{Asset: l.asset, Purpose: ledger.PurposeClearing})
	return refusal == ledger.Accepted && found && foundToo && l.quantity >= 1 && l.priceMicro >= 1 && hold.Managed && hold.ExpiresAtMS == 0 &&
		hold.Account == items && hold.Beneficiary == clearing && hold.Amount == l.quantity
}

// worldTime is the account into which a world is paid.
func (s *State) worldTime(world uint32) uint64 {
	number, found := s.books.Find(ledger.Key{OwnerKind: ledger.OwnerWorld, Owner: uint64(world), Asset: ledger.Time})
	if !found {
		panic(fmt.Sprintf("bank: world %d has no account of TIME", world))
	}
	return number
}

func itemAccount(person uint64, asset uint32) ledger.Key {
	return ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset}
}
