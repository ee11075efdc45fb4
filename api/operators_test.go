package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

// second admits a second operator and returns their key.
func (s *stack) second() string {
	s.Helper()
	secret, hash := identity.NewSecret(identity.Operator)
	s.ok("POST", "/v1/operators", s.operator, fmt.Sprintf(`{"name":"bo","key_hash":"%x"}`, hash))
	return secret
}

func (s *stack) trail(query string) (lines []map[string]any) {
	s.Helper()
	s.catchUp()
	for _, item := range s.ok("GET", "/v1/audit?"+query, s.operator, "")["items"].([]any) {
		lines = append(lines, item.(map[string]any))
	}
	return lines
}

// λ by one operator is a proposal; the other approves it, and all of it is on
// the trail with who, before and after.
func TestTwoOperatorsChangeLambda(t *testing.T) {
	s := newStack(t)
	bo := s.second()
	if got := s.ok("GET", "/v1/operators", bo, ""); got["two_persons"] != true {
		t.Errorf("two operators: %v", got)
	}
	answer := s.do("PUT", "/v1/monetary-policy", s.operator, monetary("fixed"), "Idempotency-Key", "m")
	var proposal map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &proposal); err != nil || answer.Code != http.StatusAccepted || proposal["proposal"] != "1" || proposal["status"] != "open" {
		t.Fatalf("one operator changes λ: %d %s", answer.Code, answer.Body)
	}
	if again := s.do("PUT", "/v1/monetary-policy", s.operator, monetary("fixed"), "Idempotency-Key", "m"); again.Code != http.StatusAccepted || again.Body.String() != answer.Body.String() {
		t.Errorf("again: %d %s", again.Code, again.Body)
	}
	if mode := s.ok("GET", "/v1/monetary-policy", "", "")["mode"]; mode != "capped" {
		t.Errorf("before the approval the mode is %v", mode)
	}
	s.refused(http.StatusForbidden, "own_proposal", "POST", "/v1/proposals/1/approve", s.operator, "")
	s.refused(http.StatusNotFound, "proposal_not_found", "POST", "/v1/proposals/7/approve", bo, "")
	for range 2 { // a retry is answered the same
		if got := s.ok("POST", "/v1/proposals/1/approve", bo, ""); got["status"] != "approved" || got["ended_by"] != "bo" || got["proposed_by"] != "first" {
			t.Errorf("approved: %v", got)
		}
	}
	if got := s.ok("GET", "/v1/monetary-policy", "", ""); got["mode"] != "fixed" || got["lambda"] != "0.5" {
		t.Errorf("after the approval: %v", got)
	}
	s.refused(http.StatusConflict, "proposal_over", "POST", "/v1/proposals/1/reject", s.operator, "")
	if s.do("PUT", "/v1/monetary-policy", s.operator, monetary("capped")).Code != http.StatusAccepted {
		t.Error("a second change needs no second operator")
	}

	var told []string
	for _, line := range s.trail("limit=6")[1:] {
		told = append(told, fmt.Sprint(line["name"], " ", line["operation"], " ", line["outcome"]))
	}
	want := []string{"first reject-proposal proposal_over", "bo approve-proposal done", "bo approve-proposal proposal_not_found", "first approve-proposal own_proposal", "first set-monetary-policy done"}
	if !slices.Equal(told, want) {
		t.Errorf("the trail says\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if got := s.ok("POST", "/v1/proposals/2/reject", s.operator, ""); got["status"] != "rejected" || s.ok("GET", "/v1/proposals/2", bo, "")["ended_by"] != "first" {
		t.Errorf("one's own proposal, taken back: %v", got)
	}
	line := s.trail("operation=set-monetary-policy&operator=first")[1]
	if line["before"].(map[string]any)["mode"] != "capped" || line["after"].(map[string]any)["mode"] != "fixed" || !strings.HasPrefix(line["credential"].(string), "key_") {
		t.Errorf("the trail of λ: %v", line)
	}
}

// Manual entries are proposed too; those of a world are its own.
func TestManualEntriesTakeTwo(t *testing.T) {
	s := newStack(t)
	mine, worlds, issuer := s.gold()
	bo := s.second()
	if answer := s.do("POST", "/v1/transfers", s.operator, legs("r", issuer, mine, "1")); answer.Code != http.StatusAccepted {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	batch := s.do("POST", "/v1/transfers/batch", s.operator, `{"transfers":[`+legs("r", issuer, mine, "1")+`]}`)
	if !strings.Contains(batch.Body.String(), `"code":"approval_needed"`) {
		t.Errorf("a batch: %s", batch.Body)
	}
	balance := func() any { return s.ok("GET", "/v1/accounts/"+mine, s.person, "")["balance"] }
	before := balance()
	s.ok("POST", "/v1/proposals/1/approve", bo, "")
	if got := balance(); got == before {
		t.Errorf("the balance is %v before and after", got)
	}
	s.catchUp()
	if items := s.ok("GET", "/v1/operations/r", s.operator, "")["items"].([]any); items[len(items)-1].(map[string]any)["kind"] != "transfer" {
		t.Errorf("the operation is not on file as a transfer: %v", items)
	}
	s.ok("POST", "/v1/transfers", s.person, legs("r2", mine, worlds, "1"))
}

// Who is admitted by a hash acts by a key that nobody else has seen; removal
// takes two and ends it.
func TestOperatorsComeAndGo(t *testing.T) {
	s := newStack(t)
	bo := s.second()
	cy, hash := identity.NewSecret(identity.Operator)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/operators", s.operator, `{"name":"cy","key_hash":"`+strings.Repeat("x", 64)+`"}`)
	if answer := s.do("POST", "/v1/operators", s.operator, fmt.Sprintf(`{"name":"cy","key_hash":"%x"}`, hash)); answer.Code != http.StatusAccepted {
		t.Fatalf("a third by one: %d %s", answer.Code, answer.Body)
	}
	s.refused(http.StatusUnauthorized, "key_invalid", "GET", "/v1/operators", cy, "")
	s.ok("POST", "/v1/proposals/1/approve", bo, "")
	if items := s.ok("GET", "/v1/operators", cy, "")["items"].([]any); len(items) != 3 || items[2].(map[string]any)["you"] != true {
		t.Errorf("seen by the third: %v", items)
	}
	if answer := s.do("DELETE", "/v1/operators/2", s.operator, ""); answer.Code != http.StatusAccepted {
		t.Fatalf("removing by one: %d %s", answer.Code, answer.Body)
	}
	s.ok("POST", "/v1/proposals/2/approve", bo, "")
	s.refused(http.StatusUnauthorized, "key_invalid", "GET", "/v1/operators", cy, "")
	own := s.ok("POST", "/v1/operator-keys", bo, `{"label":"Bo's phone"}`)
	if own["operator"] != 1.0 {
		t.Errorf("a further key of the second operator: %v", own)
	}
	if line := s.trail("operator=bo&operation=create-operator-key")[0]; strings.Contains(fmt.Sprint(line), "phone") {
		t.Errorf("a label is on the trail: %v", line)
	}
	if keys := s.ok("GET", "/v1/operator-keys", bo, "")["items"].([]any); len(keys) != 4 {
		t.Errorf("%d operators' keys, want 4, a revoked one with them", len(keys))
	}
}

// Everything that an operator may change leaves a line, whether or not it was
// possible.
func TestEveryActOfAnOperatorIsOnTheTrail(t *testing.T) {
	s := newStack(t)
	mine, worlds, issuer := s.gold()
	s.payouts()
	spare := s.ok("POST", "/v1/worlds/cafe/keys", s.operator, `{"kind":"write"}`)["id"].(string)
	s.market("continuous")
	var document struct {
		Paths map[string]map[string]describedOperation
	}
	if err := json.Unmarshal(s.do("GET", "/openapi.json", "", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	beside := map[string]string{ // the bodies of calls that the table of keyed ones does not have
		"create-world-key": `{"kind":"write"}`, "create-operator-key": `{}`, "revoke-key": "", "erase-person": "", "set-webhook": `{"url":"https://cafe.example/hook"}`,
		"send-message-again": "", "remove-operator": "", "approve-proposal": "", "reject-proposal": "", "set-rate-limit": `{"per_second":1,"burst":1}`,
	}
	seen := 0
	for path, methods := range document.Paths {
		for method, op := range methods {
			if method == "get" || !slices.Contains(op.Roles, "operator") {
				continue
			}
			body, isBeside := beside[op.OperationID]
			if !isBeside && keyed[op.OperationID].who != "operator" {
				continue // an operator is told no before there is anything to do
			}
			if !isBeside {
				body = keyed[op.OperationID].body
			}
			seen++
			fill := strings.NewReplacer("{world}", "cafe", "{person}", s.otherPersonID, "{key}", spare, "{account}", worlds, "{operator}", "7", "{proposal}", "9", "{message}", "1", "{case}", "1",
				"{mine}", mine, "{issuer}", issuer, "{market}", "1", "{tier}", "1", "{asset}", "GOLD", "{id}", s.personID, "{payout}", "1", "{credit}", "1")
			s.do(strings.ToUpper(method), fill.Replace(path), s.operator, fill.Replace(body))
			if len(s.trail("operation="+op.OperationID)) == 0 {
				t.Errorf("%s leaves no line", op.OperationID)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d operations were tried", seen)
	}
}
