package bank_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

// What is told outside of the bank is known by its command, whoever gives it:
// an operator's act and what a second one approves, too.
func TestWhatIsTold(t *testing.T) {
	for what, row := range map[string]struct {
		command []byte
		told    bool
	}{
		"a purchase":       {bank.Purchase{Buyer: 1, Product: 1, Quantity: 1}.AppendTo(nil), true},
		"what came of it":  {bank.EndPurchase{Purchase: 1}.AppendTo(nil), true},
		"a refund":         {bank.Refund{Purchase: 1}.AppendTo(nil), true},
		"a file":           {bank.FilePayouts{Currency: 1, Most: 1}.AppendTo(nil), true},
		"a file's request": {bank.RequestPayout{Person: 1}.AppendTo(nil), false},
		"a tick":           {bank.AppendTick(nil), false},
		"nothing":          {nil, false},
	} {
		if bank.TellsOthers(row.command) != row.told {
			t.Errorf("%s: told %v", what, !row.told)
		}
		act := bank.Act{Operation: "some", Command: row.command}.AppendTo(nil)
		if bank.TellsOthers(act) != row.told {
			t.Errorf("%s by an operator: told %v", what, !row.told)
		}
	}
}
