package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

// CollectionPath names a collection by its asset.
type CollectionPath struct {
	Asset string `path:"asset" maxLength:"24"`
}

// GoodPath names a good by the number that the bank gave it.
type GoodPath struct {
	Good string `path:"good" maxLength:"20"`
}

// ownCollection returns the asset of a collection that a caller may change.
func (s *server) ownCollection(ctx context.Context, who identity.Principal, code string) (asset uint32, err error) {
	if asset, err = s.assetNumber(ctx, code); err != nil && who.Kind == identity.Operator {
		return 0, err
	}
	var world uint32
	readErr := s.Bank.Read(ctx, func(state *bank.State) {
		if a := state.Books().Asset(asset); a != nil {
			world = a.World
		}
	})
	switch {
	case readErr != nil:
		return 0, readErr
	case who.Kind != identity.Operator && (world == 0 || world != who.World):
		return 0, forbidden("The collection is not yours.")
	}
	return asset, nil
}

func (s *server) registerGoods() {
	register(s, operation("set-collection", "PUT", "/v1/collections/{asset}", "Make an asset a collection of unique goods, or change how they are sold", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			CollectionPath
			Idempotent
			Body wire.NewCollection
		}) (*answered[wire.Collection], error) {
			asset, err := s.ownCollection(ctx, who, in.Asset)
			if err != nil {
				return nil, err
			}
			c := bank.Collection{Asset: asset, RefundWindowMS: in.Body.RefundWindow * 1000, RoyaltyBPS: in.Body.RoyaltyBPS, Givable: in.Body.Givable}
			answer, err := s.submit(ctx, bank.SetCollection{Key: in.key(who, "collection"), Collection: c}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			var world uint32
			if err := s.Bank.Read(ctx, func(state *bank.State) { world = state.Books().Asset(asset).World }); err != nil {
				return nil, err
			}
			code, err := s.worldCode(ctx, world)
			return &answered[wire.Collection]{replayed(answer), wire.Collection{Asset: in.Asset, World: code, NewCollection: in.Body}}, err
		})
	register(s, operation("set-good", "PUT", "/v1/collections/{asset}/goods/{id}", "Add a good to a collection, or put it on sale at another price", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			CollectionPath
			ID string `path:"id" maxLength:"64" doc:"Of the world, such as 12,-7."`
			Idempotent
			Body wire.NewGood
		}) (*answered[wire.Good], error) {
			asset, err := s.ownCollection(ctx, who, in.Asset)
			if err != nil {
				return nil, err
			}
			command := bank.SetGood{Key: in.key(who, "good"), Asset: asset, ID: in.ID}
			if command.PriceMicro, err = parseAmount("price", in.Body.Price, micro); err != nil {
				return nil, err
			}
			return s.submitGood(ctx, who, command.AppendTo(nil))
		})
	register(s, operation("get-good", "GET", "/v1/collections/{asset}/goods/{id}", "A good, and whether it is on sale", "shop"), operator|worldServer|person|user,
		func(ctx context.Context, who identity.Principal, in *struct {
			CollectionPath
			ID string `path:"id" maxLength:"64"`
		}) (*body[wire.Good], error) {
			out := &body[wire.Good]{}
			found := false
			err := s.Bank.Read(ctx, func(state *bank.State) {
				var number uint64
				asset, _ := state.Books().AssetByCode(in.Asset)
				if number, found = state.GoodByID(asset, in.ID); found {
					out.Body = goodOf(state, who, number)
				}
			})
			if err == nil && !found {
				err = notFound("good")
			}
			return out, err
		})
	register(s, operation("list-goods", "GET", "/v1/collections/{asset}/goods", "The goods of a collection", "shop"), operator|worldServer|person|user, s.listGoods)
	register(s, operation("list-own-goods", "GET", "/v1/people/{person}/goods", "The unique goods of a person", "shop"), operator|person, s.listOwnGoods)
	s.registerGoodSales()
}

func (s *server) registerGoodSales() {
	register(s, operation("offer-good", "POST", "/v1/goods/{good}/offer", "Offer a good of yours at a fixed price", "shop"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			GoodPath
			Idempotent
			Body wire.GoodOffer
		}) (*answered[wire.Good], error) {
			command := bank.OfferGood{Key: in.key(who, "offer-good"), Reference: in.Body.Reference}
			var err error
			if command.PriceMicro, err = parseAmount("price", in.Body.Price, micro); err != nil {
				return nil, err
			}
			if command.Good, command.Owner, err = s.goodFor(ctx, who, in.Good); err != nil {
				return nil, err
			}
			return s.submitGood(ctx, who, command.AppendTo(nil))
		})
	register(s, operation("buy-good", "POST", "/v1/goods/{good}/purchase", "Buy a good that is on sale, of the world or its owner", "shop"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			GoodPath
			Idempotent
			Body wire.NewListingPurchase
		}) (*answered[wire.Receipt], error) {
			command := bank.BuyGood{Key: in.key(who, "buy-good"), Reference: in.Body.Reference}
			var err error
			if command.MaxPriceMicro, err = parseAmount("max_price", in.Body.MaxPrice, micro); err != nil {
				return nil, err
			}
			if command.Good, command.Buyer, err = s.goodFor(ctx, who, in.Good); err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("give-good", "POST", "/v1/goods/{good}/gift", "Give a good of yours to somebody else; a world what is still its own", "shop"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			GoodPath
			Idempotent
			Body wire.GoodGift
		}) (*answered[wire.Receipt], error) {
			command := bank.GiveGood{Key: in.key(who, "give-good"), Reference: in.Body.Reference}
			id, err := parsePerson(in.Body.To)
			if err != nil {
				return nil, err
			}
			if command.To, _, err = s.personNumber(ctx, id); err != nil {
				return nil, err
			}
			if who.Kind == identity.Person {
				command.Good, command.Owner, err = s.goodFor(ctx, who, in.Good)
			} else {
				command.Good, err = s.goodOfWorld(ctx, who, in.Good)
			}
			if err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("refund-good", "POST", "/v1/goods/{good}/refund", "Take a good back within the window of its collection", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			GoodPath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Receipt], error) {
			number, err := s.goodOfWorld(ctx, who, in.Good)
			if err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, bank.RefundGood{Key: in.key(who, "refund-good"), Reference: in.Body.Reference, Good: number}.AppendTo(nil), in.Body.Reference)
		})
}

// goodFor reads the number of a good, and returns it with that of the person
// who asks.
func (s *server) goodFor(ctx context.Context, who identity.Principal, text string) (number, asking uint64, err error) {
	if number, err = parseNumber("good", text); err != nil {
		return 0, 0, err
	}
	asking, err = s.registered(ctx, who.PersonID)
	return number, asking, err
}

// goodOfWorld reads the number of a good whose world a caller acts for.
func (s *server) goodOfWorld(ctx context.Context, who identity.Principal, text string) (number uint64, err error) {
	if number, err = parseNumber("good", text); err != nil {
		return 0, err
	}
	var world uint32
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if g, found := state.Good(number); found {
			world = state.Books().Asset(g.Asset).World
		}
	})
	if err == nil && who.Kind != identity.Operator && (world == 0 || world != who.World) {
		err = forbidden("The good is not of your world.")
	}
	return number, err
}

func (s *server) submitGood(ctx context.Context, who identity.Principal, command []byte) (*answered[wire.Good], error) {
	answer, err := s.submit(ctx, command)
	if err != nil {
		return nil, err
	}
	return s.offeredGood(ctx, who, answer)
}

// offeredGood shows a good as the answer of a command says it.
func (s *server) offeredGood(ctx context.Context, who identity.Principal, answer journal.Answer) (*answered[wire.Good], error) {
	offered, _ := bank.First[bank.GoodOffered](answer.Bytes)
	out := &answered[wire.Good]{Replayed: replayed(answer)}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		out.Body = shownGood(state, who, offered.Good, bank.Good{Asset: offered.Asset, ID: offered.ID, Owner: offered.Owner, PriceMicro: offered.PriceMicro})
	})
	return out, err
}

func goodOf(state *bank.State, who identity.Principal, number uint64) wire.Good {
	g, _ := state.Good(number)
	return shownGood(state, who, number, g)
}

// shownGood shows a good; whose it is is nobody's business but the owner's, the
// world's and the operator's.
func shownGood(state *bank.State, who identity.Principal, number uint64, g bank.Good) wire.Good {
	asset := state.Books().Asset(g.Asset)
	shown := wire.Good{Good: strconv.FormatUint(number, 10), Asset: asset.Code, ID: g.ID, Owned: g.Owner != 0}
	if g.PriceMicro != 0 {
		shown.Price = points(g.PriceMicro)
	}
	owner, found := state.PersonID(g.Owner)
	sees := who.Kind == identity.Operator || who.Kind == identity.Server && who.World == asset.World || who.Kind == identity.Person && who.PersonID == owner
	if found && sees {
		shown.Owner = personText(owner)
	}
	return shown
}

// listGoods looks through a bounded number of goods of the collection, so that
// a page of those on sale may have few items and yet not be the last. The cursor
// is the last good that was looked at.
func (s *server) listGoods(ctx context.Context, who identity.Principal, in *struct {
	CollectionPath
	Page
	OnSale bool `query:"on_sale" doc:"Only what is on sale."`
}) (*body[wire.List[wire.Good]], error) {
	const looked = 10_000
	asset, err := s.assetNumber(ctx, in.Asset)
	if err != nil {
		return nil, err
	}
	last := uint64(0)
	if in.Cursor != "" {
		if last, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Good]]{wire.List[wire.Good]{Items: []wire.Good{}}}
	misplaced := false
	err = s.Bank.Read(ctx, func(state *bank.State) {
		next := state.FirstGoodIn(asset)
		if in.Cursor != "" {
			g, found := state.Good(last)
			if misplaced = !found || g.Asset != asset; misplaced {
				return
			}
			next = state.GoodBehind(last)
		}
		for range looked {
			if next == 0 || len(out.Body.Items) == in.Limit {
				break
			}
			if g, _ := state.Good(next); !in.OnSale || g.PriceMicro != 0 {
				out.Body.Items = append(out.Body.Items, shownGood(state, who, next, g))
			}
			last, next = next, state.GoodBehind(next)
		}
		if next != 0 {
			out.Body.NextCursor = strconv.FormatUint(last, 10)
		}
	})
	if misplaced {
		return nil, badCursor()
	}
	return out, err
}

func (s *server) listOwnGoods(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
}) (*body[wire.List[wire.Good]], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	out := &body[wire.List[wire.Good]]{wire.List[wire.Good]{Items: []wire.Good{}}}
	from := uint64(0)
	if in.Cursor != "" {
		if from, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil {
			return nil, badCursor()
		}
	}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, found := state.PersonByID(subject.Person)
		if !found {
			return
		}
		next := from
		if g, _ := state.Good(from); in.Cursor == "" || g.Owner != number { // it was sold meanwhile: from the first again
			next = state.FirstGoodOf(number)
		}
		for ; next != 0 && len(out.Body.Items) < in.Limit; next = state.NextGood(next) {
			out.Body.Items = append(out.Body.Items, goodOf(state, who, next))
		}
		if next != 0 {
			out.Body.NextCursor = strconv.FormatUint(next, 10)
		}
	})
	return out, err
}
