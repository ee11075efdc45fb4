package memory

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/attentionbank/attentionbank/identity"
)

func (m *Identity) findDetail(subject uint64, name string) (i int, found bool) {
	return slices.BinarySearchFunc(m.details, identity.Detail{Subject: subject, Name: name}, func(a, b identity.Detail) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Name, b.Name))
	})
}

// SetDetail implements identity.Store.
func (m *Identity) SetDetail(ctx context.Context, detail identity.Detail) error {
	return m.do(ctx, "SetDetail", func() error {
		i, found := m.findDetail(detail.Subject, detail.Name)
		if !found {
			m.details = slices.Insert(m.details, i, identity.Detail{Subject: detail.Subject, Name: detail.Name})
		}
		if detail.Revision != m.details[i].Revision+1 {
			if !found {
				m.details = slices.Delete(m.details, i, i+1)
			}
			return identity.ErrTaken
		}
		detail.Sealed = slices.Clone(detail.Sealed)
		m.details[i] = detail
		return nil
	})
}

// Detail implements identity.Store.
func (m *Identity) Detail(ctx context.Context, subject uint64, name string) (detail identity.Detail, err error) {
	err = m.do(ctx, "Detail", func() error {
		i, found := m.findDetail(subject, name)
		if !found {
			return identity.ErrNotFound
		}
		detail = m.details[i]
		return nil
	})
	return detail, err
}

// DetailsOf implements identity.Store.
func (m *Identity) DetailsOf(ctx context.Context, subject uint64) ([]identity.Detail, error) {
	return m.detailsWhere(ctx, "DetailsOf", math.MaxInt, func(d identity.Detail) bool { return d.Subject == subject })
}

// DetailsNamed implements identity.Store.
func (m *Identity) DetailsNamed(ctx context.Context, name string, after uint64, limit int) ([]identity.Detail, error) {
	return m.detailsWhere(ctx, "DetailsNamed", limit, func(d identity.Detail) bool { return d.Name == name && d.Subject > after })
}

func (m *Identity) detailsWhere(ctx context.Context, operation string, limit int, keep func(identity.Detail) bool) (details []identity.Detail, err error) {
	err = m.do(ctx, operation, func() error {
		for _, detail := range m.details {
			if keep(detail) && len(details) < limit {
				details = append(details, detail)
			}
		}
		return nil
	})
	return details, err
}
