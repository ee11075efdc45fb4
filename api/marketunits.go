package api

import (
	"context"
	"math/big"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/market"
)

// marketUnits are what never changes of a market: how its lots and ticks are
// written.
type marketUnits struct {
	number                 uint32
	base, quote            string
	baseScale, quoteScale  int
	lot                    int64 // minor units of the base
	tick                   int64 // in units of 10^-priceScale of the quote for one of the base
	priceScale             int
	tickValue              int64
	maxPrice, maxQuantity  int64
	baseNumber, quoteAsset uint32
}

const maxScale = 18

// unitsOf tells how prices are written: a tick is tickValue of the smallest
// units of the quote for a lot. ok is false if that takes too many digits.
func unitsOf(m bank.Market, config market.Config, baseScale, quoteScale int) (u marketUnits, ok bool) {
	u = marketUnits{
		baseScale: baseScale, quoteScale: quoteScale, lot: m.LotUnits, tick: config.TickValue, tickValue: config.TickValue,
		maxPrice: config.MaxPrice, maxQuantity: config.MaxQuantity, baseNumber: m.Base, quoteAsset: m.Quote,
	}
	u.priceScale = quoteScale - baseScale
	for lot := m.LotUnits; lot > 1; lot /= 10 {
		u.priceScale++
	}
	for ; u.priceScale < 0; u.priceScale++ {
		if u.tick, ok = amount.Mul(u.tick, 10); !ok {
			return u, false
		}
	}
	for ; u.priceScale > 0 && u.tick%10 == 0; u.priceScale-- {
		u.tick /= 10
	}
	_, ok = amount.Mul(u.tick, u.maxPrice)
	return u, ok && u.priceScale <= maxScale
}

func (s *server) marketUnits(ctx context.Context, text string) (marketUnits, error) {
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return marketUnits{}, notFound("market")
	}
	u, found, err := s.markets.of(ctx, s.Bank, uint32(number), func(state *bank.State) (marketUnits, bool) { return unitsIn(state, uint32(number)) })
	if err == nil && !found {
		err = refusalOf(bank.MarketRefusal(market.MarketNotFound))
	}
	return u, err
}

// unitsIn reads the units of a market from the state.
func unitsIn(state *bank.State, number uint32) (u marketUnits, found bool) {
	m, book := state.Market(number)
	if book == nil {
		return u, false
	}
	base, quote := state.Books().Asset(m.Base), state.Books().Asset(m.Quote)
	u, _ = unitsOf(m, book.Config(), int(base.Scale), int(quote.Scale))
	u.number, u.base, u.quote = number, base.Code, quote.Code
	return u, true
}

func (u *marketUnits) price(ticks int64) string {
	if ticks == 0 {
		return ""
	}
	return amount.Format(ticks*u.tick, u.priceScale)
}

func (u *marketUnits) quantity(lots int64) string { return amount.Format(lots*u.lot, u.baseScale) }

func (u *marketUnits) paid(value int64) string { return amount.Format(value, u.quoteScale) }

// ticks reads a price; empty is 0.
func (u *marketUnits) ticks(field, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	value, err := amount.Parse(text, u.priceScale)
	if err != nil || value%u.tick != 0 {
		return 0, invalid(field, "%q: accepted: multiples of %s %s", text, amount.Format(u.tick, u.priceScale), u.quote)
	}
	return value / u.tick, nil
}

// lots reads a quantity.
func (u *marketUnits) lots(field, text string) (int64, error) {
	value, err := amount.Parse(text, u.baseScale)
	if err != nil || value%u.lot != 0 {
		return 0, invalid(field, "%q: accepted: multiples of %s %s", text, u.quantity(1), u.base)
	}
	return value / u.lot, nil
}

// exactly returns value x 10^scale, if that is whole and fits.
func exactly(value *big.Rat, scale int) (int64, bool) {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	scaled := new(big.Rat).Mul(value, new(big.Rat).SetInt(power))
	return scaled.Num().Int64(), scaled.IsInt() && scaled.Num().IsInt64()
}
