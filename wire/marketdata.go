package wire

// Level is what rests at one price.
type Level struct {
	Price    string `json:"price"`
	Quantity string `json:"quantity" doc:"In a change, 0 says that nothing is left at this price."`
	Orders   int    `json:"orders"`
}

// Indication is what a running call would trade if it ended now.
type Indication struct {
	Price     string `json:"price"`
	Quantity  string `json:"quantity"`
	Imbalance string `json:"imbalance" doc:"What would be left over at this price: of buyers, or below zero of sellers."`
}

// BookState is what a market is doing beside its levels.
type BookState struct {
	// Record is the record of the journal that the book shows.
	Record     string      `json:"record" doc:"The record of the journal that the book shows."`
	Phase      string      `json:"phase" enum:"halted,continuous,batch,auction"`
	Reference  string      `json:"reference,omitempty" doc:"The price that the bands are around."`
	Low        string      `json:"low,omitempty" doc:"The least price of a trade now."`
	High       string      `json:"high,omitempty" doc:"The largest price of a trade now."`
	Indicative *Indication `json:"indicative,omitempty" doc:"What the running batch or auction would trade if it ended now, whatever the bands."`
	Clears     string      `json:"clears,omitempty" doc:"When the running batch ends. The end of an auction is not told before it has come."`
	LockedFrom string      `json:"locked_from,omitempty" doc:"From when on orders of the running auction are not cancelled any more."`
}

// Book is the best levels of a market, the best first. Who placed an order is
// not told.
type Book struct {
	BookState
	Bids []Level `json:"bids"`
	Asks []Level `json:"asks"`
}

// BookSnapshot is the book with which a stream begins.
type BookSnapshot struct {
	Sequence uint64 `json:"sequence" doc:"Number of the last message that it contains; the next one is one more."`
	Book
}

// BookChange is what changed of the best levels.
type BookChange struct {
	Sequence uint64 `json:"sequence" doc:"One more than that of the message before; if it is not, something is missing: connect again."`
	BookState
	Bids []Level `json:"bids,omitempty" doc:"Levels that are new or have changed."`
	Asks []Level `json:"asks,omitempty"`
}

// Trade is a trade; who traded is not told. In a call it is the whole clearing.
type Trade struct {
	Trade    string `json:"trade" doc:"Its place in the journal."`
	Time     string `json:"time"`
	Price    string `json:"price"`
	Quantity string `json:"quantity"`
	Taker    string `json:"taker,omitempty" enum:"buy,sell" doc:"The side that took; none in a call."`
	InCall   bool   `json:"call,omitempty" doc:"Whether it was cleared at one price with others."`
}

// NewTrades are trades of a stream, the oldest first.
type NewTrades struct {
	Sequence uint64  `json:"sequence"`
	Trades   []Trade `json:"trades"`
}

// Candle is what was traded in a time.
type Candle struct {
	Start  string `json:"start"`
	Open   string `json:"open"`
	High   string `json:"high"`
	Low    string `json:"low"`
	Close  string `json:"close"`
	Volume string `json:"volume" doc:"Of the base."`
	Trades int64  `json:"trades" doc:"A call is one."`
}

// Ticker is a market at a glance.
type Ticker struct {
	Market string `json:"market"`
	Base   string `json:"base"`
	Quote  string `json:"quote"`
	Phase  string `json:"phase" enum:"halted,continuous,batch,auction"`
	Last   string `json:"last,omitempty" doc:"The price of the last trade or clearing."`
	Bid    string `json:"bid,omitempty" doc:"The best price of a buyer."`
	Ask    string `json:"ask,omitempty" doc:"The best price of a seller."`
	// Of the last 24 hours, to the minute.
	Open   string `json:"open_24h,omitempty" doc:"The first price of the last 24 hours, to the minute."`
	High   string `json:"high_24h,omitempty"`
	Low    string `json:"low_24h,omitempty"`
	Volume string `json:"volume_24h" doc:"Of the base."`
	Trades int64  `json:"trades_24h"`
}

// PastFill is what an order of a person traded.
type PastFill struct {
	Operation string `json:"operation" doc:"Its place in the journal."`
	Time      string `json:"time"`
	Market    string `json:"market"`
	Order     string `json:"order"`
	Side      string `json:"side" enum:"buy,sell"`
	Role      string `json:"role" enum:"maker,taker,call"`
	Price     string `json:"price"`
	Quantity  string `json:"quantity"`
	Paid      string `json:"paid" doc:"Of the quote, without the fee."`
	Fee       string `json:"fee" doc:"Of the quote."`
}
