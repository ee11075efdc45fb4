package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
)

// quoteMS is how long a quote is good for.
const quoteMS = 10_000

// A quote carries its own terms, so that nothing is kept until it is carried
// out, and its text is the idempotency key by which that happens once:
//
//	| market u32 | side u8 | quantity i64 | bound i64 | expires i64 | nonce 8 |
//
// in base64. Whoever writes one themselves asks for no more than an order would.
const quoteBytes = 4 + 1 + 8 + 8 + 8 + 8

func encodeQuote(c *bank.Convert) (string, error) {
	le := binary.LittleEndian
	text := append(le.AppendUint32(make([]byte, 0, quoteBytes), c.Market), uint8(c.Side))
	for _, v := range [...]int64{c.Quantity, c.Bound, c.ExpiresMS} {
		text = le.AppendUint64(text, uint64(v))
	}
	var nonce [8]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(text, nonce[:]...)), nil
}

func decodeQuote(text string) (c bank.Convert, ok bool) {
	le := binary.LittleEndian
	src, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(src) != quoteBytes {
		return c, false
	}
	return bank.Convert{
		Market: le.Uint32(src), Side: market.Side(src[4]), Quantity: int64(le.Uint64(src[5:])), Bound: int64(le.Uint64(src[13:])), ExpiresMS: int64(le.Uint64(src[21:])),
	}, true
}

func (s *server) registerConversions() {
	register(s, operation("get-quote", "GET", "/v1/markets/{market}/quote", "What converting so much at once would come to", "orders"), person, s.quote)
	register(s, created("create-conversion", "POST", "/v1/conversions", "Carry a quote out, once", "orders"), person,
		func(ctx context.Context, who identity.Principal, in *struct{ Body wire.NewConversion }) (*answered[wire.Conversion], error) {
			command, ok := decodeQuote(in.Body.Quote)
			if !ok {
				return nil, invalid("quote", "%q: accepted: a quote as it was answered", in.Body.Quote)
			}
			command.Key, command.Reference = Idempotent{in.Body.Quote}.key(who, "convert"), in.Body.Reference
			u, err := s.marketUnits(ctx, strconv.FormatUint(uint64(command.Market), 10))
			if err != nil {
				return nil, err
			}
			if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			out := &answered[wire.Conversion]{Replayed: replayed(answer)}
			done, _ := bank.First[bank.Converted](answer.Bytes)
			out.Body.Pending = done.Pending
			if !done.Pending {
				out.Body.Total = u.paid(total(done.Side, done.Notional, done.Fee))
			}
			out.Body.Order, err = orderIn(answer, &u, done.Order)
			return out, err
		})
}

// total is what who buys pays with the fee, or who sells gets after it.
func total(side market.Side, notional, fee int64) int64 {
	if side == market.Sell {
		return notional - fee
	}
	return notional + fee
}

func (s *server) quote(ctx context.Context, who identity.Principal, in *struct {
	MarketPath
	Side     string `query:"side" required:"true" enum:"buy,sell"`
	Quantity string `query:"quantity" required:"true" maxLength:"40" doc:"Of the base."`
	Slippage int64  `query:"slippage_bps" minimum:"0" maximum:"1000" default:"50" doc:"How much worse than quoted it may come out, in 1/10000."`
}) (*body[wire.Quote], error) {
	u, err := s.marketUnits(ctx, in.Market)
	if err != nil {
		return nil, err
	}
	c := bank.Convert{Market: u.number, Side: market.Side(index(sideNames, in.Side)), ExpiresMS: s.NowMS() + quoteMS}
	if c.Quantity, err = u.lots("quantity", in.Quantity); err != nil {
		return nil, err
	}
	person, err := s.registered(ctx, who.PersonID)
	if err != nil {
		return nil, err
	}
	var q bank.Quote
	var refusal bank.Refusal
	if err := s.Bank.Read(ctx, func(state *bank.State) { q, refusal = state.QuoteFor(person, u.number, c.Side, c.Quantity) }); err != nil {
		return nil, err
	}
	if refusal != bank.Accepted {
		return nil, refusalOf(refusal)
	}
	// The bound is for the better of whoever converts only as far as they said:
	// rounded towards the quoted amount.
	slip, _ := amount.MulDivDown(q.Net, in.Slippage, 10_000)
	if c.Bound = q.Net + slip; c.Side == market.Sell {
		c.Bound = q.Net - slip
	}
	text, err := encodeQuote(&c)
	if err != nil {
		return nil, err
	}
	return &body[wire.Quote]{wire.Quote{
		Quote: text, Market: in.Market, Side: in.Side, Quantity: u.quantity(q.Quantity), Paid: u.paid(q.Notional), Fee: u.paid(q.Fee), Total: u.paid(q.Net),
		Bound: u.paid(c.Bound), Worst: u.price(q.Worst), Expires: timeText(c.ExpiresMS), Indicative: q.Indicative,
	}}, nil
}
