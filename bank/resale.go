package bank

import "github.com/attentionbank/attentionbank/amount"

// payResale pays for what one person sells to another, who has enough: the
// royalty, rounded up, to the account of the world that made it, and the rest to
// the seller. It returns the royalty.
func (s *State) payResale(buyer, seller, world uint64, priceMicro int64, royaltyBPS uint16) (royaltyMicro int64) {
	payer := s.accountOf(timeAccount(buyer))
	royaltyMicro, _ = amount.MulDivUp(priceMicro, int64(royaltyBPS), 10_000)
	if proceeds := priceMicro - royaltyMicro; proceeds > 0 {
		s.mustPost(payer, s.accountOf(timeAccount(seller)), proceeds)
	}
	if royaltyMicro > 0 {
		s.mustPost(payer, world, royaltyMicro)
	}
	return royaltyMicro
}
