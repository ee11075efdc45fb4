package api

import (
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerLinks() {
	register(s, created("create-link", "POST", "/v1/people/{person}/links", "Be one person in two worlds, by a token of each, from tomorrow on", "people"), person, s.createLink)
	register(s, operation("list-links", "GET", "/v1/people/{person}/links", "The worlds in which one is the same person, ended links too", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.List[wire.Link]], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			links, err := s.Identity.Links(ctx, subject.Number)
			if err != nil {
				return nil, err
			}
			out := &body[wire.List[wire.Link]]{Body: wire.List[wire.Link]{Items: make([]wire.Link, len(links))}}
			for i, link := range links {
				if out.Body.Items[i], err = s.linkOf(ctx, subject.Number, link); err != nil {
					return nil, err
				}
			}
			return out, nil
		})
	register(s, operation("end-link", "DELETE", "/v1/people/{person}/links/{other}", "Be a person of one's own in the other world again, from tomorrow on", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Other string `path:"other" maxLength:"64" doc:"The person as the other world knows them."`
		}) (*body[wire.Link], error) {
			head, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			id, err := parsePerson(in.Other)
			if err != nil {
				return nil, err
			}
			others, err := s.Identity.SubjectsOf(ctx, id)
			if err != nil {
				return nil, err
			}
			if len(others) == 0 {
				return nil, notFound("link")
			}
			link, err := s.Identity.Unlink(ctx, head, others[0], func() (int32, error) {
				return s.Collector.Unlink(ctx, others[0].World, others[0].Number, head.Number)
			})
			if err != nil {
				return nil, err
			}
			shown, err := s.linkOf(ctx, head.Number, link)
			return &body[wire.Link]{shown}, err
		})
}

func (s *server) createLink(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Body wire.NewLink
}) (*body[wire.Link], error) {
	head, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	var tokens [2]identity.UserToken
	for i, text := range in.Body.Tokens {
		if tokens[i], err = s.readToken(ctx, text); err != nil {
			return nil, err
		}
	}
	var link identity.Link
	// Of a minor every part is a minor.
	err = s.Terms.decide(ctx, head, func() error {
		made, member, err := s.Identity.Link(ctx, head, tokens, func(member identity.Subject) (int32, error) {
			return s.Collector.Link(ctx, member.World, member.Number, head.Number)
		})
		if link = made; err != nil {
			return err
		}
		// One human has one age.
		for _, subject := range []identity.Subject{head, member} {
			if _, err := s.Standings.Update(ctx, subject); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown, err := s.linkOf(ctx, head.Number, link)
	return &body[wire.Link]{shown}, err
}

// linkOf shows a link as one of its two sees it.
func (s *server) linkOf(ctx context.Context, viewer uint64, link identity.Link) (shown wire.Link, err error) {
	other := link.Member
	if other == viewer {
		other = link.Head
	}
	subject, err := s.Identity.Subject(ctx, other)
	if err != nil {
		return shown, err
	}
	shown = wire.Link{Person: personText(subject.Person), From: dayText(link.FromDay), Yours: link.Head == viewer}
	if link.UntilDay != identity.Forever {
		shown.Until = dayText(link.UntilDay)
	}
	shown.World, err = s.worldCode(ctx, subject.World)
	return shown, err
}

// head returns the person who earns for a subject today.
func (s *server) head(ctx context.Context, subject identity.Subject) (identity.Subject, error) {
	number, err := s.Identity.HeadOf(ctx, subject.Number, bank.Day(s.NowMS()))
	if err != nil || number == subject.Number {
		return subject, err
	}
	return s.Identity.Subject(ctx, number)
}
