package wire

// Verdict is what became of an event.
type Verdict struct {
	MessageID string `json:"message_id"`
	Verdict   string `json:"verdict" enum:"accepted,capped,duplicate,late,quarantined,rejected"`
	Rule      string `json:"rule,omitempty" doc:"By which rule."`
	First     string `json:"first,omitempty" doc:"Of a duplicate: what became of the first."`
	Detail    string `json:"detail,omitempty" doc:"Of a rejected event: what would be accepted."`
	Source    string `json:"source,omitempty" enum:"write,server,import" doc:"The kind of key under which it came."`
}

// EventsAnswer is the answer to events.
type EventsAnswer struct {
	Success  bool      `json:"success" doc:"The request was read and everything that is not rejected is durable."`
	Verdicts []Verdict `json:"verdicts" doc:"One for each event, in order."`
}

// NewSession vouches for a user.
type NewSession struct {
	UserID      string `json:"user_id" minLength:"1" maxLength:"256"`
	AnonymousID string `json:"anonymous_id,omitempty" maxLength:"256" doc:"A device that is this user from now on."`
	From        string `json:"from,omitempty" format:"date-time" doc:"The default is now."`
	Seconds     int64  `json:"seconds,omitempty" minimum:"1" maximum:"86400" doc:"The default is 12 hours."`
}
