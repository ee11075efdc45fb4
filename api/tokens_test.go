package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// worldKey signs tokens for the users of a world.
type worldKey struct {
	world string
	key   ed25519.PrivateKey
	kid   string
}

// tokenKey registers a key for the tokens of a world.
func (s *stack) tokenKey(world, serverKey string) worldKey {
	s.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	w := worldKey{world, key, "kid-" + world}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: w.kid}}})
	if err != nil {
		s.Fatal(err)
	}
	s.ok("PUT", "/v1/worlds/"+world+"/token-keys", serverKey, string(set))
	return w
}

// token signs a token of ten minutes for a user.
func (s *stack) token(w worldKey, user, id string, more ...string) string {
	s.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: w.key}, (&jose.SignerOptions{}).WithHeader("kid", w.kid))
	if err != nil {
		s.Fatal(err)
	}
	claims := map[string]any{"iss": w.world, "aud": "testbank", "sub": user, "jti": id, "iat": s.nowMS / 1000, "exp": s.nowMS/1000 + 600}
	for i := 0; i < len(more); i += 2 {
		claims[more[i]] = more[i+1]
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		s.Fatal(err)
	}
	return text
}

// verdictOf sends an event and returns its verdict and rule.
func (s *stack) verdictOf(key, body string) string {
	s.Helper()
	verdict := s.ok("POST", "/v1/track", key, body)["verdicts"].([]any)[0].(map[string]any)
	text, _ := verdict["verdict"].(string)
	if rule, _ := verdict["rule"].(string); rule != "" {
		text += " " + rule
	}
	return text
}

// A world's server vouches for a user: what clients report inside the session
// counts, and what is said of a session that cannot be is refused.
func TestAServerOpensASession(t *testing.T) {
	s := newStack(t)
	claim := `{"event":"Jumped","userId":"yan","messageId":"y%d"}`
	if got := s.verdictOf(s.writeKey, fmt.Sprintf(claim, 1)); got != "quarantined unvouched" {
		t.Errorf("before the session: %q", got)
	}
	s.ok("POST", "/v1/worlds/cafe/sessions", s.serverKey, `{"user_id":"yan","seconds":600}`)
	if got := s.verdictOf(s.writeKey, fmt.Sprintf(claim, 2)); got != "accepted" {
		t.Errorf("in the session: %q", got)
	}
	s.refused(http.StatusUnprocessableEntity, "session_invalid", "POST", "/v1/worlds/cafe/sessions", s.serverKey, `{"user_id":"yan","from":"2025-12-01T00:00:00Z","seconds":600}`)
}

// A token vouches for the presence of its user, of nobody else, and not for
// spend; what was claimed before counts once it vouches.
func TestATokenLetsItsUserEarn(t *testing.T) {
	s := newStack(t)
	cafe := s.tokenKey("cafe", s.serverKey)
	claim := `{"event":"Jumped","userId":"zoe","messageId":"z1"}`
	if got := s.verdictOf(s.writeKey, claim); got != "quarantined unvouched" {
		t.Errorf("a claim of nobody's is %q", got)
	}
	token := s.token(cafe, "zoe", "t1", "anonymous_id", "phone")
	opened := s.ok("POST", "/v1/sessions", token, "")
	if got := s.verdictOf(s.writeKey, strings.Replace(claim, "z1", "z2", 1)); got != "accepted" {
		t.Errorf("inside the token's time a claim is %q", got)
	}
	if kept, _ := s.items("/v1/worlds/cafe/events/z1", s.serverKey); kept[0]["verdict"] != "accepted" {
		t.Errorf("what waited is %v", kept)
	}
	for body, want := range map[string]string{
		`{"event":"Jumped","messageId":"z3","anonymousId":"phone"}`:                                                               "accepted",
		`{"event":"Jumped","userId":"alice","messageId":"z4"}`:                                                                    "rejected malformed",
		`{"event":"Order Completed","userId":"zoe","messageId":"z5","properties":{"revenue":10,"currency":"USD","order_id":"1"}}`: "accepted spend_needs_server_key",
	} {
		if got := s.verdictOf(token, body); got != want {
			t.Errorf("%s under a token is %q, expected %q", body, got, want)
		}
	}
	if day, _ := s.items("/v1/people/me/attention", token); len(day) != 1 || day[0]["points"] == "0" {
		t.Errorf("the day of a token's user has earned %v", day)
	}
	if me := s.ok("GET", "/v1/people/me", token, ""); me["person"] != opened["person"] {
		t.Errorf("the token's user is %v, and the session is of %v", me, opened)
	}
}

// A token is good for its time, and lets its user look at what the world may
// see, and nothing else.
func TestATokenIsNoCredential(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	cafe := s.tokenKey("cafe", s.serverKey)
	token := s.token(cafe, "alice", "t1")
	s.ok("GET", "/v1/people/"+s.personID, token, "")
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/people/"+s.otherPersonID, token, "")
	for _, call := range [][3]string{
		{"GET", "/v1/people/me/keys", ""}, {"POST", "/v1/people/me/keys", "{}"}, {"DELETE", "/v1/people/me/personal-data", ""},
		{"POST", "/v1/accounts", `{"person":"` + s.personID + `","asset":"GOLD"}`}, {"GET", "/v1/accounts/" + mine, ""},
		{"GET", "/v1/accounts/" + mine + "/statement", ""}, {"GET", "/v1/worlds/cafe", ""},
	} {
		s.refused(http.StatusForbidden, "role_forbidden", call[0], call[1], token, call[2])
	}
	if answer := s.do("POST", "/v1/transfers", token, legs("", mine, worlds, "1")); answer.Code != http.StatusForbidden {
		t.Errorf("a transfer by a token is answered %d %s", answer.Code, answer.Body)
	}
	s.nowMS += 11 * 60_000
	s.refused(http.StatusUnauthorized, "token_invalid", "GET", "/v1/people/me", token, "")
	fresh := s.token(cafe, "alice", "t2")
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/worlds/cafe/token-keys", s.otherServer, `{"keys":[]}`)
	s.refused(http.StatusUnprocessableEntity, "token_keys_invalid", "PUT", "/v1/worlds/cafe/token-keys", s.serverKey, `{"keys":[{"kty":"oct","k":"AAAA","kid":"k"}]}`)
	s.ok("GET", "/v1/people/me", fresh, "")
	s.ok("PUT", "/v1/worlds/cafe/token-keys", s.operator, `{"keys":[]}`)
	s.refused(http.StatusUnauthorized, "token_invalid", "GET", "/v1/people/me", fresh, "")
}
