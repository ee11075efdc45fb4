package lab

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// Player plays a stream on a production market.
type Player struct {
	Outcome
	Exchange *market.Exchange
	numbers  []uint64 // by operation
	events   []market.Event
}

// NewPlayer returns a player for a stream of so many operations, with a market
// that trades continuously and has no bands.
func NewPlayer(operations int) (*Player, error) {
	config := market.DefaultConfig()
	config.Mode, config.MaxOwnerOrders, config.AuctionMS, config.RandomMS = market.Continuous, 0, 0, 0
	config.DynamicBPS, config.StaticBPS, config.MaxOrders = 0, 0, 1<<22
	e := market.NewExchange()
	if _, err := e.Open(config); err != nil {
		return nil, err
	}
	if _, refusal := e.CallAuction(1, 0, 1, market.Seed{}, nil); refusal != market.Accepted {
		return nil, fmt.Errorf("opening the market: %v", refusal)
	}
	e.Tick(1, market.Seed{}, 1, nil)
	return &Player{Exchange: e, numbers: make([]uint64, operations+1), events: make([]market.Event, 0, 4096)}, nil
}

// On returns a player that goes on from here on another exchange, which has the
// same orders.
func (p *Player) On(e *market.Exchange) *Player {
	return &Player{Outcome: p.Outcome, Exchange: e, numbers: slices.Clone(p.numbers), events: make([]market.Event, 0, 4096)}
}

// Fill lets so many orders of others rest, twenty of an owner, beyond the prices
// that a stream of a million operations reaches.
func (p *Player) Fill(orders int) error {
	random := rand.New(rand.NewPCG(uint64(orders), 4))
	owners := uint64(max(orders/40, 1))
	for range orders {
		o := market.Order{Side: market.Side(random.IntN(2)), Quantity: 1 + random.Int64N(100)}
		o.Owner = 10_000 + 2*random.Uint64N(owners) + uint64(o.Side)
		o.Price = 100_000 + (2000+random.Int64N(5000))*step(o.Side)
		var refusal market.Refusal
		if _, p.events, refusal = p.Exchange.Place(1, o, 1, p.events[:0]); refusal != market.Accepted {
			return fmt.Errorf("%+v: %v", o, refusal)
		}
	}
	return nil
}

// Play plays operations, of which the first has the number from; a refusal is
// an error.
func (p *Player) Play(steps []Operation, from int) error {
	var refusal market.Refusal
	events, numbers := p.events, p.numbers
	for i := range steps {
		s := &steps[i]
		if s.Cancel != 0 {
			if events, refusal = p.Exchange.Cancel(1, numbers[s.Cancel], 0, 1, events[:0]); refusal != market.Accepted {
				return fmt.Errorf("cancelling operation %d: %v", s.Cancel, refusal)
			}
			continue
		}
		o := market.Order{Owner: uint64(s.Owner), Reference: uint64(from + i), Price: int64(s.Price), Quantity: int64(s.Quantity), Side: s.Side}
		if numbers[from+i], events, refusal = p.Exchange.Place(1, o, 1, events[:0]); refusal != market.Accepted {
			return fmt.Errorf("operation %d: %v", from+i, refusal)
		}
		for j := 1; j < len(events); j += 2 {
			if maker := &events[j]; maker.Kind == market.OrderFilled {
				p.Trade(o.Reference, maker.Reference, maker.Price, maker.Quantity)
			}
		}
	}
	p.events = events
	return nil
}
