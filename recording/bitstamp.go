package recording

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/market"
)

// bitstampReader reads a log of Bitstamp's live feed: time in ms, kind, JSON.
// order_created comes when an order arrives, with all of its amount;
// order_changed has what is left after a trade and order_deleted what was never
// traded. Trades name no orders, and the kinds arrive out of step.
type bitstampReader struct {
	*lines
	format   Format
	sequence uint64
}

func readBitstamp(f Format, l *lines) (Reader, error) {
	return &bitstampReader{lines: l, format: f}, nil
}

// bitstampActions are those of the kinds that concern an order; others (trade,
// order_book) change nothing.
var bitstampActions = map[string]Action{"order_created": Add, "order_changed": Remains, "order_deleted": Leaves}

func (r *bitstampReader) Next() (Message, error) {
	text, err := r.next()
	if err != nil {
		return Message{}, err
	}
	r.sequence++
	m, err := r.message(text)
	if err != nil {
		return Message{}, r.at(err)
	}
	m.Sequence = r.sequence
	return m, nil
}

func (r *bitstampReader) message(text string) (m Message, err error) {
	_, text, _ = strings.Cut(text, " ")
	kind, text, found := strings.Cut(text, " ")
	if !found {
		return m, errors.New("expected a time, a kind and JSON")
	}
	m.Action = bitstampActions[kind]
	if m.Action == Nothing {
		return m, nil
	}
	var order struct {
		ID     feedNumber `json:"id"`
		Price  feedNumber `json:"price"`
		Amount feedNumber `json:"amount"`
		Type   feedNumber `json:"order_type"`
	}
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		return m, fmt.Errorf("%s: %w", kind, err)
	}
	if m.Order, err = strconv.ParseUint(string(order.ID), 10, 64); err != nil {
		return m, fmt.Errorf("%s: id %q: expected digits", kind, order.ID)
	}
	if m.Price, err = order.Price.scaled(r.format.PriceScale); err != nil {
		return m, fmt.Errorf("%s: price: %w", kind, err)
	}
	if m.Quantity, err = order.Amount.scaled(r.format.QuantityScale); err != nil {
		return m, fmt.Errorf("%s: amount: %w", kind, err)
	}
	switch order.Type {
	case "0":
		m.Side = market.Buy
	case "1":
		m.Side = market.Sell
	default:
		return m, fmt.Errorf("%s: order_type %q: expected 0 or 1", kind, order.Type)
	}
	return m, nil
}

// feedNumber is a number that the feed gives as a JSON string or as a JSON
// number, the latter sometimes with the noise of a float.
type feedNumber string

// UnmarshalJSON implements json.Unmarshaler.
func (n *feedNumber) UnmarshalJSON(text []byte) error {
	plain := strings.Trim(string(text), `"`)
	if strings.ContainsAny(plain, `"\{[`) {
		return fmt.Errorf("%s: expected a number", text)
	}
	*n = feedNumber(plain)
	return nil
}

// scaled returns the number in units of the scale, exactly where it is exact
// and otherwise rounded to the nearest.
func (n feedNumber) scaled(scale int) (int64, error) {
	v, err := amount.Parse(string(n), scale)
	if err == nil || errors.Is(err, amount.ErrRange) {
		return v, err
	}
	float, floatErr := strconv.ParseFloat(string(n), 64)
	if floatErr != nil {
		return 0, fmt.Errorf("%q is %w", string(n), err)
	}
	units := math.Round(float * math.Pow10(scale))
	if !(math.Abs(units) < 1<<53) {
		return 0, amount.ErrRange
	}
	return int64(units), nil
}
