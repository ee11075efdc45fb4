package market_test

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// command is an instruction to an exchange, as tests make them up.
type command struct {
	what     instruction
	market   uint32
	order    market.Order
	number   uint64 // of an order
	owner    uint64 // 0 is the operator
	price    int64
	quantity int64
	limit    int
	nowMS    int64
	seed     market.Seed
}

type instruction string

const (
	place       instruction = "place"
	amend       instruction = "amend"
	cancel      instruction = "cancel"
	cancelOwner instruction = "cancel owner"
	haltOwner   instruction = "halt owner"
	letOwner    instruction = "let owner"
	auction     instruction = "call auction"
	halt        instruction = "halt"
	haltAll     instruction = "halt all"
	resumeAll   instruction = "resume all"
	tick        instruction = "tick"
)

// maker makes up commands out of choices: choose(n) is one of 0 to n-1.
type maker struct {
	choose  func(n int) int
	configs []market.Config
	nowMS   int64
	placed  [][]uint64 // numbers of orders by market
}

// configs are markets that differ in all that rules depend on, with times
// short enough that everything happens.
func configs(choose func(n int) int) []market.Config {
	list := make([]market.Config, 1+choose(2))
	for i := range list {
		list[i] = market.Config{
			Mode: market.Mode(choose(2)), TickValue: 1 + int64(choose(3)), MaxPrice: []int64{60, 120, 5000}[choose(3)], MaxQuantity: 40,
			MaxOrders: []int64{6, 200}[choose(2)], MaxOwnerOrders: []int64{0, 3, 20}[choose(3)],
			BatchMS: []int64{1, 1000}[choose(2)], AuctionMS: []int64{0, 3000}[choose(2)], ExtensionMS: 2000,
			Extensions: int64(choose(3)), RandomMS: []int64{0, 700}[choose(2)], LockMS: []int64{0, 1000, 9000}[choose(3)],
			DynamicBPS: []int64{0, 1000}[choose(2)], StaticBPS: []int64{0, 3000}[choose(2)], StuckMS: []int64{0, 4000}[choose(2)],
		}
	}
	return list
}

func newMaker(choose func(n int) int) *maker {
	m := &maker{choose: choose, configs: configs(choose), nowMS: 1}
	m.placed = make([][]uint64, len(m.configs))
	return m
}

func (m *maker) seed() (seed market.Seed) {
	seed[m.choose(32)] = byte(m.choose(256))
	return seed
}

func (m *maker) next() command {
	m.nowMS += int64([]int{0, 0, 0, 1, 100, 1500, 11_000, 400_000}[m.choose(8)])
	c := command{market: 1 + uint32(m.choose(len(m.configs))), nowMS: m.nowMS, owner: uint64(1 + m.choose(5))}
	if m.choose(200) == 0 {
		c.market = uint32(len(m.configs) + m.choose(2)*m.choose(2))
	}
	switch m.choose(40) {
	default:
		c.what, c.order = place, m.order()
	case 0, 1, 2, 3, 4:
		c.what, c.number = cancel, m.number(c.market)
		c.owner *= uint64(m.choose(2))
	case 5, 6, 7, 8, 9:
		c.what, c.number = amend, m.number(c.market)
		c.owner *= uint64(m.choose(2))
		c.price, c.quantity = m.price(), m.quantity()
	case 10:
		c.what, c.limit = cancelOwner, m.choose(3)
	case 11:
		c.what = []instruction{haltOwner, letOwner, letOwner}[m.choose(3)]
	case 12, 13, 14, 15, 16:
		c.what, c.price, c.seed = auction, int64(m.choose(2)*m.choose(62)), m.seed()
	case 17:
		c.what = halt
		if m.choose(4) == 0 {
			c.what = haltAll
		}
	case 18, 19:
		c.what, c.seed = resumeAll, m.seed()
	}
	return c
}

// number is that of an order of the market, most often of a recent one.
func (m *maker) number(number uint32) uint64 {
	if number == 0 || int(number) > len(m.placed) || len(m.placed[number-1]) == 0 {
		return uint64(m.choose(9))
	}
	list := m.placed[number-1]
	return list[max(0, len(list)-1-m.choose(30))]
}

func (m *maker) price() int64 {
	if m.choose(40) == 0 {
		return int64(m.choose(5002))
	}
	return int64(40 + m.choose(17))
}

func (m *maker) quantity() int64 { return int64(m.choose(41) + m.choose(40)/39) }

func (m *maker) order() market.Order {
	o := market.Order{
		Owner: uint64(1 + m.choose(6)), Reference: uint64(m.choose(3)), Price: m.price(), Quantity: m.quantity(),
		Side: market.Side(m.choose(2)), SelfTrade: market.SelfTrade(m.choose(3)),
	}
	switch m.choose(12) {
	case 0, 1:
		o.Kind, o.ExpiresMS = market.GTD, m.nowMS+int64(m.choose(8000))
	case 2:
		o.Kind, o.Price = market.Market, o.Price*int64(m.choose(2))
	case 3:
		o.Kind = market.IOC
	case 4:
		o.Kind = market.FOK
	case 5:
		o.PostOnly = true
	case 6: // one that is likely to be refused
		o.Side, o.Kind, o.SelfTrade = market.Side(m.choose(3)), market.Kind(m.choose(6)), market.SelfTrade(m.choose(4))
		o.PostOnly, o.ExpiresMS = m.choose(2) == 0, int64(m.choose(2))*m.nowMS
	}
	return o
}

// placedBits is how many bits of an order's number are its place.
func (m *maker) placedBits(number uint32) int {
	if number == 0 || int(number) > len(m.configs) {
		return 0
	}
	return m.configs[number-1].PlaceBits()
}

// give tells the maker what number an order got.
func (m *maker) give(c *command, number uint64) {
	if c.what == place && number != 0 {
		m.placed[c.market-1] = append(m.placed[c.market-1], number)
	}
}

// run carries out a command; a Tick comes before each at which something is
// due. expiries is how many orders each Tick may end.
func run(e *market.Exchange, c *command, expiries int, events []market.Event) (number uint64, _ []market.Event, refusal market.Refusal, more bool) {
	if due, any := e.NextDueMS(); any && due <= c.nowMS {
		for again := true; again; {
			events, again = e.Tick(c.nowMS, c.seed, expiries, events)
		}
		if due, any := e.NextDueMS(); any && due <= c.nowMS {
			panic(fmt.Sprintf("at %d something is due at %d and Tick was called", c.nowMS, due))
		}
	}
	switch c.what {
	case place:
		number, events, refusal = e.Place(c.market, c.order, c.nowMS, events)
	case amend:
		events, refusal = e.Amend(c.market, c.number, c.owner, c.price, c.quantity, c.nowMS, events)
	case cancel:
		events, refusal = e.Cancel(c.market, c.number, c.owner, c.nowMS, events)
	case cancelOwner:
		events, more = e.CancelOwner(c.market, c.owner, c.limit, c.nowMS, events)
	case haltOwner, letOwner:
		e.HaltOwner(c.owner, c.what == haltOwner)
	case auction:
		events, refusal = e.CallAuction(c.market, c.price, c.nowMS, c.seed, events)
	case halt:
		events, refusal = e.Halt(c.market, events)
	case haltAll:
		events = e.HaltAll(events)
	case resumeAll:
		events = e.ResumeAll(c.nowMS, c.seed, events)
	}
	return number, events, refusal, more
}

// run carries out a command on the twin. Its orders are numbered without
// places.
func (x *twin) run(c *command, bits int) (refusal market.Refusal, more bool, events []market.Event) {
	if due := x.dueMS(); due != 0 && due <= c.nowMS {
		x.tick(c.nowMS, c.seed)
	}
	number := c.number >> bits
	switch c.what {
	case place:
		refusal = x.place(c.market, c.order, c.nowMS)
	case amend:
		refusal = x.amend(c.market, number, c.owner, c.price, c.quantity, c.nowMS)
	case cancel:
		refusal = x.cancel(c.market, number, c.owner, c.nowMS)
	case cancelOwner:
		more = x.cancelOwner(c.market, c.owner, c.limit)
	case haltOwner, letOwner:
		x.owners[c.owner] = c.what == haltOwner
	case auction:
		refusal = x.callAuction(c.market, c.price, c.nowMS, c.seed)
	case halt:
		refusal = x.halt(c.market)
	case haltAll:
		x.haltAll()
	case resumeAll:
		x.resumeAll(c.nowMS, c.seed)
	}
	if m := x.at(c.market); m != nil {
		m.watch(c.nowMS)
	}
	for _, m := range x.markets {
		events = append(events, m.events...)
		m.events = nil
	}
	return refusal, more, events
}

// differ tells how an exchange and its twin differ, "" if they do not.
func differ(e *market.Exchange, x *twin) string {
	if due, _ := e.NextDueMS(); due != x.dueMS() {
		return fmt.Sprintf("next due at %d, twin %d", due, x.dueMS())
	}
	for _, m := range x.markets {
		if d := m.differ(e.Book(m.number)); d != "" {
			return fmt.Sprintf("market %d: %s", m.number, d)
		}
	}
	return ""
}

func (m *twinMarket) differ(b *market.Book) string {
	low, high := m.bands()
	want := market.Reference{Price: m.reference, Static: m.static, Last: m.last}
	if high != unbounded {
		want.Low, want.High = low, high
	}
	lock, ends, calls := b.Call()
	switch {
	case b.Phase() != m.phase:
		return fmt.Sprintf("phase %d, twin %d", b.Phase(), m.phase)
	case b.Reference() != want:
		return fmt.Sprintf("reference %+v, twin %+v", b.Reference(), want)
	case lock != m.lockMS || ends != m.endsMS || calls != (m.endsMS != 0):
		return fmt.Sprintf("call locked %d ends %d, twin %d %d", lock, ends, m.lockMS, m.endsMS)
	case b.Orders() != len(m.orders):
		return fmt.Sprintf("%d orders, twin %d", b.Orders(), len(m.orders))
	}
	bits := m.config.PlaceBits()
	for owner := range uint64(8) {
		numbers := b.OwnerOrders(owner, 1000, nil)
		orders := m.ownerOrders(owner)
		if len(numbers) != len(orders) {
			return fmt.Sprintf("owner %d has %d orders, twin %d", owner, len(numbers), len(orders))
		}
		for i, number := range numbers {
			got, _ := b.Order(number)
			o := orders[i]
			if want := (market.Open{Order: o.Order, Number: number, Filled: o.filled}); number>>bits != o.number || got != want {
				return fmt.Sprintf("order %d: %+v, twin %+v", o.number, got, want)
			}
		}
	}
	for _, side := range []market.Side{market.Buy, market.Sell} {
		if levels, want := b.Depth(side, 1<<30, nil), m.depth(side); !slices.Equal(levels, want) {
			return fmt.Sprintf("levels %v, twin %v", levels, want)
		}
		if first, any := b.First(side); any != (m.best(side) != nil) || any && first.Number>>bits != m.best(side).number {
			return fmt.Sprintf("first order %+v, twin %+v", first, m.best(side))
		}
	}
	return ""
}

func (m *twinMarket) depth(side market.Side) (levels []market.Level) {
	sums := map[int64]market.Level{}
	for _, o := range m.orders {
		if o.Side == side {
			sum := sums[o.Price]
			sums[o.Price] = market.Level{Price: o.Price, Quantity: sum.Quantity + o.open, Orders: sum.Orders + 1}
		}
	}
	for _, level := range sums {
		levels = append(levels, level)
	}
	slices.SortFunc(levels, func(a, b market.Level) int {
		if side == market.Buy {
			return int(b.Price - a.Price)
		}
		return int(a.Price - b.Price)
	})
	return levels
}

// unplaced takes the places out of the numbers of events, which is what is left
// to the exchange to choose.
func (m *maker) unplaced(events []market.Event) []market.Event {
	for i := range events {
		bits := m.placedBits(events[i].Market)
		events[i].Number >>= bits
		events[i].Counter >>= bits
	}
	return events
}

// byMarket orders events of one command by market: what one Tick does is told
// market by market, and each of the twin's keeps its own list.
func byMarket(events []market.Event) []market.Event {
	slices.SortStableFunc(events, func(a, b market.Event) int { return int(a.Market) - int(b.Market) })
	return events
}

// restored writes an exchange and reads it back.
func restored(e *market.Exchange) (*market.Exchange, error) {
	encoded := e.AppendTo(nil)
	second, err := market.Restore(encoded)
	if err == nil && !bytes.Equal(second.AppendTo(nil), encoded) {
		err = fmt.Errorf("an exchange that was read back encodes differently")
	}
	return second, err
}
