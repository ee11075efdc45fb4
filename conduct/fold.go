package conduct

import (
	"fmt"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// Fold tells a watch what a journal says. It may begin anywhere: Known then
// answers for what was opened before.
type Fold struct {
	*Watch
	known    Known
	owners   map[uint64]ledger.Key // of accounts
	markets  map[uint32]bank.Market
	transfer []bank.Posted
	learned
}

// maxOwners bounds the accounts whose owners are remembered, where they can be
// asked for again.
const maxOwners = 1 << 20

// Known says what was opened before a fold began.
type Known interface {
	// Account returns whose account it is.
	Account(number uint64) (key ledger.Key, found bool)
	// Market returns what is traded in a market and how long its batches are.
	Market(number uint32) (m bank.Market, batchMS int64, found bool)
}

// NewFold returns a fold that has read nothing. known may be nil for one that
// begins with the first record.
func NewFold(known Known) *Fold {
	return &Fold{Watch: New(), known: known, owners: map[uint64]ledger.Key{}, markets: map[uint32]bank.Market{}}
}

// Ask lets the fold ask what people have in common when they place orders.
func (f *Fold) Ask(ties Ties) { f.ties = ties }

// Add takes in the answer to a command, in the order of the journal. Whether it
// was a transfer between accounts tells gifts from payments of a trade.
func (f *Fold) Add(timeMS int64, isTransfer bool, answer []byte) error {
	f.Advance(timeMS)
	f.transfer = f.transfer[:0]
	for fact, err := range bank.Facts(answer) {
		if err != nil {
			return fmt.Errorf("watching conduct: %w", err)
		}
		switch fact := fact.(type) {
		case bank.AccountOpened:
			f.owners[fact.Account] = fact.Key
		case bank.Posted:
			if isTransfer {
				f.posted(fact, timeMS)
			}
		case bank.Minted:
			f.Earned(fact.Person, int64(fact.Day), fact.DeltaPointsMicro)
		case bank.MarketOpened:
			f.markets[fact.Number] = fact.Market
			f.Market(fact.Number, fact.Config.BatchMS)
		default:
			if e, ofMarket := eventOf(fact); ofMarket {
				f.traded(e, timeMS)
			}
		}
	}
	return nil
}

// posted takes in a posting of a transfer; the two of a leg follow each other.
func (f *Fold) posted(p bank.Posted, timeMS int64) {
	if f.transfer = append(f.transfer, p); len(f.transfer)%2 == 1 {
		return
	}
	from, to := f.owner(f.transfer[len(f.transfer)-2].Account), f.owner(p.Account)
	if from.OwnerKind == ledger.OwnerPerson && to.OwnerKind == ledger.OwnerPerson && to.Asset == ledger.Time {
		f.Transferred(from.Owner, to.Owner, p.Amount, timeMS)
	}
}

func (f *Fold) owner(account uint64) ledger.Key {
	key, found := f.owners[account]
	if !found && f.known != nil {
		if len(f.owners) >= maxOwners {
			clear(f.owners)
		}
		key, _ = f.known.Account(account)
		f.owners[account] = key
	}
	return key
}

// traded takes in what a market said.
func (f *Fold) traded(e market.Event, timeMS int64) {
	m, found := f.markets[e.Market]
	if !found && f.known != nil {
		var batchMS int64
		if m, batchMS, found = f.known.Market(e.Market); found {
			f.markets[e.Market] = m
			f.Market(e.Market, batchMS)
		}
	}
	soldTime := m.Base == ledger.Time && e.Side == market.Sell || m.Quote == ledger.Time && e.Side == market.Buy
	if e.Kind == market.OrderFilled && soldTime {
		f.SoldTime(e.Owner, timeMS)
	}
	if e.Kind == market.OrderAccepted {
		f.learn(f.Watch, e.Owner, timeMS)
	}
	f.Event(e, timeMS)
}

// eventOf returns what a fact says of a market, as the market said it.
func eventOf(fact bank.Fact) (e market.Event, ofMarket bool) {
	switch f := fact.(type) {
	case bank.OrderPlaced:
		return market.Event{Kind: market.OrderAccepted, Side: f.Side, Market: f.Market, Number: f.Order, Owner: f.Person, Price: f.Price, Quantity: f.Quantity, Open: f.Quantity}, true
	case bank.OrderFilled:
		return market.Event{Kind: market.OrderFilled, Side: f.Side, Role: f.Role, Market: f.Market, Number: f.Order, Owner: f.Person, Price: f.Price, Quantity: f.Quantity, Open: f.Open, Counter: f.Counter}, true
	case bank.OrderCancelled:
		return market.Event{Kind: market.OrderCancelled, Side: f.Side, Reason: f.Reason, Market: f.Market, Number: f.Order, Owner: f.Person, Price: f.Price, Quantity: f.Quantity}, true
	case bank.OrderAmended:
		return market.Event{Kind: market.OrderAmended, Side: f.Side, Market: f.Market, Number: f.Order, Owner: f.Person, Price: f.Price, Quantity: f.Quantity, Open: f.Open}, true
	case bank.MarketCleared:
		return market.Event{Kind: market.MarketCleared, Market: f.Market, Price: f.Price, Quantity: f.Quantity}, true
	case bank.PhaseChanged:
		return market.Event{Kind: market.PhaseChanged, Reason: f.Reason, Market: f.Market, Price: f.Reference, Quantity: f.UntilMS, Open: int64(f.Phase)}, true
	}
	return e, false
}
