package wire

// World is a world as the API shows it.
type World struct {
	World       string `json:"world" doc:"Code of the world."`
	Number      uint32 `json:"number"`
	ShareWeight uint32 `json:"share_weight" doc:"Its weight in the budget of an epoch."`
	// RetentionDays is how long its raw events are kept.
	RetentionDays uint16 `json:"retention_days" doc:"For how many days after they arrived its events are kept."`
	Pending       string `json:"pending_points" doc:"Points that wait for the close of the running epoch."`
}

// Retention is for how long a world keeps its events.
type Retention struct {
	Days uint16 `json:"days" minimum:"7" maximum:"3650" doc:"After they arrived. What was earned by them stays; what is dropped does not come back."`
}

// Key is a key as the API shows it. Secret is there once, when it is made.
type Key struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Label     string `json:"label,omitempty"`
	Secret    string `json:"secret,omitempty" doc:"Shown this once."`
	Created   string `json:"created"`
	Revoked   string `json:"revoked,omitempty"`
	LastUsed  string `json:"last_used,omitempty" doc:"Day of the last use."`
	PersonID  string `json:"person,omitempty"`
	WorldCode string `json:"world,omitempty"`
	// Operator is whose key it is, of an operator's; the first operator is 0.
	Operator *uint32 `json:"operator,omitempty" doc:"Number of the operator, of an operator's key."`
}

// Policy is a version of a world's policy.
type Policy struct {
	World        string `json:"world"`
	Version      uint32 `json:"version"`
	EffectiveDay string `json:"effective_day"`
	ForImport    bool   `json:"for_import,omitempty"`
	Policy       string `json:"policy" doc:"The policy as YAML."`
}

// NewWorld asks for a world.
type NewWorld struct {
	World string `json:"world" doc:"1 to 32 of a-z 0-9 -"`
}

// Share is a world's weight in the budget of an epoch.
type Share struct {
	Weight uint32 `json:"weight" maximum:"1000000"`
}

// NewKey asks for a key of a world.
type NewKey struct {
	Kind  string `json:"kind" enum:"write,server" doc:"write lies open in clients; server is secret."`
	Label string `json:"label,omitempty" maxLength:"100"`
}

// Label names a key for whoever reads the list of keys.
type Label struct {
	Label string `json:"label,omitempty" maxLength:"100"`
}

// NewPolicy asks for a version of a world's policy.
type NewPolicy struct {
	Policy       string `json:"policy" maxLength:"32768" doc:"The policy as YAML; see docs/policy.md."`
	EffectiveDay string `json:"effective_day,omitempty" format:"date" doc:"From this UTC day on; the default is tomorrow."`
}
