package recording

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/attentionbank/attentionbank/market"
)

// maxInitial bounds the orders that an initial book is made of.
const maxInitial = 1 << 16

// Initial is the book that a recording begins with, as far as it is known. Its
// orders have no names.
type Initial struct {
	// Holds says that the book holds the recording's first message already.
	Holds bool
	rows  *lines // of an order book file that goes on
	row   State
}

// Start reads the initial book: a line as AppendState writes it, or for LOBSTER
// an order book file. A single row is the book before the first message. In a
// whole file row n is the book after message n: its first row holds the first
// message, and what later comes into the view of its rows from below was there
// from the beginning.
func (p *Player) Start(r io.Reader) (*Initial, error) {
	l := newLines(r)
	text, err := l.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty, expected a line")
	}
	if err != nil {
		return nil, err
	}
	i := &Initial{}
	switch {
	case strings.HasPrefix(text, "{"):
		i.row, err = p.format.readState(text)
	case p.format.Name == "lobster":
		if i.row, err = lobsterState(strings.Split(text, ",")); err != nil {
			break
		}
		if _, last := l.peek(); last == nil {
			i.rows, i.Holds = l, true
		}
	default:
		err = fmt.Errorf(`expected {"bids":[[price,quantity,count],…],"asks":[…]}`)
	}
	if err == nil {
		err = i.row.each(p.fillLevel)
	}
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	return i, nil
}

// after comes after each message but the first: it adds what the order book
// file now shows of the initial book and did not before.
func (i *Initial) after(p *Player) error {
	if i.rows == nil {
		return nil
	}
	text, err := i.rows.next()
	if errors.Is(err, io.EOF) {
		i.rows = nil
		return nil
	}
	if err != nil {
		return err
	}
	before := i.row
	if i.row, err = lobsterState(strings.Split(text, ",")); err != nil {
		return i.rows.at(err)
	}
	err = i.row.each(func(side market.Side, level market.Level) error {
		level.Quantity -= p.quantity(side, level.Price)
		if !before.below(side, level.Price) || level.Quantity <= 0 {
			return nil
		}
		return p.fillLevel(side, level)
	})
	if err != nil {
		return i.rows.at(err)
	}
	return nil
}

// each calls a function with every level.
func (s *State) each(do func(side market.Side, level market.Level) error) error {
	for side, levels := range [...][]market.Level{s.Bids, s.Asks} {
		for _, level := range levels {
			if err := do(market.Side(side), level); err != nil {
				return err
			}
		}
	}
	return nil
}

// below reports whether a price is beyond the last level that a state shows.
func (s *State) below(side market.Side, price int64) bool {
	if side == market.Buy {
		return len(s.Bids) > 0 && price < s.Bids[len(s.Bids)-1].Price
	}
	return len(s.Asks) > 0 && price > s.Asks[len(s.Asks)-1].Price
}

// fillLevel makes orders of a level, as many as it says and as equal as can be.
func (p *Player) fillLevel(side market.Side, level market.Level) error {
	orders := int64(max(level.Orders, 1))
	if p.initials += orders; p.initials > maxInitial {
		return fmt.Errorf("more than %d orders in the initial book", maxInitial)
	}
	each, more := level.Quantity/orders, level.Quantity%orders
	if !p.within(level.Price, each) || more > 0 && each == p.format.MaxQuantity {
		return fmt.Errorf("level %d with quantity %d in %d orders is out of bounds", level.Price, level.Quantity, orders)
	}
	at := place{side, level.Price}
	for i := range orders {
		quantity := each
		if i < more {
			quantity++
		}
		number, refusal := p.place(market.Order{Owner: anonymous, Side: side, Price: level.Price, Quantity: quantity, PostOnly: true})
		if refusal == market.WouldTake {
			return fmt.Errorf("level %d meets the other side", level.Price)
		}
		if refusal != market.Accepted {
			return fmt.Errorf("level %d: %v", level.Price, refusal)
		}
		p.initial[at] = append(p.initial[at], number)
	}
	return nil
}
