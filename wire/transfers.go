package wire

// Leg moves an amount from one account to another.
type Leg struct {
	From   string `json:"from" maxLength:"20"`
	To     string `json:"to" maxLength:"20"`
	Amount string `json:"amount" maxLength:"40"`
}

// Transfer is one or more legs, carried out together or not at all.
type Transfer struct {
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation; everything of it is found by GET /v1/operations/{reference}."`
	Legs      []Leg  `json:"legs" minItems:"1" maxItems:"1000"`
}

// Posting is a change of an account, and what the account came to by it.
type Posting struct {
	Account string `json:"account"`
	Amount  string `json:"amount"`
	Balance string `json:"balance,omitempty" doc:"After it; shown to the owner of the account and the operator only."`
	Held    string `json:"held,omitempty" doc:"After it; shown to the owner of the account and the operator only."`
}

// Receipt is the answer to what changed accounts.
type Receipt struct {
	Operation string    `json:"operation" doc:"Position of the command in the journal."`
	Reference string    `json:"reference,omitempty"`
	Postings  []Posting `json:"postings"`
	Hold      *Hold     `json:"hold,omitempty" doc:"What became of the hold."`
	Holds     []Hold    `json:"holds,omitempty" doc:"Of a group: what became of each hold."`
	Replayed  bool      `json:"replayed,omitempty" doc:"In a batch: this one was carried out before, under the same Idempotency-Key."`
	Problem   *Problem  `json:"problem,omitempty" doc:"In a batch: why this one was refused."`
}

// Operation is a command of the past with what it did.
type Operation struct {
	Operation string    `json:"operation"`
	Time      string    `json:"time"`
	Kind      string    `json:"kind"`
	Reference string    `json:"reference,omitempty"`
	Postings  []Posting `json:"postings"`
	Holds     []Hold    `json:"holds,omitempty" doc:"Holds that it placed, settled or released, and what they came to."`
}

// Transfers are independent of each other.
type Transfers struct {
	Transfers []Transfer `json:"transfers" minItems:"1" maxItems:"1000"`
}
