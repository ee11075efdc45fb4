package api

import (
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
)

// shopTables are what a person bought, sold, was given and was paid out.
func (x *exported) shopTables() []export.Table {
	return []export.Table{x.purchasesTable(), x.listingsTable(), x.goodsTable(), x.payoutsTable(), x.cardsTable(), x.allowancesTable()}
}

func (x *exported) purchasesTable() export.Table {
	return export.Table{
		Name: "purchases", About: "What you bought of worlds, or a world bought for you by your allowance.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("kind", export.Text, "purchase, or purchase_for: by an allowance."), field("reference", export.Text, ""),
			field("purchase", export.Text, "Its number."), field("world", export.Text, ""), field("product", export.Text, ""), field("quantity", export.Number, ""), field("total", export.Amount, "TIME."),
			field("until", export.Time, "End of the refund window, or deadline of a service."), field("hold", export.Text, "Of a service."),
			field("status", export.Text, "pending, delivered, declined, refunded or lapsed."), field("ended", export.Time, "When it came to that, if it was said."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Purchases, x.person, func(t *history.Transaction, fact bank.Fact) error {
				f, is := fact.(bank.Purchased)
				if !is || f.Buyer != x.person {
					return nil
				}
				status, ended := "delivered", ""
				if f.Hold != 0 {
					if status = "pending"; f.UntilMS <= x.atMS {
						status = "lapsed"
					}
				}
				err := x.affairs(history.OfPurchase, f.Purchase, func(t *history.Transaction, fact bank.Fact) error {
					if end, is := fact.(bank.PurchaseEnded); is && end.Purchase == f.Purchase {
						status, ended = end.Outcome.String(), timeText(t.TimeMS)
					}
					return nil
				})
				if err != nil {
					return err
				}
				var product bank.Product
				err = x.Bank.Read(x.ctx, func(state *bank.State) {
					if p := state.Product(f.Product); p != nil {
						product = *p
					}
				})
				if err != nil {
					return err
				}
				world, err := x.worldCode(x.ctx, product.World)
				if err != nil {
					return err
				}
				return emit(timeText(t.TimeMS), operationOf(t), t.Kind, t.Reference, idText(f.Purchase), world, product.Code, f.Quantity, points(f.TotalMicro), timeText(f.UntilMS), idText(f.Hold), status, ended)
			})
		}),
	}
}

func (x *exported) listingsTable() export.Table {
	return export.Table{
		Name: "listings", About: "What you offered to others, and what you bought of others.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("listing", export.Text, "Its number."), field("as", export.Text, "seller or buyer."),
			field("asset", export.Text, ""), field("quantity", export.Number, ""), field("price", export.Amount, "TIME for all of it."), field("royalty", export.Amount, "Of the price, to the world."),
			field("status", export.Text, "open, sold or cancelled."), field("ended", export.Time, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Listings, x.person, func(t *history.Transaction, fact bank.Fact) error {
				switch f := fact.(type) {
				case bank.ListingPlaced:
					if f.Seller == x.person {
						return x.listingRow(emit, t, f)
					}
				case bank.ListingEnded:
					if f.Buyer == x.person {
						var l bank.Listing
						if err := x.Bank.Read(x.ctx, func(state *bank.State) { l, _ = state.Listing(f.Listing) }); err != nil {
							return err
						}
						asset, err := x.asset(l.Asset)
						if err != nil {
							return err
						}
						return emit(timeText(t.TimeMS), operationOf(t), t.Reference, idText(f.Listing), "buyer", asset.code, l.Quantity, points(f.PriceMicro), points(f.RoyaltyMicro), "sold", timeText(t.TimeMS))
					}
				}
				return nil
			})
		}),
	}
}

func (x *exported) listingRow(emit func(...any) error, t *history.Transaction, f bank.ListingPlaced) error {
	asset, err := x.asset(f.Asset)
	if err != nil {
		return err
	}
	status, royalty, ended := "open", "", ""
	err = x.affairs(history.OfListing, f.Listing, func(t *history.Transaction, fact bank.Fact) error {
		if end, is := fact.(bank.ListingEnded); is && end.Listing == f.Listing {
			if status, ended = "cancelled", timeText(t.TimeMS); end.Buyer != 0 {
				status, royalty = "sold", points(end.RoyaltyMicro)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return emit(timeText(t.TimeMS), operationOf(t), t.Reference, idText(f.Listing), "seller", asset.code, f.Quantity, points(f.PriceMicro), royalty, status, ended)
}

func (x *exported) goodsTable() export.Table {
	return export.Table{
		Name: "goods", About: "Unique goods that you got, offered and gave, in the order in which it happened.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("good", export.Text, "Number of the bank."), field("asset", export.Text, "Its collection."),
			field("id", export.Text, "Of its world."), field("what", export.Text, "bought, offered, sold, given, received or taken_back."), field("price", export.Amount, "TIME; of an offer 0 takes it back."),
			field("royalty", export.Amount, "Of the price, to the world."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Goods, x.person, func(t *history.Transaction, fact bank.Fact) error {
				var number uint64
				var what, royalty string
				var priceMicro int64
				switch f := fact.(type) {
				case bank.GoodOffered:
					if f.Owner == x.person {
						number, what, priceMicro = f.Good, "offered", f.PriceMicro
					}
				case bank.GoodMoved:
					number, priceMicro, royalty = f.Good, f.PriceMicro, points(f.RoyaltyMicro)
					what = movedText(f, x.person)
				}
				if what == "" {
					return nil
				}
				var good bank.Good
				if err := x.Bank.Read(x.ctx, func(state *bank.State) { good, _ = state.Good(number) }); err != nil {
					return err
				}
				asset, err := x.asset(good.Asset)
				if err != nil {
					return err
				}
				return emit(timeText(t.TimeMS), operationOf(t), t.Reference, idText(number), asset.code, good.ID, what, points(priceMicro), royalty)
			})
		}),
	}
}

// movedText says what a move of a good was to a person, nothing if it was none.
func movedText(f bank.GoodMoved, person uint64) string {
	switch {
	case f.To == person && (f.From == 0 || f.PriceMicro > 0):
		return "bought"
	case f.To == person:
		return "received"
	case f.From == person && f.To == 0:
		return "taken_back"
	case f.From == person && f.PriceMicro > 0:
		return "sold"
	case f.From == person:
		return "given"
	}
	return ""
}

func (x *exported) payoutsTable() export.Table {
	return export.Table{
		Name: "payouts", About: "What you asked to be paid out; to whom stands among the payees.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("payout", export.Text, "Its number."), field("asset", export.Text, ""),
			field("amount", export.Amount, "Of the asset."), field("currency", export.Text, ""), field("paid", export.Amount, "Of the currency."),
			field("status", export.Text, "pending, paid, failed or cancelled."), field("ended", export.Time, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Payouts, x.person, func(t *history.Transaction, fact bank.Fact) error {
				f, is := fact.(bank.PayoutRequested)
				if !is || f.Person != x.person {
					return nil
				}
				status, ended := bank.PayoutPending.String(), ""
				err := x.affairs(history.OfPayout, f.Payout, func(t *history.Transaction, fact bank.Fact) error {
					if end, is := fact.(bank.PayoutEnded); is && end.Payout == f.Payout {
						status, ended = end.Status.String(), timeText(t.TimeMS)
					}
					return nil
				})
				if err != nil {
					return err
				}
				asset, err := x.asset(f.Asset)
				if err != nil {
					return err
				}
				currency, err := x.asset(f.Currency)
				if err != nil {
					return err
				}
				return emit(timeText(t.TimeMS), operationOf(t), t.Reference, idText(f.Payout), asset.code, asset.format(f.AmountMinor), currency.code, currency.format(f.PaidMinor), status, ended)
			})
		}),
	}
}

func (x *exported) cardsTable() export.Table {
	return export.Table{
		Name: "cards", About: "What you bought by card, and what was charged back.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("credit", export.Text, "Its number."), field("asset", export.Text, ""),
			field("amount", export.Amount, ""), field("until", export.Time, "Until then it stays in the account."), field("charged_back", export.Bool, ""), field("owed", export.Amount, "What of a charge-back you owe."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Cards, x.person, func(t *history.Transaction, fact bank.Fact) error {
				f, is := fact.(bank.CardCredited)
				if !is || f.Credit.Person != x.person {
					return nil
				}
				asset, err := x.asset(f.Credit.Asset)
				if err != nil {
					return err
				}
				return emit(timeText(t.TimeMS), operationOf(t), t.Reference, idText(f.Number), asset.code, asset.format(f.Credit.AmountMinor), timeText(f.Credit.UntilMS), f.Credit.ChargedBack, asset.format(f.Credit.OwedMinor))
			})
		}),
	}
}

func (x *exported) allowancesTable() export.Table {
	return export.Table{
		Name: "allowances", About: "What you let worlds spend of your TIME, and what they have spent.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("reference", export.Text, ""), field("world", export.Text, ""), field("what", export.Text, "set or spent."),
			field("daily", export.Amount, "TIME a day that was set; 0 took it back."), field("day", export.Time, "On which it was spent."), field("amount", export.Amount, "That was spent."),
			field("spent", export.Amount, "On the day so far."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Allowances, x.person, func(t *history.Transaction, fact bank.Fact) error {
				row := func(world uint32, what, daily, day, amount, spent string) error {
					code, err := x.worldCode(x.ctx, world)
					if err != nil {
						return err
					}
					return emit(timeText(t.TimeMS), operationOf(t), t.Reference, code, what, daily, day, amount, spent)
				}
				switch f := fact.(type) {
				case bank.AllowanceSet:
					if f.Person == x.person {
						return row(f.World, "set", points(f.DailyMicro), "", "", points(f.SpentMicro))
					}
				case bank.AllowanceSpent:
					if f.Person == x.person {
						return row(f.World, "spent", "", dayText(f.Day), points(f.AmountMicro), points(f.SpentMicro))
					}
				}
				return nil
			})
		}),
	}
}
