package recording

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/market"
)

// The books of the sources.

// mbpLevels are the levels of a side of an MBP-10 row.
const mbpLevels = 10

// expectMBP reads Databento's MBP-10: a row of ten levels by sequence.
func expectMBP(f Format, l *lines) (Expected, error) {
	names := []string{"sequence"}
	for i := range mbpLevels {
		for _, side := range []string{"bid", "ask"} {
			for _, what := range []string{"px", "sz", "ct"} {
				names = append(names, fmt.Sprintf("%s_%s_%02d", side, what, i))
			}
		}
	}
	t, position, err := newTable(l, names...)
	if err != nil {
		return nil, err
	}
	return newStates(mbpLevels, func() (State, error) {
		fields, err := t.row()
		if err != nil {
			return State{}, err
		}
		s, err := f.mbpState(fields, position)
		if err != nil {
			return State{}, t.at(err)
		}
		return s, nil
	})
}

func (f Format) mbpState(fields []string, position []int) (s State, err error) {
	if s.Sequence, err = strconv.ParseUint(fields[position[0]], 10, 64); err != nil {
		return s, fmt.Errorf("sequence %q: expected digits", fields[position[0]])
	}
	for i := range 2 * mbpLevels {
		at := position[1+3*i:]
		price, size, count := fields[at[0]], fields[at[1]], fields[at[2]]
		if price == "" {
			continue
		}
		var level market.Level
		if level.Price, err = amount.Parse(price, f.PriceScale); err != nil {
			return s, fmt.Errorf("price %q: %w", price, err)
		}
		if level.Quantity, err = amount.Parse(size, 0); err != nil {
			return s, fmt.Errorf("size %q: %w", size, err)
		}
		if level.Orders, err = strconv.Atoi(count); err != nil {
			return s, fmt.Errorf("count %q: expected digits", count)
		}
		if i%2 == 0 {
			s.Bids = append(s.Bids, level)
		} else {
			s.Asks = append(s.Asks, level)
		}
	}
	return s, nil
}

// lobsterLevels compares the changes of the touched level: what comes into the
// ten levels of a row from below may have been there before the recording.
type lobsterLevels struct {
	Verdict
	*lines
	row, before State
	any         bool
	there       int64 // quantity at the touched level before the message
}

func expectLOBSTER(_ Format, l *lines) (Expected, error) {
	return &lobsterLevels{Verdict: Verdict{What: "changes of the touched level"}, lines: l}, nil
}

func (x *lobsterLevels) Before(p *Player, m *Message) error {
	x.there = p.quantity(m.Side, m.Price)
	return nil
}

func (x *lobsterLevels) After(p *Player, m *Message) error {
	text, err := x.next()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("it ends at row %d, the recording goes on", x.number)
	}
	if err != nil {
		return err
	}
	x.before = x.row
	if x.row, err = lobsterState(strings.Split(text, ",")); err != nil {
		return x.at(err)
	}
	if !x.any {
		x.any = true // there is no row before the first
		return nil
	}
	want := x.row.at(m.Side, m.Price) - x.before.at(m.Side, m.Price)
	if got := p.quantity(m.Side, m.Price) - x.there; got != want {
		x.compared(fmt.Sprintf("message %d: the level at %d changed by %d, expected %d", m.Sequence, m.Price, got, want))
		return nil
	}
	x.compared("")
	return nil
}

func (x *lobsterLevels) Done() (Verdict, error) { return x.Verdict, nil }

// quantity returns what the book has at a price.
func (p *Player) quantity(side market.Side, price int64) int64 {
	level, _ := p.book.Level(side, price)
	return level.Quantity
}

// at returns the quantity of a state at a price, 0 if it shows none.
func (s *State) at(side market.Side, price int64) int64 {
	levels := s.Bids
	if side == market.Sell {
		levels = s.Asks
	}
	for _, level := range levels {
		if level.Price == price {
			return level.Quantity
		}
	}
	return 0
}

// lobsterState reads a row of an order book file: ask price, ask size, bid
// price, bid size for each level, best first. Levels that are not there have
// the price 9,999,999,999 or its negative.
func lobsterState(fields []string) (s State, err error) {
	const none = 9_999_999_999
	if len(fields)%4 != 0 {
		return s, fmt.Errorf("%d fields, expected four for each level", len(fields))
	}
	for i := 0; i < len(fields); i += 2 {
		price, priceErr := strconv.ParseInt(fields[i], 10, 64)
		size, sizeErr := strconv.ParseInt(fields[i+1], 10, 64)
		switch level := (market.Level{Price: price, Quantity: size, Orders: 1}); {
		case priceErr != nil || sizeErr != nil:
			return s, fmt.Errorf("level %q, %q: expected integers", fields[i], fields[i+1])
		case price == none || price == -none:
		case i%4 == 0:
			s.Asks = append(s.Asks, level)
		default:
			s.Bids = append(s.Bids, level)
		}
	}
	return s, nil
}
