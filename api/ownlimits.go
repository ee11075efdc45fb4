package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerOwnLimits() {
	register(s, operation("get-own-limits", "GET", "/v1/people/{person}/limits", "What you have set for yourself, and until when you keep out", "people"), person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.OwnLimits], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			shown, err := s.ownLimits(ctx, subject)
			return &body[wire.OwnLimits]{shown}, err
		})
	register(s, operation("set-own-limits", "PUT", "/v1/people/{person}/limits", "Set limits for yourself: lower ones hold at once, higher ones after 24 hours", "people"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Idempotent
			Body wire.NewOwnLimits
		}) (*answered[wire.OwnLimits], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			command := bank.SetOwnLimits{Key: in.key(who, "own-limits"), SpendMicro: bank.NoOwnLimit, OrdersMicro: bank.NoOwnLimit, EarnMinutes: bank.NoOwnLimit, ReminderMinutes: in.Body.ReminderMinutes}
			for _, limit := range []struct {
				name, text string
				into       *int64
			}{{"spend_daily", in.Body.SpendDaily, &command.SpendMicro}, {"orders_daily", in.Body.OrdersDaily, &command.OrdersMicro}} {
				if limit.text == "" {
					continue
				}
				if *limit.into, err = parseAmount(limit.name, limit.text, micro); err != nil {
					return nil, err
				}
				if *limit.into < 0 {
					return nil, invalid(limit.name, "expected zero or more; left out, there is no limit")
				}
			}
			if in.Body.EarnMinutes != nil {
				command.EarnMinutes = *in.Body.EarnMinutes
			}
			if command.Person, err = s.registered(ctx, subject.Person); err != nil {
				return nil, err
			}
			var answer journal.Answer
			err = s.Terms.decide(ctx, subject, func() (err error) {
				answer, err = s.submit(ctx, command.AppendTo(nil))
				return err
			})
			if err != nil {
				return nil, err
			}
			shown, err := s.ownLimits(ctx, subject)
			return &answered[wire.OwnLimits]{replayed(answer), shown}, err
		})
	register(s, operation("exclude-oneself", "PUT", "/v1/people/{person}/exclusion", "Keep out until a time: no trade, conversion or purchase, and no earning if you wish", "people"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Body wire.NewExclusion
		}) (*body[wire.OwnLimits], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			untilMS, err := parseTime("until", in.Body.Until)
			if err != nil {
				return nil, err
			}
			if untilMS <= s.NowMS() {
				return nil, invalid("until", "expected a time to come")
			}
			if _, err := s.submit(ctx, bank.Exclude{Person: subject.Person, UntilMS: untilMS}.AppendTo(nil)); err != nil {
				return nil, err
			}
			if in.Body.Earning {
				if err := s.earnNothing(ctx, subject, untilMS); err != nil {
					return nil, err
				}
			}
			shown, err := s.ownLimits(ctx, subject)
			return &body[wire.OwnLimits]{shown}, err
		})
}

// earnNothing lets a person earn nothing until a time; limits stay as they are.
func (s *server) earnNothing(ctx context.Context, subject identity.Subject, untilMS int64) error {
	command := bank.StopEarning{UntilMS: untilMS}
	var err error
	if command.Person, err = s.registered(ctx, subject.Person); err != nil {
		return err
	}
	return s.Terms.decide(ctx, subject, func() error {
		_, err := s.submit(ctx, command.AppendTo(nil))
		return err
	})
}

func (s *server) ownLimits(ctx context.Context, subject identity.Subject) (shown wire.OwnLimits, err error) {
	nowMS := s.NowMS()
	limit := func(l bank.OwnLimit, format func(int64) string) (out wire.OwnLimit) {
		text := func(value int64) *string {
			if value == bank.NoOwnLimit {
				return nil
			}
			formatted := format(value)
			return &formatted
		}
		if out.Now = text(l.At(nowMS)); l.NextFromMS > nowMS {
			out.Next, out.From = text(l.Next), timeText(l.NextFromMS)
		}
		return out
	}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(subject.Person)
		own := state.OwnLimits(number)
		if own.Day != bank.Day(nowMS) {
			own.SpentMicro, own.OrderedMicro = 0, 0
		}
		shown = wire.OwnLimits{
			SpendDaily: limit(own.SpendMicro, points), OrdersDaily: limit(own.OrdersMicro, points),
			EarnMinutes:     limit(own.EarnMinutes, func(minutes int64) string { return strconv.FormatInt(minutes, 10) }),
			ReminderMinutes: own.ReminderMinutes, SpentToday: points(own.SpentMicro), OrderedToday: points(own.OrderedMicro),
		}
		if until := state.Standing(number).ExcludedUntilMS; until > nowMS {
			shown.ExcludedUntil = timeText(until)
		}
		if own.EarnsNothingUntilMS > nowMS {
			shown.EarnsNothingUntil = timeText(own.EarnsNothingUntilMS)
		}
	})
	return shown, err
}
