// Package economy makes a report of what happened in the bank in a period: what
// was minted and burned and by what, the rates of epochs, volumes, fees, who has
// how much. It folds the facts of the journal, so that two who have the same
// journal get the same report to the last digit: all sums are exact, a ratio is
// rounded down at the sixth decimal, and nothing is sampled. People appear as
// counts only.
package economy

// Report is the economy of a period. Amounts are decimal texts in units of
// their asset, ratios are decimal texts of at most six places.
type Report struct {
	// From is included, To is not; UTC.
	From string `json:"from"`
	To   string `json:"to"`
	// LastRecord is the last record that counts, and LastTime its time: the
	// journal may end before To.
	LastRecord uint64 `json:"last_record"`
	LastTime   string `json:"last_time"`

	People    People         `json:"people"`
	Time      Money          `json:"time"`
	Points    Money          `json:"points"`
	Others    []Money        `json:"other_assets"`
	Worlds    []WorldReport  `json:"worlds"`
	Epochs    []EpochReport  `json:"epochs"`
	Shop      Shop           `json:"shop"`
	Markets   []MarketReport `json:"markets"`
	Reviews   Reviews        `json:"reviews"`
	Fees      []Fee          `json:"fees"`
	Treasury  []Treasury     `json:"treasury"`
	Holdings  Distribution   `json:"holdings"`
	Earnings  Distribution   `json:"earnings"`
	Attention Distribution   `json:"attention"`
	// Nakamoto is the least number of owners, people, worlds and the bank
	// itself, who together have more than half of all TIME at the end.
	Nakamoto int64 `json:"nakamoto_coefficient"`
	// Velocity is how often a TIME changed owners: the volume over the mean of
	// the supply at the ends of the days.
	Velocity string         `json:"velocity"`
	Commands []CommandCount `json:"commands"`
	Days     []Day          `json:"days"`
}

// People counts persons.
type People struct {
	Registered int64 `json:"registered"` // at the end
	New        int64 `json:"new"`
	Earned     int64 `json:"earned_points"` // in the period
	Paid       int64 `json:"were_paid"`
	Spent      int64 `json:"spent_time"`
	Holding    int64 `json:"hold_time"` // at the end
}

// Money is what happened to an asset. Opening + Minted - Burned = Closing.
type Money struct {
	Asset   string `json:"asset"`
	World   string `json:"world,omitempty"`
	Opening string `json:"opening_supply"`
	Minted  string `json:"minted"`
	Burned  string `json:"burned"`
	Closing string `json:"closing_supply"`
	// Volume is what changed owners; what passes through the bank's clearing
	// accounts counts once.
	Volume   string `json:"volume"`
	MintedBy []Flow `json:"minted_by"`
	BurnedBy []Flow `json:"burned_by"`
	VolumeBy []Flow `json:"volume_by"`
}

// Flow is an amount and what brought it about: the kind of command, or the
// part of an epoch's close.
type Flow struct {
	Source string `json:"source"`
	World  string `json:"world,omitempty"`
	Amount string `json:"amount"`
	Count  int64  `json:"count"` // postings
}

// WorldReport is what people earned of a world and what the world took in.
type WorldReport struct {
	World string `json:"world"`
	// Earned and TakenBack are points; what was taken back beyond the points
	// that waited became a receivable and is not in it.
	Earned    string `json:"points_earned"`
	TakenBack string `json:"points_taken_back"`
	// PaidPoints were turned into PaidTime; Lambda is the one over the other.
	PaidPoints string `json:"points_paid"`
	PaidTime   string `json:"time_paid"`
	Lambda     string `json:"effective_lambda"`
	// TimeIn and TimeOut went to and from the world's own accounts.
	TimeIn  string `json:"time_in"`
	TimeOut string `json:"time_out"`
}

// EpochReport is an epoch that was closed in the period.
type EpochReport struct {
	Epoch    uint64 `json:"epoch"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Closed   string `json:"closed"`
	Mode     string `json:"mode"`
	Lambda   string `json:"lambda"`
	Budget   string `json:"budget,omitempty"`
	Accounts uint64 `json:"accounts"`
	Points   string `json:"points"`
	// Issued is in TIME, Treasury the part of it that rounding left.
	Issued   string `json:"issued"`
	Treasury string `json:"treasury"`
	// Effective is what people were paid for a point.
	Effective string `json:"effective_lambda"`
}

// Shop is what was bought with TIME of worlds and of each other.
type Shop struct {
	Purchases int64  `json:"purchases"`
	Sold      string `json:"time_of_purchases"` // pending services too
	Delivered int64  `json:"services_delivered"`
	Declined  int64  `json:"services_declined"`
	Refunds   int64  `json:"refunds"`
	Resales   int64  `json:"resales"`
	Resold    string `json:"time_of_resales"`
	Royalties string `json:"royalties"`
}

// Fee is what a kind of command left to the bank and burned of what passed
// through clearing.
type Fee struct {
	Kind     string `json:"kind"`
	Asset    string `json:"asset"`
	Treasury string `json:"to_treasury"`
	Operator string `json:"to_operator"`
	Burned   string `json:"burned"`
}

// Treasury is what the bank keeps of an asset. Opening + In - Out = Closing.
type Treasury struct {
	Asset   string `json:"asset"`
	Opening string `json:"opening"`
	Closing string `json:"closing"`
	In      []Flow `json:"in"`
	Out     []Flow `json:"out"`
}

// CommandCount says how often a kind of command was carried out and refused.
type CommandCount struct {
	Kind     string         `json:"kind"`
	Accepted int64          `json:"accepted"`
	Repeated int64          `json:"repeated"`
	Refused  []RefusalCount `json:"refused,omitempty"`
}

// RefusalCount says how often a refusal was given.
type RefusalCount struct {
	Refusal string `json:"refusal"`
	Count   int64  `json:"count"`
}

// Day is a UTC day of the period.
type Day struct {
	Day    string `json:"day"`
	Minted string `json:"minted"`
	Burned string `json:"burned"`
	Supply string `json:"supply"` // at its end
	Volume string `json:"volume"`
	Points string `json:"points_earned"`
	Active int64  `json:"people_who_earned"`
}
