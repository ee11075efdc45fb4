package wire

// MarketTerms are what an operator may change about a market.
type MarketTerms struct {
	MakerBPS    uint16 `json:"maker_fee_bps" maximum:"1000" doc:"The fee of an order that rested, in basis points of what is paid, in the quote, rounded up on the sum over the order's trades."`
	TakerBPS    uint16 `json:"taker_fee_bps" maximum:"1000" doc:"The fee of an order that trades as it arrives."`
	CallBPS     uint16 `json:"call_fee_bps" maximum:"1000" doc:"Everybody's fee in a batch or auction."`
	OperatorBPS uint16 `json:"operator_share_bps,omitempty" maximum:"10000" doc:"The operator's share of the fees, in 1/10000."`
	BurnedBPS   uint16 `json:"burned_share_bps,omitempty" maximum:"10000" doc:"The share of the fees that is burned, in 1/10000; only where they are paid in TIME. The rest is the treasury's."`
	MinNotional string `json:"min_notional,omitempty" maxLength:"40" doc:"The least price x quantity of an order, in the quote."`
	Value       string `json:"value,omitempty" maxLength:"40" doc:"What one of the quote counts as in TIME where tiers limit trading; only in markets without TIME."`
}

// NewMarket says what a market is to be. What is left out is the default.
type NewMarket struct {
	Base  string `json:"base" maxLength:"24" doc:"The asset that is bought and sold: TIME or an asset of a world."`
	Quote string `json:"quote" maxLength:"24" doc:"The asset that it is paid with: TIME or an asset of a world."`
	Mode  string `json:"mode,omitempty" enum:"batch,continuous" default:"batch" doc:"batch gathers orders and clears them together at one price; continuous matches each at once, by price and time."`
	Lot   string `json:"lot" maxLength:"40" doc:"The step of quantities: 1, 0.1, 0.01 … or 10, 100 … of the base."`
	Tick  string `json:"tick" maxLength:"40" doc:"The step of prices, in the quote for one of the base. A tick for a lot is a whole number of the quote's smallest units, so that what is paid is exact."`
	MarketTerms
	MaxPrice     string `json:"max_price,omitempty" maxLength:"40" doc:"The largest price; 1048576 ticks if left out."`
	MaxQuantity  string `json:"max_quantity,omitempty" maxLength:"40" doc:"The largest quantity of an order."`
	MaxOwnOrders int64  `json:"max_own_orders,omitempty" minimum:"0" maximum:"10000" doc:"The most open orders of a person in this market; 50 if left out."`
	BatchMS      int64  `json:"batch_ms,omitempty" minimum:"0" maximum:"86400000" doc:"How long a batch gathers orders after the first one."`
	AuctionMS    int64  `json:"auction_ms,omitempty" minimum:"0" maximum:"86400000" doc:"The length of an auction."`
	RandomMS     *int64 `json:"random_end_ms,omitempty" minimum:"0" maximum:"86400000" doc:"An auction ends up to so much later, by a seed that was fixed before it began."`
	LockMS       *int64 `json:"locked_ms,omitempty" minimum:"0" maximum:"86400000" doc:"So long before the end of an auction orders are not cancelled any more."`
	DynamicBPS   *int64 `json:"dynamic_band_bps,omitempty" minimum:"0" maximum:"4999" doc:"Half the width of the band around the price of the last five minutes; 0 is no band. A trade outside it calls an auction."`
	StaticBPS    *int64 `json:"static_band_bps,omitempty" minimum:"0" maximum:"9999" doc:"Half the width of the band around the price of the last auction; 0 is no band."`
}

// Market is a market and what it is doing.
type Market struct {
	Market string `json:"market"`
	NewMarket
	Phase     string `json:"phase" enum:"halted,continuous,batch,auction" doc:"halted: orders can only be cancelled until an auction is called; auction: orders wait for its end."`
	Reference string `json:"reference,omitempty" doc:"The price that the bands are around."`
	Last      string `json:"last,omitempty" doc:"The price of the last trade or clearing."`
	Low       string `json:"low,omitempty" doc:"The least price of a trade now."`
	High      string `json:"high,omitempty" doc:"The largest price of a trade now."`
	Orders    int    `json:"open_orders"`
}

// MarketPhase says what a market does from a change on.
type MarketPhase struct {
	Market    string `json:"market"`
	Phase     string `json:"phase" enum:"halted,continuous,batch,auction"`
	Reference string `json:"reference,omitempty" doc:"The price that the bands are around."`
	NotBefore string `json:"not_before,omitempty" doc:"An auction does not end before."`
}

// NewAuction opens or re-opens a halted market.
type NewAuction struct {
	Reference string `json:"reference,omitempty" maxLength:"40" doc:"The price that the bands are around from now on; left out, they stay."`
}

// TradingHalt says whether a person, or everybody, may place orders.
type TradingHalt struct {
	Halted bool `json:"halted"`
	Cancel bool `json:"cancel_orders,omitempty" doc:"Of a person: also cancel what is open."`
}

// Tier is how much the people of a tier may trade, counted in TIME.
type Tier struct {
	Tier              int    `json:"tier"`
	Order             string `json:"order" maxLength:"40" doc:"The most that one order may count as."`
	Daily             string `json:"daily" maxLength:"40" doc:"The most that may be traded in the running hour and the 23 before it, open orders included."`
	Holdings          string `json:"holdings" maxLength:"40" doc:"The most of an asset that a person may come to hold by trading; open orders count as if they brought it."`
	OpenOrders        uint32 `json:"open_orders" maximum:"10000" doc:"The most open orders, over all markets."`
	MessagesPerSecond uint32 `json:"messages_per_second" minimum:"1" maximum:"1000000" doc:"How often a person may place and amend in the long run. Cancelling is always possible."`
	MessagesBurst     uint32 `json:"messages_burst" minimum:"1" maximum:"1000000" doc:"How often at once."`
}
