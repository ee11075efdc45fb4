package api

import (
	"net/http"
	"testing"
)

// jumped sends an event of alice and returns its verdict and rule.
func (s *stack) jumped(id string) string {
	s.Helper()
	answer := s.ok("POST", "/v1/track", s.serverKey, `{"event":"Jumped","userId":"alice","messageId":"`+id+`"}`)
	verdict := answer["verdicts"].([]any)[0].(map[string]any)
	rule, _ := verdict["rule"].(string)
	return verdict["verdict"].(string) + " " + rule
}

// A person consents and withdraws; what a world reports does not undo it. Events
// of who has withdrawn are refused.
func TestConsents(t *testing.T) {
	s := newStack(t)
	const user = "/v1/worlds/cafe/users/alice/consents"
	s.ok("PUT", user+"/scoring", s.serverKey, `{"given":true,"version":"2026-01"}`)
	if got := s.jumped("1"); got != "accepted " {
		t.Errorf("with consent, an event is %s", got)
	}
	s.nowMS += 1000
	s.ok("PUT", "/v1/people/me/consents/scoring", s.person, `{"given":false,"version":"2026-01"}`)
	s.refused(http.StatusConflict, "consent_withdrawn", "PUT", user+"/scoring", s.serverKey, `{"given":true,"version":"2026-02"}`)
	if got := s.jumped("2"); got != "rejected consent_withdrawn" {
		t.Errorf("without consent, an event is %s", got)
	}
	s.nowMS += 1000
	s.ok("PUT", "/v1/people/me/consents/marketing", s.person, `{"given":true,"version":"m-1"}`)
	s.nowMS += 1000
	s.ok("PUT", "/v1/people/me/consents/scoring", s.person, `{"given":true,"version":"2026-02"}`)
	if got := s.jumped("2"); got != "accepted " {
		t.Errorf("with consent again, an event is %s", got)
	}
	list, _ := s.items("/v1/people/me/consents", s.person)
	if len(list) != 4 || list[0]["by"] != "world" || list[0]["holds"] != nil || list[1]["by"] != "person" || list[3]["version"] != "2026-02" || list[3]["holds"] != true {
		t.Errorf("decided was %v", list)
	}
	if seen, _ := s.items(user, s.serverKey); len(seen) != 4 {
		t.Errorf("the world sees %v", seen)
	}
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/people/me/consents/resale", s.person, `{"given":true,"version":"1"}`)
	s.refused(http.StatusUnprocessableEntity, "consent_invalid", "PUT", "/v1/people/me/consents/scoring", s.person, `{"given":true,"version":"two words"}`)
	s.refused(http.StatusForbidden, "not_yours", "PUT", user+"/scoring", s.otherServer, `{"given":true,"version":"1"}`)
	s.refused(http.StatusForbidden, "not_yours", "GET", user, s.otherServer, "")
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/people/"+s.personID+"/consents/scoring", s.otherPerson, `{"given":true,"version":"1"}`)
	s.refused(http.StatusForbidden, "role_forbidden", "GET", "/v1/people/"+s.personID+"/consents", s.operator, "")
}

// Limits of one's own are lower at once and higher after a day.
func TestOwnLimits(t *testing.T) {
	s := newStack(t)
	s.shop()
	value := func(limits map[string]any, name, member string) any { return limits[name].(map[string]any)[member] }
	if none := s.ok("GET", "/v1/people/me/limits", s.person, ""); value(none, "spend_daily", "now") != nil || value(none, "earn_minutes", "now") != nil {
		t.Errorf("at first the limits are %v", none)
	}
	set := s.ok("PUT", "/v1/people/me/limits", s.person, `{"spend_daily":"0.75","earn_minutes":10,"reminder_minutes":45}`)
	if value(set, "spend_daily", "now") != "0.75" || value(set, "earn_minutes", "now") != "10" || set["reminder_minutes"] != 45.0 || value(set, "orders_daily", "now") != nil {
		t.Errorf("the limits are %v", set)
	}
	buy := `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`
	s.ok("POST", "/v1/purchases", s.person, buy)
	s.refused(http.StatusForbidden, "own_limit_reached", "POST", "/v1/purchases", s.person, buy)
	s.ok("PUT", "/v1/people/me/allowances/cafe", s.person, `{"daily":"5"}`)
	s.refused(http.StatusForbidden, "own_limit_reached", "POST", "/v1/worlds/cafe/users/alice/charges", s.serverKey, `{"amount":"0.3"}`)
	raised := s.ok("PUT", "/v1/people/me/limits", s.person, `{"earn_minutes":10}`)
	if value(raised, "spend_daily", "now") != "0.75" || value(raised, "spend_daily", "next") != nil || value(raised, "spend_daily", "from") != timeText(s.nowMS+dayMS) || raised["spent_today"] != "0.5" {
		t.Errorf("raised, the limits are %v", raised)
	}
	s.nowMS += dayMS
	s.ok("POST", "/v1/purchases", s.person, buy)
	s.ok("POST", "/v1/purchases", s.person, buy)

	// Ten minutes of the day earn, and no more.
	s.there(s.serverKey, "alice")
	s.nowMS += 600_000
	s.there(s.serverKey, "alice")
	if got := s.seconds("/v1/people/me", s.person); got != "map[cafe:600]" {
		t.Errorf("of 20 minutes count %s", got)
	}
	if got := s.jumped("late"); got != "capped own_limit" {
		t.Errorf("beyond the limit an event is %s", got)
	}
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/people/me/limits", s.person, `{"spend_daily":"-1"}`)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/people/me/limits", s.person, `{"earn_minutes":1441}`)
	for _, key := range []string{s.operator, s.serverKey} {
		s.refused(http.StatusForbidden, "role_forbidden", "PUT", "/v1/people/"+s.personID+"/limits", key, `{}`)
	}
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/people/"+s.personID+"/limits", s.otherPerson, `{}`)
}

// Who keeps out buys nothing, earns nothing if so wished, and cannot come back
// sooner; what is theirs stays theirs to take.
func TestSelfExclusion(t *testing.T) {
	s := newStack(t)
	s.shop()
	until := timeText(s.nowMS + 7*dayMS)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/people/me/exclusion", s.person, `{"until":"2020-01-01T00:00:00Z"}`)
	kept := s.ok("PUT", "/v1/people/me/exclusion", s.person, `{"until":"`+until+`","earning":true}`)
	if kept["excluded_until"] != until || kept["earns_nothing_until"] != until {
		t.Errorf("kept out is %v", kept)
	}
	s.ok("PUT", "/v1/people/me/exclusion", s.person, `{"until":"`+timeText(s.nowMS+dayMS)+`","earning":true}`)
	if still := s.ok("GET", "/v1/people/me/limits", s.person, ""); still["excluded_until"] != until || still["earns_nothing_until"] != until {
		t.Errorf("a shorter time made it %v", still)
	}
	s.refused(http.StatusForbidden, "self_excluded", "POST", "/v1/purchases", s.person, `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`)
	if got := s.jumped("x1"); got != "rejected self_excluded" {
		t.Errorf("an event is %s", got)
	}
	s.nowMS += 7 * dayMS
	s.ok("POST", "/v1/purchases", s.person, `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`)
	if got := s.jumped("x2"); got != "accepted " {
		t.Errorf("once it is over, an event is %s", got)
	}
}

// Of a minor the day is scored by the caps for minors, and so it is for whoever is
// linked to one.
func TestMinorsEarnByTheirCaps(t *testing.T) {
	s := newStack(t)
	s.linked()
	s.nowMS += dayMS
	minor := func(person string) any {
		days, _ := s.items("/v1/people/"+person+"/attention", s.operator)
		return days[0]["minor"]
	}
	s.there(s.serverKey, "alice")
	if minor(s.personID) != nil {
		t.Error("somebody of whom nothing is known is a minor")
	}
	s.ok("PUT", "/v1/people/"+s.otherPersonID+"/attributes", s.operator, `{"age":"minor","tier":0}`)
	if minor(s.personID) != true {
		t.Error("who is linked to a minor is none")
	}
}
