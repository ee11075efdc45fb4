package recording

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/market"
)

// mboReader reads Databento's order-by-order messages as CSV: A adds, C
// cancels in part or whole, M modifies, R clears; T reports a trade and F which
// resting order it filled, and only the C or M of that order which follows at
// the same sequence changes the book. So a C after an F is the execution.
type mboReader struct {
	table
	format   Format
	position []int
	sequence uint64
	fills    []mboFill // of the running sequence, not yet taken off the book
}

type mboFill struct {
	order uint64
	size  int64
}

// maxFills bounds the fills of one sequence that wait.
const maxFills = 1 << 16

const (
	mboAction = iota
	mboSide
	mboPrice
	mboSize
	mboOrder
	mboSequence
)

func readMBO(f Format, l *lines) (Reader, error) {
	t, position, err := newTable(l, "action", "side", "price", "size", "order_id", "sequence")
	if err != nil {
		return nil, err
	}
	return &mboReader{table: t, format: f, position: position}, nil
}

func (r *mboReader) Next() (Message, error) {
	fields, err := r.row()
	if err != nil {
		return Message{}, err
	}
	m, err := r.message(func(column int) string { return fields[r.position[column]] })
	if err != nil {
		return Message{}, r.at(err)
	}
	return m, nil
}

func (r *mboReader) message(field func(column int) string) (m Message, err error) {
	if m.Sequence, err = strconv.ParseUint(field(mboSequence), 10, 64); err != nil {
		return m, fmt.Errorf("sequence %q: expected digits", field(mboSequence))
	}
	if m.Sequence != r.sequence {
		r.sequence, r.fills = m.Sequence, r.fills[:0]
	}
	if m.Order, err = strconv.ParseUint(field(mboOrder), 10, 64); err != nil {
		return m, fmt.Errorf("order %q: expected digits", field(mboOrder))
	}
	if m.Quantity, err = amount.Parse(field(mboSize), 0); err != nil {
		return m, fmt.Errorf("size %q: %w", field(mboSize), err)
	}
	switch action := field(mboAction); action {
	case "R":
		m.Action = Clear
		return m, nil
	case "T", "N":
		return m, nil
	case "F":
		if len(r.fills) == maxFills {
			return m, fmt.Errorf("more than %d fills at one sequence", maxFills)
		}
		r.fills = append(r.fills, mboFill{m.Order, m.Quantity})
		return m, nil
	case "A":
		m.Action = Add
	case "C":
		m.Action = Reduce
	case "M":
		m.Action = Amend
	default:
		return m, fmt.Errorf("action %q: expected A, C, M, R, T, F or N", action)
	}
	r.executed(&m)
	switch field(mboSide) {
	case "B":
		m.Side = market.Buy
	case "A":
		m.Side = market.Sell
	default:
		return m, fmt.Errorf("side %q of an order: expected B or A", field(mboSide))
	}
	m.Price, err = amount.Parse(field(mboPrice), r.format.PriceScale)
	if errors.Is(err, amount.ErrPrecision) {
		return m, fmt.Errorf("price %q has more than %d decimal places", field(mboPrice), r.format.PriceScale)
	}
	if err != nil {
		return m, fmt.Errorf("price %q: %w", field(mboPrice), err)
	}
	return m, nil
}

// executed turns what takes a fill off the book into the execution.
func (r *mboReader) executed(m *Message) {
	for i, fill := range r.fills {
		if fill.order != m.Order {
			continue
		}
		switch {
		case m.Action == Reduce && m.Quantity == fill.size:
			m.Action = Execute
		case m.Action == Amend:
			m.Action = Remains
		}
		r.fills = append(r.fills[:i], r.fills[i+1:]...)
		return
	}
}
