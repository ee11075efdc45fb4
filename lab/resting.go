package lab

import (
	"fmt"
	"math/rand/v2"

	"github.com/attentionbank/attentionbank/market"
)

// Resting is a production market in which so many orders always rest: each
// operation on it is made up for by another.
type Resting struct {
	*Player
	random *rand.Rand
	live   []uint64 // numbers of orders
	owners uint64   // of a side; each has some twenty orders
	events []market.Event
}

// Prepared are operations that are drawn before they are measured.
type Prepared struct {
	orders  []market.Order
	victims []uint32
}

// NewResting returns a market with so many resting orders.
func NewResting(orders int, seed uint64) (*Resting, error) {
	p, err := NewPlayer(0)
	if err != nil {
		return nil, err
	}
	r := &Resting{Player: p, random: rand.New(rand.NewPCG(seed, 2)), owners: uint64(max(orders/40, 25)), events: make([]market.Event, 0, 64)}
	for range orders {
		number, err := r.add(r.order())
		if err != nil {
			return nil, err
		}
		r.live = append(r.live, number)
	}
	return r, nil
}

// order draws an order that rests, near the middle as those of Stream are.
func (r *Resting) order() market.Order {
	o := market.Order{Side: market.Side(r.random.IntN(2)), Quantity: 1 + r.random.Int64N(100)}
	o.Owner = 1 + 2*r.random.Uint64N(r.owners) + uint64(o.Side)
	o.Price = 100_000 + (1+int64(r.random.ExpFloat64()*10))*step(o.Side)
	return o
}

func (r *Resting) add(o market.Order) (number uint64, err error) {
	var refusal market.Refusal
	if number, r.events, refusal = r.Exchange.Place(1, o, 1, r.events[:0]); refusal != market.Accepted {
		return 0, fmt.Errorf("%+v: %v", o, refusal)
	}
	return number, nil
}

// Prepare draws operations for Run.
func (r *Resting) Prepare(operations int) *Prepared {
	p := &Prepared{}
	for range operations / 2 {
		p.orders = append(p.orders, r.order())
		p.victims = append(p.victims, uint32(r.random.IntN(len(r.live))))
	}
	return p
}

// Run cancels random ones of all orders and places others instead.
func (r *Resting) Run(p *Prepared) error {
	var refusal market.Refusal
	events := r.events
	for i, victim := range p.victims {
		if events, refusal = r.Exchange.Cancel(1, r.live[victim], 0, 1, events[:0]); refusal != market.Accepted {
			return fmt.Errorf("cancelling: %v", refusal)
		}
		if r.live[victim], events, refusal = r.Exchange.Place(1, p.orders[i], 1, events[:0]); refusal != market.Accepted {
			return fmt.Errorf("%+v: %v", p.orders[i], refusal)
		}
	}
	r.events = events
	return nil
}
