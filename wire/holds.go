package wire

// Hold is a hold as the API shows it.
type Hold struct {
	Hold        string `json:"hold"`
	Account     string `json:"account"`
	Beneficiary string `json:"beneficiary,omitempty"`
	Asset       string `json:"asset"`
	Remaining   string `json:"remaining" doc:"What is still held; 0 when the hold has ended."`
	Expires     string `json:"expires,omitempty" doc:"The hold is void from then on."`
	Grouped     bool   `json:"grouped,omitempty" doc:"It is in a group, so the server of the debtor's world can settle or release it with the rest."`
}

// NewHold asks for a hold.
type NewHold struct {
	Reference   string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
	Account     string `json:"account" maxLength:"20"`
	Beneficiary string `json:"beneficiary" maxLength:"20"`
	Amount      string `json:"amount" maxLength:"40"`
	Expires     string `json:"expires,omitempty" format:"date-time" doc:"The hold is void from then on."`
	Group       string `json:"group,omitempty" maxLength:"64" doc:"Holds of a group are settled or released together; groups of different worlds never meet."`
}

// Settlement pays a hold, or a part of it.
type Settlement struct {
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
	Amount    string `json:"amount" maxLength:"40"`
	Final     bool   `json:"final,omitempty" doc:"Release the rest."`
}

// Ending ends a hold, or all open holds of a group, in whole.
type Ending struct {
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}
