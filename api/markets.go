package api

import (
	"context"
	"math/big"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
)

// MarketPath names a market.
type MarketPath struct {
	Market string `path:"market" maxLength:"10"`
}

var phaseNames = [...]string{"halted", "continuous", "batch", "auction"}

func (s *server) registerMarkets() {
	register(s, created("create-market", "POST", "/v1/markets", "Open a market; it is halted until an auction is called", "trading"), operator, s.createMarket)
	register(s, operation("list-markets", "GET", "/v1/markets", "The markets, and what they are doing", "trading"), public, s.listMarkets)
	register(s, operation("get-market", "GET", "/v1/markets/{market}", "A market: its rules, fees and what it is doing", "trading"), public,
		func(ctx context.Context, _ identity.Principal, in *MarketPath) (*body[wire.Market], error) {
			shown, err := s.shownMarket(ctx, in.Market)
			return &body[wire.Market]{shown}, err
		})
	register(s, operation("set-market-terms", "PUT", "/v1/markets/{market}/terms", "Change fees and bounds for the orders that are placed from now on", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			MarketPath
			Idempotent
			Body wire.MarketTerms
		}) (*answered[wire.MarketTerms], error) {
			was, err := s.shownMarket(ctx, in.Market)
			if err != nil {
				return nil, err
			}
			before(ctx, was.MarketTerms)
			u, err := s.marketUnits(ctx, in.Market)
			if err != nil {
				return nil, err
			}
			command := bank.SetMarketTerms{Key: in.key(who, "terms"), Market: u.number}
			if command.Terms, err = termsFrom(in.Body, u.quoteScale); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return &answered[wire.MarketTerms]{replayed(answer), termsOf(command.Terms, &u)}, nil
		})
	register(s, operation("call-auction", "POST", "/v1/markets/{market}/auction", "Open a halted market by an auction", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			MarketPath
			Idempotent
			Body wire.NewAuction
		}) (*answered[wire.MarketPhase], error) {
			u, err := s.marketUnits(ctx, in.Market)
			if err != nil {
				return nil, err
			}
			command := bank.CallAuction{Key: in.key(who, "auction"), Market: u.number}
			if command.Reference, err = u.ticks("reference", in.Body.Reference); err != nil {
				return nil, err
			}
			return s.changedPhase(ctx, &u, command.AppendTo(nil))
		})
	register(s, operation("halt-market", "POST", "/v1/markets/{market}/halt", "Halt a market until an auction is called; what rests stays", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			MarketPath
			Idempotent
		}) (*answered[wire.MarketPhase], error) {
			u, err := s.marketUnits(ctx, in.Market)
			if err != nil {
				return nil, err
			}
			return s.changedPhase(ctx, &u, bank.HaltMarket{Key: in.key(who, "halt"), Market: u.number}.AppendTo(nil))
		})
	s.registerHalts()
	s.registerTiers()
}

func (s *server) createMarket(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body wire.NewMarket
}) (*answered[wire.Market], error) {
	command := bank.OpenMarket{Key: in.key(who, "market"), Config: configFrom(&in.Body)}
	var baseScale, quoteScale int
	for _, side := range []struct {
		code   string
		number *uint32
		scale  *int
	}{{in.Body.Base, &command.Market.Base, &baseScale}, {in.Body.Quote, &command.Market.Quote, &quoteScale}} {
		number, err := s.assetNumber(ctx, side.code)
		if err != nil {
			return nil, err
		}
		*side.number = number
		if err := s.Bank.Read(ctx, func(state *bank.State) {
			if asset := state.Books().Asset(number); asset != nil {
				*side.scale = int(asset.Scale)
			}
		}); err != nil {
			return nil, err
		}
	}
	var err error
	if command.Market.LotUnits, err = parseAmount("lot", in.Body.Lot, baseScale); err != nil {
		return nil, err
	}
	if command.Config.TickValue, err = tickValue(in.Body.Tick, in.Body.Lot, quoteScale); err != nil {
		return nil, err
	}
	if command.Market.Terms, err = termsFrom(in.Body.MarketTerms, quoteScale); err != nil {
		return nil, err
	}
	u, ok := unitsOf(command.Market, command.Config, baseScale, quoteScale)
	if !ok || command.Market.LotUnits < 1 {
		return nil, refusalOf(bank.MarketInvalid)
	}
	if in.Body.MaxPrice != "" {
		if command.Config.MaxPrice, err = u.ticks("max_price", in.Body.MaxPrice); err != nil {
			return nil, err
		}
	}
	if in.Body.MaxQuantity != "" {
		if command.Config.MaxQuantity, err = u.lots("max_quantity", in.Body.MaxQuantity); err != nil {
			return nil, err
		}
	} else if least := max(command.Config.MaxPrice*command.Config.TickValue, command.Market.LotUnits, 1); least > 0 {
		command.Config.MaxQuantity = min(command.Config.MaxQuantity, (1<<62-1)/least)
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	opened, _ := bank.First[bank.MarketOpened](answer.Bytes)
	u, err = s.marketUnits(ctx, strconv.FormatUint(uint64(opened.Number), 10))
	return &answered[wire.Market]{replayed(answer), newMarketOf(opened.Market, opened.Config, &u)}, err
}

// tickValue returns what a tick for a lot is in the smallest units of the quote.
func tickValue(tick, lot string, quoteScale int) (int64, error) {
	t, tickReads := new(big.Rat).SetString(tick)
	l, lotReads := new(big.Rat).SetString(lot)
	if !tickReads || !lotReads {
		return 0, invalid("tick", "%q: accepted: a decimal price", tick)
	}
	value, exact := exactly(new(big.Rat).Mul(t, l), quoteScale)
	if !exact || value < 1 {
		return 0, invalid("tick", "%q: accepted: prices of which one for a lot of %s is a whole number with up to %d decimal places", tick, lot, quoteScale)
	}
	return value, nil
}

func configFrom(in *wire.NewMarket) market.Config {
	config := market.DefaultConfig()
	if in.Mode == "continuous" {
		config.Mode = market.Continuous
	}
	for _, some := range []struct{ from, to *int64 }{
		{&in.MaxOwnOrders, &config.MaxOwnerOrders}, {&in.BatchMS, &config.BatchMS}, {&in.AuctionMS, &config.AuctionMS},
	} {
		if *some.from != 0 {
			*some.to = *some.from
		}
	}
	for _, some := range []struct{ from, to *int64 }{
		{in.RandomMS, &config.RandomMS}, {in.LockMS, &config.LockMS}, {in.DynamicBPS, &config.DynamicBPS}, {in.StaticBPS, &config.StaticBPS},
	} {
		if some.from != nil {
			*some.to = *some.from
		}
	}
	return config
}

func termsFrom(in wire.MarketTerms, quoteScale int) (bank.Terms, error) {
	terms := bank.Terms{MakerBPS: in.MakerBPS, TakerBPS: in.TakerBPS, CallBPS: in.CallBPS, OperatorBPS: in.OperatorBPS, BurnedBPS: in.BurnedBPS}
	var err error
	if in.MinNotional != "" {
		if terms.MinNotional, err = parseAmount("min_notional", in.MinNotional, quoteScale); err != nil {
			return terms, err
		}
	}
	if in.Value != "" {
		terms.ValueMicro, err = parseAmount("value", in.Value, micro)
	}
	return terms, err
}

// changedPhase carries out a command and answers what the market does by it. A
// market that was halted and is halted has no fact of it.
func (s *server) changedPhase(ctx context.Context, u *marketUnits, command []byte) (*answered[wire.MarketPhase], error) {
	answer, err := s.submit(ctx, command)
	if err != nil {
		return nil, err
	}
	changed, _ := bank.First[bank.PhaseChanged](answer.Bytes)
	return &answered[wire.MarketPhase]{replayed(answer), wire.MarketPhase{
		Market: strconv.FormatUint(uint64(u.number), 10), Phase: phaseNames[changed.Phase], Reference: u.price(changed.Reference), NotBefore: timeText(changed.UntilMS),
	}}, nil
}

func (s *server) shownMarket(ctx context.Context, text string) (shown wire.Market, err error) {
	u, err := s.marketUnits(ctx, text)
	if err != nil {
		return shown, err
	}
	return shown, s.Bank.Read(ctx, func(state *bank.State) { shown = marketOf(state, &u) })
}

// newMarketOf shows a market as it is opened, before anything has happened.
func newMarketOf(m bank.Market, config market.Config, u *marketUnits) wire.Market {
	return wire.Market{
		Market: strconv.FormatUint(uint64(u.number), 10), Phase: phaseNames[market.PhaseHalted],
		NewMarket: wire.NewMarket{
			Base: u.base, Quote: u.quote, Mode: [...]string{"batch", "continuous"}[config.Mode], Lot: u.quantity(1), Tick: u.price(1), MarketTerms: termsOf(m.Terms, u),
			MaxPrice: u.price(config.MaxPrice), MaxQuantity: u.quantity(config.MaxQuantity), MaxOwnOrders: config.MaxOwnerOrders,
			BatchMS: config.BatchMS, AuctionMS: config.AuctionMS, RandomMS: &config.RandomMS, LockMS: &config.LockMS,
			DynamicBPS: &config.DynamicBPS, StaticBPS: &config.StaticBPS,
		},
	}
}

func termsOf(t bank.Terms, u *marketUnits) wire.MarketTerms {
	shown := wire.MarketTerms{
		MakerBPS: t.MakerBPS, TakerBPS: t.TakerBPS, CallBPS: t.CallBPS, OperatorBPS: t.OperatorBPS, BurnedBPS: t.BurnedBPS, MinNotional: u.paid(t.MinNotional),
	}
	if t.ValueMicro != 0 {
		shown.Value = points(t.ValueMicro)
	}
	return shown
}

func marketOf(state *bank.State, u *marketUnits) wire.Market {
	m, book := state.Market(u.number)
	shown, reference := newMarketOf(m, book.Config(), u), book.Reference()
	shown.Phase, shown.Orders, shown.Reference, shown.Last = phaseNames[book.Phase()], book.Orders(), u.price(reference.Price), u.price(reference.Last)
	shown.Low, shown.High = u.price(reference.Low), u.price(min(reference.High, u.maxPrice))
	return shown
}

func (s *server) listMarkets(ctx context.Context, _ identity.Principal, in *Page) (*body[wire.List[wire.Market]], error) {
	last := uint64(0)
	if in.Cursor != "" {
		var err error
		if last, err = strconv.ParseUint(in.Cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Market]]{wire.List[wire.Market]{Items: []wire.Market{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		end := min(uint64(state.Markets()), last+uint64(in.Limit))
		for number := last + 1; number <= end; number++ {
			u, _ := unitsIn(state, uint32(number))
			out.Body.Items = append(out.Body.Items, marketOf(state, &u))
		}
		if end < uint64(state.Markets()) {
			out.Body.NextCursor = strconv.FormatUint(end, 10)
		}
	})
	return out, err
}

func (s *server) registerHalts() {
	register(s, operation("halt-trading", "PUT", "/v1/trading", "Halt all markets, or let those that this halted re-open by auction", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.TradingHalt
		}) (*answered[wire.TradingHalt], error) {
			answer, err := s.submit(ctx, bank.HaltAll{Key: in.key(who, "halt-all"), Halt: in.Body.Halted}.AppendTo(nil))
			return &answered[wire.TradingHalt]{replayed(answer), wire.TradingHalt{Halted: in.Body.Halted}}, err
		})
	register(s, operation("halt-person", "PUT", "/v1/people/{person}/trading", "Stop a person from placing and amending orders, or let them again", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Idempotent
			Body wire.TradingHalt
		}) (*answered[wire.TradingHalt], error) {
			id, err := parsePerson(in.Person)
			if err != nil {
				return nil, err
			}
			number, found, err := s.personNumber(ctx, id)
			if err != nil {
				return nil, err
			}
			if !found {
				return nil, notFound("person")
			}
			answer, err := s.submit(ctx, bank.HaltPerson{Key: in.key(who, "halt-person"), Person: number, Halt: in.Body.Halted, Cancel: in.Body.Cancel}.AppendTo(nil))
			return &answered[wire.TradingHalt]{replayed(answer), in.Body}, err
		})
}

// TierPath names a tier.
type TierPath struct {
	Tier uint8 `path:"tier" maximum:"9"`
}

func (s *server) registerTiers() {
	register(s, operation("list-tiers", "GET", "/v1/tiers", "How much people may trade, by tier", "trading"), public,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[wire.List[wire.Tier]], error) {
			out := &body[wire.List[wire.Tier]]{wire.List[wire.Tier]{Items: []wire.Tier{}}}
			err := s.Bank.Read(ctx, func(state *bank.State) {
				for number, tier := range state.Tiers() {
					out.Body.Items = append(out.Body.Items, tierOf(number, tier))
				}
			})
			return out, err
		})
	register(s, operation("set-tier", "PUT", "/v1/tiers/{tier}", "Say how much the people of a tier may trade", "trading"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			TierPath
			Idempotent
			Body wire.Tier
		}) (*answered[wire.Tier], error) {
			tier := bank.Tier{OpenOrders: in.Body.OpenOrders, MessagesPerSecond: in.Body.MessagesPerSecond, MessagesBurst: in.Body.MessagesBurst}
			for _, some := range []struct {
				field, text string
				to          *int64
			}{{"order", in.Body.Order, &tier.OrderMicro}, {"daily", in.Body.Daily, &tier.DailyMicro}, {"holdings", in.Body.Holdings, &tier.HoldingsMicro}} {
				var err error
				if *some.to, err = parseAmount(some.field, some.text, micro); err != nil {
					return nil, err
				}
			}
			if err := s.Bank.Read(ctx, func(state *bank.State) { before(ctx, tierOf(int(in.Tier), state.Tiers()[in.Tier])) }); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.SetTier{Key: in.key(who, "tier"), Number: in.Tier, Tier: tier}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return &answered[wire.Tier]{replayed(answer), tierOf(int(in.Tier), tier)}, nil
		})
}

func tierOf(number int, t bank.Tier) wire.Tier {
	return wire.Tier{
		Tier: number, Order: points(t.OrderMicro), Daily: points(t.DailyMicro), Holdings: points(t.HoldingsMicro), OpenOrders: t.OpenOrders,
		MessagesPerSecond: t.MessagesPerSecond, MessagesBurst: t.MessagesBurst,
	}
}

// refusalOf is what is answered where the bank would refuse, and was not asked.
func refusalOf(refusal bank.Refusal) *Problem {
	p := refusalProblem(journal.Answer{Refusal: refusal})
	p.Operation = ""
	return p
}
