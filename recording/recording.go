// Package recording reads what markets elsewhere recorded, order by order, and
// plays it on a book of this project, so that the book can be compared with
// what the market was seen to do.
package recording

import (
	"fmt"
	"io"
	"strings"

	"github.com/attentionbank/attentionbank/market"
)

// Action is what a message says of an order.
type Action uint8

// The actions.
const (
	// Nothing: the message does not touch the book (a hidden trade, a halt, a
	// report of a trade whose orders have messages of their own).
	Nothing Action = iota
	// Add: the order has Price and Quantity.
	Add
	// Reduce: Quantity of the order was cancelled.
	Reduce
	// Remove: what is open of the order was cancelled.
	Remove
	// Execute: Quantity of the order was traded.
	Execute
	// Amend: the order now has Price and Quantity open.
	Amend
	// Remains: Quantity of the order is open after a trade.
	Remains
	// Leaves: the order is gone; Quantity of it was never traded.
	Leaves
	// Clear: the book is empty.
	Clear
)

// Message is one recorded message. Prices are in ticks and quantities in lots
// of the format.
type Message struct {
	// Sequence is the source's number where it has one, otherwise the number
	// of the message in the file, from 1 on.
	Sequence        uint64
	Order           uint64
	Price, Quantity int64
	Action          Action
	Side            market.Side
}

// Reader gives messages in their order; the error after the last is io.EOF.
type Reader interface {
	Next() (Message, error)
}

// Format is how a source records.
type Format struct {
	Name string
	// PriceScale and QuantityScale are the decimal places of a tick and a lot.
	PriceScale, QuantityScale int
	// MaxPrice and MaxQuantity bound the orders of the book; larger ones are
	// counted and left out.
	MaxPrice, MaxQuantity int64
	// Arrivals: an order is recorded when it arrives and may then trade.
	// Otherwise it is recorded when it comes to rest.
	Arrivals bool

	read   func(Format, *lines) (Reader, error)
	expect func(Format, *lines) (Expected, error)
}

// formats by name. A price of 2^32 ticks of $0.0001 is above every bid and
// offer that an exchange takes.
var formats = []Format{
	{Name: "mbo", PriceScale: 4, MaxPrice: 1 << 32, MaxQuantity: 1 << 29, read: readMBO, expect: expectMBP},
	{Name: "lobster", MaxPrice: 1 << 32, MaxQuantity: 1 << 29, read: readLOBSTER, expect: expectLOBSTER},
	{Name: "bitstamp", PriceScale: 2, QuantityScale: 8, MaxPrice: 1 << 23, MaxQuantity: 1 << 37, Arrivals: true, read: readBitstamp},
}

// FormatOf returns a format by its name: mbo, lobster or bitstamp.
func FormatOf(name string) (Format, error) {
	var names []string
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("format %q: expected one of %s", name, strings.Join(names, ", "))
}

// Read returns the messages of a file. A line that cannot be read is an error
// that names it; lines have at most 64 KiB.
func (f Format) Read(r io.Reader) (Reader, error) { return f.read(f, newLines(r)) }
