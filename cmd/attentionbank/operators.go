package main

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/bank"
)

// requireTwo makes a new bank one in which λ, budgets and accounts by hand take
// two operators, unless its first start says otherwise. A bank that was there
// before stays as it is.
func (n *node) requireTwo(ctx context.Context, single bool) error {
	var decided bool
	err := n.journal.Read(ctx, func(state *bank.State) {
		decided = single || !n.isNew || state.TwoPersons()
	})
	if err != nil || decided {
		return err
	}
	answers, err := n.journal.Submit(ctx, bank.RequireTwoPersons{}.AppendTo(nil))
	if err == nil && answers[0].Refusal != bank.Accepted {
		err = fmt.Errorf("the bank refused: %s", answers[0].Refusal)
	}
	if err != nil {
		return fmt.Errorf("requiring two operators: %w", err)
	}
	return nil
}

// oneOperator reports whether one operator decides alone.
func (n *node) oneOperator(ctx context.Context) (alone bool, err error) {
	err = n.journal.Read(ctx, func(state *bank.State) { alone = !state.TwoPersons() })
	return alone, err
}
