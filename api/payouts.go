package api

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/wire"
)

// PayoutPath names a payout.
type PayoutPath struct {
	Payout string `path:"payout" maxLength:"20"`
}

// payoutsOff is answered where no account is set from which to pay.
func (s *server) payoutsOff() error {
	if s.Payer.IBAN != "" {
		return nil
	}
	return &Problem{Status: http.StatusConflict, Code: "payouts_off", Detail: "This bank pays nothing out: its operator has set no account to pay from."}
}

// minorOf reads an amount in the scale of an asset.
func (s *server) minorOf(ctx context.Context, field, asset, text string) (number uint32, minor int64, err error) {
	if number, err = s.assetNumber(ctx, asset); err != nil {
		return 0, 0, err
	}
	var scale int
	if err = s.Bank.Read(ctx, func(state *bank.State) { scale = int(state.Books().Asset(number).Scale) }); err != nil {
		return 0, 0, err
	}
	minor, err = parseAmount(field, text, scale)
	return number, minor, err
}

func (s *server) registerPayouts() {
	register(s, operation("list-payouts", "GET", "/v1/payouts", "Payouts, the newest first: all of them, or your own", "payouts"), operator|person, s.listPayouts)
	register(s, operation("set-payout-rate", "PUT", "/v1/payout-rates/{asset}", "Say for how much an asset is paid out, or that it is not", "payouts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Asset string `path:"asset" maxLength:"24"`
			Idempotent
			Body wire.PayoutRate
		}) (*answered[wire.PayoutRate], error) {
			rate := bank.PayoutRate{Open: in.Body.Open}
			var err error
			if rate.Asset, rate.PerMinor, err = s.minorOf(ctx, "per", in.Asset, in.Body.Per); err != nil {
				return nil, err
			}
			if rate.Currency, rate.PaidMinor, err = s.minorOf(ctx, "paid", in.Body.Currency, in.Body.Paid); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.SetPayoutRate{Key: in.key(who, "payout-rate"), Rate: rate}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			set, _ := bank.First[bank.PayoutRateSet](answer.Bytes)
			shown := in.Body
			shown.Version = set.Version
			return &answered[wire.PayoutRate]{replayed(answer), shown}, nil
		})
	register(s, operation("get-payout-rate", "GET", "/v1/payout-rates/{asset}", "For how much an asset is paid out now", "payouts"), operator|worldServer|person,
		func(ctx context.Context, _ identity.Principal, in *struct {
			Asset string `path:"asset" maxLength:"24"`
		}) (*body[wire.PayoutRate], error) {
			number, err := s.assetNumber(ctx, in.Asset)
			if err != nil {
				return nil, err
			}
			out := &body[wire.PayoutRate]{}
			err = s.Bank.Read(ctx, func(state *bank.State) {
				version, rate := state.PayoutRate(number)
				if version != 0 {
					out.Body = wire.PayoutRate{Currency: state.Books().Asset(rate.Currency).Code, Paid: money(state, rate.Currency, rate.PaidMinor),
						Per: money(state, rate.Asset, rate.PerMinor), Open: rate.Open && s.Payer.IBAN != "", Version: version}
				}
			})
			if err == nil && out.Body.Version == 0 {
				err = notFound("payout rate")
			}
			return out, err
		})
	register(s, operation("set-payee", "PUT", "/v1/people/{person}/payee", "Say to whom you are paid out", "payouts"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Body wire.Payee
		}) (*body[wire.Payee], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			if err := payment.Party(in.Body).Check(); err != nil {
				return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "payee_invalid", Detail: err.Error() + "."}
			}
			return &body[wire.Payee]{in.Body}, s.Identity.SetPayee(ctx, subject.Number, identity.Payee(in.Body))
		})
	register(s, operation("get-payee", "GET", "/v1/people/{person}/payee", "To whom you are paid out", "payouts"), person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.Payee], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			payee, err := s.Identity.Payee(ctx, subject.Number)
			return &body[wire.Payee]{wire.Payee(payee)}, err
		})
	register(s, created("create-payout", "POST", "/v1/payouts", "Ask to be paid out", "payouts"), person, s.createPayout)
	register(s, operation("get-payout", "GET", "/v1/payouts/{payout}", "A payout, and what became of it", "payouts"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PayoutPath) (*body[wire.Payout], error) {
			_, shown, err := s.payout(ctx, who, in.Payout)
			return &body[wire.Payout]{shown}, err
		})
	register(s, operation("end-payout", "POST", "/v1/payouts/{payout}/outcome", "Say whether a payout was paid", "payouts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			PayoutPath
			Idempotent
			Body wire.PayoutOutcome
		}) (*answered[wire.Payout], error) {
			status := bank.PayoutPaid
			if in.Body.Status == "failed" {
				status = bank.PayoutFailed
			}
			return s.endPayout(ctx, who, in.Payout, bank.EndPayout{Key: in.key(who, "end-payout"), Reference: in.Body.Reference, Status: status})
		})
	register(s, operation("cancel-payout", "POST", "/v1/payouts/{payout}/cancel", "Take back what you asked for, before it is in a file", "payouts"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PayoutPath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Payout], error) {
			return s.endPayout(ctx, who, in.Payout, bank.EndPayout{Key: in.key(who, "cancel-payout"), Reference: in.Body.Reference, Status: bank.PayoutCancelled})
		})
	s.registerPayoutFiles()
	s.registerPayoutReports()
	s.registerCards()
}

func money(state *bank.State, asset uint32, minor int64) string {
	return amount.Format(minor, int(state.Books().Asset(asset).Scale))
}

func (s *server) createPayout(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body wire.NewPayout
}) (*answered[wire.Payout], error) {
	if err := s.payoutsOff(); err != nil {
		return nil, err
	}
	subject, err := s.subject(ctx, who, "me")
	if err != nil {
		return nil, err
	}
	if _, err := s.Standings.Update(ctx, subject); err != nil {
		return nil, err
	}
	if _, err := s.Identity.Payee(ctx, subject.Number); err != nil {
		if errors.Is(err, identity.ErrNotFound) {
			err = &Problem{Status: http.StatusConflict, Code: "payee_missing", Detail: "Say first to whom you are paid out: PUT /v1/people/me/payee."}
		}
		return nil, err
	}
	command := bank.RequestPayout{Key: in.key(who, "payout"), Reference: in.Body.Reference}
	if command.Asset, command.AmountMinor, err = s.minorOf(ctx, "amount", in.Body.Asset, in.Body.Amount); err != nil {
		return nil, err
	}
	var scale int
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if version, rate := state.PayoutRate(command.Asset); version != 0 {
			scale = int(state.Books().Asset(rate.Currency).Scale)
		}
	})
	if err != nil {
		return nil, err
	}
	if command.MinPaidMinor, err = parseAmount("min_paid", in.Body.MinPaid, scale); err != nil {
		return nil, err
	}
	if command.Person, err = s.registered(ctx, who.PersonID); err != nil {
		return nil, err
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	asked, _ := bank.First[bank.PayoutRequested](answer.Bytes)
	_, shown, err := s.payout(ctx, who, strconv.FormatUint(asked.Payout, 10))
	return &answered[wire.Payout]{replayed(answer), shown}, err
}

// payout returns a payout that a caller may see.
func (s *server) payout(ctx context.Context, who identity.Principal, text string) (number uint64, shown wire.Payout, err error) {
	if number, err = parseNumber("payout", text); err != nil {
		return 0, shown, err
	}
	var found bool
	var owner [16]byte
	err = s.Bank.Read(ctx, func(state *bank.State) {
		var p bank.Payout
		var rate bank.PayoutRate
		if p, rate, found = state.Payout(number); found {
			owner, _ = state.PersonID(p.Person)
			shown = payoutOf(state, number, &p, &rate)
		}
	})
	switch {
	case err != nil:
		return 0, wire.Payout{}, err
	case who.Kind != identity.Operator && (!found || owner != who.PersonID):
		return 0, wire.Payout{}, forbidden("The payout is not yours.")
	case !found:
		return 0, wire.Payout{}, notFound("payout")
	}
	return number, shown, nil
}

// statusOf is the status of a payout; one that is pending is sent once its file
// was handed over.
func statusOf(state *bank.State, p *bank.Payout) string {
	if p.Status == bank.PayoutPending && state.PayoutSent(p) {
		return "sent"
	}
	return p.Status.String()
}

func payoutOf(state *bank.State, number uint64, p *bank.Payout, rate *bank.PayoutRate) wire.Payout {
	owner, _ := state.PersonID(p.Person)
	shown := wire.Payout{
		Payout: strconv.FormatUint(number, 10), Person: personText(owner), Asset: state.Books().Asset(rate.Asset).Code, Amount: money(state, rate.Asset, p.AmountMinor),
		Currency: state.Books().Asset(rate.Currency).Code, Paid: money(state, rate.Currency, p.PaidMinor), Status: statusOf(state, p), Time: timeText(p.AtMS),
	}
	if p.File != 0 {
		shown.File = strconv.FormatUint(p.File, 10)
	}
	return shown
}

// payoutsARead are looked at for a page of them at the most.
const payoutsARead = 50_000

func (s *server) listPayouts(ctx context.Context, who identity.Principal, in *struct {
	Page
	Status   string `query:"status" enum:"pending,sent,paid,failed,cancelled,left_out" doc:"Of this status only."`
	Asset    string `query:"asset" maxLength:"24" doc:"Of this asset only."`
	Currency string `query:"currency" maxLength:"24" doc:"In this currency only."`
	File     uint64 `query:"file" doc:"In this file only."`
	Person   string `query:"person" maxLength:"64" doc:"Of this person only; others than operators see their own."`
}) (*body[wire.List[wire.Payout]], error) {
	before, err := cursorBefore(in.Cursor)
	if err != nil {
		return nil, err
	}
	id, ofOne := who.PersonID, who.Kind != identity.Operator
	if in.Person != "" && in.Person != "me" {
		if id, err = parsePerson(in.Person); err != nil {
			return nil, err
		}
		if ofOne && id != who.PersonID {
			return nil, forbidden("The payouts are not yours.")
		}
		ofOne = true
	}
	out := &body[wire.List[wire.Payout]]{Body: wire.List[wire.Payout]{Items: []wire.Payout{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		person, _ := state.PersonByID(id)
		number, looked := min(before, state.Payouts()+1), 0
		for ; number > 1 && looked < payoutsARead && len(out.Body.Items) < in.Limit; looked++ {
			number--
			p, rate, _ := state.Payout(number)
			if ofOne && p.Person != person || in.File != 0 && p.File != in.File || in.Status != "" && statusOf(state, &p) != in.Status ||
				in.Asset != "" && state.Books().Asset(rate.Asset).Code != in.Asset || in.Currency != "" && state.Books().Asset(rate.Currency).Code != in.Currency {
				continue
			}
			out.Body.Items = append(out.Body.Items, payoutOf(state, number, &p, &rate))
		}
		if number > 1 {
			out.Body.NextCursor = strconv.FormatUint(number, 10)
		}
	})
	return out, err
}

// cursorBefore reads a cursor that is the last number that was shown.
func cursorBefore(cursor string) (before uint64, err error) {
	if cursor == "" {
		return math.MaxUint64, nil
	}
	if before, err = strconv.ParseUint(cursor, 10, 64); err != nil || before == 0 {
		return 0, badCursor()
	}
	return before, nil
}

func (s *server) endPayout(ctx context.Context, who identity.Principal, text string, command bank.EndPayout) (*answered[wire.Payout], error) {
	var err error
	if command.Payout, _, err = s.payout(ctx, who, text); err != nil {
		return nil, err
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	_, shown, err := s.payout(ctx, who, text)
	return &answered[wire.Payout]{replayed(answer), shown}, err
}
