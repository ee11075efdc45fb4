package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerCards() {
	register(s, created("create-card-credit", "POST", "/v1/card-credits", "Issue what a person bought by card; until a time it cannot leave", "payouts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewCardCredit
		}) (*answered[wire.CardCredit], error) {
			command := bank.CreditCard{Key: in.key(who, "card"), Reference: in.Body.Reference}
			id, err := parsePerson(in.Body.Person)
			if err != nil {
				return nil, err
			}
			subjects, err := s.Identity.SubjectsOf(ctx, id)
			if err != nil {
				return nil, err
			}
			if len(subjects) == 0 {
				return nil, notFound("person")
			}
			if command.Asset, command.AmountMinor, err = s.minorOf(ctx, "amount", in.Body.Asset, in.Body.Amount); err != nil {
				return nil, err
			}
			if command.UntilMS, err = parseTime("until", in.Body.Until); err != nil {
				return nil, err
			}
			if command.Person, err = s.registered(ctx, id); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.cardCredit(ctx, answer)
		})
	register(s, operation("charge-back", "POST", "/v1/card-credits/{credit}/chargeback", "Take back what was bought by card", "payouts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Credit string `path:"credit" maxLength:"20"`
			Idempotent
			Body wire.Ending
		}) (*answered[wire.CardCredit], error) {
			number, err := parseNumber("card credit", in.Credit)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.ChargeBack{Key: in.key(who, "chargeback"), Reference: in.Body.Reference, Credit: number}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.cardCredit(ctx, answer)
		})
}

// cardCredit shows a card credit as the answer of a command says it.
func (s *server) cardCredit(ctx context.Context, answer journal.Answer) (*answered[wire.CardCredit], error) {
	said, _ := bank.First[bank.CardCredited](answer.Bytes)
	c := said.Credit
	out := &answered[wire.CardCredit]{Replayed: replayed(answer)}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		id, _ := state.PersonID(c.Person)
		out.Body = wire.CardCredit{Credit: strconv.FormatUint(said.Number, 10), Person: personText(id), Asset: state.Books().Asset(c.Asset).Code,
			Amount: money(state, c.Asset, c.AmountMinor), Until: timeText(c.UntilMS), ChargedBack: c.ChargedBack}
		if c.OwedMinor > 0 {
			out.Body.Owed = money(state, c.Asset, c.OwedMinor)
		}
	})
	return out, err
}
