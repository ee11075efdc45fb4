package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/market"
)

// State is the best levels of a book after a message.
type State struct {
	Sequence   uint64
	Bids, Asks []market.Level
}

// AppendState appends a line of JSON with the book's best levels, depth of
// each side or all for 0:
//
//	{"seq":1,"bids":[[price,quantity,count],…],"asks":[…]}
//
// Prices and quantities are in the units of the recording.
func (p *Player) AppendState(dst []byte, sequence uint64, depth int) []byte {
	if depth == 0 {
		depth = maxOrders
	}
	dst = fmt.Appendf(dst, `{"seq":%d`, sequence)
	for side, name := range [...]string{`,"bids":[`, `,"asks":[`} {
		dst = append(dst, name...)
		p.levels = p.book.Depth(market.Side(side), depth, p.levels[:0])
		for i, level := range p.levels {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = fmt.Appendf(dst, "[%s,%s,%d]",
				amount.Format(level.Price, p.format.PriceScale), amount.Format(level.Quantity, p.format.QuantityScale), level.Orders)
		}
		dst = append(dst, ']')
	}
	return append(dst, "}\n"...)
}

// readState reads a line that AppendState wrote.
func (f Format) readState(text string) (s State, err error) {
	var line struct {
		Sequence   uint64           `json:"seq"`
		Bids, Asks [][3]json.Number `json:",omitempty"`
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&line); err != nil {
		return s, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("something follows the object")
	}
	s.Sequence = line.Sequence
	if s.Bids, err = f.readLevels(line.Bids); err != nil {
		return s, err
	}
	s.Asks, err = f.readLevels(line.Asks)
	return s, err
}

func (f Format) readLevels(list [][3]json.Number) (levels []market.Level, err error) {
	for _, l := range list {
		var level market.Level
		if level.Price, err = amount.Parse(l[0].String(), f.PriceScale); err != nil {
			return nil, fmt.Errorf("price %q: %w", l[0], err)
		}
		if level.Quantity, err = amount.Parse(l[1].String(), f.QuantityScale); err != nil {
			return nil, fmt.Errorf("quantity %q: %w", l[1], err)
		}
		count, err := amount.Parse(l[2].String(), 0)
		if err != nil {
			return nil, fmt.Errorf("count %q: %w", l[2], err)
		}
		level.Orders = int(count)
		levels = append(levels, level)
	}
	return levels, nil
}
