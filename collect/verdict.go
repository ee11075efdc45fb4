package collect

// Trust says how far a report can be believed.
type Trust uint8

// The degrees of trust.
const (
	// TrustWrite is a public write key: a claim that counts only inside a
	// session that a server key has opened.
	TrustWrite Trust = iota + 1
	// TrustServer is a world's server key.
	TrustServer
	// TrustImport is an operator's import of history: its times are taken as
	// they are, and it is scored by a policy of its own.
	TrustImport
)

// Verdict says what became of an event.
type Verdict uint8

// The verdicts. All but duplicate and rejected are about events that are kept.
const (
	Accepted    Verdict = iota + 1 // counts
	Capped                         // kept, and adds nothing because the day's cap is reached
	Duplicate                      // was accepted before under the same message id
	Late                           // kept, and too old to count
	Quarantined                    // kept, and counts once it is vouched for
	Rejected                       // not kept
)

var verdictNames = [...]string{"", "accepted", "capped", "duplicate", "late", "quarantined", "rejected"}

// String returns the verdict's stable name.
func (v Verdict) String() string {
	if int(v) >= len(verdictNames) {
		return "unknown"
	}
	return verdictNames[v]
}

// Rule says by which rule a verdict was reached, or what was left out of an
// event that is accepted.
type Rule uint8

// The rules.
const (
	NoRule             Rule = iota
	MalformedEvent          // the event cannot be read or breaks a bound
	NoMessageID             // without a message id a retry would count twice
	MessageIDTwice          // the message id was seen within the horizon
	OlderThanHorizon        // it happened more than Horizon before it arrived
	Unvouched               // no session of the person covers it
	DailyCurve              // the person's paid hours of the day are used up
	SpendNeedsServer        // spend counts from a server key only
	OtherCurrency           // the policy names another currency
	NoAmount                // a spend without a readable amount
	ClockAhead              // the client's clock is ahead; its time was corrected
	TooManyUnvouched        // the person has too many unvouched events; this one stays unvouched
	ErasedPerson            // the person was erased while the event was on its way
	ConsentWithdrawn        // the person has withdrawn consent to being metered
	ConsentMissing          // the world's policy asks for consent, and there is none
	SelfExcludedPerson      // the person earns nothing for a time, by choice
	OwnLimit                // the minutes of the day that the person lets earn are used up
)

var ruleNames = [...]string{
	"", "malformed", "no_message_id", "message_id_seen", "older_than_horizon", "unvouched", "daily_curve",
	"spend_needs_server_key", "other_currency", "no_amount", "clock_ahead", "too_many_unvouched", "erased",
	"consent_withdrawn", "consent_missing", "self_excluded", "own_limit",
}

// String returns the rule's stable name, empty for none.
func (r Rule) String() string {
	if int(r) >= len(ruleNames) {
		return "unknown"
	}
	return ruleNames[r]
}

// Result is what became of one event of a request.
type Result struct {
	MessageID string
	Verdict   Verdict
	Rule      Rule
	// First is the verdict that a duplicate's first acceptance has.
	First Verdict
	// Detail says what would be accepted, for a rejected event.
	Detail string
}
