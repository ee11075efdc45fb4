package api

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

func personText(id [16]byte) string { return hex.EncodeToString(id[:]) }

func parsePerson(text string) (id [16]byte, err error) {
	if len(text) != 32 {
		return id, notFound("person")
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return id, notFound("person")
	}
	return id, nil
}

// registered returns the bank's number of a person, who is made known to the
// bank if identity alone knows one.
func (s *server) registered(ctx context.Context, id [16]byte) (uint64, error) {
	number, found, err := s.personNumber(ctx, id)
	if err != nil || found {
		return number, err
	}
	if _, err := s.Identity.SubjectsOf(ctx, id); err != nil {
		return 0, err
	}
	answer, err := s.submit(ctx, bank.RegisterPerson{ID: id}.AppendTo(nil))
	if err != nil {
		return 0, err
	}
	registered, _ := bank.First[bank.PersonRegistered](answer.Bytes)
	return registered.Person, nil
}

// PersonPath names a person.
type PersonPath struct {
	Person string `path:"person" maxLength:"64" doc:"Id of the person, or me for whose credential it is."`
}

// subject returns the subject of a person whom a caller may see: an operator
// everyone, a person themselves, a world's server its own people.
func (s *server) subject(ctx context.Context, who identity.Principal, text string) (identity.Subject, error) {
	id, err := parsePerson(text)
	if text == "me" && (who.Kind == identity.Person || who.Kind == identity.User) {
		id, err = who.PersonID, nil
	}
	if err == nil {
		var subjects []identity.Subject
		if subjects, err = s.Identity.SubjectsOf(ctx, id); err == nil {
			for _, subject := range subjects {
				switch who.Kind {
				case identity.Operator:
					return subject, nil
				case identity.Person, identity.User:
					if who.PersonID == id {
						return subject, nil
					}
				case identity.Server:
					if subject.World == who.World {
						return subject, nil
					}
				}
			}
			err = notFound("person")
		}
	}
	if who.Kind != identity.Operator {
		return identity.Subject{}, forbidden("The person is not you, or not of your world.")
	}
	return identity.Subject{}, err
}

func (s *server) registerPeople() {
	register(s, operation("get-user", "GET", "/v1/worlds/{world}/users/{user_id}", "The person behind a world's user id", "people"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			UserID string `path:"user_id" maxLength:"256"`
		}) (*body[wire.Person], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			subject, err := s.Identity.Find(ctx, identity.SubjectRef{World: number, UserID: in.UserID})
			if err != nil {
				return nil, err
			}
			return s.showPerson(ctx, who, subject)
		})
	register(s, created("create-claim", "POST", "/v1/worlds/{world}/users/{user_id}/claim", "Make a one-time code by which a user takes hold of the account", "people"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			UserID string `path:"user_id" maxLength:"256"`
		}) (*body[wire.Claim], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			code, expiresMS, err := s.Identity.CreateClaimCode(ctx, number, in.UserID)
			if err != nil {
				return nil, err
			}
			return &body[wire.Claim]{wire.Claim{Code: code, Expires: timeText(expiresMS)}}, nil
		})
	redeem := created("redeem-claim", "POST", "/v1/claims", "Turn a one-time code into the person's own key", "people")
	redeem.MaxBodyBytes = maxPublicBytes
	register(s, redeem, public,
		func(ctx context.Context, _ identity.Principal, in *body[wire.Redemption]) (*body[wire.Key], error) {
			key, secret, err := s.Identity.RedeemClaimCode(ctx, in.Body.Code, in.Body.Label)
			if err != nil {
				return nil, err
			}
			return s.shownKey(ctx, key, secret)
		})
	register(s, created("create-person-key", "POST", "/v1/people/{person}/keys", "Make a further key of a person; its secret is shown once", "keys"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Body wire.Label
		}) (*body[wire.Key], error) {
			if _, err := s.subject(ctx, who, in.Person); err != nil {
				return nil, err
			}
			return s.createKey(ctx, who, in.Body.Label)
		})
	register(s, operation("list-person-keys", "GET", "/v1/people/{person}/keys", "The keys of a person, without their secrets", "keys"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Page
		}) (*body[wire.List[wire.Key]], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.listKeys(ctx, in.Page, identity.Principal{Kind: identity.Person, World: subject.World, Subject: subject.Number, PersonID: subject.Person})
		})
	register(s, operation("get-person", "GET", "/v1/people/{person}", "A person with points and accounts", "people"), operator|worldServer|person|user,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[wire.Person], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.showPerson(ctx, who, subject)
		})
	register(s, operation("get-attention", "GET", "/v1/people/{person}/attention", "What a day has earned, slice by slice, and why", "people"), operator|worldServer|person|user, s.attention)
	register(s, operation("list-mints", "GET", "/v1/people/{person}/mints", "What was posted for a person's days, the newest first", "people"), operator|person, s.mints)
	register(s, operation("erase-person", "DELETE", "/v1/people/{person}/personal-data", "Destroy the person's data key: everything personal becomes unreadable for ever", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*struct{}, error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return nil, s.erase(ctx, subject)
		})
}

// erase destroys what is personal of a person. Those whose days were the
// person's by a link are on their own again: they are persons of their own
// worlds, with credentials of their own, and a link gives no right over them.
func (s *server) erase(ctx context.Context, subject identity.Subject) error {
	links, err := s.Identity.Links(ctx, subject.Number)
	if err != nil {
		return err
	}
	for _, link := range links {
		if link.Head != subject.Number || link.UntilDay != identity.Forever {
			continue
		}
		member, err := s.Identity.Subject(ctx, link.Member)
		if err != nil {
			return err
		}
		_, err = s.Collector.Unlink(ctx, member.World, member.Number, subject.Number)
		if err != nil && !errors.Is(err, collect.ErrLink) && !errors.Is(err, collect.ErrErased) {
			return err
		}
	}
	devices, err := s.Identity.Devices(ctx, subject.Number)
	if err != nil {
		return err
	}
	if err := s.Identity.Erase(ctx, subject.Number); err != nil {
		return err
	}
	for _, number := range append(devices, subject.Number) {
		if err := s.Collector.Forget(ctx, number); err != nil {
			return err
		}
	}
	return nil
}

// ofWorld reports whether a caller sees of a person what is of one world.
func ofWorld(who identity.Principal) bool {
	return who.Kind == identity.Server || who.Kind == identity.User
}

// showPerson shows a person to a caller who may see them. A world, and its
// user's token, see what is of the world: points that it reported, of whomever
// they are by a link, and its own assets; and TIME, which is of all worlds, only
// while the person is of no other.
func (s *server) showPerson(ctx context.Context, who identity.Principal, subject identity.Subject) (*body[wire.Person], error) {
	out := &body[wire.Person]{Body: wire.Person{Person: personText(subject.Person), Points: "0", Accounts: []wire.Account{}}}
	earner, err := s.head(ctx, subject)
	if err != nil {
		return nil, err
	}
	links, err := s.Identity.Links(ctx, subject.Number)
	if err != nil {
		return nil, err
	}
	restricted := ofWorld(who)
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if w := state.World(subject.World); w != nil {
			out.Body.World = w.Code
		}
		number, registered := state.PersonByID(subject.Person)
		out.Body.Registered = registered
		var running, closing, owed int64
		if restricted {
			running, closing, owed = state.PointsOfWorldMicro(number, subject.World)
			if other, found := state.PersonByID(earner.Person); found && other != number {
				r, c, o := state.PointsOfWorldMicro(other, subject.World)
				running, closing, owed = running+r, closing+c, owed+o
			}
		} else if registered {
			running, closing = state.PendingPointsMicro(number)
			owed = state.ReceivablePointsMicro(number)
		}
		out.Body.Points = points(running)
		if closing != 0 {
			out.Body.Closing = points(closing)
		}
		if owed != 0 {
			out.Body.Owed = points(owed)
		}
		if !registered {
			return
		}
		if held, found := state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: number, Asset: ledger.Time, Purpose: ledger.PurposeHeldBack}); found && !restricted {
			out.Body.HeldBack = points(state.Books().Account(held).Balance)
		}
		// The main account in every asset; further ones are found by their number.
		for asset := uint32(1); int(asset) <= state.Books().Assets(); asset++ {
			if restricted && state.Books().Asset(asset).World != subject.World && (asset != ledger.Time || len(links) > 0) {
				continue
			}
			key := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: number, Asset: asset}
			if account, found := state.Books().Find(key); found {
				out.Body.Accounts = append(out.Body.Accounts, accountOf(state, account))
			}
		}
	})
	return out, err
}

func (s *server) attention(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Day string `query:"day" format:"date" doc:"UTC day; the default is today."`
}) (*body[wire.List[wire.Attention]], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	day := bank.Day(s.NowMS())
	if in.Day != "" {
		if day, err = parseDay(in.Day); err != nil {
			return nil, err
		}
	}
	items, err := s.attentionOn(ctx, who, subject, day)
	if err != nil {
		return nil, err
	}
	return &body[wire.List[wire.Attention]]{Body: wire.List[wire.Attention]{Items: items}}, nil
}

// attentionOn returns what a day has earned, as far as a caller who may see the
// person sees it.
func (s *server) attentionOn(ctx context.Context, who identity.Principal, subject identity.Subject, day int32) ([]wire.Attention, error) {
	awards, err := s.Collector.Attention(ctx, subject.Number, day)
	if err != nil {
		return nil, err
	}
	// By a link the day may be another's, who alone sees all worlds of it.
	owner, err := s.Identity.HeadOf(ctx, subject.Number, day)
	if err != nil {
		return nil, err
	}
	others := owner != subject.Number
	items := []wire.Attention{}
	for i := range awards {
		a := &awards[i]
		if (ofWorld(who) || others && who.Kind == identity.Person) && a.Award.World != subject.World {
			continue
		}
		shown := attentionOf(a)
		shown.Minor = a.Bounds.Minor
		if a.Bounds.Limited {
			shown.OwnLimit = &a.Bounds.EarnSeconds
		}
		shown.Provisional = day >= bank.Day(s.NowMS()-collect.HorizonMS)
		if who.Kind == identity.Person && !others {
			shown.Blind = hex.EncodeToString(a.Opened.Blind[:])
		}
		if shown.World, err = s.worldCode(ctx, a.Award.World); err != nil {
			return nil, err
		}
		items = append(items, shown)
	}
	return items, nil
}

func attentionOf(a *collect.Attention) wire.Attention {
	commitment := a.Opened.Commitment()
	shown := wire.Attention{
		Day: dayText(a.Opened.Day), Points: points(a.Opened.PointsMicro), Minted: points(a.MintedMicro),
		Present: a.Award.PresentSeconds, Interactions: points(a.Award.InteractionsMicro), Spend: amount.Format(a.Award.SpendMinor, 2),
		Currency: a.Policy.Currency, PolicyVersion: a.Opened.PolicyVersion, Policy: a.Policy.Name, DayCapped: a.Award.DayCapped,
		Revision: strconv.FormatUint(a.Opened.Revision, 10), Commitment: hex.EncodeToString(commitment[:]), Slices: []wire.Slice{},
	}
	for _, slice := range a.Award.Slices {
		seconds := slice.Index * a.Policy.SliceBuckets * 10
		shown.Slices = append(shown.Slices, wire.Slice{
			Start:   timeText(int64(a.Opened.Day)*86_400_000 + int64(seconds)*1000)[11:16],
			Present: slice.PresentSeconds, Count: slice.Interactions, Interactions: points(slice.InteractionsMicro), Spend: amount.Format(slice.SpendMinor, 2),
			Alpha: points(slice.AlphaMicro), Beta: points(slice.BetaMicro), Gamma: points(slice.GammaMicro), Formula: formulaText(slice.FormulaMicro),
			Factor: amount.Format(slice.Halves*5, 1), Caps: slice.Caps.Names(),
		})
	}
	return shown
}

func formulaText(v int64) string {
	if v == 0 {
		return ""
	}
	return points(v)
}

func (s *server) mints(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
	From string `query:"from" format:"date" doc:"Of this day or later."`
}) (*told[wire.Mint], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	out := &told[wire.Mint]{s.lag(), wire.List[wire.Mint]{Items: []wire.Mint{}}}
	number, registered, err := s.personNumber(ctx, subject.Person)
	if err != nil || !registered {
		return out, err
	}
	query := history.MintQuery{Limit: in.Limit + 1}
	if in.From != "" {
		if query.FromDay, err = parseDay(in.From); err != nil {
			return nil, err
		}
	}
	if in.Cursor != "" {
		if query.BeforeDay, query.BeforeWorld, query.BeforeRevision, err = parseMintCursor(in.Cursor); err != nil {
			return nil, err
		}
	}
	mints, err := s.History.Mints(ctx, number, query)
	if err != nil {
		return nil, err
	}
	mints, more := cut(mints, in.Limit)
	for i := range mints {
		shown, err := s.mintOf(ctx, mints[i])
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	if more {
		last := mints[len(mints)-1]
		out.Body.NextCursor = dayText(last.Day) + "." + strconv.FormatUint(uint64(last.World), 10) + "." + strconv.FormatUint(last.Revision, 10)
	}
	return out, nil
}

func (s *server) mintOf(ctx context.Context, m history.Mint) (shown wire.Mint, err error) {
	shown = wire.Mint{
		Time: timeText(m.TimeMS), Day: dayText(m.Day), Revision: strconv.FormatUint(m.Revision, 10),
		Points: points(m.CumulativePointsMicro), Delta: points(m.DeltaPointsMicro), Epoch: m.Epoch, PolicyVersion: m.PolicyVersion,
		Commitment: hex.EncodeToString(m.Commitment[:]), Operation: history.Position{Seq: m.Seq, Index: m.Index}.String(),
	}
	if m.ReceivablePointsMicro != 0 {
		shown.Owed = points(m.ReceivablePointsMicro)
	}
	shown.World, err = s.worldCode(ctx, m.World)
	return shown, err
}

func parseMintCursor(text string) (day int32, world uint32, revision uint64, err error) {
	bad := badCursor()
	if len(text) < 14 || text[10] != '.' {
		return 0, 0, 0, bad
	}
	if day, err = parseDay(text[:10]); err != nil {
		return 0, 0, 0, bad
	}
	worldText, revisionText, _ := strings.Cut(text[11:], ".")
	worldNumber, err1 := strconv.ParseUint(worldText, 10, 32)
	revision, err2 := strconv.ParseUint(revisionText, 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, 0, bad
	}
	return day, uint32(worldNumber), revision, nil
}
