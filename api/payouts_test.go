package api

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/outbox"
)

const annsIBAN = "NO9386011117947"

// payouts lets alice, who has gold, be paid out, with payout 1 pending and a
// card credit 1.
func (s *stack) payouts() {
	s.Helper()
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"EUR","scale":2}`)
	s.ok("PUT", "/v1/payout-rates/GOLD", s.operator, `{"currency":"EUR","paid":"0.07","per":"0.30","open":true}`)
	if rate := s.ok("GET", "/v1/payout-rates/GOLD", s.person, ""); rate["paid"] != "0.07" || rate["per"] != "0.3" || rate["open"] != true {
		s.Errorf("gold is paid out at %v", rate)
	}
	s.ok("PUT", "/v1/eligibility", s.operator, table(payoutsInGermany))
	s.ok("PUT", "/v1/people/"+s.personID+"/attributes", s.operator, `{"country":"DE","age":"adult","tier":2}`)
	s.ok("PUT", "/v1/people/me/payee", s.person, `{"name":"Alice O'Hara","iban":"`+annsIBAN+`"}`)
	s.ok("POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"1","min_paid":"0.2"}`)
	s.ok("POST", "/v1/card-credits", s.operator, `{"person":"`+s.personID+`","asset":"GOLD","amount":"5","until":"2026-02-01T00:00:00Z"}`)
}

// handedOver says that a file was handed over, as the outbox does.
func (s *stack) handedOver(file uint64) {
	s.Helper()
	if err := s.server.desk.Sent(s.Context(), file); err != nil {
		s.Fatal(err)
	}
}

// Value leaves as money: asked for by the person, put into a file once, and
// what became of it said by the operator; nothing of the payee in the journal.
func TestPayouts(t *testing.T) {
	s := newStack(t)
	mine, _, _ := s.gold()
	s.refused(http.StatusConflict, "payee_missing", "POST", "/v1/payouts", s.otherPerson, `{"asset":"GOLD","amount":"1","min_paid":"0"}`)
	s.ok("PUT", "/v1/people/me/payee", s.otherPerson, `{"name":"Bob","iban":"`+annsIBAN+`"}`)
	s.refused(http.StatusForbidden, "feature_denied", "POST", "/v1/payouts", s.otherPerson, `{"asset":"GOLD","amount":"1","min_paid":"0"}`)
	s.payouts()
	asked := s.ok("GET", "/v1/payouts/1", s.person, "")
	if asked["status"] != "pending" || asked["paid"] != "0.23" || asked["amount"] != "0.99" || asked["currency"] != "EUR" {
		t.Errorf("asked for was %v", asked)
	}
	if account := s.ok("GET", "/v1/accounts/"+mine, s.person, ""); account["balance"] != "14.01" || account["held"] != "5" {
		t.Errorf("alice has %v", account)
	}
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/payouts/1", s.otherPerson, "")
	s.refused(http.StatusConflict, "payout_worse", "POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"1","min_paid":"0.24"}`)
	s.refused(http.StatusConflict, "insufficient_available", "POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"9.5","min_paid":"0"}`)
	s.refused(http.StatusConflict, "payout_not_sent", "POST", "/v1/payouts/1/outcome", s.operator, `{"status":"paid"}`)
	s.refused(http.StatusUnprocessableEntity, "payee_invalid", "PUT", "/v1/people/me/payee", s.person, `{"name":"Alice","iban":"NO9386011117948"}`)
	s.ok("POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"2","min_paid":"0"}`)
	if file := s.ok("POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`); file["file"] != "1" || file["count"] != 2.0 || file["sum"] != "0.69" {
		t.Errorf("the file is %v", file)
	}
	s.refused(http.StatusNotFound, "payout_not_found", "POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
	s.refused(http.StatusConflict, "payout_over", "POST", "/v1/payouts/1/cancel", s.person, `{}`)
	s.refused(http.StatusConflict, "payout_not_sent", "POST", "/v1/payouts/1/outcome", s.operator, `{"status":"failed"}`)
	s.refused(http.StatusConflict, "payout_not_sent", "GET", "/v1/payout-files/1", s.operator, "")
	s.handedOver(1)
	if shown := s.ok("GET", "/v1/payouts/1", s.person, ""); shown["status"] != "sent" || shown["file"] != "1" {
		t.Errorf("sent is %v", shown)
	}
	first := s.do("GET", "/v1/payout-files/1", s.operator, "")
	// Whom it goes to was fixed; the file is the same for ever.
	s.ok("PUT", "/v1/people/me/payee", s.person, `{"name":"Mallory","iban":"DE89370400440532013000"}`)
	again := s.do("GET", "/v1/payout-files/1", s.operator, "")
	var read struct {
		Sum     string   `xml:"CstmrCdtTrfInitn>GrpHdr>CtrlSum"`
		IDs     []string `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf>PmtId>EndToEndId"`
		Amounts []string `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf>Amt>InstdAmt"`
	}
	if err := xml.Unmarshal([]byte(members(t, bytes.NewBuffer(first.Body.Bytes()))["text"].(string)), &read); err != nil || first.Code != 200 || first.Body.String() != again.Body.String() || !strings.Contains(first.Body.String(), annsIBAN) {
		t.Fatalf("%v: %d %s\nagain %s", err, first.Code, first.Body, again.Body)
	}
	if read.Sum != "0.69" || strings.Join(read.IDs, " ") != "AB-PAYOUT-1 AB-PAYOUT-2" || strings.Join(read.Amounts, " ") != "0.23 0.46" {
		t.Errorf("the file says %+v", read)
	}
	if table := s.do("GET", "/v1/payout-files/1?format=csv", s.operator, ""); !strings.Contains(table.Body.String(), "AB-PAYOUTS-1,AB-PAYOUT-2,0.46,EUR,Alice O'Hara,"+annsIBAN) {
		t.Errorf("as CSV: %d %s", table.Code, table.Body)
	}
	s.ok("POST", "/v1/payouts/1/outcome", s.operator, `{"status":"paid","reference":"bank-7"}`)
	s.ok("POST", "/v1/payouts/1/outcome", s.operator, `{"status":"paid","reference":"bank-8"}`) // said again, nothing changes
	if failed := s.ok("POST", "/v1/payouts/2/outcome", s.operator, `{"status":"failed"}`); failed["status"] != "failed" || failed["file"] != "1" {
		t.Errorf("failed is %v", failed)
	}
	if account := s.ok("GET", "/v1/accounts/"+mine, s.person, ""); account["balance"] != "14.01" {
		t.Errorf("alice has %v", account)
	}
	for query, want := range map[string]string{"": "2 1", "?status=paid": "1", "?status=failed&file=1": "2", "?file=2": "", "?asset=GOLD&currency=EUR&person=" + s.personID: "2 1", "?status=sent": ""} {
		var got []string
		items, _ := s.items("/v1/payouts"+query, s.operator)
		for _, item := range items {
			got = append(got, item["payout"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("payouts%s are %v, expected %s", query, got, want)
		}
	}
	if pages := s.walk("/v1/payouts?limit=1", s.person, "payout"); strings.Join(pages, " ") != "2 1" {
		t.Errorf("alice sees her payouts %v", pages)
	}
	if others, _ := s.items("/v1/payouts", s.otherPerson); len(others) != 0 {
		t.Errorf("bob sees %v", others)
	}
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/payouts?person="+s.personID, s.otherPerson, "")
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/payouts?cursor=x", s.operator, "")
	if files := s.walk("/v1/payout-files?limit=1", s.operator, "file"); strings.Join(files, " ") != "1" {
		t.Errorf("files are %v", files)
	}
	if back := s.ok("POST", "/v1/card-credits/1/chargeback", s.operator, `{}`); back["charged_back"] != true || back["owed"] != nil {
		t.Errorf("taken back was %v", back)
	}
	for record, err := range s.journal.Load(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, told := range []string{annsIBAN, "O'Hara", "Mallory"} {
			if strings.Contains(string(record.Body), told) {
				t.Errorf("record %d says %s", record.Seq, told)
			}
		}
	}
	s.ok("DELETE", "/v1/people/me/personal-data", s.person, "")
	s.refused(http.StatusGone, "erased", "GET", "/v1/payout-files/1", s.operator, "")
}

// Without an account to pay from nobody is paid out, whatever the table says.
func TestPayoutsAreOffByDefault(t *testing.T) {
	s := newStack(t)
	s.gold()
	s.payouts()
	s.server.Payer.IBAN = ""
	s.refused(http.StatusConflict, "payouts_off", "POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"1","min_paid":"0.2"}`)
	s.refused(http.StatusConflict, "payouts_off", "POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
}

// land makes a collection of the cafe's; alice owns parcel 0,1 (good 1), and
// 0,2 is on sale.
func (s *stack) land() {
	s.Helper()
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"LAND","scale":0,"world":"cafe"}`)
	s.ok("PUT", "/v1/collections/LAND", s.serverKey, `{"refund_window_seconds":86400,"royalty_bps":1000,"givable":true}`)
	for _, id := range []string{"0,1", "0,2"} {
		s.ok("PUT", "/v1/collections/LAND/goods/"+id, s.serverKey, `{"price":"1"}`)
	}
	s.ok("POST", "/v1/goods/1/purchase", s.person, `{"max_price":"1"}`)
	if own, _ := s.items("/v1/people/me/goods", s.person); len(own) != 1 || own[0]["id"] != "0,1" {
		s.Errorf("alice owns %v", own)
	}
}

func TestUniqueGoods(t *testing.T) {
	s := newStack(t)
	s.shop()
	s.land()
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/collections/LAND", s.otherServer, `{}`)
	s.refused(http.StatusForbidden, "not_yours", "PUT", "/v1/collections/LAND/goods/0,3", s.otherServer, `{"price":"1"}`)
	s.refused(http.StatusForbidden, "not_your_good", "PUT", "/v1/collections/LAND/goods/0,1", s.serverKey, `{"price":"1"}`)
	s.refused(http.StatusForbidden, "not_your_good", "POST", "/v1/goods/1/offer", s.otherPerson, `{"price":"1"}`)
	s.refused(http.StatusConflict, "not_on_sale", "POST", "/v1/goods/1/purchase", s.otherPerson, `{"max_price":"9"}`)
	s.ok("POST", "/v1/goods/1/offer", s.person, `{"price":"2"}`)
	if seen := s.ok("GET", "/v1/collections/LAND/goods/0,1", s.otherPerson, ""); seen["price"] != "2" || seen["owned"] != true || seen["owner"] != nil {
		t.Errorf("a buyer sees %v", seen)
	}
	s.ok("POST", "/v1/goods/1/purchase", s.otherPerson, `{"max_price":"2"}`)
	if seen := s.ok("GET", "/v1/collections/LAND/goods/0,1", s.serverKey, ""); seen["owner"] != s.otherPersonID || seen["price"] != nil {
		t.Errorf("the world sees %v", seen)
	}
	s.ok("POST", "/v1/goods/1/gift", s.otherPerson, `{"to":"`+s.personID+`"}`)
	s.refused(http.StatusConflict, "purchase_over", "POST", "/v1/goods/1/refund", s.serverKey, `{}`)
	s.ok("POST", "/v1/goods/2/purchase", s.otherPerson, `{"max_price":"1"}`)
	s.refused(http.StatusForbidden, "not_yours", "POST", "/v1/goods/2/refund", s.otherServer, `{}`)
	s.ok("POST", "/v1/goods/2/refund", s.serverKey, `{}`)
	s.otherCollection()
	if all := s.walk("/v1/collections/LAND/goods?limit=1", s.person, "id"); strings.Join(all, " ") != "0,1 0,2 0,9" {
		t.Errorf("the land is %v", all)
	}
	if onSale, _ := s.items("/v1/collections/LAND/goods?on_sale=true", s.person); len(onSale) != 0 {
		t.Errorf("on sale is %v", onSale)
	}
}

// otherCollection adds goods of another collection, one of them before the
// last of the first; the world gives one away.
func (s *stack) otherCollection() {
	s.Helper()
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"NAME","scale":0,"world":"cafe"}`)
	s.ok("PUT", "/v1/collections/NAME", s.serverKey, `{}`)
	name := s.ok("PUT", "/v1/collections/NAME/goods/anne", s.serverKey, `{"price":"0"}`)["good"].(string)
	s.ok("PUT", "/v1/collections/LAND/goods/0,9", s.serverKey, `{"price":"0"}`)
	s.ok("PUT", "/v1/collections/NAME/goods/bert", s.serverKey, `{"price":"1"}`)
	s.refused(http.StatusForbidden, "not_yours", "POST", "/v1/goods/"+name+"/gift", s.otherServer, `{"to":"`+s.personID+`"}`)
	s.ok("POST", "/v1/goods/"+name+"/gift", s.serverKey, `{"to":"`+s.personID+`"}`)
	s.refused(http.StatusForbidden, "not_your_good", "POST", "/v1/goods/"+name+"/gift", s.serverKey, `{"to":"`+s.otherPersonID+`"}`)
	s.refused(http.StatusUnprocessableEntity, "not_transferable", "POST", "/v1/goods/"+name+"/gift", s.person, `{"to":"`+s.otherPersonID+`"}`)
	if all := s.walk("/v1/collections/NAME/goods?limit=1", s.person, "id"); strings.Join(all, " ") != "anne bert" {
		s.Errorf("the names: %v", all)
	}
	if onSale, _ := s.items("/v1/collections/NAME/goods?on_sale=true&limit=1", s.person); len(onSale) != 1 || onSale[0]["id"] != "bert" {
		s.Errorf("names on sale: %v", onSale)
	}
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/collections/LAND/goods?cursor="+name, s.person, "")
}

// Why a file was not handed over is told in the list, until it was; who was
// erased before is left out of it and has back what was set aside.
func TestPayoutFilesThatWait(t *testing.T) {
	s := newStack(t)
	s.gold()
	s.payouts()
	s.ok("POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"2","min_paid":"0","reference":"rent"}`)
	if ended := s.ok("POST", "/v1/payouts/2/cancel", s.person, `{"reference":"no-rent"}`); ended["status"] != "cancelled" {
		t.Errorf("cancelled is %v", ended)
	}
	s.catchUp()
	for _, reference := range []string{"rent", "no-rent"} {
		if told := s.do("GET", "/v1/operations/"+reference, s.person, ""); told.Code != http.StatusOK || !strings.Contains(told.Body.String(), `"`+reference+`"`) {
			t.Errorf("by reference %s: %d %s", reference, told.Code, told.Body)
		}
	}
	s.ok("POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
	message := outbox.Message{Number: 1 << 16, Kind: "payout.file", Body: []byte(`{"file":1}`), Attempts: 3, Fault: "no space left on device"}
	if err := s.server.Webhooks.Store.Keep(t.Context(), 0, outbox.Cursor{Seq: 1}, []outbox.Message{message}); err != nil {
		t.Fatal(err)
	}
	if files, _ := s.items("/v1/payout-files", s.operator); len(files) != 1 || files[0]["sent"] != nil || files[0]["fault"] != "no space left on device" || files[0]["attempts"] != 3.0 {
		t.Errorf("a file that waits is %v", files)
	}
	s.ok("DELETE", "/v1/people/me/personal-data", s.person, "")
	if file, err := s.server.desk.Prepare(t.Context(), 1); err != nil || len(file.Payments) != 0 {
		t.Errorf("%+v, %v; expected nobody to be left", file, err)
	}
	s.handedOver(1)
	if shown := s.ok("GET", "/v1/payouts/1", s.operator, ""); shown["status"] != "left_out" {
		t.Errorf("of somebody who was erased: %v", shown)
	}
	if files, _ := s.items("/v1/payout-files", s.operator); files[0]["sent"] == nil || files[0]["fault"] != nil {
		t.Errorf("a file that was handed over is %v", files)
	}
}
