package wire

// NewCollection says how the unique goods of an asset are sold.
type NewCollection struct {
	RefundWindow int64  `json:"refund_window_seconds,omitempty" minimum:"0" maximum:"7776000" doc:"How long after its sale the world may take a good back."`
	RoyaltyBPS   uint16 `json:"royalty_bps,omitempty" maximum:"2500" doc:"The world's share of the price of a resale, in basis points."`
	Givable      bool   `json:"givable,omitempty" doc:"Whether owners may give a good away."`
}

// Collection is unique goods of a world.
type Collection struct {
	Asset string `json:"asset"`
	World string `json:"world"`
	NewCollection
}

// NewGood says for how much a good of the world is on sale.
type NewGood struct {
	Price string `json:"price" maxLength:"40" doc:"TIME; 0 takes it from sale."`
}

// Good is one of a kind.
type Good struct {
	Good  string `json:"good" doc:"Number of the bank."`
	Asset string `json:"asset" doc:"Of its collection."`
	ID    string `json:"id" doc:"Of its world."`
	Owned bool   `json:"owned" doc:"Whether a person owns it; if not, it is the world's."`
	Owner string `json:"owner,omitempty" doc:"Told to the owner, to the world and to the operator."`
	Price string `json:"price,omitempty" doc:"TIME, if it is on sale."`
}

// GoodOffer says for how much an owner sells a good.
type GoodOffer struct {
	Price     string `json:"price" maxLength:"40" doc:"TIME; 0 takes it back."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// GoodGift gives a good to somebody else.
type GoodGift struct {
	To        string `json:"to" minLength:"32" maxLength:"32" doc:"The person."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}
