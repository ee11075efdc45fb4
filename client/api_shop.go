// Written from /openapi.json by TestMethodsAreWritten; do not change it by hand.

package client

import (
	"context"
	"iter"

	"github.com/attentionbank/attentionbank/wire"
)

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
