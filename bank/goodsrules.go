package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
)

func goodsAccount(person uint64, asset uint32) ledger.Key {
	return ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset, Purpose: ledger.PurposeGoods}
}

func (s *State) setCollection(r *reader) Refusal {
	c := readCollection(r)
	if !r.finished() {
		return Malformed
	}
	asset := s.books.Asset(c.Asset)
	if asset == nil {
		return AssetNotFound
	}
	i, known := s.goods.numbered[c.Asset]
	if !known && len(s.goods.collections) >= MaxCollections {
		return TooMany
	}
	if !s.collectionValid(&c) || !known && (asset.Issued != 0 || s.shop.productOf[c.Asset] != 0 || s.traded(c.Asset)) {
		return CollectionInvalid
	}
	if known {
		s.goods.collections[i] = c
	} else {
		s.goods.collections = append(s.goods.collections, c)
		s.goods.noteCollection(len(s.goods.collections) - 1)
	}
	s.answer = c.appendTo(append(s.answer, uint8(factCollectionSet)))
	return Accepted
}

func (s *State) collectionValid(c *Collection) bool {
	asset := s.books.Asset(c.Asset)
	return asset != nil && asset.World != 0 && asset.Scale == 0 && c.RefundWindowMS >= 0 && c.RefundWindowMS <= MaxWindowMS && c.RoyaltyBPS <= MaxRoyaltyBPS
}

// traded reports whether a market is in an asset.
func (s *State) traded(asset uint32) bool {
	for number := uint32(1); number <= s.Markets(); number++ {
		if m, _ := s.Market(number); m.Base == asset || m.Quote == asset {
			return true
		}
	}
	return false
}

func (g *goods) noteCollection(i int) {
	if g.numbered == nil {
		g.numbered, g.ownedBy = map[uint32]int{}, map[uint64]uint64{}
	}
	g.numbered[g.collections[i].Asset] = i
	g.inside = append(g.inside, ends{})
}

// noteGood makes room for what is made from a good, the last one, and puts it
// behind the others of its collection.
func (g *goods) noteGood(asset uint32) {
	g.next.Append(0)
	g.previous.Append(0)
	number := uint64(g.behind.Append(0) + 1)
	in := &g.inside[g.numbered[asset]]
	if in.first == 0 {
		in.first = number
	} else {
		*g.behind.Write(int(in.last - 1)) = number
	}
	in.last = number
}

func goodIDValid(id []byte) bool {
	return len(id) >= 1 && len(id) <= MaxGoodID && codeValid(id, func(c byte) bool {
		return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == ':' || c == ',' || c == '-'
	})
}

func (s *State) setGood(r *reader) Refusal {
	want := good{asset: r.u32()}
	id := r.text8()
	want.priceMicro = r.i64()
	if !r.finished() {
		return Malformed
	}
	if _, found := s.goods.numbered[want.asset]; !found {
		return CollectionNotFound
	}
	if !goodIDValid(id) || want.priceMicro < 0 {
		return GoodInvalid
	}
	number, known := s.GoodByID(want.asset, string(id))
	if known {
		k := s.goods.list.Write(int(number - 1))
		if k.owner != 0 {
			return NotYourGood
		}
		k.priceMicro = want.priceMicro
	} else {
		if s.Goods() >= MaxGoods {
			return TooMany
		}
		want.length = uint8(copy(want.id[:], id))
		i := s.goods.list.Append(want)
		s.goods.of.Insert(want.hash(), i)
		s.goods.noteGood(want.asset)
		number = uint64(i + 1)
	}
	s.goodOffered(number)
	return Accepted
}

func (s *State) goodOffered(number uint64) {
	g, _ := s.Good(number)
	dst := appendText8(le.AppendUint32(le.AppendUint64(append(s.answer, uint8(factGoodOffered)), number), g.Asset), g.ID)
	s.answer = appendI64(le.AppendUint64(dst, g.Owner), g.PriceMicro)
}

func (s *State) offerGood(r *reader) Refusal {
	reference := r.text8()
	owner, number, priceMicro := r.u64(), r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	g, found := s.Good(number)
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case owner == 0 || owner > s.People():
		return PersonNotFound
	case priceMicro < 0:
		return QuantityInvalid
	}
	if refusal := s.may(owner, FeatureResell); priceMicro > 0 && refusal != Accepted {
		return refusal
	}
	switch {
	case !found:
		return GoodNotFound
	case g.Owner != owner:
		return NotYourGood
	}
	s.goods.list.Write(int(number - 1)).priceMicro = priceMicro
	s.goodOffered(number)
	return Accepted
}

func (s *State) buyGood(r *reader) Refusal {
	reference := r.text8()
	buyer, number, maxMicro := r.u64(), r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	g, found := s.Good(number)
	feature := FeatureRedeem
	if g.Owner != 0 {
		feature = FeatureResell
	}
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case buyer == 0 || buyer > s.People():
		return PersonNotFound
	case found && (g.PriceMicro == 0 || g.Owner != 0 && s.Standing(g.Owner).Features&FeatureResell == 0):
		return NotOnSale
	case found && g.PriceMicro > maxMicro:
		return PriceExceeded
	case found && g.Owner == buyer:
		return OwnListing
	}
	if refusal := s.may(buyer, feature); refusal != Accepted {
		return refusal
	}
	if !found {
		return GoodNotFound
	}
	if refusal := s.maySpend(buyer, g.PriceMicro); refusal != Accepted {
		return refusal
	}
	payer, world := s.accountOf(timeAccount(buyer)), s.worldTime(s.books.Asset(g.Asset).World)
	if s.books.Account(payer).Available() < g.PriceMicro {
		return InsufficientAvailable
	}
	royalty := int64(0)
	if g.Owner == 0 {
		if s.issuable(g.Asset) < 1 {
			return Overflow
		}
		s.mustPost(payer, world, g.PriceMicro)
	} else {
		royalty = s.payResale(buyer, g.Owner, world, g.PriceMicro, s.goods.collections[s.goods.numbered[g.Asset]].RoyaltyBPS)
	}
	s.spent(buyer, g.PriceMicro, 0)
	s.moveGood(GoodMoved{Good: number, From: g.Owner, To: buyer, PriceMicro: g.PriceMicro, RoyaltyMicro: royalty})
	if g.Owner == 0 {
		k := s.goods.list.Write(int(number - 1))
		k.paidMicro, k.boughtMS = g.PriceMicro, s.nowMS
	}
	return Accepted
}

func (s *State) giveGood(r *reader) Refusal {
	reference := r.text8()
	owner, number, to := r.u64(), r.u64(), r.u64()
	if !r.finished() {
		return Malformed
	}
	g, found := s.Good(number)
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case owner > s.People() || to == 0 || to > s.People():
		return PersonNotFound
	}
	if owner != 0 {
		if refusal := s.may(owner, FeatureTransfer); refusal != Accepted {
			return refusal
		}
	}
	switch {
	case !found:
		return GoodNotFound
	case g.Owner != owner:
		return NotYourGood
	case owner == to:
		return SameAccount
	case owner == 0 && s.issuable(g.Asset) < 1:
		return Overflow
	case owner != 0 && !s.goods.collections[s.goods.numbered[g.Asset]].Givable:
		return NotTransferable
	}
	s.moveGood(GoodMoved{Good: number, From: owner, To: to})
	return Accepted
}

func (s *State) refundGood(r *reader) Refusal {
	reference := r.text8()
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	g, found := s.Good(number)
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case found && g.PaidMicro == 0:
		return PurchaseOver
	case found && s.nowMS >= g.BoughtMS+s.goods.collections[s.goods.numbered[g.Asset]].RefundWindowMS:
		return RefundWindowOver
	case !found:
		return GoodNotFound
	}
	seller, owner := s.worldTime(s.books.Asset(g.Asset).World), s.accountOf(timeAccount(g.Owner))
	if refusal := s.books.Admits(seller, owner, g.PaidMicro); refusal != ledger.Accepted {
		return refused(refusal)
	}
	s.mustPost(seller, owner, g.PaidMicro)
	s.moveGood(GoodMoved{Good: number, From: g.Owner, PriceMicro: g.PaidMicro})
	return Accepted
}

// moveGood gives a good to its next owner, the world if that is 0: its unit of
// the collection's asset, and the record that says whose it is. It is on sale
// no more.
func (s *State) moveGood(m GoodMoved) {
	k := s.goods.list.Write(int(m.Good - 1))
	issuer := s.books.Asset(k.asset).Issuer
	from, to := issuer, issuer
	if m.From != 0 {
		from = s.open(goodsAccount(m.From, k.asset))
		s.goods.unlink(m.Good, m.From)
	}
	if m.To != 0 {
		to = s.open(goodsAccount(m.To, k.asset))
		s.goods.link(m.Good, m.To)
	}
	s.mustPost(from, to, 1)
	k.owner, k.priceMicro, k.paidMicro, k.boughtMS = m.To, 0, 0, 0
	dst := le.AppendUint64(append(s.answer, uint8(factGoodMoved)), m.Good)
	dst = le.AppendUint64(le.AppendUint64(dst, m.From), m.To)
	s.answer = appendI64(appendI64(dst, m.PriceMicro), m.RoyaltyMicro)
}

// link puts a good before the others of its owner. Which is first depends on
// the order of commands and is not kept: a restored state has them by number.
func (g *goods) link(number, owner uint64) {
	first := g.ownedBy[owner]
	*g.next.Write(int(number - 1)), *g.previous.Write(int(number - 1)) = first, 0
	if first != 0 {
		*g.previous.Write(int(first - 1)) = number
	}
	g.ownedBy[owner] = number
}

func (g *goods) unlink(number, owner uint64) {
	next, previous := *g.next.At(int(number - 1)), *g.previous.At(int(number - 1))
	if previous == 0 {
		g.ownedBy[owner] = next
	} else {
		*g.next.Write(int(previous - 1)) = next
	}
	if next != 0 {
		*g.previous.Write(int(next - 1)) = previous
	}
	if next == 0 && previous == 0 {
		delete(g.ownedBy, owner)
	}
}

// indexGoods makes what is made from goods, and refuses those that point
// nowhere.
func (s *State) indexGoods() error {
	g := &s.goods
	for i := range g.collections {
		c := &g.collections[i]
		if _, twice := g.numbered[c.Asset]; twice || !s.collectionValid(c) || s.shop.productOf[c.Asset] != 0 {
			return fmt.Errorf("collection %d is not valid: %+v", i+1, *c)
		}
		g.noteCollection(i)
	}
	for i := range g.list.Len() {
		k := g.list.At(i)
		_, found := g.numbered[k.asset]
		valid := found && int(k.length) <= MaxGoodID && goodIDValid(k.id[:k.length]) && k.owner <= s.People() &&
			k.priceMicro >= 0 && k.paidMicro >= 0 && (k.owner != 0 || k.paidMicro == 0)
		for _, b := range k.id[min(int(k.length), MaxGoodID):] {
			valid = valid && b == 0
		}
		if !valid {
			return fmt.Errorf("good %d is not valid: %+v", i+1, *k)
		}
		g.noteGood(k.asset)
	}
	for i := g.list.Len() - 1; i >= 0; i-- {
		if owner := g.list.At(i).owner; owner != 0 {
			g.link(uint64(i+1), owner)
		}
	}
	first, second, twice := g.of.Fill(g.list.Len(),
		func(i int) (uint64, int) { return g.list.At(i).hash(), i },
		func(a, b int) bool { return g.list.At(a).same(g.list.At(b)) })
	if twice {
		return fmt.Errorf("goods %d and %d have the same id", first+1, second+1)
	}
	return nil
}
