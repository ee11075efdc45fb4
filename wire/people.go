package wire

// Person is a person as the API shows one.
type Person struct {
	Person     string    `json:"person" doc:"Opaque id."`
	World      string    `json:"world" doc:"The world that knows the person."`
	Points     string    `json:"points" doc:"Earned, waiting for the close of the running epoch."`
	Closing    string    `json:"points_closing,omitempty" doc:"Being turned into TIME now."`
	Owed       string    `json:"points_owed,omitempty" doc:"Taken back after they were paid; later earnings repay it first."`
	HeldBack   string    `json:"held_back,omitempty" doc:"TIME that waits for an operator to look at it; see the cases."`
	Accounts   []Account `json:"accounts"`
	Registered bool      `json:"registered" doc:"Whether the bank has an account of the person yet; the first points open it."`
}

// Slice explains what a slice of a day has earned.
type Slice struct {
	Start        string   `json:"start" doc:"Time of day, UTC."`
	Present      int64    `json:"present_seconds" doc:"T"`
	Count        int64    `json:"interactions" doc:"As they were reported."`
	Interactions string   `json:"weighted_interactions" doc:"I, after caps."`
	Spend        string   `json:"spend" doc:"C, after caps."`
	Alpha        string   `json:"alpha_term"`
	Beta         string   `json:"beta_term"`
	Gamma        string   `json:"gamma_term"`
	Formula      string   `json:"formula_term,omitempty"`
	Factor       string   `json:"curve_factor" doc:"Of the daily curve: 1, 0.5 or 0."`
	Caps         []string `json:"caps,omitempty" doc:"Caps that cut this slice."`
}

// Attention is what a person's day has earned in a world, and why.
type Attention struct {
	World         string `json:"world"`
	Day           string `json:"day"`
	Points        string `json:"points" doc:"A, rounded down once for the day."`
	Minted        string `json:"minted" doc:"What of it the bank has posted; the rest follows within the hour."`
	Provisional   bool   `json:"provisional" doc:"The day may still change."`
	Present       int64  `json:"present_seconds"`
	Interactions  string `json:"weighted_interactions"`
	Spend         string `json:"spend"`
	Currency      string `json:"currency"`
	PolicyVersion uint32 `json:"policy_version" doc:"0 is the default policy."`
	Policy        string `json:"policy"`
	DayCapped     bool   `json:"day_capped,omitempty"`
	Minor         bool   `json:"minor,omitempty" doc:"The policy's caps for minors hold."`
	OwnLimit      *int64 `json:"own_limit_seconds,omitempty" doc:"How much presence of the day, over all worlds, earns by the person's own limit."`
	Revision      string `json:"revision"`
	Commitment    string `json:"commitment" doc:"What the journal shows of T, I and C of this revision."`
	Blind         string `json:"blind,omitempty" doc:"Opens the commitment; shown to the person only."`

	Slices []Slice `json:"slices"`
}

// Mint is what was posted for a person's day.
type Mint struct {
	Time          string `json:"time"`
	Day           string `json:"day"`
	World         string `json:"world"`
	Revision      string `json:"revision"`
	Points        string `json:"points" doc:"Cumulative for the day."`
	Delta         string `json:"delta" doc:"What was added to, or taken from, the points that wait."`
	Owed          string `json:"owed,omitempty"`
	Epoch         uint64 `json:"epoch"`
	PolicyVersion uint32 `json:"policy_version"`
	Commitment    string `json:"commitment"`
	Operation     string `json:"operation"`
}

// Claim is a one-time code by which a user takes hold of the account.
type Claim struct {
	Code    string `json:"code" doc:"Hand it to the user; it works once."`
	Expires string `json:"expires"`
}

// Redemption turns a one-time code into a key.
type Redemption struct {
	Code  string `json:"code" maxLength:"100"`
	Label string `json:"label,omitempty" maxLength:"100"`
}

// NewLink asks to be one person in two worlds.
type NewLink struct {
	Tokens []string `json:"tokens" minItems:"2" maxItems:"2" doc:"A token of each of the two worlds, with a jti; one of them is of a world in which the person is known already. Each links once."`
}

// Link says that a person of one world is the same human as one of another.
type Link struct {
	World  string `json:"world" doc:"The other world."`
	Person string `json:"person" doc:"The person as the other world knows them."`
	From   string `json:"from" doc:"The first UTC day on which the time of both is one."`
	Until  string `json:"until,omitempty" doc:"The first UTC day on which it no longer is."`
	Yours  bool   `json:"yours,omitempty" doc:"The other's days belong to you, and not yours to the other."`
}

// NewAllowance says how much a world may spend.
type NewAllowance struct {
	Daily string `json:"daily" maxLength:"40" doc:"TIME that the world may spend of yours on a UTC day; 0 takes the allowance back."`
}

// Allowance is what a person lets a world spend.
type Allowance struct {
	World string `json:"world"`
	Daily string `json:"daily" doc:"TIME that the world may spend on a UTC day."`
	Spent string `json:"spent" doc:"Of the running day."`
	Left  string `json:"left" doc:"Of the running day; what the person has may be less."`
	Set   string `json:"set,omitempty" doc:"When the person set it."`
}

// NewCharge asks for a payment by an allowance.
type NewCharge struct {
	Amount    string `json:"amount" maxLength:"40" doc:"TIME."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// NewPurchaseFor buys a product for a person by an allowance.
type NewPurchaseFor struct {
	Product   string `json:"product" maxLength:"32"`
	Quantity  int64  `json:"quantity" minimum:"1"`
	MaxTotal  string `json:"max_total" maxLength:"40" doc:"The most TIME that the person is to pay in all."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// NewConsent is a decision on a purpose.
type NewConsent struct {
	Given   bool   `json:"given" doc:"false withdraws it."`
	Version string `json:"version" minLength:"1" maxLength:"32" doc:"Names the text that the person saw."`
}

// Consent is a decision of a person on a purpose.
type Consent struct {
	Purpose string `json:"purpose" enum:"scoring,analytics,marketing"`
	Given   bool   `json:"given"`
	Version string `json:"version"`
	Time    string `json:"time"`
	By      string `json:"by" enum:"person,world" doc:"world: its server has reported it."`
	Holds   bool   `json:"holds,omitempty" doc:"It is the last decision on the purpose."`
}

// NewOwnLimits replace what a person has set for themselves; what is left out is
// without a limit.
type NewOwnLimits struct {
	SpendDaily      string `json:"spend_daily,omitempty" maxLength:"40" doc:"TIME that may be spent on a UTC day: purchases, listings, and what worlds spend by allowances."`
	OrdersDaily     string `json:"orders_daily,omitempty" maxLength:"40" doc:"Value in TIME of the orders and conversions of a UTC day."`
	EarnMinutes     *int64 `json:"earn_minutes,omitempty" minimum:"0" maximum:"1440" doc:"How many minutes of presence of a UTC day earn."`
	ReminderMinutes uint16 `json:"reminder_minutes,omitempty" maximum:"1440" doc:"After how many minutes to be reminded of a break; 0 for never."`
}

// OwnLimit is a limit that a person has set for themselves.
type OwnLimit struct {
	Now  *string `json:"now" doc:"What holds; null for no limit."`
	Next *string `json:"next" doc:"What will hold; null for no limit, or if nothing is to come."`
	From string  `json:"from,omitempty" doc:"From when on next holds."`
}

// OwnLimits are what a person has set for themselves.
type OwnLimits struct {
	SpendDaily        OwnLimit `json:"spend_daily"`
	OrdersDaily       OwnLimit `json:"orders_daily"`
	EarnMinutes       OwnLimit `json:"earn_minutes"`
	ReminderMinutes   uint16   `json:"reminder_minutes" doc:"0 for never."`
	SpentToday        string   `json:"spent_today"`
	OrderedToday      string   `json:"ordered_today"`
	ExcludedUntil     string   `json:"excluded_until,omitempty" doc:"Until then no trade, conversion or purchase."`
	EarnsNothingUntil string   `json:"earns_nothing_until,omitempty"`
}

// NewExclusion keeps a person out for a time.
type NewExclusion struct {
	Until   string `json:"until" format:"date-time" maxLength:"40" doc:"No trade, conversion or purchase until then. It can be made longer and never shorter, by nobody."`
	Earning bool   `json:"earning,omitempty" doc:"Nothing is earned until then either."`
}
