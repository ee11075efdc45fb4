package wire

// Accrual is what a person's day has earned so far, as a stream shows it: every
// event replaces the one before it of the same day.
type Accrual struct {
	Day         string           `json:"day" doc:"UTC day."`
	Provisional bool             `json:"provisional" doc:"The day may still change."`
	Worlds      []AccrualOfWorld `json:"worlds" doc:"Those that may be seen."`
	// The stretch of presence that goes on, of the present day only.
	PresentSince string `json:"present_since,omitempty" doc:"Since when the person has been present without a pause of five minutes. Absent when that is over."`
	PresentUntil string `json:"present_until,omitempty" doc:"Until when presence is known."`
}

// AccrualOfWorld is what a world's part of a day has earned so far.
type AccrualOfWorld struct {
	World         string `json:"world"`
	Points        string `json:"points" doc:"A, rounded down once for the day."`
	Minted        string `json:"minted" doc:"What of it the bank has posted; the rest follows within the hour."`
	Present       int64  `json:"present_seconds" doc:"T, as it counts."`
	Interactions  string `json:"weighted_interactions" doc:"I, after caps."`
	Spend         string `json:"spend" doc:"C that counts."`
	SpendWaiting  string `json:"spend_waiting" doc:"Orders whose refund window is open; they count on the day on which it ends."`
	Currency      string `json:"currency"`
	PolicyVersion uint32 `json:"policy_version"`
	DayCapped     bool   `json:"day_capped,omitempty" doc:"The day's cap on points cut it."`
}

// AccrualSnapshot begins a stream of a person's accrual.
type AccrualSnapshot struct {
	Person       Person  `json:"person"`
	Today        Accrual `json:"today"`
	BreakMinutes int     `json:"break_minutes" doc:"After how much presence without a pause the stream reminds of a break; 0 if never."`
}

// Payment says what a person was paid for the points of a world in an epoch.
type Payment struct {
	Epoch     uint64 `json:"epoch"`
	World     string `json:"world"`
	Points    string `json:"points"`
	Time      string `json:"time" doc:"TIME that was paid."`
	HeldBack  bool   `json:"held_back,omitempty" doc:"It is held back until a review has been decided."`
	Operation string `json:"operation"`
}

// ReviewNews says where a review of a person stands now.
type ReviewNews struct {
	Case      string `json:"case"`
	Status    string `json:"status"`
	Operation string `json:"operation"`
}

// BreakReminder says that a person has been present for long without a pause.
type BreakReminder struct {
	Since   string `json:"since" doc:"When the stretch of presence began."`
	Minutes int64  `json:"minutes" doc:"How long it has lasted."`
	Every   int    `json:"every_minutes" doc:"It is reminded of again after as many more."`
}
