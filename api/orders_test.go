package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// What takes a key about markets.
func init() {
	maps.Copy(keyed, map[string]struct{ who, body, other string }{
		"create-market":    {"operator", newMarket("10"), newMarket("20")},
		"set-market-terms": {"operator", `{"maker_fee_bps":1,"taker_fee_bps":2,"call_fee_bps":3}`, `{"maker_fee_bps":1,"taker_fee_bps":2,"call_fee_bps":4}`},
		"call-auction":     {"operator", `{"reference":"10"}`, `{"reference":"11"}`},
		"halt-market":      {"operator", "", ""},
		"halt-trading":     {"operator", `{"halted":true}`, `{"halted":false}`},
		"halt-person":      {"operator", `{"halted":true}`, `{"halted":false}`},
		"set-tier":         {"operator", tier("1"), tier("2")},
		"place-order":      {"person", `{"market":"1","side":"sell","price":"10","quantity":"1"}`, `{"market":"1","side":"sell","price":"10","quantity":"2"}`},
		"amend-order":      {"person", `{"price":"12","quantity":"2"}`, `{"price":"13","quantity":"2"}`},
		"cancel-order":     {"person", `{"reference":"a"}`, `{"reference":"b"}`},
		"cancel-orders":    {"person", `{"reference":"a"}`, `{"reference":"b"}`},
	})
}

// market opens a continuous market of TIME in COIN whose ticks are 0.01 COIN
// and whose lots are 0.1 TIME, opens it by an auction, and gives alice 10 TIME
// and bob 10 TIME and 1000 COIN.
func (s *stack) market(mode string) (number string) {
	s.Helper()
	s.earn(s.personID, 600_000_000)
	s.earn(s.otherPersonID, 600_000_000)
	s.nowMS += 25 * 60 * 60 * 1000
	issuer := s.ok("POST", "/v1/assets", s.operator, `{"asset":"COIN","scale":2,"world":"cafe"}`)["issuer"].(string)
	gold := s.ok("POST", "/v1/accounts", s.otherPerson, `{"person":"`+s.otherPersonID+`","asset":"COIN"}`)["account"].(string)
	s.ok("POST", "/v1/transfers", s.operator, legs("", issuer, gold, "1000"))
	number = s.ok("POST", "/v1/markets", s.operator, `{"base":"TIME","quote":"COIN","mode":"`+mode+`","lot":"0.1","tick":"0.1","maker_fee_bps":10,"taker_fee_bps":30,"call_fee_bps":20,
		"operator_share_bps":5000,"min_notional":"0.5","auction_ms":1000,"batch_ms":1000,"random_end_ms":0,"locked_ms":0,"dynamic_band_bps":0,"static_band_bps":0}`)["market"].(string)
	s.refused(http.StatusConflict, "market_halted", "POST", "/v1/orders", s.person, `{"market":"`+number+`","side":"sell","price":"10","quantity":"1"}`)
	if opened := s.ok("POST", "/v1/markets/"+number+"/auction", s.operator, `{"reference":"10"}`); opened["phase"] != "auction" || opened["reference"] != "10" {
		s.Fatalf("the auction is answered %v", opened)
	}
	s.nowMS += 1000
	return number
}

func TestOrders(t *testing.T) {
	s := newStack(t)
	m := s.market("continuous")
	sell := s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.1","quantity":"2","reference":"mine-1"}`, "Idempotency-Key", "a")
	if sell["status"] != "open" || sell["held"] != "2" || sell["price"] != "10.1" {
		t.Errorf("the sale is answered %v", sell)
	}
	if again := s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.1","quantity":"2","reference":"mine-1"}`, "Idempotency-Key", "a"); again["order"] != sell["order"] {
		t.Errorf("the same call again is answered %v", again)
	}
	if market := s.ok("GET", "/v1/markets/"+m, "", ""); market["phase"] != "continuous" || market["tick"] != "0.1" || market["lot"] != "0.1" || market["open_orders"] != 1.0 {
		t.Errorf("the market is %v", market)
	}
	buy := s.ok("POST", "/v1/orders", s.otherPerson, `{"market":"`+m+`","side":"buy","price":"10.2","quantity":"0.5"}`)
	fills := buy["fills"].([]any)
	if buy["status"] != "filled" || buy["paid"] != "5.05" || buy["fee"] != "0.02" || len(fills) != 1 || fills[0].(map[string]any)["price"] != "10.1" || fills[0].(map[string]any)["role"] != "taker" {
		t.Errorf("the purchase is answered %v", buy)
	}
	if strings.Contains(fmtJSON(t, buy), strings.TrimPrefix(sell["order"].(string), m+"-")) {
		t.Errorf("the answer tells with whom was traded: %v", buy)
	}
	// What is not there, not theirs or not a step of the market.
	s.refused(http.StatusNotFound, "market_not_found", "POST", "/v1/orders", s.person, `{"market":"9","side":"sell","price":"10","quantity":"1"}`)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.05","quantity":"1"}`)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10","quantity":"0.05"}`)
	s.refused(http.StatusUnprocessableEntity, "notional_too_small", "POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"4","quantity":"0.1"}`)
	s.refused(http.StatusConflict, "insufficient_available", "POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"20","quantity":"9"}`)
	order := "/v1/orders/" + sell["order"].(string)
	s.refused(http.StatusNotFound, "order_not_found", "GET", order, s.otherPerson, "")
	s.refused(http.StatusForbidden, "not_owner", "POST", order+"/cancel", s.otherPerson, `{}`)
	s.refused(http.StatusForbidden, "role_forbidden", "POST", "/v1/orders", s.serverKey, `{"market":"`+m+`","side":"sell","price":"10","quantity":"1"}`)
	if open := s.ok("GET", order, s.person, ""); open["open"] != "1.5" || open["quantity"] != "2" {
		t.Errorf("the sale is %v", open)
	}
	if amended := s.ok("POST", order+"/amend", s.person, `{"price":"10.3","quantity":"1"}`); amended["open"] != "0.5" || amended["held"] != "0.5" {
		t.Errorf("amended it is %v", amended)
	}
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"buy","price":"5","quantity":"0.1"}`)
	if orders := s.walk("/v1/orders?limit=1", s.person, "order"); len(orders) != 2 {
		t.Errorf("open are %v", orders)
	}
	if ended := s.ok("POST", order+"/cancel", s.person, `{}`); ended["status"] != "cancelled" || ended["reason"] != "by_owner" {
		t.Errorf("cancelled it is %v", ended)
	}
	if ended := s.ok("POST", "/v1/orders/cancel", s.person, `{"market":"`+m+`"}`); len(ended["orders"].([]any)) != 1 {
		t.Errorf("cancelling all is answered %v", ended)
	}
	// Whoever gives no sign has no orders any longer.
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"11","quantity":"1"}`)
	if kept := s.ok("POST", "/v1/orders/heartbeat", s.person, `{"timeout_ms":5000}`); kept["until"] == nil {
		t.Errorf("the heartbeat is answered %v", kept)
	}
	s.nowMS += 5000
	s.ok("POST", "/v1/orders/heartbeat", s.otherPerson, `{"timeout_ms":0}`)
	if orders, _ := s.items("/v1/orders", s.person); len(orders) != 0 {
		t.Errorf("after the silence are open %v", orders)
	}
	s.catchUp()
}

func TestConversions(t *testing.T) {
	s := newStack(t)
	m := s.market("continuous")
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.1","quantity":"1"}`)
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.2","quantity":"1"}`)
	s.refused(http.StatusConflict, "cannot_fill", "GET", "/v1/markets/"+m+"/quote?side=buy&quantity=3", s.otherPerson, "")
	quote := s.ok("GET", "/v1/markets/"+m+"/quote?side=buy&quantity=1.5&slippage_bps=0", s.otherPerson, "")
	if quote["paid"] != "15.2" || quote["fee"] != "0.05" || quote["total"] != "15.25" || quote["bound"] != "15.25" || quote["worst_price"] != "10.2" || quote["indicative"] != false {
		t.Errorf("the quote is %v", quote)
	}
	body := `{"quote":"` + quote["quote"].(string) + `"}`
	converted := s.ok("POST", "/v1/conversions", s.otherPerson, body)
	if converted["total"] != "15.25" || converted["order"].(map[string]any)["status"] != "filled" || converted["pending"] != false {
		t.Errorf("it is answered %v", converted)
	}
	again := s.do("POST", "/v1/conversions", s.otherPerson, body)
	if again.Header().Get("Idempotent-Replayed") != "true" || members(t, again.Body)["total"] != "15.25" {
		t.Errorf("the same quote again is answered %v", again)
	}
	// A quote is good for ten seconds and within its bound.
	quote = s.ok("GET", "/v1/markets/"+m+"/quote?side=buy&quantity=0.5&slippage_bps=0", s.otherPerson, "")
	s.ok("POST", "/v1/orders/cancel", s.person, `{}`)
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.3","quantity":"1"}`)
	s.refused(http.StatusConflict, "slippage_exceeded", "POST", "/v1/conversions", s.otherPerson, `{"quote":"`+quote["quote"].(string)+`"}`)
	quote = s.ok("GET", "/v1/markets/"+m+"/quote?side=buy&quantity=0.5", s.otherPerson, "")
	s.nowMS += 10_000
	s.refused(http.StatusConflict, "quote_expired", "POST", "/v1/conversions", s.otherPerson, `{"quote":"`+quote["quote"].(string)+`"}`)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/conversions", s.otherPerson, `{"quote":"AAAA"}`)
}

// In a market of batches a conversion is an order of the running batch.
func TestConversionInABatch(t *testing.T) {
	s := newStack(t)
	m := s.market("batch")
	s.ok("POST", "/v1/orders", s.person, `{"market":"`+m+`","side":"sell","price":"10.1","quantity":"1"}`)
	quote := s.ok("GET", "/v1/markets/"+m+"/quote?side=buy&quantity=1", s.otherPerson, "")
	if quote["indicative"] != true || quote["total"] != "10.13" {
		t.Errorf("the quote is %v", quote)
	}
	converted := s.ok("POST", "/v1/conversions", s.otherPerson, `{"quote":"`+quote["quote"].(string)+`"}`)
	if converted["pending"] != true || converted["total"] != nil || converted["order"].(map[string]any)["status"] != "open" {
		t.Errorf("it is answered %v", converted)
	}
	s.nowMS += 1000
	s.ok("POST", "/v1/orders/heartbeat", s.person, `{"timeout_ms":0}`)
	accounts, _ := s.items("/v1/people/"+s.otherPersonID+"/accounts", s.otherPerson)
	for _, account := range accounts {
		if account["asset"] == "COIN" && account["balance"] != "989.87" || account["asset"] == "TIME" && account["balance"] != "11.0002" {
			t.Errorf("after the batch bob has %v", account)
		}
	}
}

func TestHaltsAndTiers(t *testing.T) {
	s := newStack(t)
	m := s.market("continuous")
	order := `{"market":"` + m + `","side":"sell","price":"10","quantity":"1"}`
	s.ok("PUT", "/v1/people/"+s.personID+"/trading", s.operator, `{"halted":true}`)
	s.refused(http.StatusForbidden, "owner_halted", "POST", "/v1/orders", s.person, order)
	s.ok("PUT", "/v1/people/"+s.personID+"/trading", s.operator, `{"halted":false}`)
	s.ok("PUT", "/v1/trading", s.operator, `{"halted":true}`)
	s.refused(http.StatusConflict, "all_halted", "POST", "/v1/orders", s.person, order)
	s.ok("PUT", "/v1/trading", s.operator, `{"halted":false}`)
	s.nowMS += 1000
	s.ok("POST", "/v1/orders", s.person, order)
	if halted := s.ok("POST", "/v1/markets/"+m+"/halt", s.operator, ""); halted["phase"] != "halted" || halted["market"] != m {
		t.Errorf("halted it is %v", halted)
	}
	terms := s.ok("PUT", "/v1/markets/"+m+"/terms", s.operator, `{"maker_fee_bps":0,"taker_fee_bps":5,"call_fee_bps":0}`)
	if terms["taker_fee_bps"] != 5.0 || terms["maker_fee_bps"] != 0.0 {
		t.Errorf("with other terms it is %v", terms)
	}
	s.refused(http.StatusUnprocessableEntity, "terms_invalid", "PUT", "/v1/markets/"+m+"/terms", s.operator, `{"maker_fee_bps":0,"taker_fee_bps":5,"call_fee_bps":0,"burned_share_bps":1}`)
	tiers, _ := s.items("/v1/tiers", "")
	if len(tiers) != 10 || tiers[0]["order"] != "100" {
		t.Errorf("the tiers are %v", tiers)
	}
	s.ok("PUT", "/v1/tiers/0", s.operator, `{"tier":0,"order":"0.5","daily":"1","holdings":"1000","open_orders":3,"messages_per_second":1,"messages_burst":1}`)
	s.ok("POST", "/v1/markets/"+m+"/auction", s.operator, `{}`)
	s.refused(http.StatusConflict, "order_too_large", "POST", "/v1/orders", s.person, order)
	s.refused(http.StatusUnprocessableEntity, "market_invalid", "POST", "/v1/markets", s.operator, `{"base":"TIME","quote":"TIME","lot":"1","tick":"1","maker_fee_bps":0,"taker_fee_bps":0,"call_fee_bps":0}`)
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/markets", s.operator, `{"base":"TIME","quote":"COIN","lot":"0.1","tick":"0.01","maker_fee_bps":0,"taker_fee_bps":0,"call_fee_bps":0}`)
	if markets, _ := s.items("/v1/markets", ""); len(markets) != 1 {
		t.Errorf("the markets are %v", markets)
	}
}

func fmtJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
