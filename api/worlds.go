package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/score"
	"github.com/danielgtaylor/huma/v2"
)

// World is a world as the API shows it.
type World struct {
	World       string `json:"world" doc:"Code of the world."`
	Number      uint32 `json:"number"`
	ShareWeight uint32 `json:"share_weight" doc:"Its weight in the budget of an epoch."`
	Pending     string `json:"pending_points" doc:"Points that wait for the close of the running epoch."`
}

// Key is a key as the API shows it. Secret is there once, when it is made.
type Key struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Label     string `json:"label,omitempty"`
	Secret    string `json:"secret,omitempty" doc:"Shown this once."`
	Created   string `json:"created"`
	Revoked   string `json:"revoked,omitempty"`
	LastUsed  string `json:"last_used,omitempty" doc:"Day of the last use."`
	PersonID  string `json:"person,omitempty"`
	WorldCode string `json:"world,omitempty"`
}

// Policy is a version of a world's policy.
type Policy struct {
	World        string `json:"world"`
	Version      uint32 `json:"version"`
	EffectiveDay string `json:"effective_day"`
	ForImport    bool   `json:"for_import,omitempty"`
	Policy       string `json:"policy" doc:"The policy as YAML."`
}

type body[T any] struct{ Body T }

type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to read on; absent at the end."`
}

type WorldPath struct {
	World string `path:"world" maxLength:"32"`
}

func created(id string, method, path, summary, tag string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag}, DefaultStatus: http.StatusCreated}
}

func operation(id string, method, path, summary, tag string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag}}
}

func (s *server) registerWorlds() {
	register(s, created("create-world", "POST", "/v1/worlds", "Add a world", "worlds"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body struct {
				World string `json:"world" doc:"1 to 32 of a-z 0-9 -"`
			}
		}) (*body[World], error) {
			_, err := s.submit(ctx, bank.RegisterWorld{Key: in.key(who, "create-world"), Code: in.Body.World}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			number, err := s.worldNumber(ctx, in.Body.World)
			if err != nil {
				return nil, err
			}
			return s.showWorld(ctx, number)
		})
	register(s, operation("list-worlds", "GET", "/v1/worlds", "All worlds", "worlds"), operator,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[list[World]], error) {
			out := &body[list[World]]{Body: list[World]{Items: []World{}}}
			err := s.Bank.Read(ctx, func(state *bank.State) {
				for number := uint32(1); number <= state.Worlds(); number++ {
					out.Body.Items = append(out.Body.Items, worldOf(state, number))
				}
			})
			return out, err
		})
	register(s, operation("get-world", "GET", "/v1/worlds/{world}", "A world", "worlds"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *WorldPath) (*body[World], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			return s.showWorld(ctx, number)
		})
	register(s, operation("set-world-share", "PUT", "/v1/worlds/{world}/share", "Set a world's weight in the budget", "worlds"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Idempotent
			Body struct {
				Weight uint32 `json:"weight" maximum:"1000000"`
			}
		}) (*body[World], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			if _, err := s.submit(ctx, bank.SetWorldShare{Key: in.key(who, "share"), World: number, Weight: in.Body.Weight}.AppendTo(nil)); err != nil {
				return nil, err
			}
			return s.showWorld(ctx, number)
		})
	s.registerKeys()
	s.registerPolicies()
}

func worldOf(state *bank.State, number uint32) World {
	w := state.World(number)
	return World{World: w.Code, Number: number, ShareWeight: w.ShareWeight, Pending: points(state.PendingMicro(number))}
}

func (s *server) showWorld(ctx context.Context, number uint32) (*body[World], error) {
	out := &body[World]{}
	err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = worldOf(state, number) })
	return out, err
}

func (s *server) worldNumber(ctx context.Context, code string) (number uint32, err error) {
	found := false
	if err := s.Bank.Read(ctx, func(state *bank.State) { number, found = state.WorldByCode(code) }); err != nil {
		return 0, err
	}
	if !found {
		return 0, notFound("world")
	}
	return number, nil
}

func (s *server) worldCode(ctx context.Context, number uint32) (code string, err error) {
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if w := state.World(number); w != nil {
			code = w.Code
		}
	})
	return code, err
}

// ownWorld returns the number of a world that a caller may act for. To a
// world's key, other worlds do not exist.
func (s *server) ownWorld(ctx context.Context, who identity.Principal, code string) (uint32, error) {
	number, err := s.worldNumber(ctx, code)
	if who.Kind != identity.Operator && (err != nil || number != who.World) {
		return 0, forbidden("The key belongs to another world.")
	}
	return number, err
}

type keyBody struct {
	Kind  string `json:"kind" enum:"write,server" doc:"write lies open in clients; server is secret."`
	Label string `json:"label,omitempty" maxLength:"100"`
}

func (s *server) registerKeys() {
	register(s, created("create-world-key", "POST", "/v1/worlds/{world}/keys", "Make a key of a world; its secret is shown once", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			WorldPath
			Body keyBody
		}) (*body[Key], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			kind, _ := identity.ParseKind(in.Body.Kind)
			return s.createKey(ctx, identity.Principal{Kind: kind, World: number}, in.Body.Label)
		})
	register(s, operation("list-world-keys", "GET", "/v1/worlds/{world}/keys", "The keys of a world, without their secrets", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *WorldPath) (*body[list[Key]], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			return s.listKeys(ctx, identity.Principal{Kind: identity.Write, World: number}, identity.Principal{Kind: identity.Server, World: number})
		})
	register(s, created("create-operator-key", "POST", "/v1/operator-keys", "Make an operator key; its secret is shown once", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *body[struct {
			Label string `json:"label,omitempty" maxLength:"100"`
		}]) (*body[Key], error) {
			return s.createKey(ctx, identity.Principal{Kind: identity.Operator}, in.Body.Label)
		})
	register(s, operation("list-operator-keys", "GET", "/v1/operator-keys", "The operators' keys, without their secrets", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[list[Key]], error) {
			return s.listKeys(ctx, identity.Principal{Kind: identity.Operator})
		})
	register(s, operation("revoke-key", "DELETE", "/v1/keys/{key}", "Revoke a key at once and for good", "keys"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Key string `path:"key" maxLength:"64"`
		}) (*struct{}, error) {
			key, err := s.Identity.Key(ctx, in.Key)
			if err != nil {
				return nil, err
			}
			if who.Kind == identity.Person && key.Owner.Subject != who.Subject {
				return nil, forbidden("The key belongs to somebody else.")
			}
			return nil, s.Identity.Revoke(ctx, in.Key)
		})
}

func (s *server) createKey(ctx context.Context, owner identity.Principal, label string) (*body[Key], error) {
	key, secret, err := s.Identity.CreateKey(ctx, owner, label)
	if err != nil {
		return nil, err
	}
	return s.shownKey(ctx, key, secret)
}

func (s *server) shownKey(ctx context.Context, key identity.Key, secret string) (*body[Key], error) {
	shown := Key{ID: key.ID, Kind: key.Owner.Kind.String(), Label: key.Label, Secret: secret, Created: timeText(key.CreatedMS), Revoked: timeText(key.RevokedMS)}
	if key.LastUsedDay != 0 {
		shown.LastUsed = dayText(key.LastUsedDay)
	}
	if key.Owner.Kind == identity.Person {
		shown.PersonID = personText(key.Owner.PersonID)
	}
	var err error
	if key.Owner.World != 0 {
		shown.WorldCode, err = s.worldCode(ctx, key.Owner.World)
	}
	return &body[Key]{shown}, err
}

func (s *server) listKeys(ctx context.Context, owners ...identity.Principal) (*body[list[Key]], error) {
	out := &body[list[Key]]{Body: list[Key]{Items: []Key{}}}
	for _, owner := range owners {
		keys, err := s.Identity.Keys(ctx, owner)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			shown, err := s.shownKey(ctx, key, "")
			if err != nil {
				return nil, err
			}
			out.Body.Items = append(out.Body.Items, shown.Body)
		}
	}
	return out, nil
}

func (s *server) registerPolicies() {
	register(s, created("publish-policy", "POST", "/v1/worlds/{world}/policies", "Publish a version of a world's policy", "policies"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Idempotent
			Body struct {
				Policy       string `json:"policy" maxLength:"32768" doc:"The policy as YAML; see docs/policy.md."`
				EffectiveDay string `json:"effective_day,omitempty" format:"date" doc:"From this UTC day on; the default is tomorrow."`
			}
		}) (*body[Policy], error) {
			if _, err := score.ParsePolicy([]byte(in.Body.Policy)); err != nil {
				return nil, invalid("policy", "%v", err)
			}
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			day := bank.Day(s.NowMS()) + 1
			if in.Body.EffectiveDay != "" {
				if day, err = parseDay(in.Body.EffectiveDay); err != nil {
					return nil, err
				}
			}
			answer, err := s.submit(ctx, bank.PublishPolicy{Key: in.key(who, "policy"), World: number, EffectiveDay: day, Text: []byte(in.Body.Policy)}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			published, _ := bank.First[bank.PolicyPublished](answer.Bytes)
			return &body[Policy]{Policy{World: in.World, Version: published.Version, EffectiveDay: dayText(published.EffectiveDay), Policy: in.Body.Policy}}, nil
		})
	register(s, operation("list-policies", "GET", "/v1/worlds/{world}/policies", "The versions of a world's policy, the oldest first", "policies"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *WorldPath) (*body[list[Policy]], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			if who.Kind != identity.Operator && who.World != number {
				return nil, forbidden("The key belongs to another world.")
			}
			out := &body[list[Policy]]{Body: list[Policy]{Items: []Policy{}}}
			err = s.Bank.Read(ctx, func(state *bank.State) {
				for _, p := range state.Policies(number) {
					out.Body.Items = append(out.Body.Items, Policy{in.World, p.Version, dayText(p.EffectiveDay), p.ForImport, p.Text})
				}
			})
			return out, err
		})
}

func timeText(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func dayText(day int32) string {
	return time.Unix(int64(day)*24*60*60, 0).UTC().Format(time.DateOnly)
}

func parseDay(text string) (int32, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, invalid("day", "%q: expected YYYY-MM-DD", text)
	}
	return bank.Day(t.UnixMilli()), nil
}

// parseTime reads an RFC 3339 time; zero for none.
func parseTime(field, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, invalid(field, "%q: expected a time such as 2026-01-31T12:00:00Z", text)
	}
	return t.UnixMilli(), nil
}

func parseNumber(what, text string) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, notFound(what)
	}
	return number, nil
}
