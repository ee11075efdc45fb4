package bank_test

import (
	"fmt"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
)

// redeemCommand is command for unique goods, payouts and what was bought by
// card.
func (s *script) redeemCommand(args []string, options map[string]string) []byte {
	key, reference := bank.Key(id(options["key"])), options["ref"]
	asset := func(code string) uint32 {
		number, _ := s.state.Books().AssetByCode(code)
		return number
	}
	person := func(name string) uint64 {
		if name == "world" {
			return 0
		}
		_, number := s.owner(name)
		return number
	}
	minor := func(code, text string) int64 {
		value, err := amount.Parse(text, int(s.state.Books().Asset(asset(code)).Scale))
		if err != nil {
			s.t.Fatalf("%q: %v", text, err)
		}
		return value
	}
	// good is COLLECTION/id, or #number.
	good := func(name string) uint64 {
		if name[0] == '#' {
			return uint64(s.integer(name[1:]))
		}
		for i := range name {
			if name[i] == '/' {
				number, _ := s.state.GoodByID(asset(name[:i]), name[i+1:])
				return number
			}
		}
		return 0
	}
	switch args[0] {
	case "collection":
		return bank.SetCollection{Key: key, Collection: bank.Collection{Asset: asset(args[1]), RefundWindowMS: s.integer(options["window"]) * 1000,
			RoyaltyBPS: uint16(s.integer(options["royalty"])), Givable: options["givable"] == "yes"}}.AppendTo(nil)
	case "good":
		return bank.SetGood{Key: key, Asset: asset(args[1]), ID: args[2], PriceMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "offer":
		return bank.OfferGood{Key: key, Reference: reference, Owner: person(args[1]), Good: good(args[2]), PriceMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "buy-good":
		return bank.BuyGood{Key: key, Reference: reference, Buyer: person(args[1]), Good: good(args[2]), MaxPriceMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "give":
		return bank.GiveGood{Key: key, Reference: reference, Owner: person(args[1]), Good: good(args[2]), To: person(args[3])}.AppendTo(nil)
	case "refund-good":
		return bank.RefundGood{Key: key, Reference: reference, Good: good(args[1])}.AppendTo(nil)
	case "payout-rate": // payout-rate GOLD EUR 1 100: one cent for a hundred
		return bank.SetPayoutRate{Key: key, Rate: bank.PayoutRate{Asset: asset(args[1]), Currency: asset(args[2]), PaidMinor: s.integer(args[3]), PerMinor: s.integer(args[4]), Open: options["open"] != "no"}}.AppendTo(nil)
	case "payout":
		least := int64(0)
		if options["least"] != "" {
			least = minor("EUR", options["least"])
		}
		return bank.RequestPayout{Key: key, Reference: reference, Person: person(args[1]), Asset: asset(args[2]), AmountMinor: minor(args[2], args[3]), MinPaidMinor: least}.AppendTo(nil)
	case "file":
		return bank.FilePayouts{Key: key, File: uint64(s.integer(args[1])), Currency: asset(args[2]), Most: uint32(s.integer(args[3]))}.AppendTo(nil)
	case "sent":
		return bank.SendPayouts{Key: key, File: uint64(s.integer(args[1]))}.AppendTo(nil)
	case "paid", "failed", "cancelled", "left-out", "pending":
		status := map[string]bank.PayoutStatus{"paid": bank.PayoutPaid, "failed": bank.PayoutFailed, "cancelled": bank.PayoutCancelled, "left-out": bank.PayoutLeftOut}[args[0]]
		return bank.EndPayout{Key: key, Reference: reference, Payout: uint64(s.integer(args[1])), Status: status}.AppendTo(nil)
	case "card":
		return bank.CreditCard{Key: key, Reference: reference, Person: person(args[1]), Asset: asset(args[2]), AmountMinor: minor(args[2], args[3]), UntilMS: parseTime(s.t, args[4])}.AppendTo(nil)
	case "chargeback":
		return bank.ChargeBack{Key: key, Reference: reference, Credit: uint64(s.integer(args[1]))}.AppendTo(nil)
	}
	return nil
}

// describeRedeem is describeFact for the same.
func (s *script) describeRedeem(fact bank.Fact) string {
	micro := func(value int64) string { return amount.Format(value, 6) }
	owner := func(person uint64) string {
		if person == 0 {
			return "the world"
		}
		return fmt.Sprintf("person %d", person)
	}
	switch f := fact.(type) {
	case bank.CollectionSet:
		return fmt.Sprintf("collection %s: window %d s, royalty %d, givable %v", s.state.Books().Asset(f.Collection.Asset).Code, f.Collection.RefundWindowMS/1000, f.Collection.RoyaltyBPS, f.Collection.Givable)
	case bank.GoodOffered:
		return fmt.Sprintf("good %d %s of %s: on sale for %s", f.Good, f.ID, owner(f.Owner), micro(f.PriceMicro))
	case bank.GoodMoved:
		return fmt.Sprintf("good %d from %s to %s, price %s, royalty %s", f.Good, owner(f.From), owner(f.To), micro(f.PriceMicro), micro(f.RoyaltyMicro))
	case bank.PayoutRateSet:
		return fmt.Sprintf("payout rate %d: %d for %d, open %v", f.Version, f.Rate.PaidMinor, f.Rate.PerMinor, f.Rate.Open)
	case bank.PayoutRequested:
		return fmt.Sprintf("payout %d: person %d is to be paid %s for %s", f.Payout, f.Person, s.format(f.Currency, f.PaidMinor), s.format(f.Asset, f.AmountMinor))
	case bank.PayoutsFiled:
		return fmt.Sprintf("file %d: %d payouts of %s, %d to %d", f.File, f.Count, s.format(f.Currency, f.SumMinor), f.First, f.Last)
	case bank.PayoutEnded:
		return fmt.Sprintf("payout %d %s", f.Payout, f.Status)
	case bank.PayoutsSent:
		return fmt.Sprintf("file %d sent %s", f.File, time.UnixMilli(f.SentMS).UTC().Format(time.RFC3339))
	case bank.CardCredited:
		c := f.Credit
		return fmt.Sprintf("card credit %d: %s of person %d until %s, charged back %v, owed %s", f.Number, s.format(c.Asset, c.AmountMinor), c.Person,
			time.UnixMilli(c.UntilMS).UTC().Format(time.RFC3339), c.ChargedBack, s.format(c.Asset, c.OwedMinor))
	}
	return fmt.Sprintf("%T %+v", fact, fact)
}
