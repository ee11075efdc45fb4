package collect

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"sort"
)

// BlockInfo says what a block of remembered message ids holds: those of the
// batches First to Last, which arrived in the hours from Hour on.
type BlockInfo struct {
	First, Last uint64
	// Hour is the first hour of arrival, in hours since 1970-01-01 UTC; Hours
	// is how many there are.
	Hour, Hours int64
	Entries     uint64
	// Pages are EntryPages of entries and behind them those of the directory.
	EntryPages, Pages int
	// Hash is that of batch Last: a block of another log's is not believed.
	Hash [32]byte
}

// Blocks keep what is remembered of message ids once the hour of their arrival
// is over. They can be made again from the log. The suite storetest.Blocks says
// what an adapter must do; its methods may be called from any goroutine.
type Blocks interface {
	// Blocks returns what is kept, in the order of First, of two that begin
	// together the longer one first.
	Blocks(ctx context.Context) ([]BlockInfo, error)
	// PutBlock keeps a block in whole or not at all. One of the same First and
	// Last is replaced.
	PutBlock(ctx context.Context, info BlockInfo, pages iter.Seq2[[]byte, error]) error
	// BlockPage returns a page of a block, counted from 0.
	BlockPage(ctx context.Context, info BlockInfo, page int) ([]byte, error)
	// DropBlock removes a block; one that is not there is none to remove.
	DropBlock(ctx context.Context, info BlockInfo) error
}

// A block's entries are sorted by digest (little-endian; docs/formats/ids.md):
//
//	| digest 16 | position u64 | verdict u8 | rule u8 | hour u8, from the first |
//
// pageEntries of them to a page. The directory is
//
//	| words of the filter u32 … | first 8 bytes of each entry page's first digest u64 … |
//
// in pages of directoryPage bytes.
const (
	blockEntryBytes = 16 + 8 + 3
	pageEntries     = 600
	directoryPage   = 64 << 10
	// MaxBlockHours bounds the hours of a block, so that one fits a byte.
	MaxBlockHours = 24
)

// rememberedID is an entry of a block.
type rememberedID struct {
	digest digest
	seenEntry
	hour int64
}

func (e *rememberedID) appendTo(dst []byte, firstHour int64) []byte {
	dst = binary.LittleEndian.AppendUint64(append(dst, e.digest[:]...), e.position)
	return append(dst, uint8(e.verdict), uint8(e.rule), uint8(e.hour-firstHour))
}

func readRememberedID(src []byte, firstHour int64) rememberedID {
	return rememberedID{digest(src[:16]), seenEntry{binary.LittleEndian.Uint64(src[16:]), Verdict(src[24]), Rule(src[25]), true}, firstHour + int64(src[26])}
}

// describe fills in what follows from the number of entries.
func (i BlockInfo) describe(entries uint64) BlockInfo {
	i.Entries, i.EntryPages = entries, int((entries+pageEntries-1)/pageEntries)
	i.Pages = i.EntryPages + (4*filterWords(entries)+8*i.EntryPages+directoryPage-1)/directoryPage
	return i
}

// blockPages yields the pages of a block whose entries come sorted.
func blockPages(info BlockInfo, entries iter.Seq2[rememberedID, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		directory := directory{filter: newFilter(info.Entries)}
		page := make([]byte, 0, pageEntries*blockEntryBytes)
		written := uint64(0)
		for e, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 {
				directory.firsts = append(directory.firsts, binary.BigEndian.Uint64(e.digest[:]))
			}
			directory.filter.add(e.digest)
			page = e.appendTo(page, info.Hour)
			if written++; len(page) == cap(page) {
				if !yield(page, nil) {
					return
				}
				page = page[:0]
			}
		}
		if written != info.Entries {
			yield(nil, fmt.Errorf("a block of %d message ids got %d", info.Entries, written))
			return
		}
		if len(page) > 0 && !yield(page, nil) {
			return
		}
		for encoded := directory.encode(); len(encoded) > 0; {
			n := min(len(encoded), directoryPage)
			if !yield(encoded[:n], nil) {
				return
			}
			encoded = encoded[n:]
		}
	}
}

// directory is what is held in memory of a block: a filter that knows which
// digests are not in it, and where its pages begin.
type directory struct {
	filter filter
	firsts []uint64
}

func (d *directory) encode() []byte {
	encoded := make([]byte, 0, 4*len(d.filter)+8*len(d.firsts))
	for _, word := range d.filter {
		encoded = binary.LittleEndian.AppendUint32(encoded, word)
	}
	for _, first := range d.firsts {
		encoded = binary.LittleEndian.AppendUint64(encoded, first)
	}
	return encoded
}

// block is a block that is kept.
type block struct {
	BlockInfo
	directory
}

// openBlock reads the directory of a block.
func openBlock(ctx context.Context, blocks Blocks, info BlockInfo) (*block, error) {
	words := filterWords(info.Entries)
	if info != info.describe(info.Entries) || info.Hours < 1 || info.Hours > MaxBlockHours {
		return nil, fmt.Errorf("the block of message ids %+v makes no sense", info)
	}
	var encoded []byte
	for page := info.EntryPages; page < info.Pages; page++ {
		part, err := blocks.BlockPage(ctx, info, page)
		if err != nil {
			return nil, fmt.Errorf("reading page %d of the block of message ids %+v: %w", page, info, err)
		}
		encoded = append(encoded, part...)
	}
	if len(encoded) != 4*words+8*info.EntryPages {
		return nil, fmt.Errorf("the directory of the block of message ids %+v has %d bytes", info, len(encoded))
	}
	b := &block{BlockInfo: info, directory: directory{filter: make(filter, words), firsts: make([]uint64, info.EntryPages)}}
	for i := range b.filter {
		b.filter[i] = binary.LittleEndian.Uint32(encoded[4*i:])
	}
	for i := range b.firsts {
		b.firsts[i] = binary.LittleEndian.Uint64(encoded[4*words+8*i:])
	}
	return b, nil
}

// find looks for a digest. Most of those that are not there cost no read.
func (b *block) find(ctx context.Context, blocks Blocks, d digest) (found rememberedID, ok bool, err error) {
	if !b.filter.mayHave(d) {
		return found, false, nil
	}
	want := binary.BigEndian.Uint64(d[:])
	// The first page that may hold it is the one before the first that begins
	// with it or behind it.
	for page := max(sort.Search(len(b.firsts), func(i int) bool { return b.firsts[i] >= want })-1, 0); page < len(b.firsts) && b.firsts[page] <= want; page++ {
		entries, err := b.page(ctx, blocks, page)
		if err != nil {
			return found, false, err
		}
		count := len(entries) / blockEntryBytes
		i := sort.Search(count, func(i int) bool { return bytes.Compare(entries[i*blockEntryBytes:i*blockEntryBytes+16], d[:]) >= 0 })
		if i < count && bytes.Equal(entries[i*blockEntryBytes:i*blockEntryBytes+16], d[:]) {
			return readRememberedID(entries[i*blockEntryBytes:], b.Hour), true, nil
		}
	}
	return found, false, nil
}

func (b *block) page(ctx context.Context, blocks Blocks, page int) ([]byte, error) {
	entries, err := blocks.BlockPage(ctx, b.BlockInfo, page)
	if err == nil && (len(entries) == 0 || len(entries)%blockEntryBytes != 0 || len(entries) > pageEntries*blockEntryBytes) {
		err = fmt.Errorf("it has %d bytes", len(entries))
	}
	if err != nil {
		return nil, fmt.Errorf("reading page %d of the block of message ids %+v: %w", page, b.BlockInfo, err)
	}
	return entries, nil
}

// all yields the entries of a block, in order.
func (b *block) all(ctx context.Context, blocks Blocks) iter.Seq2[rememberedID, error] {
	return func(yield func(rememberedID, error) bool) {
		for page := range b.EntryPages {
			entries, err := b.page(ctx, blocks, page)
			if err != nil {
				yield(rememberedID{}, err)
				return
			}
			for ; len(entries) > 0; entries = entries[blockEntryBytes:] {
				if !yield(readRememberedID(entries, b.Hour), nil) {
					return
				}
			}
		}
	}
}
