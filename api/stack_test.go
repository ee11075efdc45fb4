package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/score"
)

// startMS is where the clock of the tests stands: 2026-01-10T12:00:00Z.
const startMS int64 = 1_768_046_400_000

// stack is the whole API on stores in memory, with a world, a person and keys.
type stack struct {
	*testing.T
	server                                *server
	operator, serverKey, writeKey, person string
	otherServer, otherPerson              string // of world "arena"
	personID, otherPersonID               string
	nowMS                                 int64
}

func newStack(t *testing.T) *stack {
	t.Helper()
	ctx := context.Background()
	s := &stack{T: t, nowMS: startMS}
	now := func() int64 { return s.nowMS }
	writer, err := journal.Open(ctx, memory.NewJournal(), &memory.Head{}, journal.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := identity.Open(ctx, memory.NewIdentity(), [32]byte{1}, identity.Options{NowMS: now})
	if err != nil {
		t.Fatal(err)
	}
	log := memory.NewEvents()
	policies := func(uint32, int32, uint32) (*score.Policy, uint32) { return score.DefaultPolicy(), 0 }
	collector, err := collect.Open(ctx, log, &memory.Head{}, log, memory.People{Registry: registry}, policies, collect.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { collector.Close(); writer.Close(ctx) })
	s.server = newServer(Config{
		Bank: writer, Identity: registry, Collector: collector, History: memory.NewHistory(), Lag: func() history.Lag { return history.Lag{} },
		Ready: func() error { return nil }, Metrics: http.NotFoundHandler(), Version: "test", NowMS: now,
	})
	token, err := registry.OperatorLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, s.operator, err = registry.RedeemOperatorLink(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	s.serverKey, s.personID, s.person = s.addWorld("cafe", "alice")
	s.otherServer, s.otherPersonID, s.otherPerson = s.addWorld("arena", "bob")
	s.writeKey = s.ok("POST", "/v1/worlds/cafe/keys", s.operator, `{"kind":"write"}`)["secret"].(string)
	return s
}

// addWorld adds a world with a server key and a user who holds a key.
func (s *stack) addWorld(code, user string) (serverKey, personID, personKey string) {
	s.Helper()
	s.ok("POST", "/v1/worlds", s.operator, `{"world":"`+code+`"}`)
	serverKey = s.ok("POST", "/v1/worlds/"+code+"/keys", s.operator, `{"kind":"server"}`)["secret"].(string)
	s.ok("POST", "/v1/track", serverKey, `{"event":"Jumped","userId":"`+user+`","messageId":"`+code+`-1"}`)
	claim := s.ok("POST", "/v1/worlds/"+code+"/users/"+user+"/claim", serverKey, "")
	key := s.ok("POST", "/v1/claims", "", `{"code":"`+claim["code"].(string)+`"}`)
	return serverKey, key["person"].(string), key["secret"].(string)
}

func (s *stack) do(method, path, key, body string, headers ...string) *httptest.ResponseRecorder {
	s.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	s.server.ServeHTTP(answer, request)
	return answer
}

// ok makes a request that must succeed and returns the members of its answer.
func (s *stack) ok(method, path, key, body string, headers ...string) map[string]any {
	s.Helper()
	answer := s.do(method, path, key, body, headers...)
	if answer.Code/100 != 2 {
		s.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return members(s.T, answer.Body)
}

// refused makes a request that must be refused with a status and a code.
func (s *stack) refused(status int, code, method, path, key, body string, headers ...string) {
	s.Helper()
	answer := s.do(method, path, key, body, headers...)
	problem := members(s.T, bytes.NewBuffer(answer.Body.Bytes()))
	if answer.Code != status || problem["code"] != code || problem["detail"] == "" {
		s.Errorf("%s %s: %d %s; expected %d %s", method, path, answer.Code, answer.Body, status, code)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/problem+json" {
		s.Errorf("%s %s: a problem has content type %q", method, path, got)
	}
}

func members(t *testing.T, body *bytes.Buffer) map[string]any {
	t.Helper()
	if body.Len() == 0 {
		return nil
	}
	var list map[string]any
	if err := json.Unmarshal(body.Bytes(), &list); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return list
}
