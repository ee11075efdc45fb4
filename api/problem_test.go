package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
)

// The documentation has a row for every refusal, with its status, in order of
// precedence.
func TestRefusalsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for code := range 256 {
		if row, found := refusals[bank.Refusal(code)]; found {
			fmt.Fprintf(&want, "| `%s` | %d | %s |\n", bank.Refusal(code), row.status, row.detail)
		}
	}
	if !strings.Contains(string(text), want.String()) {
		t.Errorf("docs/api.md has not these rows:\n%s", want.String())
	}
	for _, row := range faults {
		if !strings.Contains(string(text), fmt.Sprintf("| `%s` | %d |", row.code, row.status)) {
			t.Errorf("docs/api.md does not know `%s` with status %d", row.code, row.status)
		}
	}
}

// What fails on the bank's side says when to try again and nothing else; its
// reason is told to whoever runs the bank.
func TestFailuresOfTheBank(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	for _, test := range []struct {
		err        error
		status     int
		code       string
		retryAfter string
		faults     int
	}{
		{journal.ErrBusy, http.StatusTooManyRequests, "busy", "1", 0},
		{fmt.Errorf("%w: since alice", history.ErrLagging), http.StatusTooManyRequests, "history_lagging", "1", 0},
		{fmt.Errorf("%w: the disk of alice is full", journal.ErrStopped), http.StatusServiceUnavailable, "stopped", "1", 1},
		{errors.New("the disk of alice is full"), http.StatusInternalServerError, "internal", "", 1},
	} {
		s.bank.err, s.faults = test.err, nil
		answer := s.do("POST", "/v1/transfers", s.person, legs("", mine, worlds, "1"))
		var problem Problem
		if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil {
			t.Fatal(err)
		}
		if answer.Code != test.status || problem.Status != test.status || problem.Code != test.code || problem.Title == "" || answer.Header().Get("Retry-After") != test.retryAfter ||
			answer.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(answer.Body.String(), "alice") {
			t.Errorf("%v is answered %d %v %s", test.err, answer.Code, answer.Header(), answer.Body)
		}
		if len(s.faults) != test.faults || test.faults > 0 && !strings.Contains(s.faults[0], "create-transfer: ") {
			t.Errorf("%v: the operator is told %q", test.err, s.faults)
		}
	}
	s.refused(http.StatusServiceUnavailable, "not_ready", "GET", "/readyz", "", "")
	s.bank.err = nil
	s.ok("GET", "/readyz", "", "")
}

func TestElsewhere(t *testing.T) {
	s := newStack(t)
	s.refused(http.StatusNotFound, "not_found", "GET", "/v1/nothing", s.operator, "")
	s.refused(http.StatusNotFound, "not_found", "POST", "/", "", "")
	s.refused(http.StatusNotFound, "not_found", "GET", "/schemas/Account.json", "", "")
	for path, allow := range map[string]string{"/v1/transfers": "POST", "/v1/worlds": "GET, POST", "/v1/monetary-policy": "GET, PUT", "/openapi.json": "GET"} {
		s.refused(http.StatusMethodNotAllowed, "method_not_allowed", "PATCH", path, "", "")
		if got := s.do("DELETE", path, "", "").Header().Get("Allow"); got != allow {
			t.Errorf("%s allows %q, expected %q", path, got, allow)
		}
	}
	missing := s.do("GET", "/v1/worlds", "", "")
	if got := missing.Header().Get("WWW-Authenticate"); missing.Code != http.StatusUnauthorized || got != "Bearer" {
		t.Errorf("without a key: %d, WWW-Authenticate %q", missing.Code, got)
	}
}

// Browsers are told to keep, run and embed nothing; the one page may use the
// style that stands in it.
func TestHeaders(t *testing.T) {
	s := newStack(t)
	for _, path := range []string{"/healthz", "/v1/nothing", "/v1/worlds", "/welcome/x", "/openapi.json"} {
		h := s.do("GET", path, "", "").Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %v", path, h)
		}
	}
	page := s.do("GET", "/welcome/x", "", "")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page.Body.String())
	if !strings.Contains(page.Header().Get("Content-Security-Policy"), "'"+styleHash("<style>"+style[1]+"</style>")+"'") || strings.Contains(page.Body.String(), " style=") {
		t.Errorf("the style of the page is not the one that its policy allows: %s", page.Header())
	}
}

// The link makes one key, which works.
func TestOperatorLinkWorksOnce(t *testing.T) {
	s := newStack(t)
	for _, key := range must(s.server.Identity.Keys(t.Context(), identity.Principal{Kind: identity.Operator})) {
		s.do("DELETE", "/v1/keys/"+key.ID, s.operator, "")
	}
	s.refused(http.StatusUnauthorized, "key_invalid", "GET", "/v1/worlds", s.operator, "")
	link := "/welcome/" + must(s.server.Identity.OperatorLink(t.Context()))
	for range 3 {
		if page := s.do("GET", link, "", ""); page.Code != http.StatusOK || strings.Contains(page.Body.String(), "ab_op_") {
			t.Errorf("looking at the page: %d %s", page.Code, page.Body)
		}
	}
	page := s.do("POST", link, "", "")
	secret := regexp.MustCompile(`ab_op_[\w-]{43}`).FindString(page.Body.String())
	if page.Code != http.StatusCreated || secret == "" || !strings.Contains(page.Body.String(), "curl") {
		t.Fatalf("the key's page: %d %s", page.Code, page.Body)
	}
	s.ok("GET", "/v1/worlds", secret, "")
	if again := s.do("POST", link, "", ""); again.Code != http.StatusGone || strings.Contains(again.Body.String(), "ab_op_") {
		t.Errorf("a second time: %d %s", again.Code, again.Body)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A body is read by whoever shows a key that is good for it, up to its bound.
func TestBodiesAreBounded(t *testing.T) {
	s := newStack(t)
	long := strings.Repeat("x", 2<<20)
	for _, test := range []struct {
		path, key, body string
		status          int
		code            string
	}{
		{"/v1/transfers", s.operator, `{"reference":"` + long + `"}`, http.StatusRequestEntityTooLarge, "too_large"},
		{"/v1/claims", "", `{"code":"` + long[:8<<10] + `"}`, http.StatusRequestEntityTooLarge, "too_large"},
		{"/v1/batch", s.writeKey, `{"batch":["` + long + `"]}`, http.StatusRequestEntityTooLarge, "too_large"},
		{"/v1/transfers", s.operator, strings.Repeat(`{"legs":`, 100_000), http.StatusBadRequest, "invalid_request"},
		{"/v1/transfers", s.operator, `{"legs":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`, http.StatusBadRequest, "invalid_request"},
		{"/v1/transfers", s.operator, `{` + strings.Repeat(`"k":1,`, 100_000) + `"k":1}`, http.StatusUnprocessableEntity, "invalid_request"},
		{"/v1/batch", s.writeKey, `{"batch":` + strings.Repeat("[", 500_000), http.StatusBadRequest, "unreadable"},
		{"/v1/batch", s.writeKey, `{` + strings.Repeat(`"k":1,`, 100_000) + `"k":1}`, http.StatusBadRequest, "unreadable"},
	} {
		s.refused(test.status, test.code, "POST", test.path, test.key, test.body)
	}
	// A single event has no envelope: what it is gets a verdict.
	s.unjudged = true // no client that keeps to the description sends these
	for _, body := range []string{`{` + strings.Repeat(`"k":1,`, 100_000) + `"k":1}`, `{"event":` + strings.Repeat("[", 500_000)} {
		if answer := s.ok("POST", "/v1/track", s.writeKey, body); answer["verdicts"].([]any)[0].(map[string]any)["verdict"] != "rejected" {
			t.Errorf("a track call is answered %v", answer)
		}
	}
	for _, path := range []string{"/v1/batch", "/v1/transfers"} {
		request := httptest.NewRequest("POST", path, unread{t})
		request.Header.Set("Authorization", "Bearer ab_sk_"+strings.Repeat("A", 43))
		answer := httptest.NewRecorder()
		s.server.ServeHTTP(answer, request)
		if answer.Code != http.StatusUnauthorized {
			t.Errorf("%s with a bad key: %d", path, answer.Code)
		}
	}
}

// unread is a body that must not be read.
type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("a body was read for a key that is not valid")
	return 0, errors.New("not to be read")
}
