package wire

// PayoutRate is for how much of a national currency an asset is paid out.
type PayoutRate struct {
	Currency string `json:"currency" minLength:"3" maxLength:"3" doc:"A national currency: an asset of no world with a code of three letters."`
	Paid     string `json:"paid" maxLength:"40" doc:"So much of the currency is paid …"`
	Per      string `json:"per" maxLength:"40" doc:"… for so much of the asset."`
	Open     bool   `json:"open" doc:"Whether payouts are taken now."`
	Version  uint32 `json:"version,omitempty" readOnly:"true"`
}

// Payee is to whom a person is paid out.
type Payee struct {
	Name string `json:"name" minLength:"1" maxLength:"70" doc:"Of the account's owner: A-Z a-z 0-9 space / - ? : ( ) . , ' +"`
	IBAN string `json:"iban" minLength:"15" maxLength:"34" doc:"Without spaces."`
	BIC  string `json:"bic,omitempty" maxLength:"11"`
}

// NewPayout asks to be paid out.
type NewPayout struct {
	Asset     string `json:"asset" maxLength:"24"`
	Amount    string `json:"amount" maxLength:"40" doc:"The most of the asset that is taken; no more than what is paid is worth."`
	MinPaid   string `json:"min_paid" maxLength:"40" doc:"The least of the currency that you are ready to get."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// Payout is value that leaves the bank as money.
type Payout struct {
	Payout   string `json:"payout"`
	Person   string `json:"person"`
	Asset    string `json:"asset"`
	Amount   string `json:"amount" doc:"Of the asset."`
	Currency string `json:"currency"`
	Paid     string `json:"paid" doc:"Of the currency, rounded down to its minor units."`
	Status   string `json:"status" enum:"pending,sent,paid,failed,cancelled,left_out" doc:"failed, cancelled, left_out: what was set aside was given back."`
	Time     string `json:"time"`
	File     string `json:"file,omitempty" doc:"The file in which it stands."`
}

// NewPayoutFile puts payouts that wait into a file.
type NewPayoutFile struct {
	Currency string `json:"currency" minLength:"3" maxLength:"3"`
	Most     uint32 `json:"most,omitempty" maximum:"1000" doc:"At most so many; 0 for 1000."`
}

// PayoutFile is payouts of one currency that leave together.
type PayoutFile struct {
	File     string `json:"file"`
	Currency string `json:"currency"`
	Count    uint32 `json:"count"`
	Sum      string `json:"sum"`
	Time     string `json:"time"`
	Sent     string `json:"sent,omitempty" doc:"When it was handed over; absent before."`
	Attempts int    `json:"attempts,omitempty" doc:"To hand it over, that failed."`
	Fault    string `json:"fault,omitempty" doc:"Why the last one failed. It is tried again for ever."`
}

// PayoutOutcome says what became of a payout.
type PayoutOutcome struct {
	Status    string `json:"status" enum:"paid,failed" doc:"What was paid may come back and be failed."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// NewPayoutReport is what the operator's bank says became of payouts.
type NewPayoutReport struct {
	Report string `json:"report" minLength:"1" maxLength:"4194304" doc:"ISO 20022 pain.002 (customer payment status report) as XML, of any version."`
}

// PayoutReport is what a report says and what was done about it.
type PayoutReport struct {
	Message  string          `json:"message" doc:"Id of the report."`
	File     string          `json:"file" doc:"Message id of the file that it is about."`
	Code     string          `json:"code,omitempty" doc:"Status of the whole file."`
	Reasons  []string        `json:"reasons,omitempty"`
	Counts   map[string]int  `json:"counts" doc:"Payouts by outcome."`
	Findings []PayoutFinding `json:"findings"`
}

// PayoutFinding is what a report says of one payment.
type PayoutFinding struct {
	Payment string   `json:"payment" doc:"End-to-end id."`
	Payout  string   `json:"payout,omitempty"`
	Code    string   `json:"code,omitempty" doc:"Status by the external code set of ISO 20022."`
	Reasons []string `json:"reasons,omitempty"`
	Outcome string   `json:"outcome" enum:"paid,failed,stays,already,unmatched,mismatch,conflict,duplicate,unknown" doc:"paid, failed: noted now. stays: nothing is decided yet. already: noted before. unmatched: there is no such payout in that file. mismatch: another amount than was sent. conflict: it ended otherwise, or was not sent; somebody has to look. duplicate: rejected because the bank has it already; the first one counts. unknown: no status of ISO 20022."`
}

// NewCardCredit issues what a person bought by card.
type NewCardCredit struct {
	Person    string `json:"person" minLength:"32" maxLength:"32"`
	Asset     string `json:"asset" maxLength:"24" doc:"Of a world."`
	Amount    string `json:"amount" maxLength:"40"`
	Until     string `json:"until" maxLength:"40" doc:"Until then it can neither be paid out nor leave the account; at most 180 days ahead."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// CardCredit is what a person bought by card.
type CardCredit struct {
	Credit      string `json:"credit"`
	Person      string `json:"person"`
	Asset       string `json:"asset"`
	Amount      string `json:"amount"`
	Until       string `json:"until"`
	ChargedBack bool   `json:"charged_back,omitempty"`
	Owed        string `json:"owed,omitempty" doc:"What of a charge-back the person still owes."`
}

// PayoutText is a file of payouts as the operator's bank takes it.
type PayoutText struct {
	Name    string   `json:"name" doc:"Of the file."`
	Text    string   `json:"text" doc:"ISO 20022 pain.001.001.09 or CSV."`
	LeftOut []string `json:"left_out" doc:"Payouts of people who were erased since: they are in the file and not in this copy."`
}
