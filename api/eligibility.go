package api

import (
	"context"
	"net/http"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/eligibility"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerEligibility() {
	register(s, operation("set-attributes", "PUT", "/v1/people/{person}/attributes", "Say where a person lives, how old and how well known the person is", "people"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Body wire.Attributes
		}) (*body[wire.Attributes], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			age, _ := eligibility.ParseAge(in.Body.Age)
			var a identity.Attributes
			err = s.Terms.decide(ctx, subject, func() (err error) { // minors are scored by caps of their own
				a, err = s.Standings.Describe(ctx, subject, identity.Attributes{Country: in.Body.Country, Age: age, Tier: in.Body.Tier})
				return err
			})
			return &body[wire.Attributes]{attributesOf(a)}, err
		})
	register(s, operation("get-attributes", "GET", "/v1/people/{person}/attributes", "What the operator has found out about a person", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.Attributes], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			a, err := s.Identity.Attributes(ctx, subject.Number)
			return &body[wire.Attributes]{attributesOf(a)}, err
		})
	register(s, operation("get-standing", "GET", "/v1/people/{person}/standing", "What a person may do", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.Standing], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			if _, err := s.Standings.Update(ctx, subject); err != nil {
				return nil, err
			}
			out := &body[wire.Standing]{}
			err = s.Bank.Read(ctx, func(state *bank.State) {
				number, _ := state.PersonByID(subject.Person)
				standing := state.Standing(number)
				out.Body = wire.Standing{Tier: standing.Tier, Features: standing.Features.Names()}
				if standing.ExcludedUntilMS > state.NowMS() {
					out.Body.ExcludedUntil = timeText(standing.ExcludedUntilMS)
				}
			})
			return out, err
		})
	register(s, operation("get-eligibility", "GET", "/v1/eligibility", "The table that says what people may do, by country, age and tier", "policies"), operator|worldServer|person|user,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[wire.Eligibility], error) {
			out := &body[wire.Eligibility]{}
			err := s.Bank.Read(ctx, func(state *bank.State) { out.Body.Version, out.Body.Text = state.Eligibility() })
			return out, err
		})
	register(s, operation("set-eligibility", "PUT", "/v1/eligibility", "Replace the table that says what people may do", "policies"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewEligibility
		}) (*answered[wire.Eligibility], error) {
			table, err := eligibility.Parse([]byte(in.Body.Text))
			if err != nil {
				return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "eligibility_invalid", Detail: err.Error()}
			}
			command := bank.PublishEligibility{Key: in.key(who, "eligibility"), Text: in.Body.Text, Defaults: table.Features(eligibility.Person{})}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			published, _ := bank.First[bank.EligibilityPublished](answer.Bytes)
			return &answered[wire.Eligibility]{replayed(answer), wire.Eligibility{Version: published.Version, Text: in.Body.Text}}, nil
		})
}

func attributesOf(a identity.Attributes) wire.Attributes {
	return wire.Attributes{Country: a.Country, Age: a.Age.String(), Tier: a.Tier}
}
