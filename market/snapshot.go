package market

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/pages"
)

// An encoded exchange (little-endian; docs/formats/market.md has the drawing):
//
//	| all halted u8 | halted owners u32 | per owner: u64 | markets u32 |
//	| per market: config 15 x i64 | status 1142 bytes |
//	|   orders: pages.Encode of 80 bytes a place
//
// Equal exchanges have equal bytes. What finds orders (levels, owners, timers)
// is not written; a restore makes it again.
const (
	// ConfigBytes is the length of an encoded configuration.
	ConfigBytes = 15 * 8
	statusBytes = 2 + 8 + 4 + 8 + 32 + 8 + 10*8 + 8 + buckets*32
	orderBytes  = 80
)

// Frozen is an unchanging view of an exchange, for any goroutine.
type Frozen struct {
	head  []byte
	books []frozenBook
}

type frozenBook struct {
	small  []byte
	orders pages.View[order]
}

// Freeze returns a view of the exchange as it is now. It costs a pointer for
// 64 orders; the exchange may go on at once.
func (e *Exchange) Freeze() *Frozen {
	le := binary.LittleEndian
	f := &Frozen{head: le.AppendUint32([]byte{flag(e.halted)}, uint32(len(e.haltedOwners)))}
	for _, owner := range e.haltedOwners {
		f.head = le.AppendUint64(f.head, owner)
	}
	f.head = le.AppendUint32(f.head, uint32(len(e.books)))
	for _, b := range e.books {
		f.books = append(f.books, frozenBook{b.status.append(b.config.AppendTo(nil)), b.orders.Freeze()})
	}
	return f
}

// Encode writes the exchange.
func (f *Frozen) Encode(w io.Writer) error {
	if _, err := w.Write(f.head); err != nil {
		return err
	}
	for i := range f.books {
		if _, err := w.Write(f.books[i].small); err != nil {
			return err
		}
		if err := pages.Encode(w, f.books[i].orders, orderBytes, appendOrder); err != nil {
			return err
		}
	}
	return nil
}

// AppendTo appends the encoded exchange to dst.
func (e *Exchange) AppendTo(dst []byte) []byte {
	buffer := bytes.NewBuffer(dst)
	if err := e.Freeze().Encode(buffer); err != nil {
		panic(fmt.Sprintf("market: writing to memory: %v", err))
	}
	return buffer.Bytes()
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// words are the fields of a configuration that are plain numbers, in order.
func (c *Config) words() [14]*int64 {
	return [...]*int64{
		&c.TickValue, &c.MaxPrice, &c.MaxQuantity, &c.MaxOrders, &c.MaxOwnerOrders, &c.BatchMS,
		&c.AuctionMS, &c.ExtensionMS, &c.Extensions, &c.RandomMS, &c.LockMS, &c.DynamicBPS, &c.StaticBPS, &c.StuckMS,
	}
}

// AppendTo appends the encoded configuration: the mode and then the other
// fields in their order, each a little-endian i64.
func (c *Config) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(c.Mode))
	for _, word := range c.words() {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(*word))
	}
	return dst
}

// words are the fields of a status that are plain numbers, in order. low and
// high are not among them: they follow from the others.
func (s *status) words() [10]*int64 {
	return [...]*int64{
		&s.clearAtMS, &s.lockAtMS, &s.extensions, &s.anchor, &s.reference, &s.static,
		&s.staticUntilMS, &s.wideUntilMS, &s.stuckAtMS, &s.bucket,
	}
}

func (s *status) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(append(dst, byte(s.phase), flag(s.resumes)), s.sequence)
	dst = le.AppendUint64(le.AppendUint32(dst, s.free), s.epoch)
	dst = le.AppendUint64(append(dst, s.seed[:]...), s.draws)
	for _, word := range s.words() {
		dst = le.AppendUint64(dst, uint64(*word))
	}
	dst = le.AppendUint64(dst, s.trades)
	for i := range s.window {
		w := &s.window[i]
		for _, word := range [...]uint64{w.trades, w.quantity, w.high, w.low} {
			dst = le.AppendUint64(dst, word)
		}
	}
	return dst
}

func appendOrder(dst []byte, o *order) []byte {
	le := binary.LittleEndian
	next := o.next
	if o.number != 0 {
		next = 0 // the queue is derived; only the list of free places is state
	}
	dst = le.AppendUint64(le.AppendUint64(le.AppendUint64(dst, o.number), o.owner), o.reference)
	for _, word := range [...]int64{o.price, o.open, o.filled, o.expiresMS} {
		dst = le.AppendUint64(dst, uint64(word))
	}
	dst = le.AppendUint64(le.AppendUint64(dst, o.priority), o.epoch)
	dst = append(dst, byte(o.side), byte(o.kind), flag(o.postOnly), byte(o.selfTrade))
	return le.AppendUint32(dst, next)
}
