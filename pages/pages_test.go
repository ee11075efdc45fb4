package pages_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/pages"
	"pgregory.net/rapid"
)

// An Array must behave as a slice does, and a view as a copy of that slice.
func TestArrayEqualsSliceAndViewsNeverChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var array pages.Array[int64]
		var twin []int64
		type frozen struct {
			view pages.View[int64]
			want []int64
		}
		var views []frozen
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "count") {
					v := rapid.Int64().Draw(t, "v")
					if i := array.Append(v); i != len(twin) {
						t.Fatalf("appended at %d, expected %d", i, len(twin))
					}
					twin = append(twin, v)
				}
			},
			"write": func(t *rapid.T) {
				if len(twin) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(twin)-1).Draw(t, "i")
				v := rapid.Int64().Draw(t, "v")
				*array.Write(i), twin[i] = v, v
			},
			"truncate": func(t *rapid.T) {
				n := rapid.IntRange(0, len(twin)).Draw(t, "n")
				array.Truncate(n)
				twin = twin[:n]
			},
			"freeze": func(t *rapid.T) {
				views = append(views, frozen{array.Freeze(), append([]int64(nil), twin...)})
			},
			"": func(t *rapid.T) {
				if array.Len() != len(twin) {
					t.Fatalf("length %d, expected %d", array.Len(), len(twin))
				}
				for i, want := range twin {
					if *array.At(i) != want {
						t.Fatalf("record %d is %d, expected %d", i, *array.At(i), want)
					}
				}
				for _, f := range views {
					if f.view.Len() != len(f.want) {
						t.Fatalf("a view changed its length")
					}
					for i, want := range f.want {
						if *f.view.At(i) != want {
							t.Fatalf("record %d of a view changed", i)
						}
					}
				}
			},
		})
	})
}

// An Index must behave as a map does, also when all hashes collide.
func TestIndexEqualsMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var index pages.Index
		hashes := rapid.SampledFrom([]uint64{1, 7, 1 << 40, ^uint64(0)}).Draw(t, "distinct hashes")
		hash := func(key int) uint64 { return pages.Mix(0, uint64(key)%hashes) }
		var keys []int // by position
		twin := map[int]int{}
		find := func(key int) (int, bool) {
			return index.Find(hash(key), func(position int) bool { return keys[position] == key })
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				key := rapid.IntRange(0, 200).Draw(t, "key")
				if _, there := twin[key]; there {
					t.Skip("already there")
				}
				keys = append(keys, key)
				twin[key] = len(keys) - 1
				index.Insert(hash(key), len(keys)-1)
			},
			"remove": func(t *rapid.T) {
				key := rapid.IntRange(0, 200).Draw(t, "key")
				position, there := twin[key]
				if !there {
					position = len(keys)
				}
				if index.Remove(hash(key), position) != there {
					t.Fatalf("removal of key %d did not report %v", key, there)
				}
				delete(twin, key)
			},
			"": func(t *rapid.T) {
				if index.Len() != len(twin) {
					t.Fatalf("length %d, expected %d", index.Len(), len(twin))
				}
				for key := range 201 {
					want, there := twin[key]
					got, found := find(key)
					if found != there || found && got != want {
						t.Fatalf("key %d: found %v at %d, expected %v at %d", key, found, got, there, want)
					}
				}
			},
		})
	})
}
