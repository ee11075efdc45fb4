// Package bank is the bank as a deterministic state machine: Apply takes an
// encoded command and returns an encoded answer, a refusal or facts. The same
// commands in the same order give the same state and the same answers on every
// machine. Time and order come from outside, with Begin.
package bank

import (
	"crypto/sha256"
	"fmt"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Engine is the version of the rules. A journal's record names the version
// that wrote it; an older record is applied by the rules of its version.
const Engine = 1

// State is everything that the bank's rules depend on. One goroutine owns it.
type State struct {
	books    *ledger.Books
	worlds   []World
	policies []Policy
	people   pages.Array[[16]byte]
	personOf pages.Index
	days     pages.Array[personDay]
	dayOf    pages.Index
	epochs   epochs
	repeats  repeats
	shop     shop

	operators operators
	// rateLimits are those of single keys, by their ids.
	rateLimits []RateLimit
	reviews    reviews
	standings  standings
	goods      goods
	payouts    payouts
	allowances allowances
	trade      trading
	ownLimits  ownLimits

	previous [32]byte // hash of the record before; see Chain
	seq      uint64   // sequence of the record that is being applied
	index    uint32   // number of the next command in it
	nowMS    int64    // time of the record, ms since 1970-01-01 UTC

	command reader // the rest of the running command
	answer  []byte // of the running command; facts are appended to it
	legs    []ledger.Leg
}

// New returns a bank without worlds and people, with the default monetary
// policy.
func New() *State {
	return &State{
		books:  ledger.NewBooks(),
		epochs: epochs{next: DefaultMonetaryPolicy()},

		operators: newOperators(),
		trade:     newTrading(),
		standings: standings{defaults: DefaultFeatures},
	}
}

// Begin starts the record with this sequence number. Its commands take effect
// at nowMS, which must not be earlier than that of the record before.
func (s *State) Begin(seq uint64, nowMS int64) {
	if nowMS < s.nowMS || seq <= s.seq {
		panic(fmt.Sprintf("bank: record %d at %d ms follows record %d at %d ms", seq, nowMS, s.seq, s.nowMS))
	}
	s.seq, s.index, s.nowMS = seq, 0, nowMS
	s.epochs.begin(nowMS)
	s.repeats.forget(nowMS)
}

// Apply carries out an encoded command and appends its answer.
//
// A command with an idempotency key is carried out once: when the key comes
// again with the same command, the answer is Repeated and names where the
// first answer is; with another command it is KeyReused. Keys are remembered
// for RepeatWindowMS and at most MaxRepeats of them, refused commands
// included, malformed ones not.
func (s *State) Apply(command, answer []byte) []byte {
	index := s.index
	s.index++
	start := len(answer)
	s.answer = append(answer, uint8(Accepted))
	s.command = reader{src: command}
	r := &s.command
	k, key := kind(r.u8()), Key(r.id())
	s.operators.acting, s.operators.approved = false, false
	if k == kindAct {
		if refusal := s.beginAct(r); refusal != Accepted || len(r.src) == 0 {
			s.answer[start] = uint8(refusal)
			return s.answer
		}
		k, key = kind(r.u8()), Key(r.id())
	}
	var digest uint64
	if key != (Key{}) {
		digest = digestOf(k, r.src)
		if first, found := s.repeats.find(key); found {
			if first.digest != digest {
				s.answer[start] = uint8(KeyReused)
				return s.answer
			}
			s.answer[start] = uint8(Repeated)
			return le.AppendUint32(le.AppendUint64(s.answer, first.seq), first.index)
		}
	}
	refusal := ApprovalNeeded
	if !s.operators.needsTwo(k) {
		refusal = s.carryOut(k, r)
	}
	s.answer[start] = uint8(refusal)
	if key != (Key{}) && refusal != Malformed {
		s.repeats.remember(repeat{key: key, digest: digest, atMS: s.nowMS, seq: s.seq, index: index})
	}
	return s.answer
}

// carriers carry out commands, by kind. They append facts only when it is
// certain that they will not refuse.
var carriers []func(*State, *reader) Refusal

func init() { // not where it is declared, because an approval carries out another command
	carriers = []func(*State, *reader) Refusal{
		kindTick:               (*State).tick,
		kindRegisterAsset:      (*State).registerAsset,
		kindRegisterWorld:      (*State).registerWorld,
		kindRegisterPerson:     (*State).registerPerson,
		kindOpenAccount:        (*State).openAccount,
		kindSetLimits:          (*State).setLimits,
		kindTransfer:           (*State).transfer,
		kindPlaceHold:          (*State).placeHold,
		kindSettleHold:         (*State).settleHold,
		kindReleaseHold:        (*State).releaseHold,
		kindSettleGroup:        func(s *State, r *reader) Refusal { return s.endGroup(r, HoldSettled) },
		kindReleaseGroup:       func(s *State, r *reader) Refusal { return s.endGroup(r, HoldReleased) },
		kindMint:               (*State).mint,
		kindPublishPolicy:      (*State).publishPolicy,
		kindSetMonetaryPolicy:  (*State).setMonetaryPolicy,
		kindSetWorldShare:      (*State).setWorldShare,
		kindSetProduct:         (*State).setProduct,
		kindPurchase:           (*State).purchase,
		kindEndPurchase:        (*State).endPurchase,
		kindRefund:             (*State).refund,
		kindPlaceListing:       (*State).placeListing,
		kindCancelListing:      (*State).cancelListing,
		kindBuyListing:         (*State).buyListing,
		kindRequireTwoPersons:  (*State).requireTwoPersons,
		kindAdmitOperator:      (*State).admitOperator,
		kindRemoveOperator:     (*State).removeOperator,
		kindPropose:            (*State).propose,
		kindEndProposal:        (*State).endProposal,
		kindSetRateLimit:       (*State).setRateLimit,
		kindPublishReviewRules: (*State).publishReviewRules,
		kindOpenCase:           (*State).openCase,
		kindDecideCase:         (*State).decideCase,
		kindAppealCase:         (*State).appealCase,
		kindSetStanding:        (*State).setStanding,
		kindExclude:            (*State).exclude,
		kindSetAllowance:       (*State).setAllowance,
		kindPurchaseFor:        (*State).purchaseFor,
		kindCharge:             (*State).charge,
		kindOpenMarket:         (*State).openMarket,
		kindSetMarketTerms:     (*State).setMarketTerms,
		kindCallAuction:        (*State).callAuction,
		kindHaltMarket:         (*State).haltMarket,
		kindHaltAll:            (*State).haltAll,
		kindHaltPerson:         (*State).haltPerson,
		kindSetTier:            (*State).setTier,
		kindPlaceOrder:         (*State).placeOrder,
		kindAmendOrder:         (*State).amendOrder,
		kindCancelOrder:        (*State).cancelOrder,
		kindCancelOrders:       (*State).cancelOrders,
		kindKeepOrders:         (*State).keepOrders,
		kindConvert:            (*State).convert,
		kindPublishEligibility: (*State).publishEligibility,
		kindSetCollection:      (*State).setCollection,
		kindSetGood:            (*State).setGood,
		kindOfferGood:          (*State).offerGood,
		kindBuyGood:            (*State).buyGood,
		kindGiveGood:           (*State).giveGood,
		kindRefundGood:         (*State).refundGood,
		kindSetPayoutRate:      (*State).setPayoutRate,
		kindRequestPayout:      (*State).requestPayout,
		kindFilePayouts:        (*State).filePayouts,
		kindEndPayout:          (*State).endPayout,
		kindCreditCard:         (*State).creditCard,
		kindChargeBack:         (*State).chargeBack,
		kindSetOwnLimits:       (*State).setOwnLimits,
		kindStopEarning:        (*State).stopEarning,
		kindSetRetention:       (*State).setRetention,
		kindSendPayouts:        (*State).sendPayouts,
	}
}

func (s *State) carryOut(k kind, r *reader) Refusal {
	if int(k) >= len(carriers) || carriers[k] == nil {
		return Malformed
	}
	return carriers[k](s, r)
}

// NowMS returns the time of the last record.
func (s *State) NowMS() int64 { return s.nowMS }

// Seq returns the sequence number of the last record.
func (s *State) Seq() uint64 { return s.seq }

// Day returns the UTC day of a time, in days since 1970-01-01.
func Day(timeMS int64) int32 {
	const dayMS = 24 * 60 * 60 * 1000
	day := timeMS / dayMS
	if timeMS%dayMS < 0 {
		day--
	}
	return int32(day)
}

// Hash returns the SHA-256 of the encoded state. Equal states have equal hashes.
func (s *State) Hash() [32]byte {
	h := sha256.New()
	if _, err := s.Freeze().WriteTo(h); err != nil {
		panic(fmt.Sprintf("bank: a hash refused to be written to: %v", err))
	}
	return [32]byte(h.Sum(nil))
}
