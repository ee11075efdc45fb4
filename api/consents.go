package api

import (
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// PurposePath names what a person is asked about.
type PurposePath struct {
	Purpose string `path:"purpose" enum:"scoring,analytics,marketing"`
}

func (s *server) registerConsents() {
	register(s, operation("set-consent", "PUT", "/v1/people/{person}/consents/{purpose}", "Consent to a purpose, or withdraw it", "people"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			PurposePath
			Body wire.NewConsent
		}) (*body[wire.Consent], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.setConsent(ctx, subject, in.Purpose, in.Body, false)
		})
	register(s, operation("list-consents", "GET", "/v1/people/{person}/consents", "What a person has decided on each purpose, the oldest first", "people"), person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.List[wire.Consent]], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.listConsents(ctx, subject.Number)
		})
	register(s, operation("report-consent", "PUT", "/v1/worlds/{world}/users/{user_id}/consents/{purpose}", "Report what a user has decided on a purpose", "people"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			UserPath
			PurposePath
			Body wire.NewConsent
		}) (*body[wire.Consent], error) {
			world, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			// Consent may be what the first event waits for, so the user need not be
			// known yet.
			subjects, err := s.Identity.Resolve(ctx, []identity.SubjectRef{{World: world, UserID: in.UserID}})
			if err != nil {
				return nil, err
			}
			return s.setConsent(ctx, subjects[0], in.Purpose, in.Body, true)
		})
	register(s, operation("list-user-consents", "GET", "/v1/worlds/{world}/users/{user_id}/consents", "What a user has decided on each purpose, the oldest first", "people"), worldServer,
		func(ctx context.Context, who identity.Principal, in *UserPath) (*body[wire.List[wire.Consent]], error) {
			world, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			subject, err := s.Identity.Find(ctx, identity.SubjectRef{World: world, UserID: in.UserID})
			if err != nil {
				return nil, err
			}
			return s.listConsents(ctx, subject.Number)
		})
}

// setConsent keeps a decision and brings it to where events are taken. The call
// is answered when both have it; sent again, it does what is left.
func (s *server) setConsent(ctx context.Context, subject identity.Subject, purpose string, in wire.NewConsent, byWorld bool) (*body[wire.Consent], error) {
	p, _ := identity.ParsePurpose(purpose)
	kept, err := s.Identity.SetConsent(ctx, subject.Number, identity.Consent{Purpose: p, Given: in.Given, Version: in.Version, ByWorld: byWorld})
	if err != nil {
		return nil, err
	}
	if err := s.pushTerms(ctx, subject); err != nil {
		return nil, err
	}
	return &body[wire.Consent]{consentOf(kept, true)}, nil
}

func (s *server) listConsents(ctx context.Context, subject uint64) (*body[wire.List[wire.Consent]], error) {
	decisions, err := s.Identity.Consents(ctx, subject)
	if err != nil {
		return nil, err
	}
	last := identity.Decided(decisions)
	out := &body[wire.List[wire.Consent]]{Body: wire.List[wire.Consent]{Items: []wire.Consent{}}}
	for _, c := range decisions {
		out.Body.Items = append(out.Body.Items, consentOf(c, last[c.Purpose] == c))
	}
	return out, nil
}

func consentOf(c identity.Consent, holds bool) wire.Consent {
	shown := wire.Consent{Purpose: c.Purpose.String(), Given: c.Given, Version: c.Version, Time: timeText(c.AtMS), By: "person", Holds: holds}
	if c.ByWorld {
		shown.By = "world"
	}
	return shown
}

// pushTerms brings what is known of a person, and what the person has decided,
// to where events are taken. It is made anew of what is kept, so whatever a
// failure left behind the next call sets right.
func (s *server) pushTerms(ctx context.Context, subject identity.Subject) error {
	terms := collect.DefaultTerms()
	age, err := s.Identity.Age(ctx, subject.Number)
	if err != nil {
		return err
	}
	terms.Minor = age == identity.AgeMinor
	decisions, err := s.Identity.Consents(ctx, subject.Number)
	if err != nil {
		return err
	}
	for purpose, c := range identity.Decided(decisions) {
		decision := collect.Withdrawn
		if c.Given {
			decision = collect.Given
		}
		switch purpose {
		case identity.Scoring:
			terms.Scoring = decision
		case identity.Analytics:
			terms.Analytics = decision
		}
	}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(subject.Person)
		own := state.OwnLimits(number)
		terms.ExcludedUntilMS = own.EarnsNothingUntilMS
		terms.EarnSeconds, terms.NextEarnSeconds, terms.NextFromMS = earnSeconds(own.EarnMinutes.Value), earnSeconds(own.EarnMinutes.Next), own.EarnMinutes.NextFromMS
	})
	if err != nil {
		return err
	}
	return s.Collector.SetTerms(ctx, subject.World, subject.Number, terms)
}

func earnSeconds(minutes int64) int32 {
	if minutes == bank.NoOwnLimit {
		return collect.NoLimit
	}
	return int32(minutes * 60)
}

// pushTermsOfAll does the same for a person and those who are the same human:
// of a minor all are minors.
func (s *server) pushTermsOfAll(ctx context.Context, subject identity.Subject) error {
	others, err := s.Identity.Linked(ctx, subject.Number)
	if err != nil {
		return err
	}
	if err := s.pushTerms(ctx, subject); err != nil {
		return err
	}
	for _, number := range others {
		other, err := s.Identity.Subject(ctx, number)
		if err != nil {
			return err
		}
		if other.ErasedMS != 0 {
			continue
		}
		if err := s.pushTerms(ctx, other); err != nil {
			return err
		}
	}
	return nil
}
