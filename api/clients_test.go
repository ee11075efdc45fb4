package api

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sent makes a request as a client does that knows nothing of this API.
func (s *stack) sent(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	s.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	s.server.ServeHTTP(answer, request)
	if !s.unjudged {
		theJudge(s.T, s.server).look(s.T, request, body, answer)
	}
	return answer
}

func gzipped(body string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(body))
	w.Close()
	return packed.String()
}

// Each kind of client sends in its own way, with the key where its protocol has
// a place for it, and gets a verdict of the one collector.
func TestEveryClientsWay(t *testing.T) {
	s := newStack(t)
	basic := httptest.NewRequest("GET", "/", nil)
	basic.SetBasicAuth(s.serverKey, "")
	authorization := basic.Header.Get("Authorization")
	key := `"writeKey":"` + s.serverKey + `"`
	item := func(id string) string {
		return `{"type":"track","event":"Jumped","userId":"alice","messageId":"` + id + `"}`
	}
	for _, test := range []struct {
		name, path, body string
		headers          []string
		id               string // under which the verdict is found
	}{
		{"key before the batch, no content type", "/v1/batch", `{` + key + `,"batch":[` + item("before") + `]}`, nil, "before"},
		{"key after the batch, as text", "/v1/b", `{"batch":[` + item("after") + `],"sentAt":"2026-01-10T12:00:00Z",` + key + `}`, []string{"Content-Type", "text/plain"}, "after"},
		{"Basic, packed", "/v1/batch", gzipped(`{"batch":[` + item("packed") + `]}`), []string{"Authorization", authorization, "Content-Encoding", "gzip", "Content-Type", "application/json"}, "packed"},
		{"one letter, the key in the event", "/v1/t", `{"event":"Jumped","anonymousId":"a","messageId":"letter",` + key + `}`, []string{"Content-Type", "text/plain;charset=UTF-8"}, "letter"},
		{"page", "/v1/p", `{"anonymousId":"a","messageId":"page",` + key + `}`, nil, "page"},
		{"screen", "/v1/s", `{"anonymousId":"a","messageId":"screen",` + key + `}`, nil, "screen"},
		{"identify", "/v1/i", `{"userId":"u","messageId":"identify",` + key + `}`, nil, "identify"},
		{"group", "/v1/group", `{"userId":"u","groupId":"g","messageId":"group",` + key + `}`, nil, "group"},
		{"group by a letter", "/v1/g", `{"userId":"u","groupId":"g","messageId":"g",` + key + `}`, nil, "g"},
		{"alias", "/v1/alias", `{"userId":"u","previousId":"p","messageId":"alias",` + key + `}`, nil, "alias"},
		{"alias by a letter", "/v1/a", `{"userId":"u","previousId":"p","messageId":"al",` + key + `}`, nil, "al"},
		{"CloudEvent in headers", "/v1/cloudevents", `{"height":2}`, []string{"Authorization", authorization, "Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/cafe", "ce-type", "Jumped", "ce-subject", "alice"}, "%2Fcafe%201"},
		{"structured CloudEvent", "/v1/cloudevents", `{"specversion":"1.0","id":"2","source":"/cafe","type":"Jumped","subject":"alice"}`, []string{"Authorization", authorization, "Content-Type", "application/cloudevents+json; charset=utf-8"}, "%2Fcafe%202"},
		{"CloudEvents in a batch", "/v1/cloudevents", `[{"specversion":"1.0","id":"3","source":"/cafe","type":"Jumped","subject":"alice"}]`, []string{"Authorization", authorization, "Content-Type", "application/cloudevents-batch+json"}, "%2Fcafe%203"},
		{"Snowplow's page ping", "/com.snowplowanalytics.snowplow/tp2", `{"schema":"x","data":[{"e":"pp","eid":"ping","aid":"` + s.serverKey + `","uid":"alice"}]}`, []string{"Content-Type", "application/json; charset=UTF-8"}, "ping"},
		{"PostHog's batch", "/batch/", `{"api_key":"` + s.serverKey + `","batch":[{"event":"Jumped","distinct_id":"alice","uuid":"hog"}],"sent_at":"2026-01-10T12:00:00Z"}`, nil, "hog"},
		{"PostHog's batch of a browser", "/e/", `{"api_key":"` + s.serverKey + `","batch":[{"event":"Jumped","uuid":"js","properties":{"distinct_id":"alice"}}]}`, []string{"Content-Type", "text/plain"}, "js"},
		{"the same, packed and not saying so", "/e/", gzipped(`{"api_key":"` + s.serverKey + `","batch":[{"event":"Jumped","uuid":"gz","properties":{"distinct_id":"alice"}}]}`), []string{"Content-Type", "text/plain"}, "gz"},
		{"PostHog's event", "/i/v0/e/", `{"api_key":"` + s.serverKey + `","event":"Jumped","distinct_id":"alice","uuid":"one"}`, nil, "one"},
	} {
		answer := s.sent("POST", test.path, test.body, test.headers...)
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", test.name, answer.Code, answer.Body)
			continue
		}
		verdict := s.do("GET", "/v1/worlds/cafe/events/"+test.id, s.serverKey, "")
		if !strings.Contains(verdict.Body.String(), `"accepted"`) {
			t.Errorf("%s: its verdict is %d %s", test.name, verdict.Code, verdict.Body)
		}
	}
	image := s.sent("GET", "/i?e=pv&eid=pixel&duid=device&aid="+url.QueryEscape(s.writeKey), "")
	if image.Code != http.StatusOK || image.Header().Get("Content-Type") != "image/gif" || !strings.HasPrefix(image.Body.String(), "GIF89a") {
		t.Errorf("the pixel: %d %s", image.Code, image.Body)
	}
	s.ok("GET", "/v1/worlds/cafe/events/pixel", s.serverKey, "")
	s.refused(http.StatusForbidden, "role_forbidden", "GET", "/i?e=pv&eid=x&duid=d&aid="+url.QueryEscape(s.serverKey), "", "")
	s.refused(http.StatusUnauthorized, "key_missing", "GET", "/i?e=pv&eid=x&duid=d", "", "")
	s.refused(http.StatusUnauthorized, "key_missing", "POST", "/v1/cloudevents", "", `{}`)
	s.refused(http.StatusUnauthorized, "key_missing", "POST", "/v1/b", "", `{"batch":[]}`)
	s.refused(http.StatusNotFound, "not_found", "POST", "/batch/more", s.serverKey, `{"batch":[]}`)
}

// A page of any origin may send, with the headers that its client adds, and may
// read when to try again. Nothing else is opened to pages.
func TestPagesMaySendEvents(t *testing.T) {
	s := newStack(t)
	const origin = "https://world.example"
	for _, path := range []string{"/v1/t", "/v1/b", "/com.snowplowanalytics.snowplow/tp2", "/batch/", "/v1/projects/x/settings", "/i"} {
		answer := s.sent("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,x-retry-count")
		h := answer.Header()
		if answer.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Headers") != "authorization,content-type,x-retry-count" ||
			h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %v", path, answer.Code, h)
		}
	}
	answer := s.sent("POST", "/v1/t", `{"event":"Jumped","anonymousId":"a","messageId":"m","writeKey":"`+s.writeKey+`"}`, "Origin", origin)
	if answer.Code != http.StatusOK || answer.Header().Get("Access-Control-Allow-Origin") != origin || !strings.Contains(answer.Header().Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
	if denied := s.sent("POST", "/v1/t", `{"writeKey":"no"}`, "Origin", origin); denied.Code != http.StatusUnauthorized || denied.Header().Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("a refusal cannot be read by the page: %d %v", denied.Code, denied.Header())
	}
	for _, path := range []string{"/v1/transfers", "/v1/worlds", "/v1/people/x/keys", "/v1/claims"} {
		if answer := s.sent("OPTIONS", path, "", "Origin", origin); answer.Header().Get("Access-Control-Allow-Origin") != "" || answer.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s is open to pages: %d %v", path, answer.Code, answer.Header())
		}
	}
}

// A page of any origin that holds the token of a world's user may do what the
// token is good for, and read why it may not; a browser that asks first is told
// so. Whoever shows nothing gets nothing, wherever the page is from.
func TestPagesMayUseTokens(t *testing.T) {
	s := newStack(t)
	const origin = "https://world.example"
	key := s.tokenKey("cafe", s.serverKey)
	for _, op := range s.operations() {
		if !slices.Contains(op.Roles, "user") {
			continue
		}
		path := strings.NewReplacer("{person}", "me", "{world}", "cafe", "{asset}", "LAND", "{id}", "0,1", "{write_key}", "x", "{market}", "1").Replace(op.path)
		asked := s.sent("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", op.method, "Access-Control-Request-Headers", "authorization").Header()
		if asked.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(asked.Get("Access-Control-Allow-Methods"), op.method) || asked.Get("Access-Control-Allow-Headers") != "authorization" {
			t.Errorf("a page that asks whether it may %s %s is told %v", op.method, path, asked)
		}
	}
	opened := s.do("POST", "/v1/sessions", s.token(key, "alice", "t-1"), "", "Origin", origin)
	if opened.Code != http.StatusCreated || opened.Header().Get("Access-Control-Allow-Origin") != origin || opened.Header().Get("Set-Cookie") != "" {
		t.Errorf("a session from a page: %d %v %s", opened.Code, opened.Header(), opened.Body)
	}
	for _, credential := range []string{"", s.token(key, "alice", "t-2", "aud", "another bank")} {
		if denied := s.do("POST", "/v1/sessions", credential, "", "Origin", origin, "Cookie", "session=1"); denied.Code != http.StatusUnauthorized || denied.Header().Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("a refusal: %d %v %s", denied.Code, denied.Header(), denied.Body)
		}
	}
}

// A browser's Segment client asks for its settings first and sends where they say.
func TestProjectSettings(t *testing.T) {
	s := newStack(t)
	answer := s.ok("GET", "http://bank.example:8080/v1/projects/"+s.writeKey+"/settings", "", "")
	segment := answer["integrations"].(map[string]any)["Segment.io"].(map[string]any)
	if segment["apiHost"] != "bank.example:8080/v1" || segment["protocol"] != "http" || segment["apiKey"] != s.writeKey {
		t.Errorf("%v", answer)
	}
	proxied := s.ok("GET", "/v1/projects/"+s.writeKey+"/settings", "", "", "X-Forwarded-Proto", "https")
	if got := proxied["integrations"].(map[string]any)["Segment.io"].(map[string]any)["protocol"]; got != "https" {
		t.Errorf("behind a proxy that speaks TLS: %v", got)
	}
	s.refused(http.StatusUnauthorized, "key_invalid", "GET", "/v1/projects/ab_wk_x/settings", "", "")
	s.refused(http.StatusForbidden, "role_forbidden", "GET", "/v1/projects/"+s.serverKey+"/settings", "", "")
}

// When too many wait, each client gets the status with which it sends again.
func TestBusyAsEachClientKnowsIt(t *testing.T) {
	s := newStack(t)
	for range maxIngesting {
		s.server.ingesting <- struct{}{}
	}
	var waiting sync.WaitGroup
	for path, want := range map[string]int{"/v1/batch": 429, "/com.snowplowanalytics.snowplow/tp2": 429, "/v1/cloudevents": 429, "/e/": 503, "/batch/": 503, "/i/v0/e/": 503} {
		waiting.Go(func() {
			answer := s.do("POST", path, s.serverKey, `{}`)
			if answer.Code != want || answer.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d %v", path, answer.Code, answer.Header())
			}
		})
	}
	waiting.Wait()
}
