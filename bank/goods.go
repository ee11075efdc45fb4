package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Bounds of unique goods.
const (
	MaxCollections = 10_000
	MaxGoods       = 50_000_000 // of all collections
	MaxGoodID      = 64         // bytes
)

// Collection is goods of a world of which each is one of a kind: land, tickets,
// names. It is an asset of the world; who owns a good has one unit of the asset
// in an account of its own purpose, which only the commands of goods move, and
// the good's record says which of the units it is.
type Collection struct {
	Asset uint32
	// RefundWindowMS is how long after the sale by the world a good is taken
	// back.
	RefundWindowMS int64
	// RoyaltyBPS is the world's share of the price of a resale.
	RoyaltyBPS uint16
	// Givable lets its owners give a good to others without a price.
	Givable bool
}

// Good is one thing of a collection.
type Good struct {
	Asset uint32 // of the collection
	ID    string // of the world, such as "12,-7": 1 to 64 of A-Z a-z 0-9 . _ : , -
	// Owner is the number of the person; 0 while it is the world's.
	Owner uint64
	// PriceMicro is for how much TIME it is on sale, 0 if it is not.
	PriceMicro int64
	// PaidMicro and BoughtMS are what its owner paid to the world, and when; zeros
	// once it was resold or given away.
	PaidMicro, BoughtMS int64
}

// good is a Good as it is kept, without pointers.
type good struct {
	asset               uint32
	length              uint8
	id                  [MaxGoodID]byte
	owner               uint64
	priceMicro          int64
	paidMicro, boughtMS int64
}

const goodBytes = 4 + 1 + MaxGoodID + 8 + 8 + 8 + 8

func appendGood(dst []byte, g *good) []byte {
	dst = append(append(le.AppendUint32(dst, g.asset), g.length), g.id[:]...)
	return appendI64(appendI64(appendI64(le.AppendUint64(dst, g.owner), g.priceMicro), g.paidMicro), g.boughtMS)
}

func readGood(src []byte) good {
	r := reader{src: src}
	return good{asset: r.u32(), length: r.u8(), id: [MaxGoodID]byte(r.take(MaxGoodID)), owner: r.u64(), priceMicro: r.i64(), paidMicro: r.i64(), boughtMS: r.i64()}
}

func (g *good) hash() uint64 {
	h := pages.Mix(0, uint64(g.asset)<<8|uint64(g.length))
	for i := 0; i < MaxGoodID; i += 8 {
		h = pages.Mix(h, le.Uint64(g.id[i:]))
	}
	return h
}

func (g *good) same(other *good) bool { return g.asset == other.asset && g.id == other.id }

// goods are all collections and what is in them.
type goods struct {
	collections []Collection
	list        pages.Array[good]

	// What follows is made from them.
	of             pages.Index       // goods by collection and id
	numbered       map[uint32]int    // collections by asset
	ownedBy        map[uint64]uint64 // the first good of a person; the others follow by next
	next, previous pages.Array[uint64]
	inside         []ends              // of each collection
	behind         pages.Array[uint64] // the good behind one in the same collection, 0 at the end
}

// ends are the first and the last good of a collection, 0 if it has none.
type ends struct{ first, last uint64 }

// SetCollection makes an asset of a world, of which nothing was issued yet, a
// collection of unique goods, or changes how they are sold.
type SetCollection struct {
	Key        Key
	Collection Collection
}

// AppendTo appends the encoded command.
func (c SetCollection) AppendTo(dst []byte) []byte {
	return c.Collection.appendTo(begin(dst, kindSetCollection, c.Key))
}

func (c *Collection) appendTo(dst []byte) []byte {
	dst = appendI64(le.AppendUint32(dst, c.Asset), c.RefundWindowMS)
	return appendBool(le.AppendUint16(dst, c.RoyaltyBPS), c.Givable)
}

func readCollection(r *reader) Collection {
	return Collection{Asset: r.u32(), RefundWindowMS: r.i64(), RoyaltyBPS: r.u16(), Givable: r.bool()}
}

// CollectionSet says how goods of a collection are sold.
type CollectionSet struct{ Collection Collection }

// SetGood adds a good to a collection, or puts one that is still the world's on
// sale at another price; 0 takes it from sale.
type SetGood struct {
	Key        Key
	Asset      uint32
	ID         string
	PriceMicro int64
}

// AppendTo appends the encoded command.
func (c SetGood) AppendTo(dst []byte) []byte {
	return appendI64(appendText8(le.AppendUint32(begin(dst, kindSetGood, c.Key), c.Asset), c.ID), c.PriceMicro)
}

// OfferGood lets others buy a good of its owner at a fixed price; 0 takes it
// back.
type OfferGood struct {
	Key        Key
	Reference  string
	Owner      uint64 // number of the person
	Good       uint64
	PriceMicro int64
}

// AppendTo appends the encoded command.
func (c OfferGood) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindOfferGood, c.Key), c.Reference)
	return appendI64(le.AppendUint64(le.AppendUint64(dst, c.Owner), c.Good), c.PriceMicro)
}

// GoodOffered says at which price a good is on sale, 0 for none. It is the
// first that is said of a new one.
type GoodOffered struct {
	Good       uint64
	Asset      uint32
	ID         string
	Owner      uint64 // 0 is the world
	PriceMicro int64
}

// BuyGood buys a good that is on sale, of the world or of its owner: TIME to
// the seller, of a resale the royalty to the world, the good to the buyer.
type BuyGood struct {
	Key           Key
	Reference     string
	Buyer         uint64 // number of the person
	Good          uint64
	MaxPriceMicro int64
}

// AppendTo appends the encoded command.
func (c BuyGood) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindBuyGood, c.Key), c.Reference)
	return appendI64(le.AppendUint64(le.AppendUint64(dst, c.Buyer), c.Good), c.MaxPriceMicro)
}

// GiveGood gives a good to somebody else, where the collection lets its owners
// do so. The world may always give what is still its own.
type GiveGood struct {
	Key       Key
	Reference string
	Owner     uint64 // number of the person; 0 is the world
	Good      uint64
	To        uint64
}

// AppendTo appends the encoded command.
func (c GiveGood) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindGiveGood, c.Key), c.Reference)
	return le.AppendUint64(le.AppendUint64(le.AppendUint64(dst, c.Owner), c.Good), c.To)
}

// RefundGood lets the world take back what it sold within the window of the
// collection, from whom it sold it to, for the price.
type RefundGood struct {
	Key       Key
	Reference string
	Good      uint64
}

// AppendTo appends the encoded command.
func (c RefundGood) AppendTo(dst []byte) []byte {
	return le.AppendUint64(appendText8(begin(dst, kindRefundGood, c.Key), c.Reference), c.Good)
}

// GoodMoved says who owns a good now, and what was paid. The postings stand
// before it.
type GoodMoved struct {
	Good     uint64
	From, To uint64 // numbers of persons; 0 is the world
	// PriceMicro was paid; RoyaltyMicro of it went to the world, rounded up. Of
	// a gift both are zero; of a refund PriceMicro was given back.
	PriceMicro, RoyaltyMicro int64
}

// Collections returns all collections, in the order in which they were made.
func (s *State) Collections() []Collection { return append([]Collection(nil), s.goods.collections...) }

// Collection returns the collection of an asset, if the asset is one.
func (s *State) Collection(asset uint32) (c Collection, found bool) {
	if i, found := s.goods.numbered[asset]; found {
		return s.goods.collections[i], true
	}
	return c, false
}

func (s *State) isCollection(asset uint32) bool {
	_, found := s.goods.numbered[asset]
	return found
}

// Goods returns the number of goods; they are numbered from 1 on.
func (s *State) Goods() uint64 { return uint64(s.goods.list.Len()) }

// Good returns a good by its number.
func (s *State) Good(number uint64) (g Good, found bool) {
	if number == 0 || number > s.Goods() {
		return g, false
	}
	k := s.goods.list.At(int(number - 1))
	return Good{k.asset, string(k.id[:k.length]), k.owner, k.priceMicro, k.paidMicro, k.boughtMS}, true
}

// GoodByID returns the number of a good of a collection.
func (s *State) GoodByID(asset uint32, id string) (number uint64, found bool) {
	want := good{asset: asset, length: uint8(min(len(id), MaxGoodID))}
	copy(want.id[:], id)
	i, found := s.goods.of.Find(want.hash(), func(i int) bool { return s.goods.list.At(i).same(&want) })
	if !found || len(id) > MaxGoodID {
		return 0, false
	}
	return uint64(i + 1), true
}

// FirstGoodIn returns the first good of a collection, and GoodBehind the one
// behind a good in its collection, by number; 0 at the end.
func (s *State) FirstGoodIn(asset uint32) uint64 {
	if i, found := s.goods.numbered[asset]; found {
		return s.goods.inside[i].first
	}
	return 0
}

// GoodBehind returns the good behind another of the same collection; 0 at the
// end.
func (s *State) GoodBehind(number uint64) uint64 {
	if number == 0 || number > s.Goods() {
		return 0
	}
	return *s.goods.behind.At(int(number - 1))
}

// FirstGoodOf returns a good of a person, and NextGood the one behind it, of
// the same person; 0 at the end.
func (s *State) FirstGoodOf(person uint64) uint64 { return s.goods.ownedBy[person] }

// NextGood returns the good behind another of the same owner; 0 at the end.
func (s *State) NextGood(number uint64) uint64 {
	if number == 0 || number > s.Goods() {
		return 0
	}
	return *s.goods.next.At(int(number - 1))
}

// checkGoods compares what accounts hold of collections with what the records
// of goods say.
func (s *State) checkGoods() (faults []error) {
	type place struct {
		owner uint64
		asset uint32
	}
	owned := map[place]int64{}
	for i := range s.goods.list.Len() {
		if g := s.goods.list.At(i); g.owner != 0 {
			owned[place{g.owner, g.asset}]++
		}
	}
	for n := uint64(1); n <= s.books.Accounts(); n++ {
		a := s.books.Account(n)
		if _, unique := s.goods.numbered[a.Asset]; !unique && a.Purpose != ledger.PurposeGoods {
			continue
		}
		switch key := (place{a.Owner, a.Asset}); {
		case a.Purpose == ledger.PurposeIssuer, a.Purpose != ledger.PurposeGoods && a.Balance == 0:
		case a.Purpose == ledger.PurposeGoods && a.OwnerKind == ledger.OwnerPerson && a.Sub == 0 && a.Balance == owned[key] && a.Held == 0:
			delete(owned, key)
		default:
			faults = append(faults, fmt.Errorf("account %d of person %d holds %d of collection %d, %d held; the records say %d", n, a.Owner, a.Balance, a.Asset, a.Held, owned[key]))
		}
	}
	if len(owned) > 0 {
		faults = append(faults, fmt.Errorf("the goods of %d owners are in no account", len(owned)))
	}
	return faults
}
