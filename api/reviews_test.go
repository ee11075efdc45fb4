package api

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
)

// reviewRules are the last that were published; nobody is looked at before.
func (s *stack) reviewRules(ctx context.Context) (rules *abuse.Rules, version uint32, err error) {
	text := "name: none\nrules: [{signal: sybil, mode: shadow, more_than: 9999}]"
	err = s.bank.Read(ctx, func(state *bank.State) {
		if last, published := state.LastReviewRules(); published > 0 {
			text, version = last, published
		}
	})
	if err == nil {
		rules, err = abuse.ParseRules([]byte(text))
	}
	return rules, version, err
}

// post gives the bank what was earned and found.
func (s *stack) post() {
	s.Helper()
	_, err := s.server.Collector.Flush(context.Background(), func(ctx context.Context, p collect.Posting) error {
		var commands [][]byte
		for _, c := range p.Cases {
			commands = append(commands, c.AppendTo(nil))
		}
		for _, m := range p.Mints {
			commands = append(commands, m.AppendTo(nil))
		}
		_, err := s.bank.Submit(ctx, commands...)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// closeEpoch lets the running epoch end and be paid.
func (s *stack) closeEpoch() {
	s.Helper()
	ctx := context.Background()
	if err := s.bank.Read(ctx, func(state *bank.State) {
		s.nowMS = state.RunningEpoch().EndMS + bank.DefaultMonetaryPolicy().CloseDelayMS
	}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.bank.Submit(ctx, bank.AppendTick(nil)); err != nil {
		s.Fatal(err)
	}
}

const strictRules = `{"rules":"name: strict\nrules: [{signal: shared_device, mode: enforce, cost: 500, more_than: 1}, {signal: sybil, mode: shadow, cost: 100, more_than: 1}]"}`

// crowd lets alice and two others come by one tablet, and the epoch be paid.
func (s *stack) crowd() {
	s.Helper()
	for _, user := range []string{"alice", "eve", "mallory"} {
		s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"`+user+`","anonymousId":"tablet","messageId":"crowd-`+user+`"}`)
	}
	s.post()
	s.closeEpoch()
}

// From the rules to the end of an appeal: TIME of a person by a device of many
// is held back, the person sees why and is heard, and operators decide.
func TestReviewFromRulesToAppeal(t *testing.T) {
	s := newStack(t)
	for _, wrong := range []string{`{"rules":"name: a"}`, `{"rules":"name: a\nrules: [{signal: mood, mode: enforce}]"}`} {
		s.refused(422, "invalid_request", "POST", "/v1/review-rules", s.operator, wrong)
	}
	if published := s.ok("POST", "/v1/review-rules", s.operator, strictRules); published["version"] != 1.0 || published["name"] != "strict" {
		t.Errorf("published %v", published)
	}
	versions := s.ok("GET", "/v1/review-rules", s.operator, "")["items"].([]any)
	if len(versions) != 2 || versions[0].(map[string]any)["name"] != "default" || versions[1].(map[string]any)["current"] != true {
		t.Errorf("versions %v", versions)
	}
	s.crowd()
	me := s.ok("GET", "/v1/people/me", s.person, "")
	if held, _ := me["held_back"].(string); held == "" || held == "0" {
		t.Errorf("nothing is held back: %v", me)
	}
	cases := s.ok("GET", "/v1/people/me/cases", s.person, "")["items"].([]any)
	if len(cases) != 1 {
		t.Fatalf("the person sees %d cases", len(cases))
	}
	number := cases[0].(map[string]any)["case"].(string)
	shown := s.ok("GET", "/v1/people/me/cases/"+number, s.person, "")
	finding := shown["findings"].([]any)[0].(map[string]any)
	if shown["status"] != "open" || shown["held"] != me["held_back"] || finding["value"] != 3.0 || !strings.Contains(finding["evidence"].(string), "3 people came by one device") {
		t.Errorf("the case: %v", shown)
	}
	s.refused(404, "not_found", "GET", "/v1/people/me/cases/"+number, s.otherPerson, "")
	s.refused(403, "not_yours", "POST", "/v1/people/"+s.personID+"/cases/"+number+"/appeal", s.otherPerson, `{"text":"me too"}`)
	s.refused(422, "invalid_request", "POST", "/v1/cases/"+number+"/decision", s.operator, `{"decision":"burn"}`)
	s.refused(404, "case_not_found", "POST", "/v1/cases/999/decision", s.operator, `{"decision":"uphold"}`)

	upheld := s.ok("POST", "/v1/cases/"+number+"/decision", s.operator, `{"decision":"uphold"}`, "Idempotency-Key", "d1")
	again := s.ok("POST", "/v1/cases/"+number+"/decision", s.operator, `{"decision":"uphold"}`, "Idempotency-Key", "d1")
	if upheld["status"] != "upheld" || upheld["appeal_until"] == nil || again["status"] != "upheld" {
		t.Errorf("upheld: %v", upheld)
	}
	const words = "we are three sisters with one tablet"
	appealed := s.ok("POST", "/v1/people/me/cases/"+number+"/appeal", s.person, `{"text":"`+words+`"}`)
	if said := appealed["appeals"].([]any); appealed["status"] != "appealed" || len(said) != 1 || said[0].(map[string]any)["text"] != words {
		t.Errorf("appealed: %v", appealed)
	}
	if long := s.ok("POST", "/v1/people/me/cases/"+number+"/appeal", s.person, `{"text":"`+strings.Repeat("姐", 4000)+`"}`); len(long["appeals"].([]any)) != 2 {
		t.Errorf("4,000 characters: %d texts", len(long["appeals"].([]any)))
	}
	s.refused(422, "invalid_request", "POST", "/v1/people/me/cases/"+number+"/appeal", s.person, `{"text":"`+strings.Repeat("x", 4001)+`"}`)
	if text := s.do("GET", "/v1/audit", s.operator, "").Body.String(); strings.Contains(text, "sisters") {
		t.Error("what the person says is on the trail")
	}
	released := s.ok("POST", "/v1/cases/"+number+"/decision", s.operator, `{"decision":"release"}`)
	if released["status"] != "released" {
		t.Errorf("released: %v", released)
	}
	if me := s.ok("GET", "/v1/people/me", s.person, ""); me["held_back"] != "0" {
		t.Errorf("after the release: %v", me)
	}
	s.refused(409, "case_over", "POST", "/v1/people/me/cases/"+number+"/appeal", s.person, `{"text":"thanks"}`)
}

// An appeal is decided by another operator than the one who decided the case,
// whoever of them that was; the trail has what both did, and tried.
func TestAnAppealIsDecidedByAnother(t *testing.T) {
	for _, boDecides := range []bool{false, true} {
		s := newStack(t)
		first, second := s.operator, s.second()
		if boDecides {
			first, second = second, first
		}
		s.ok("POST", "/v1/review-rules", s.operator, strictRules)
		s.crowd()
		number := s.ok("GET", "/v1/people/me/cases", s.person, "")["items"].([]any)[0].(map[string]any)["case"].(string)
		decision, mine := "/v1/cases/"+number+"/decision", "/v1/people/me/cases/"+number
		if upheld := s.ok("POST", decision, first, `{"decision":"uphold"}`); upheld["status"] != "upheld" {
			t.Fatalf("upheld: %v", upheld)
		}
		s.refused(409, "case_over", "POST", decision, second, `{"decision":"uphold"}`)
		s.ok("POST", mine+"/appeal", s.person, `{"text":"it was me"}`)
		for _, again := range []string{"uphold", "release"} {
			s.refused(403, "own_decision", "POST", decision, first, `{"decision":"`+again+`"}`)
		}
		if shown := s.ok("GET", mine, s.person, ""); shown["status"] != "appealed" {
			t.Errorf("after the same operator tried, the case is %v", shown["status"])
		}
		if released := s.ok("POST", decision, second, `{"decision":"release"}`); released["status"] != "released" {
			t.Errorf("by another operator the case is %v", released["status"])
		}
		s.refused(409, "case_over", "POST", decision, first, `{"decision":"uphold"}`)
		if me := s.ok("GET", "/v1/people/me", s.person, ""); me["held_back"] != "0" {
			t.Errorf("after the appeal: %v", me)
		}
		var acts []string
		for _, act := range s.trail("operation=decide-case") {
			acts = append(acts, act["name"].(string)+" "+act["outcome"].(string))
		}
		one, other := "first", "bo"
		if boDecides {
			one, other = other, one
		}
		want := fmt.Sprint([]string{one + " case_over", other + " done", one + " own_decision", one + " own_decision", other + " case_over", one + " done"})
		if got := fmt.Sprint(acts); got != want {
			t.Errorf("the trail has %s, expected %s", got, want)
		}
	}
}

// Operators find cases by status, signal and person, page by page, and see what
// a version of the rules has led to.
func TestCasesAreFound(t *testing.T) {
	s := newStack(t)
	s.ok("POST", "/v1/review-rules", s.operator, strictRules)
	s.crowd()
	count := func(query string) int {
		t.Helper()
		seen, cursor := 0, ""
		for {
			page := s.ok("GET", "/v1/cases?limit=2&"+query+"&cursor="+cursor, s.operator, "")
			items := page["items"].([]any)
			seen += len(items)
			next, more := page["next_cursor"].(string)
			if !more {
				return seen
			}
			if len(items) > 2 || next == cursor {
				t.Fatalf("a page of %d, cursor %q behind %q", len(items), next, cursor)
			}
			cursor = next
		}
	}
	for query, want := range map[string]int{
		"": 6, "status=open": 3, "status=shadow": 3, "status=released": 0, "signal=sybil": 3, "signal=shared_device": 6, "signal=regularity": 0,
		"person=" + s.personID: 2, "person=" + s.otherPersonID: 0, "person=" + s.personID + "&status=open": 1,
	} {
		if got := count(query); got != want {
			t.Errorf("%q finds %d cases, expected %d", query, got, want)
		}
	}
	s.refused(422, "invalid_request", "GET", "/v1/cases?signal=mood", s.operator, "")
	s.refused(422, "invalid_request", "GET", "/v1/cases?cursor=x", s.operator, "")
	effect := s.ok("GET", "/v1/review-rules/1/effect", s.operator, "")
	if effect["people"] != 3.0 || effect["statuses"].(map[string]any)["shadow"] != 3.0 || effect["signals"].(map[string]any)["shared_device"] != 6.0 {
		t.Errorf("effect %v", effect)
	}
	s.refused(404, "not_found", "GET", "/v1/review-rules/9/effect", s.operator, "")
	// A case that only watches is the operator's alone.
	for _, item := range s.ok("GET", "/v1/cases?status=shadow&person="+s.personID, s.operator, "")["items"].([]any) {
		number := item.(map[string]any)["case"].(string)
		s.refused(404, "not_found", "GET", "/v1/people/me/cases/"+number, s.person, "")
		if detail := s.ok("GET", "/v1/cases/"+number, s.operator, ""); len(detail["findings"].([]any)) != 2 {
			t.Errorf("what only watches: %v", detail)
		}
	}
	// What was found goes with the person; the case stays.
	s.ok("DELETE", "/v1/people/me/personal-data", s.person, "")
	for _, item := range s.ok("GET", "/v1/cases?person="+s.personID, s.operator, "")["items"].([]any) {
		if detail := s.ok("GET", "/v1/cases/"+item.(map[string]any)["case"].(string), s.operator, ""); len(detail["findings"].([]any)) != 0 {
			t.Errorf("after the erasure: %v", detail)
		}
	}
}
