package economy

import (
	"fmt"
	"math/big"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// Sources of what is minted and burned that are no kinds of command.
const (
	fromAttention = "attention"  // what people earned: points, and TIME for them
	fromRounding  = "rounding"   // what rounding left of a share, to the treasury
	byPayment     = "paid_out"   // points for which TIME was paid
	byCorrection  = "taken_back" // points of a day that came to less
)

// take takes in a fact that is no posting.
func (f *Fold) take(fact bank.Fact, e Entry, by *attribution, inPeriod bool) error {
	switch fact := fact.(type) {
	case bank.AccountOpened:
		return f.accountOpened(fact, inPeriod)
	case bank.AssetRegistered:
		return f.assetRegistered(fact, e)
	case bank.WorldRegistered:
		return f.worldRegistered(fact, e)
	case bank.MonetaryPolicySet:
		if policy, sets := bank.MonetaryPolicyOf(e.Command); sets {
			f.policies = append(f.policies, policyFrom{fact.FromEpoch, policy})
		}
	case bank.Minted:
		return f.minted(fact, e, by, inPeriod)
	case bank.EpochClosing:
		f.closing = &epoch{EpochClosing: fact, policy: f.policyOf(fact.Epoch)}
	case bank.EpochPaid:
		return f.paid(fact, by, inPeriod)
	case bank.EpochClosed:
		f.closed(fact, e.TimeMS, inPeriod)
		by.person = 0
	case bank.Purchased:
		if inPeriod {
			f.shop.purchases++
			f.shop.sold.Add(&f.shop.sold, big.NewInt(fact.TotalMicro))
		}
	case bank.PurchaseEnded:
		if inPeriod {
			switch fact.Outcome {
			case bank.Delivered:
				f.shop.delivered++
			case bank.Declined:
				f.shop.declined++
			case bank.Refunded:
				f.shop.refunds++
			}
		}
	case bank.MarketOpened, bank.OrderPlaced, bank.OrderCancelled, bank.OrderFilled, bank.MarketCleared, bank.PhaseChanged:
		f.takeMarket(fact, e.TimeMS, inPeriod)
	case bank.CaseChanged:
		if inPeriod {
			f.takeCase(fact.Status)
		}
	case bank.ListingEnded:
		if inPeriod && fact.Buyer != 0 {
			f.shop.resales++
			f.shop.resold.Add(&f.shop.resold, big.NewInt(fact.PriceMicro))
			f.shop.royalties.Add(&f.shop.royalties, big.NewInt(fact.RoyaltyMicro))
		}
	}
	return nil
}

// accountOpened makes an account known; with the first of a person the person
// is.
func (f *Fold) accountOpened(opened bank.AccountOpened, inPeriod bool) error {
	// Accounts are numbered in the order of their opening, so a number far
	// ahead is no fact.
	if opened.Account == 0 || opened.Account > uint64(len(f.accounts))+1 {
		return fmt.Errorf("account %d was opened after %d", opened.Account, len(f.accounts))
	}
	f.openAccount(opened.Account, opened.Key)
	if opened.OwnerKind != ledger.OwnerPerson {
		return nil
	}
	if opened.Owner == 0 || opened.Owner > uint64(len(f.people))+1 {
		return fmt.Errorf("person %d came after %d", opened.Owner, len(f.people))
	}
	if known := uint64(len(f.people)); opened.Owner > known {
		f.person(opened.Owner)
		if inPeriod {
			f.newPeople++
		}
	}
	return nil
}

func (f *Fold) assetRegistered(fact bank.AssetRegistered, e Entry) error {
	command, registers := bank.AssetOf(e.Command)
	if !registers || int(fact.Asset) != len(f.assets)+1 {
		return fmt.Errorf("asset %d was registered after %d", fact.Asset, len(f.assets))
	}
	f.assets = append(f.assets, asset{code: command.Code, scale: int(command.Scale), world: command.World, flows: map[flowKey]*flow{}})
	return nil
}

func (f *Fold) worldRegistered(fact bank.WorldRegistered, e Entry) error {
	command, registers := bank.WorldOf(e.Command)
	if !registers || int(fact.World) != len(f.worlds)+1 {
		return fmt.Errorf("world %d was registered after %d", fact.World, len(f.worlds))
	}
	f.worlds = append(f.worlds, world{code: command.Code})
	return nil
}

func (f *Fold) minted(fact bank.Minted, e Entry, by *attribution, inPeriod bool) error {
	if fact.World == 0 || int(fact.World) > len(f.worlds) || fact.Person == 0 || fact.Person > uint64(len(f.people)) {
		return fmt.Errorf("points of person %d of world %d, which are not there", fact.Person, fact.World)
	}
	by.source, by.world, by.person = [2]string{fromAttention, byCorrection}, fact.World, fact.Person
	if !inPeriod || fact.DeltaPointsMicro == 0 {
		return nil
	}
	w, v := &f.worlds[fact.World-1], big.NewInt(fact.DeltaPointsMicro)
	p, today := f.person(fact.Person), &f.days[f.dayIndex(e.TimeMS)]
	p.earned += fact.DeltaPointsMicro
	today.points.Add(&today.points, v)
	if v.Sign() < 0 {
		w.taken.Sub(&w.taken, v)
		return nil
	}
	w.earned.Add(&w.earned, v)
	if now := bank.Day(e.TimeMS) + 1; p.lastDay != now {
		p.lastDay = now
		today.active++
	}
	return nil
}

// policyOf returns what held in an epoch: of several that were set for it the
// last.
func (f *Fold) policyOf(number uint64) bank.MonetaryPolicy {
	for i := len(f.policies) - 1; ; i-- {
		if f.policies[i].epoch <= number {
			return f.policies[i].policy
		}
	}
}

func (f *Fold) paid(fact bank.EpochPaid, by *attribution, inPeriod bool) error {
	if fact.World == 0 || int(fact.World) > len(f.worlds) || fact.Person == 0 || fact.Person > uint64(len(f.people)) {
		return fmt.Errorf("a payment to person %d of world %d, which are not there", fact.Person, fact.World)
	}
	by.source, by.world, by.person = [2]string{fromAttention, byPayment}, fact.World, fact.Person
	points, time := big.NewInt(fact.PointsMicro), big.NewInt(fact.TimeMicro)
	if f.closing != nil {
		f.closing.points.Add(&f.closing.points, points)
		f.closing.paid.Add(&f.closing.paid, time)
	}
	if inPeriod {
		w := &f.worlds[fact.World-1]
		w.points.Add(&w.points, points)
		w.time.Add(&w.time, time)
		f.person(fact.Person).paid += fact.TimeMicro
	}
	return nil
}

func (f *Fold) closed(fact bank.EpochClosed, timeMS int64, inPeriod bool) {
	if f.closing == nil {
		return
	}
	f.closing.issued, f.closing.treasury, f.closing.closedMS = fact.IssuedMicro, fact.TreasuryMicro, timeMS
	if inPeriod {
		f.epochs = append(f.epochs, *f.closing)
	}
	f.closing = nil
}
