package history_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
)

// The history knows every kind of command that the bank carries out: one that it
// did not know would stop it.
func TestEveryKindHasAName(t *testing.T) {
	names := map[string]int{}
	for kind := 1; kind <= bank.Kinds; kind++ {
		command := make([]byte, 64)
		command[0] = byte(kind)
		name, _, err := history.KindOf(command)
		if err != nil {
			t.Errorf("%v", err)
		} else if other, twice := names[name]; twice {
			t.Errorf("kinds %d and %d are both called %s", other, kind, name)
		}
		names[name] = kind
	}
}
