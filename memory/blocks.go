package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/collect"
)

// Blocks is a collect.Blocks in memory.
type Blocks struct {
	// Before and After, if set, are called around each write. An error of
	// Before is returned and nothing is done; an error of After is returned
	// though all was done, as when an answer is lost.
	Before, After func() error

	mu    sync.Mutex
	infos []collect.BlockInfo
	pages map[collect.BlockInfo][][]byte
}

// NewBlocks returns a store without blocks.
func NewBlocks() *Blocks { return &Blocks{pages: map[collect.BlockInfo][][]byte{}} }

// Blocks implements collect.Blocks.
func (b *Blocks) Blocks(context.Context) ([]collect.BlockInfo, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	infos := slices.Clone(b.infos)
	slices.SortFunc(infos, func(x, y collect.BlockInfo) int {
		return cmp.Or(cmp.Compare(x.First, y.First), cmp.Compare(y.Last, x.Last))
	})
	return infos, nil
}

// PutBlock implements collect.Blocks.
func (b *Blocks) PutBlock(ctx context.Context, info collect.BlockInfo, pages iter.Seq2[[]byte, error]) error {
	var kept [][]byte
	for page, err := range pages {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		kept = append(kept, bytes.Clone(page))
	}
	return b.write(func() {
		b.drop(info)
		b.infos = append(b.infos, info)
		b.pages[info] = kept
	})
}

func (b *Blocks) write(do func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Before != nil {
		if err := b.Before(); err != nil {
			return err
		}
	}
	do()
	if b.After != nil {
		return b.After()
	}
	return nil
}

func (b *Blocks) drop(info collect.BlockInfo) {
	b.infos = slices.DeleteFunc(b.infos, func(kept collect.BlockInfo) bool {
		same := kept.First == info.First && kept.Last == info.Last
		if same {
			delete(b.pages, kept)
		}
		return same
	})
}

// BlockPage implements collect.Blocks.
func (b *Blocks) BlockPage(_ context.Context, info collect.BlockInfo, page int) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pages := b.pages[info]
	if page < 0 || page >= len(pages) {
		return nil, errors.New("there is no such page")
	}
	return pages[page], nil
}

// DropBlock implements collect.Blocks.
func (b *Blocks) DropBlock(_ context.Context, info collect.BlockInfo) error {
	return b.write(func() { b.drop(info) })
}
