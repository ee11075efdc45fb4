package wire

// Operators are those who run the bank.
type Operators struct {
	TwoPersons bool       `json:"two_persons" doc:"Whether λ, budgets, accounts by hand and operators take two operators: one proposes, another approves."`
	Items      []Operator `json:"items"`
}

// Operator is somebody who runs the bank.
type Operator struct {
	Operator uint32 `json:"operator" doc:"Number; the first operator is 0."`
	Name     string `json:"name"`
	Added    string `json:"added,omitempty"`
	Removed  bool   `json:"removed,omitempty"`
	You      bool   `json:"you,omitempty"`
}

// NewOperator asks for an operator, or for a further key of one.
type NewOperator struct {
	Name    string `json:"name" doc:"1 to 32 of a-z 0-9 -. Of somebody who is an operator already: a further key."`
	KeyHash string `json:"key_hash" minLength:"64" maxLength:"64" doc:"SHA-256 of the key, hexadecimal, as attentionbank operator-key prints it."`
}

// Proposal is what waits for a second operator, or has waited.
type Proposal struct {
	Number     string `json:"proposal"`
	Status     string `json:"status" enum:"open,approved,rejected,expired"`
	Operation  string `json:"operation" doc:"The operation that was called."`
	Target     string `json:"target,omitempty" doc:"The ids in its path."`
	Before     any    `json:"before,omitempty" doc:"How it was."`
	After      any    `json:"after,omitempty" doc:"What was asked for."`
	ProposedBy string `json:"proposed_by"`
	Proposed   string `json:"proposed"`
	Expires    string `json:"expires"`
	EndedBy    string `json:"ended_by,omitempty"`
	Ended      string `json:"ended,omitempty"`
}

// Act is a line of the audit trail.
type Act struct {
	Position   string `json:"position" doc:"Where it stands in the journal."`
	Time       string `json:"time"`
	Operator   uint32 `json:"operator"`
	Name       string `json:"name"`
	Credential string `json:"credential" doc:"The id of the key that was shown."`
	Operation  string `json:"operation"`
	Target     string `json:"target,omitempty" doc:"The ids in its path."`
	Before     any    `json:"before,omitempty" doc:"How it was, where that makes sense."`
	After      any    `json:"after,omitempty" doc:"What was asked for, without labels and secrets; of long texts the hash. failed names why what stands before it was not done."`
	Outcome    string `json:"outcome" doc:"done, or the code of the refusal."`
}

// RateLimit is how often a key may call.
type RateLimit struct {
	PerSecond uint32 `json:"per_second" doc:"In the long run."`
	Burst     uint32 `json:"burst" doc:"At once, after a pause."`
	OfKind    bool   `json:"of_kind" doc:"Whether it is that of all keys of the kind."`
}

// NewRateLimit asks for a limit of a key's own.
type NewRateLimit struct {
	PerSecond uint32 `json:"per_second" maximum:"1000000"`
	Burst     uint32 `json:"burst" maximum:"10000000"`
}
