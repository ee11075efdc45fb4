package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// payingServer is a bank that serves and pays out, with a person who has gold
// and has said to whom it goes.
func payingServer(t *testing.T, folder string, args ...string) (s *server, operator, person string) {
	t.Helper()
	s = serving(t, append([]string{"--listen", "127.0.0.1:0", "--data", t.TempDir(), "--payout-name", "Bank of Cafes", "--payout-iban", "DE89370400440532013000", "--payout-dir", folder}, args...)...).started()
	operator = s.operator()
	var key, issuer, asset, user struct{ Secret, Issuer, Person, Account string }
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"server"}`, http.StatusCreated, &key)
	s.ask("POST", "/v1/assets", operator, `{"asset":"GOLD","scale":2,"world":"cafe"}`, http.StatusCreated, &issuer)
	s.ask("POST", "/v1/assets", operator, `{"asset":"EUR","scale":2}`, http.StatusCreated, nil)
	s.ask("POST", "/v1/track", key.Secret, `{"event":"Jumped","userId":"ann","messageId":"m-1"}`, http.StatusOK, nil)
	var claim struct{ Code string }
	s.ask("POST", "/v1/worlds/cafe/users/ann/claim", key.Secret, "", http.StatusCreated, &claim)
	s.ask("POST", "/v1/claims", "", `{"code":"`+claim.Code+`"}`, http.StatusCreated, &user)
	s.ask("POST", "/v1/accounts", operator, `{"person":"`+user.Person+`","asset":"GOLD"}`, http.StatusCreated, &asset)
	s.ask("POST", "/v1/transfers", operator, `{"legs":[{"from":"`+issuer.Issuer+`","to":"`+asset.Account+`","amount":"1000"}]}`, http.StatusCreated, nil)
	s.ask("PUT", "/v1/payout-rates/GOLD", operator, `{"currency":"EUR","paid":"1","per":"2","open":true}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/eligibility", operator, `{"text":"name: all\nrules:\n- {countries: [DE], ages: [adult], from_tier: 0, allow: [payout]}\n"}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/people/"+user.Person+"/attributes", operator, `{"country":"DE","age":"adult","tier":2}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/people/me/payee", user.Secret, `{"name":"Ann","iban":"NO9386011117947"}`, http.StatusOK, nil)
	return s, operator, user.Secret
}

const bankReport = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt><GrpHdr><MsgId>R-1</MsgId><CreDtTm>2026-01-03T08:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>AB-PAYOUTS-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>AB-PAYOUTS-1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>AB-PAYOUT-1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>AB-PAYOUT-2</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>
MORE</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`

// An operator pays people out from the command line alone.
func TestPayoutsFromTheCommandLine(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "payouts")
	s, operator, person := payingServer(t, folder)
	for range 3 {
		s.ask("POST", "/v1/payouts", person, `{"asset":"GOLD","amount":"10","min_paid":"5"}`, http.StatusCreated, nil)
	}
	t.Setenv("AB_BANK", s.url)
	t.Setenv("AB_KEY", operator)
	payouts := func(want int, args ...string) string {
		t.Helper()
		status, stdout, stderr := command(t, "", append([]string{"payouts"}, args...)...)
		if status != want {
			t.Fatalf("payouts %v: status %d, %s%s", args, status, stdout, stderr)
		}
		return stdout + stderr
	}
	says := func(got string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(got, want) {
				t.Errorf("expected %q in:\n%s", want, got)
			}
		}
	}
	says(payouts(0, "list", "--status", "pending"), "PAYOUT", "5 EUR", "10 GOLD", "pending")
	says(payouts(1, "export", "1"), "not_found")
	says(payouts(0, "batch", "EUR", "--idempotency-key", "payday"), "15 EUR")
	says(payouts(0, "batch", "EUR", "--idempotency-key", "payday"), "15 EUR")
	says(payouts(1, "batch", "EUR"), "no payout in EUR waits")
	s.until("the file is there", func() bool { return !strings.Contains(payouts(0, "files"), "not yet") })
	there, err := os.ReadFile(filepath.Join(folder, "AB-PAYOUTS-1.xml"))
	if err != nil || payouts(0, "export", "1") != string(there) {
		t.Errorf("the copy is not the file: %v\n%s", err, there)
	}
	out := filepath.Join(t.TempDir(), "copy.csv")
	payouts(0, "export", "1", "--format", "csv", "--out", out)
	if table, err := os.ReadFile(out); err != nil || strings.Count(string(table), "AB-PAYOUT-") != 3 {
		t.Errorf("as CSV: %v\n%s", err, table)
	}
	says(payouts(0, "list", "--status", "sent", "--json"), `"payout":"3"`, `"status":"sent"`)
	report := filepath.Join(t.TempDir(), "report.xml")
	write := func(text string) {
		if err := os.WriteFile(report, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(bankReport, "MORE", "", 1))
	says(payouts(0, "import", report), "report R-1 about AB-PAYOUTS-1, PART, 2 payments", "paid", "failed", "AC04")
	says(payouts(0, "import", report, "--json"), `"already":2`)
	write(strings.Replace(bankReport, "MORE", "<TxInfAndSts><OrgnlEndToEndId>AB-PAYOUT-9</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>", 1))
	says(payouts(1, "import", report), "unmatched", "1 payments do not fit", "Hint:")
	write(strings.ReplaceAll(bankReport, "AB-PAYOUTS-1", "SALARY-1"))
	says(payouts(1, "import", report), "no file of payouts")
	write("no report")
	says(payouts(1, "import", report), "expected ISO 20022 pain.002")
	says(payouts(0, "mark", "paid", "3", "--reference", "statement-7"), "3", "paid")
	says(payouts(0, "mark", "failed", "3", "--json"), `"status":"failed"`)
	says(payouts(1, "mark", "paid", "3"), "payout_over")
	says(payouts(0, "list", "--file", "1"), "paid", "failed")
	t.Setenv("AB_KEY", person)
	says(payouts(1, "files"), "role_forbidden", "Hint:")
}

// Half a way to pay is none.
func TestServeNeedsAllOfAWayToPay(t *testing.T) {
	for _, args := range [][]string{
		{"--payout-dir", t.TempDir()}, {"--payout-iban", "DE89370400440532013000", "--payout-dir", t.TempDir()},
		{"--payout-name", "Cafe", "--payout-iban", "DE89370400440532013000"}, {"--payout-name", "Cafe", "--payout-iban", "DE0", "--payout-dir", t.TempDir()},
		{"--payout-every", "24h"}, {"--payout-name", "Cafe", "--payout-iban", "DE89370400440532013000", "--payout-dir", t.TempDir(), "--payout-every", "1ms"},
	} {
		if status, _, stderr := command(t, "", append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, args...)...); status != 2 || !strings.Contains(stderr, "--payout-") {
			t.Errorf("serve %v: %d %s", args, status, stderr)
		}
	}
}

// With --payout-every nobody has to say when payouts are put into files.
func TestPayoutsBatchThemselves(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "payouts")
	s, _, person := payingServer(t, folder, "--payout-every", "1s", "--payout-format", "csv")
	for _, name := range []string{"AB-PAYOUTS-1.csv", "AB-PAYOUTS-2.csv"} {
		s.ask("POST", "/v1/payouts", person, `{"asset":"GOLD","amount":"10","min_paid":"5"}`, http.StatusCreated, nil)
		s.until(name+" is there", func() bool { _, err := os.Stat(filepath.Join(folder, name)); return err == nil })
	}
}
