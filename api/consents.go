package api

import (
	"context"

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
	var kept identity.Consent
	err := s.Terms.decide(ctx, subject, func() (err error) {
		kept, err = s.Identity.SetConsent(ctx, subject.Number, identity.Consent{Purpose: p, Given: in.Given, Version: in.Version, ByWorld: byWorld})
		return err
	})
	if err != nil {
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
