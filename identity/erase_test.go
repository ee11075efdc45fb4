package identity_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

func TestEraseDestroysWhatWasSealed(t *testing.T) {
	o := newOffice(t)
	phone, ann, err := o.Unite(t.Context(), 1, "phone", "ann")
	check(t, err)
	bob := o.user(1, "bob")
	seals := map[uint64][]byte{}
	for _, number := range []uint64{phone.Number, ann.Number, bob.Number} {
		seals[number], err = o.Seal(t.Context(), number, nil, []byte("secret"), nil)
		check(t, err)
	}
	code, _, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	_, secret, err := o.RedeemClaimCode(t.Context(), code, "phone of Ann")
	check(t, err)

	check(t, o.Erase(t.Context(), ann.Number))
	check(t, o.Erase(t.Context(), ann.Number))
	_, err = o.Authenticate(t.Context(), secret)
	wantErr(t, err, identity.ErrUnauthenticated)
	for range 2 {
		for _, number := range []uint64{phone.Number, ann.Number} {
			_, err = o.Open(t.Context(), nil, seals[number], nil)
			wantErr(t, err, identity.ErrErased)
			_, err = o.Seal(t.Context(), number, nil, []byte("more"), nil)
			wantErr(t, err, identity.ErrErased)
			_, err = o.Derive(t.Context(), number, "label")
			wantErr(t, err, identity.ErrErased)
			_, err = o.Export(t.Context(), number)
			wantErr(t, err, identity.ErrErased)
		}
		opened, err := o.Open(t.Context(), nil, seals[bob.Number], nil)
		if err != nil || string(opened) != "secret" {
			t.Fatalf("another subject was hit: %q, %v", opened, err)
		}
		o.reopen()
	}
	kept, err := o.Subject(t.Context(), ann.Number)
	check(t, err)
	if kept.Person != ann.Person || kept.ErasedMS != o.nowMS {
		t.Fatalf("what remains is %+v", kept)
	}
	again := o.user(1, "ann")
	if again.Number == ann.Number || again.Person == ann.Person {
		t.Fatalf("the same name came back as the erased subject: %+v", again)
	}
	if device := o.device(1, "phone"); device.Number == phone.Number || device.UnitedWith != 0 {
		t.Fatalf("the same device came back as %+v", device)
	}
}

func TestAnEraseThatFailedIsTriedAgain(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann")
	sealed, err := o.Seal(t.Context(), ann.Number, nil, []byte("secret"), nil)
	check(t, err)
	full := errors.New("disk full")
	fail := func(operation string) error {
		if operation == "EraseSubjects" {
			return full
		}
		return nil
	}
	o.store.Before = fail
	wantErr(t, o.Erase(t.Context(), ann.Number), full)
	opened, err := o.Open(t.Context(), nil, sealed, nil)
	if err != nil || string(opened) != "secret" {
		t.Fatalf("nothing was erased, yet opening gave %q, %v", opened, err)
	}
	// The answer is lost after the key was destroyed: it is not used any more.
	o.store.Before, o.store.After = nil, fail
	wantErr(t, o.Erase(t.Context(), ann.Number), full)
	_, err = o.Open(t.Context(), nil, sealed, nil)
	wantErr(t, err, identity.ErrErased)
	o.store.After = nil
	check(t, o.Erase(t.Context(), ann.Number))
	if again := o.user(1, "ann"); again.Number == ann.Number {
		t.Fatal("the erased subject came back")
	}
	wantErr(t, o.Erase(t.Context(), 99), identity.ErrNotFound)
}

func TestExportTellsAll(t *testing.T) {
	o := newOffice(t)
	_, ann, err := o.Unite(t.Context(), 1, "phone", "ann")
	check(t, err)
	_, _, err = o.Unite(t.Context(), 1, "tablet", "ann")
	check(t, err)
	code, _, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	key, _, err := o.RedeemClaimCode(t.Context(), code, "mine")
	check(t, err)

	exported, err := o.Export(t.Context(), ann.Number)
	check(t, err)
	want := []identity.SubjectRef{{World: 1, UserID: "ann"}, {World: 1, AnonymousID: "phone"}, {World: 1, AnonymousID: "tablet"}}
	if exported.Subject != ann || !slices.Equal(exported.References, want) || !slices.Equal(exported.Keys, []identity.Key{key}) {
		t.Fatalf("exported %+v", exported)
	}
	device := o.device(1, "phone")
	check(t, o.Erase(t.Context(), device.Number))
	exported, err = o.Export(t.Context(), ann.Number)
	check(t, err)
	if !slices.Equal(exported.References, []identity.SubjectRef{want[0], want[2]}) {
		t.Fatalf("an erased device is still told: %+v", exported.References)
	}
}
