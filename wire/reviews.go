package wire

// NewReviewRules is the text of review rules.
type NewReviewRules struct {
	Rules string `json:"rules" minLength:"1" maxLength:"16384" doc:"YAML; docs/review.md describes it."`
}

// ReviewRules are a version of the review rules.
type ReviewRules struct {
	Version uint32 `json:"version" doc:"0 are the default rules, which only watch."`
	Name    string `json:"name"`
	Current bool   `json:"current,omitempty" doc:"These hold now."`
	Rules   string `json:"rules"`
}

// ReviewEffect says what a version of the rules has led to so far.
type ReviewEffect struct {
	Version uint32 `json:"version"`
	People  int    `json:"people" doc:"About whom something was found that mattered."`
	// Held is TIME.
	Held     string         `json:"held" doc:"TIME that is or was held back."`
	Statuses map[string]int `json:"statuses" doc:"Cases by status."`
	Signals  map[string]int `json:"signals" doc:"Cases by signal."`
}

// Case is why TIME of a person is held back, or would be.
type Case struct {
	Case         string   `json:"case"`
	Person       string   `json:"person"`
	Status       string   `json:"status" enum:"open,released,upheld,appealed,forfeited,shadow"`
	From         string   `json:"from" doc:"First day that was found odd."`
	To           string   `json:"to" doc:"Last day."`
	Signals      []Signal `json:"signals"`
	Trust        int64    `json:"trust" doc:"The least that was found, of 1000."`
	RulesVersion uint32   `json:"rules_version"`
	Held         string   `json:"held" doc:"TIME that is held back, or was when the case ended."`
	Contested    bool     `json:"contested,omitempty" doc:"The person has asked to be heard while it was open."`
	Opened       string   `json:"opened"`
	Decided      string   `json:"decided,omitempty"`
	DecidedBy    *uint32  `json:"decided_by,omitempty" doc:"Number of the operator."`
	AppealUntil  string   `json:"appeal_until,omitempty" doc:"Until when the person may appeal."`
}

// Signal is something that was found, and what it means.
type Signal struct {
	Signal  string `json:"signal"`
	Meaning string `json:"meaning"`
}

// CaseDetail is a case with what it follows from and what the person says.
type CaseDetail struct {
	Case
	Findings []Finding `json:"findings" doc:"Of up to 31 days; none once the person was erased."`
	Appeals  []Appeal  `json:"appeals"`
}

// Finding is a rule that a day was found odd by.
type Finding struct {
	Day          string `json:"day"`
	Signal       string `json:"signal"`
	Mode         string `json:"mode" enum:"enforce,shadow"`
	RulesVersion uint32 `json:"rules_version"`
	Evidence     string `json:"evidence" doc:"What was measured, in words."`
	Value        int64  `json:"value"`
	Limit        int64  `json:"limit"`
	Beside       int64  `json:"beside,omitempty" doc:"What the value has to be seen beside."`
	Cost         int64  `json:"cost" doc:"What it took from the trust of 1000."`
}

// Appeal is what a person says about a case.
type Appeal struct {
	Time string `json:"time"`
	Text string `json:"text"`
}

// NewAppeal says why a case should be decided otherwise.
type NewAppeal struct {
	Text string `json:"text" minLength:"1" maxLength:"4000" doc:"Kept sealed under your key; an operator reads it."`
}

// NewDecision decides a case.
type NewDecision struct {
	Decision string `json:"decision" enum:"release,uphold" doc:"release pays what is held back; uphold keeps it until the time for an appeal is over."`
}
