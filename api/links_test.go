package api

import (
	"fmt"
	"net/http"
	"testing"
)

// linked makes alice of world cafe and bob of world arena one person, whose
// credential is alice's.
func (s *stack) linked() (cafe, arena worldKey) {
	s.Helper()
	cafe, arena = s.tokenKey("cafe", s.serverKey), s.tokenKey("arena", s.otherServer)
	s.ok("POST", "/v1/people/me/links", s.person, `{"tokens":["`+s.token(cafe, "alice", "c1")+`","`+s.token(arena, "bob", "a1")+`"]}`)
	return cafe, arena
}

// there reports a user as present for the last ten minutes.
func (s *stack) there(serverKey, user string) {
	s.Helper()
	batch := ""
	for at := s.nowMS - 600_000; at < s.nowMS; at += 10_000 {
		batch += fmt.Sprintf(`,{"type":"track","event":"heartbeat","userId":"%s","messageId":"%s-%d","timestamp":"%s"}`, user, user, at, timeText(at))
	}
	s.ok("POST", "/v1/batch", serverKey, `{"batch":[`+batch[1:]+`]}`)
}

// seconds returns the presence of today in each world as a caller sees it.
func (s *stack) seconds(path, key string) string {
	s.Helper()
	seen := map[string]any{}
	days, _ := s.items(path+"/attention", key)
	for _, day := range days {
		seen[day["world"].(string)] = day["present_seconds"]
	}
	return fmt.Sprint(seen)
}

// One human in two worlds is one person from tomorrow on: one time, all of it
// the person's to see, and of the worlds each its own.
func TestLinkingWorlds(t *testing.T) {
	s := newStack(t)
	_, arena := s.linked()
	links, _ := s.items("/v1/people/me/links", s.person)
	if len(links) != 1 || links[0]["world"] != "arena" || links[0]["person"] != s.otherPersonID || links[0]["from"] != "2026-01-11" || links[0]["yours"] != true {
		t.Errorf("the links are %v", links)
	}
	s.there(s.serverKey, "alice")
	if got := s.seconds("/v1/people/me", s.person); got != "map[cafe:630]" { // with the 30 s of her first event
		t.Errorf("on the day of linking alice was there for %s", got)
	}
	s.nowMS += dayMS
	s.there(s.serverKey, "alice")
	s.there(s.otherServer, "bob")
	for key, want := range map[string]string{s.person: "map[arena:300 cafe:300]", s.serverKey: "map[cafe:300]", s.operator: "map[arena:300 cafe:300]"} {
		if got := s.seconds("/v1/people/"+s.personID, key); got != want {
			t.Errorf("of alice a caller sees %s, expected %s", got, want)
		}
	}
	for _, key := range []string{s.otherPerson, s.otherServer, s.token(arena, "bob", "a2")} {
		if got := s.seconds("/v1/people/"+s.otherPersonID, key); got != "map[arena:300]" {
			t.Errorf("of bob a caller sees %s", got)
		}
		s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/people/"+s.personID+"/attention", key, "")
	}
	for _, account := range s.ok("GET", "/v1/people/"+s.personID, s.serverKey, "")["accounts"].([]any) {
		if account.(map[string]any)["asset"] == "TIME" {
			t.Error("a world sees the TIME of a person of several worlds")
		}
	}
	ended := s.ok("DELETE", "/v1/people/me/links/"+s.otherPersonID, s.person, "")
	if again := s.ok("DELETE", "/v1/people/me/links/"+s.otherPersonID, s.person, ""); ended["until"] != "2026-01-12" || again["until"] != "2026-01-12" {
		t.Errorf("the link ended %v, then %v", ended, again)
	}
	s.nowMS += dayMS
	s.there(s.serverKey, "alice")
	s.there(s.otherServer, "bob")
	if got := s.seconds("/v1/people/me", s.person) + s.seconds("/v1/people/me", s.otherPerson); got != "map[cafe:600]map[arena:600]" {
		t.Errorf("after the end they were there for %s", got)
	}
}

func TestLinksThatAreRefused(t *testing.T) {
	s := newStack(t)
	cafe, arena := s.linked()
	try := func(status int, code, key, first, second string) {
		t.Helper()
		s.refused(status, code, "POST", "/v1/people/me/links", key, `{"tokens":["`+first+`","`+second+`"]}`)
	}
	// The same tokens again say the same; for anybody else they are used up.
	s.ok("POST", "/v1/people/me/links", s.person, `{"tokens":["`+s.token(cafe, "alice", "c1")+`","`+s.token(arena, "bob", "a1")+`"]}`)
	try(http.StatusConflict, "token_spent", s.person, s.token(cafe, "alice", "c1"), s.token(arena, "carol", "a9"))
	try(http.StatusUnprocessableEntity, "link_invalid", s.person, s.token(cafe, "alice", "c2"), s.token(cafe, "zoe", "c3"))
	try(http.StatusUnprocessableEntity, "link_invalid", s.person, s.token(cafe, "zoe", "c4"), s.token(arena, "carol", "a2"))
	try(http.StatusUnprocessableEntity, "token_without_id", s.person, s.token(cafe, "alice", ""), s.token(arena, "carol", "a3"))
	try(http.StatusUnauthorized, "token_invalid", s.person, s.token(cafe, "alice", "c5"), s.token(arena, "carol", "a4", "aud", "elsewhere"))
	// Who belongs to another is nobody's head, and nobody's twice.
	try(http.StatusConflict, "linked_already", s.otherPerson, s.token(arena, "bob", "a5"), s.token(cafe, "zoe", "c6"))
	code := s.ok("POST", "/v1/worlds/cafe/users/zoe/claim", s.serverKey, "")["code"].(string)
	zoe := s.ok("POST", "/v1/claims", "", `{"code":"`+code+`"}`)["secret"].(string)
	try(http.StatusConflict, "linked_already", zoe, s.token(cafe, "zoe", "c7"), s.token(arena, "bob", "a6"))
	s.refused(http.StatusForbidden, "role_forbidden", "POST", "/v1/people/me/links", s.token(cafe, "alice", "c8"), `{}`)
	s.refused(http.StatusForbidden, "not_yours", "POST", "/v1/people/"+s.personID+"/links", s.otherPerson, `{"tokens":["a","b"]}`)
	s.refused(http.StatusNotFound, "not_found", "DELETE", "/v1/people/me/links/"+s.personID, s.person, "")
}

// A link gives no right over the other: who is erased takes nobody along, and
// whose days were theirs is on their own again.
func TestErasingOneOfTwoLinked(t *testing.T) {
	s := newStack(t)
	s.linked()
	s.nowMS += dayMS
	s.there(s.otherServer, "bob")
	s.ok("DELETE", "/v1/people/me/personal-data", s.person, "")
	s.nowMS += dayMS
	s.there(s.otherServer, "bob")
	if got := s.seconds("/v1/people/me", s.otherPerson); got != "map[arena:600]" {
		t.Errorf("after the other was erased, bob was there for %s", got)
	}
	if links, _ := s.items("/v1/people/me/links", s.otherPerson); len(links) != 0 {
		t.Errorf("links are left: %v", links)
	}
}
