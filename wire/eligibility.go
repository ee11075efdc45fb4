package wire

// Attributes are what the operator has found out about a person.
type Attributes struct {
	Country string `json:"country,omitempty" pattern:"^[A-Z]{2}$" doc:"Where the person lives, ISO 3166-1 alpha-2; left out if that is not known."`
	Age     string `json:"age" enum:"unknown,minor,adult" doc:"The human's: it holds for all persons who are linked."`
	Tier    uint8  `json:"tier" maximum:"9" doc:"How well the person is known to the operator; limits grow with it."`
}

// Standing is what a person may do.
type Standing struct {
	Tier          uint8    `json:"tier"`
	Features      []string `json:"features" doc:"Of trade, convert, redeem, resell, transfer, withdraw and payout."`
	ExcludedUntil string   `json:"excluded_until,omitempty" doc:"Until then the person has chosen not to spend."`
}

// NewEligibility is a table that says what people may do.
type NewEligibility struct {
	Text string `json:"text" minLength:"1" maxLength:"16384" doc:"YAML; docs/eligibility.md describes it."`
}

// Eligibility is the table that holds now.
type Eligibility struct {
	Version uint32 `json:"version" doc:"0 before one was published: then everybody may do everything but payouts."`
	Text    string `json:"text"`
}
