package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
)

// earn lets a person earn points of world 1, and the epoch close that pays them.
func (s *stack) earn(personID string, pointsMicro int64) {
	s.Helper()
	id, err := parsePerson(personID)
	if err != nil {
		s.Fatal(err)
	}
	mint := bank.Mint{Person: id, World: 1, Day: bank.Day(s.nowMS), Revision: 1, CumulativePointsMicro: pointsMicro}
	answers, err := s.bank.Submit(context.Background(), mint.AppendTo(nil))
	if err != nil || answers[0].Refusal != bank.Accepted {
		s.Fatalf("%v %v", answers, err)
	}
}

// shop gives the world a sword and a song to sell, and alice and bob 10 TIME.
// Alice has bought two swords (purchases 1 and 3) and a song that is not
// rendered yet (purchase 2), and offers a sword for 1.5 (listing 1).
func (s *stack) shop() {
	s.Helper()
	s.earn(s.personID, 600_000_000)
	s.earn(s.otherPersonID, 600_000_000)
	s.nowMS += 25 * 60 * 60 * 1000
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"SWORD","scale":0,"world":"cafe"}`)
	s.ok("PUT", "/v1/worlds/cafe/products/sword", s.serverKey, `{"kind":"item","asset":"SWORD","price":"2","supply":3,"refund_window_seconds":86400,"royalty_bps":1000,"on_sale":true}`)
	s.ok("PUT", "/v1/worlds/cafe/products/song", s.serverKey, `{"kind":"service","price":"0.5","deadline_seconds":86400,"on_sale":true}`)
	s.ok("POST", "/v1/purchases", s.person, `{"world":"cafe","product":"sword","quantity":1,"max_total":"2","reference":"order-1"}`)
	s.ok("POST", "/v1/purchases", s.person, `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`)
	s.ok("POST", "/v1/purchases", s.person, `{"world":"cafe","product":"sword","quantity":1,"max_total":"2"}`)
	s.ok("POST", "/v1/listings", s.person, `{"asset":"SWORD","quantity":1,"price":"1.5"}`)
}

func TestShop(t *testing.T) {
	s := newStack(t)
	s.shop()
	products, _ := s.items("/v1/worlds/cafe/products", s.otherPerson)
	if len(products) != 2 || products[0]["sold"] != 2.0 || products[0]["asset"] != "SWORD" || products[1]["kind"] != "service" {
		t.Errorf("the catalogue is %v", products)
	}
	// Everyone sees what is theirs, and a world what it sold.
	for key, code := range map[string]int{s.person: 200, s.serverKey: 200, s.operator: 200, s.otherPerson: 403, s.otherServer: 403} {
		if answer := s.do("GET", "/v1/purchases/1", key, ""); answer.Code != code {
			t.Errorf("purchase 1 is answered %d %s, expected %d", answer.Code, answer.Body, code)
		}
	}
	buy := func(quantity, most string) string {
		return `{"world":"cafe","product":"sword","quantity":` + quantity + `,"max_total":"` + most + `"}`
	}
	s.refused(http.StatusConflict, "sold_out", "POST", "/v1/purchases", s.otherPerson, buy("2", "4"))
	s.refused(http.StatusConflict, "price_exceeded", "POST", "/v1/purchases", s.otherPerson, buy("1", "1.999999"))
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "POST", "/v1/purchases", s.otherPerson, buy("1", "2.0000001"))
	s.refused(http.StatusNotFound, "product_not_found", "POST", "/v1/purchases", s.person, `{"world":"arena","product":"sword","quantity":1,"max_total":"4"}`)
	s.refused(http.StatusForbidden, "not_yours", "POST", "/v1/purchases/2/outcome", s.otherServer, `{"delivered":true}`)
	s.refused(http.StatusForbidden, "role_forbidden", "POST", "/v1/purchases/1/refund", s.person, `{}`)
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/worlds/cafe/products/free", s.otherServer, `{"kind":"service","price":"1","deadline_seconds":1,"on_sale":true}`)

	// A service that is rendered is paid for.
	if ended := s.ok("POST", "/v1/purchases/2/outcome", s.serverKey, `{"delivered":true}`); ended["status"] != "delivered" {
		t.Errorf("the song is %v", ended)
	}
	s.refused(http.StatusConflict, "purchase_over", "POST", "/v1/purchases/2/outcome", s.serverKey, `{"delivered":false}`)

	// Bob buys what alice offers; a tenth goes to the world.
	listings, _ := s.items("/v1/listings?asset=SWORD", s.otherPerson)
	if len(listings) != 1 || listings[0]["price"] != "1.5" || listings[0]["yours"] != nil {
		t.Fatalf("offered is %v", listings)
	}
	s.refused(http.StatusForbidden, "not_yours", "POST", "/v1/listings/1/cancel", s.otherPerson, `{}`)
	s.refused(http.StatusConflict, "own_listing", "POST", "/v1/listings/1/purchase", s.person, `{"max_price":"2"}`)
	receipt := s.ok("POST", "/v1/listings/1/purchase", s.otherPerson, `{"max_price":"1.5","reference":"resale-1"}`)
	var moved []any
	for _, p := range receipt["postings"].([]any) {
		moved = append(moved, p.(map[string]any)["amount"])
	}
	if want := []any{"-1.35", "1.35", "-0.15", "0.15", "-1", "1", "-1", "1"}; len(moved) != len(want) || moved[1] != want[1] || moved[3] != want[3] || moved[7] != want[7] {
		t.Errorf("the resale moved %v, expected %v", moved, want)
	}
	// Alice has one of two swords left, so only one can be taken back.
	if refunded := s.ok("POST", "/v1/purchases/1/refund", s.serverKey, `{}`); refunded["status"] != "refunded" {
		t.Errorf("the refund is answered %v", refunded)
	}
	s.refused(http.StatusConflict, "insufficient_available", "POST", "/v1/purchases/3/refund", s.serverKey, `{}`)

	// What a purchase did is found by its reference, in the history too.
	s.catchUp()
	operations, _ := s.items("/v1/operations/order-1", s.person)
	if len(operations) != 1 || operations[0]["kind"] != "purchase" {
		t.Errorf("the operation of the purchase is %v", operations)
	}
	if lag := s.follower.Lag(); lag != (history.Lag{}) {
		t.Errorf("the history lags by %+v", lag)
	}
}
