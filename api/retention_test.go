package api

import (
	"net/http"
	"testing"
)

// For how long events are kept is set by the world itself or the operator, within
// bounds, and is on the trail.
func TestRetentionOfAWorld(t *testing.T) {
	s := newStack(t)
	shown := func() any { return s.ok("GET", "/v1/worlds/cafe", s.serverKey, "")["retention_days"] }
	if got := shown(); got != 400.0 {
		t.Errorf("at first events are kept for %v days", got)
	}
	if got := s.ok("PUT", "/v1/worlds/cafe/retention", s.operator, `{"days":30}`)["retention_days"]; got != 30.0 {
		t.Errorf("30 days were set: %v", got)
	}
	s.ok("PUT", "/v1/worlds/cafe/retention", s.serverKey, `{"days":7}`)
	for _, body := range []string{`{"days":6}`, `{"days":3651}`, `{"days":0}`, `{}`} {
		s.refused(http.StatusUnprocessableEntity, "invalid_request", "PUT", "/v1/worlds/cafe/retention", s.serverKey, body)
	}
	if got := shown(); got != 7.0 {
		t.Errorf("7 days were set: %v", got)
	}
	other, _, _ := s.addWorld("plaza", "bob")
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/worlds/cafe/retention", other, `{"days":30}`)
	s.refused(http.StatusForbidden, "role_forbidden", "PUT", "/v1/worlds/cafe/retention", s.person, `{"days":30}`)
	s.refused(http.StatusForbidden, "role_forbidden", "PUT", "/v1/worlds/cafe/retention", s.writeKey, `{"days":30}`)
	s.refused(http.StatusNotFound, "not_found", "PUT", "/v1/worlds/nowhere/retention", s.operator, `{"days":30}`)
	s.catchUp()
	trail := s.trail("operation=set-world-retention")
	if len(trail) != 1 || trail[0]["before"].(map[string]any)["retention_days"] != 400.0 || trail[0]["outcome"] != "done" {
		t.Errorf("the trail has %v", trail)
	}
}
