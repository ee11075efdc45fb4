package storetest

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
)

// Blocks checks that a store keeps what collect.Blocks promises. For each test,
// create returns a function that opens one and the same storage, empty the
// first time.
func Blocks(t *testing.T, create func(t *testing.T) (open func() collect.Blocks)) {
	tests := map[string]func(*testing.T, func() collect.Blocks){
		"blocks come back page by page":            blocksKept,
		"a block is kept in whole or not at all":   blocksWhole,
		"blocks are listed in order, and replaced": blocksListed,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, create(t)) })
	}
}

func pagesOf(fault error, pages ...[]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, page := range pages {
			if !yield(page, nil) {
				return
			}
		}
		if fault != nil {
			yield(nil, fault)
		}
	}
}

func blocksKept(t *testing.T, open func() collect.Blocks) {
	store := open()
	var pages [][]byte
	for i := range 150 {
		pages = append(pages, bytes.Repeat([]byte{byte(i)}, 100+i))
	}
	info := collect.BlockInfo{First: 3, Last: 1 << 40, Hour: 490_000, Hours: 24, Entries: 90_000, EntryPages: 149, Pages: 150, Hash: [32]byte{1, 2}}
	check(t, store.PutBlock(t.Context(), info, pagesOf(nil, pages...)))
	store = open()
	if infos := must(store.Blocks(t.Context()))(t); !slices.Equal(infos, []collect.BlockInfo{info}) {
		t.Fatalf("kept is %+v, want %+v", infos, info)
	}
	for i, want := range pages {
		if got := must(store.BlockPage(t.Context(), info, i))(t); !bytes.Equal(got, want) {
			t.Fatalf("page %d has %d bytes, want %d", i, len(got), len(want))
		}
	}
	if _, err := store.BlockPage(t.Context(), info, 150); err == nil {
		t.Error("a page that is not there was read")
	}
	check(t, store.DropBlock(t.Context(), info))
	check(t, store.DropBlock(t.Context(), info))
	if infos := must(open().Blocks(t.Context()))(t); len(infos) != 0 {
		t.Errorf("after it was dropped there is %+v", infos)
	}
}

func blocksWhole(t *testing.T, open func() collect.Blocks) {
	store, fault := open(), errors.New("the log cannot be read")
	info := collect.BlockInfo{First: 1, Last: 2, Hours: 1, Entries: 1, EntryPages: 1, Pages: 2}
	wantErr(t, store.PutBlock(t.Context(), info, pagesOf(fault, []byte("one"))), fault)
	if infos := must(open().Blocks(t.Context()))(t); len(infos) != 0 {
		t.Errorf("half a block was kept: %+v", infos)
	}
}

func blocksListed(t *testing.T, open func() collect.Blocks) {
	store := open()
	info := func(first, last, entries uint64) collect.BlockInfo {
		return collect.BlockInfo{First: first, Last: last, Hour: 5, Hours: 2, Entries: entries, EntryPages: 1, Pages: 1}
	}
	want := []collect.BlockInfo{info(1, 9, 4), info(1, 3, 2), info(4, 9, 2), info(10, 10, 7)}
	for _, i := range []int{3, 1, 0, 2} {
		check(t, store.PutBlock(t.Context(), want[i], pagesOf(nil, []byte("old"))))
	}
	want[1].Entries = 3
	check(t, store.PutBlock(t.Context(), want[1], pagesOf(nil, []byte("new"))))
	store = open()
	if got := must(store.Blocks(t.Context()))(t); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if page := must(store.BlockPage(t.Context(), want[1], 0))(t); string(page) != "new" {
		t.Errorf("the page of a replaced block is %q", page)
	}
}
