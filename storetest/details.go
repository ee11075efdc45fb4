package storetest

import (
	"reflect"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

func identityDetails(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3, 4)
	detail := func(subject uint64, name string, revision uint64, sealed string) identity.Detail {
		d := identity.Detail{Subject: subject, Name: name, Revision: revision}
		if sealed != "" {
			d.Sealed = []byte(sealed)
		}
		return d
	}
	_, err := store.Detail(t.Context(), 1, "payee")
	wantErr(t, err, identity.ErrNotFound)
	wantErr(t, store.SetDetail(t.Context(), detail(1, "payee", 2, "early")), identity.ErrTaken)
	check(t, store.SetDetail(t.Context(), detail(1, "payee", 1, "first")))
	wantErr(t, store.SetDetail(t.Context(), detail(1, "payee", 1, "again")), identity.ErrTaken)
	check(t, store.SetDetail(t.Context(), detail(1, "payee", 2, "second, and longer")))
	wantErr(t, store.SetDetail(t.Context(), detail(1, "payee", 4, "late")), identity.ErrTaken)
	for subject := uint64(1); subject <= 4; subject++ {
		check(t, store.SetDetail(t.Context(), detail(subject, "attributes", 1, "sealed")))
	}
	check(t, store.SetDetail(t.Context(), detail(2, "attributes", 2, ""))) // taken back

	store = open()
	want := func(what string, got []identity.Detail, want ...identity.Detail) {
		t.Helper()
		if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got\n%+v\nwant\n%+v", what, got, want)
		}
	}
	want("one", []identity.Detail{must(store.Detail(t.Context(), 1, "payee"))(t)}, detail(1, "payee", 2, "second, and longer"))
	want("of a subject", must(store.DetailsOf(t.Context(), 1))(t), detail(1, "attributes", 1, "sealed"), detail(1, "payee", 2, "second, and longer"))
	want("of nobody", must(store.DetailsOf(t.Context(), 9))(t))
	want("named", must(store.DetailsNamed(t.Context(), "attributes", 1, 2))(t), detail(2, "attributes", 2, ""), detail(3, "attributes", 1, "sealed"))
	want("named, the last", must(store.DetailsNamed(t.Context(), "attributes", 3, 2))(t), detail(4, "attributes", 1, "sealed"))

	check(t, store.EraseSubjects(t.Context(), []uint64{1, 3}, 55))
	want("erased", must(store.DetailsOf(t.Context(), 1))(t))
	want("left", must(store.DetailsNamed(t.Context(), "attributes", 0, 10))(t), detail(2, "attributes", 2, ""), detail(4, "attributes", 1, "sealed"))
}
