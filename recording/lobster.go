package recording

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/market"
)

// lobsterReader reads LOBSTER's message files: time, type, order, size, price
// in $/10,000, direction of the order that rests.
type lobsterReader struct {
	*lines
	sequence uint64
}

func readLOBSTER(_ Format, l *lines) (Reader, error) { return &lobsterReader{lines: l}, nil }

func (r *lobsterReader) Next() (Message, error) {
	text, err := r.next()
	if err != nil {
		return Message{}, err
	}
	r.sequence++
	m, err := lobsterMessage(strings.Split(text, ","))
	if err != nil {
		return Message{}, r.at(err)
	}
	m.Sequence = r.sequence
	return m, nil
}

// lobsterActions by the number of the type, from 1 on: submission, partial
// cancellation, deletion, execution, execution of a hidden order, cross trade,
// halt.
var lobsterActions = [...]Action{Add, Reduce, Remove, Execute, Nothing, Nothing, Nothing}

func lobsterMessage(fields []string) (m Message, err error) {
	if len(fields) < 6 {
		return m, fmt.Errorf("%d fields, expected time, type, order, size, price, direction", len(fields))
	}
	kind, err := strconv.Atoi(fields[1])
	if err != nil || kind < 1 || kind > len(lobsterActions) {
		return m, fmt.Errorf("type %q: expected 1 to %d", fields[1], len(lobsterActions))
	}
	m.Action = lobsterActions[kind-1]
	var direction int64
	for i, into := range []*int64{&m.Quantity, &m.Price, &direction} {
		if *into, err = strconv.ParseInt(fields[3+i], 10, 64); err != nil {
			return m, fmt.Errorf("field %d is %q: expected an integer", 4+i, fields[3+i])
		}
	}
	if m.Order, err = strconv.ParseUint(fields[2], 10, 64); err != nil {
		return m, fmt.Errorf("order %q: expected digits", fields[2])
	}
	switch {
	case direction == 1:
		m.Side = market.Buy
	case direction == -1:
		m.Side = market.Sell
	case m.Action != Nothing:
		return m, errors.New("direction: expected 1 or -1")
	}
	return m, nil
}
