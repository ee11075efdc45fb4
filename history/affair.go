package history

import (
	"context"

	"github.com/attentionbank/attentionbank/bank"
)

// Affair says that a transaction has facts about a person, or about a thing of
// one, beside what the other tables have of it. What the facts say is read from
// the transaction.
type Affair struct {
	Topic  Topic
	Number uint64 // of whom or of what, as the topic says
	Seq    uint64
	Index  uint32
}

// Topic says what an affair is about, and what its number is a number of.
type Topic uint8

// The topics. A fact that names its person is among what that person does; one
// that names a thing alone is with the thing.
const (
	Orders      Topic = iota + 1 // placed, amended and cancelled by a person; fills have a table
	Conversions                  // of a person
	Purchases                    // by a person
	Listings                     // a person sold or bought
	Goods                        // unique ones that a person offered, got or gave
	Payouts                      // that a person asked for
	Cards                        // what a person bought by card
	Allowances                   // that a person set, and what was spent by them
	OwnLimits                    // that a person set
	Standings                    // what a person may do
	Holds                        // on an account
	OfPurchase                   // what became of a purchase
	OfListing                    // what became of a listing
	OfPayout                     // what became of a payout
	OfCase                       // what became of a case
)

// Affairs answers about what concerned somebody.
type Affairs interface {
	// Affairs returns the transactions of a topic and number, the oldest first.
	Affairs(ctx context.Context, query AffairQuery) ([]Transaction, error)
}

// AffairQuery says which affairs to return: those behind After, up to the record
// UntilSeq, at most Limit.
type AffairQuery struct {
	Topic    Topic
	Number   uint64
	After    Position // N means nothing here
	UntilSeq uint64
	Limit    int
}

// addAffairs appends whom and what a fact is about.
func (c *Chunk) addAffairs(t Transaction, fact bank.Fact) {
	about := func(topic Topic, number uint64) {
		if number != 0 { // 0 is nobody: the world, or no buyer
			c.Affairs = append(c.Affairs, Affair{topic, number, t.Seq, t.Index})
		}
	}
	switch f := fact.(type) {
	case bank.HoldPlaced:
		about(Holds, f.Account)
	case bank.HoldReduced:
		about(Holds, f.Account)
	case bank.Purchased:
		about(Purchases, f.Buyer)
	case bank.PurchaseEnded:
		about(OfPurchase, f.Purchase)
	case bank.ListingPlaced:
		about(Listings, f.Seller)
	case bank.ListingEnded:
		about(Listings, f.Buyer)
		about(OfListing, f.Listing)
	case bank.GoodOffered:
		about(Goods, f.Owner)
	case bank.GoodMoved:
		about(Goods, f.From)
		about(Goods, f.To)
	case bank.PayoutRequested:
		about(Payouts, f.Person)
	case bank.PayoutEnded:
		about(OfPayout, f.Payout)
	case bank.CardCredited:
		about(Cards, f.Credit.Person)
	case bank.CaseChanged:
		about(OfCase, f.Case)
	default:
		c.addConduct(about, fact)
	}
}

// addConduct does so with facts about what persons may do and how they trade.
func (c *Chunk) addConduct(about func(Topic, uint64), fact bank.Fact) {
	switch f := fact.(type) {
	case bank.OrderPlaced:
		about(Orders, f.Person)
	case bank.OrderAmended:
		about(Orders, f.Person)
	case bank.OrderCancelled:
		about(Orders, f.Person)
	case bank.OrdersKept:
		about(Orders, f.Person)
	case bank.Converted:
		about(Conversions, f.Person)
	case bank.AllowanceSet:
		about(Allowances, f.Person)
	case bank.AllowanceSpent:
		about(Allowances, f.Person)
	case bank.OwnLimitsSet:
		about(OwnLimits, f.Limits.Person)
	case bank.StandingSet:
		about(Standings, f.Person)
	case bank.PersonHalted:
		about(Standings, f.Person)
	}
}
