package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

// Who pays sees the own balance, and of the payee nothing.
func TestAPaymentShowsNothingOfThePayee(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	paid := s.ok("POST", "/v1/transfers", s.person, legs("coffee", mine, worlds, "2.5"))
	s.catchUp()
	want := []struct{ account, balance any }{{mine, "7.5"}, {worlds, nil}}
	for i, p := range paid["postings"].([]any) {
		posting := p.(map[string]any)
		if posting["account"] != want[i].account || posting["balance"] != want[i].balance || (posting["held"] == nil) != (want[i].balance == nil) {
			t.Errorf("posting %d is %v, expected %v", i, posting, want[i])
		}
	}
	for key, accounts := range map[string][]string{s.person: {mine}, s.serverKey: {worlds}, s.operator: {mine, worlds}} {
		operations, _ := s.items("/v1/operations/coffee", key)
		var seen []string
		for _, p := range operations[0]["postings"].([]any) {
			seen = append(seen, p.(map[string]any)["account"].(string))
		}
		if len(operations) != 1 || !slices.Equal(seen, accounts) {
			t.Errorf("of the operation is seen %v, expected %v", seen, accounts)
		}
	}
	if operations, _ := s.items("/v1/operations/coffee", s.otherPerson); len(operations) != 0 {
		t.Errorf("somebody else sees %v", operations)
	}
	s.refused(http.StatusForbidden, "role_forbidden", "POST", "/v1/transfers/batch", s.person, `{"transfers":[`+legs("", mine, worlds, "1")+`]}`)
}

func TestBatchesAnswerItemByItem(t *testing.T) {
	s := newStack(t)
	mine, worlds, issuer := s.gold()
	batch := `{"transfers":[` + legs("a", issuer, worlds, "5") + `,` + legs("b", worlds, issuer, "6") + `,` + legs("c", mine, worlds, "1") + `,` + legs("d", worlds, issuer, "0.001") + `,` + legs("e", worlds, issuer, "1") + `]}`
	for _, replayed := range []bool{false, true} {
		answer := s.ok("POST", "/v1/transfers/batch", s.operator, batch, "Idempotency-Key", "b1")
		var got []string
		for _, item := range answer["items"].([]any) {
			receipt := item.(map[string]any)
			code := "done"
			if problem, refused := receipt["problem"].(map[string]any); refused {
				code = problem["code"].(string)
			}
			got = append(got, fmt.Sprint(receipt["reference"], " ", code, " ", receipt["replayed"] != nil))
		}
		want := []string{"a done %v", "b insufficient_available %v", "c not_yours false", "d invalid_request false", "e done %v"}
		for i := range want {
			want[i] = strings.Replace(want[i], "%v", fmt.Sprint(replayed), 1)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the batch is answered %v, expected %v", got, want)
		}
	}
	if balance := s.ok("GET", "/v1/accounts/"+worlds, s.serverKey, "")["balance"]; balance != "4" {
		t.Errorf("the account is at %v", balance)
	}
}

// Holds are placed by the debtor and ended by the beneficiary; a retry gets the
// first answer even when another hold has taken the place of the first.
func TestHoldsEndOnce(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	place := `{"reference":"order-1","account":"` + mine + `","beneficiary":"` + worlds + `","amount":"4"}`
	first := s.placed(place)
	settle := func() (int, string, string) {
		answer := s.do("POST", "/v1/holds/"+first+"/settle", s.serverKey, `{"reference":"order-1","amount":"3","final":true}`, "Idempotency-Key", "s1")
		return answer.Code, answer.Body.String(), answer.Header().Get("Idempotent-Replayed")
	}
	status, receipt, _ := settle()
	if status != http.StatusOK {
		t.Fatalf("settled: %d %s", status, receipt)
	}
	second := s.placed(place)
	if second == first {
		t.Errorf("two holds are both called %s", first)
	}
	if status, again, replayed := settle(); status != http.StatusOK || again != receipt || replayed != "true" {
		t.Errorf("a retry is answered %d %s, replayed %q; the first answer was %s", status, again, replayed, receipt)
	}
	if hold := s.ok("GET", "/v1/holds/"+first, s.person, ""); hold["remaining"] != "0" || hold["beneficiary"] != worlds {
		t.Errorf("the hold that has ended is shown as %v", hold)
	}
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/holds/"+first, s.otherPerson, "")
	s.refused(http.StatusNotFound, "not_found", "GET", "/v1/holds/4611686018427387904", s.operator, "")
	account := s.ok("GET", "/v1/accounts/"+mine, s.person, "")
	if account["balance"] != "7" || account["held"] != "4" || account["available"] != "3" {
		t.Errorf("the account is %v", account)
	}
	s.catchUp()
	operations, _ := s.items("/v1/operations/order-1", s.person)
	var story []string
	for _, operation := range operations {
		for _, h := range operation["holds"].([]any) {
			hold := h.(map[string]any)
			story = append(story, fmt.Sprint(operation["kind"], " ", hold["hold"] == first, " ", hold["remaining"]))
		}
	}
	if want := []string{"place_hold true 4", "settle_hold true 0", "place_hold false 4"}; !slices.Equal(story, want) {
		t.Errorf("the operation tells %q, expected %q", story, want)
	}
}

func TestGroupsEndTogether(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	place := `{"account":"` + mine + `","beneficiary":"` + worlds + `","amount":"2","group":"cart"}`
	hold := s.placed(place)
	s.placed(place)
	if shown := s.ok("GET", "/v1/holds/"+hold, s.person, ""); shown["grouped"] != true {
		t.Errorf("the hold is shown as %v", shown)
	}
	// A group of that name of another world, or of the operator, is another.
	for _, key := range []string{s.otherServer, s.operator} {
		s.refused(http.StatusNotFound, "hold_not_found", "POST", "/v1/hold-groups/cart/settle", key, `{}`)
	}
	settled := s.ok("POST", "/v1/hold-groups/cart/settle", s.serverKey, `{}`)
	if holds := settled["holds"].([]any); len(holds) != 2 || len(settled["postings"].([]any)) != 4 {
		t.Errorf("settling the group answered %v", settled)
	}
	s.refused(http.StatusNotFound, "hold_not_found", "POST", "/v1/hold-groups/cart/release", s.serverKey, `{}`)
	if balance := s.ok("GET", "/v1/accounts/"+mine, s.person, "")["balance"]; balance != "6" {
		t.Errorf("the account is at %v", balance)
	}
}

// Lists are read page by page, without gaps and repetitions, to their end.
func TestPages(t *testing.T) {
	s := newStack(t)
	mine, worlds, _ := s.gold()
	for n := range 6 {
		s.ok("POST", "/v1/transfers", s.person, legs("tips", mine, worlds, fmt.Sprintf("0.%d", n+1)))
		s.ok("POST", "/v1/worlds", s.operator, fmt.Sprintf(`{"world":"w%d"}`, n))
		s.ok("POST", "/v1/accounts", s.person, fmt.Sprintf(`{"person":"%s","asset":"GOLD","sub":%d}`, s.personID, n+1))
		s.ok("POST", "/v1/worlds/cafe/policies", s.operator, `{"policy":"pack: game-1"}`)
		s.mint(bank.Day(startMS)-int32(n), 1)
	}
	s.catchUp()
	for _, test := range []struct {
		path, key, member string
		want              string
	}{
		{"/v1/accounts/" + mine + "/statement?", s.person, "amount", "-0.6 -0.5 -0.4 -0.3 -0.2 -0.1 10"},
		{"/v1/operations/tips?", s.operator, "kind", "transfer transfer transfer transfer transfer transfer"},
		{"/v1/worlds?", s.operator, "world", "cafe arena w0 w1 w2 w3 w4 w5"},
		{"/v1/worlds/cafe/accounts?", s.serverKey, "asset", "TIME GOLD"},
		{"/v1/people/" + s.personID + "/mints?", s.person, "day", "2026-01-10 2026-01-09 2026-01-08 2026-01-07 2026-01-06 2026-01-05"},
		{"/v1/supply?", "", "asset", "POINTS TIME GOLD"},
	} {
		for _, limit := range []int{1, 2, 3, 500} {
			path := fmt.Sprintf("%slimit=%d", test.path, limit)
			if got := strings.Join(s.walk(path, test.key, test.member), " "); got != test.want {
				t.Errorf("%s: %s, expected %s", path, got, test.want)
			}
		}
	}
	mains := s.walk("/v1/people/"+s.personID+"/accounts?limit=2", s.person, "account")
	if len(mains) < 8 || !slices.Contains(mains, mine) {
		t.Errorf("the person's accounts are %v", mains)
	}
	for _, path := range []string{"/v1/accounts/" + mine + "/statement", "/v1/operations/tips", "/v1/worlds", "/v1/worlds/cafe/accounts", "/v1/people/" + s.personID + "/mints", "/v1/supply", "/v1/epochs", "/v1/worlds/cafe/policies"} {
		s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", path+"?cursor=nowhere", s.operator, "")
		s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", path+"?limit=100000", s.operator, "")
	}
}

// mint posts what the person has earned on a day.
func (s *stack) mint(day int32, points int64) {
	s.Helper()
	id, err := parsePerson(s.personID)
	if err != nil {
		s.Fatal(err)
	}
	answers, err := s.bank.Submit(context.Background(), bank.Mint{Person: id, World: 1, Day: day, Revision: 1, CumulativePointsMicro: points * 1_000_000}.AppendTo(nil))
	if err != nil || answers[0].Refusal != bank.Accepted {
		s.Fatal(answers, err)
	}
}
