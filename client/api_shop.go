// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

// SetCollection is set-collection: make an asset a collection of unique goods, or change how they are sold.
// PUT /v1/collections/{asset}; operator, server.
func (c *Client) SetCollection(ctx context.Context, asset string, body wire.NewCollection, options ...Option) (wire.Collection, error) {
	return send[wire.Collection](ctx, c, "PUT", "/v1/collections/"+in(asset), keyed, body, options)
}

// ListGoods is list-goods: the goods of a collection.
// GET /v1/collections/{asset}/goods; operator, server, person, user.
// Filters: on_sale.
func (c *Client) ListGoods(ctx context.Context, asset string, options ...Option) iter.Seq2[wire.Good, error] {
	return pages[wire.Good](ctx, c, "/v1/collections/"+in(asset)+"/goods", options, "on_sale")
}

// GetGood is get-good: a good, and whether it is on sale.
// GET /v1/collections/{asset}/goods/{id}; operator, server, person, user.
func (c *Client) GetGood(ctx context.Context, asset string, id string, options ...Option) (wire.Good, error) {
	return get[wire.Good](ctx, c, "/v1/collections/"+in(asset)+"/goods/"+in(id), options)
}

// SetGood is set-good: add a good to a collection, or put it on sale at another price.
// PUT /v1/collections/{asset}/goods/{id}; operator, server.
func (c *Client) SetGood(ctx context.Context, asset string, id string, body wire.NewGood, options ...Option) (wire.Good, error) {
	return send[wire.Good](ctx, c, "PUT", "/v1/collections/"+in(asset)+"/goods/"+in(id), keyed, body, options)
}

// GiveGood is give-good: give a good of yours to somebody else; a world what is still its own.
// POST /v1/goods/{good}/gift; operator, server, person.
func (c *Client) GiveGood(ctx context.Context, good string, body wire.GoodGift, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/goods/"+in(good)+"/gift", keyed, body, options)
}

// OfferGood is offer-good: offer a good of yours at a fixed price.
// POST /v1/goods/{good}/offer; person.
func (c *Client) OfferGood(ctx context.Context, good string, body wire.GoodOffer, options ...Option) (wire.Good, error) {
	return send[wire.Good](ctx, c, "POST", "/v1/goods/"+in(good)+"/offer", keyed, body, options)
}

// BuyGood is buy-good: buy a good that is on sale, of the world or its owner.
// POST /v1/goods/{good}/purchase; person.
func (c *Client) BuyGood(ctx context.Context, good string, body wire.NewListingPurchase, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/goods/"+in(good)+"/purchase", keyed, body, options)
}

// RefundGood is refund-good: take a good back within the window of its collection.
// POST /v1/goods/{good}/refund; operator, server.
func (c *Client) RefundGood(ctx context.Context, good string, body wire.Ending, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/goods/"+in(good)+"/refund", keyed, body, options)
}

// ListListings is list-listings: what people offer, the oldest first.
// GET /v1/listings; operator, server, person, user.
// Filters: asset.
func (c *Client) ListListings(ctx context.Context, options ...Option) iter.Seq2[wire.Listing, error] {
	return pages[wire.Listing](ctx, c, "/v1/listings", options, "asset")
}

// CreateListing is create-listing: offer items to others at a fixed price.
// POST /v1/listings; person.
func (c *Client) CreateListing(ctx context.Context, body wire.NewListing, options ...Option) (wire.Listing, error) {
	return send[wire.Listing](ctx, c, "POST", "/v1/listings", keyed, body, options)
}

// CancelListing is cancel-listing: take back what is offered.
// POST /v1/listings/{listing}/cancel; operator, person.
func (c *Client) CancelListing(ctx context.Context, listing string, body wire.Ending, options ...Option) (wire.Listing, error) {
	return send[wire.Listing](ctx, c, "POST", "/v1/listings/"+in(listing)+"/cancel", keyed, body, options)
}

// BuyListing is buy-listing: buy what is offered, all of it.
// POST /v1/listings/{listing}/purchase; person.
func (c *Client) BuyListing(ctx context.Context, listing string, body wire.NewListingPurchase, options ...Option) (wire.Receipt, error) {
	return send[wire.Receipt](ctx, c, "POST", "/v1/listings/"+in(listing)+"/purchase", keyed, body, options)
}

// ListOwnGoods is list-own-goods: the unique goods of a person.
// GET /v1/people/{person}/goods; operator, person.
func (c *Client) ListOwnGoods(ctx context.Context, person string, options ...Option) iter.Seq2[wire.Good, error] {
	return pages[wire.Good](ctx, c, "/v1/people/"+in(person)+"/goods", options)
}

// CreatePurchase is create-purchase: buy a product of a world for TIME.
// POST /v1/purchases; person.
func (c *Client) CreatePurchase(ctx context.Context, body wire.NewPurchase, options ...Option) (wire.Purchase, error) {
	return send[wire.Purchase](ctx, c, "POST", "/v1/purchases", keyed, body, options)
}

// GetPurchase is get-purchase: a purchase, and what became of it.
// GET /v1/purchases/{purchase}; operator, server, person.
func (c *Client) GetPurchase(ctx context.Context, purchase string, options ...Option) (wire.Purchase, error) {
	return get[wire.Purchase](ctx, c, "/v1/purchases/"+in(purchase), options)
}

// EndPurchase is end-purchase: say whether a service was rendered.
// POST /v1/purchases/{purchase}/outcome; operator, server.
func (c *Client) EndPurchase(ctx context.Context, purchase string, body wire.PurchaseOutcome, options ...Option) (wire.Purchase, error) {
	return send[wire.Purchase](ctx, c, "POST", "/v1/purchases/"+in(purchase)+"/outcome", keyed, body, options)
}

// RefundPurchase is refund-purchase: take a purchase back within its window.
// POST /v1/purchases/{purchase}/refund; operator, server.
func (c *Client) RefundPurchase(ctx context.Context, purchase string, body wire.Ending, options ...Option) (wire.Purchase, error) {
	return send[wire.Purchase](ctx, c, "POST", "/v1/purchases/"+in(purchase)+"/refund", keyed, body, options)
}

// ListProducts is list-products: a world's catalogue.
// GET /v1/worlds/{world}/products; operator, server, person, user.
func (c *Client) ListProducts(ctx context.Context, world string, options ...Option) iter.Seq2[wire.Product, error] {
	return pages[wire.Product](ctx, c, "/v1/worlds/"+in(world)+"/products", options)
}

// SetProduct is set-product: add a product to a world's catalogue, or change it.
// PUT /v1/worlds/{world}/products/{product}; operator, server.
func (c *Client) SetProduct(ctx context.Context, world string, product string, body wire.NewProduct, options ...Option) (wire.Product, error) {
	return send[wire.Product](ctx, c, "PUT", "/v1/worlds/"+in(world)+"/products/"+in(product), keyed, body, options)
}
