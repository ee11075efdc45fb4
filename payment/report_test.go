package payment_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/attentionbank/attentionbank/payment"
)

// reportText is a pain.002 with the parts that banks fill in.
func reportText(version, group string, batches ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.` + version + `">
  <CstmrPmtStsRpt>
    <GrpHdr><MsgId>BANK-2026/7</MsgId><CreDtTm>2026-01-03T08:00:00</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts><OrgnlMsgId>AB-PAYOUTS-1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>` + group + `</OrgnlGrpInfAndSts>
` + strings.Join(batches, "\n") + `
  </CstmrPmtStsRpt>
</Document>
`
}

func batchText(inner string) string {
	return `<OrgnlPmtInfAndSts><OrgnlPmtInfId>AB-PAYOUTS-1</OrgnlPmtInfId>` + inner + `</OrgnlPmtInfAndSts>`
}

const rejected = `<TxInfAndSts><StsId>1</StsId><OrgnlEndToEndId>AB-PAYOUT-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf></StsRsnInf>
<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">0.46</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>`

const settled = `<TxInfAndSts><OrgnlEndToEndId>AB-PAYOUT-1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>`

// What banks report, as it is read.
func TestReports(t *testing.T) {
	base := payment.Report{ID: "BANK-2026/7", CreatedAt: "2026-01-03T08:00:00", File: "AB-PAYOUTS-1"}
	with := func(change func(*payment.Report)) payment.Report {
		report := base
		change(&report)
		return report
	}
	bad := payment.Statement{Payment: "AB-PAYOUT-2", Code: "RJCT", Reasons: []string{"AC04", "Account closed"}, Amount: "0.46", Currency: "EUR"}
	good := payment.Statement{Payment: "AB-PAYOUT-1", Code: "ACSC"}
	for what, row := range map[string]struct {
		text string
		want payment.Report
	}{
		"the whole file": {reportText("03", `<GrpSts>ACSC</GrpSts>`), with(func(r *payment.Report) { r.Code = "ACSC" })},
		"the whole file, with a reason": {reportText("10", `<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>our-own</Prtry></Rsn></StsRsnInf>`),
			with(func(r *payment.Report) { r.Code, r.Reasons = "RJCT", []string{"our-own"} })},
		"parts of it": {reportText("09", `<GrpSts>PART</GrpSts>`, batchText(settled+rejected)),
			with(func(r *payment.Report) { r.Code, r.Statements = "PART", []payment.Statement{good, bad} })},
		"its batch": {reportText("03", ``, batchText(`<PmtInfSts>ACCP</PmtInfSts>`)), with(func(r *payment.Report) { r.Code = "ACCP" })},
		"a payment with the status of its batch": {reportText("03", ``, batchText(`<PmtInfSts>RJCT</PmtInfSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf><TxInfAndSts><OrgnlEndToEndId>X</OrgnlEndToEndId></TxInfAndSts>`)),
			with(func(r *payment.Report) {
				r.Code, r.Reasons, r.Statements = "RJCT", []string{"AM05"}, []payment.Statement{{Payment: "X", Code: "RJCT", Reasons: []string{"AM05"}}}
			})},
		"the same twice": {reportText("12", ``, batchText(rejected), batchText(rejected)), with(func(r *payment.Report) { r.Statements = []payment.Statement{bad, bad} })},
		"nothing":        {reportText("03", ``), base},
	} {
		got, err := payment.ParseReport([]byte(row.text))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if !reflect.DeepEqual(*got, row.want) {
			t.Errorf("%s: %+v, expected %+v", what, *got, row.want)
		}
	}
}

// What is no report, is too large or too deep, names anything outside of itself,
// or contradicts itself.
func TestReportsThatAreRefused(t *testing.T) {
	plain := reportText("03", ``)
	for what, text := range map[string]string{
		"nothing":                "",
		"no XML":                 "AB-PAYOUT-1,paid",
		"JSON":                   `{"report":1}`,
		"another message":        strings.Replace(plain, "pain.002.001", "camt.053.001", 1),
		"no namespace":           strings.Replace(plain, `xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"`, "", 1),
		"another root":           strings.ReplaceAll(plain, "Document", "Document2"),
		"about direct debits":    strings.Replace(plain, "pain.001.001.09", "pain.008.001.02", 1),
		"about no file":          strings.Replace(plain, "AB-PAYOUTS-1", "", 1),
		"about two files":        strings.Replace(plain, "</OrgnlGrpInfAndSts>", "</OrgnlGrpInfAndSts><OrgnlGrpInfAndSts><OrgnlMsgId>X</OrgnlMsgId></OrgnlGrpInfAndSts>", 1),
		"without an id":          strings.Replace(plain, "BANK-2026/7", "", 1),
		"a document type":        strings.Replace(plain, "<Document", `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document`, 1),
		"an entity":              strings.Replace(plain, "BANK-2026/7", "&x;", 1),
		"an instruction":         strings.Replace(plain, "<Document", `<?xml-stylesheet href="http://example.com/"?><Document`, 1),
		"another encoding":       strings.Replace(plain, "UTF-8", "ISO-8859-1", 1),
		"characters that aren't": strings.Replace(plain, "BANK-2026/7", "\xff\xfe", 1),
		"cut off":                plain[:len(plain)-20],
		"something behind":       plain + "<Document/>",
		"too deep":               strings.Replace(plain, "<GrpHdr>", "<GrpHdr>"+strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40), 1),
		"too large":              plain + strings.Repeat(" ", payment.MaxReportBytes),
		"too many":               reportText("03", ``, batchText(strings.Repeat(settled, payment.MaxReportStatements+1))),
		"two things of one":      reportText("03", ``, batchText(settled+strings.Replace(rejected, "AB-PAYOUT-2", "AB-PAYOUT-1", 1))),
	} {
		if report, err := payment.ParseReport([]byte(text)); !errors.Is(err, payment.ErrReport) {
			t.Errorf("%s: %+v, %v", what, report, err)
		} else if len(err.Error()) > 500 {
			t.Errorf("%s: the error has %d bytes", what, len(err.Error()))
		}
	}
}

// Every status of the code set means one thing; others decide nothing.
func TestFates(t *testing.T) {
	for fate, codes := range map[payment.Fate]string{
		payment.Settled: "ACSC ACCC", payment.Rejected: "RJCT CANC",
		payment.Underway: "RCVD PDNG PART PATC ACTC ACCP ACSP ACWC ACWP ACFC PRES BLCK",
	} {
		for code := range strings.FieldsSeq(codes) {
			if got, known := payment.FateOf(code); got != fate || !known {
				t.Errorf("%s is %d, %v", code, got, known)
			}
		}
	}
	for _, code := range []string{"", "acsc", "PAID", "ACSC "} {
		if got, known := payment.FateOf(code); got != payment.Underway || known {
			t.Errorf("%q is %d, %v", code, got, known)
		}
	}
	for code, want := range map[string]bool{"AM05": true, "DU03": true, "AC04": false, "": false} {
		if payment.Duplicate([]string{"NARR", code}) != want {
			t.Errorf("a duplicate by %q: %v", code, !want)
		}
	}
}

// Whatever is read is bounded and can be shown.
func FuzzParseReport(f *testing.F) {
	f.Add([]byte(reportText("03", `<GrpSts>PART</GrpSts>`, batchText(settled+rejected))))
	f.Add([]byte(reportText("10", `<GrpSts>RJCT</GrpSts>`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		report, err := payment.ParseReport(text)
		if err != nil {
			if !errors.Is(err, payment.ErrReport) {
				t.Fatal(err)
			}
			return
		}
		if report.ID == "" || report.File == "" || len(report.Statements) > payment.MaxReportStatements {
			t.Fatalf("%+v", report)
		}
		shown := fmt.Sprintf("%+v", *report)
		if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(shown) {
			t.Fatalf("%q", shown)
		}
	})
}
