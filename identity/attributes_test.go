package identity_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

func TestAttributesAreKeptSealed(t *testing.T) {
	o := newOffice(t)
	ann, bob := o.user(1, "ann"), o.user(1, "bob")
	want := func(subject uint64, want identity.Attributes) {
		t.Helper()
		got, err := o.Attributes(t.Context(), subject)
		check(t, err)
		if got != want {
			t.Errorf("the attributes of %d are %+v, want %+v", subject, got, want)
		}
	}
	want(ann.Number, identity.Attributes{})
	for _, wrong := range []identity.Attributes{{Country: "XX"}, {Country: "de"}, {Country: "DEU"}, {Country: "E "}, {Country: " A"}, {Age: 3}, {Tier: 10}} {
		_, err := o.SetAttributes(t.Context(), ann.Number, wrong)
		wantErr(t, err, identity.ErrAttributesInvalid)
	}
	for revision, a := range []identity.Attributes{{Country: "DE", Age: identity.AgeMinor}, {Country: "AD", Age: identity.AgeAdult, Tier: 9}, {}, {Country: "ZW", Tier: 1}} {
		set, err := o.SetAttributes(t.Context(), ann.Number, a)
		check(t, err)
		if a.Revision = uint64(revision + 1); set != a {
			t.Errorf("set was %+v, want %+v", set, a)
		}
		want(ann.Number, a)
		o.reopen()
		want(ann.Number, a)
		want(bob.Number, identity.Attributes{})
		kept, err := o.store.Detail(t.Context(), ann.Number, "attributes")
		check(t, err)
		if a.Country != "" && bytes.Contains(kept.Sealed, []byte(a.Country)) {
			t.Errorf("the country %s lies in clear", a.Country)
		}
	}

	// An older revision, or another subject's, cannot be put in its place.
	kept, err := o.store.Detail(t.Context(), ann.Number, "attributes")
	check(t, err)
	kept.Revision++
	check(t, o.store.SetDetail(t.Context(), kept))
	_, err = o.Attributes(t.Context(), ann.Number)
	wantErr(t, err, identity.ErrSealBroken)
	kept.Subject, kept.Revision = bob.Number, 1
	check(t, o.store.SetDetail(t.Context(), kept))
	_, err = o.Attributes(t.Context(), bob.Number)
	wantErr(t, err, identity.ErrSealBroken)

	check(t, o.Erase(t.Context(), ann.Number))
	_, err = o.SetAttributes(t.Context(), ann.Number, identity.Attributes{Country: "DE"})
	wantErr(t, err, identity.ErrErased)
	want(ann.Number, identity.Attributes{})
}

// Whoever is linked to a minor is one: it is the same human.
func TestAgeIsThatOfTheHuman(t *testing.T) {
	o := newOffice(t)
	head, member, third, other := o.user(1, "ann"), o.user(2, "ann2"), o.user(3, "ann3"), o.user(2, "bob")
	for _, link := range []identity.Link{
		{Member: member.Number, Head: head.Number, FromDay: 1, UntilDay: identity.Forever},
		{Member: third.Number, Head: head.Number, FromDay: 1, UntilDay: identity.Forever},
		{Member: other.Number, Head: head.Number, FromDay: 1, UntilDay: 2},
	} {
		check(t, o.store.AddLink(t.Context(), link))
	}
	want := func(ages ...identity.AgeState) {
		t.Helper()
		for i, subject := range []identity.Subject{head, member, third, other} {
			if age, err := o.Age(t.Context(), subject.Number); err != nil || age != ages[i] {
				t.Errorf("subject %d is %s, %v; want %s", subject.Number, age, err, ages[i])
			}
		}
	}
	set := func(subject identity.Subject, age identity.AgeState) {
		t.Helper()
		_, err := o.SetAttributes(t.Context(), subject.Number, identity.Attributes{Age: age})
		check(t, err)
	}
	unknown, minor, adult := identity.AgeUnknown, identity.AgeMinor, identity.AgeAdult
	want(unknown, unknown, unknown, unknown)
	set(member, minor)
	want(minor, minor, minor, unknown)
	set(head, adult)
	want(minor, minor, minor, unknown)
	set(member, unknown)
	want(adult, unknown, unknown, unknown)
	set(head, minor)
	want(minor, minor, minor, unknown)
}

func TestDescribedAreReadInPages(t *testing.T) {
	o := newOffice(t)
	var want []identity.Described
	for i := range 25 {
		subject := o.user(1, fmt.Sprint(i))
		if i%3 == 0 {
			continue
		}
		a, err := o.SetAttributes(t.Context(), subject.Number, identity.Attributes{Tier: uint8(i % 9), Country: "PT"})
		check(t, err)
		if i%5 == 0 {
			check(t, o.Erase(t.Context(), subject.Number))
			continue
		}
		want = append(want, identity.Described{Subject: subject.Number, Attributes: a})
	}
	var got []identity.Described
	for after := uint64(0); ; {
		page, next, err := o.DescribedAfter(t.Context(), after, 4)
		check(t, err)
		got = append(got, page...)
		if after = next; next == 0 {
			break
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
