package bank_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
)

// requireRestorable writes a state, reads it back and requires that both are
// the same by hash and content.
func requireRestorable(t testing.TB, state *bank.State) {
	t.Helper()
	var encoded bytes.Buffer
	if _, err := state.Freeze().WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	restored, err := bank.Restore(&encoded)
	if err != nil {
		t.Fatalf("restoring: %v", err)
	}
	if restored.Hash() != state.Hash() {
		t.Fatal("a restored state has another hash")
	}
}
