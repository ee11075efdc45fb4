package wire

// NewProduct says what a product is to be.
type NewProduct struct {
	Kind         string `json:"kind" enum:"item,service" doc:"An item is an asset of the world and the buyer's at once; a service is paid for when the world says that it was rendered."`
	Asset        string `json:"asset,omitempty" maxLength:"24" doc:"Of an item: an asset of the world without decimal places. Land and other goods of which there is one are assets of which one is sold."`
	Price        string `json:"price" maxLength:"40" doc:"TIME for one."`
	Supply       int64  `json:"supply,omitempty" minimum:"0" doc:"How many are sold in all; 0 for as many as are bought."`
	RefundWindow int64  `json:"refund_window_seconds,omitempty" minimum:"0" maximum:"7776000" doc:"How long after the purchase the world may take it back."`
	Deadline     int64  `json:"deadline_seconds,omitempty" minimum:"0" maximum:"7776000" doc:"Of a service: how long the world may take; after that the price is given back."`
	RoyaltyBPS   uint16 `json:"royalty_bps,omitempty" maximum:"2500" doc:"Of an item: the world's share of the price of a resale, in basis points."`
	OnSale       bool   `json:"on_sale"`
}

// Product is what a world sells.
type Product struct {
	Product string `json:"product"`
	World   string `json:"world"`
	NewProduct
	Sold int64 `json:"sold"`
}

// NewPurchase asks to buy a product.
type NewPurchase struct {
	World     string `json:"world" maxLength:"32"`
	Product   string `json:"product" maxLength:"32"`
	Quantity  int64  `json:"quantity" minimum:"1"`
	MaxTotal  string `json:"max_total" maxLength:"40" doc:"The most TIME that you are ready to pay in all."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// Purchase is what was bought, and what became of it.
type Purchase struct {
	Purchase string `json:"purchase"`
	World    string `json:"world"`
	Product  string `json:"product"`
	Buyer    string `json:"buyer" doc:"The person."`
	Quantity int64  `json:"quantity"`
	Total    string `json:"total" doc:"TIME."`
	Time     string `json:"time"`
	Status   string `json:"status" enum:"pending,delivered,declined,refunded,lapsed" doc:"lapsed: the world was silent until the deadline, and the price was given back."`
}

// PurchaseOutcome says whether a service was rendered.
type PurchaseOutcome struct {
	Delivered bool   `json:"delivered" doc:"false gives the price back."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// NewListing offers items to others.
type NewListing struct {
	Asset     string `json:"asset" maxLength:"24"`
	Quantity  int64  `json:"quantity" minimum:"1"`
	Price     string `json:"price" maxLength:"40" doc:"TIME for all of them."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}

// Listing is an offer between people.
type Listing struct {
	Listing  string `json:"listing"`
	Asset    string `json:"asset"`
	Quantity int64  `json:"quantity"`
	Price    string `json:"price"`
	Open     bool   `json:"open"`
	Yours    bool   `json:"yours,omitempty"`
}

// NewListingPurchase asks to buy what a listing offers.
type NewListingPurchase struct {
	MaxPrice  string `json:"max_price" maxLength:"40" doc:"The most TIME that you are ready to pay."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation."`
}
