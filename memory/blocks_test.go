package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestBlocks(t *testing.T) {
	storetest.Blocks(t, func(*testing.T) func() collect.Blocks {
		store := memory.NewBlocks()
		return func() collect.Blocks { return store }
	})
}
