package api

import (
	"net/http"
	"testing"
)

// A world spends for its user what the user allows, a day, and nothing else.
func TestAllowances(t *testing.T) {
	s := newStack(t)
	s.shop() // alice has 5.5 TIME left, and 0.5 held
	const user = "/v1/worlds/cafe/users/alice"
	charge := func(amount string) string { return `{"amount":"` + amount + `","reference":"tip"}` }
	s.refused(http.StatusConflict, "allowance_exceeded", "POST", user+"/charges", s.serverKey, charge("0.1"))
	s.refused(http.StatusUnprocessableEntity, "allowance_invalid", "PUT", "/v1/people/me/allowances/cafe", s.person, `{"daily":"1000001"}`)
	s.refused(http.StatusNotFound, "not_found", "PUT", "/v1/people/me/allowances/nowhere", s.person, `{"daily":"1"}`)
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/people/"+s.personID+"/allowances/arena", s.otherPerson, `{"daily":"1"}`)
	set := s.ok("PUT", "/v1/people/me/allowances/cafe", s.person, `{"daily":"3"}`, "Idempotency-Key", "a1")
	again := s.do("PUT", "/v1/people/me/allowances/cafe", s.person, `{"daily":"3"}`, "Idempotency-Key", "a1")
	if set["daily"] != "3" || set["left"] != "3" || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("the allowance is %v, then %s", set, again.Body)
	}
	paid := s.do("POST", user+"/charges", s.serverKey, charge("0.75"), "Idempotency-Key", "c1")
	retried := s.do("POST", user+"/charges", s.serverKey, charge("0.75"), "Idempotency-Key", "c1")
	if paid.Code != http.StatusCreated || paid.Body.String() != retried.Body.String() || retried.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("a charge is answered %d %s, then %d %s", paid.Code, paid.Body, retried.Code, retried.Body)
	}
	bought := s.ok("POST", user+"/purchases", s.serverKey, `{"product":"song","quantity":1,"max_total":"0.5","reference":"song-9"}`)
	if bought["buyer"] != s.personID || bought["total"] != "0.5" || bought["status"] != "pending" {
		t.Errorf("the world bought %v", bought)
	}
	s.refused(http.StatusConflict, "allowance_exceeded", "POST", user+"/purchases", s.serverKey, `{"product":"sword","quantity":1,"max_total":"2"}`)
	s.refused(http.StatusNotFound, "product_not_found", "POST", user+"/purchases", s.serverKey, `{"product":"boat","quantity":1,"max_total":"2"}`)

	// Of what is another's a world reads and spends nothing.
	s.refused(http.StatusForbidden, "not_yours", "POST", user+"/charges", s.otherServer, charge("0.1"))
	s.refused(http.StatusForbidden, "not_yours", "GET", user+"/allowance", s.otherServer, "")
	s.refused(http.StatusNotFound, "not_found", "POST", "/v1/worlds/arena/users/alice/charges", s.otherServer, charge("0.1"))
	s.refused(http.StatusConflict, "allowance_exceeded", "POST", "/v1/worlds/arena/users/bob/charges", s.otherServer, charge("0.1"))
	for _, key := range []string{s.serverKey, s.operator, s.token(s.tokenKey("cafe", s.serverKey), "alice", "t1")} {
		s.refused(http.StatusForbidden, "role_forbidden", "PUT", "/v1/people/"+s.personID+"/allowances/cafe", key, `{"daily":"5"}`)
		s.refused(http.StatusForbidden, "role_forbidden", "GET", "/v1/people/"+s.personID+"/allowances", key, "")
		s.refused(http.StatusForbidden, "role_forbidden", "DELETE", "/v1/people/"+s.personID+"/allowances/cafe", key, "")
	}
	if seen := s.ok("GET", user+"/allowance", s.serverKey, ""); seen["spent"] != "1.25" || seen["left"] != "1.75" {
		t.Errorf("the world sees %v", seen)
	}
	list, _ := s.items("/v1/people/me/allowances", s.person)
	if len(list) != 1 || list[0]["world"] != "cafe" || list[0]["spent"] != "1.25" {
		t.Errorf("alice sees %v", list)
	}
	ended := s.ok("DELETE", "/v1/people/me/allowances/cafe", s.person, "")
	if ended["daily"] != "0" || ended["left"] != "0" {
		t.Errorf("taken back, it is %v", ended)
	}
	s.refused(http.StatusConflict, "allowance_exceeded", "POST", user+"/charges", s.serverKey, charge("0.1"))
	// The statement shows what the world took.
	s.catchUp()
	operations, _ := s.items("/v1/operations/tip", s.person)
	if len(operations) != 1 || operations[0]["kind"] != "charge" {
		t.Errorf("the charge is %v", operations)
	}
}

// By a link a world pays itself out of the common TIME only if whose it is has
// said so.
func TestAllowanceOfLinked(t *testing.T) {
	s := newStack(t)
	s.shop()
	s.linked()
	s.nowMS += dayMS
	const bob = "/v1/worlds/arena/users/bob/charges"
	s.refused(http.StatusConflict, "allowance_exceeded", "POST", bob, s.otherServer, `{"amount":"0.1"}`)
	s.ok("PUT", "/v1/people/me/allowances/arena", s.person, `{"daily":"1"}`)
	s.ok("POST", bob, s.otherServer, `{"amount":"0.25"}`)
	if list, _ := s.items("/v1/people/me/allowances", s.person); list[0]["spent"] != "0.25" {
		t.Errorf("alice sees %v", list)
	}
	// What bob himself allows goes first.
	s.ok("PUT", "/v1/people/me/allowances/arena", s.otherPerson, `{"daily":"1"}`)
	s.ok("POST", bob, s.otherServer, `{"amount":"0.5"}`)
	if list, _ := s.items("/v1/people/me/allowances", s.otherPerson); list[0]["spent"] != "0.5" {
		t.Errorf("bob sees %v", list)
	}
}
