package bank_test

import (
	"encoding/binary"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// goods is the naive twin of a shop with one item and one service: who has how
// many, what each has in TIME, and nothing of holds, postings or accounts.
type goods struct {
	time, held  [4]int64 // of the people 1 to 3
	items       [4]int64
	listed      [4]int64
	worldTime   int64
	purchases   []boughtGoods
	listings    []listedGoods
	price, left int64
}

type boughtGoods struct {
	buyer, quantity, total, atMS int64
	item                         bool
	state                        string
}

type listedGoods struct {
	seller, quantity, price int64
	over                    bool
}

const (
	shopWindowMS   = 5000
	shopDeadlineMS = 3000
	shopRoyaltyBPS = 333
)

// Whatever people buy, return, offer and resell: everybody has what the naive
// twin says, and the books balance after every command.
func TestShopEqualsNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nowMS := int64(1_767_225_600_000)
		state, apply := watchedBank(t, &nowMS)
		apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
		apply(bank.RegisterAsset{Code: "SWORD", World: 1}.AppendTo(nil))
		twin := &goods{price: 7, left: 6}
		for person := int64(1); person <= 3; person++ {
			var id [16]byte
			binary.BigEndian.PutUint64(id[:], uint64(person))
			apply(bank.Mint{Person: id, World: 1, Day: bank.Day(nowMS), Revision: 1, CumulativePointsMicro: 3000 * person}.AppendTo(nil))
			twin.time[person] = 3000 * person * 16667 / 1_000_000
		}
		nowMS += 26 * 60 * 60 * 1000
		apply(bank.AppendTick(nil))
		apply(bank.SetProduct{Product: bank.Product{World: 1, Code: "sword", Asset: 3, PriceMicro: twin.price, Supply: twin.left, RefundWindowMS: shopWindowMS, RoyaltyBPS: shopRoyaltyBPS, OnSale: true}}.AppendTo(nil))
		apply(bank.SetProduct{Product: bank.Product{World: 1, Code: "song", Kind: bank.Service, PriceMicro: 5, DeadlineMS: shopDeadlineMS, RefundWindowMS: shopWindowMS, OnSale: true}}.AppendTo(nil))
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			person := rapid.Int64Range(1, 3).Draw(t, "person")
			number := rapid.Int64Range(1, 8).Draw(t, "number")
			quantity := rapid.Int64Range(1, 3).Draw(t, "quantity")
			var got bank.Refusal
			var may bool
			switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); kind {
			case 0, 1:
				got = apply(bank.Purchase{Buyer: uint64(person), Product: uint32(kind) + 1, Quantity: quantity, MaxTotalMicro: 1 << 40}.AppendTo(nil))
				may = twin.buy(person, quantity, kind == 0, nowMS)
			case 2:
				got = apply(bank.EndPurchase{Purchase: uint64(number), Delivered: quantity > 1}.AppendTo(nil))
				may = twin.end(number, quantity > 1)
			case 3:
				got = apply(bank.Refund{Purchase: uint64(number)}.AppendTo(nil))
				may = twin.refund(number, nowMS)
			case 4:
				got = apply(bank.PlaceListing{Seller: uint64(person), Asset: 3, Quantity: quantity, PriceMicro: 10 * number}.AppendTo(nil))
				may = twin.list(person, quantity, 10*number)
			case 5:
				got = apply(bank.CancelListing{Listing: uint64(number)}.AppendTo(nil))
				may = twin.unlist(number)
			case 6:
				got = apply(bank.BuyListing{Buyer: uint64(person), Listing: uint64(number), MaxPriceMicro: 1 << 40}.AppendTo(nil))
				may = twin.resell(person, number)
			case 7:
				nowMS += rapid.Int64Range(0, 4000).Draw(t, "passes")
				got, may = apply(bank.AppendTick(nil)), true
				twin.lapse(nowMS)
			}
			if (got == bank.Accepted) != may {
				t.Fatalf("answered %s, the twin says %v", got, may)
			}
			twin.requireSame(t, state)
		}
	})
}

func (g *goods) buy(buyer, quantity int64, item bool, nowMS int64) bool {
	total := 5 * quantity
	if item {
		total = g.price * quantity
	}
	if item && quantity > g.left || g.time[buyer]-g.held[buyer] < total {
		return false
	}
	b := boughtGoods{buyer, quantity, total, nowMS, item, "delivered"}
	if item {
		g.left -= quantity
		g.items[buyer] += quantity
		g.time[buyer] -= total
		g.worldTime += total
	} else {
		b.state = "pending"
		g.held[buyer] += total
	}
	g.purchases = append(g.purchases, b)
	return true
}

func (g *goods) end(number int64, delivered bool) bool {
	if number > int64(len(g.purchases)) || g.purchases[number-1].state != "pending" {
		return false
	}
	b := &g.purchases[number-1]
	g.held[b.buyer] -= b.total
	b.state = "declined"
	if delivered {
		b.state = "delivered"
		g.time[b.buyer] -= b.total
		g.worldTime += b.total
	}
	return true
}

func (g *goods) lapse(nowMS int64) {
	for i := range g.purchases {
		if b := &g.purchases[i]; b.state == "pending" && nowMS >= b.atMS+shopDeadlineMS {
			g.held[b.buyer] -= b.total
			b.state = "lapsed"
		}
	}
}

func (g *goods) refund(number, nowMS int64) bool {
	if number > int64(len(g.purchases)) || g.purchases[number-1].state != "delivered" {
		return false
	}
	b := &g.purchases[number-1]
	if nowMS >= b.atMS+shopWindowMS || g.worldTime < b.total || b.item && g.items[b.buyer]-g.listed[b.buyer] < b.quantity {
		return false
	}
	b.state = "refunded"
	g.worldTime -= b.total
	g.time[b.buyer] += b.total
	if b.item {
		g.items[b.buyer] -= b.quantity
		g.left += b.quantity
	}
	return true
}

func (g *goods) list(seller, quantity, price int64) bool {
	if g.items[seller]-g.listed[seller] < quantity {
		return false
	}
	g.listed[seller] += quantity
	g.listings = append(g.listings, listedGoods{seller, quantity, price, false})
	return true
}

func (g *goods) open(number int64) *listedGoods {
	if number > int64(len(g.listings)) || g.listings[number-1].over {
		return nil
	}
	return &g.listings[number-1]
}

func (g *goods) unlist(number int64) bool {
	l := g.open(number)
	if l == nil {
		return false
	}
	l.over = true
	g.listed[l.seller] -= l.quantity
	return true
}

func (g *goods) resell(buyer, number int64) bool {
	l := g.open(number)
	if l == nil || l.seller == buyer || g.time[buyer]-g.held[buyer] < l.price {
		return false
	}
	royalty := (l.price*shopRoyaltyBPS + 9999) / 10_000
	g.time[buyer] -= l.price
	g.time[l.seller] += l.price - royalty
	g.worldTime += royalty
	l.over = true
	g.listed[l.seller] -= l.quantity
	g.items[l.seller] -= l.quantity
	g.items[buyer] += l.quantity
	return true
}

func (g *goods) requireSame(t *rapid.T, state *bank.State) {
	has := func(kind ledger.OwnerKind, owner uint64, asset uint32) ledger.Account {
		number, found := state.Books().Find(ledger.Key{OwnerKind: kind, Owner: owner, Asset: asset})
		if !found {
			return ledger.Account{}
		}
		return *state.Books().Account(number)
	}
	for person := range uint64(3) {
		money, items := has(ledger.OwnerPerson, person+1, ledger.Time), has(ledger.OwnerPerson, person+1, 3)
		if money.Balance != g.time[person+1] || money.Held != g.held[person+1] || items.Balance != g.items[person+1] || items.Held != g.listed[person+1] {
			t.Fatalf("person %d has %+v and %+v, the twin says %+v", person+1, money, items, *g)
		}
	}
	if world := has(ledger.OwnerWorld, 1, ledger.Time); world.Balance != g.worldTime {
		t.Fatalf("the world has %d, the twin says %d", world.Balance, g.worldTime)
	}
}
