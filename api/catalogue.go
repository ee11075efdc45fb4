package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// ProductPath names a product of a world.
type ProductPath struct {
	WorldPath
	Product string `path:"product" maxLength:"32"`
}

func (s *server) registerCatalogue() {
	register(s, operation("set-product", "PUT", "/v1/worlds/{world}/products/{product}", "Add a product to a world's catalogue, or change it", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			ProductPath
			Idempotent
			Body wire.NewProduct
		}) (*answered[wire.Product], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			product, err := s.productOf(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			product.World, product.Code = number, in.Product
			answer, err := s.submit(ctx, bank.SetProduct{Key: in.key(who, "product"), Product: product}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			set, _ := bank.First[bank.ProductSet](answer.Bytes)
			shown, err := s.shownProduct(ctx, set.Product)
			return &answered[wire.Product]{replayed(answer), shown}, err
		})
	register(s, operation("list-products", "GET", "/v1/worlds/{world}/products", "A world's catalogue", "shop"), operator|worldServer|person|user, s.listProducts)
}

// productOf reads what a product is to be.
func (s *server) productOf(ctx context.Context, in wire.NewProduct) (product bank.Product, err error) {
	product = bank.Product{
		Supply: in.Supply, RefundWindowMS: in.RefundWindow * 1000, DeadlineMS: in.Deadline * 1000, RoyaltyBPS: in.RoyaltyBPS, OnSale: in.OnSale,
	}
	if product.PriceMicro, err = parseAmount("price", in.Price, micro); err != nil {
		return product, err
	}
	if in.Kind == "service" {
		product.Kind = bank.Service
	}
	if in.Asset == "" {
		return product, nil
	}
	product.Asset, err = s.assetNumber(ctx, in.Asset)
	return product, err
}

func (s *server) assetNumber(ctx context.Context, code string) (number uint32, err error) {
	found := false
	err = s.Bank.Read(ctx, func(state *bank.State) { number, found = state.Books().AssetByCode(code) })
	if err == nil && !found {
		err = notFound("asset " + strconv.Quote(code))
	}
	return number, err
}

func (s *server) assetCode(ctx context.Context, number uint32) (code string, err error) {
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if asset := state.Books().Asset(number); asset != nil {
			code = asset.Code
		}
	})
	return code, err
}

func (s *server) shownProduct(ctx context.Context, p bank.Product) (shown wire.Product, err error) {
	shown = wire.Product{Product: p.Code, Sold: p.Sold, NewProduct: wire.NewProduct{
		Kind: "item", Price: points(p.PriceMicro), Supply: p.Supply, RefundWindow: p.RefundWindowMS / 1000, Deadline: p.DeadlineMS / 1000,
		RoyaltyBPS: p.RoyaltyBPS, OnSale: p.OnSale,
	}}
	if p.Kind == bank.Service {
		shown.Kind = "service"
	} else if shown.Asset, err = s.assetCode(ctx, p.Asset); err != nil {
		return shown, err
	}
	shown.World, err = s.worldCode(ctx, p.World)
	return shown, err
}

// listProducts looks through the products of all worlds, a bounded number at a
// time, so that a page may have few items and yet not be the last.
func (s *server) listProducts(ctx context.Context, who identity.Principal, in *struct {
	WorldPath
	Page
}) (*body[wire.List[wire.Product]], error) {
	const looked = 10_000
	world, err := s.worldNumber(ctx, in.World)
	if err != nil {
		return nil, err
	}
	last := uint64(0) // number of the product before the page
	if in.Cursor != "" {
		if last, err = strconv.ParseUint(in.Cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	var products []bank.Product
	out := &body[wire.List[wire.Product]]{wire.List[wire.Product]{Items: []wire.Product{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, end := last+1, min(last+looked, uint64(state.Products()))
		for ; number <= end && len(products) < in.Limit; number++ {
			if p := *state.Product(uint32(number)); p.World == world {
				products = append(products, p)
			}
		}
		if number <= uint64(state.Products()) {
			out.Body.NextCursor = strconv.FormatUint(number-1, 10)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		shown, err := s.shownProduct(ctx, p)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	return out, nil
}
