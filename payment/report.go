package payment

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Bounds of a report.
const (
	MaxReportBytes      = 4 << 20
	MaxReportStatements = 20_000
	maxReportDepth      = 32
)

// Report is what a bank says of a file that it was given: ISO 20022 pain.002
// (CustomerPaymentStatusReport), of any version.
type Report struct {
	ID        string // of the message
	CreatedAt string
	// File is the message id of the file that it is about.
	File string
	// Code is the status of the whole file, empty if it has none; Reasons say
	// why.
	Code       string
	Reasons    []string
	Statements []Statement // of single payments; those that are missing follow Code
}

// Statement is what a report says of one payment.
type Statement struct {
	Payment string // end to end, empty if the bank does not name it
	Code    string
	Reasons []string // codes, or texts of the bank's own
	// Amount and Currency of the payment, empty where the bank does not repeat
	// them.
	Amount, Currency string
}

// Fate is what a status means for a payment.
type Fate uint8

// The fates of payments.
const (
	Underway Fate = iota // it may still be settled or rejected
	Settled              // the money has left
	Rejected             // and will not
)

// FateOf returns what a status of the external code set of ISO 20022 means
// (ExternalPaymentTransactionStatus1Code and its likes for groups); known is
// false for one that there is not, which decides nothing.
func FateOf(code string) (fate Fate, known bool) {
	switch code {
	case "ACSC", "ACCC": // settled on the debtor's, on the creditor's account
		return Settled, true
	case "RJCT", "CANC":
		return Rejected, true
	case "RCVD", "PDNG", "PART", "PATC", "ACTC", "ACCP", "ACSP", "ACWC", "ACWP", "ACFC", "PRES", "BLCK":
		return Underway, true
	}
	return Underway, false
}

// Duplicate reports whether reasons of a rejection say that the bank has the
// payment already (AM05, DU01 to DU05 of the external code set): then the first
// one counts, and it was not rejected.
func Duplicate(reasons []string) bool {
	return slices.ContainsFunc(reasons, func(code string) bool {
		switch code {
		case "AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05":
			return true
		}
		return false
	})
}

// ErrReport is returned for what is no report that can be read.
var ErrReport = errors.New("expected ISO 20022 pain.002 in UTF-8, at most 4 MiB, without a document type")

const reportSpace = "urn:iso:std:iso:20022:tech:xsd:pain.002.001."

// reported is a pain.002 as far as it is read, by the names of its schemas.
type reported struct {
	XMLName xml.Name
	Header  struct {
		ID        string `xml:"MsgId"`
		CreatedAt string `xml:"CreDtTm"`
	} `xml:"CstmrPmtStsRpt>GrpHdr"`
	Group []struct {
		File    string   `xml:"OrgnlMsgId"`
		Kind    string   `xml:"OrgnlMsgNmId"`
		Code    string   `xml:"GrpSts"`
		Reasons []reason `xml:"StsRsnInf"`
	} `xml:"CstmrPmtStsRpt>OrgnlGrpInfAndSts"`
	Batches []struct {
		ID           string   `xml:"OrgnlPmtInfId"`
		Code         string   `xml:"PmtInfSts"`
		Reasons      []reason `xml:"StsRsnInf"`
		Transactions []struct {
			Payment string   `xml:"OrgnlEndToEndId"`
			Code    string   `xml:"TxSts"`
			Reasons []reason `xml:"StsRsnInf"`
			Amount  struct {
				Currency string `xml:"Ccy,attr"`
				Value    string `xml:",chardata"`
			} `xml:"OrgnlTxRef>Amt>InstdAmt"`
		} `xml:"TxInfAndSts"`
	} `xml:"CstmrPmtStsRpt>OrgnlPmtInfAndSts"`
}

type reason struct {
	Code string   `xml:"Rsn>Cd"`
	Own  string   `xml:"Rsn>Prtry"`
	Text []string `xml:"AddtlInf"`
}

// ParseReport reads a pain.002. What it returns is bounded by the text, which is
// bounded itself; nothing outside of the text is looked at. The error wraps
// ErrReport.
func ParseReport(text []byte) (*Report, error) {
	if err := bounded(text); err != nil {
		return nil, err
	}
	var read reported
	if err := xml.Unmarshal(text, &read); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	version := strings.TrimPrefix(read.XMLName.Space, reportSpace)
	switch {
	case read.XMLName.Local != "Document" || version == read.XMLName.Space || len(version) != 2:
		return nil, fmt.Errorf("%w: it is %s of %q", ErrReport, short(read.XMLName.Local), short(read.XMLName.Space))
	case len(read.Group) != 1 || read.Header.ID == "" || read.Group[0].File == "":
		return nil, fmt.Errorf("%w: it does not say which one file it is about", ErrReport)
	case read.Group[0].Kind != "" && !strings.HasPrefix(read.Group[0].Kind, "pain.001"):
		return nil, fmt.Errorf("%w: it is about %s and not about credit transfers", ErrReport, short(read.Group[0].Kind))
	}
	group := &read.Group[0]
	report := &Report{ID: short(read.Header.ID), CreatedAt: short(read.Header.CreatedAt), File: short(group.File), Code: short(group.Code), Reasons: reasons(group.Reasons)}
	fates := map[string]Fate{}
	for i := range read.Batches {
		batch := &read.Batches[i]
		if batch.Code != "" && batch.ID == group.File { // a file of ours is one batch
			report.Code, report.Reasons = short(batch.Code), reasons(batch.Reasons)
		}
		for j := range batch.Transactions {
			t := &batch.Transactions[j]
			if len(report.Statements) == MaxReportStatements {
				return nil, fmt.Errorf("%w: it has more than %d payments", ErrReport, MaxReportStatements)
			}
			s := Statement{Payment: short(t.Payment), Code: short(t.Code), Reasons: reasons(t.Reasons), Amount: short(strings.TrimSpace(t.Amount.Value)), Currency: short(t.Amount.Currency)}
			if s.Code == "" {
				s.Code, s.Reasons = short(batch.Code), append(s.Reasons, reasons(batch.Reasons)...)
			}
			fate, _ := FateOf(s.Code)
			if before, twice := fates[s.Payment]; twice && before != fate && s.Payment != "" {
				return nil, fmt.Errorf("%w: it says two things of payment %s", ErrReport, s.Payment)
			}
			fates[s.Payment] = fate
			report.Statements = append(report.Statements, s)
		}
	}
	return report, nil
}

// bounded refuses what is too large, too deep or more than elements, attributes
// and text: a document type could name entities and files.
func bounded(text []byte) error {
	if len(text) > MaxReportBytes {
		return fmt.Errorf("%w: it has %d bytes", ErrReport, len(text))
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for depth, roots := 0, 0; ; {
		token, err := decoder.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReport, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > maxReportDepth || roots > 1 {
				return fmt.Errorf("%w: it is more than %d elements deep, or more than one", ErrReport, maxReportDepth)
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("%w: it has a document type", ErrReport)
		case xml.ProcInst:
			if t.Target != "xml" {
				return fmt.Errorf("%w: it has an instruction for %s", ErrReport, short(t.Target))
			}
		}
	}
}

// reasons returns the codes, or what the bank says instead.
func reasons(given []reason) (list []string) {
	for _, r := range given {
		for _, text := range append([]string{r.Code, r.Own}, r.Text...) {
			if text = short(text); text != "" && len(list) < 8 {
				list = append(list, text)
			}
		}
	}
	return list
}

// short bounds a text by what the schemas allow of it, and by what can be shown.
func short(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
	if len(text) > 140 {
		text = strings.ToValidUTF8(text[:140], "")
	}
	return text
}
