package wire

// Account is an account as the API shows it.
type Account struct {
	Account     string `json:"account"`
	OwnerKind   string `json:"owner_kind" enum:"bank,world,person"`
	Owner       string `json:"owner,omitempty" doc:"Code of the world or id of the person."`
	Asset       string `json:"asset"`
	Purpose     string `json:"purpose"`
	Sub         uint32 `json:"sub,omitempty"`
	Balance     string `json:"balance"`
	Held        string `json:"held" doc:"Sum of the open holds."`
	Available   string `json:"available,omitempty" doc:"What can be transferred or held; absent for issuers, which have no bound."`
	Floor       string `json:"floor,omitempty"`
	CreditLimit string `json:"credit_limit,omitempty"`
}

// Entry is a line of a statement.
type Entry struct {
	Time      string `json:"time"`
	Operation string `json:"operation" doc:"Position of the command in the journal."`
	Kind      string `json:"kind"`
	Reference string `json:"reference,omitempty"`
	Other     string `json:"other_account"`
	Amount    string `json:"amount" doc:"Below zero leaves the account."`
	Balance   string `json:"balance"`
}

// NewAccount asks for an account of a world or of a person.
type NewAccount struct {
	World  string `json:"world,omitempty" maxLength:"32" doc:"Owner, if it is a world."`
	Person string `json:"person,omitempty" maxLength:"32" doc:"Owner, if it is a person."`
	Asset  string `json:"asset" maxLength:"24"`
	Sub    uint32 `json:"sub,omitempty" maximum:"999" doc:"Tells several accounts of one owner and asset apart."`
}

// Limits bound the balance of a world's or the bank's account.
type Limits struct {
	Floor       string `json:"floor" maxLength:"40" doc:"What must stay in the account."`
	CreditLimit string `json:"credit_limit" maxLength:"40" doc:"What may be owed."`
}
