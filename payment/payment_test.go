package payment_test

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/payment"
	"pgregory.net/rapid"
)

// The examples of the IBAN registry, and what is wrong with others.
func TestParties(t *testing.T) {
	for iban, want := range map[string]error{
		"DE89370400440532013000": nil, "GB29NWBK60161331926819": nil, "FR1420041010050500013M02606": nil, "NO9386011117947": nil,
		"MT84MALT011000012345MTLCAST001S": nil, "DE89370400440532013001": payment.ErrIBAN, "DE98370400440532013000": payment.ErrIBAN,
		"de89370400440532013000": payment.ErrIBAN, "DE89 3704 0044 0532 0130 00": payment.ErrIBAN, "": payment.ErrIBAN, "8989370400440532013000": payment.ErrIBAN,
	} {
		if err := (payment.Party{Name: "Ann", IBAN: iban}).Check(); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v", iban, err)
		}
	}
	for _, name := range []string{"", " Ann", "Änne", "<b>", "a\nb", "=1&2", "+1", strings.Repeat("a", 71)} {
		if err := (payment.Party{Name: name, IBAN: "DE89370400440532013000"}).Check(); !errors.Is(err, payment.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for bic, want := range map[string]error{"COBADEFF": nil, "COBADEFFXXX": nil, "COBADEFFX": payment.ErrBIC, "C0BADEFF": payment.ErrBIC, "cobadeff": payment.ErrBIC} {
		if err := (payment.Party{Name: "Ann", IBAN: "DE89370400440532013000", BIC: bic}).Check(); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v", bic, err)
		}
	}
}

// read is what a bank reads of a pain.001, by the names of its schema.
type read struct {
	XMLName xml.Name `xml:"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09 Document"`
	Count   []int    `xml:"CstmrCdtTrfInitn>GrpHdr>NbOfTxs"`
	Sums    []string `xml:"CstmrCdtTrfInitn>GrpHdr>CtrlSum"`
	Info    []struct {
		Count   int    `xml:"NbOfTxs"`
		Sum     string `xml:"CtrlSum"`
		Debtor  string `xml:"DbtrAcct>Id>IBAN"`
		Agent   string `xml:"DbtrAgt>FinInstnId>Othr>Id"`
		BIC     string `xml:"DbtrAgt>FinInstnId>BICFI"`
		Credits []struct {
			ID     string `xml:"PmtId>EndToEndId"`
			Amount struct {
				Currency string `xml:"Ccy,attr"`
				Value    string `xml:",chardata"`
			} `xml:"Amt>InstdAmt"`
			IBAN string `xml:"CdtrAcct>Id>IBAN"`
			Name string `xml:"Cdtr>Nm"`
		} `xml:"CdtTrfTxInf"`
	} `xml:"CstmrCdtTrfInitn>PmtInf"`
}

func decimal(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	v, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return v
}

func drawBIC(t *rapid.T) string { return rapid.SampledFrom([]string{"", "COBADEFF"}).Draw(t, "bic") }

// Read back, a file says as many payments and the sum that it says it has, each
// as it was asked for; and the CSV says the same.
func TestFilesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := payment.File{ID: "AB-FILE-7", CreatedAt: "2026-01-02T03:04:05Z", ExecuteOn: "2026-01-03", Currency: "EUR", Scale: 2,
			Payer: payment.Party{Name: "Bank of Cafes", IBAN: "DE89370400440532013000", BIC: drawBIC(t)}}
		if rapid.Bool().Draw(t, "dollars") {
			file.Currency = "USD"
		}
		sum := new(big.Rat)
		for i := range rapid.IntRange(1, 40).Draw(t, "payments") {
			minor := rapid.Int64Range(1, 1_000_000_000_000).Draw(t, "minor")
			file.Payments = append(file.Payments, payment.Payment{ID: "P-" + string(rune('A'+i/26)) + string(rune('A'+i%26)), AmountMinor: minor,
				Payee: payment.Party{Name: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9'+,.()?:/-]{0,69}`).Draw(t, "name"), IBAN: "NO9386011117947", BIC: drawBIC(t)}})
			sum.Add(sum, big.NewRat(minor, 100))
		}
		text, err := file.Pain001()
		if err != nil {
			t.Fatal(err)
		}
		var got read
		if err := xml.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if strings.Contains(string(text), "></") {
			t.Fatalf("an element is empty, which no schema allows:\n%s", text)
		}
		info := got.Info[0]
		if got.Count[0] != len(file.Payments) || info.Count != len(file.Payments) || len(info.Credits) != len(file.Payments) ||
			decimal(t, got.Sums[0]).Cmp(sum) != 0 || decimal(t, info.Sum).Cmp(sum) != 0 || info.Debtor != file.Payer.IBAN || info.BIC != file.Payer.BIC || (info.Agent == "NOTPROVIDED") != (info.BIC == "") {
			t.Fatalf("the file says %+v, expected %d payments of %s", got, len(file.Payments), sum.FloatString(2))
		}
		table, err := file.CSV()
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
		if err != nil || len(rows) != len(file.Payments)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, p := range file.Payments {
			c := info.Credits[i]
			if c.ID != p.ID || c.Amount.Currency != file.Currency || decimal(t, c.Amount.Value).Cmp(big.NewRat(p.AmountMinor, 100)) != 0 || c.IBAN != p.Payee.IBAN || c.Name != p.Payee.Name {
				t.Fatalf("payment %d is %+v, expected %+v", i, c, p)
			}
			if row := rows[i+1]; row[1] != p.ID || row[2] != c.Amount.Value || row[4] != p.Payee.Name || row[5] != p.Payee.IBAN {
				t.Fatalf("row %d is %v, expected %+v", i, row, p)
			}
		}
	})
}

func TestFilesThatAreRefused(t *testing.T) {
	good := payment.Party{Name: "Ann", IBAN: "NO9386011117947"}
	for what, file := range map[string]payment.File{
		"nothing":    {},
		"no payment": {ID: "F", Currency: "EUR", Payer: good},
		"no payer":   {ID: "F", Currency: "EUR", Payments: []payment.Payment{{"A", 1, good}}},
		"zero":       {ID: "F", Currency: "EUR", Payer: good, Payments: []payment.Payment{{"A", 0, good}}},
		"twice":      {ID: "F", Currency: "EUR", Payer: good, Payments: []payment.Payment{{"A", 1, good}, {"A", 1, good}}},
		"overflow":   {ID: "F", Currency: "EUR", Payer: good, Payments: []payment.Payment{{"A", 1<<63 - 1, good}, {"B", 1, good}}},
	} {
		if text, err := file.Pain001(); err == nil {
			t.Errorf("%s: %s", what, text)
		}
		if text, err := file.CSV(); err == nil {
			t.Errorf("%s: %s", what, text)
		}
	}
}
