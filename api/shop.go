package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

// PurchasePath names a purchase.
type PurchasePath struct {
	Purchase string `path:"purchase" maxLength:"20"`
}

func (s *server) registerPurchases() {
	register(s, created("create-purchase", "POST", "/v1/purchases", "Buy a product of a world for TIME", "shop"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewPurchase
		}) (*answered[wire.Purchase], error) {
			command := bank.Purchase{Key: in.key(who, "purchase"), Reference: in.Body.Reference, Quantity: in.Body.Quantity}
			world, err := s.worldNumber(ctx, in.Body.World)
			if err != nil {
				return nil, err
			}
			err = s.Bank.Read(ctx, func(state *bank.State) { command.Product, _ = state.ProductByCode(world, in.Body.Product) })
			if err != nil {
				return nil, err
			}
			if command.MaxTotalMicro, err = parseAmount("max_total", in.Body.MaxTotal, micro); err != nil {
				return nil, err
			}
			if command.Buyer, err = s.registered(ctx, who.PersonID); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			bought, _ := bank.First[bank.Purchased](answer.Bytes)
			return s.changedPurchase(ctx, bought.Purchase, answer)
		})
	register(s, operation("get-purchase", "GET", "/v1/purchases/{purchase}", "A purchase, and what became of it", "shop"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *PurchasePath) (*body[wire.Purchase], error) {
			_, shown, err := s.purchase(ctx, who, in.Purchase, person)
			return &body[wire.Purchase]{shown}, err
		})
	register(s, operation("end-purchase", "POST", "/v1/purchases/{purchase}/outcome", "Say whether a service was rendered", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			PurchasePath
			Idempotent
			Body wire.PurchaseOutcome
		}) (*answered[wire.Purchase], error) {
			number, _, err := s.purchase(ctx, who, in.Purchase, 0)
			if err != nil {
				return nil, err
			}
			command := bank.EndPurchase{Key: in.key(who, "outcome"), Reference: in.Body.Reference, Purchase: number, Delivered: in.Body.Delivered}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedPurchase(ctx, number, answer)
		})
	register(s, operation("refund-purchase", "POST", "/v1/purchases/{purchase}/refund", "Take a purchase back within its window", "shop"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			PurchasePath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Purchase], error) {
			number, _, err := s.purchase(ctx, who, in.Purchase, 0)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.Refund{Key: in.key(who, "refund"), Reference: in.Body.Reference, Purchase: number}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedPurchase(ctx, number, answer)
		})
}

// purchase returns a purchase that a caller may act on, as the world that sold
// it, or may look at, as its buyer.
func (s *server) purchase(ctx context.Context, who identity.Principal, text string, lookers role) (number uint64, shown wire.Purchase, err error) {
	if number, err = parseNumber("purchase", text); err != nil {
		return 0, shown, err
	}
	var found bool
	var world uint32
	var buyer [16]byte
	err = s.Bank.Read(ctx, func(state *bank.State) {
		var view bank.PurchaseView
		if view, found = state.Purchase(number); found {
			world = state.Product(view.Product).World
			buyer, _ = state.PersonID(view.Buyer)
			shown = purchaseOf(state, number, view)
		}
	})
	if err != nil {
		return 0, shown, err
	}
	own := who.Kind == identity.Server && who.World == world || lookers&person != 0 && who.Kind == identity.Person && who.PersonID == buyer
	if who.Kind != identity.Operator && (!found || !own) {
		return 0, shown, forbidden("The purchase is not yours.")
	}
	if !found {
		return 0, shown, notFound("purchase")
	}
	return number, shown, nil
}

func purchaseOf(state *bank.State, number uint64, view bank.PurchaseView) wire.Purchase {
	product := state.Product(view.Product)
	buyer, _ := state.PersonID(view.Buyer)
	status := view.Outcome.String()
	if view.Lapsed {
		status = "lapsed"
	}
	return wire.Purchase{
		Purchase: strconv.FormatUint(number, 10), World: state.World(product.World).Code, Product: product.Code, Buyer: personText(buyer),
		Quantity: view.Quantity, Total: points(view.TotalMicro), Time: timeText(view.AtMS), Status: status,
	}
}

func (s *server) changedPurchase(ctx context.Context, number uint64, answer journal.Answer) (*answered[wire.Purchase], error) {
	out := &answered[wire.Purchase]{Replayed: replayed(answer)}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		if view, found := state.Purchase(number); found {
			out.Body = purchaseOf(state, number, view)
		}
	})
	return out, err
}
