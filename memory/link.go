package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/attentionbank/attentionbank/identity"
)

// TokenKeys implements identity.Store.
func (m *Identity) TokenKeys(ctx context.Context, world uint32) (keys []byte, err error) {
	err = m.do(ctx, "TokenKeys", func() error {
		keys = slices.Clone(m.tokenKeys[world])
		return nil
	})
	return keys, err
}

// SetTokenKeys implements identity.Store.
func (m *Identity) SetTokenKeys(ctx context.Context, world uint32, keys []byte) error {
	return m.do(ctx, "SetTokenKeys", func() error {
		m.tokenKeys[world] = slices.Clone(keys)
		return nil
	})
}

// SpendTokens implements identity.Store.
func (m *Identity) SpendTokens(ctx context.Context, tokens []identity.SpentToken, nowMS int64) error {
	return m.do(ctx, "SpendTokens", func() error {
		maps.DeleteFunc(m.spent, func(_ [32]byte, t identity.SpentToken) bool { return t.EndsMS <= nowMS })
		for _, token := range tokens {
			if spent, found := m.spent[token.Hash]; found && spent.Purpose != token.Purpose {
				return identity.ErrTaken
			}
		}
		for _, token := range tokens {
			if _, found := m.spent[token.Hash]; !found {
				m.spent[token.Hash] = token
			}
		}
		return nil
	})
}

// AddLink implements identity.Store.
func (m *Identity) AddLink(ctx context.Context, link identity.Link) error {
	return m.do(ctx, "AddLink", func() error {
		m.links = append(m.links, link)
		return nil
	})
}

// EndLink implements identity.Store.
func (m *Identity) EndLink(ctx context.Context, member uint64, untilDay int32) error {
	return m.do(ctx, "EndLink", func() error {
		found := false
		for i := range m.links {
			if link := &m.links[i]; link.Member == member && link.UntilDay > untilDay {
				link.UntilDay, found = untilDay, true
			}
		}
		if !found {
			return identity.ErrNotFound
		}
		return nil
	})
}

// LinksOf implements identity.Store.
func (m *Identity) LinksOf(ctx context.Context, subject uint64) (links []identity.Link, err error) {
	err = m.do(ctx, "LinksOf", func() error {
		for _, link := range m.links {
			if link.Member == subject || link.Head == subject {
				links = append(links, link)
			}
		}
		return nil
	})
	return links, err
}
