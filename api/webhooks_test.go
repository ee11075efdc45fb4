package api

import (
	"net/http"
	"testing"

	"github.com/attentionbank/attentionbank/outbox"
)

// A world says where it wants to be told what happened, sees what it was told
// and has it sent again; of other worlds it sees nothing.
func TestWebhooks(t *testing.T) {
	s := newStack(t)
	s.refused(http.StatusNotFound, "not_found", "GET", "/v1/worlds/cafe/webhook", s.serverKey, "")
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/worlds/cafe/webhook", s.serverKey, `{"url":"https://10.0.0.1/hook"}`)
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/worlds/cafe/webhook", s.otherServer, `{"url":"https://arena.example/hook"}`)
	set := s.ok("PUT", "/v1/worlds/cafe/webhook", s.serverKey, `{"url":"https://cafe.example/hook"}`)
	renewed := s.ok("PUT", "/v1/worlds/cafe/webhook", s.serverKey, `{"url":"https://cafe.example/hook","secret_generation":1}`)
	if got := s.ok("GET", "/v1/worlds/cafe/webhook", s.operator, ""); got["secret"] != renewed["secret"] || got["url"] != "https://cafe.example/hook" {
		t.Errorf("the webhook is %v, set was %v", got, renewed)
	}
	if set["secret"] == renewed["secret"] {
		t.Error("another generation has the same secret")
	}
	other := s.ok("PUT", "/v1/worlds/arena/webhook", s.otherServer, `{"url":""}`)
	if other["secret"] == set["secret"] {
		t.Error("two worlds have the same secret")
	}

	message := outbox.Message{Number: 1, World: 1, Kind: "purchase.created", Body: []byte(`{"type":"purchase.created"}`), CreatedMS: s.nowMS, Status: outbox.Dead, Attempts: 10, Fault: "status 500"}
	later := message
	later.Number = 2
	if err := s.server.Webhooks.Store.Keep(t.Context(), 0, outbox.Cursor{Seq: 1}, []outbox.Message{message, later}); err != nil {
		t.Fatal(err)
	}
	first, next := s.items("/v1/worlds/cafe/messages?limit=1", s.serverKey)
	second, end := s.items("/v1/worlds/cafe/messages?limit=1&cursor="+next, s.serverKey)
	if len(first) != 1 || len(second) != 1 || first[0]["message"] != "msg_2" || second[0]["message"] != "msg_1" || end != "" {
		t.Fatalf("told was %v and %v", first, second)
	}
	if first[0]["status"] != "dead" || first[0]["fault"] != "status 500" || first[0]["body"].(map[string]any)["type"] != "purchase.created" {
		t.Errorf("the message is %v", first[0])
	}
	s.ok("POST", "/v1/worlds/cafe/messages/msg_1/send", s.serverKey, "")
	s.refused(http.StatusNotFound, "not_found", "POST", "/v1/worlds/arena/messages/msg_1/send", s.otherServer, "")
	s.refused(http.StatusNotFound, "not_found", "POST", "/v1/worlds/cafe/messages/msg_9/send", s.serverKey, "")
	s.refused(http.StatusNotFound, "not_found", "POST", "/v1/worlds/cafe/messages/one/send", s.serverKey, "")
}
