package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// report makes the body of an import out of a pain.002 about file 1.
func reportBody(t *testing.T, group string, transactions ...string) string {
	t.Helper()
	text := `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>BANK/7</MsgId><CreDtTm>2026-01-03T08:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>AB-PAYOUTS-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>` + group + `</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>AB-PAYOUTS-1</OrgnlPmtInfId>` + strings.Join(transactions, "") + `</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
	body, err := json.Marshal(map[string]string{"report": text})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func transactionText(payment, code, reason, amount string) string {
	text := "<TxInfAndSts><OrgnlEndToEndId>" + payment + "</OrgnlEndToEndId><TxSts>" + code + "</TxSts>"
	if reason != "" {
		text += "<StsRsnInf><Rsn><Cd>" + reason + "</Cd></Rsn></StsRsnInf>"
	}
	if amount != "" {
		text += `<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">` + amount + `</InstdAmt></Amt></OrgnlTxRef>`
	}
	return text + "</TxInfAndSts>"
}

// outcomes are what an import says of each payment, in order.
func (s *stack) outcomes(body string) string {
	s.Helper()
	var list []string
	for _, finding := range s.ok("PUT", "/v1/payout-files/1/report", s.operator, body)["findings"].([]any) {
		list = append(list, finding.(map[string]any)["outcome"].(string))
	}
	return strings.Join(list, " ")
}

// What the operator's bank reports becomes outcomes, in parts, late and twice;
// what does not fit is told and changes nothing.
func TestPayoutReports(t *testing.T) {
	s := newStack(t)
	mine, _, _ := s.gold()
	s.payouts()
	for range 4 {
		s.ok("POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"2","min_paid":"0"}`)
	}
	s.ok("POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
	balance := func() string { return s.ok("GET", "/v1/accounts/"+mine, s.person, "")["balance"].(string) }
	before := balance()
	all := reportBody(t, "", transactionText("AB-PAYOUT-1", "ACSC", "", "0.23"), transactionText("AB-PAYOUT-2", "RJCT", "AC04", "0.46"))
	if got := s.outcomes(all); got != "conflict conflict" || balance() != before {
		t.Errorf("before the file was handed over: %s", got)
	}
	s.handedOver(1)
	if got := s.outcomes(reportBody(t, "<GrpSts>ACTC</GrpSts>")); got != "" {
		t.Errorf("the file was received: %s", got)
	}
	if got := s.outcomes(reportBody(t, "<GrpSts>PART</GrpSts>",
		transactionText("AB-PAYOUT-1", "PDNG", "", ""), transactionText("AB-PAYOUT-1", "ACSP", "", ""), transactionText("AB-PAYOUT-3", "XXXX", "", ""),
		transactionText("AB-PAYOUT-4", "ACSC", "", "0.47"), transactionText("AB-PAYOUT-5", "RJCT", "AM05", ""),
		transactionText("AB-PAYOUT-9", "ACSC", "", ""), transactionText("AB-PAYOUT-01", "ACSC", "", ""), transactionText("SALARY-1", "RJCT", "", ""), transactionText("", "ACSC", "", ""),
	)); got != "stays stays unknown mismatch duplicate unmatched unmatched unmatched unmatched" || balance() != before {
		t.Errorf("what decides nothing: %s", got)
	}
	said := s.ok("PUT", "/v1/payout-files/1/report", s.operator, all)
	if counts := said["counts"].(map[string]any); counts["paid"] != 1.0 || counts["failed"] != 1.0 || said["message"] != "BANK/7" || said["file"] != "AB-PAYOUTS-1" {
		t.Errorf("an outcome of each: %v", said)
	}
	if got := s.outcomes(all); got != "already already" {
		t.Errorf("the same again: %s", got)
	}
	if got := s.outcomes(reportBody(t, "", transactionText("AB-PAYOUT-1", "RJCT", "AC04", ""), transactionText("AB-PAYOUT-2", "ACCC", "", ""))); got != "conflict conflict" {
		t.Errorf("the contrary: %s", got)
	}
	// Those that the report does not name follow the file; what is decided stays.
	if got := s.outcomes(reportBody(t, "<GrpSts>RJCT</GrpSts>", transactionText("AB-PAYOUT-4", "ACSC", "", "0.46"))); got != "paid conflict already failed failed" {
		t.Errorf("the rest: %s", got)
	}
	for number, want := range map[string]string{"1": "paid", "2": "failed", "3": "failed", "4": "paid", "5": "failed"} {
		if shown := s.ok("GET", "/v1/payouts/"+number, s.operator, ""); shown["status"] != want {
			t.Errorf("payout %s is %v, expected %s", number, shown["status"], want)
		}
	}
	s.catchUp()
	if told := s.do("GET", "/v1/operations/BANK-7", s.operator, ""); told.Code != http.StatusOK || strings.Count(told.Body.String(), "end_payout") != 5 {
		t.Errorf("by the report's id: %d %s", told.Code, told.Body)
	}
	s.refused(http.StatusUnprocessableEntity, "report_invalid", "PUT", "/v1/payout-files/1/report", s.operator, `{"report":"<a/>"}`)
	s.refused(http.StatusUnprocessableEntity, "report_invalid", "PUT", "/v1/payout-files/2/report", s.operator, all)
	s.refused(http.StatusForbidden, "role_forbidden", "PUT", "/v1/payout-files/1/report", s.person, all)
	for record, err := range s.journal.Load(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(record.Body), "OrgnlTxRef") {
			t.Errorf("record %d repeats a report", record.Seq)
		}
	}
}
