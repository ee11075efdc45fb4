package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestOutbox(t *testing.T) {
	storetest.Outbox(t, func(*testing.T) func() outbox.Store {
		store := memory.NewOutbox()
		return func() outbox.Store { return store }
	})
}
