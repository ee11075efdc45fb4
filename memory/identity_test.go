package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestIdentity(t *testing.T) {
	storetest.Identity(t, func(*testing.T) func() identity.Store {
		store := memory.NewIdentity()
		return func() identity.Store { return store }
	})
}
