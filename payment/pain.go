package payment

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
)

// document is pain.001.001.09 (CustomerCreditTransferInitiationV09), as much of
// it as is written, in the order of its schema.
type document struct {
	XMLName    xml.Name `xml:"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09 Document"`
	Initiation struct {
		Header struct {
			MessageID string `xml:"MsgId"`
			Created   string `xml:"CreDtTm"`
			Count     int    `xml:"NbOfTxs"`
			Sum       string `xml:"CtrlSum"`
			Initiator named  `xml:"InitgPty"`
		} `xml:"GrpHdr"`
		Payments struct {
			ID      string   `xml:"PmtInfId"`
			Method  string   `xml:"PmtMtd"`
			Count   int      `xml:"NbOfTxs"`
			Sum     string   `xml:"CtrlSum"`
			Service *service `xml:"PmtTpInf"`
			Execute string   `xml:"ReqdExctnDt>Dt"`
			Debtor  named    `xml:"Dbtr"`
			Account string   `xml:"DbtrAcct>Id>IBAN"`
			Agent   agent    `xml:"DbtrAgt"`
			Charges string   `xml:"ChrgBr"`
			Credits []credit `xml:"CdtTrfTxInf"`
		} `xml:"PmtInf"`
	} `xml:"CstmrCdtTrfInitn"`
}

type named struct {
	Name string `xml:"Nm"`
}

// agent is a bank, by its BIC or not at all.
type agent struct {
	BIC   string `xml:"FinInstnId>BICFI,omitempty"`
	Other *other `xml:"FinInstnId>Othr"`
}

type service struct {
	Level string `xml:"SvcLvl>Cd"`
}

type other struct {
	ID string `xml:"Id"`
}

type credit struct {
	EndToEnd string `xml:"PmtId>EndToEndId"`
	Amount   struct {
		Currency string `xml:"Ccy,attr"`
		Value    string `xml:",chardata"`
	} `xml:"Amt>InstdAmt"`
	Agent    *agent `xml:"CdtrAgt"`
	Creditor named  `xml:"Cdtr"`
	Account  string `xml:"CdtrAcct>Id>IBAN"`
}

// Pain001 returns the file as ISO 20022 pain.001.001.09.
func (f *File) Pain001() ([]byte, error) {
	sum, err := f.check()
	if err != nil {
		return nil, err
	}
	var d document
	h := &d.Initiation.Header
	h.MessageID, h.Created, h.Count, h.Sum, h.Initiator.Name = f.ID, f.CreatedAt, len(f.Payments), f.money(sum), f.Payer.Name
	p := &d.Initiation.Payments
	p.ID, p.Method, p.Count, p.Sum, p.Execute = f.ID, "TRF", len(f.Payments), f.money(sum), f.ExecuteOn
	p.Debtor.Name, p.Account, p.Charges = f.Payer.Name, f.Payer.IBAN, "SLEV"
	if p.Agent.BIC = f.Payer.BIC; f.Payer.BIC == "" {
		p.Agent.Other = &other{"NOTPROVIDED"}
	}
	if p.Charges = "SHAR"; f.Currency == "EUR" {
		p.Service, p.Charges = &service{"SEPA"}, "SLEV"
	}
	for _, payment := range f.Payments {
		c := credit{EndToEnd: payment.ID, Creditor: named{payment.Payee.Name}, Account: payment.Payee.IBAN}
		c.Amount.Currency, c.Amount.Value = f.Currency, f.money(payment.AmountMinor)
		if payment.Payee.BIC != "" {
			c.Agent = &agent{BIC: payment.Payee.BIC}
		}
		p.Credits = append(p.Credits, c)
	}
	text, err := xml.MarshalIndent(&d, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

// CSV returns the file as comma-separated values with a head.
func (f *File) CSV() ([]byte, error) {
	if _, err := f.check(); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	rows := [][]string{{"file", "payment", "amount", "currency", "name", "iban", "bic"}}
	for _, p := range f.Payments {
		rows = append(rows, []string{f.ID, p.ID, f.money(p.AmountMinor), f.Currency, p.Payee.Name, p.Payee.IBAN, p.Payee.BIC})
	}
	err := w.WriteAll(rows)
	return text.Bytes(), err
}
