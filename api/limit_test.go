package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A key calls so often at once and so often a second, is told how it stands,
// and is refused beyond that until its bucket has something again.
func TestKeysAreLimited(t *testing.T) {
	s := newStack(t)
	key := s.ok("POST", "/v1/worlds/cafe/keys", s.operator, `{"kind":"server"}`)
	id, secret := key["id"].(string), key["secret"].(string)
	path := "/v1/keys/" + id + "/rate-limit"
	if got := s.ok("GET", path, s.operator, ""); got["per_second"] != 5000.0 || got["of_kind"] != true {
		t.Errorf("before: %v", got)
	}
	s.refused(http.StatusUnprocessableEntity, "rate_limit_invalid", "PUT", path, s.operator, `{"per_second":0,"burst":3}`)
	s.refused(http.StatusNotFound, "not_found", "PUT", "/v1/keys/key_1234/rate-limit", s.operator, `{"per_second":2,"burst":3}`)
	if got := s.ok("PUT", path, s.operator, `{"per_second":2,"burst":3}`); got["burst"] != 3.0 || got["of_kind"] != false {
		t.Errorf("set: %v", got)
	}
	events := func(n int, want int) http.Header {
		t.Helper()
		answer := s.do("POST", "/v1/track", secret, fmt.Sprintf(`{"event":"Jumped","userId":"alice","messageId":"x-%d"}`, n))
		if answer.Code != want {
			t.Fatalf("call %d: %d %s, want %d", n, answer.Code, answer.Body, want)
		}
		return answer.Header()
	}
	for n := range 3 {
		h := events(n, http.StatusOK)
		if got, want := h.Get("RateLimit"), fmt.Sprintf(`"key";r=%d;t=%d`, 2-n, []int{1, 1, 2}[n]); got != want || h.Get("RateLimit-Policy") != `"key";q=3;w=2` {
			t.Errorf("call %d: %q %q, want %q", n, got, h.Get("RateLimit-Policy"), want)
		}
	}
	if h := events(3, http.StatusTooManyRequests); h.Get("Retry-After") != "1" {
		t.Errorf("retry after %q", h.Get("Retry-After"))
	}
	s.refused(http.StatusTooManyRequests, "rate_limited", "GET", "/v1/worlds/cafe", secret, "")
	if answer := s.do("POST", "/e/", "", `{"api_key":"`+secret+`","batch":[]}`); answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("at a path whose client drops 429: %d %s", answer.Code, answer.Body)
	}
	s.ok("GET", "/v1/worlds/cafe", s.serverKey, "") // another key of the world
	s.nowMS += 500
	events(4, http.StatusOK)
	events(5, http.StatusTooManyRequests)
	s.nowMS -= 60_000 // a clock that goes back gives nothing
	events(6, http.StatusTooManyRequests)
	s.nowMS += 120_000
	events(7, http.StatusOK)
	line := s.trail("operation=set-rate-limit")[0]
	if before := line["before"].(map[string]any); before["per_second"] != 5000.0 || !strings.Contains(fmt.Sprint(line["target"]), id) {
		t.Errorf("the trail: %v", line)
	}
	// It is the journal's: another server knows it too.
	other := newServer(s.server.Config)
	s.server = other
	if got := s.ok("GET", path, s.operator, ""); got["burst"] != 3.0 {
		t.Errorf("after a restart: %v", got)
	}
	s.ok("PUT", path, s.operator, `{"per_second":0,"burst":0}`)
	if got := s.ok("GET", path, s.operator, ""); got["of_kind"] != true {
		t.Errorf("taken away: %v", got)
	}
}

// In any span of time nobody gets more calls than the burst and what refills
// meanwhile, and who keeps below the rate is never refused.
func TestBucketsAreFairAndBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rate{rapid.Int64Range(1, 50).Draw(rt, "a second"), rapid.Int64Range(1, 100).Draw(rt, "at once")}
		var l limiter
		var startMS, nowMS, granted int64 = 1000, 1000, 0
		for range rapid.IntRange(1, 300).Draw(rt, "calls") {
			nowMS += rapid.Int64Range(0, 100).Draw(rt, "pause")
			if _, _, wait := l.take("k", r, nowMS); wait == 0 {
				granted++
			}
		}
		if most := r.burst + (nowMS-startMS)*r.perSecond/1000; granted > most {
			rt.Fatalf("%d calls in %d ms at %+v, at most %d", granted, nowMS-startMS, r, most)
		}
		for range 20 {
			nowMS += (1000 + r.perSecond - 1) / r.perSecond
			if _, _, wait := l.take("slow", r, nowMS); wait != 0 {
				rt.Fatalf("who calls once in %d ms at %+v was refused", 1000/r.perSecond, r)
			}
		}
	})
	var l limiter
	for i := range 3*maxBuckets + 10 {
		l.take(fmt.Sprint(i), rate{1, 1}, 1)
	}
	if n := len(l.younger) + len(l.older); n > 2*maxBuckets {
		t.Errorf("%d buckets are kept, at most %d", n, 2*maxBuckets)
	}
}
