package bank_test

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
	"pgregory.net/rapid"
)

// settled is the oracle of what orders hold, pay and owe: written from the
// documentation with big integers, one order after the other, and none of the
// bank's code. It takes from the facts which orders traded with what; that is
// what the twin of package market is for.
type settled struct {
	balance map[uint64]*big.Int
	orders  map[orderID]*oweOrder
	terms   map[uint32]bank.Terms
	markets map[uint32]bank.MarketOpened
	account func(person uint64, asset uint32) uint64
	special func(asset uint32, purpose ledger.Purpose) uint64
	fees    map[uint32]*big.Int // of the running command, by market
}

type orderID struct {
	market uint32
	number uint64
}

type oweOrder struct {
	side        market.Side
	person      uint64
	price, open int64
	terms       bank.Terms
	unheld      bool
	owed        *big.Int // sum of notional x basis points
}

func ceilDiv(a *big.Int, b int64) *big.Int {
	q, r := new(big.Int).QuoRem(a, big.NewInt(b), new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

func (w *settled) move(account uint64, value *big.Int) {
	if w.balance[account] == nil {
		w.balance[account] = new(big.Int)
	}
	w.balance[account].Add(w.balance[account], value)
}

func (w *settled) notional(number uint32, price, quantity int64) *big.Int {
	n := new(big.Int).Mul(big.NewInt(price), big.NewInt(quantity))
	return n.Mul(n, big.NewInt(w.markets[number].Config.TickValue))
}

// take takes in a fact.
func (w *settled) take(fact bank.Fact) {
	switch f := fact.(type) {
	case bank.MarketOpened:
		w.markets[f.Number], w.terms[f.Number] = f, f.Market.Terms
	case bank.MarketTermsSet:
		w.terms[f.Market] = f.Terms
	case bank.OrderPlaced:
		w.orders[orderID{f.Market, f.Order}] = &oweOrder{
			side: f.Side, person: f.Person, price: f.Price, open: f.Quantity, terms: w.terms[f.Market], owed: new(big.Int), unheld: f.Held == 0,
		}
	case bank.OrderAmended:
		o := w.orders[orderID{f.Market, f.Order}]
		o.price, o.open = f.Price, f.Open
	case bank.OrderCancelled:
		delete(w.orders, orderID{f.Market, f.Order})
	case bank.OrderFilled:
		w.fill(f)
	}
}

func (w *settled) fill(f bank.OrderFilled) {
	o, m := w.orders[orderID{f.Market, f.Order}], w.markets[f.Market].Market
	bps := map[market.Role]uint16{market.Maker: o.terms.MakerBPS, market.Taker: o.terms.TakerBPS, market.InCall: o.terms.CallBPS}[f.Role]
	notional := w.notional(f.Market, f.Price, f.Quantity)
	before := ceilDiv(o.owed, 10_000)
	o.owed.Add(o.owed, new(big.Int).Mul(notional, big.NewInt(int64(bps))))
	fee := new(big.Int).Sub(ceilDiv(o.owed, 10_000), before)
	units := new(big.Int).Mul(big.NewInt(f.Quantity), big.NewInt(m.LotUnits))
	sign := int64(1)
	if o.side == market.Sell {
		sign = -1
	}
	paid := new(big.Int).Mul(notional, big.NewInt(-sign))
	w.move(w.account(o.person, m.Base), units.Mul(units, big.NewInt(sign)))
	w.move(w.account(o.person, m.Quote), paid.Sub(paid, fee))
	if w.fees[f.Market] == nil {
		w.fees[f.Market] = new(big.Int)
	}
	w.fees[f.Market].Add(w.fees[f.Market], fee)
	if o.open -= f.Quantity; o.open == 0 {
		delete(w.orders, orderID{f.Market, f.Order})
	}
}

// divide divides the fees of a command.
func (w *settled) divide() {
	for number, fees := range w.fees {
		terms, quote := w.terms[number], w.markets[number].Market.Quote
		part := func(bps uint16) *big.Int {
			p := new(big.Int).Mul(fees, big.NewInt(int64(bps)))
			return p.Quo(p, big.NewInt(10_000))
		}
		operator, burned := part(terms.OperatorBPS), part(terms.BurnedBPS)
		w.move(w.special(quote, ledger.PurposeOperator), operator)
		w.move(w.special(quote, ledger.PurposeIssuer), burned)
		w.move(w.special(quote, ledger.PurposeTreasury), new(big.Int).Sub(new(big.Int).Sub(fees, operator), burned))
	}
	w.fees = map[uint32]*big.Int{}
}

// held returns what the orders of each account hold: of the quote enough for
// the worst price and the worst fee, whatever the trades before were.
func (w *settled) held() map[uint64]*big.Int {
	held := map[uint64]*big.Int{}
	for id, o := range w.orders {
		m := w.markets[id.market].Market
		account, value := w.account(o.person, m.Base), new(big.Int).Mul(big.NewInt(o.open), big.NewInt(m.LotUnits))
		if o.side == market.Buy {
			account, value = w.account(o.person, m.Quote), w.notional(id.market, o.price, o.open)
			worst := new(big.Int).Mul(value, big.NewInt(int64(max(o.terms.MakerBPS, o.terms.TakerBPS, o.terms.CallBPS))))
			all := ceilDiv(worst.Add(worst, o.owed), 10_000)
			value.Add(value, all.Sub(all, ceilDiv(o.owed, 10_000)))
		}
		if held[account] == nil {
			held[account] = new(big.Int)
		}
		held[account].Add(held[account], value)
	}
	return held
}

// exchange drives a bank with markets and its oracle.
type exchange struct {
	*settled
	state   *bank.State
	seq     uint64
	nowMS   int64
	people  int
	journal []record
	open    []bank.OrderPlaced // placed at some time
}

// newExchange gives people TIME, gold and gems and opens three markets: TIME in
// GOLD and GEM in TIME trade continuously, GEM in GOLD in batches.
func newExchange(people int) *exchange {
	x := &exchange{state: bank.New(), nowMS: 1_767_225_600_000, people: people}
	x.settled = &settled{
		balance: map[uint64]*big.Int{}, orders: map[orderID]*oweOrder{}, terms: map[uint32]bank.Terms{}, markets: map[uint32]bank.MarketOpened{}, fees: map[uint32]*big.Int{},
		account: func(person uint64, asset uint32) uint64 {
			number, _ := x.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset})
			return number
		},
		special: func(asset uint32, purpose ledger.Purpose) uint64 {
			number, _ := x.state.Books().Find(ledger.Key{Asset: asset, Purpose: purpose})
			return number
		},
	}
	x.apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	x.apply(bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil))
	x.apply(bank.RegisterAsset{Code: "GEM", World: 1}.AppendTo(nil))
	for person := range people {
		x.apply(bank.Mint{Person: [16]byte{byte(person), byte(person >> 8), 1}, World: 1, Day: bank.Day(x.nowMS), Revision: 1, CumulativePointsMicro: 60_000_000_000}.AppendTo(nil))
		for asset := uint32(3); asset <= 4; asset++ {
			opened, _ := bank.First[bank.AccountOpened](x.apply(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(person + 1), Asset: asset}.AppendTo(nil)))
			x.apply(bank.Transfer{Legs: []ledger.Leg{{Debit: x.state.Books().Asset(asset).Issuer, Credit: opened.Account, Amount: 100_000}}}.AppendTo(nil))
		}
	}
	x.nowMS += 25 * 3600 * 1000
	x.apply(bank.AppendTick(nil))
	config := market.DefaultConfig()
	config.MaxPrice, config.MaxQuantity, config.AuctionMS, config.RandomMS, config.LockMS, config.StuckMS = 1000, 1_000_000, 3000, 500, 1000, 2000
	config.Mode = market.Continuous
	tier := bank.DefaultTiers()[2]
	tier.MessagesPerSecond, tier.MessagesBurst = 1000, 1_000_000
	x.apply(bank.SetTier{Tier: tier}.AppendTo(nil))
	x.apply(bank.OpenMarket{Config: config, Market: bank.Market{Base: ledger.Time, Quote: 3, LotUnits: 100_000, Terms: bank.Terms{MakerBPS: 7, TakerBPS: 33, CallBPS: 20, OperatorBPS: 3333}}}.AppendTo(nil))
	config.TickValue = 1001
	x.apply(bank.OpenMarket{Config: config, Market: bank.Market{Base: 4, Quote: ledger.Time, LotUnits: 1, Terms: bank.Terms{MakerBPS: 0, TakerBPS: 999, CallBPS: 50, OperatorBPS: 2500, BurnedBPS: 5000}}}.AppendTo(nil))
	config.Mode, config.TickValue = market.Batch, 1
	x.apply(bank.OpenMarket{Config: config, Market: bank.Market{Base: 4, Quote: 3, LotUnits: 10, Terms: bank.Terms{MakerBPS: 1, TakerBPS: 1, CallBPS: 123, ValueMicro: 1_000_000}}}.AppendTo(nil))
	for number := uint32(1); number <= 3; number++ {
		x.apply(bank.CallAuction{Market: number, Reference: 100}.AppendTo(nil))
	}
	for account := uint64(1); account <= x.state.Books().Accounts(); account++ {
		x.balance[account] = big.NewInt(x.state.Books().Account(account).Balance)
	}
	return x
}

// apply carries out a command, with a Tick before it if one is due, as the
// journal does.
func (x *exchange) apply(command []byte) []byte {
	if dueMS, any := x.state.NextDueMS(); any && dueMS <= x.nowMS && command[0] != bank.AppendTick(nil)[0] {
		x.apply(bank.AppendTick(nil))
	}
	x.seq++
	x.state.Begin(x.seq, x.nowMS)
	x.state.Chain([32]byte{byte(x.seq), byte(x.seq >> 8)})
	answer := x.state.Apply(command, nil)
	x.journal = append(x.journal, record{x.nowMS, command, answer})
	for fact, err := range bank.Facts(answer) {
		if err != nil {
			panic(err)
		}
		if placed, is := fact.(bank.OrderPlaced); is {
			x.open = append(x.open, placed)
		}
		x.take(fact)
	}
	x.divide()
	return answer
}

// source is what a sequence of commands is drawn from: rapid, or a generator of
// numbers.
type source interface {
	// between draws a number of low to high, both included.
	between(low, high int64, what string) int64
}

type rapidSource struct{ *rapid.T }

func (s rapidSource) between(low, high int64, what string) int64 {
	return rapid.Int64Range(low, high).Draw(s.T, what)
}

// someOrder draws an order that was placed at some time, most often lately.
func (x *exchange) someOrder(s source) bank.OrderPlaced {
	if len(x.open) == 0 {
		return bank.OrderPlaced{Market: 1, Order: 1, Person: 1}
	}
	back := s.between(0, min(int64(len(x.open))-1, 40), "back")
	return x.open[int64(len(x.open))-1-back]
}

// step draws a command and carries it out.
func (x *exchange) step(s source) []byte {
	person := uint64(s.between(1, int64(x.people), "person"))
	number := uint32(s.between(1, 3, "market"))
	quantity, price := s.between(1, 40, "quantity"), s.between(88, 112, "price")
	switch s.between(0, 19, "command") {
	case 0, 1:
		order := x.someOrder(s)
		return x.apply(bank.CancelOrder{Market: order.Market, Person: order.Person, Order: order.Order}.AppendTo(nil))
	case 2, 3:
		order := x.someOrder(s)
		return x.apply(bank.AmendOrder{Market: order.Market, Person: order.Person, Order: order.Order, Price: price, Quantity: quantity}.AppendTo(nil))
	case 4:
		x.nowMS += s.between(0, 4000, "ms")
		return x.apply(bank.AppendTick(nil))
	case 5:
		return x.apply(bank.Convert{Market: number, Person: person, Side: market.Side(s.between(0, 1, "side")), Quantity: quantity, Bound: s.between(0, 1, "bound") * 1 << 40, ExpiresMS: x.nowMS + 1000}.AppendTo(nil))
	case 6:
		return x.rare(s, person, number)
	}
	order := bank.PlaceOrder{Market: number, Person: person, Side: market.Side(s.between(0, 1, "side")), Price: price, Quantity: quantity}
	if kind := s.between(0, 12, "kind"); kind < 5 {
		order.Kind = market.Kind(kind)
	}
	if order.Kind == market.GTD {
		order.ExpiresMS = x.nowMS + s.between(1, 6000, "expires")
	}
	order.PostOnly = s.between(0, 9, "post only") == 0
	order.SelfTrade = market.SelfTrade(s.between(0, 2, "self-trade"))
	return x.apply(order.AppendTo(nil))
}

// rare draws what is not done every day.
func (x *exchange) rare(s source, person uint64, number uint32) []byte {
	switch s.between(0, 6, "rare") {
	case 0:
		return x.apply(bank.CancelOrders{Person: person, Market: uint32(s.between(0, 3, "of market"))}.AppendTo(nil))
	case 1:
		return x.apply(bank.KeepOrders{Person: person, TimeoutMS: s.between(0, 5000, "timeout")}.AppendTo(nil))
	case 2:
		x.apply(bank.HaltMarket{Market: number}.AppendTo(nil))
		return x.apply(bank.CallAuction{Market: number, Reference: s.between(0, 1, "reference") * 100}.AppendTo(nil))
	case 3:
		terms := x.terms[number]
		terms.MakerBPS, terms.TakerBPS, terms.CallBPS = uint16(s.between(0, 1000, "maker")), uint16(s.between(0, 1000, "taker")), uint16(s.between(0, 1000, "call"))
		return x.apply(bank.SetMarketTerms{Market: number, Terms: terms}.AppendTo(nil))
	case 4:
		halted := s.between(0, 3, "halted") == 0
		return x.apply(bank.HaltPerson{Person: person, Halt: halted, Cancel: halted}.AppendTo(nil))
	case 5:
		x.apply(bank.HaltAll{Halt: true}.AppendTo(nil))
		return x.apply(bank.HaltAll{}.AppendTo(nil))
	}
	// Out of the bands, so that auctions begin.
	return x.apply(bank.PlaceOrder{Market: number, Person: person, Side: market.Side(s.between(0, 1, "side")), Price: s.between(1, 1000, "far"), Quantity: s.between(1, 300, "much")}.AppendTo(nil))
}

// fault says what does not hold: what the bank checks of itself, the balances
// and holds of the oracle, postings that sum to zero, books that are not
// crossed.
func (x *exchange) fault(answer []byte) error {
	if err := x.state.Check(); err != nil {
		return err
	}
	sums := map[uint32]int64{}
	for fact := range bank.Facts(answer) {
		if posted, is := fact.(bank.Posted); is {
			sums[x.state.Books().Account(posted.Account).Asset] += posted.Amount
		}
	}
	for asset, sum := range sums {
		if sum != 0 {
			return fmt.Errorf("postings in asset %d sum to %d", asset, sum)
		}
	}
	held := x.held()
	for number := uint64(1); number <= x.state.Books().Accounts(); number++ {
		account := x.state.Books().Account(number)
		if want := x.balance[number]; want != nil && want.Cmp(big.NewInt(account.Balance)) != 0 || want == nil && account.Balance != 0 {
			return fmt.Errorf("account %d %+v is at %d, the oracle says %s", number, account.Key, account.Balance, want)
		}
		if want := held[number]; want != nil && want.Cmp(big.NewInt(account.Held)) != 0 || want == nil && account.Held != 0 {
			return fmt.Errorf("account %d %+v holds %d, the oracle says %s", number, account.Key, account.Held, want)
		}
	}
	for number := uint32(1); number <= x.state.Markets(); number++ {
		_, book := x.state.Market(number)
		buy, buys := book.Best(market.Buy)
		sell, sells := book.Best(market.Sell)
		if book.Phase() == market.PhaseContinuous && buys && sells && buy.Price >= sell.Price {
			return fmt.Errorf("the book of market %d is crossed: %d and %d", number, buy.Price, sell.Price)
		}
	}
	return nil
}

// restart replaces the state by a copy that was written and read.
func (x *exchange) restart() error {
	var encoded bytes.Buffer
	if _, err := x.state.Freeze().WriteTo(&encoded); err != nil {
		return err
	}
	restored, err := bank.Restore(&encoded)
	if err != nil {
		return err
	}
	if restored.Hash() != x.state.Hash() {
		return fmt.Errorf("a restored copy has another hash")
	}
	x.state = restored
	return nil
}

// replayed carries out the same commands again and compares every answer.
func (x *exchange) replayed() (*bank.State, error) {
	state := bank.New()
	for i, record := range x.journal {
		state.Begin(uint64(i+1), record.nowMS)
		state.Chain([32]byte{byte(i + 1), byte((i + 1) >> 8)})
		if answer := state.Apply(record.command, nil); !bytes.Equal(answer, record.answer) {
			return nil, fmt.Errorf("command %d is answered differently in a replay", i)
		}
	}
	return state, nil
}

// Any sequence of orders, amendments, cancellations, conversions, halts and
// silences leaves the balances and holds of the oracle, after every command and
// through restarts; a replay gives the same answers and the same hash.
func TestTradingEqualsNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newExchange(4)
		s := rapidSource{t}
		for range rapid.IntRange(1, 120).Draw(t, "commands") {
			answer := x.step(s)
			if err := x.fault(answer); err != nil {
				t.Fatal(err)
			}
			if s.between(0, 30, "restart") == 0 {
				if err := x.restart(); err != nil {
					t.Fatal(err)
				}
			}
		}
		state, err := x.replayed()
		if err != nil {
			t.Fatal(err)
		}
		if state.Hash() != x.state.Hash() {
			t.Fatal("a replay gives another hash")
		}
	})
}

// A bank has MaxMarkets markets, and each of them works.
func TestTooManyMarkets(t *testing.T) {
	x := newExchange(2)
	open := bank.OpenMarket{Market: bank.Market{Base: ledger.Time, Quote: 3, LotUnits: 1_000_000}, Config: market.DefaultConfig()}.AppendTo(nil)
	for x.state.Markets() < bank.MaxMarkets {
		if refusal := bank.Refusal(x.apply(open)[0]); refusal != bank.Accepted {
			t.Fatalf("market %d: %s", x.state.Markets()+1, refusal)
		}
	}
	x.apply(bank.CallAuction{Market: bank.MaxMarkets}.AppendTo(nil))
	if refusal := bank.Refusal(x.apply(open)[0]); refusal != bank.TooMany {
		t.Errorf("one more: %s", refusal)
	}
	if _, book := x.state.Market(bank.MaxMarkets); book.Phase() != market.PhaseAuction {
		t.Errorf("the last market is in phase %d", book.Phase())
	}
}
