package wire

// NewWebhook says where a world wants to be told what happened.
type NewWebhook struct {
	URL              string `json:"url" maxLength:"1000" doc:"An https URL of a public host; empty to be told nothing."`
	SecretGeneration uint32 `json:"secret_generation,omitempty" doc:"Another number makes another signing secret; the one before signs nothing more."`
}

// Webhook is where a world is told what happened.
type Webhook struct {
	URL              string `json:"url"`
	SecretGeneration uint32 `json:"secret_generation,omitempty"`
	Secret           string `json:"secret" doc:"Signs the messages by the Standard Webhooks specification."`
	Disabled         bool   `json:"disabled,omitempty" doc:"The receiver answered that it is gone (410). Set the URL again to go on."`
}

// Message is something that a world was told, or is to be.
type Message struct {
	Message  string `json:"message" doc:"Its webhook-id."`
	Kind     string `json:"kind"`
	Body     any    `json:"body"`
	Created  string `json:"created"`
	Status   string `json:"status" enum:"waiting,delivered,dead" doc:"dead: the last of ten attempts, within about three days, failed too."`
	Attempts int    `json:"attempts"`
	Next     string `json:"next,omitempty"`
	Fault    string `json:"fault,omitempty" doc:"Why the last attempt failed."`
}
