package api

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// RulesPath names a version of the review rules.
type RulesPath struct {
	Version uint32 `path:"version" maximum:"1000"`
}

// CasePath names a case.
type CasePath struct {
	Case string `path:"case" maxLength:"20"`
}

// OwnCasePath names a case of a person.
type OwnCasePath struct {
	PersonPath
	CasePath
}

// casesARead are looked at between two records at the most, and for a page of
// a list in all.
const casesARead = 20_000

func (s *server) registerReviews() {
	register(s, created("publish-review-rules", "POST", "/v1/review-rules", "Publish a version of the rules by which days are looked at; it holds from now on", "reviews"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewReviewRules
		}) (*answered[wire.ReviewRules], error) {
			rules, err := abuse.ParseRules([]byte(in.Body.Rules))
			if err != nil {
				return nil, invalid("rules", "%v", err)
			}
			answer, err := s.submit(ctx, bank.PublishReviewRules{Key: in.key(who, "review-rules"), Text: in.Body.Rules}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			published, _ := bank.First[bank.ReviewRulesPublished](answer.Bytes)
			return &answered[wire.ReviewRules]{replayed(answer), wire.ReviewRules{Version: published.Version, Name: rules.Name, Current: true, Rules: in.Body.Rules}}, nil
		})
	register(s, operation("list-review-rules", "GET", "/v1/review-rules", "The versions of the review rules, the oldest first", "reviews"), operator, s.listReviewRules)
	register(s, operation("get-review-effect", "GET", "/v1/review-rules/{version}/effect", "What a version of the rules has led to, of rules that only watch what it would have", "reviews"), operator, s.reviewEffect)
	register(s, operation("list-cases", "GET", "/v1/cases", "Cases, the newest first", "reviews"), operator, s.listCases)
	register(s, operation("get-case", "GET", "/v1/cases/{case}", "A case with its evidence and what the person says", "reviews"), operator,
		func(ctx context.Context, _ identity.Principal, in *CasePath) (*body[wire.CaseDetail], error) {
			return s.caseDetail(ctx, in.Case, nil)
		})
	register(s, operation("decide-case", "POST", "/v1/cases/{case}/decision", "Release what a case holds back, or uphold it; of an appeal by another operator than before", "reviews"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			CasePath
			Idempotent
			Body wire.NewDecision
		}) (*answered[wire.CaseDetail], error) {
			number, err := parseNumber("case", in.Case)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.DecideCase{Key: in.key(who, "decide"), Case: number, Release: in.Body.Decision == "release"}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			shown, err := s.caseDetail(ctx, in.Case, nil)
			if err != nil {
				return nil, err
			}
			return &answered[wire.CaseDetail]{replayed(answer), shown.Body}, nil
		})
	s.registerOwnCases()
}

// registerOwnCases adds what a person sees and does. Cases that only watch hold
// nothing back and are not shown.
func (s *server) registerOwnCases() {
	register(s, operation("list-own-cases", "GET", "/v1/people/{person}/cases", "Why TIME of a person is or was held back, the newest first", "reviews"), operator|person,
		s.listOwnCases)
	register(s, operation("get-own-case", "GET", "/v1/people/{person}/cases/{case}", "A case of a person, with its evidence", "reviews"), operator|person,
		func(ctx context.Context, who identity.Principal, in *OwnCasePath) (*body[wire.CaseDetail], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			return s.caseDetail(ctx, in.Case, &subject)
		})
	register(s, operation("appeal-case", "POST", "/v1/people/{person}/cases/{case}/appeal", "Ask that a case be looked at by a human, or once more by another", "reviews"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			OwnCasePath
			Body wire.NewAppeal
		}) (*body[wire.CaseDetail], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			if _, err := s.caseDetail(ctx, in.Case, &subject); err != nil {
				return nil, err
			}
			number, err := parseNumber("case", in.Case)
			if err != nil {
				return nil, err
			}
			// The text first: an appeal that the bank knows of has its words.
			if err := s.Collector.Appeal(ctx, subject.World, subject.Number, number, in.Body.Text); err != nil {
				return nil, err
			}
			if _, err := s.submit(ctx, bank.AppealCase{Case: number}.AppendTo(nil)); err != nil {
				return nil, err
			}
			return s.caseDetail(ctx, in.Case, &subject)
		})
}

func (s *server) listOwnCases(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
}) (*body[wire.List[wire.Case]], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	before := ^uint64(0)
	if in.Cursor != "" {
		if before, err = strconv.ParseUint(in.Cursor, 10, 64); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Case]]{Body: wire.List[wire.Case]{Items: []wire.Case{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		person, _ := state.PersonByID(subject.Person)
		for _, number := range slices.Backward(state.CasesOf(person)) {
			c, _ := state.Case(number)
			if number >= before || c.Status == bank.CaseShadow {
				continue
			}
			if len(out.Body.Items) == in.Limit {
				out.Body.NextCursor = out.Body.Items[in.Limit-1].Case
				return
			}
			out.Body.Items = append(out.Body.Items, caseOf(state, number, c))
		}
	})
	return out, err
}

func (s *server) listReviewRules(ctx context.Context, _ identity.Principal, in *ShortPage) (*body[wire.List[wire.ReviewRules]], error) {
	after := -1 // the version before the page
	if in.Cursor != "" {
		var err error
		if after, err = strconv.Atoi(in.Cursor); err != nil || after < 0 {
			return nil, badCursor()
		}
	}
	texts := []string{abuse.DefaultRulesText}
	if err := s.Bank.Read(ctx, func(state *bank.State) { texts = append(texts, state.ReviewRules()...) }); err != nil {
		return nil, err
	}
	out := &body[wire.List[wire.ReviewRules]]{Body: wire.List[wire.ReviewRules]{Items: []wire.ReviewRules{}}}
	for version := after + 1; version < len(texts); version++ {
		if len(out.Body.Items) == in.Limit {
			out.Body.NextCursor = strconv.Itoa(version - 1)
			break
		}
		shown := wire.ReviewRules{Version: uint32(version), Current: version == len(texts)-1, Rules: texts[version]}
		if rules, err := abuse.ParseRules([]byte(texts[version])); err == nil {
			shown.Name = rules.Name
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	return out, nil
}

func (s *server) reviewEffect(ctx context.Context, _ identity.Principal, in *RulesPath) (*body[wire.ReviewEffect], error) {
	out := &body[wire.ReviewEffect]{Body: wire.ReviewEffect{Version: in.Version, Statuses: map[string]int{}, Signals: map[string]int{}}}
	people, held := map[uint64]bool{}, int64(0)
	for next, more, known := uint64(1), true, false; more; {
		err := s.Bank.Read(ctx, func(state *bank.State) {
			_, last := state.LastReviewRules()
			known = in.Version <= last
			end := min(next+casesARead, state.Cases()+1)
			for ; next < end; next++ {
				c, _ := state.Case(next)
				if c.RulesVersion != in.Version {
					continue
				}
				people[c.Person] = true
				held += c.HeldMicro
				out.Body.Statuses[c.Status.String()]++
				for _, signal := range abuse.Signal(c.Signals).Split() {
					out.Body.Signals[signal.String()]++
				}
			}
			more = next <= state.Cases()
		})
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, notFound("version of the review rules")
		}
	}
	out.Body.People, out.Body.Held = len(people), points(held)
	return out, nil
}

func (s *server) listCases(ctx context.Context, _ identity.Principal, in *struct {
	Page
	Status string `query:"status" enum:"open,released,upheld,appealed,forfeited,shadow" doc:"Cases of this status only."`
	Signal string `query:"signal" maxLength:"32" doc:"With this signal only."`
	Person string `query:"person" maxLength:"64" doc:"Of this person only."`
}) (*body[wire.List[wire.Case]], error) {
	status, byStatus := bank.ParseCaseStatus(in.Status)
	signal, bySignal := abuse.ParseSignal(in.Signal)
	if in.Signal != "" && !bySignal {
		return nil, invalid("signal", "%q is none; signals are %v", in.Signal, abuse.Signals)
	}
	before, err := cursorBefore(in.Cursor)
	if err != nil {
		return nil, err
	}
	var id [16]byte
	if in.Person != "" {
		if id, err = parsePerson(in.Person); err != nil {
			return nil, err
		}
	}
	out := &body[wire.List[wire.Case]]{Body: wire.List[wire.Case]{Items: []wire.Case{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		person, _ := state.PersonByID(id)
		number := min(before, state.Cases()+1)
		for looked := 0; number > 1 && looked < casesARead && len(out.Body.Items) < in.Limit; looked++ {
			number--
			c, _ := state.Case(number)
			if byStatus && c.Status != status || bySignal && c.Signals&uint32(signal) == 0 || in.Person != "" && c.Person != person {
				continue
			}
			out.Body.Items = append(out.Body.Items, caseOf(state, number, c))
		}
		if number > 1 {
			out.Body.NextCursor = strconv.FormatUint(number, 10)
		}
	})
	return out, err
}

func caseOf(state *bank.State, number uint64, c bank.Case) wire.Case {
	shown := wire.Case{
		Case: strconv.FormatUint(number, 10), Person: personText(personID(state, c.Person)), Status: c.Status.String(), From: dayText(c.FromDay), To: dayText(c.ToDay),
		Signals: []wire.Signal{}, Trust: int64(c.TrustPermille), RulesVersion: c.RulesVersion, Held: points(c.HeldMicro), Contested: c.Contested,
		Opened: timeText(c.OpenedMS), Decided: timeText(c.DecidedMS),
	}
	for _, signal := range abuse.Signal(c.Signals).Split() {
		shown.Signals = append(shown.Signals, wire.Signal{Signal: signal.String(), Meaning: signal.Meaning()})
	}
	if c.DecidedMS != 0 && c.Status != bank.CaseShadow {
		shown.DecidedBy = &c.DecidedBy
	}
	if c.Status == bank.CaseUpheld {
		shown.AppealUntil = timeText(c.DecidedMS + bank.AppealMS)
	}
	return shown
}

// caseDetail shows a case, to its person if one is given.
func (s *server) caseDetail(ctx context.Context, text string, own *identity.Subject) (*body[wire.CaseDetail], error) {
	number, err := parseNumber("case", text)
	if err != nil {
		return nil, err
	}
	var c bank.Case
	found := false
	out := &body[wire.CaseDetail]{Body: wire.CaseDetail{Findings: []wire.Finding{}, Appeals: []wire.Appeal{}}}
	var id [16]byte
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if c, found = state.Case(number); found {
			id = personID(state, c.Person)
			out.Body.Case = caseOf(state, number, c)
		}
	})
	if err != nil {
		return nil, err
	}
	if !found || own != nil && (own.Person != id || c.Status == bank.CaseShadow) {
		return nil, notFound("case")
	}
	subjects, err := s.Identity.SubjectsOf(ctx, id)
	if errors.Is(err, identity.ErrNotFound) {
		return out, nil // erased
	}
	if err != nil {
		return nil, err
	}
	for _, subject := range subjects {
		if err := s.tellCase(ctx, &out.Body, subject.Number, number, c); err != nil && !errors.Is(err, collect.ErrErased) {
			return nil, err
		}
	}
	return out, nil
}

// tellCase adds what is kept with a subject's days, and what the person says.
func (s *server) tellCase(ctx context.Context, out *wire.CaseDetail, subject, number uint64, c bank.Case) error {
	found, err := s.Collector.Findings(ctx, subject, c.FromDay, c.ToDay)
	if err != nil {
		return err
	}
	for i := range found {
		f := &found[i]
		shown := wire.Finding{
			Day: dayText(f.Day), Signal: f.Signal.String(), Mode: "enforce", RulesVersion: f.RulesVersion, Evidence: f.Evidence(),
			Value: f.Value, Limit: f.Limit, Beside: f.Beside, Cost: f.Cost,
		}
		if f.Shadow {
			shown.Mode = "shadow"
		}
		if !f.Shadow || c.Status == bank.CaseShadow {
			out.Findings = append(out.Findings, shown)
		}
	}
	said, err := s.Collector.Appeals(ctx, subject)
	for _, a := range said {
		if a.Case == number {
			out.Appeals = append(out.Appeals, wire.Appeal{Time: timeText(a.AtMS), Text: a.Text})
		}
	}
	return err
}

// personID returns the opaque id of a person whom the bank knows.
func personID(state *bank.State, number uint64) [16]byte {
	id, _ := state.PersonID(number)
	return id
}
