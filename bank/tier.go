package bank

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// Bounds of tiers.
const (
	Tiers = MaxTier + 1 // numbered from 0 on, as in Standing
	// MaxTierOrders bounds the open orders of a person, and so the work of
	// cancelling them all.
	MaxTierOrders = 10_000
	// MaxTierMicro bounds what an order may count as: 100 million TIME.
	MaxTierMicro = 100_000_000 * 1_000_000
	// MaxMessages bounds messages a second, and at once.
	MaxMessages = 1_000_000
)

// Tier is how much a person may trade. Amounts are in millionths of TIME; what
// is traded in markets without TIME counts by Terms.ValueMicro.
type Tier struct {
	// OrderMicro is the most that one order may count as.
	OrderMicro int64
	// DailyMicro is the most that a person may trade in the running hour and the
	// 23 before it, open orders included.
	DailyMicro int64
	// HoldingsMicro is the most of an asset that a person may come to hold by
	// trading; all open orders count as if they brought it.
	HoldingsMicro int64
	// OpenOrders is the most open orders, over all markets.
	OpenOrders uint32
	// MessagesPerSecond is how often a person may place and amend in the long
	// run, MessagesBurst how often at once. Cancelling is always allowed.
	MessagesPerSecond, MessagesBurst uint32
}

// DefaultTiers returns the tiers that a bank begins with. Everybody is in tier
// 0, which is small, until an operator decides otherwise.
func DefaultTiers() (tiers [Tiers]Tier) {
	const time = 1_000_000
	times := int64(1)
	for i := range tiers {
		tiers[i] = Tier{
			OrderMicro: 100 * time * times, DailyMicro: 500 * time * times, HoldingsMicro: 10_000 * time * times,
			OpenOrders: uint32(20 * times), MessagesPerSecond: uint32(5 * times), MessagesBurst: uint32(20 * times),
		}
		if i < 2 {
			times *= 10
		}
	}
	return tiers
}

func (t *Tier) appendTo(dst []byte) []byte {
	dst = appendI64(appendI64(appendI64(dst, t.OrderMicro), t.DailyMicro), t.HoldingsMicro)
	return le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, t.OpenOrders), t.MessagesPerSecond), t.MessagesBurst)
}

func readTier(r *reader) Tier {
	return Tier{r.i64(), r.i64(), r.i64(), r.u32(), r.u32(), r.u32()}
}

func (t *Tier) valid() bool {
	return t.OrderMicro >= 0 && t.OrderMicro <= MaxTierMicro && t.DailyMicro >= 0 && t.HoldingsMicro >= 0 && t.OpenOrders <= MaxTierOrders &&
		t.MessagesPerSecond >= 1 && t.MessagesPerSecond <= MaxMessages && t.MessagesBurst >= 1 && t.MessagesBurst <= MaxMessages
}

// SetTier says how much the persons of a tier may trade from now on. Orders that
// are open stay.
type SetTier struct {
	Key    Key
	Number uint8
	Tier   Tier
}

// AppendTo appends the encoded command.
func (c SetTier) AppendTo(dst []byte) []byte {
	return c.Tier.appendTo(append(begin(dst, kindSetTier, c.Key), c.Number))
}

// TierSet says what a tier allows now.
type TierSet struct {
	Number uint8
	Tier   Tier
}

func (s *State) setTier(r *reader) Refusal {
	number, tier := r.u8(), readTier(r)
	if !r.finished() {
		return Malformed
	}
	if number >= Tiers || !tier.valid() {
		return TierInvalid
	}
	s.trade.tiers[number] = tier
	s.answer = tier.appendTo(append(s.answer, uint8(factTierSet), number))
	return Accepted
}

// Tiers returns what each tier allows.
func (s *State) Tiers() [Tiers]Tier { return s.trade.tiers }

// tierOf returns what a person may trade.
func (s *State) tierOf(person uint64) *Tier { return &s.trade.tiers[s.Standing(person).Tier] }

// wanted is what an order asks for when its limits are looked at.
type wanted struct {
	person          uint64
	side            market.Side
	price, quantity int64
}

// withinTier tells whether an order stays within its market's and its owner's
// bounds. beforeMicro is what the order counts as already, if it is amended.
func (s *State) withinTier(m *listed, money *orderMoney, want *wanted, beforeMicro int64) Refusal {
	tier := s.tierOf(want.person)
	var t *trader
	if position, found := s.traderPosition(want.person); found {
		t = s.trade.traders.At(position)
	} else {
		t = &trader{}
	}
	value := s.value(m, money, want.price, want.quantity)
	open := t.openMicro - beforeMicro
	switch {
	case want.price*want.quantity*m.tickValue < m.MinNotional:
		return NotionalTooSmall
	case value > tier.OrderMicro:
		return OrderTooLarge
	case beforeMicro == 0 && t.openOrders >= tier.OpenOrders:
		return TooManyOrders
	case capped(t.tradedMicro(s.nowMS), open+value) > tier.DailyMicro:
		return DailyVolumeExceeded
	case tier.HoldingsMicro < most && capped(s.worth(m, money, want), open+value) > tier.HoldingsMicro:
		return HoldingsExceeded
	case !t.mayMessage(tier, s.nowMS):
		return TooManyMessages
	}
	return Accepted
}

// value is what so many lots at a price count as where tiers limit trading, in
// millionths of TIME, rounded up, at most 2^62.
func (s *State) value(m *listed, money *orderMoney, price, quantity int64) int64 {
	notional := price * quantity * m.tickValue
	switch {
	case m.Base == ledger.Time:
		return quantity * m.LotUnits
	case m.Quote == ledger.Time:
		return notional
	}
	return mulDivCapped(notional, money.valueMicro, powersOfTen[s.books.Asset(m.Quote).Scale])
}

// worth is what a person holds of the asset that an order brings, at the
// order's price.
func (s *State) worth(m *listed, money *orderMoney, want *wanted) int64 {
	key := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: want.person, Asset: m.Base}
	if want.side == market.Sell {
		key.Asset = m.Quote
	}
	has := max(s.balance(key), 0)
	if key.Asset == ledger.Time {
		return min(has, most)
	}
	if want.side == market.Sell && m.Base == ledger.Time {
		return mulDivCapped(has, m.LotUnits, want.price*m.tickValue)
	}
	if want.side == market.Buy {
		has = mulDivCapped(has, want.price*m.tickValue, m.LotUnits) // in the quote
	}
	if m.Quote == ledger.Time {
		return has
	}
	return mulDivCapped(has, money.valueMicro, powersOfTen[s.books.Asset(m.Quote).Scale])
}

func mulDivCapped(a, b, c int64) int64 {
	if v, fits := amount.MulDivUp(a, b, c); fits {
		return min(v, most)
	}
	return most
}

// capped adds what is not negative, up to 2^62.
func capped(a, b int64) int64 {
	if sum, fits := amount.Add(a, b); fits {
		return min(sum, most)
	}
	return most
}
