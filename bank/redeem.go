package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
)

// Outcome says what became of a purchase.
type Outcome uint8

// The outcomes of purchases.
const (
	// Pending: a service that is paid for when it is rendered. If its hold has
	// ended without an outcome, the deadline has passed and the price was given
	// back.
	Pending Outcome = iota
	// Delivered: the item was issued, or the service rendered.
	Delivered
	// Declined: the world did not render the service; the price was given back.
	Declined
	// Refunded: the world took it back.
	Refunded

	outcomes
)

// String returns the name of the outcome.
func (o Outcome) String() string {
	return [...]string{"pending", "delivered", "declined", "refunded"}[o]
}

// purchase is kept for ever, so that it is found and ended once.
type purchase struct {
	product    uint32
	outcome    Outcome
	buyer      uint64
	quantity   int64
	totalMicro int64
	atMS       int64
	hold       uint64 // of a service
}

const purchaseBytes = 45

func appendPurchase(dst []byte, p *purchase) []byte {
	dst = append(le.AppendUint32(dst, p.product), uint8(p.outcome))
	dst = appendI64(le.AppendUint64(dst, p.buyer), p.quantity)
	return le.AppendUint64(appendI64(appendI64(dst, p.totalMicro), p.atMS), p.hold)
}

func readPurchase(src []byte) purchase {
	r := reader{src: src}
	return purchase{product: r.u32(), outcome: Outcome(r.u8()), buyer: r.u64(), quantity: r.i64(), totalMicro: r.i64(), atMS: r.i64(), hold: r.u64()}
}

// Purchase buys a product for TIME, all of it or nothing. An item is the
// buyer's at once; for a service the price is held until it is rendered.
type Purchase struct {
	Key       Key
	Reference string
	Buyer     uint64 // number of the person
	Product   uint32
	Quantity  int64
	// MaxTotalMicro is what the buyer is ready to pay in all, so that a price
	// that was raised meanwhile is not paid.
	MaxTotalMicro int64
}

// AppendTo appends the encoded command.
func (c Purchase) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindPurchase, c.Key), c.Reference)
	dst = le.AppendUint32(le.AppendUint64(dst, c.Buyer), c.Product)
	return appendI64(appendI64(dst, c.Quantity), c.MaxTotalMicro)
}

// Purchased says what was bought. The postings, or the hold, stand before it.
type Purchased struct {
	Purchase             uint64
	Product              uint32
	Buyer                uint64
	Quantity, TotalMicro int64
	Hold                 uint64 // of a service
	// UntilMS is the end of the refund window of an item, or the deadline of a
	// service.
	UntilMS int64
}

// PurchaseEnded says what became of a purchase.
type PurchaseEnded struct {
	Purchase uint64
	Outcome  Outcome
}

func (s *State) purchase(r *reader) Refusal {
	o := order{reference: r.text8(), buyer: r.u64(), product: r.u32(), quantity: r.i64(), maxMicro: r.i64()}
	if !r.finished() {
		return Malformed
	}
	return s.buy(o)
}

// order is a purchase that is asked for: by the buyer, or by a world that buys
// for a person by an allowance.
type order struct {
	reference []byte
	world     uint32 // 0 for the buyer's own
	buyer     uint64
	product   uint32
	quantity  int64
	maxMicro  int64
}

func (s *State) buy(o order) Refusal {
	reference, buyer, number, quantity, maxMicro := o.reference, o.buyer, o.product, o.quantity, o.maxMicro
	product := s.Product(number)
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case buyer == 0 || buyer > s.People():
		return PersonNotFound
	case product == nil || o.world != 0 && product.World != o.world:
		return ProductNotFound
	case quantity < 1:
		return QuantityInvalid
	case !product.OnSale:
		return NotOnSale
	case product.Supply > 0 && product.Supply-product.Sold < quantity:
		return SoldOut
	}
	total, fits := amount.Mul(product.PriceMicro, quantity)
	if !fits || total > maxMicro {
		return PriceExceeded
	}
	if refusal := s.may(buyer, FeatureRedeem); refusal != Accepted {
		return refusal
	}
	if o.world != 0 && !s.allows(buyer, o.world, total) {
		return AllowanceExceeded
	}
	if refusal := s.maySpend(buyer, total); refusal != Accepted {
		return refusal
	}
	payer, seller := s.accountOf(timeAccount(buyer)), s.worldTime(product.World)
	if s.books.Account(payer).Available() < total {
		return InsufficientAvailable
	}
	if product.Kind == Item && quantity > s.issuable(product.Asset) {
		return Overflow
	}
	if o.world != 0 {
		s.useAllowance(buyer, o.world, total)
	}
	s.spent(buyer, total, 0)
	bought := purchase{product: number, outcome: Delivered, buyer: buyer, quantity: quantity, totalMicro: total, atMS: s.nowMS}
	untilMS := s.nowMS + product.RefundWindowMS
	if product.Kind == Item {
		s.mustPost(payer, seller, total)
		s.mustPost(s.books.Asset(product.Asset).Issuer, s.open(itemAccount(buyer, product.Asset)), quantity)
	} else {
		untilMS = s.nowMS + product.DeadlineMS
		bought.outcome = Pending
		bought.hold = s.mustReserve(ledger.Hold{Account: payer, Beneficiary: seller, Amount: total, ExpiresAtMS: untilMS, Managed: true})
	}
	product.Sold += quantity
	purchase := uint64(s.shop.purchases.Append(bought) + 1)
	dst := le.AppendUint32(le.AppendUint64(append(s.answer, uint8(factPurchased)), purchase), number)
	dst = appendI64(appendI64(le.AppendUint64(dst, buyer), quantity), total)
	s.answer = appendI64(le.AppendUint64(dst, bought.hold), untilMS)
	return Accepted
}

func (s *State) accountOf(key ledger.Key) uint64 {
	number, found := s.books.Find(key)
	if !found {
		panic(fmt.Sprintf("bank: there is no account %+v", key))
	}
	return number
}

// mustReserve places a hold for which there is enough, and answers it.
func (s *State) mustReserve(hold ledger.Hold) uint64 {
	number, refusal := s.books.Reserve(hold, s.nowMS)
	if refusal != ledger.Accepted {
		panic(fmt.Sprintf("bank: reserving %+v: %s", hold, refusal))
	}
	s.holdPlaced(number, hold)
	return number
}

// EndPurchase says whether a world rendered a service. If it did, it is paid;
// if not, the buyer has the price back.
type EndPurchase struct {
	Key       Key
	Reference string
	Purchase  uint64
	Delivered bool
}

// AppendTo appends the encoded command.
func (c EndPurchase) AppendTo(dst []byte) []byte {
	return appendBool(le.AppendUint64(appendText8(begin(dst, kindEndPurchase, c.Key), c.Reference), c.Purchase), c.Delivered)
}

func (s *State) endPurchase(r *reader) Refusal {
	reference := r.text8()
	number, delivered := r.u64(), r.bool()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	bought, found := s.purchased(number)
	if !found {
		return PurchaseNotFound
	}
	hold, refusal := s.books.Hold(bought.hold)
	if bought.outcome != Pending || refusal != ledger.Accepted {
		return PurchaseOver
	}
	outcome := Declined
	if delivered {
		outcome = Delivered
		if refusal := s.settle(bought.hold, hold.Amount, true); refusal != Accepted {
			return refusal
		}
	} else {
		s.release(bought.hold, HoldReleased)
		s.Product(bought.product).Sold -= bought.quantity
	}
	s.endedPurchase(number, outcome)
	return Accepted
}

func (s *State) purchased(number uint64) (purchase, bool) {
	if number == 0 || number > uint64(s.shop.purchases.Len()) {
		return purchase{}, false
	}
	return *s.shop.purchases.At(int(number - 1)), true
}

func (s *State) endedPurchase(number uint64, outcome Outcome) {
	s.shop.purchases.Write(int(number - 1)).outcome = outcome
	s.answer = append(le.AppendUint64(append(s.answer, uint8(factPurchaseEnded)), number), uint8(outcome))
}

// Refund takes a purchase back within its window: the world pays the price
// back, and an item returns to its issuer. These are entries of their own; what
// was posted before stays.
type Refund struct {
	Key       Key
	Reference string
	Purchase  uint64
}

// AppendTo appends the encoded command.
func (c Refund) AppendTo(dst []byte) []byte {
	return le.AppendUint64(appendText8(begin(dst, kindRefund, c.Key), c.Reference), c.Purchase)
}

func (s *State) refund(r *reader) Refusal {
	reference := r.text8()
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	bought, found := s.purchased(number)
	if !found {
		return PurchaseNotFound
	}
	if bought.outcome != Delivered {
		return PurchaseOver
	}
	product := s.Product(bought.product)
	if s.nowMS >= bought.atMS+product.RefundWindowMS {
		return RefundWindowOver
	}
	seller, buyer := s.worldTime(product.World), s.accountOf(timeAccount(bought.buyer))
	// Its world may have credit, so that more is owed than fits.
	if refusal := s.books.Admits(seller, buyer, bought.totalMicro); refusal != ledger.Accepted {
		return refused(refusal)
	}
	if product.Kind == Item {
		goods := s.accountOf(itemAccount(bought.buyer, product.Asset))
		if s.books.Account(goods).Available() < bought.quantity {
			return InsufficientAvailable
		}
		s.mustPost(goods, s.books.Asset(product.Asset).Issuer, bought.quantity)
	}
	s.mustPost(seller, buyer, bought.totalMicro)
	product.Sold -= bought.quantity
	s.endedPurchase(number, Refunded)
	return Accepted
}

// PurchaseView is what is known of a purchase.
type PurchaseView struct {
	Product              uint32
	Outcome              Outcome
	Buyer                uint64
	Quantity, TotalMicro int64
	AtMS                 int64
	// Lapsed says that the outcome is Pending, the deadline has passed and the
	// price was given back.
	Lapsed bool
}

// Purchase returns a purchase by its number.
func (s *State) Purchase(number uint64) (PurchaseView, bool) {
	p, found := s.purchased(number)
	if !found {
		return PurchaseView{}, false
	}
	view := PurchaseView{Product: p.product, Outcome: p.outcome, Buyer: p.buyer, Quantity: p.quantity, TotalMicro: p.totalMicro, AtMS: p.atMS}
	if p.outcome == Pending {
		_, refusal := s.books.Hold(p.hold)
		view.Lapsed = refusal != ledger.Accepted
	}
	return view, true
}

// IsTransfer reports whether an encoded command is a transfer between accounts.
func IsTransfer(command []byte) bool { return len(command) > 0 && kind(command[0]) == kindTransfer }

// TellsOthers reports whether somebody outside the bank learns of an encoded
// command: whoever sells learns of purchases, a world whose its goods are, and the operator's bank of files
// of payouts.
func TellsOthers(command []byte) bool {
	command = CarriedOut(command)
	if len(command) == 0 {
		return false
	}
	switch kind(command[0]) {
	case kindPurchase, kindPurchaseFor, kindEndPurchase, kindRefund, kindFilePayouts, kindBuyGood, kindGiveGood, kindRefundGood:
		return true
	}
	return false
}
