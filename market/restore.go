package market

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/attentionbank/attentionbank/pages"
)

// Decode reads an exchange that Encode wrote and checks all that later work
// relies on.
func Decode(r io.Reader) (*Exchange, error) {
	le := binary.LittleEndian
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("reading the exchange: %w", err)
	}
	if head[0] > 1 {
		return nil, fmt.Errorf("the halt of all markets is %d, must be 0 or 1", head[0])
	}
	e := &Exchange{halted: head[0] == 1}
	var word [8]byte
	for range le.Uint32(head[1:]) {
		if _, err := io.ReadFull(r, word[:]); err != nil {
			return nil, fmt.Errorf("reading halted owners: %w", err)
		}
		owner := le.Uint64(word[:])
		if n := len(e.haltedOwners); n > 0 && e.haltedOwners[n-1] >= owner {
			return nil, errors.New("halted owners are not in ascending order")
		}
		e.haltedOwners = append(e.haltedOwners, owner)
	}
	if _, err := io.ReadFull(r, word[:4]); err != nil {
		return nil, fmt.Errorf("reading the number of markets: %w", err)
	}
	for i := range le.Uint32(word[:4]) {
		if err := e.readBook(r); err != nil {
			return nil, fmt.Errorf("market %d: %w", i+1, err)
		}
	}
	return e, nil
}

// Restore is Decode from memory; nothing may follow the exchange.
func Restore(src []byte) (*Exchange, error) {
	r := bytes.NewReader(src)
	e, err := Decode(r)
	if err == nil && r.Len() > 0 {
		return nil, fmt.Errorf("%d bytes follow the exchange", r.Len())
	}
	return e, err
}

func (e *Exchange) readBook(r io.Reader) error {
	var small [ConfigBytes + statusBytes]byte
	if _, err := io.ReadFull(r, small[:]); err != nil {
		return fmt.Errorf("reading configuration and status: %w", err)
	}
	config := ReadConfig(small[:ConfigBytes])
	if err := config.Check(); err != nil {
		return err
	}
	orders, err := pages.Decode(r, orderBytes, readOrder)
	if err != nil {
		return fmt.Errorf("reading orders: %w", err)
	}
	b := e.newBook(config)
	b.orders = *orders
	if err := b.status.read(small[ConfigBytes:]); err != nil {
		return err
	}
	if err := b.check(e.halted); err != nil {
		return err
	}
	if err := b.checkPlaces(); err != nil {
		return err
	}
	if err := b.derive(); err != nil {
		return err
	}
	return b.checkCrossing()
}

// derive makes bands, levels, owners and timers from what was read.
func (b *Book) derive() error {
	b.setBands()
	live := make([]uint32, 0, b.orders.Len())
	for i := range b.orders.Len() {
		if b.orders.At(i).number != 0 {
			live = append(live, uint32(i))
		}
	}
	byPriority := func(x, y uint32) int {
		return cmp.Compare(b.orders.At(int(x)).priority, b.orders.At(int(y)).priority)
	}
	slices.SortFunc(live, byPriority)
	for i, place := range live {
		if i > 0 && byPriority(live[i-1], place) == 0 {
			return fmt.Errorf("places %d and %d have the same priority", live[i-1], place)
		}
		b.enqueue(place, b.orders.Write(int(place)))
	}
	// An owner's orders are listed in the order of their placing.
	slices.SortFunc(live, func(x, y uint32) int {
		return cmp.Compare(b.orders.At(int(x)).number, b.orders.At(int(y)).number)
	})
	for _, place := range live {
		o := b.orders.Write(int(place))
		b.join(place, o, b.exchange.traders.find(b.market, o.owner))
	}
	return nil
}

// ReadConfig reads a configuration from ConfigBytes. It may not be valid.
func ReadConfig(src []byte) (c Config) {
	// A mode that does not fit the byte is one that Check refuses.
	c.Mode = Mode(min(binary.LittleEndian.Uint64(src), 255))
	for i, word := range c.words() {
		*word = int64(binary.LittleEndian.Uint64(src[8+8*i:]))
	}
	return c
}

// read takes a status from statusBytes.
func (s *status) read(src []byte) error {
	le := binary.LittleEndian
	if src[1] > 1 {
		return fmt.Errorf("the flag for resuming is %d, must be 0 or 1", src[1])
	}
	s.phase, s.resumes = Phase(src[0]), src[1] == 1
	s.sequence, s.free, s.epoch = le.Uint64(src[2:]), le.Uint32(src[10:]), le.Uint64(src[14:])
	copy(s.seed[:], src[22:])
	s.draws = le.Uint64(src[54:])
	src = src[62:]
	for i, word := range s.words() {
		*word = int64(le.Uint64(src[8*i:]))
	}
	s.trades = le.Uint64(src[80:])
	src = src[88:]
	for i := range s.window {
		w := src[32*i:]
		s.window[i] = bucket{le.Uint64(w), le.Uint64(w[8:]), le.Uint64(w[16:]), le.Uint64(w[24:])}
	}
	return nil
}

func readOrder(src []byte) (o order) {
	le := binary.LittleEndian
	word := func(i int) uint64 { return le.Uint64(src[8*i:]) }
	o.number, o.owner, o.reference = word(0), word(1), word(2)
	o.price, o.open, o.filled, o.expiresMS = int64(word(3)), int64(word(4)), int64(word(5)), int64(word(6))
	o.priority, o.epoch = word(7), word(8)
	o.side, o.kind, o.selfTrade = Side(src[72]), Kind(src[73]), SelfTrade(src[75])
	if o.postOnly = src[74] == 1; src[74] > 1 {
		o.kind = kinds // which check refuses
	}
	o.next = le.Uint32(src[76:])
	return o
}
