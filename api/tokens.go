package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// isToken reports whether a secret has the form of a signed token and not of a
// key.
func isToken(secret string) bool { return strings.Count(secret, ".") == 2 }

// readToken returns what a token says.
func (s *server) readToken(ctx context.Context, text string) (identity.UserToken, error) {
	token, err := s.Identity.ReadToken(ctx, text, s.Audience, func(issuer string) (uint32, error) {
		number, err := s.worldNumber(ctx, issuer)
		var unknown *Problem
		if errors.As(err, &unknown) {
			return 0, nil
		}
		return number, err
	})
	if errors.Is(err, identity.ErrTokenInvalid) {
		return token, &Problem{Status: http.StatusUnauthorized, Code: "token_invalid", Detail: err.Error() + ". docs/people.md says what is accepted."}
	}
	return token, err
}

// userOf returns who acts by a token, made if the bank did not know the user.
func (s *server) userOf(ctx context.Context, token identity.UserToken) (identity.Principal, error) {
	subjects, err := s.Identity.Resolve(ctx, []identity.SubjectRef{{World: token.World, UserID: token.UserID}})
	if err != nil {
		return identity.Principal{}, err
	}
	return identity.Principal{Kind: identity.User, World: token.World, Subject: subjects[0].Number, PersonID: subjects[0].Person}, nil
}

// vouch opens the session that a token stands for, once for each token.
func (s *server) vouch(ctx context.Context, text string, token identity.UserToken) error {
	hash := sha256.Sum256([]byte(text))
	if _, opened := s.vouched.get(hash); opened {
		return nil
	}
	if token.AnonymousID != "" {
		if _, _, err := s.Identity.Unite(ctx, token.World, token.AnonymousID, token.UserID); err != nil {
			return err
		}
	}
	if err := s.Collector.OpenSession(ctx, token.World, token.UserID, token.AnonymousID, token.FromMS, token.UntilMS); err != nil {
		return err
	}
	s.vouched.put(hash, struct{}{})
	return nil
}

// acceptOf takes events under a user's token: they are of this user and of
// nobody else, and the token vouches for the presence in them. Like all that a
// client can send, they show no spend.
func (s *server) acceptOf(ctx context.Context, text string, batch event.Batch) (*wire.EventsAnswer, error) {
	token, err := s.readToken(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := s.vouch(ctx, text, token); err != nil {
		return nil, err
	}
	for i := range batch.Items {
		item := &batch.Items[i]
		if item.Err != nil {
			continue
		}
		if item.Event.UserID == "" {
			item.Event.UserID = token.UserID
		} else if item.Event.UserID != token.UserID {
			item.Err = errors.New("userId: the token is of another user")
		}
	}
	return s.collect(ctx, collect.Request{World: token.World, Trust: collect.TrustWrite, Items: batch.Items})
}

func (s *server) registerTokens() {
	register(s, operation("set-token-keys", "PUT", "/v1/worlds/{world}/token-keys", "Replace the keys by which a world signs tokens for its users", "keys"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Body wire.TokenKeys
		}) (*body[wire.TokenKeys], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			jwks, err := json.Marshal(in.Body)
			if err != nil {
				return nil, err
			}
			err = s.Identity.SetTokenKeys(ctx, number, jwks)
			if errors.Is(err, identity.ErrTokenKeysInvalid) {
				return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "token_keys_invalid", Detail: err.Error() + "."}
			}
			if err != nil {
				return nil, err
			}
			return s.showTokenKeys(ctx, number)
		})
	register(s, operation("get-token-keys", "GET", "/v1/worlds/{world}/token-keys", "The keys by which a world signs tokens for its users", "keys"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *WorldPath) (*body[wire.TokenKeys], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			return s.showTokenKeys(ctx, number)
		})
	register(s, created("open-own-session", "POST", "/v1/sessions", "Vouch for the presence of a token's user: what its client reports until the token ends counts", "events"), user,
		func(ctx context.Context, who identity.Principal, in *struct {
			Authorization string `header:"Authorization" required:"true" doc:"Bearer and the token."`
		}) (*body[wire.Presence], error) {
			text := secretOf(in.Authorization)
			token, err := s.readToken(ctx, text)
			if err != nil {
				return nil, err
			}
			if err := s.vouch(ctx, text, token); err != nil {
				return nil, err
			}
			return &body[wire.Presence]{wire.Presence{Person: personText(who.PersonID), From: timeText(token.FromMS), Until: timeText(token.UntilMS)}}, nil
		})
}

func (s *server) showTokenKeys(ctx context.Context, world uint32) (*body[wire.TokenKeys], error) {
	text, err := s.Identity.TokenKeys(ctx, world)
	if err != nil {
		return nil, err
	}
	out := &body[wire.TokenKeys]{}
	return out, json.Unmarshal(text, &out.Body)
}
