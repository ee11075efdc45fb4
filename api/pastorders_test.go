package api

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/wire"
)

// An order that has ended is shown with how, and listed, to its owner and to
// operators only.
func TestOrdersThatHaveEnded(t *testing.T) {
	s := newStack(t)
	m := s.market("continuous")
	sale := s.order(s.person, m, "sell", "10.1", "2")["order"].(string)
	taker := s.order(s.otherPerson, m, "buy", "10.1", "0.5")["order"].(string)
	s.catchUp()
	mine := decoded[wire.Order](s, "/v1/orders/"+sale, s.person)
	if mine.Status != "open" || mine.Filled != "0.5" || mine.Open != "1.5" {
		t.Errorf("while it is open: %+v", mine)
	}
	ended := decoded[wire.Order](s, "/v1/orders/"+taker, s.otherPerson)
	if ended.Status != "filled" || ended.Filled != "0.5" || ended.Open != "0" || ended.Paid != "5.05" || ended.Fee == "" || ended.Ended == "" || ended.Type != "gtc" {
		t.Errorf("one that was filled: %+v", ended)
	}
	s.ok("POST", "/v1/orders/"+sale+"/amend", s.person, `{"price":"10.2","quantity":"1"}`)
	s.nowMS += 1000
	s.ok("POST", "/v1/orders/"+sale+"/cancel", s.person, `{}`)

	// Until the history has it, it is not said to be open; whoever waits for the
	// history reads it then.
	waited := uint64(0)
	s.server.Await = func(_ context.Context, seq uint64) error { waited = seq; return context.DeadlineExceeded }
	s.refused(http.StatusServiceUnavailable, "history_behind", "GET", "/v1/orders/"+sale, s.person, "")
	s.server.Await = func(context.Context, uint64) error { s.catchUp(); return nil }
	gone := decoded[wire.Order](s, "/v1/orders/"+sale, s.person)
	if gone.Status != "cancelled" || gone.Reason != "by_owner" || gone.Price != "10.2" || gone.Quantity != "1" || gone.Filled != "0.5" || gone.Paid != "5.05" || waited == 0 {
		t.Errorf("one that was cancelled: %+v", gone)
	}

	second := s.order(s.person, m, "sell", "11", "1")["order"].(string)
	s.catchUp()
	of := func(path, key string) []string { return s.walk(path, key, "order") }
	for path, want := range map[string][]string{
		"?limit=1": {second, sale}, "?status=open": {second}, "?status=ended": {sale}, "?status=cancelled&market=" + m: {sale},
	} {
		got := of("/v1/people/me/orders"+path, s.person)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if none := decoded[wire.List[wire.Order]](s, "/v1/people/me/orders?status=filled", s.person); len(none.Items) != 0 {
		t.Errorf("orders that were filled: %+v", none)
	}
	if all := of("/v1/people/"+s.personID+"/orders", s.operator); len(all) != 2 {
		t.Errorf("to the operator: %v", all)
	}
	if order := decoded[wire.Order](s, "/v1/orders/"+sale+"?person="+s.personID, s.operator); order.Status != "cancelled" {
		t.Errorf("one order to the operator: %+v", order)
	}
	s.refused(http.StatusNotFound, "order_not_found", "GET", "/v1/orders/"+sale, s.operator, "")
	s.refused(http.StatusNotFound, "order_not_found", "GET", "/v1/orders/"+sale, s.otherPerson, "")
	s.refused(http.StatusNotFound, "order_not_found", "GET", "/v1/orders/"+second+"?person="+s.personID, s.otherPerson, "")
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/people/"+s.personID+"/orders", s.otherPerson, "")
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/people/me/orders?cursor=1", s.person, "")
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/people/me/orders?status=gone", s.person, "")
}
