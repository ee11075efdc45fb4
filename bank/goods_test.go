package bank_test

import (
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// collected is the naive twin of two collections of unique goods: whose each
// thing is and what everybody has in TIME. It knows nothing of accounts,
// postings and lists.
type collected struct {
	time      [4]int64 // of the people 1 to 3; 0 is the world
	things    []thing
	givable   []bool
	royalty   []int64 // basis points, by collection
	royalties int64   // what the world got of resales
}

type thing struct {
	collection, owner, price, paid, boughtMS int64
	id                                       string
}

const goodsWindowMS = 5000

func (c *collected) set(collection int64, id string, price int64) bool {
	for i := range c.things {
		if k := &c.things[i]; k.collection == collection && k.id == id {
			if k.owner != 0 {
				return false
			}
			k.price = price
			return true
		}
	}
	c.things = append(c.things, thing{collection: collection, id: id, price: price})
	return true
}

func (c *collected) thing(number int64) *thing {
	if number > int64(len(c.things)) {
		return nil
	}
	return &c.things[number-1]
}

func (c *collected) offer(owner, number, price int64) bool {
	k := c.thing(number)
	if k == nil || k.owner != owner {
		return false
	}
	k.price = price
	return true
}

func (c *collected) move(k *thing, to int64) {
	k.owner, k.price, k.paid, k.boughtMS = to, 0, 0, 0

}

func (c *collected) buy(buyer, number, nowMS int64) bool {
	k := c.thing(number)
	if k == nil || k.price == 0 || k.owner == buyer || c.time[buyer] < k.price {
		return false
	}
	price, seller, royalty := k.price, k.owner, int64(0)
	if seller != 0 { // the world's share, rounded up
		for royalty*10_000 < price*c.royalty[k.collection] {
			royalty++
		}
		c.royalties += royalty
	}
	c.time[buyer] -= price
	c.time[seller] += price - royalty
	c.time[0] += royalty
	c.move(k, buyer)
	if seller == 0 {
		k.paid, k.boughtMS = price, nowMS
	}
	return true
}

func (c *collected) give(owner, number, to int64) bool {
	k := c.thing(number)
	if k == nil || k.owner != owner || owner == to || owner != 0 && !c.givable[k.collection] {
		return false
	}
	c.move(k, to)
	return true
}

func (c *collected) refund(number, nowMS int64) bool {
	k := c.thing(number)
	if k == nil || k.paid == 0 || nowMS >= k.boughtMS+goodsWindowMS || c.time[0] < k.paid {
		return false
	}
	c.time[0] -= k.paid
	c.time[k.owner] += k.paid
	c.move(k, 0)
	return true
}

// Whatever the world sells, gives and takes back, and people offer, sell and
// give: each thing has one owner, the one that the naive twin says, and
// everybody has the twin's TIME. What is paid is shared between seller and
// world, nothing is made or lost, and a restored bank has the same.
func TestUniqueGoodsEqualNaive(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		nowMS := int64(1_767_225_600_000)
		state, apply := watchedBank(t, &nowMS)
		apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
		twin := &collected{givable: []bool{true, false}, royalty: []int64{333, rapid.SampledFrom([]int64{0, 1, 2500}).Draw(t, "royalty")}}
		for i, code := range []string{"LAND", "NAME"} {
			apply(bank.RegisterAsset{Code: code, World: 1}.AppendTo(nil))
			apply(bank.SetCollection{Collection: bank.Collection{Asset: 3 + uint32(i), RefundWindowMS: goodsWindowMS, RoyaltyBPS: uint16(twin.royalty[i]), Givable: twin.givable[i]}}.AppendTo(nil))
		}
		for person := int64(1); person <= 3; person++ {
			apply(bank.Mint{Person: [16]byte{byte(person)}, World: 1, Day: bank.Day(nowMS), Revision: 1, CumulativePointsMicro: 3000 * person}.AppendTo(nil))
			twin.time[person] = 3000 * person * 16667 / 1_000_000
		}
		nowMS += 26 * 60 * 60 * 1000
		apply(bank.AppendTick(nil))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			person, other := rapid.Int64Range(1, 3).Draw(t, "person"), rapid.Int64Range(1, 3).Draw(t, "other")
			number, price := rapid.Int64Range(1, 5).Draw(t, "good"), rapid.Int64Range(0, 40).Draw(t, "price")
			var got bank.Refusal
			var may bool
			switch rapid.IntRange(0, 8).Draw(t, "kind") {
			case 0, 1:
				collection, id := rapid.Int64Range(0, 1).Draw(t, "collection"), rapid.SampledFrom([]string{"0,0", "0,-1", "x"}).Draw(t, "id")
				got = apply(bank.SetGood{Asset: uint32(3 + collection), ID: id, PriceMicro: price}.AppendTo(nil))
				may = twin.set(collection, id, price)
			case 2, 3:
				got = apply(bank.OfferGood{Owner: uint64(person), Good: uint64(number), PriceMicro: price}.AppendTo(nil))
				may = twin.offer(person, number, price)
			case 4, 5:
				got = apply(bank.BuyGood{Buyer: uint64(person), Good: uint64(number), MaxPriceMicro: 1 << 40}.AppendTo(nil))
				may = twin.buy(person, number, nowMS)
			case 6:
				giver := person * rapid.Int64Range(0, 1).Draw(t, "a person gives")
				got = apply(bank.GiveGood{Owner: uint64(giver), Good: uint64(number), To: uint64(other)}.AppendTo(nil))
				may = twin.give(giver, number, other)
			case 7:
				got = apply(bank.RefundGood{Good: uint64(number)}.AppendTo(nil))
				may = twin.refund(number, nowMS)
			case 8:
				nowMS += rapid.Int64Range(0, 4000).Draw(t, "passes")
				got, may = apply(bank.AppendTick(nil)), true
			}
			if (got == bank.Accepted) != may {
				t.Fatalf("answered %s, the twin says %v", got, may)
			}
			twin.requireSame(t, state)
		}
		twin.requireSame(t, requireRestorable(outer, state))
	})
}

func (c *collected) requireSame(t *rapid.T, state *bank.State) {
	t.Helper()
	for person, want := range c.time {
		key := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: uint64(person), Asset: ledger.Time}
		if person == 0 {
			key = ledger.Key{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: ledger.Time}
		}
		number, _ := state.Books().Find(key)
		if got := state.Books().Account(number).Balance; got != want {
			t.Fatalf("%d (0 is the world) has %d TIME, the twin %d", person, got, want)
		}
	}
	if state.Goods() != uint64(len(c.things)) {
		t.Fatalf("%d goods, the twin has %d", state.Goods(), len(c.things))
	}
	var owned, inside [4][]uint64 // by owner and by collection
	for i, want := range c.things {
		number := uint64(i + 1)
		got, _ := state.Good(number)
		if got != (bank.Good{Asset: uint32(3 + want.collection), ID: want.id, Owner: uint64(want.owner), PriceMicro: want.price, PaidMicro: want.paid, BoughtMS: want.boughtMS}) {
			t.Fatalf("good %d is %+v, the twin says %+v", number, got, want)
		}
		owned[want.owner] = append(owned[want.owner], number)
		inside[want.collection] = append(inside[want.collection], number)
	}
	for collection := range 2 {
		var list []uint64
		for n := state.FirstGoodIn(uint32(3 + collection)); n != 0; n = state.GoodBehind(n) {
			list = append(list, n)
		}
		if !slices.Equal(list, inside[collection]) {
			t.Fatalf("collection %d lists %v, the twin %v", collection, list, inside[collection])
		}
	}
	for person := uint64(1); person <= 3; person++ {
		var list []uint64
		for n := state.FirstGoodOf(person); n != 0; n = state.NextGood(n) {
			list = append(list, n)
		}
		slices.Sort(list) // which is first is not told
		if !slices.Equal(list, owned[person]) {
			t.Fatalf("person %d lists %v, the twin %v", person, list, owned[person])
		}
	}
}
