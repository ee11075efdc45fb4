package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/score"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// WorldPath names a world.
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
			Body wire.NewWorld
		}) (*answered[wire.World], error) {
			answer, err := s.submit(ctx, bank.RegisterWorld{Key: in.key(who, "create-world"), Code: in.Body.World}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			registered, _ := bank.First[bank.WorldRegistered](answer.Bytes)
			return s.changedWorld(ctx, registered.World, answer)
		})
	register(s, operation("list-worlds", "GET", "/v1/worlds", "All worlds", "worlds"), operator, s.listWorlds)
	register(s, operation("get-world", "GET", "/v1/worlds/{world}", "A world", "worlds"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *WorldPath) (*body[wire.World], error) {
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
			Body wire.Share
		}) (*answered[wire.World], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			if shown, err := s.showWorld(ctx, number); err == nil {
				before(ctx, shown.Body)
			}
			answer, err := s.submit(ctx, bank.SetWorldShare{Key: in.key(who, "share"), World: number, Weight: in.Body.Weight}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedWorld(ctx, number, answer)
		})
	s.registerRetention()
	s.registerKeys()
	s.registerPolicies()
}

func worldOf(state *bank.State, number uint32) wire.World {
	w := state.World(number)
	return wire.World{World: w.Code, Number: number, ShareWeight: w.ShareWeight, RetentionDays: w.RetentionDays, Pending: points(state.PendingMicro(number))}
}

func (s *server) showWorld(ctx context.Context, number uint32) (*body[wire.World], error) {
	out := &body[wire.World]{}
	err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = worldOf(state, number) })
	return out, err
}

func (s *server) changedWorld(ctx context.Context, number uint32, answer journal.Answer) (*answered[wire.World], error) {
	shown, err := s.showWorld(ctx, number)
	if err != nil {
		return nil, err
	}
	return &answered[wire.World]{replayed(answer), shown.Body}, nil
}

func (s *server) listWorlds(ctx context.Context, _ identity.Principal, in *Page) (*body[wire.List[wire.World]], error) {
	last := uint64(0) // number of the world before the page
	if in.Cursor != "" {
		var err error
		if last, err = strconv.ParseUint(in.Cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.World]]{wire.List[wire.World]{Items: []wire.World{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		end := min(uint64(state.Worlds()), last+uint64(in.Limit))
		for number := last + 1; number <= end; number++ {
			out.Body.Items = append(out.Body.Items, worldOf(state, uint32(number)))
		}
		if end < uint64(state.Worlds()) {
			out.Body.NextCursor = strconv.FormatUint(end, 10)
		}
	})
	return out, err
}

// ownWorld returns the number of a world that a caller may act for. To a
// world's key, other worlds do not exist.
func (s *server) ownWorld(ctx context.Context, who identity.Principal, code string) (uint32, error) {
	number, found, err := s.worlds.of(ctx, s.Bank, code, func(state *bank.State) (uint32, bool) { return state.WorldByCode(code) })
	switch {
	case err != nil:
		return 0, err
	case who.Kind != identity.Operator && (!found || number != who.World):
		return 0, forbidden("The key belongs to another world.")
	case !found:
		return 0, notFound("world")
	}
	return number, nil
}

func (s *server) registerKeys() {
	register(s, created("create-world-key", "POST", "/v1/worlds/{world}/keys", "Make a key of a world; its secret is shown once", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			WorldPath
			Body wire.NewKey
		}) (*body[wire.Key], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			kind, _ := identity.ParseKind(in.Body.Kind)
			return s.createKey(ctx, identity.Principal{Kind: kind, World: number}, in.Body.Label)
		})
	register(s, operation("list-world-keys", "GET", "/v1/worlds/{world}/keys", "The keys of a world, without their secrets", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			WorldPath
			Page
		}) (*body[wire.List[wire.Key]], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			return s.listKeys(ctx, in.Page, identity.Principal{Kind: identity.Write, World: number}, identity.Principal{Kind: identity.Server, World: number})
		})
	register(s, created("create-operator-key", "POST", "/v1/operator-keys", "Make a further key of your own; its secret is shown once", "keys"), operator,
		func(ctx context.Context, who identity.Principal, in *body[wire.Label]) (*body[wire.Key], error) {
			return s.createKey(ctx, identity.Principal{Kind: identity.Operator, Subject: who.Subject}, in.Body.Label)
		})
	register(s, operation("list-operator-keys", "GET", "/v1/operator-keys", "The operators' keys, without their secrets", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *Page) (*body[wire.List[wire.Key]], error) {
			owners, err := s.ownersOf(ctx)
			if err != nil {
				return nil, err
			}
			return s.listKeys(ctx, *in, owners...)
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

func (s *server) createKey(ctx context.Context, owner identity.Principal, label string) (*body[wire.Key], error) {
	key, secret, err := s.Identity.CreateKey(ctx, owner, label)
	if err != nil {
		return nil, err
	}
	return s.shownKey(ctx, key, secret)
}

func (s *server) shownKey(ctx context.Context, key identity.Key, secret string) (*body[wire.Key], error) {
	shown := wire.Key{ID: key.ID, Kind: key.Owner.Kind.String(), Label: key.Label, Secret: secret, Created: timeText(key.CreatedMS), Revoked: timeText(key.RevokedMS)}
	if key.LastUsedDay != 0 {
		shown.LastUsed = dayText(key.LastUsedDay)
	}
	if key.Owner.Kind == identity.Operator {
		operator := uint32(key.Owner.Subject)
		shown.Operator = &operator
	}
	if key.Owner.Kind == identity.Person {
		shown.PersonID = personText(key.Owner.PersonID)
	}
	var err error
	if key.Owner.World != 0 {
		shown.WorldCode, err = s.worldCode(ctx, key.Owner.World)
	}
	return &body[wire.Key]{shown}, err
}

// listKeys lists the keys of owners, one owner after the other, the oldest
// first. The place of a page's end is its last key.
func (s *server) listKeys(ctx context.Context, page Page, owners ...identity.Principal) (*body[wire.List[wire.Key]], error) {
	var keys []identity.Key
	for _, owner := range owners {
		of, err := s.Identity.Keys(ctx, owner)
		if err != nil {
			return nil, err
		}
		keys = append(keys, of...)
	}
	if page.Cursor != "" {
		last := slices.IndexFunc(keys, func(key identity.Key) bool { return key.ID == page.Cursor })
		if last < 0 {
			return nil, badCursor()
		}
		keys = keys[last+1:]
	}
	keys, more := cut(keys, page.Limit)
	out := &body[wire.List[wire.Key]]{Body: wire.List[wire.Key]{Items: []wire.Key{}}}
	for _, key := range keys {
		shown, err := s.shownKey(ctx, key, "")
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shown.Body)
	}
	if more {
		out.Body.NextCursor = keys[len(keys)-1].ID
	}
	return out, nil
}

func (s *server) registerPolicies() {
	register(s, created("publish-policy", "POST", "/v1/worlds/{world}/policies", "Publish a version of a world's policy", "policies"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Idempotent
			Body wire.NewPolicy
		}) (*answered[wire.Policy], error) {
			number, err := s.worldNumber(ctx, in.World)
			if err != nil {
				return nil, err
			}
			return s.publishPolicy(ctx, number, in.key(who, "policy"), in.World, in.Body)
		})
	register(s, operation("list-policies", "GET", "/v1/worlds/{world}/policies", "The versions of a world's policy, the oldest first", "policies"), operator|worldServer|person|user,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			ShortPage
		}) (*body[wire.List[wire.Policy]], error) {
			return s.policies(ctx, who, in.World, in.Cursor, in.Limit)
		})
}

func (s *server) publishPolicy(ctx context.Context, number uint32, key bank.Key, code string, in wire.NewPolicy) (*answered[wire.Policy], error) {
	if _, err := score.ParsePolicy([]byte(in.Policy)); err != nil {
		return nil, invalid("policy", "%v", err)
	}
	command := bank.PublishPolicy{Key: key, World: number, EffectiveDay: bank.Day(s.NowMS()) + 1, Text: []byte(in.Policy)}
	if in.EffectiveDay != "" {
		var err error
		if command.EffectiveDay, err = parseDay(in.EffectiveDay); err != nil {
			return nil, err
		}
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if in.EffectiveDay == "" && answer.Refusal == bank.KeyReused {
		// A retry after midnight means the tomorrow of the first call.
		command.EffectiveDay--
		answer, err = s.submit(ctx, command.AppendTo(nil))
	}
	if err != nil {
		return nil, err
	}
	published, _ := bank.First[bank.PolicyPublished](answer.Bytes)
	return &answered[wire.Policy]{replayed(answer), wire.Policy{World: code, Version: published.Version, EffectiveDay: dayText(published.EffectiveDay), Policy: in.Policy}}, nil
}

// policies lists the versions behind a cursor, which is a version.
func (s *server) policies(ctx context.Context, who identity.Principal, code, cursor string, limit int) (*body[wire.List[wire.Policy]], error) {
	number, err := s.ownWorld(ctx, who, code)
	if err != nil {
		return nil, err
	}
	after := uint64(0)
	if cursor != "" {
		if after, err = strconv.ParseUint(cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	var versions []bank.Policy
	if err := s.Bank.Read(ctx, func(state *bank.State) { versions = state.Policies(number) }); err != nil {
		return nil, err
	}
	versions = versions[min(after, uint64(len(versions))):] // they are numbered from 1 on
	versions, more := cut(versions, limit)
	out := &body[wire.List[wire.Policy]]{wire.List[wire.Policy]{Items: []wire.Policy{}}}
	for _, p := range versions {
		out.Body.Items = append(out.Body.Items, wire.Policy{World: code, Version: p.Version, EffectiveDay: dayText(p.EffectiveDay), ForImport: p.ForImport, Policy: p.Text})
	}
	if more {
		out.Body.NextCursor = strconv.FormatUint(uint64(versions[len(versions)-1].Version), 10)
	}
	return out, nil
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
