package bank

import (
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

func (Posted) factKind() factKind               { return factPosted }
func (AccountOpened) factKind() factKind        { return factAccountOpened }
func (HoldPlaced) factKind() factKind           { return factHoldPlaced }
func (HoldReduced) factKind() factKind          { return factHoldReduced }
func (AssetRegistered) factKind() factKind      { return factAssetRegistered }
func (WorldRegistered) factKind() factKind      { return factWorldRegistered }
func (PersonRegistered) factKind() factKind     { return factPersonRegistered }
func (LimitsSet) factKind() factKind            { return factLimitsSet }
func (Minted) factKind() factKind               { return factMinted }
func (PolicyPublished) factKind() factKind      { return factPolicyPublished }
func (MonetaryPolicySet) factKind() factKind    { return factMonetaryPolicySet }
func (WorldShareSet) factKind() factKind        { return factWorldShareSet }
func (EpochClosing) factKind() factKind         { return factEpochClosing }
func (EpochPaid) factKind() factKind            { return factEpochPaid }
func (EpochClosed) factKind() factKind          { return factEpochClosed }
func (ProductSet) factKind() factKind           { return factProductSet }
func (Purchased) factKind() factKind            { return factPurchased }
func (PurchaseEnded) factKind() factKind        { return factPurchaseEnded }
func (ListingPlaced) factKind() factKind        { return factListingPlaced }
func (ListingEnded) factKind() factKind         { return factListingEnded }
func (TwoPersonsRequired) factKind() factKind   { return factTwoPersonsRequired }
func (OperatorAdmitted) factKind() factKind     { return factOperatorAdmitted }
func (OperatorRemoved) factKind() factKind      { return factOperatorRemoved }
func (ProposalMade) factKind() factKind         { return factProposalMade }
func (ReviewRulesPublished) factKind() factKind { return factReviewRulesPublished }
func (CaseChanged) factKind() factKind          { return factCaseChanged }
func (RateLimitSet) factKind() factKind         { return factRateLimitSet }
func (ProposalEnded) factKind() factKind        { return factProposalEnded }
func (StandingSet) factKind() factKind          { return factStandingSet }
func (AllowanceSet) factKind() factKind         { return factAllowanceSet }
func (AllowanceSpent) factKind() factKind       { return factAllowanceSpent }
func (EligibilityPublished) factKind() factKind { return factEligibilityPublished }
func (CollectionSet) factKind() factKind        { return factCollectionSet }
func (GoodOffered) factKind() factKind          { return factGoodOffered }
func (GoodMoved) factKind() factKind            { return factGoodMoved }
func (PayoutRateSet) factKind() factKind        { return factPayoutRateSet }
func (PayoutRequested) factKind() factKind      { return factPayoutRequested }
func (PayoutsFiled) factKind() factKind         { return factPayoutsFiled }
func (PayoutEnded) factKind() factKind          { return factPayoutEnded }
func (PayoutsSent) factKind() factKind          { return factPayoutsSent }
func (CardCredited) factKind() factKind         { return factCardCredited }
func (OwnLimitsSet) factKind() factKind         { return factOwnLimitsSet }
func (RetentionSet) factKind() factKind         { return factRetentionSet }

// The methods below append facts to the answer of the running command.

func (s *State) posted(number uint64, value int64) {
	account := s.books.Account(number)
	dst := le.AppendUint64(append(s.answer, uint8(factPosted)), number)
	s.answer = appendI64(appendI64(appendI64(dst, value), account.Balance), account.Held)
}

// postedLeg appends both postings of a leg that was carried out.
func (s *State) postedLeg(leg ledger.Leg) {
	s.posted(leg.Debit, -leg.Amount)
	s.posted(leg.Credit, leg.Amount)
}

func (s *State) accountOpened(number uint64) {
	key := s.books.Account(number).Key
	dst := le.AppendUint64(append(s.answer, uint8(factAccountOpened)), number)
	dst = le.AppendUint64(append(dst, uint8(key.OwnerKind)), key.Owner)
	dst = append(le.AppendUint32(dst, key.Asset), uint8(key.Purpose))
	s.answer = le.AppendUint32(dst, key.Sub)
}

func (s *State) holdPlaced(number uint64, hold ledger.Hold) {
	account := s.books.Account(hold.Account)
	dst := le.AppendUint64(append(s.answer, uint8(factHoldPlaced)), number)
	dst = le.AppendUint64(le.AppendUint64(dst, hold.Account), hold.Beneficiary)
	dst = append(appendI64(appendI64(dst, hold.Amount), hold.ExpiresAtMS), hold.Group[:]...)
	s.answer = appendI64(appendI64(dst, account.Balance), account.Held)
}

func (s *State) holdReduced(number, accountNumber uint64, value, remaining int64, end HoldEnd) {
	account := s.books.Account(accountNumber)
	dst := le.AppendUint64(le.AppendUint64(append(s.answer, uint8(factHoldReduced)), number), accountNumber)
	dst = append(appendI64(appendI64(dst, value), remaining), uint8(end))
	s.answer = appendI64(appendI64(dst, account.Balance), account.Held)
}

func (s *State) minted(m Minted) {
	dst := le.AppendUint64(append(s.answer, uint8(factMinted)), m.Person)
	dst = le.AppendUint32(le.AppendUint32(dst, m.World), uint32(m.Day))
	dst = appendI64(appendI64(le.AppendUint64(dst, m.Revision), m.CumulativePointsMicro), m.DeltaPointsMicro)
	dst = le.AppendUint64(appendI64(dst, m.ReceivablePointsMicro), m.Epoch)
	s.answer = append(le.AppendUint32(dst, m.PolicyVersion), m.Commitment[:]...)
}

func (s *State) epochPaid(p EpochPaid) {
	dst := le.AppendUint64(le.AppendUint64(append(s.answer, uint8(factEpochPaid)), p.Epoch), p.Person)
	s.answer = appendI64(appendI64(le.AppendUint32(dst, p.World), p.PointsMicro), p.TimeMicro)
}

// readFact reads the fields of a fact; nil if the kind is unknown.
func readFact(k factKind, r *reader) Fact {
	if int(k) >= len(factReaders) || factReaders[k] == nil {
		return nil
	}
	return factReaders[k](r)
}

// factReaders read the fields of facts, by kind.
var factReaders = []func(*reader) Fact{
	factPosted: func(r *reader) Fact { return Posted{r.u64(), r.i64(), r.i64(), r.i64()} },
	factAccountOpened: func(r *reader) Fact {
		return AccountOpened{r.u64(), ledger.Key{OwnerKind: ledger.OwnerKind(r.u8()), Owner: r.u64(), Asset: r.u32(), Purpose: ledger.Purpose(r.u8()), Sub: r.u32()}}
	},
	factHoldPlaced: func(r *reader) Fact {
		return HoldPlaced{r.u64(), r.u64(), r.u64(), r.i64(), r.i64(), r.id(), r.i64(), r.i64()}
	},
	factHoldReduced: func(r *reader) Fact {
		return HoldReduced{r.u64(), r.u64(), r.i64(), r.i64(), HoldEnd(r.u8()), r.i64(), r.i64()}
	},
	factAssetRegistered:  func(r *reader) Fact { return AssetRegistered{r.u32(), r.u64()} },
	factWorldRegistered:  func(r *reader) Fact { return WorldRegistered{r.u32()} },
	factPersonRegistered: func(r *reader) Fact { return PersonRegistered{r.u64(), r.u64(), r.id()} },
	factLimitsSet:        func(r *reader) Fact { return LimitsSet{r.u64(), r.i64(), r.i64()} },
	factMinted: func(r *reader) Fact {
		return Minted{r.u64(), r.u32(), int32(r.u32()), r.u64(), r.i64(), r.i64(), r.i64(), r.u64(), r.u32(), r.digest()}
	},
	factPolicyPublished:      func(r *reader) Fact { return PolicyPublished{r.u32(), r.u32(), int32(r.u32())} },
	factMonetaryPolicySet:    func(r *reader) Fact { return MonetaryPolicySet{r.u64()} },
	factWorldShareSet:        func(r *reader) Fact { return WorldShareSet{r.u32(), r.u32()} },
	factEpochClosing:         func(r *reader) Fact { return EpochClosing{r.u64(), r.i64(), r.i64(), r.u64()} },
	factEpochPaid:            func(r *reader) Fact { return EpochPaid{r.u64(), r.u64(), r.u32(), r.i64(), r.i64()} },
	factEpochClosed:          func(r *reader) Fact { return EpochClosed{r.u64(), r.i64(), r.i64()} },
	factProductSet:           func(r *reader) Fact { return ProductSet{r.u32(), readProduct(r)} },
	factPurchased:            func(r *reader) Fact { return Purchased{r.u64(), r.u32(), r.u64(), r.i64(), r.i64(), r.u64(), r.i64()} },
	factPurchaseEnded:        func(r *reader) Fact { return PurchaseEnded{r.u64(), Outcome(r.u8())} },
	factListingPlaced:        func(r *reader) Fact { return ListingPlaced{r.u64(), r.u64(), r.u32(), r.i64(), r.i64(), r.u64()} },
	factListingEnded:         func(r *reader) Fact { return ListingEnded{r.u64(), r.u64(), r.i64(), r.i64()} },
	factTwoPersonsRequired:   func(r *reader) Fact { return TwoPersonsRequired{} },
	factOperatorAdmitted:     func(r *reader) Fact { return OperatorAdmitted{r.u32(), r.digest()} },
	factOperatorRemoved:      func(r *reader) Fact { return OperatorRemoved{r.u32()} },
	factProposalMade:         func(r *reader) Fact { return ProposalMade{r.u64(), r.i64()} },
	factReviewRulesPublished: func(r *reader) Fact { return ReviewRulesPublished{r.u32()} },
	factCaseChanged:          func(r *reader) Fact { return CaseChanged{r.u64(), CaseStatus(min(r.u8(), uint8(CaseShadow)))} },
	factRateLimitSet:         func(r *reader) Fact { return RateLimitSet{readRateLimit(r)} },
	factProposalEnded: func(r *reader) Fact {
		return ProposalEnded{r.u64(), ProposalStatus(min(r.u8(), uint8(ProposalExpired)))}
	},
	factStandingSet:    func(r *reader) Fact { return StandingSet{r.u64(), standingFrom(r)} },
	factAllowanceSet:   func(r *reader) Fact { return AllowanceSet{r.u64(), r.u32(), r.i64(), r.i64()} },
	factAllowanceSpent: func(r *reader) Fact { return AllowanceSpent{r.u64(), r.u32(), int32(r.u32()), r.i64(), r.i64()} },
	factMarketOpened: func(r *reader) Fact {
		return MarketOpened{r.u32(), readMarket(r), market.ReadConfig(r.take(market.ConfigBytes))}
	},
	factMarketTermsSet:       func(r *reader) Fact { return MarketTermsSet{r.u32(), readTerms(r)} },
	factTierSet:              func(r *reader) Fact { return TierSet{r.u8(), readTier(r)} },
	factAllHalted:            func(r *reader) Fact { return AllHalted{r.bool()} },
	factPersonHalted:         func(r *reader) Fact { return PersonHalted{r.u64(), r.bool()} },
	factOrdersKept:           func(r *reader) Fact { return OrdersKept{r.u64(), r.i64()} },
	factOrderPlaced:          func(r *reader) Fact { return readOrderPlaced(r) },
	factOrderFilled:          func(r *reader) Fact { return readOrderFilled(r) },
	factOrderCancelled:       func(r *reader) Fact { return readOrderCancelled(r) },
	factOrderAmended:         func(r *reader) Fact { return readOrderAmended(r) },
	factMarketCleared:        func(r *reader) Fact { return MarketCleared{r.u32(), r.i64(), r.i64()} },
	factPhaseChanged:         func(r *reader) Fact { return readPhaseChanged(r) },
	factConverted:            func(r *reader) Fact { return readConverted(r) },
	factEligibilityPublished: func(r *reader) Fact { return EligibilityPublished{r.u32()} },
	factCollectionSet:        func(r *reader) Fact { return CollectionSet{readCollection(r)} },
	factGoodOffered:          func(r *reader) Fact { return GoodOffered{r.u64(), r.u32(), string(r.text8()), r.u64(), r.i64()} },
	factGoodMoved:            func(r *reader) Fact { return GoodMoved{r.u64(), r.u64(), r.u64(), r.i64(), r.i64()} },
	factPayoutRateSet:        func(r *reader) Fact { return PayoutRateSet{r.u32(), readPayoutRate(r)} },
	factPayoutRequested:      func(r *reader) Fact { return PayoutRequested{r.u64(), r.u64(), r.u32(), r.u32(), r.i64(), r.i64()} },
	factPayoutsFiled:         func(r *reader) Fact { return PayoutsFiled{r.u64(), readPayoutFile(r)} },
	factPayoutEnded:          func(r *reader) Fact { return PayoutEnded{r.u64(), PayoutStatus(min(r.u8(), uint8(PayoutLeftOut)))} },
	factPayoutsSent:          func(r *reader) Fact { return PayoutsSent{r.u64(), r.i64()} },
	factCardCredited:         func(r *reader) Fact { return CardCredited{r.u64(), readCardCredit(r.take(cardCreditBytes))} },
	factRetentionSet:         func(r *reader) Fact { return RetentionSet{r.u32(), r.u16()} },
	factOwnLimitsSet:         func(r *reader) Fact { return OwnLimitsSet{ownLimitsFrom(r)} },
}
