package bank

import (
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/pages"
)

const moneyBytes = 8 + 8 + 8 + 4 + 4*2 + 8

func appendMoney(dst []byte, o *orderMoney) []byte {
	dst = le.AppendUint32(appendI64(le.AppendUint64(le.AppendUint64(dst, o.base), o.quote), o.price), o.trader)
	for _, v := range [...]uint16{o.makerBPS, o.takerBPS, o.callBPS, o.slack} {
		dst = le.AppendUint16(dst, v)
	}
	return appendI64(dst, o.valueMicro)
}

func readMoney(src []byte) orderMoney {
	r := reader{src: src}
	return orderMoney{
		base: r.u64(), quote: r.u64(), price: r.i64(), trader: r.u32(),
		makerBPS: r.u16(), takerBPS: r.u16(), callBPS: r.u16(), slack: r.u16(), valueMicro: r.i64(),
	}
}

// frozenTrade is an unchanging view of the markets.
type frozenTrade struct {
	exchange *market.Frozen
	money    []pages.View[orderMoney]
	traders  pages.View[trader]
}

func (t *trading) freeze() frozenTrade {
	f := frozenTrade{exchange: t.exchange.Freeze(), traders: t.traders.Freeze()}
	for i := range t.markets {
		f.money = append(f.money, t.markets[i].money.Freeze())
	}
	return f
}

func (f *frozenTrade) encode(w io.Writer) error {
	if err := f.exchange.Encode(w); err != nil {
		return err
	}
	for _, money := range f.money {
		if err := pages.Encode(w, money, moneyBytes, appendMoney); err != nil {
			return err
		}
	}
	return pages.Encode(w, f.traders, traderBytes, appendTrader)
}

func (t *trading) appendSmall(dst []byte) []byte {
	dst = le.AppendUint32(dst, uint32(len(t.markets)))
	for i := range t.markets {
		dst = t.markets[i].Market.appendTo(dst)
	}
	for i := range t.tiers {
		dst = t.tiers[i].appendTo(dst)
	}
	return dst
}

func (t *trading) readSmall(r *reader) {
	for n := r.u32(); n > 0 && !r.short; n-- {
		t.markets = append(t.markets, listed{Market: readMarket(r)})
	}
	for i := range t.tiers {
		t.tiers[i] = readTier(r)
	}
}

func (t *trading) read(r io.Reader) (err error) {
	if t.exchange, err = market.Decode(r); err != nil {
		return fmt.Errorf("reading markets: %w", err)
	}
	for i := range t.markets {
		money, err := pages.Decode(r, moneyBytes, readMoney)
		if err != nil {
			return fmt.Errorf("reading the money of the orders of market %d: %w", i+1, err)
		}
		t.markets[i].money.Array = *money
	}
	traders, err := pages.Decode(r, traderBytes, readTrader)
	if err != nil {
		return fmt.Errorf("reading traders: %w", err)
	}
	t.traders = *traders
	return nil
}

// indexTrade makes what is made from markets and traders, and refuses those on
// which later code could not rely.
func (s *State) indexTrade() error {
	t := &s.trade
	if t.exchange.Markets() != len(t.markets) || len(t.markets) > MaxMarkets {
		return fmt.Errorf("%d markets have %d books", len(t.markets), t.exchange.Markets())
	}
	for i := range t.tiers {
		if !t.tiers[i].valid() {
			return fmt.Errorf("tier %d is not valid: %+v", i, t.tiers[i])
		}
	}
	for i := range t.markets {
		m := &t.markets[i]
		config := t.exchange.Book(uint32(i + 1)).Config()
		if s.books.Asset(m.Base) == nil || s.books.Asset(m.Quote) == nil || !s.marketValid(&m.Market, &config) || !m.Terms.valid(m.Base, m.Quote) {
			return fmt.Errorf("market %d is not valid: %+v", i+1, m.Market)
		}
		m.tickValue = config.TickValue
		for key, account := range map[ledger.Key]*uint64{
			{Asset: m.Base, Purpose: ledger.PurposeClearing}: &m.clearingBase, {Asset: m.Quote, Purpose: ledger.PurposeClearing}: &m.clearingQuote,
			treasuryAccount(m.Quote): new(uint64), operatorAccount(m.Quote): new(uint64),
		} {
			var found bool
			if *account, found = s.books.Find(key); !found {
				return fmt.Errorf("market %d has no account %+v", i+1, key)
			}
		}
	}
	for i := range t.traders.Len() {
		if r := t.traders.At(i); r.person == 0 || r.person > s.People() || r.deadlineMS < 0 || r.hour < 0 || r.hour > s.nowMS/hourMS || r.busyUS < 0 || r.busyUS > most {
			return fmt.Errorf("trader %d is not valid: %+v", i+1, *r)
		}
	}
	first, second, twice := t.traderOf.Fill(t.traders.Len(),
		func(i int) (uint64, int) { return personHash(t.traders.At(i).person), i },
		func(a, b int) bool { return t.traders.At(a).person == t.traders.At(b).person })
	if twice {
		return fmt.Errorf("traders %d and %d are the same person", first+1, second+1)
	}
	for i := range t.traders.Len() {
		s.queueDeadline(i)
	}
	return s.indexOrders()
}

// indexOrders refuses money of orders that does not belong to them.
func (s *State) indexOrders() error {
	for i := range s.trade.markets {
		m, book := &s.trade.markets[i], s.trade.exchange.Book(uint32(i+1))
		if m.money.Len() > book.Places() {
			return fmt.Errorf("market %d has money of %d orders, places for %d", i+1, m.money.Len(), book.Places())
		}
		open := 0
		for o := range book.All() {
			place := book.Place(o.Number)
			if place >= m.money.Len() || !s.moneyValid(m, &o, m.money.At(place)) {
				return fmt.Errorf("order %d of market %d has no valid money", o.Number, i+1)
			}
			open++
		}
		for place := range m.money.Len() {
			if *m.money.At(place) != (orderMoney{}) {
				open--
			}
		}
		if open != 0 {
			return fmt.Errorf("market %d has money of orders that are not open", i+1)
		}
	}
	return nil
}

func (s *State) moneyValid(m *listed, o *market.Open, money *orderMoney) bool {
	if money.trader == 0 || int(money.trader) > s.trade.traders.Len() || s.trade.traders.At(int(money.trader-1)).person != o.Owner {
		return false
	}
	base, _ := s.books.Find(itemAccount(o.Owner, m.Base))
	quote, _ := s.books.Find(itemAccount(o.Owner, m.Quote))
	terms := m.Terms
	terms.MakerBPS, terms.TakerBPS, terms.CallBPS, terms.ValueMicro = money.makerBPS, money.takerBPS, money.callBPS, money.valueMicro
	return money.base == base && money.quote == quote && base != 0 && quote != 0 && money.price == o.Price && money.slack < 10_000 && terms.valid(m.Base, m.Quote)
}

// checkTrade recomputes what open orders hold and count as.
func (s *State) checkTrade() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	held := map[uint64]int64{}
	openMicro, openOrders := make([]int64, s.trade.traders.Len()), make([]uint32, s.trade.traders.Len())
	for i := range s.trade.markets {
		m, book := &s.trade.markets[i], s.trade.exchange.Book(uint32(i+1))
		for o := range book.All() {
			money := m.money.At(book.Place(o.Number))
			payer := money.payer(o.Side)
			held[payer] = capped(held[payer], m.holds(money, o.Side, o.Quantity-o.Filled))
			openMicro[money.trader-1] = capped(openMicro[money.trader-1], s.value(m, money, money.price, o.Quantity-o.Filled))
			openOrders[money.trader-1]++
			if money.price != o.Price {
				fault("order %d of market %d is at %d, its money says %d", o.Number, i+1, o.Price, money.price)
			}
		}
	}
	for n := uint64(1); n <= s.books.Accounts(); n++ {
		account := s.books.Account(n)
		if account.InOrders != held[n] {
			fault("account %d says that orders hold %d, they hold %d", n, account.InOrders, held[n])
		}
		if account.Purpose == ledger.PurposeClearing && account.OwnerKind == ledger.OwnerBank && account.Balance != 0 {
			fault("clearing account %d is at %d", n, account.Balance)
		}
	}
	for i := range s.trade.traders.Len() {
		if t := s.trade.traders.At(i); t.openMicro != openMicro[i] || t.openOrders != openOrders[i] {
			fault("person %d has %d orders that count as %d, counted are %d and %d", t.person, openOrders[i], openMicro[i], t.openOrders, t.openMicro)
		}
	}
	return faults
}
