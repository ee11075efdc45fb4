package wire

// NewOrder asks to buy or sell. Prices are in the quote for one of the base.
type NewOrder struct {
	Market    string `json:"market" maxLength:"10"`
	Side      string `json:"side" enum:"buy,sell"`
	Type      string `json:"type,omitempty" enum:"gtc,gtd,market,ioc,fok" default:"gtc" doc:"gtc rests until it is cancelled, gtd until its expiry; market and ioc trade at once what they can, fok all or nothing. In a batch or auction the latter take part in its clearing, and fok is refused."`
	Price     string `json:"price,omitempty" maxLength:"40" doc:"The worst price that you accept. A market order may leave it out where bands bound it."`
	Quantity  string `json:"quantity" maxLength:"40" doc:"Of the base."`
	Expires   string `json:"expires,omitempty" maxLength:"40" doc:"Of a gtd order."`
	PostOnly  bool   `json:"post_only,omitempty" doc:"Refuse the order rather than trade at once."`
	SelfTrade string `json:"self_trade,omitempty" enum:"cancel_newest,cancel_oldest,cancel_both" default:"cancel_newest" doc:"What becomes of an order that would meet one of your own."`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"A name of yours for the order, no free text."`
}

// OrderChange gives an order a new price and a new whole quantity.
type OrderChange struct {
	Price     string `json:"price" maxLength:"40"`
	Quantity  string `json:"quantity" maxLength:"40" doc:"The whole quantity, what was filled already included."`
	Reference string `json:"reference,omitempty" maxLength:"64"`
}

// OrdersEnding cancels several orders.
type OrdersEnding struct {
	Market    string `json:"market,omitempty" maxLength:"10" doc:"Only in this market; left out, in all."`
	Reference string `json:"reference,omitempty" maxLength:"64"`
}

// Order is an order and what became of it.
type Order struct {
	Order    string `json:"order"`
	Market   string `json:"market"`
	Side     string `json:"side" enum:"buy,sell"`
	Type     string `json:"type,omitempty" enum:"gtc,gtd,market,ioc,fok"`
	Price    string `json:"price,omitempty" doc:"Its limit, as bounded by the market's bands."`
	Quantity string `json:"quantity,omitempty" doc:"The whole quantity."`
	Filled   string `json:"filled,omitempty" doc:"What it has traded, where the order is read."`
	Open     string `json:"open" doc:"What may still trade."`
	Expires  string `json:"expires,omitempty"`
	PostOnly bool   `json:"post_only,omitempty"`
	Status   string `json:"status" enum:"open,filled,cancelled"`
	Reason   string `json:"reason,omitempty" doc:"Why it was cancelled." enum:"by_owner,by_operator,expired,unfilled,self_trade,disconnected"`
	Held     string `json:"held,omitempty" doc:"What it holds: of the base to sell, of the quote to buy."`
	Fills    []Fill `json:"fills,omitempty" doc:"What it traded in this call."`
	Paid     string `json:"paid,omitempty" doc:"Of the quote, without the fee: in this call, or, where an order that has ended is read, in all."`
	Fee      string `json:"fee,omitempty" doc:"Of the quote, likewise."`
	Placed   string `json:"placed,omitempty"`
	Ended    string `json:"ended,omitempty"`
	// Operation says where it stands in the journal.
	Operation string `json:"operation,omitempty"`
}

// Fill is a trade of an order.
type Fill struct {
	Price    string `json:"price"`
	Quantity string `json:"quantity"`
	Role     string `json:"role" enum:"maker,taker,call"`
	Fee      string `json:"fee" doc:"Of the quote."`
}

// OrdersCancelled says which orders were cancelled.
type OrdersCancelled struct {
	Orders []Order `json:"orders"`
}

// Heartbeat says that you are there.
type Heartbeat struct {
	TimeoutMS int64 `json:"timeout_ms" minimum:"0" maximum:"86400000" doc:"If nothing is said for so long, all your orders are cancelled. 0 ends that."`
}

// HeartbeatKept says until when orders are kept.
type HeartbeatKept struct {
	Until string `json:"until,omitempty"`
}

// Quote is what a conversion would come to, from the book as it is. Nothing is
// added to its prices; the fee stands apart.
type Quote struct {
	Quote    string `json:"quote" doc:"Convert with this, once."`
	Market   string `json:"market"`
	Side     string `json:"side" enum:"buy,sell"`
	Quantity string `json:"quantity" doc:"Of the base."`
	Paid     string `json:"paid" doc:"Of the quote asset, by the prices of the book."`
	Fee      string `json:"fee" doc:"Of the quote asset."`
	Total    string `json:"total" doc:"What you pay with the fee, or get after it."`
	Bound    string `json:"bound" doc:"It is carried out only if you pay no more, or get no less, than this. What comes out better is yours."`
	Worst    string `json:"worst_price" doc:"The last price that it would trade at."`
	Expires  string `json:"expires"`
	// Indicative says that a call will decide.
	Indicative bool `json:"indicative" doc:"The market trades in batches: the conversion becomes an order of the running batch, bounded for each unit as bound says; all of them trade at one price, and what is left is cancelled."`
}

// NewConversion carries a quote out.
type NewConversion struct {
	Quote     string `json:"quote" maxLength:"80"`
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"A name of yours, no free text."`
}

// Conversion is what a conversion came to.
type Conversion struct {
	Order Order `json:"order" doc:"The order that it was."`
	// Pending says that it waits for the batch.
	Pending bool   `json:"pending" doc:"It waits for the end of the batch; GET the order, or your statement, for what came of it."`
	Total   string `json:"total,omitempty" doc:"What was paid with the fee, or got after it."`
}
