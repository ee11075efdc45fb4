package wire

// Supply is what there is of an asset.
type Supply struct {
	Asset  string `json:"asset"`
	Scale  uint8  `json:"scale" doc:"Decimal places."`
	World  string `json:"world,omitempty"`
	Issuer string `json:"issuer" doc:"The account from which all supply comes."`
	Issued string `json:"issued"`
	Burned string `json:"burned"`
	Supply string `json:"supply" doc:"Issued less burned."`
}

// Epoch is a period whose points become TIME together.
type Epoch struct {
	Epoch    uint64 `json:"epoch"`
	Status   string `json:"status" enum:"running,closing,closed"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Mode     string `json:"mode,omitempty"`
	Lambda   string `json:"lambda,omitempty" doc:"TIME per point."`
	Budget   string `json:"budget,omitempty" doc:"The most TIME that it issues."`
	Paid     int    `json:"accounts_paid,omitempty"`
	Accounts uint64 `json:"accounts,omitempty"`
	Issued   string `json:"issued,omitempty"`
	Treasury string `json:"treasury,omitempty" doc:"What rounding left to the treasury, within issued."`
}

// MonetaryPolicy is how epochs turn points into TIME.
type MonetaryPolicy struct {
	Mode         string `json:"mode" enum:"capped,fixed,budget"`
	Lambda       string `json:"lambda" doc:"TIME per point, 0 to 100."`
	Budget       string `json:"budget" doc:"The most TIME that an epoch issues."`
	EpochSeconds int64  `json:"epoch_seconds"`
	DelaySeconds int64  `json:"close_delay_seconds" doc:"How long after its end an epoch still takes in what was earned before."`
}

// NewAsset asks for an asset.
type NewAsset struct {
	Asset string `json:"asset" doc:"2 to 24 of A-Z 0-9 - _"`
	Scale uint8  `json:"scale" maximum:"18" doc:"Decimal places."`
	World string `json:"world,omitempty" maxLength:"32" doc:"Whose currency or item it is; none for a national currency."`
}
