package bank

import "github.com/attentionbank/attentionbank/ledger"

// A command is bytes, encoded once by whoever gives it and read by Apply:
//
//	| kind u8 | idempotency key 16 bytes, zero for none | fields of the kind |
//
// The fields stand in the order of the structs below. docs/formats/command.md
// has the table.

type kind uint8

const (
	kindTick kind = iota + 1
	kindRegisterAsset
	kindRegisterWorld
	kindRegisterPerson
	kindOpenAccount
	kindSetLimits
	kindTransfer
	kindPlaceHold
	kindSettleHold
	kindReleaseHold
	kindSettleGroup
	kindReleaseGroup
	kindMint
	kindPublishPolicy
	kindSetMonetaryPolicy
	kindSetWorldShare
	kindSetProduct
	kindPurchase
	kindEndPurchase
	kindRefund
	kindPlaceListing
	kindCancelListing
	kindBuyListing
	kindAct
	kindRequireTwoPersons
	kindAdmitOperator
	kindRemoveOperator
	kindPropose
	kindEndProposal
	kindSetRateLimit
	kindPublishReviewRules
	kindOpenCase
	kindDecideCase
	kindAppealCase
	kindSetStanding
	kindExclude
	kindSetAllowance
	kindPurchaseFor
	kindCharge
	kindOpenMarket
	kindSetMarketTerms
	kindCallAuction
	kindHaltMarket
	kindHaltAll
	kindHaltPerson
	kindSetTier
	kindPlaceOrder
	kindAmendOrder
	kindCancelOrder
	kindCancelOrders
	kindKeepOrders
	kindConvert
	kindPublishEligibility
	kindSetCollection
	kindSetGood
	kindOfferGood
	kindBuyGood
	kindGiveGood
	kindRefundGood
	kindSetPayoutRate
	kindRequestPayout
	kindFilePayouts
	kindEndPayout
	kindCreditCard
	kindChargeBack
	kindSetOwnLimits
	kindStopEarning
	kindSendPayouts
	kindSetRetention

	kinds // behind the last
)

// Kinds is how many kinds of command there are; they are numbered from 1 on.
const Kinds = int(kinds) - 1

// Key is an idempotency key. A command with a key that was used before is not
// carried out again; see State.Apply. The zero key is none.
type Key [16]byte

func begin(dst []byte, k kind, key Key) []byte {
	return append(append(dst, uint8(k)), key[:]...)
}

// AppendTick appends the command by which time takes effect: holds expire and
// epochs close, a bounded number of steps at a time.
func AppendTick(dst []byte) []byte { return begin(dst, kindTick, Key{}) }

// RegisterAsset adds an asset: a world's currency or item, or a national
// currency with World 0.
type RegisterAsset struct {
	Key   Key
	Code  string // 2 to 24 of A-Z 0-9 - _
	Scale uint8  // decimal places, 0 to 18
	World uint32
}

// AppendTo appends the encoded command.
func (c RegisterAsset) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindRegisterAsset, c.Key), c.Code)
	return le.AppendUint32(append(dst, c.Scale), c.World)
}

// RegisterWorld adds a world with a share weight of 1.
type RegisterWorld struct {
	Key  Key
	Code string // 1 to 32 of a-z 0-9 -
}

// AppendTo appends the encoded command.
func (c RegisterWorld) AppendTo(dst []byte) []byte {
	return appendText8(begin(dst, kindRegisterWorld, c.Key), c.Code)
}

// RegisterPerson makes a person known by an opaque id and opens the TIME
// account. A person who is known already is answered the same way.
type RegisterPerson struct{ ID [16]byte }

// AppendTo appends the encoded command.
func (c RegisterPerson) AppendTo(dst []byte) []byte {
	return append(begin(dst, kindRegisterPerson, Key{}), c.ID[:]...)
}

// OpenAccount opens a main account of a world or person. Sub tells several
// accounts of one owner and asset apart, 0 to 999.
type OpenAccount struct {
	Key       Key
	OwnerKind ledger.OwnerKind
	Owner     uint64
	Asset     uint32
	Sub       uint32
}

// AppendTo appends the encoded command.
func (c OpenAccount) AppendTo(dst []byte) []byte {
	dst = append(begin(dst, kindOpenAccount, c.Key), uint8(c.OwnerKind))
	return le.AppendUint32(le.AppendUint32(le.AppendUint64(dst, c.Owner), c.Asset), c.Sub)
}

// SetLimits sets floor and credit limit of a world's or the bank's account.
type SetLimits struct {
	Key                Key
	Account            uint64
	Floor, CreditLimit int64 // minor units
}

// AppendTo appends the encoded command.
func (c SetLimits) AppendTo(dst []byte) []byte {
	return appendI64(appendI64(le.AppendUint64(begin(dst, kindSetLimits, c.Key), c.Account), c.Floor), c.CreditLimit)
}

// Transfer carries out all legs or none.
type Transfer struct {
	Key Key
	// Reference names the business operation, so that everything of it can be
	// found; up to 64 of A-Z a-z 0-9 . _ : -
	Reference string
	Legs      []ledger.Leg // 1 to ledger.MaxLegs
}

// AppendTo appends the encoded command. The number of legs stands before them
// as u16; a leg is debit u64, credit u64, amount i64.
func (c Transfer) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindTransfer, c.Key), c.Reference)
	dst = le.AppendUint16(dst, uint16(min(len(c.Legs), 1<<16-1)))
	for _, leg := range c.Legs {
		dst = appendI64(le.AppendUint64(le.AppendUint64(dst, leg.Debit), leg.Credit), leg.Amount)
	}
	return dst
}

// PlaceHold reserves an amount of Account for Beneficiary.
type PlaceHold struct {
	Key                  Key
	Reference            string
	Account, Beneficiary uint64
	Amount               int64
	ExpiresAtMS          int64    // 0 for never
	Group                [16]byte // zero for none
}

// AppendTo appends the encoded command.
func (c PlaceHold) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindPlaceHold, c.Key), c.Reference)
	dst = le.AppendUint64(le.AppendUint64(dst, c.Account), c.Beneficiary)
	return append(appendI64(appendI64(dst, c.Amount), c.ExpiresAtMS), c.Group[:]...)
}

// SettleHold posts Amount of what is held; Final releases the rest.
type SettleHold struct {
	Key       Key
	Reference string
	Hold      uint64
	Amount    int64
	Final     bool
}

// AppendTo appends the encoded command.
func (c SettleHold) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindSettleHold, c.Key), c.Reference)
	return appendBool(appendI64(le.AppendUint64(dst, c.Hold), c.Amount), c.Final)
}

// ReleaseHold gives back what is still held.
type ReleaseHold struct {
	Key       Key
	Reference string
	Hold      uint64
}

// AppendTo appends the encoded command.
func (c ReleaseHold) AppendTo(dst []byte) []byte {
	return le.AppendUint64(appendText8(begin(dst, kindReleaseHold, c.Key), c.Reference), c.Hold)
}

// SettleGroup settles all open holds of a group in whole, or none.
type SettleGroup struct {
	Key       Key
	Reference string
	Group     [16]byte
}

// AppendTo appends the encoded command.
func (c SettleGroup) AppendTo(dst []byte) []byte {
	return append(appendText8(begin(dst, kindSettleGroup, c.Key), c.Reference), c.Group[:]...)
}

// ReleaseGroup releases all open holds of a group.
type ReleaseGroup struct {
	Key       Key
	Reference string
	Group     [16]byte
}

// AppendTo appends the encoded command.
func (c ReleaseGroup) AppendTo(dst []byte) []byte {
	return append(appendText8(begin(dst, kindReleaseGroup, c.Key), c.Reference), c.Group[:]...)
}

// Mint says what a person has earned of a world on a day so far. The bank
// posts the difference to what it knew. Its natural key is (person, world,
// day): a revision that is not higher than the known one changes nothing, so
// a Mint may be repeated for ever.
type Mint struct {
	Person                [16]byte
	World                 uint32
	Day                   int32 // days since 1970-01-01 UTC
	Revision              uint64
	CumulativePointsMicro int64
	PolicyVersion         uint32
	// Commitment binds T, I and C of the day without revealing them.
	Commitment [32]byte
}

// AppendTo appends the encoded command.
func (c Mint) AppendTo(dst []byte) []byte {
	dst = append(begin(dst, kindMint, Key{}), c.Person[:]...)
	dst = le.AppendUint32(le.AppendUint32(dst, c.World), uint32(c.Day))
	dst = appendI64(le.AppendUint64(dst, c.Revision), c.CumulativePointsMicro)
	return append(le.AppendUint32(dst, c.PolicyVersion), c.Commitment[:]...)
}

// PublishPolicy adds a version of a world's policy. The bank keeps the text
// and its order; whether it can be read is checked before it is published.
type PublishPolicy struct {
	Key          Key
	World        uint32
	EffectiveDay int32 // days since 1970-01-01 UTC
	// ForImport marks a policy for an import of history: it has a version, but
	// no live event is scored by it.
	ForImport bool
	Text      []byte // at most MaxPolicyBytes
}

// AppendTo appends the encoded command. The text's length is a u16.
func (c PublishPolicy) AppendTo(dst []byte) []byte {
	dst = le.AppendUint32(begin(dst, kindPublishPolicy, c.Key), c.World)
	dst = appendBool(le.AppendUint32(dst, uint32(c.EffectiveDay)), c.ForImport)
	text := c.Text[:min(len(c.Text), 1<<16-1)]
	return append(le.AppendUint16(dst, uint16(len(text))), text...)
}

// SetMonetaryPolicy replaces the bank's monetary policy from the next epoch on.
type SetMonetaryPolicy struct {
	Key    Key
	Policy MonetaryPolicy
}

// AppendTo appends the encoded command.
func (c SetMonetaryPolicy) AppendTo(dst []byte) []byte {
	return c.Policy.appendTo(begin(dst, kindSetMonetaryPolicy, c.Key))
}

// SetWorldShare sets the weight by which a world shares in the budget of the
// epochs that close from now on. Weight 0 pays nothing.
type SetWorldShare struct {
	Key    Key
	World  uint32
	Weight uint32 // 0 to 1,000,000
}

// AppendTo appends the encoded command.
func (c SetWorldShare) AppendTo(dst []byte) []byte {
	return le.AppendUint32(le.AppendUint32(begin(dst, kindSetWorldShare, c.Key), c.World), c.Weight)
}
