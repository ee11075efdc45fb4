package pages_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/pages"
	"pgregory.net/rapid"
)

// Fill makes the index that inserting one by one makes, and tells a key that is
// there twice.
func TestFillEqualsInsert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few different hashes, so that many entries share a shard and a tag.
		keys := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 4000), 0, 600, rapid.ID[uint64]).Draw(t, "keys")
		hash := func(key uint64) uint64 { return key % 97 << 32 }
		var filled, inserted pages.Index
		entry := func(i int) (uint64, int) { return hash(keys[i]), i }
		same := func(a, b int) bool { return keys[a] == keys[b] }
		if a, b, twice := filled.Fill(len(keys), entry, same); twice {
			t.Fatalf("keys %d and %d are said to be the same", keys[a], keys[b])
		}
		for i, key := range keys {
			inserted.Insert(hash(key), i)
		}
		if filled.Len() != inserted.Len() {
			t.Fatalf("%d entries, expected %d", filled.Len(), inserted.Len())
		}
		find := func(x *pages.Index, key uint64) (int, bool) {
			return x.Find(hash(key), func(i int) bool { return keys[i] == key })
		}
		for key := range uint64(4001) {
			a, foundA := find(&filled, key)
			b, foundB := find(&inserted, key)
			if a != b || foundA != foundB {
				t.Fatalf("key %d is found at %d (%v), expected %d (%v)", key, a, foundA, b, foundB)
			}
		}
		if len(keys) == 0 {
			return
		}
		copied := rapid.IntRange(0, len(keys)-1).Draw(t, "copied")
		keys = append(keys, keys[copied])
		var again pages.Index
		if a, b, twice := again.Fill(len(keys), entry, same); !twice || keys[a] != keys[b] || a == b {
			t.Fatalf("a key that is there twice was not told: %d, %d, %v", a, b, twice)
		}
	})
}
