package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

// ListingPath names a listing.
type ListingPath struct {
	Listing string `path:"listing" maxLength:"20"`
}

func (s *server) registerListings() {
	register(s, created("create-listing", "POST", "/v1/listings", "Offer items to others at a fixed price", "shop"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewListing
		}) (*answered[wire.Listing], error) {
			command := bank.PlaceListing{Key: in.key(who, "listing"), Reference: in.Body.Reference, Quantity: in.Body.Quantity}
			var err error
			if command.Asset, err = s.assetNumber(ctx, in.Body.Asset); err != nil {
				return nil, err
			}
			if command.PriceMicro, err = parseAmount("price", in.Body.Price, micro); err != nil {
				return nil, err
			}
			if command.Seller, err = s.registered(ctx, who.PersonID); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			placed, _ := bank.First[bank.ListingPlaced](answer.Bytes)
			return s.changedListing(ctx, who, placed.Listing, answer)
		})
	register(s, operation("list-listings", "GET", "/v1/listings", "What people offer, the oldest first", "shop"), operator|worldServer|person|user, s.listListings)
	register(s, operation("cancel-listing", "POST", "/v1/listings/{listing}/cancel", "Take back what is offered", "shop"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			ListingPath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Listing], error) {
			number, err := s.ownListing(ctx, who, in.Listing)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.CancelListing{Key: in.key(who, "unlist"), Reference: in.Body.Reference, Listing: number}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedListing(ctx, who, number, answer)
		})
	register(s, operation("buy-listing", "POST", "/v1/listings/{listing}/purchase", "Buy what is offered, all of it", "shop"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			ListingPath
			Idempotent
			Body wire.NewListingPurchase
		}) (*answered[wire.Receipt], error) {
			command := bank.BuyListing{Key: in.key(who, "buy-listing"), Reference: in.Body.Reference}
			var err error
			if command.Listing, err = parseNumber("listing", in.Listing); err != nil {
				return nil, err
			}
			if command.MaxPriceMicro, err = parseAmount("max_price", in.Body.MaxPrice, micro); err != nil {
				return nil, err
			}
			if command.Buyer, err = s.registered(ctx, who.PersonID); err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
}

// ownListing returns the number of a listing that a caller may take back.
func (s *server) ownListing(ctx context.Context, who identity.Principal, text string) (uint64, error) {
	number, err := parseNumber("listing", text)
	if err != nil {
		return 0, err
	}
	var found bool
	var seller [16]byte
	err = s.Bank.Read(ctx, func(state *bank.State) {
		var listing bank.Listing
		listing, found = state.Listing(number)
		seller, _ = state.PersonID(listing.Seller)
	})
	switch {
	case err != nil:
		return 0, err
	case who.Kind != identity.Operator && (!found || who.PersonID != seller):
		return 0, forbidden("The listing is not yours.")
	case !found:
		return 0, notFound("listing")
	}
	return number, nil
}

// listingOf shows a listing; who offers it is nobody's business but the
// seller's.
func listingOf(state *bank.State, who identity.Principal, number uint64) wire.Listing {
	listing, _ := state.Listing(number)
	seller, _ := state.PersonID(listing.Seller)
	return wire.Listing{
		Listing: strconv.FormatUint(number, 10), Yours: who.Kind == identity.Person && who.PersonID == seller, Asset: state.Books().Asset(listing.Asset).Code,
		Quantity: listing.Quantity, Price: points(listing.PriceMicro), Open: !listing.Over,
	}
}

func (s *server) changedListing(ctx context.Context, who identity.Principal, number uint64, answer journal.Answer) (*answered[wire.Listing], error) {
	out := &answered[wire.Listing]{Replayed: replayed(answer)}
	err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = listingOf(state, who, number) })
	return out, err
}

// listListings shows what is offered now. It looks through a bounded number of
// listings, so that a page may have few items and yet not be the last.
func (s *server) listListings(ctx context.Context, who identity.Principal, in *struct {
	Page
	Asset string `query:"asset" maxLength:"24" doc:"Only listings of this asset."`
}) (*body[wire.List[wire.Listing]], error) {
	const looked = 10_000
	last := uint64(0) // number of the listing before the page
	if in.Cursor != "" {
		var err error
		if last, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Listing]]{wire.List[wire.Listing]{Items: []wire.Listing{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		number, end := last+1, min(last+looked, state.Listings())
		for ; number <= end && len(out.Body.Items) < in.Limit; number++ {
			if shown := listingOf(state, who, number); shown.Open && (in.Asset == "" || shown.Asset == in.Asset) {
				out.Body.Items = append(out.Body.Items, shown)
			}
		}
		if number <= state.Listings() {
			out.Body.NextCursor = strconv.FormatUint(number-1, 10)
		}
	})
	return out, err
}
