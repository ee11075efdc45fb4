package bank_test

import (
	"fmt"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
)

// peopleCommand is a line of a script about what people decide for themselves.
func (s *script) peopleCommand(args []string, options map[string]string, key bank.Key, reference string) []byte {
	switch args[0] {
	case "allow":
		_, person := s.owner(args[1])
		return bank.SetAllowance{Key: key, Person: person, World: s.world(args[2]), DailyMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "charge":
		_, person := s.owner(args[2])
		return bank.Charge{Key: key, Reference: reference, World: s.world(args[1]), Person: person, AmountMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "own-limits":
		_, person := s.owner(args[1])
		own := bank.SetOwnLimits{Key: key, Person: person, SpendMicro: bank.NoOwnLimit, OrdersMicro: bank.NoOwnLimit, EarnMinutes: bank.NoOwnLimit}
		for name, into := range map[string]*int64{"spend": &own.SpendMicro, "orders": &own.OrdersMicro} {
			if options[name] != "" {
				*into = s.amount("TIME", options[name])
			}
		}
		if options["earn"] != "" {
			own.EarnMinutes = s.integer(options["earn"])
		}
		own.ReminderMinutes = uint16(s.integer(options["reminder"]))
		return own.AppendTo(nil)
	case "earn-nothing":
		_, person := s.owner(args[1])
		untilMS := int64(-1)
		if args[2] != "never" {
			untilMS = parseTime(s.t, args[2])
		}
		return bank.StopEarning{Person: person, UntilMS: untilMS}.AppendTo(nil)
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
	case bank.OwnLimitsSet:
		limit := func(l bank.OwnLimit, format func(int64) string) string {
			text := "none"
			if l.Value != bank.NoOwnLimit {
				text = format(l.Value)
			}
			if l.NextFromMS != 0 {
				next := "none"
				if l.Next != bank.NoOwnLimit {
					next = format(l.Next)
				}
				text += " (" + next + " from " + time.UnixMilli(l.NextFromMS).UTC().Format(time.RFC3339) + ")"
			}
			return text
		}
		o := f.Limits
		return fmt.Sprintf("person %d limits: spend %s, orders %s, earning minutes %s, reminder %d, earns nothing until %s", o.Person, limit(o.SpendMicro, micro), limit(o.OrdersMicro, micro),
			limit(o.EarnMinutes, func(v int64) string { return fmt.Sprint(v) }), o.ReminderMinutes, time.UnixMilli(o.EarnsNothingUntilMS).UTC().Format(time.RFC3339))
	case bank.AllowanceSpent:
		return fmt.Sprintf("world %d spends %s of person %d, %s today", f.World, micro(f.AmountMicro), f.Person, micro(f.SpentMicro))
	}
	return fmt.Sprintf("%T %+v", fact, fact)
}
