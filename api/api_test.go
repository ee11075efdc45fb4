package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

var update = flag.Bool("update", false, "rewrite testdata/operations.txt")

// Every refusal of the bank has a row in the table to HTTP.
func TestEveryRefusalHasAStatus(t *testing.T) {
	for code := range 256 {
		refusal := bank.Refusal(code)
		if refusal == bank.Accepted || refusal.String() == "accepted" || strings.HasPrefix(refusal.String(), "unknown") {
			continue
		}
		if row, found := refusals[refusal]; !found || row.status < 400 || row.detail == "" {
			t.Errorf("%s has no row", refusal)
		}
	}
}

// operations are the rows of the OpenAPI document: method, path, roles.
type described struct {
	method, path string
	roles        []string
}

func (s *stack) described() (list []described) {
	s.Helper()
	answer := s.do("GET", "/openapi.json", "", "")
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Roles     []string `json:"x-roles"`
			Responses map[string]any
			Summary   string
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil || document.OpenAPI != "3.1.0" {
		s.Fatalf("the description is %q, %v", document.OpenAPI, err)
	}
	for path, methods := range document.Paths {
		for method, op := range methods {
			if len(op.Roles) == 0 || op.Summary == "" {
				s.Errorf("%s %s says not who may use it, or not what for", method, path)
			}
			list = append(list, described{strings.ToUpper(method), path, op.Roles})
		}
	}
	slices.SortFunc(list, func(a, b described) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return list
}

// The operations and who may use them are on file, so that a change shows.
func TestOperationsAreOnFile(t *testing.T) {
	s := newStack(t)
	var text strings.Builder
	for _, op := range s.described() {
		fmt.Fprintf(&text, "%-6s %-45s %s\n", op.method, op.path, strings.Join(op.roles, " "))
	}
	const file = "testdata/operations.txt"
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text.String() {
		t.Errorf("the operations have changed; run go test ./api -update and read the difference:\n%s", text.String())
	}
}

// What is another's does not exist for a world or a person.
func TestOthersAreOutOfReach(t *testing.T) {
	s := newStack(t)
	gold := s.ok("POST", "/v1/assets", s.operator, `{"asset":"GOLD","scale":2,"world":"cafe"}`)
	account := s.ok("POST", "/v1/accounts", s.person, `{"person":"`+s.personID+`","asset":"GOLD"}`)["account"].(string)
	s.ok("POST", "/v1/transfers", s.operator, `{"legs":[{"from":"`+gold["issuer"].(string)+`","to":"`+account+`","amount":"10"}]}`)
	hold := s.ok("POST", "/v1/holds", s.person, `{"account":"`+account+`","beneficiary":"`+s.ok("POST", "/v1/accounts", s.serverKey, `{"world":"cafe","asset":"GOLD"}`)["account"].(string)+`","amount":"1"}`)
	holdID := hold["hold"].(map[string]any)["hold"].(string)
	for _, try := range []struct{ method, path, key, body string }{
		{"GET", "/v1/worlds/cafe", s.otherServer, ""},
		{"GET", "/v1/worlds/cafe/events/cafe-1", s.otherServer, ""},
		{"GET", "/v1/worlds/cafe/users/alice", s.otherServer, ""},
		{"POST", "/v1/worlds/cafe/users/alice/claim", s.otherServer, ""},
		{"POST", "/v1/worlds/cafe/sessions", s.otherServer, `{"user_id":"alice"}`},
		{"GET", "/v1/worlds/cafe/policies", s.otherPerson, ""},
		{"GET", "/v1/worlds/nowhere", s.otherServer, ""},
		{"GET", "/v1/people/" + s.personID, s.otherServer, ""},
		{"GET", "/v1/people/" + s.personID, s.otherPerson, ""},
		{"GET", "/v1/people/" + s.personID + "/attention", s.otherPerson, ""},
		{"GET", "/v1/people/" + s.personID + "/mints", s.otherPerson, ""},
		{"DELETE", "/v1/people/" + s.personID + "/personal-data", s.otherPerson, ""},
		{"GET", "/v1/people/" + strings.Repeat("0", 32), s.otherPerson, ""},
		{"GET", "/v1/accounts/" + account, s.otherPerson, ""},
		{"GET", "/v1/accounts/" + account, s.serverKey, ""},
		{"GET", "/v1/accounts/999999", s.otherPerson, ""},
		{"GET", "/v1/accounts/" + account + "/statement", s.otherPerson, ""},
		{"POST", "/v1/accounts", s.otherPerson, `{"person":"` + s.personID + `","asset":"GOLD"}`},
		{"POST", "/v1/accounts", s.serverKey, `{"person":"` + s.personID + `","asset":"GOLD"}`},
		{"POST", "/v1/accounts", s.otherServer, `{"world":"cafe","asset":"GOLD"}`},
		{"POST", "/v1/transfers", s.otherPerson, `{"legs":[{"from":"` + account + `","to":"1","amount":"1"}]}`},
		{"POST", "/v1/transfers", s.serverKey, `{"legs":[{"from":"` + account + `","to":"1","amount":"1"}]}`},
		{"POST", "/v1/transfers", s.operator, `{"legs":[{"from":"` + account + `","to":"1","amount":"1"}]}`},
		{"POST", "/v1/transfers", s.person, `{"legs":[{"from":"` + gold["issuer"].(string) + `","to":"` + account + `","amount":"1"}]}`},
		{"POST", "/v1/holds", s.otherPerson, `{"account":"` + account + `","beneficiary":"1","amount":"1"}`},
		{"GET", "/v1/holds/" + holdID, s.otherPerson, ""},
		{"POST", "/v1/holds/" + holdID + "/settle", s.otherPerson, `{"amount":"1"}`},
		{"POST", "/v1/holds/" + holdID + "/settle", s.person, `{"amount":"1"}`},
		{"POST", "/v1/holds/" + holdID + "/release", s.person, `{}`},
	} {
		s.refused(http.StatusForbidden, "not_yours", try.method, try.path, try.key, try.body)
	}
	if balance := s.ok("GET", "/v1/accounts/"+account, s.person, "")["balance"]; balance != "10" {
		t.Errorf("after all that, the account is at %v", balance)
	}
	// The debtor sees the hold, and its beneficiary ends it.
	s.ok("GET", "/v1/holds/"+holdID, s.person, "")
	s.ok("POST", "/v1/holds/"+holdID+"/settle", s.serverKey, `{"amount":"0.40","final":true}`)
	if balance := s.ok("GET", "/v1/accounts/"+account, s.person, "")["balance"]; balance != "9.6" {
		t.Errorf("after the settlement, the account is at %v", balance)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	s := newStack(t)
	gold := s.ok("POST", "/v1/assets", s.operator, `{"asset":"GOLD","scale":2}`, "Idempotency-Key", "a1")
	again := s.do("POST", "/v1/assets", s.operator, `{"asset":"GOLD","scale":2}`, "Idempotency-Key", "a1")
	if again.Code != http.StatusCreated {
		t.Errorf("a repeated call is answered %d %s", again.Code, again.Body)
	}
	account := s.ok("POST", "/v1/accounts", s.person, `{"person":"`+s.personID+`","asset":"GOLD"}`)["account"].(string)
	transfer := `{"reference":"grant","legs":[{"from":"` + gold["issuer"].(string) + `","to":"` + account + `","amount":"10"}]}`
	first := s.do("POST", "/v1/transfers", s.operator, transfer, "Idempotency-Key", "t1")
	second := s.do("POST", "/v1/transfers", s.operator, transfer, "Idempotency-Key", "t1")
	if first.Code != http.StatusCreated || first.Body.String() != second.Body.String() || second.Header().Get("Idempotent-Replayed") != "true" || first.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("first %d %s %v\nsecond %d %s %v", first.Code, first.Body, first.Header(), second.Code, second.Body, second.Header())
	}
	s.refused(http.StatusUnprocessableEntity, "key_reused", "POST", "/v1/transfers", s.operator, strings.Replace(transfer, "10", "11", 1), "Idempotency-Key", "t1")
	// The same key of somebody else is another key.
	mine := `{"legs":[{"from":"` + account + `","to":"` + gold["issuer"].(string) + `","amount":"1"}]}`
	s.ok("POST", "/v1/transfers", s.person, mine, "Idempotency-Key", "t1")
	if balance := s.ok("GET", "/v1/accounts/"+account, s.person, "")["balance"]; balance != "9" {
		t.Errorf("the account is at %v", balance)
	}
	// A refusal is remembered too.
	broke := strings.Replace(mine, `"1"`, `"500"`, 1)
	s.refused(http.StatusConflict, "insufficient_available", "POST", "/v1/transfers", s.person, broke, "Idempotency-Key", "t2")
	s.ok("POST", "/v1/transfers", s.operator, strings.Replace(transfer, `"10"`, `"1000"`, 1))
	s.refused(http.StatusConflict, "insufficient_available", "POST", "/v1/transfers", s.person, broke, "Idempotency-Key", "t2")
	// A hold that has ended answers a retry as it did.
	hold := s.ok("POST", "/v1/holds", s.person, `{"account":"`+account+`","beneficiary":"`+s.ok("POST", "/v1/accounts", s.serverKey, `{"world":"cafe","asset":"GOLD"}`)["account"].(string)+`","amount":"5"}`)
	path := "/v1/holds/" + hold["hold"].(map[string]any)["hold"].(string) + "/settle"
	settled := s.do("POST", path, s.serverKey, `{"amount":"5"}`, "Idempotency-Key", "h1")
	retried := s.do("POST", path, s.serverKey, `{"amount":"5"}`, "Idempotency-Key", "h1")
	if settled.Code != http.StatusOK || settled.Body.String() != retried.Body.String() {
		t.Errorf("settled %d %s\nretried %d %s", settled.Code, settled.Body, retried.Code, retried.Body)
	}
	s.refused(http.StatusConflict, "hold_not_open", "POST", path, s.serverKey, `{"amount":"5"}`)
}

func TestProblemsSayWhatIsAccepted(t *testing.T) {
	s := newStack(t)
	for _, test := range []struct {
		status             int
		code, method, path string
		body, says         string
	}{
		{404, "not_found", "GET", "/v1/nothing", "", "openapi.json"},
		{422, "code_invalid", "POST", "/v1/worlds", `{"world":"Café"}`, "a-z 0-9 -"},
		{409, "code_taken", "POST", "/v1/worlds", `{"world":"cafe"}`, "another"},
		{422, "invalid_request", "POST", "/v1/worlds", `{"wrold":"x"}`, ""},
		{400, "invalid_request", "POST", "/v1/worlds", `{"world":`, ""},
		{404, "not_found", "GET", "/v1/worlds/nowhere", "", "world"},
		{422, "invalid_request", "POST", "/v1/worlds/cafe/policies", `{"policy":"alfa: 1"}`, "alpha_per_hour"},
		{422, "invalid_request", "POST", "/v1/worlds/cafe/policies", `{"policy":"pack: casino-1"}`, "there are game-1"},
		{422, "policy_not_ahead", "POST", "/v1/worlds/cafe/policies", `{"policy":"beta: 1","effective_day":"2026-01-10"}`, "to come"},
		{422, "monetary_policy_invalid", "PUT", "/v1/monetary-policy", `{"mode":"capped","lambda":"101","budget":"5","epoch_seconds":86400,"close_delay_seconds":0}`, "0 to 100"},
		{422, "invalid_request", "PUT", "/v1/monetary-policy", `{"mode":"capped","lambda":"1.0000001","budget":"5","epoch_seconds":86400,"close_delay_seconds":0}`, "6 decimal"},
		{422, "no_legs", "POST", "/v1/transfers", `{"legs":[]}`, ""},
		{404, "credit_account_not_found", "POST", "/v1/transfers", `{"legs":[{"from":"3","to":"999999","amount":"1"}]}`, "credit"},
		{409, "insufficient_available", "POST", "/v1/transfers", `{"legs":[{"from":"3","to":"5","amount":"1"}]}`, "less available"},
		{422, "reference_invalid", "POST", "/v1/transfers", `{"reference":"two words","legs":[{"from":"3","to":"5","amount":"1"}]}`, "no free text"},
		{410, "code_spent", "POST", "/v1/claims", `{"code":"ab_claim_x"}`, "new one"},
	} {
		answer := s.do(test.method, test.path, s.operator, test.body)
		var problem Problem
		if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil {
			t.Errorf("%s %s: %s: %v", test.method, test.path, answer.Body, err)
			continue
		}
		if test.code == "no_legs" {
			test.code = "invalid_request" // the description's bound answers first
		}
		if answer.Code != test.status || problem.Code != test.code || !strings.Contains(answer.Body.String(), test.says) {
			t.Errorf("%s %s %s: %d %s; expected %d %s with %q", test.method, test.path, test.body, answer.Code, answer.Body, test.status, test.code, test.says)
		}
	}
}

// A link that is looked at is not used up, and used it is.
func TestOperatorLink(t *testing.T) {
	s := newStack(t)
	page := s.do("GET", "/welcome/anything", "", "")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "<form method=\"post\">") {
		t.Errorf("the page: %d %s", page.Code, page.Body)
	}
	spent := s.do("POST", "/welcome/anything", "", "")
	if spent.Code != http.StatusGone || !strings.Contains(spent.Body.String(), "cannot be used") {
		t.Errorf("a spent link: %d %s", spent.Code, spent.Body)
	}
	s.refused(http.StatusGone, "code_spent", "POST", "/welcome/anything", "", "", "Accept", "application/json")
}

func TestErasurePath(t *testing.T) {
	s := newStack(t)
	if answer := s.do("DELETE", "/v1/people/"+s.personID+"/personal-data", s.person, ""); answer.Code != http.StatusNoContent {
		t.Fatalf("erasure: %d %s", answer.Code, answer.Body)
	}
	if answer := s.do("GET", "/v1/worlds/cafe/users/alice", s.operator, ""); answer.Code != http.StatusNotFound {
		t.Errorf("an erased user is found: %d %s", answer.Code, answer.Body)
	}
	if answer := s.do("GET", "/v1/people/"+s.personID, s.person, ""); answer.Code != http.StatusUnauthorized {
		t.Errorf("an erased person's key works: %d %s", answer.Code, answer.Body)
	}
}
