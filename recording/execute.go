package recording

import (
	"fmt"

	"github.com/attentionbank/attentionbank/market"
)

// reduce takes quantity off an open order, which keeps its place in the queue.
func (p *Player) reduce(o market.Open, quantity int64) {
	switch {
	case quantity == 0:
	case quantity == o.Quantity-o.Filled:
		p.cancel(o)
	default:
		p.mustAmend(o, o.Price, o.Quantity-quantity)
	}
}

// mustAmend amends within what was open, which a book that is not halted does
// not refuse.
func (p *Player) mustAmend(o market.Open, price, quantity int64) {
	var refusal market.Refusal
	if p.events, refusal = p.exchange.Amend(1, o.Number, 0, price, quantity, nowMS, p.events[:0]); refusal != market.Accepted {
		panic(fmt.Sprintf("recording: amending %+v to %d at %d: %v", o, quantity, price, refusal))
	}
}

// execute trades a quantity of an open order: by an opposite order where the
// book would give it to this one, otherwise by taking it off.
func (p *Player) execute(o market.Open, quantity int64) {
	if quantity == 0 {
		return
	}
	p.Executions++
	first, _ := p.book.First(o.Side)
	switch {
	case first.Number == o.Number:
		p.Hits++
	case first.Price == o.Price:
		p.Behind++
		p.reduce(o, quantity)
		return
	default:
		p.Worse++
		p.reduce(o, quantity)
		return
	}
	p.take(o, quantity)
	if quantity == o.Quantity-o.Filled && o.Owner >= firstOwner {
		delete(p.orders, o.Reference)
	}
}

// take feeds an opposite order that trades with the first order of a side.
func (p *Player) take(first market.Open, quantity int64) {
	_, refusal := p.place(market.Order{Owner: executioner, Side: 1 - first.Side, Kind: market.IOC, Price: first.Price, Quantity: quantity})
	if last := p.events[len(p.events)-1]; refusal != market.Accepted || last.Counter != first.Number || last.Quantity != quantity {
		panic(fmt.Sprintf("recording: taking %d of %+v: %v, %+v", quantity, first, refusal, p.events))
	}
}

// amend gives an open order what it has by the record; by the book's rules it
// keeps its place only for less at the same price.
func (p *Player) amend(m *Message, o market.Open) error {
	if m.Quantity == 0 {
		p.cancel(o)
		return nil
	}
	if !p.within(m.Price, m.Quantity) || m.Quantity > p.format.MaxQuantity-o.Filled {
		p.Beyond++
		p.cancel(o)
		return nil
	}
	if m.Price != o.Price {
		p.makeWay(o.Side, m.Price)
	}
	p.mustAmend(o, m.Price, o.Filled+m.Quantity)
	return nil
}

// remains makes what is open of an order what is left by the record.
func (p *Player) remains(m *Message, o market.Open) error {
	open := o.Quantity - o.Filled
	if m.Quantity > open {
		p.Ahead++
		return p.amend(&Message{Price: o.Price, Quantity: m.Quantity}, o)
	}
	p.execute(o, open-p.bounded(m.Quantity, open))
	return nil
}

// takeAnonymous takes a quantity that was cancelled or traded from the initial
// book at its price: from an order of exactly that quantity, or else from the
// first that has it, or else from several, for how a level was divided into
// orders is a guess.
func (p *Player) takeAnonymous(m *Message) bool {
	at := place{m.Side, m.Price}
	total, wanted := int64(0), m.Quantity
	var from *market.Open
	var there []market.Open
	numbers := p.initial[at][:0]
	for _, number := range p.initial[at] {
		o, open := p.book.Order(number)
		if !open {
			continue
		}
		numbers, there = append(numbers, number), append(there, o)
		left := o.Quantity - o.Filled
		total += left
		if left >= wanted && (from == nil || left == wanted && from.Quantity-from.Filled != wanted) {
			from = &o
		}
	}
	if p.initial[at] = numbers; len(numbers) == 0 {
		delete(p.initial, at)
	}
	if wanted < 1 || wanted > total {
		return false
	}
	if from != nil {
		there = []market.Open{*from}
	}
	for _, o := range there {
		part := min(wanted, o.Quantity-o.Filled)
		if wanted -= part; m.Action == Execute {
			p.execute(o, part)
		} else {
			p.reduce(o, part)
		}
	}
	return true
}
