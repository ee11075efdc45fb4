package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
)

// Person is a person as the API shows one.
type Person struct {
	Person     string    `json:"person" doc:"Opaque id."`
	World      string    `json:"world" doc:"The world that knows the person."`
	Points     string    `json:"points" doc:"Earned, waiting for the close of the running epoch."`
	Closing    string    `json:"points_closing,omitempty" doc:"Being turned into TIME now."`
	Owed       string    `json:"points_owed,omitempty" doc:"Taken back after they were paid; later earnings repay it first."`
	Accounts   []Account `json:"accounts"`
	Registered bool      `json:"registered" doc:"Whether the bank has an account of the person yet; the first points open it."`
}

// Slice explains what a slice of a day has earned.
type Slice struct {
	Start        string   `json:"start" doc:"Time of day, UTC."`
	Present      int64    `json:"present_seconds" doc:"T"`
	Count        int64    `json:"interactions" doc:"As they were reported."`
	Interactions string   `json:"weighted_interactions" doc:"I, after caps."`
	Spend        string   `json:"spend" doc:"C, after caps."`
	Alpha        string   `json:"alpha_term"`
	Beta         string   `json:"beta_term"`
	Gamma        string   `json:"gamma_term"`
	Formula      string   `json:"formula_term,omitempty"`
	Factor       string   `json:"curve_factor" doc:"Of the daily curve: 1, 0.5 or 0."`
	Caps         []string `json:"caps,omitempty" doc:"Caps that cut this slice."`
}

// Attention is what a person's day has earned in a world, and why.
type Attention struct {
	World         string `json:"world"`
	Day           string `json:"day"`
	Points        string `json:"points" doc:"A, rounded down once for the day."`
	Minted        string `json:"minted" doc:"What of it the bank has posted; the rest follows within the hour."`
	Provisional   bool   `json:"provisional" doc:"The day may still change."`
	Present       int64  `json:"present_seconds"`
	Interactions  string `json:"weighted_interactions"`
	Spend         string `json:"spend"`
	Currency      string `json:"currency"`
	PolicyVersion uint32 `json:"policy_version" doc:"0 is the default policy."`
	Policy        string `json:"policy"`
	DayCapped     bool   `json:"day_capped,omitempty"`
	Revision      string `json:"revision"`
	Commitment    string `json:"commitment" doc:"What the journal shows of T, I and C of this revision."`
	Blind         string `json:"blind,omitempty" doc:"Opens the commitment; shown to the person only."`

	Slices []Slice `json:"slices"`
}

// Mint is what was posted for a person's day.
type Mint struct {
	Time          string `json:"time"`
	Day           string `json:"day"`
	World         string `json:"world"`
	Revision      string `json:"revision"`
	Points        string `json:"points" doc:"Cumulative for the day."`
	Delta         string `json:"delta" doc:"What was added to, or taken from, the points that wait."`
	Owed          string `json:"owed,omitempty"`
	Epoch         uint64 `json:"epoch"`
	PolicyVersion uint32 `json:"policy_version"`
	Commitment    string `json:"commitment"`
	Operation     string `json:"operation"`
}

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

func (s *server) personNumber(ctx context.Context, id [16]byte) (number uint64, err error) {
	found := false
	if err := s.Bank.Read(ctx, func(state *bank.State) { number, found = state.PersonByID(id) }); err != nil {
		return 0, err
	}
	if found {
		return number, nil
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

type PersonPath struct {
	Person string `path:"person" maxLength:"64"`
}

// subject returns the subject of a person whom a caller may see: an operator
// everyone, a person themselves, a world's server its own people.
func (s *server) subject(ctx context.Context, who identity.Principal, text string) (identity.Subject, error) {
	id, err := parsePerson(text)
	if err == nil {
		var subjects []identity.Subject
		if subjects, err = s.Identity.SubjectsOf(ctx, id); err == nil {
			for _, subject := range subjects {
				switch who.Kind {
				case identity.Operator:
					return subject, nil
				case identity.Person:
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
		}) (*body[Person], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			subject, err := s.Identity.Find(ctx, identity.SubjectRef{World: number, UserID: in.UserID})
			if err != nil {
				return nil, err
			}
			return s.showPerson(ctx, subject)
		})
	register(s, created("create-claim", "POST", "/v1/worlds/{world}/users/{user_id}/claim", "Make a one-time code by which a user takes hold of the account", "people"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			UserID string `path:"user_id" maxLength:"256"`
		}) (*body[struct {
			Code    string `json:"code" doc:"Hand it to the user; it works once."`
			Expires string `json:"expires"`
		}], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			code, expiresMS, err := s.Identity.CreateClaimCode(ctx, number, in.UserID)
			if err != nil {
				return nil, err
			}
			out := &body[struct {
				Code    string `json:"code" doc:"Hand it to the user; it works once."`
				Expires string `json:"expires"`
			}]{}
			out.Body.Code, out.Body.Expires = code, timeText(expiresMS)
			return out, nil
		})
	register(s, created("redeem-claim", "POST", "/v1/claims", "Turn a one-time code into the person's own key", "people"), public,
		func(ctx context.Context, _ identity.Principal, in *body[struct {
			Code  string `json:"code" maxLength:"100"`
			Label string `json:"label,omitempty" maxLength:"100"`
		}]) (*body[Key], error) {
			key, secret, err := s.Identity.RedeemClaimCode(ctx, in.Body.Code, in.Body.Label)
			if err != nil {
				return nil, err
			}
			return s.shownKey(ctx, key, secret)
		})
	register(s, operation("get-person", "GET", "/v1/people/{person}", "A person with points and accounts", "people"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*body[Person], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.showPerson(ctx, subject)
		})
	register(s, operation("get-attention", "GET", "/v1/people/{person}/attention", "What a day has earned, slice by slice, and why", "people"), operator|worldServer|person, s.attention)
	register(s, operation("list-mints", "GET", "/v1/people/{person}/mints", "What was posted for a person's days, the newest first", "people"), operator|person, s.mints)
	register(s, operation("erase-person", "DELETE", "/v1/people/{person}/personal-data", "Destroy the person's data key: everything personal becomes unreadable for ever", "people"), operator|person,
		func(ctx context.Context, who identity.Principal, in *PersonPath) (*struct{}, error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			if err := s.Identity.Erase(ctx, subject.Number); err != nil {
				return nil, err
			}
			return nil, s.Collector.Forget(ctx, subject.Number)
		})
}

func (s *server) showPerson(ctx context.Context, subject identity.Subject) (*body[Person], error) {
	out := &body[Person]{Body: Person{Person: personText(subject.Person), Points: "0", Accounts: []Account{}}}
	var number uint64
	err := s.Bank.Read(ctx, func(state *bank.State) {
		if w := state.World(subject.World); w != nil {
			out.Body.World = w.Code
		}
		if number, out.Body.Registered = state.PersonByID(subject.Person); !out.Body.Registered {
			return
		}
		running, closing := state.PendingPointsMicro(number)
		out.Body.Points = points(running)
		if closing != 0 {
			out.Body.Closing = points(closing)
		}
		if owed := state.ReceivablePointsMicro(number); owed != 0 {
			out.Body.Owed = points(owed)
		}
		// The main account in every asset; further ones are found by their number.
		for asset := uint32(1); int(asset) <= state.Books().Assets(); asset++ {
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
}) (*body[list[Attention]], error) {
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
	awards, err := s.Collector.Attention(ctx, subject.Number, day)
	if err != nil {
		return nil, err
	}
	out := &body[list[Attention]]{Body: list[Attention]{Items: []Attention{}}}
	for i := range awards {
		a := &awards[i]
		if who.Kind == identity.Server && a.Award.World != who.World {
			continue
		}
		shown := attentionOf(a)
		shown.Provisional = day >= bank.Day(s.NowMS()-collect.HorizonMS)
		if who.Kind == identity.Person {
			shown.Blind = hex.EncodeToString(a.Opened.Blind[:])
		}
		if shown.World, err = s.worldCode(ctx, a.Award.World); err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	return out, nil
}

func attentionOf(a *collect.Attention) Attention {
	commitment := a.Opened.Commitment()
	shown := Attention{
		Day: dayText(a.Opened.Day), Points: points(a.Opened.PointsMicro), Minted: points(a.MintedMicro),
		Present: a.Award.PresentSeconds, Interactions: points(a.Award.InteractionsMicro), Spend: amount.Format(a.Award.SpendMinor, 2),
		Currency: a.Policy.Currency, PolicyVersion: a.Opened.PolicyVersion, Policy: a.Policy.Name, DayCapped: a.Award.DayCapped,
		Revision: strconv.FormatUint(a.Opened.Revision, 10), Commitment: hex.EncodeToString(commitment[:]), Slices: []Slice{},
	}
	for _, slice := range a.Award.Slices {
		seconds := slice.Index * a.Policy.SliceBuckets * 10
		shown.Slices = append(shown.Slices, Slice{
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
	From   string `query:"from" format:"date" doc:"Of this day or later."`
	Cursor string `query:"cursor" maxLength:"64"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct {
	HistoryLag
	Body list[Mint]
}, error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	out := &struct {
		HistoryLag
		Body list[Mint]
	}{HistoryLag: s.lag(), Body: list[Mint]{Items: []Mint{}}}
	var number uint64
	var registered bool
	codes := map[uint32]string{}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, registered = state.PersonByID(subject.Person)
		for world := uint32(1); world <= state.Worlds(); world++ {
			codes[world] = state.World(world).Code
		}
	})
	if err != nil || !registered {
		return out, err
	}
	query := history.MintQuery{Limit: in.Limit}
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
	for _, m := range mints {
		shown := Mint{
			Time: timeText(m.TimeMS), Day: dayText(m.Day), World: codes[m.World], Revision: strconv.FormatUint(m.Revision, 10),
			Points: points(m.CumulativePointsMicro), Delta: points(m.DeltaPointsMicro), Epoch: m.Epoch, PolicyVersion: m.PolicyVersion,
			Commitment: hex.EncodeToString(m.Commitment[:]), Operation: history.Position{Seq: m.Seq, Index: m.Index}.String(),
		}
		if m.ReceivablePointsMicro != 0 {
			shown.Owed = points(m.ReceivablePointsMicro)
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	if len(mints) == in.Limit {
		last := mints[len(mints)-1]
		out.Body.NextCursor = dayText(last.Day) + "." + strconv.FormatUint(uint64(last.World), 10) + "." + strconv.FormatUint(last.Revision, 10)
	}
	return out, nil
}

func parseMintCursor(text string) (day int32, world uint32, revision uint64, err error) {
	bad := &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Detail: "cursor: expected what next_cursor said"}
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
