package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

// What was decided and kept, and not told where events are taken because the
// process was killed between the two, is done by the next one, once.
func TestADecisionIsFinishedAfterAKill(t *testing.T) {
	for _, test := range []struct {
		what, method, path, body string
		byOperator               bool
		holds                    func(s *stack) bool
	}{
		{"a consent that was withdrawn", "PUT", "/v1/people/me/consents/scoring", `{"given":false,"version":"1"}`, false,
			func(s *stack) bool { return s.jumped(timeText(s.nowMS)) == "rejected consent_withdrawn" }},
		{"a limit of one's own", "PUT", "/v1/people/me/limits", `{"earn_minutes":0}`, false,
			func(s *stack) bool { return s.jumped(timeText(s.nowMS)) == "capped own_limit" }},
		{"keeping out", "PUT", "/v1/people/me/exclusion", `{"until":"2026-02-01T00:00:00Z","earning":true}`, false,
			func(s *stack) bool { return s.jumped(timeText(s.nowMS)) == "rejected self_excluded" }},
		{"that somebody is a minor", "PUT", "/v1/people/{id}/attributes", `{"country":"DE","age":"minor","tier":1}`, true,
			func(s *stack) bool {
				subject, err := s.server.subject(s.Context(), identity.Principal{Kind: identity.Operator}, s.personID)
				if err != nil {
					s.Fatal(err)
				}
				terms, err := s.server.Collector.Terms(s.Context(), subject.Number)
				return err == nil && terms.Minor
			}},
	} {
		t.Run(test.what, func(t *testing.T) {
			s := newStack(t)
			s.requireFinished(0)
			s.server.Collector.Close() // the process is as good as dead from here on
			key := s.person
			if test.byOperator {
				key = s.operator
			}
			if answer := s.do(test.method, strings.ReplaceAll(test.path, "{id}", s.personID), key, test.body); answer.Code < 500 {
				t.Fatalf("the collector is gone, and it is answered %d", answer.Code)
			}
			s.faults = nil
			s.restart()
			if test.holds(s) {
				t.Fatal("it holds before anybody has done it")
			}
			s.requireFinished(1)
			s.nowMS += 1000
			if !test.holds(s) {
				t.Error("what was decided does not hold")
			}
			s.restart()
			s.requireFinished(0)
		})
	}
}

// restart opens the collector anew, and a server on it.
func (s *stack) restart() {
	s.Helper()
	config := s.server.Config
	config.Terms, config.Collector = nil, s.reopen()
	s.Cleanup(func() { config.Collector.Close() })
	s.server = newServer(config)
}

// requireFinished does what was left undone.
func (s *stack) requireFinished(want int) {
	s.Helper()
	if done, err := s.server.Terms.Finish(context.Background()); err != nil || done != want {
		s.Fatalf("%d decisions were left undone, %v; expected %d", done, err, want)
	}
}

// A link that the process did not live to begin or to end begins and ends when
// the next one starts.
func TestALinkIsFinishedAfterAKill(t *testing.T) {
	s := newStack(t)
	cafe, arena := s.tokenKey("cafe", s.serverKey), s.tokenKey("arena", s.otherServer)
	linked := func() (open int) {
		t.Helper()
		links, _ := s.items("/v1/people/me/links", s.person)
		for _, link := range links {
			if link["until"] == nil {
				open++
			}
		}
		return open
	}
	s.server.Collector.Close()
	tokens := `{"tokens":["` + s.token(cafe, "alice", "c1") + `","` + s.token(arena, "bob", "a1") + `"]}`
	if answer := s.do("POST", "/v1/people/me/links", s.person, tokens); answer.Code < 500 {
		t.Fatalf("the collector is gone, and it is answered %d", answer.Code)
	}
	s.faults = nil
	s.restart()
	if linked() != 0 {
		t.Fatal("they are linked before anybody has done it")
	}
	s.requireFinished(2) // the link, and the terms of whom it was of
	if linked() != 1 {
		t.Fatal("they are not linked")
	}
	s.ok("POST", "/v1/people/me/links", s.person, tokens) // asked again, it is the same link
	s.nowMS += dayMS
	s.there(s.otherServer, "bob")
	if got := s.seconds("/v1/people/me", s.person); got != "map[arena:600]" {
		t.Errorf("of what bob does alice sees %s", got)
	}

	s.server.Collector.Close()
	if answer := s.do("DELETE", "/v1/people/me/links/"+s.otherPersonID, s.person, ""); answer.Code < 500 {
		t.Fatalf("the collector is gone, and it is answered %d", answer.Code)
	}
	s.faults = nil
	s.restart()
	if linked() != 1 {
		t.Fatal("the link has ended before anybody has done it")
	}
	s.requireFinished(1)
	if linked() != 0 {
		t.Fatal("the link goes on")
	}
	s.nowMS += dayMS
	s.there(s.otherServer, "bob")
	if got := s.seconds("/v1/people/me", s.person); got != "map[]" {
		t.Errorf("of what bob does alone alice sees %s", got)
	}
	s.requireFinished(0)
}

// A decision that is refused leaves nothing behind that is ever done.
func TestARefusedDecisionIsNotDone(t *testing.T) {
	s := newStack(t)
	s.refused(http.StatusUnprocessableEntity, "consent_invalid", "PUT", "/v1/people/me/consents/scoring", s.person, `{"given":false,"version":"two words"}`)
	s.requireFinished(1)
	s.requireFinished(0)
	if got := s.jumped("j"); got != "accepted " {
		t.Errorf("an event is %s", got)
	}
}
