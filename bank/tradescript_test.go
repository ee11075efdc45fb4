package bank_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

var (
	kindNames  = []string{"gtc", "gtd", "market", "ioc", "fok"}
	phaseNames = []string{"halted", "continuous", "batch", "auction"}
	reasons    = map[market.Reason]string{
		market.ByOwner: "by owner", market.ByOperator: "by operator", market.Expired: "expired", market.Unfilled: "unfilled",
		market.SelfTraded: "self-trade", market.Opening: "opening", market.Volatility: "volatility", market.Extended: "extended",
		market.NoPrice: "no price", market.AuctionEnded: "auction ended", bank.Disconnected: "disconnected",
	}
)

// tradeCommand reads the lines about markets:
//
//	market TIME GOLD [mode=continuous] [lot=1000000] [tick=1] [option=…]
//	terms 1 [maker=20] [taker=20] [call=20] [operator=…] [burned=…] [least=…] [value=…]
//	auction 1 [reference] · halt 1 · halt-all · resume-all · halt-person alice [off] [cancel]
//	tier 0 [order=…] [daily=…] [holdings=…] [open=…] [rate=…] [burst=…]
//	order alice 1 buy 100@7 [kind=ioc] [post=yes] [stp=oldest] [until=…] [as=name]
//	amend alice 1 name 50@8 · cancel alice 1 name · cancel-all alice [1] · keep alice 5000
//	convert alice 1 sell 10 bound=700 [good=10000]
func (s *script) tradeCommand(args []string, options map[string]string) []byte {
	key, reference := bank.Key(id(options["key"])), options["ref"]
	number := func(i int) uint32 {
		if len(args) <= i {
			return 0
		}
		return uint32(s.integer(args[i]))
	}
	person := func() uint64 {
		if args[1] == "operator" {
			return 0
		}
		_, number := s.owner(args[1])
		return number
	}
	switch args[0] {
	case "market":
		command := bank.OpenMarket{Key: key, Config: market.DefaultConfig(), Market: bank.Market{LotUnits: s.option(options, "lot", 1_000_000), Terms: s.terms(options)}}
		command.Market.Base, _ = s.state.Books().AssetByCode(args[1])
		command.Market.Quote, _ = s.state.Books().AssetByCode(args[2])
		if options["mode"] == "continuous" {
			command.Config.Mode = market.Continuous
		}
		c := &command.Config
		c.TickValue, c.MaxPrice = s.option(options, "tick", 1), s.option(options, "price", c.MaxPrice)
		c.MaxQuantity, c.MaxOwnerOrders = s.option(options, "quantity", c.MaxQuantity), s.option(options, "own", c.MaxOwnerOrders)
		c.MaxOrders = s.option(options, "orders", c.MaxOrders)
		c.DynamicBPS, c.StaticBPS = s.option(options, "dynamic", 0), s.option(options, "static", 0)
		c.AuctionMS, c.RandomMS, c.LockMS = s.option(options, "auction", 1000), s.option(options, "random", 0), s.option(options, "lock", 0)
		return command.AppendTo(nil)
	case "terms":
		return bank.SetMarketTerms{Key: key, Market: number(1), Terms: s.terms(options)}.AppendTo(nil)
	case "auction":
		return bank.CallAuction{Key: key, Market: number(1), Reference: int64(number(2))}.AppendTo(nil)
	case "halt":
		return bank.HaltMarket{Key: key, Market: number(1)}.AppendTo(nil)
	case "halt-all", "resume-all":
		return bank.HaltAll{Key: key, Halt: args[0] == "halt-all"}.AppendTo(nil)
	case "halt-person":
		return bank.HaltPerson{Key: key, Person: person(), Halt: args[len(args)-1] != "off", Cancel: args[len(args)-1] == "cancel"}.AppendTo(nil)
	case "tier":
		tier := bank.DefaultTiers()[0]
		tier.OrderMicro, tier.DailyMicro = s.option(options, "order", tier.OrderMicro), s.option(options, "daily", tier.DailyMicro)
		tier.HoldingsMicro, tier.OpenOrders = s.option(options, "holdings", tier.HoldingsMicro), uint32(s.option(options, "open", int64(tier.OpenOrders)))
		tier.MessagesPerSecond, tier.MessagesBurst = uint32(s.option(options, "rate", 1000)), uint32(s.option(options, "burst", 1000))
		return bank.SetTier{Key: key, Number: uint8(number(1)), Tier: tier}.AppendTo(nil)
	case "order":
		order := bank.PlaceOrder{Key: key, Reference: reference, Market: number(2), Person: person(), Side: sideOf(args[3]), PostOnly: options["post"] == "yes"}
		order.Quantity, order.Price = s.quantityAt(args[4])
		order.Kind = market.Kind(max(indexOf(kindNames, options["kind"]), 0))
		order.SelfTrade = market.SelfTrade(max(indexOf([]string{"newest", "oldest", "both", "none"}, options["stp"]), 0))
		if until := options["until"]; until != "" {
			order.ExpiresMS = parseTime(s.t, until)
		}
		return order.AppendTo(nil)
	case "amend":
		amend := bank.AmendOrder{Key: key, Reference: reference, Market: number(2), Person: person(), Order: s.hold(args[3])}
		amend.Quantity, amend.Price = s.quantityAt(args[4])
		return amend.AppendTo(nil)
	case "cancel":
		return bank.CancelOrder{Key: key, Reference: reference, Market: number(2), Person: person(), Order: s.hold(args[3])}.AppendTo(nil)
	case "cancel-all":
		return bank.CancelOrders{Key: key, Reference: reference, Person: person(), Market: number(2)}.AppendTo(nil)
	case "keep":
		return bank.KeepOrders{Person: person(), TimeoutMS: s.integer(args[2])}.AppendTo(nil)
	case "convert":
		return bank.Convert{Key: key, Reference: reference, Market: number(2), Person: person(), Side: sideOf(args[3]), Quantity: s.integer(args[4]),
			Bound: s.integer(options["bound"]), ExpiresMS: s.nowMS + s.option(options, "good", 10_000)}.AppendTo(nil)
	}
	return nil
}

func (s *script) option(options map[string]string, name string, otherwise int64) int64 {
	if options[name] == "" {
		return otherwise
	}
	return s.integer(options[name])
}

func (s *script) terms(options map[string]string) bank.Terms {
	return bank.Terms{
		MakerBPS: uint16(s.option(options, "maker", 20)), TakerBPS: uint16(s.option(options, "taker", 20)), CallBPS: uint16(s.option(options, "call", 20)),
		OperatorBPS: uint16(s.integer(options["operator"])), BurnedBPS: uint16(s.integer(options["burned"])),
		MinNotional: s.integer(options["least"]), ValueMicro: s.integer(options["value"]),
	}
}

// quantityAt reads 100@7: so many lots at so many ticks.
func (s *script) quantityAt(text string) (quantity, price int64) {
	lots, ticks, _ := strings.Cut(text, "@")
	return s.integer(lots), s.integer(ticks)
}

func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

func sideOf(name string) market.Side {
	return market.Side(indexOf([]string{"buy", "sell"}, name))
}

func sideName(side market.Side) string { return [...]string{"buy", "sell"}[side] }

// marketLine answers the lines that only look: book 1, quote alice 1 sell 10.
func (s *script) marketLine(args []string) (lines []string, isOne bool) {
	switch args[0] {
	case "book":
		_, book := s.state.Market(uint32(s.integer(args[1])))
		for _, side := range []market.Side{market.Buy, market.Sell} {
			line := sideName(side) + "s:"
			for _, level := range book.Depth(side, 10, nil) {
				line += fmt.Sprintf(" %d@%d", level.Quantity, level.Price)
			}
			lines = append(lines, line)
		}
		return append(lines, phaseNames[book.Phase()]), true
	case "quote":
		_, person := s.owner(args[1])
		q, refusal := s.state.QuoteFor(person, uint32(s.integer(args[2])), sideOf(args[3]), s.integer(args[4]))
		if refusal != bank.Accepted {
			return []string{"no quote: " + refusal.String()}, true
		}
		line := fmt.Sprintf("%d for %d, fee %d, net %d, worst %d", q.Quantity, q.Notional, q.Fee, q.Net, q.Worst)
		if q.Indicative {
			line += ", indicative"
		}
		return []string{line}, true
	}
	return nil, false
}

// describeTrade says a fact of a market, and remembers an order by its name.
func (s *script) describeTrade(fact bank.Fact, as string) string {
	who := func(person uint64) string {
		return strings.Split(s.name(s.timeAccount(person)), ".")[0]
	}
	short := func(number uint32, order uint64) uint64 {
		_, book := s.state.Market(number)
		config := book.Config()
		return order >> config.PlaceBits()
	}
	switch f := fact.(type) {
	case bank.MarketOpened:
		books := s.state.Books()
		return fmt.Sprintf("market %d: %s in %s, lots of %d", f.Number, books.Asset(f.Market.Base).Code, books.Asset(f.Market.Quote).Code, f.Market.LotUnits)
	case bank.OrderPlaced:
		if as != "" {
			s.holds[as] = f.Order
		}
		line := fmt.Sprintf("order %d: %s %ss %d@%d %s, holds %d", short(f.Market, f.Order), who(f.Person), sideName(f.Side), f.Quantity, f.Price, kindNames[f.Kind], f.Held)
		if f.ExpiresMS != 0 {
			line += " until " + time.UnixMilli(f.ExpiresMS).UTC().Format(time.RFC3339)
		}
		return line
	case bank.OrderFilled:
		role := [...]string{"", "maker", "taker", "in call"}[f.Role]
		return fmt.Sprintf("order %d fills: %s %ss %d@%d as %s, open %d, notional %d, fee %d", short(f.Market, f.Order), who(f.Person), sideName(f.Side), f.Quantity, f.Price, role, f.Open, f.Notional, f.Fee)
	case bank.OrderCancelled:
		return fmt.Sprintf("order %d cancelled %s: %d open, released %d", short(f.Market, f.Order), reasons[f.Reason], f.Quantity, f.Released)
	case bank.OrderAmended:
		return fmt.Sprintf("order %d amended: %d@%d, open %d, keeps its priority %v, holds %d", short(f.Market, f.Order), f.Quantity, f.Price, f.Open, f.KeptPriority, f.Held)
	case bank.MarketCleared:
		return fmt.Sprintf("market %d clears %d@%d", f.Market, f.Quantity, f.Price)
	case bank.PhaseChanged:
		line := fmt.Sprintf("market %d %s: %s, reference %d", f.Market, phaseNames[f.Phase], reasons[f.Reason], f.Reference)
		if f.UntilMS != 0 {
			line += ", not before " + time.UnixMilli(f.UntilMS).UTC().Format("15:04:05.000")
		}
		return line
	case bank.OrdersKept:
		return fmt.Sprintf("orders of %s kept, until %d ms ahead", who(f.Person), max(f.UntilMS-s.nowMS, 0))
	case bank.Converted:
		if f.Pending {
			return fmt.Sprintf("conversion of %d lots waits for the call as order %d", f.Quantity, short(f.Market, f.Order))
		}
		return fmt.Sprintf("converted %d lots for %d, fee %d", f.Quantity, f.Notional, f.Fee)
	}
	return ""
}

func (s *script) timeAccount(person uint64) uint64 {
	number, _ := s.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time})
	return number
}
