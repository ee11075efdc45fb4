package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
)

func archive(t *testing.T, open func(t *testing.T) EventStore) {
	ctx, store := context.Background(), open(t)
	old, _, err := store.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	term, _, err := store.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	place := func(subject uint64, batches ...uint64) collect.Place {
		return collect.Place{Subject: subject, Batches: batches}
	}
	part := func(subject uint64, day int32) collect.Part {
		return collect.Part{Subject: subject, Day: day, DueMS: collect.NeverDue, Sealed: []byte("x")}
	}
	save := func(seq uint64, parts []collect.Part, places ...collect.Place) {
		t.Helper()
		if err := store.Save(ctx, term, seq, parts, places); err != nil {
			t.Fatal(err)
		}
	}
	save(4, []collect.Part{part(1, collect.PersonPart), part(1, 9), part(2, 8)}, place(1, 1, 3, 4), place(2, 2))
	save(300, []collect.Part{part(1, 11), part(1, 9)}, place(1, 5, 299), place(1, 300))
	if err := store.Save(ctx, old, 400, nil, []collect.Place{place(1, 5)}); !errors.Is(err, collect.ErrConflict) {
		t.Fatalf("places of an earlier term were answered %v", err)
	}
	for _, store := range []EventStore{store, open(t)} {
		for _, test := range []struct {
			subject, after uint64
			limit          int
			want           []collect.Place
		}{
			{1, 0, 10, []collect.Place{place(1, 1, 3, 4), place(1, 5, 299), place(1, 300)}},
			{1, 0, 2, []collect.Place{place(1, 1, 3, 4), place(1, 5, 299)}},
			{1, 5, 2, []collect.Place{place(1, 300)}},
			{1, 300, 2, nil}, {2, 0, 2, []collect.Place{place(2, 2)}}, {3, 0, 2, nil},
		} {
			if got, err := store.Places(ctx, test.subject, test.after, test.limit); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("subject %d stands behind %d in %v, %v; expected %v", test.subject, test.after, got, err, test.want)
			}
		}
		for _, test := range []struct {
			subject uint64
			after   int32
			limit   int
			want    []int32
		}{{1, collect.PersonPart, 10, []int32{9, 11}}, {1, collect.PersonPart, 1, []int32{9}}, {1, 9, 10, []int32{11}}, {2, 8, 10, nil}} {
			if got, err := store.Days(ctx, test.subject, test.after, test.limit); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("of subject %d there are behind %d the days %v, %v; expected %v", test.subject, test.after, got, err, test.want)
			}
		}
	}
	if err := store.Forget(ctx, 1); err != nil {
		t.Fatal(err)
	}
	places, err := store.Places(ctx, 1, 0, 10)
	days, err2 := store.Days(ctx, 1, collect.PersonPart, 10)
	if err := errors.Join(err, err2); err != nil || len(places)+len(days) != 0 {
		t.Errorf("who was forgotten stands in %v on %v, %v", places, days, err)
	}
	if places, err := store.Places(ctx, 2, 0, 10); err != nil || len(places) != 1 {
		t.Errorf("another stands in %v, %v", places, err)
	}
}
