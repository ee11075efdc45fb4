package lab

import (
	"math/rand/v2"

	"github.com/attentionbank/attentionbank/market"
)

// Operation is a step of a stream that order books are compared by. Operations
// are numbered from 1 on. It is small, so that reading a stream is not what is
// measured.
type Operation struct {
	// Cancel is the number of the operation whose order is cancelled; 0 is a
	// limit order that is placed, with the other fields.
	Cancel          uint32
	Price, Quantity uint32
	Owner           uint16
	Side            market.Side
}

// Outcome is what a stream of operations comes to. Two books agree when their
// outcomes are equal.
type Outcome struct {
	Trades, Volume int64
	// Digest is of every trade in order: who arrived, who rested, at what price
	// and how much.
	Digest uint64
}

// Trade takes a trade between the orders of two operations into the outcome.
func (o *Outcome) Trade(taker, maker uint64, price, quantity int64) {
	o.Trades++
	o.Volume += quantity
	for _, word := range [...]uint64{taker, maker, uint64(price), uint64(quantity)} {
		o.Digest = (o.Digest ^ word) * 0x9e3779b97f4a7c15
		o.Digest ^= o.Digest >> 29
	}
}

// Stream makes operations as matching engines are often measured by: 60 % limit
// orders that rest, 1 + Exp(10) ticks from a middle that moves by a tick in 5 %
// of the operations; 30 % cancellations of a random order that lives; 10 % limit
// orders 60 ticks beyond the middle; quantities of 1 to 100. The first hundredth
// rests. Owners of buys and of sells differ. It returns what a plain book of the
// rules makes of them.
func Stream(operations int, seed uint64) ([]Operation, Outcome) {
	random := rand.New(rand.NewPCG(seed, 1))
	steps := make([]Operation, operations)
	book := newPlain(operations)
	middle := int64(100_000)
	for i := range steps {
		if random.IntN(20) == 0 {
			middle += int64(random.IntN(2)*2 - 1)
		}
		kind := random.IntN(10)
		if i < operations/100 {
			kind = 0
		}
		if kind >= 6 && kind < 9 && len(book.live) > 0 {
			victim := book.live[random.IntN(len(book.live))]
			steps[i].Cancel = victim
			book.cancel(victim, &steps[victim-1])
			continue
		}
		o := Operation{Side: market.Side(random.IntN(2)), Quantity: 1 + uint32(random.IntN(100))}
		o.Owner = uint16(1 + 2*random.IntN(1000) + int(o.Side))
		away := 1 + int64(random.ExpFloat64()*10)
		if kind == 9 {
			away = -60
		}
		o.Price = uint32(middle - away)
		if o.Side == market.Sell {
			o.Price = uint32(middle + away)
		}
		steps[i] = o
		book.place(uint32(i+1), &o)
	}
	return steps, book.outcome
}

// plain is a book as the rules say it, without anything that makes one fast but
// maps: price and time, and nothing else.
type plain struct {
	outcome Outcome
	queues  [2]map[int64][]resting
	best    [2]int64 // no order is better; 0 while none was placed
	// live are the numbers of operations whose orders rest, at[n] is where n
	// stands in it.
	live, at []uint32
}

type resting struct {
	number uint32
	open   int64
}

func newPlain(operations int) *plain {
	return &plain{queues: [2]map[int64][]resting{{}, {}}, at: make([]uint32, operations+1)}
}

// step is the direction of worse prices of a side.
func step(side market.Side) int64 { return int64(side)*2 - 1 }

func (p *plain) place(number uint32, o *Operation) {
	other := 1 - o.Side
	limit, open := int64(o.Price), int64(o.Quantity)
	for open > 0 && len(p.live) > 0 && p.best[other] != 0 {
		price := p.best[other]
		if (price-limit)*step(other) > 0 {
			break
		}
		queue := p.queues[other][price]
		if len(queue) == 0 {
			if len(p.queues[other]) == 0 {
				break
			}
			p.best[other] += step(other)
			continue
		}
		first := &queue[0]
		quantity := min(open, first.open)
		p.outcome.Trade(uint64(number), uint64(first.number), price, quantity)
		open -= quantity
		if first.open -= quantity; first.open == 0 {
			p.end(first.number)
			p.put(other, price, queue[1:])
		}
	}
	if open == 0 {
		return
	}
	p.queues[o.Side][limit] = append(p.queues[o.Side][limit], resting{number, open})
	if p.best[o.Side] == 0 || (limit-p.best[o.Side])*step(o.Side) < 0 {
		p.best[o.Side] = limit
	}
	p.at[number] = uint32(len(p.live))
	p.live = append(p.live, number)
}

func (p *plain) put(side market.Side, price int64, queue []resting) {
	if len(queue) == 0 {
		delete(p.queues[side], price)
		return
	}
	p.queues[side][price] = queue
}

func (p *plain) cancel(number uint32, o *Operation) {
	queue := p.queues[o.Side][int64(o.Price)]
	for i := range queue {
		if queue[i].number == number {
			p.put(o.Side, int64(o.Price), append(queue[:i], queue[i+1:]...))
			break
		}
	}
	p.end(number)
}

func (p *plain) end(number uint32) {
	last := p.live[len(p.live)-1]
	p.live[p.at[number]] = last
	p.at[last] = p.at[number]
	p.live = p.live[:len(p.live)-1]
}
