package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestEvents(t *testing.T) {
	stores := map[string]*memory.Events{}
	storetest.Events(t, func(t *testing.T) storetest.EventStore {
		if stores[t.Name()] == nil {
			stores[t.Name()] = memory.NewEvents()
		}
		return stores[t.Name()]
	})
}
