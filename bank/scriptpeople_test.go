package bank_test

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
)

// peopleCommand is a line of a script about what people decide for themselves.
func (s *script) peopleCommand(args []string, key bank.Key, reference string) []byte {
	switch args[0] {
	case "allow":
		_, person := s.owner(args[1])
		return bank.SetAllowance{Key: key, Person: person, World: s.world(args[2]), DailyMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "charge":
		_, person := s.owner(args[2])
		return bank.Charge{Key: key, Reference: reference, World: s.world(args[1]), Person: person, AmountMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "buy-for":
		_, buyer := s.owner(args[2])
		return bank.PurchaseFor{World: s.world(args[1]), Purchase: bank.Purchase{Key: key, Reference: reference, Buyer: buyer, Product: uint32(s.integer(args[3])), Quantity: s.integer(args[4]), MaxTotalMicro: s.amount("TIME", args[5])}}.AppendTo(nil)
	}
	s.t.Fatalf("unknown line %q", args)
	return nil
}

func (s *script) describePeopleFact(fact bank.Fact) string {
	micro := func(value int64) string { return amount.Format(value, 6) }
	switch f := fact.(type) {
	case bank.AllowanceSet:
		return fmt.Sprintf("world %d may spend %s of person %d a day, has spent %s today", f.World, micro(f.DailyMicro), f.Person, micro(f.SpentMicro))
	case bank.AllowanceSpent:
		return fmt.Sprintf("world %d spends %s of person %d, %s today", f.World, micro(f.AmountMicro), f.Person, micro(f.SpentMicro))
	}
	return fmt.Sprintf("%T %+v", fact, fact)
}
