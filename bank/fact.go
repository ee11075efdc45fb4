package bank

import (
	"fmt"
	"iter"

	"github.com/attentionbank/attentionbank/ledger"
)

// An answer to a command is
//
//	| refusal u8 | if accepted: facts | if repeated: sequence u64, index u32 |
//	             | if a transfer was refused by the ledger: leg u16 |
//
// and a fact is
//
//	| kind u8 | fields of the kind, in the order of the structs below |
//
// docs/formats/command.md has the table.

// Fact is something that came to be by a command.
type Fact interface{ factKind() factKind }

type factKind uint8

const (
	factPosted factKind = iota + 1
	factAccountOpened
	factHoldPlaced
	factHoldReduced
	factAssetRegistered
	factWorldRegistered
	factPersonRegistered
	factLimitsSet
	factMinted
	factPolicyPublished
	factMonetaryPolicySet
	factWorldShareSet
	factEpochClosing
	factEpochPaid
	factEpochClosed
	factProductSet
	factPurchased
	factPurchaseEnded
	factListingPlaced
	factListingEnded
	factTwoPersonsRequired
	factOperatorAdmitted
	factOperatorRemoved
	factProposalMade
	factProposalEnded
	factRateLimitSet
	factReviewRulesPublished
	factCaseChanged
	factStandingSet
	factAllowanceSet
	factAllowanceSpent
	factMarketOpened
	factMarketTermsSet
	factTierSet
	factAllHalted
	factPersonHalted
	factOrdersKept
	factOrderPlaced
	factOrderFilled
	factOrderCancelled
	factOrderAmended
	factMarketCleared
	factPhaseChanged
	factConverted
	factEligibilityPublished
	factCollectionSet
	factGoodOffered
	factGoodMoved
	factPayoutRateSet
	factPayoutRequested
	factPayoutsFiled
	factPayoutEnded
	factCardCredited
	factOwnLimitsSet
	factPayoutsSent
	factRetentionSet
)

// Posted is a posting and what the account came to by it. The two postings of
// a leg follow each other, the debit first.
type Posted struct {
	Account               uint64
	Amount, Balance, Held int64
}

// AccountOpened says that an account was opened.
type AccountOpened struct {
	Account uint64
	ledger.Key
}

// HoldPlaced says that a hold was placed, and what the account came to.
type HoldPlaced struct {
	Hold, Account, Beneficiary uint64
	Amount, ExpiresAtMS        int64
	Group                      [16]byte
	Balance, Held              int64
}

// HoldEnd says how a part of a hold, or all of it, ended.
type HoldEnd uint8

// The ends of holds.
const (
	HoldSettled HoldEnd = iota
	HoldReleased
	HoldExpired
)

// HoldReduced says that an amount of a hold ended, what remains held by it and
// what the account came to. A settlement's postings follow it.
type HoldReduced struct {
	Hold, Account     uint64
	Amount, Remaining int64
	End               HoldEnd
	Balance, Held     int64
}

// AssetRegistered says the number of a new asset and of its issuer account.
type AssetRegistered struct {
	Asset  uint32
	Issuer uint64
}

// WorldRegistered says the number of a new world.
type WorldRegistered struct{ World uint32 }

// PersonRegistered says the number of a person and of the TIME account.
type PersonRegistered struct {
	Person      uint64
	TimeAccount uint64
	ID          [16]byte
}

// LimitsSet says the limits of an account.
type LimitsSet struct {
	Account            uint64
	Floor, CreditLimit int64
}

// Minted says what attention of a person-day was posted.
type Minted struct {
	Person   uint64
	World    uint32
	Day      int32
	Revision uint64
	// CumulativePointsMicro is what the day has earned; DeltaPointsMicro is
	// what was added to the points that wait for the close of Epoch, less
	// what was taken from them.
	CumulativePointsMicro, DeltaPointsMicro int64
	// ReceivablePointsMicro is what the person owes of this world's points.
	ReceivablePointsMicro int64
	Epoch                 uint64
	PolicyVersion         uint32
	Commitment            [32]byte
}

// PolicyPublished says the version of a world's policy.
type PolicyPublished struct {
	World, Version uint32
	EffectiveDay   int32
}

// MonetaryPolicySet says from which epoch on the policy holds.
type MonetaryPolicySet struct{ FromEpoch uint64 }

// WorldShareSet says the weight of a world's share.
type WorldShareSet struct{ World, Weight uint32 }

// TwoPersonsRequired says that two operators are needed from now on.
type TwoPersonsRequired struct{}

// EpochClosing says that an epoch ended and is being paid.
type EpochClosing struct {
	Epoch          uint64
	StartMS, EndMS int64
	Accounts       uint64 // points accounts to be paid
}

// EpochPaid says what a person was paid for the points of a world. The four
// postings follow it.
type EpochPaid struct {
	Epoch, Person          uint64
	World                  uint32
	PointsMicro, TimeMicro int64
}

// EpochClosed says what an epoch issued in all, and what of it rounding left
// to the treasury.
type EpochClosed struct {
	Epoch                      uint64
	IssuedMicro, TreasuryMicro int64
}

// Facts yields the facts of an accepted answer, in order. Bytes that are no
// facts end it with an error.
func Facts(answer []byte) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		if len(answer) == 0 {
			yield(nil, fmt.Errorf("reading facts: the answer is empty"))
			return
		}
		if Refusal(answer[0]) != Accepted {
			return
		}
		r := reader{src: answer[1:]}
		for len(r.src) > 0 {
			k := factKind(r.u8())
			fact := readFact(k, &r)
			if fact == nil || r.short {
				yield(nil, fmt.Errorf("reading facts: kind %d is unknown or cut off", k))
				return
			}
			if !yield(fact, nil) {
				return
			}
		}
	}
}

// First returns the first fact of type F in an accepted answer.
func First[F Fact](answer []byte) (fact F, found bool) {
	for f, err := range Facts(answer) {
		if err != nil {
			return fact, false
		}
		if fact, found = f.(F); found {
			return fact, true
		}
	}
	return fact, false
}

// RepeatOf returns where the first answer is, for an answer that is Repeated.
func RepeatOf(answer []byte) (seq uint64, index uint32, ok bool) {
	if len(answer) != 13 || Refusal(answer[0]) != Repeated {
		return 0, 0, false
	}
	return le.Uint64(answer[1:]), le.Uint32(answer[9:]), true
}

// RefusedLeg returns the index of the leg for which a transfer was refused.
func RefusedLeg(answer []byte) (leg int, ok bool) {
	if len(answer) != 3 || Refusal(answer[0]) < ledgerRefusals {
		return 0, false
	}
	return int(le.Uint16(answer[1:])), true
}
