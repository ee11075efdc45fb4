package bank

import "github.com/attentionbank/attentionbank/pages"

// hours is over how many hours, the running one included, what was traded
// counts.
const hours = 24

const hourMS = 60 * 60 * 1000

// trader is a person who has placed orders or keeps them alive.
type trader struct {
	person     uint64
	openOrders uint32
	// openMicro is what the open orders count as.
	openMicro int64
	// hour is the running one since 1970; traded is what was traded in hour h,
	// at h modulo hours.
	hour   int64
	traded [hours]int64
	// busyUS is until when the messages so far take up the long-run rate, in µs
	// since 1970 (the theoretical arrival time of the generic cell rate
	// algorithm, ITU-T I.371).
	busyUS int64
	// deadlineMS is when the orders are cancelled if nobody says before that
	// their owner is still there; 0 is never.
	deadlineMS int64
}

const traderBytes = 8 + 4 + 8 + 8 + hours*8 + 8 + 8

func appendTrader(dst []byte, t *trader) []byte {
	dst = appendI64(appendI64(le.AppendUint32(le.AppendUint64(dst, t.person), t.openOrders), t.openMicro), t.hour)
	for _, v := range t.traded {
		dst = appendI64(dst, v)
	}
	return appendI64(appendI64(dst, t.busyUS), t.deadlineMS)
}

func readTrader(src []byte) (t trader) {
	r := reader{src: src}
	t.person, t.openOrders, t.openMicro, t.hour = r.u64(), r.u32(), r.i64(), r.i64()
	for i := range t.traded {
		t.traded[i] = r.i64()
	}
	t.busyUS, t.deadlineMS = r.i64(), r.i64()
	return t
}

func personHash(person uint64) uint64 { return pages.Mix(0, person) }

func (s *State) traderPosition(person uint64) (position int, found bool) {
	return s.trade.traderOf.Find(personHash(person), func(i int) bool { return s.trade.traders.At(i).person == person })
}

// trader returns the position of a person's record, made if there is none.
func (s *State) trader(person uint64) int {
	position, found := s.traderPosition(person)
	if !found {
		position = s.trade.traders.Append(trader{person: person})
		s.trade.traderOf.Insert(personHash(person), position)
	}
	return position
}

// tradedMicro returns what was traded in the hours that count.
func (t *trader) tradedMicro(nowMS int64) (sum int64) {
	hour := nowMS / hourMS
	for h := max(t.hour-hours+1, hour-hours+1, 0); h <= t.hour; h++ {
		sum = capped(sum, t.traded[h%hours])
	}
	return sum
}

// addTraded counts a trade.
func (t *trader) addTraded(nowMS, micro int64) {
	hour := nowMS / hourMS
	for h := max(t.hour+1, hour-hours+1); h <= hour; h++ {
		t.traded[h%hours] = 0
	}
	t.hour = hour
	t.traded[hour%hours] = capped(t.traded[hour%hours], micro)
}

// mayMessage tells whether another message is within the rate.
func (t *trader) mayMessage(tier *Tier, nowMS int64) bool {
	spacingUS := 1_000_000 / int64(tier.MessagesPerSecond)
	return t.busyUS-nowMS*1000 <= spacingUS*int64(tier.MessagesBurst-1)
}

func (s *State) countMessage(position int) {
	t := s.trade.traders.Write(position)
	t.busyUS = max(t.busyUS, s.nowMS*1000) + 1_000_000/int64(s.tierOf(t.person).MessagesPerSecond)
}

// deadlines is a binary heap of the traders whose orders are cancelled at some
// time, by that time and their number. None of it is state.
type deadlines struct {
	heap []int32 // positions of traders
	at   []int32 // by position of a trader, where it is in heap, + 1
}

// nextDeadline returns the trader whose orders are cancelled next, and when.
func (s *State) nextDeadline() (position int, atMS int64, any bool) {
	if len(s.trade.deadlines.heap) == 0 {
		return 0, 0, false
	}
	position = int(s.trade.deadlines.heap[0])
	return position, s.trade.traders.At(position).deadlineMS, true
}

// setDeadline says when the orders of a trader are cancelled; 0 is never.
func (s *State) setDeadline(position int, atMS int64) {
	s.trade.traders.Write(position).deadlineMS = atMS
	s.queueDeadline(position)
}

// queueDeadline puts a trader where its deadline belongs.
func (s *State) queueDeadline(position int) {
	d := &s.trade.deadlines
	for len(d.at) <= position {
		d.at = append(d.at, 0)
	}
	i := int(d.at[position]) - 1
	if s.trade.traders.At(position).deadlineMS != 0 {
		if i < 0 {
			i = len(d.heap)
			d.heap = append(d.heap, int32(position))
			d.at[position] = int32(i + 1)
		}
		s.siftDeadline(i)
		return
	}
	if i < 0 {
		return
	}
	last := len(d.heap) - 1
	moved := d.heap[last]
	d.heap, d.at[position] = d.heap[:last], 0
	if i < last {
		d.heap[i], d.at[moved] = moved, int32(i+1)
		s.siftDeadline(i)
	}
}

// siftDeadline moves an entry of the heap up or down to where it belongs.
func (s *State) siftDeadline(i int) {
	d := &s.trade.deadlines
	before := func(i, j int) bool {
		x, y := s.trade.traders.At(int(d.heap[i])), s.trade.traders.At(int(d.heap[j]))
		return x.deadlineMS < y.deadlineMS || x.deadlineMS == y.deadlineMS && x.person < y.person
	}
	swap := func(i, j int) {
		d.heap[i], d.heap[j] = d.heap[j], d.heap[i]
		d.at[d.heap[i]], d.at[d.heap[j]] = int32(i+1), int32(j+1)
	}
	for i > 0 && before(i, (i-1)/2) {
		swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child >= len(d.heap) {
			return
		}
		if child+1 < len(d.heap) && before(child+1, child) {
			child++
		}
		if !before(child, i) {
			return
		}
		swap(i, child)
		i = child
	}
}
