package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// keyed are calls that take an Idempotency-Key, by the id of their operation:
// who makes them, and two bodies that differ. {mine}, {worlds} and {issuer} are
// accounts, {hold} an open hold of 2.
var keyed = map[string]struct{ who, body, other string }{
	"create-world":         {"operator", `{"world":"plaza"}`, `{"world":"park"}`},
	"set-world-share":      {"operator", `{"weight":3}`, `{"weight":4}`},
	"set-world-retention":  {"operator", `{"days":30}`, `{"days":31}`},
	"publish-policy":       {"operator", `{"policy":"beta: 1"}`, `{"policy":"beta: 2"}`},
	"set-monetary-policy":  {"operator", monetary("capped"), monetary("fixed")},
	"create-asset":         {"operator", `{"asset":"TICKET","scale":0}`, `{"asset":"TICKET","scale":1}`},
	"open-account":         {"server", `{"world":"cafe","asset":"GOLD","sub":7}`, `{"world":"cafe","asset":"GOLD","sub":8}`},
	"admit-operator":       {"operator", `{"name":"bo","key_hash":"` + strings.Repeat("ab", 32) + `"}`, `{"name":"bo","key_hash":"` + strings.Repeat("cd", 32) + `"}`},
	"set-account-limits":   {"operator", `{"floor":"1","credit_limit":"0"}`, `{"floor":"2","credit_limit":"0"}`},
	"create-transfer":      {"person", legs("r", "{mine}", "{worlds}", "1"), legs("r", "{mine}", "{worlds}", "2")},
	"create-transfers":     {"operator", `{"transfers":[` + legs("r", "{issuer}", "{mine}", "1") + `]}`, `{"transfers":[` + legs("r", "{issuer}", "{mine}", "2") + `]}`},
	"place-hold":           {"person", `{"account":"{mine}","beneficiary":"{worlds}","amount":"1"}`, `{"account":"{mine}","beneficiary":"{worlds}","amount":"2"}`},
	"settle-hold":          {"server", `{"amount":"1","final":true}`, `{"amount":"2"}`},
	"release-hold":         {"server", `{"reference":"a"}`, `{"reference":"b"}`},
	"settle-group":         {"server", `{"reference":"a"}`, `{"reference":"b"}`},
	"release-group":        {"server", `{"reference":"a"}`, `{"reference":"b"}`},
	"set-product":          {"server", `{"kind":"item","asset":"SWORD","price":"2","on_sale":true}`, `{"kind":"item","asset":"SWORD","price":"3","on_sale":true}`},
	"create-purchase":      {"person", `{"world":"cafe","product":"sword","quantity":1,"max_total":"9"}`, `{"world":"cafe","product":"sword","quantity":2,"max_total":"9"}`},
	"end-purchase":         {"server", `{"delivered":true}`, `{"delivered":false}`},
	"refund-purchase":      {"server", `{"reference":"a"}`, `{"reference":"b"}`},
	"create-listing":       {"person", `{"asset":"SWORD","quantity":1,"price":"1"}`, `{"asset":"SWORD","quantity":1,"price":"2"}`},
	"cancel-listing":       {"person", `{"reference":"a"}`, `{"reference":"b"}`},
	"buy-listing":          {"other", `{"max_price":"9"}`, `{"max_price":"8"}`},
	"set-eligibility":      {"operator", `{"text":"name: a"}`, `{"text":"name: b"}`},
	"set-payout-rate":      {"operator", `{"currency":"EUR","paid":"0.07","per":"0.30","open":true}`, `{"currency":"EUR","paid":"0.08","per":"0.30","open":true}`},
	"create-payout":        {"person", `{"asset":"GOLD","amount":"1","min_paid":"0.2"}`, `{"asset":"GOLD","amount":"2","min_paid":"0.2"}`},
	"cancel-payout":        {"person", `{}`, `{}`},
	"file-payouts":         {"operator", `{"currency":"EUR"}`, `{"currency":"EUR","most":7}`},
	"end-payout":           {"operator", `{"status":"failed"}`, `{"status":"paid"}`},
	"create-card-credit":   {"operator", `{"person":"{id}","asset":"GOLD","amount":"1","until":"2026-02-01T00:00:00Z"}`, `{"person":"{id}","asset":"GOLD","amount":"2","until":"2026-02-01T00:00:00Z"}`},
	"charge-back":          {"operator", `{"reference":"a"}`, `{"reference":"b"}`},
	"set-collection":       {"server", `{"royalty_bps":100}`, `{"royalty_bps":200}`},
	"set-good":             {"server", `{"price":"1"}`, `{"price":"2"}`},
	"offer-good":           {"person", `{"price":"1"}`, `{"price":"2"}`},
	"buy-good":             {"other", `{"max_price":"9"}`, `{"max_price":"8"}`},
	"give-good":            {"person", `{"to":"{otherid}"}`, `{"to":"{id}"}`},
	"refund-good":          {"server", `{"reference":"a"}`, `{"reference":"b"}`},
	"set-allowance":        {"person", `{"daily":"3"}`, `{"daily":"4"}`},
	"charge-user":          {"server", `{"amount":"1"}`, `{"amount":"2"}`},
	"purchase-for-user":    {"server", `{"product":"sword","quantity":1,"max_total":"9"}`, `{"product":"sword","quantity":1,"max_total":"8"}`},
	"publish-review-rules": {"operator", strictRules, strings.Replace(strictRules, "strict", "stricter", 1)},
	"decide-case":          {"operator", `{"decision":"uphold"}`, `{"decision":"release"}`},
	"set-own-limits":       {"person", `{"spend_daily":"3","earn_minutes":60}`, `{"spend_daily":"4"}`},
}

func newMarket(fee string) string {
	return `{"base":"COIN","quote":"TIME","lot":"1","tick":"0.01","maker_fee_bps":` + fee + `,"taker_fee_bps":10,"call_fee_bps":10}`
}

func tier(open string) string {
	return `{"tier":1,"order":"1","daily":"1","holdings":"1","open_orders":` + open + `,"messages_per_second":1,"messages_burst":1}`
}

func monetary(mode string) string {
	return `{"mode":"` + mode + `","lambda":"0.5","budget":"1000","epoch_seconds":86400,"close_delay_seconds":600}`
}

// Every call that takes an Idempotency-Key is carried out once: a retry, an
// hour or a restart of the caller later, gets the first answer, and another
// body under the key is refused.
func TestEveryKeyedCallIsCarriedOutOnce(t *testing.T) {
	s := newStack(t)
	var document struct {
		Paths map[string]map[string]describedOperation
	}
	if err := json.Unmarshal(s.do("GET", "/openapi.json", "", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, methods := range document.Paths {
		for method, op := range methods {
			for _, p := range op.Parameters {
				if p.Name == "Idempotency-Key" {
					tried++
					t.Run(op.OperationID, func(t *testing.T) { requireOnce(t, strings.ToUpper(method), path, op.OperationID) })
				}
			}
		}
	}
	if tried != len(keyed) {
		t.Errorf("%d calls take a key, %d are on file", tried, len(keyed))
	}
}

func requireOnce(t *testing.T, method, path, id string) {
	s := newStack(t)
	mine, worlds, issuer := s.gold()
	hold := s.placed(`{"account":"` + mine + `","beneficiary":"` + worlds + `","amount":"2","group":"cart"}`)
	call, known := keyed[id]
	if !known {
		t.Fatalf("%s is not on file", id)
	}
	key := map[string]string{"operator": s.operator, "server": s.serverKey, "person": s.person, "other": s.otherPerson}[call.who]
	if strings.Contains(path, "/products/") || strings.Contains(path, "/purchases") || strings.Contains(path, "/listings") {
		s.shop()
	}
	if strings.Contains(path, "/payout") || strings.Contains(path, "/card-credits") {
		s.payouts()
	}
	if strings.Contains(path, "/goods/") || strings.Contains(path, "/collections/") {
		s.shop()
		s.land()
		if id == "buy-good" {
			s.ok("POST", "/v1/goods/1/offer", s.person, `{"price":"1"}`)
		}
	}
	if id == "decide-case" {
		s.ok("POST", "/v1/review-rules", s.operator, strictRules)
		s.crowd()
	}
	if strings.Contains(path, "/charges") || id == "purchase-for-user" {
		s.earn(s.personID, 1200_000_000)
		s.nowMS += 25 * 60 * 60 * 1000
		s.ok("PUT", "/v1/people/me/allowances/cafe", s.person, `{"daily":"5"}`)
	}
	if strings.Contains(path, "/markets") || strings.Contains(path, "/orders") || strings.Contains(path, "/trading") || strings.Contains(path, "/tiers") {
		s.market("continuous")
		order := s.ok("POST", "/v1/orders", s.person, `{"market":"1","side":"sell","price":"11","quantity":"1"}`)["order"].(string)
		path = strings.NewReplacer("{market}", "1", "{order}", order, "{tier}", "1", "{person}", s.personID).Replace(path)
	}
	if id == "call-auction" {
		s.ok("POST", "/v1/markets/1/halt", s.operator, "")
	}
	purchase := map[string]string{"end-purchase": "2"}[id] // a service; 1 is an item
	if purchase == "" {
		purchase = "1"
	}
	path = strings.NewReplacer("{product}", "sword", "{purchase}", purchase, "{listing}", "1", "{case}", "1", "{payout}", "1", "{credit}", "1", "{good}", "1", "{asset}", map[bool]string{true: "LAND", false: "GOLD"}[strings.Contains(path, "collections")], "{id}", "0,2").Replace(path)
	fill := strings.NewReplacer("{mine}", mine, "{worlds}", worlds, "{issuer}", issuer, "{hold}", hold, "{world}", "cafe", "{account}", worlds, "{group}", "cart", "{person}", "me", "{user_id}", "alice", "{id}", s.personID, "{otherid}", s.otherPersonID)
	path, body := fill.Replace(path), fill.Replace(call.body)

	first := s.do(method, path, key, body, "Idempotency-Key", "k")
	s.nowMS += 60 * 60 * 1000
	again := s.do(method, path, key, body, "Idempotency-Key", "k")
	if first.Code/100 != 2 || again.Code != first.Code {
		t.Fatalf("first %d %s\nagain %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if id == "create-transfers" { // says it item by item
		if strings.ReplaceAll(again.Body.String(), `,"replayed":true`, "") != first.Body.String() || !strings.Contains(again.Body.String(), `"replayed":true`) {
			t.Errorf("first %s\nagain %s", first.Body, again.Body)
		}
	} else if first.Header().Get("Idempotent-Replayed") != "" || again.Header().Get("Idempotent-Replayed") != "true" || again.Body.String() != first.Body.String() {
		t.Errorf("first %v %s\nagain %v %s", first.Header(), first.Body, again.Header(), again.Body)
	}
	if id == "create-transfers" {
		other := s.do(method, path, key, fill.Replace(call.other), "Idempotency-Key", "k")
		if !strings.Contains(other.Body.String(), `"code":"key_reused"`) {
			t.Errorf("another body under the key is answered %s", other.Body)
		}
		return
	}
	if call.other == call.body {
		return // it has none
	}
	s.refused(http.StatusUnprocessableEntity, "key_reused", method, path, key, fill.Replace(call.other), "Idempotency-Key", "k")
}

// The default day of a policy is tomorrow; a retry after midnight means the
// tomorrow of the first call.
func TestPolicyRetriedAfterMidnight(t *testing.T) {
	s := newStack(t)
	first := s.do("POST", "/v1/worlds/cafe/policies", s.operator, `{"policy":"beta: 1"}`, "Idempotency-Key", "p")
	s.nowMS += 13 * 60 * 60 * 1000
	again := s.do("POST", "/v1/worlds/cafe/policies", s.operator, `{"policy":"beta: 1"}`, "Idempotency-Key", "p")
	if first.Code != http.StatusCreated || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %d %s\nagain %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	s.refused(http.StatusUnprocessableEntity, "key_reused", "POST", "/v1/worlds/cafe/policies", s.operator, `{"policy":"beta: 2"}`, "Idempotency-Key", "p")
}
