package identity_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/memory"
)

// office is a registry on a store in memory, with a clock that tests move.
type office struct {
	*identity.Registry
	t     testing.TB
	store *memory.Identity
	nowMS int64
}

var master = [32]byte{1, 2, 3}

func newOffice(t testing.TB) *office {
	o := &office{t: t, store: memory.NewIdentity(), nowMS: 1_800_000_000_000}
	o.reopen()
	return o
}

// reopen starts again on the same store, as after a crash.
func (o *office) reopen() {
	o.t.Helper()
	registry, err := identity.Open(o.t.Context(), o.store, master, identity.Options{NowMS: func() int64 { return o.nowMS }})
	check(o.t, err)
	o.Registry = registry
}

func (o *office) user(world uint32, id string) identity.Subject {
	o.t.Helper()
	subjects, err := o.Resolve(o.t.Context(), []identity.SubjectRef{{World: world, UserID: id}})
	check(o.t, err)
	return subjects[0]
}

func (o *office) device(world uint32, id string) identity.Subject {
	o.t.Helper()
	subjects, err := o.Resolve(o.t.Context(), []identity.SubjectRef{{World: world, AnonymousID: id}})
	check(o.t, err)
	return subjects[0]
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func TestOpenRefusesAnotherMasterKey(t *testing.T) {
	o := newOffice(t)
	_, err := identity.Open(t.Context(), o.store, [32]byte{9}, identity.Options{NowMS: func() int64 { return 0 }})
	if err == nil || !strings.Contains(err.Error(), "master key is not the one") {
		t.Fatalf("got %v, want an error that names the master key", err)
	}
	o.reopen()
}

func TestSubjectsAreTheSameForEverAndApart(t *testing.T) {
	o := newOffice(t)
	refs := []identity.SubjectRef{
		{World: 1, UserID: "ann"}, {World: 2, UserID: "ann"}, {World: 1, AnonymousID: "ann"},
		{World: 1, UserID: "ann"}, {World: 1, UserID: "bob"},
	}
	first, err := o.Resolve(t.Context(), refs)
	check(t, err)
	if first[0] != first[3] {
		t.Fatalf("one reference twice in a batch gave %+v and %+v", first[0], first[3])
	}
	numbers, people := map[uint64]bool{}, map[[16]byte]bool{}
	for i, s := range first {
		numbers[s.Number], people[s.Person] = true, true
		if s.World != refs[i].World || s.Anonymous != (refs[i].AnonymousID != "") || s.Person == [16]byte{} {
			t.Errorf("%+v was resolved to %+v", refs[i], s)
		}
	}
	if len(numbers) != 4 || len(people) != 4 {
		t.Fatalf("four references gave %d numbers and %d people", len(numbers), len(people))
	}
	o.reopen()
	again, err := o.Resolve(t.Context(), refs)
	check(t, err)
	for i := range first {
		if first[i] != again[i] {
			t.Errorf("after a restart %+v was %+v", first[i], again[i])
		}
	}
	if next := o.user(1, "carl").Number; next != 5 {
		t.Errorf("the next subject has number %d, want 5", next)
	}
}

func TestFindMakesNoSubject(t *testing.T) {
	o := newOffice(t)
	ann := identity.SubjectRef{World: 1, UserID: "ann"}
	_, err := o.Find(t.Context(), ann)
	wantErr(t, err, identity.ErrNotFound)
	made := o.user(1, "ann")
	for range 2 {
		found, err := o.Find(t.Context(), ann)
		check(t, err)
		if found != made {
			t.Fatalf("found %+v, want %+v", found, made)
		}
		o.reopen()
	}
	of, err := o.SubjectsOf(t.Context(), made.Person)
	check(t, err)
	if len(of) != 1 || of[0] != made {
		t.Fatalf("the person has %+v, want %+v", of, made)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	o := newOffice(t)
	long := strings.Repeat("x", identity.MaxExternalIDBytes)
	for _, ref := range []identity.SubjectRef{
		{}, {World: 1}, {UserID: "ann"}, {World: 1, UserID: "ann", AnonymousID: "a"},
		{World: 1, UserID: long + "x"}, {World: 1, AnonymousID: long + "x"},
	} {
		_, err := o.Resolve(t.Context(), []identity.SubjectRef{{World: 1, UserID: "good"}, ref})
		wantErr(t, err, identity.ErrReferenceInvalid)
		_, err = o.Find(t.Context(), ref)
		wantErr(t, err, identity.ErrReferenceInvalid)
	}
	_, err := o.Find(t.Context(), identity.SubjectRef{World: 1, UserID: "good"})
	wantErr(t, err, identity.ErrNotFound) // a refused batch adds nobody
	o.user(1, long)
}

func TestAFailedWriteGivesNoSubject(t *testing.T) {
	o := newOffice(t)
	full := errors.New("disk full")
	o.store.Before = func(operation string) error {
		if operation == "AddSubjects" {
			return full
		}
		return nil
	}
	ann := []identity.SubjectRef{{World: 1, UserID: "ann"}}
	_, err := o.Resolve(t.Context(), ann)
	wantErr(t, err, full)
	o.store.Before = nil
	before := o.user(1, "ann")
	o.reopen()
	if after := o.user(1, "ann"); after != before {
		t.Fatalf("got %+v after the restart, want %+v", after, before)
	}

	// When the answer of a write is lost, the subject is there, once.
	o.store.After = func(operation string) error {
		if operation == "AddSubjects" {
			return full
		}
		return nil
	}
	_, err = o.Resolve(t.Context(), []identity.SubjectRef{{World: 1, UserID: "bob"}})
	wantErr(t, err, full)
	o.store.After = nil
	if bob := o.user(1, "bob"); bob.Number != 2 {
		t.Fatalf("bob is %+v, want number 2", bob)
	}
	if carl := o.user(1, "carl"); carl.Number != 3 {
		t.Fatalf("carl is %+v, want number 3", carl)
	}
}

func TestSealIsOpenedInItsPlaceOnly(t *testing.T) {
	o := newOffice(t)
	ann, bob := o.user(1, "ann"), o.user(1, "bob")
	plain, place := []byte("two hours in the plaza"), []byte("event 7")
	sealed, err := o.Seal(t.Context(), ann.Number, []byte("head"), plain, place)
	check(t, err)
	if sealed = sealed[len("head"):]; len(sealed) != len(plain)+identity.SealOverhead || bytes.Contains(sealed, plain[:8]) {
		t.Fatalf("sealed bytes are %q", sealed)
	}
	again, err := o.Seal(t.Context(), ann.Number, nil, plain, place)
	check(t, err)
	if bytes.Equal(sealed, again) {
		t.Fatal("sealing twice gave the same bytes")
	}
	o.reopen()
	opened, err := o.Open(t.Context(), []byte("head"), sealed, place)
	check(t, err)
	if want := "head" + string(plain); string(opened) != want {
		t.Fatalf("opened %q, want %q", opened, want)
	}
	if number, err := identity.SealedFor(sealed); err != nil || number != ann.Number {
		t.Fatalf("sealed for %d (%v), want %d", number, err, ann.Number)
	}
	_, err = o.Open(t.Context(), nil, sealed, []byte("event 8"))
	wantErr(t, err, identity.ErrSealBroken)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := o.Open(t.Context(), nil, changed, place); err == nil {
			t.Errorf("byte %d was changed and nobody noticed", i)
		}
	}
	sealed[1] = byte(bob.Number)
	_, err = o.Open(t.Context(), nil, sealed, place)
	wantErr(t, err, identity.ErrSealBroken)
	_, err = o.Open(t.Context(), nil, sealed[:identity.SealOverhead-1], place)
	wantErr(t, err, identity.ErrSealBroken)
	_, err = o.Seal(t.Context(), 99, nil, plain, place)
	wantErr(t, err, identity.ErrNotFound)
}

func TestDerivedSecretsStay(t *testing.T) {
	o := newOffice(t)
	ann, bob := o.user(1, "ann"), o.user(1, "bob")
	derive := func(number uint64, label string) [32]byte {
		secret, err := o.Derive(t.Context(), number, label)
		check(t, err)
		return secret
	}
	first := derive(ann.Number, "day 1")
	if first == derive(ann.Number, "day 2") || first == derive(bob.Number, "day 1") {
		t.Fatal("two labels or two subjects share a secret")
	}
	o.reopen()
	if derive(ann.Number, "day 1") != first {
		t.Fatal("a restart changed a derived secret")
	}
}

// With caches of two entries everything is read from the store again and
// again, and must stay what it was.
func TestCachesAreBoundedAndInvisible(t *testing.T) {
	o := newOffice(t)
	tight, err := identity.Open(t.Context(), o.store, master, identity.Options{
		NowMS: func() int64 { return o.nowMS }, CachedSubjects: 2, CachedDataKeys: 2,
	})
	check(t, err)
	o.Registry = tight
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	first := map[string]identity.Subject{}
	sealed := map[string][]byte{}
	for _, name := range names {
		first[name] = o.user(1, name)
		sealed[name], err = o.Seal(t.Context(), first[name].Number, nil, []byte(name), nil)
		check(t, err)
	}
	for _, name := range append(names, names...) {
		if again := o.user(1, name); again != first[name] {
			t.Fatalf("%s was %+v, is %+v", name, first[name], again)
		}
		if opened, err := o.Open(t.Context(), nil, sealed[name], nil); err != nil || string(opened) != name {
			t.Fatalf("%s: opened %q, %v", name, opened, err)
		}
	}
}

func TestUniteGivesADeviceToItsUser(t *testing.T) {
	o := newOffice(t)
	device, _, err := o.Unite(t.Context(), 1, "phone", "ann")
	check(t, err)
	ann := o.user(1, "ann")
	for range 2 {
		if got := o.device(1, "phone"); got.UnitedWith != ann.Number || got.Number != device.Number {
			t.Fatalf("the device is %+v, want it united with %d", got, ann.Number)
		}
		o.reopen()
	}
	// The device is handed on.
	_, bob, err := o.Unite(t.Context(), 1, "phone", "bob")
	check(t, err)
	if got := o.device(1, "phone"); got.UnitedWith != bob.Number {
		t.Fatalf("the device is %+v, want it united with %d", got, bob.Number)
	}
	_, _, err = o.Unite(t.Context(), 1, "", "bob")
	wantErr(t, err, identity.ErrReferenceInvalid)
}
