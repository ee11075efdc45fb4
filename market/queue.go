package market

// take returns a place for a new order. Places of orders that ended are used
// again, the latest first, while their memory is near.
func (b *Book) take() uint32 {
	if b.free == 0 {
		return uint32(b.orders.Append(order{}))
	}
	place := b.free - 1
	b.free = b.orders.At(int(place)).next
	return place
}

// enqueue puts an order at the end of the queue of its price.
func (b *Book) enqueue(place uint32, o *order) {
	l, side := &b.exchange.ladders, &b.sides[o.side]
	at := l.find(side, o.price)
	if at == 0 {
		at = l.insert(side, o.side, o.price)
	}
	v := l.levels.Write(int(at - 1))
	o.level, o.previous, o.next = at, v.tail, 0
	if v.tail == 0 {
		v.head = place + 1
	} else {
		b.orders.Write(int(v.tail - 1)).next = place + 1
	}
	v.tail = place + 1
	v.count++
	v.quantity += o.open
}

// dequeue takes an order out of the queue of its price.
func (b *Book) dequeue(o *order) {
	l := &b.exchange.ladders
	v := l.levels.Write(int(o.level - 1))
	v.count--
	v.quantity -= o.open
	if v.count == 0 {
		l.remove(&b.sides[o.side], o.side, o.level)
		o.level = 0
		return
	}
	if o.previous == 0 {
		v.head = o.next
	} else {
		b.orders.Write(int(o.previous - 1)).next = o.next
	}
	if o.next == 0 {
		v.tail = o.previous
	} else {
		b.orders.Write(int(o.next - 1)).previous = o.previous
	}
	o.level = 0
}

// join makes an order count as open: it is on its owner's list and has its
// timer. It stays so through amendments.
func (b *Book) join(place uint32, o *order, t uint32) {
	if o.trader != 0 {
		return
	}
	b.open++
	b.joinTrader(place, o, t)
	switch {
	case o.kind == GTD:
		b.pushExpiry(place, o)
	case !o.kind.rests():
		b.immediate = append(b.immediate, place)
		o.timer = uint32(len(b.immediate))
	}
}

// retire ends an order that is in no queue and frees its place.
func (b *Book) retire(place uint32, o *order) {
	if o.trader != 0 {
		b.open--
		b.leaveTrader(o)
		switch {
		case o.kind == GTD:
			b.removeExpiry(o.timer - 1)
		case !o.kind.rests():
			last := b.immediate[len(b.immediate)-1]
			b.immediate = b.immediate[:len(b.immediate)-1]
			if last != place {
				b.immediate[o.timer-1] = last
				b.orders.Write(int(last)).timer = o.timer
			}
		}
	}
	*o = order{next: b.free}
	b.free = place + 1
}

// cancel takes an open order out of the book.
func (b *Book) cancel(place uint32, reason Reason, events []Event) []Event {
	o := b.orders.Write(int(place))
	b.dequeue(o)
	return b.end(place, o, reason, events)
}

// end cancels an order that is in no queue.
func (b *Book) end(place uint32, o *order, reason Reason, events []Event) []Event {
	events, e := b.tell(events, OrderCancelled, o)
	e.Reason, e.Price, e.Quantity, e.Open = reason, o.price, o.open, 0
	b.retire(place, o)
	return events
}

// The heap of expiries. Its layout is no part of the state: what is popped is
// the least (expiry, number) whatever the layout.

func (b *Book) pushExpiry(place uint32, o *order) {
	i := b.expiries.Append(place)
	o.timer = uint32(i + 1)
	b.siftUp(i)
}

func (b *Book) removeExpiry(position uint32) {
	n := b.expiries.Len() - 1
	last := *b.expiries.At(n)
	b.expiries.Truncate(n)
	if int(position) == n {
		return
	}
	b.putExpiry(int(position), last)
	b.siftUp(int(position))
	b.siftDown(int(position))
}

func (b *Book) putExpiry(i int, place uint32) {
	*b.expiries.Write(i) = place
	b.orders.Write(int(place)).timer = uint32(i + 1)
}

func (b *Book) expiresBefore(x, y uint32) bool {
	p, q := b.orders.At(int(x)), b.orders.At(int(y))
	if p.expiresMS != q.expiresMS {
		return p.expiresMS < q.expiresMS
	}
	return p.number < q.number
}

func (b *Book) siftUp(i int) {
	place := *b.expiries.At(i)
	for i > 0 {
		parent := (i - 1) / 2
		above := *b.expiries.At(parent)
		if !b.expiresBefore(place, above) {
			break
		}
		b.putExpiry(i, above)
		i = parent
	}
	b.putExpiry(i, place)
}

func (b *Book) siftDown(i int) {
	place, n := *b.expiries.At(i), b.expiries.Len()
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && b.expiresBefore(*b.expiries.At(child + 1), *b.expiries.At(child)) {
			child++
		}
		if !b.expiresBefore(*b.expiries.At(child), place) {
			break
		}
		b.putExpiry(i, *b.expiries.At(child))
		i = child
	}
	b.putExpiry(i, place)
}
