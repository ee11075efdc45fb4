package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

// Identity checks that a store keeps what an identity.Store promises. For each
// test, create returns a function that opens one and the same storage, empty
// the first time, and closes it at the end of the test or before it is opened
// again.
func Identity(t *testing.T, create func(t *testing.T) (open func() identity.Store)) {
	tests := map[string]func(*testing.T, func() identity.Store){
		"the first founding is kept":                     identityFounding,
		"keys are kept, listed by owner and revoked":     identityKeys,
		"a ticket is redeemed once":                      identityTickets,
		"a later ticket replaces an earlier one":         identityTicketReplaced,
		"subjects are found by lookup, number or person": identitySubjects,
		"subjects are added all or none":                 identitySubjectsTaken,
		"what was united is found":                       identityUnite,
		"what was erased is gone and its number is not":  identityErase,
		"token keys are replaced, tokens are used once":  identityTokens,
		"links are kept, ended and erased":               identityLinks,
		"details are replaced, listed and erased":        identityDetails,
		"a cancelled context changes nothing":            identityCancelled,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, create(t)) })
	}
}

func identityFounding(t *testing.T, open func() identity.Store) {
	store := open()
	first := identity.Founding{SealedLookupSecret: []byte("sealed")}
	if got := must(store.Found(t.Context(), first))(t); !reflect.DeepEqual(got, first) {
		t.Fatalf("a new store is founded with what it is given: got %+v", got)
	}
	addSubjects(t, store, 1, 2)
	got := must(open().Found(t.Context(), identity.Founding{SealedLookupSecret: []byte("another")}))(t)
	if want := (identity.Founding{SealedLookupSecret: []byte("sealed"), LastSubject: 2}); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func identityKeys(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1)
	operator := testKey("key_a", identity.Principal{Kind: identity.Operator})
	server := testKey("key_b", identity.Principal{Kind: identity.Server, World: 4_000_000_000})
	person := testKey("key_c", identity.Principal{Kind: identity.Person, World: 1, Subject: 1, PersonID: testRecord(1).Person})
	second := testKey("key_d", server.Owner)
	for _, key := range []identity.Key{operator, server, person, second} {
		check(t, store.AddKey(t.Context(), key))
	}
	twice := testKey("key_e", server.Owner)
	twice.Hash = server.Hash
	wantErr(t, store.AddKey(t.Context(), twice), identity.ErrTaken)
	wantErr(t, store.AddKey(t.Context(), server), identity.ErrTaken)

	check(t, store.MarkUsed(t.Context(), 20_000, []string{"key_b", "key_unknown"}))
	server.LastUsedDay = 20_000
	check(t, store.RevokeKey(t.Context(), "key_b", 77))
	check(t, store.RevokeKey(t.Context(), "key_b", 99))
	server.RevokedMS = 77
	wantErr(t, store.RevokeKey(t.Context(), "key_unknown", 77), identity.ErrNotFound)

	store = open()
	wantKeys(t, must(store.KeysOf(t.Context(), server.Owner))(t), server, second)
	wantKeys(t, must(store.KeysOf(t.Context(), person.Owner))(t), person)
	wantKeys(t, must(store.KeysOf(t.Context(), identity.Principal{Kind: identity.Write, World: 4_000_000_000}))(t))
	wantKeys(t, []identity.Key{must(store.Key(t.Context(), "key_a"))(t)}, operator)
	_, err := store.Key(t.Context(), "key_unknown")
	wantErr(t, err, identity.ErrNotFound)

	var live []identity.Key
	for key, err := range store.LiveKeys(t.Context()) {
		check(t, err)
		live = append(live, key)
	}
	slices.SortFunc(live, func(a, b identity.Key) int { return int(a.ID[4]) - int(b.ID[4]) })
	wantKeys(t, live, operator, person, second)
}

func identityTickets(t *testing.T, open func() identity.Store) {
	store := open()
	ticket := identity.Ticket{Kind: identity.OperatorLink, Hash: sha256.Sum256([]byte("link")), ExpiresMS: 1000}
	check(t, store.SaveTicket(t.Context(), ticket, 0))
	store = open()
	if got := must(store.Ticket(t.Context(), ticket.Hash))(t); got != ticket {
		t.Fatalf("got %+v, want %+v", got, ticket)
	}
	taken := testKey("key_a", identity.Principal{Kind: identity.Operator})
	check(t, store.AddKey(t.Context(), taken))
	wantErr(t, store.RedeemTicket(t.Context(), ticket.Hash, taken), identity.ErrTaken)

	// A redemption that failed left the ticket where it was.
	key := testKey("key_b", taken.Owner)
	check(t, store.RedeemTicket(t.Context(), ticket.Hash, key))
	wantErr(t, store.RedeemTicket(t.Context(), ticket.Hash, testKey("key_c", taken.Owner)), identity.ErrNotFound)
	wantKeys(t, must(store.KeysOf(t.Context(), key.Owner))(t), taken, key)
	_, err := store.Ticket(t.Context(), ticket.Hash)
	wantErr(t, err, identity.ErrNotFound)
}

func identityTicketReplaced(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3)
	claim := func(subject uint64, code string, expiresMS, nowMS int64) [32]byte {
		hash := sha256.Sum256([]byte(code))
		ticket := identity.Ticket{Kind: identity.ClaimCode, Hash: hash, Subject: subject, ExpiresMS: expiresMS}
		check(t, store.SaveTicket(t.Context(), ticket, nowMS))
		return hash
	}
	first, other := claim(1, "first", 1000, 0), claim(2, "other", 500, 0)
	second := claim(1, "second", 2000, 499)
	_, err := store.Ticket(t.Context(), first)
	wantErr(t, err, identity.ErrNotFound)
	must(store.Ticket(t.Context(), other))(t)
	must(store.Ticket(t.Context(), second))(t)
	claim(3, "third", 3000, 500) // drops what expired
	_, err = store.Ticket(t.Context(), other)
	wantErr(t, err, identity.ErrNotFound)
	must(store.Ticket(t.Context(), second))(t)
}

func identitySubjects(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3)
	check(t, store.AddSubjects(t.Context(), nil))
	store = open()
	unknown := testRecord(9).Lookup
	got := must(store.FindSubjects(t.Context(), [][16]byte{testRecord(3).Lookup, unknown, testRecord(1).Lookup}))(t)
	slices.SortFunc(got, func(a, b identity.SubjectRecord) int { return int(a.Number) - int(b.Number) })
	wantRecords(t, got, testRecord(1), testRecord(3))
	wantRecords(t, []identity.SubjectRecord{must(store.Subject(t.Context(), 2))(t)}, testRecord(2))
	wantRecords(t, must(store.SubjectsOf(t.Context(), testRecord(2).Person))(t), testRecord(2))
	wantRecords(t, must(store.SubjectsOf(t.Context(), [16]byte{9}))(t))
	_, err := store.Subject(t.Context(), 4)
	wantErr(t, err, identity.ErrNotFound)
}

func identitySubjectsTaken(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1)
	sameLookup := testRecord(3)
	sameLookup.Lookup = testRecord(2).Lookup
	for name, records := range map[string][]identity.SubjectRecord{
		"a number that is taken":   {testRecord(1)},
		"a lookup within a batch":  {testRecord(2), sameLookup},
		"a lookup of another":      {testRecord(2), {Subject: testRecord(3).Subject, Lookup: testRecord(1).Lookup, WrappedKey: []byte("k"), SealedID: []byte("s")}},
		"a number that was passed": {testRecord(2), testRecord(1)},
	} {
		if err := store.AddSubjects(t.Context(), records); !errors.Is(err, identity.ErrTaken) {
			t.Errorf("%s: got %v, want ErrTaken", name, err)
		}
	}
	if got := must(store.Found(t.Context(), identity.Founding{SealedLookupSecret: []byte("s")}))(t); got.LastSubject != 1 {
		t.Fatalf("a refused batch left %d subjects, want 1", got.LastSubject)
	}
	addSubjects(t, store, 2, 3)
}

func identityUnite(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3, 4)
	for _, link := range [][2]uint64{{1, 3}, {4, 3}, {2, 3}, {4, 1}} {
		check(t, store.Unite(t.Context(), link[0], link[1]))
	}
	wantErr(t, store.Unite(t.Context(), 5, 1), identity.ErrNotFound)
	wantErr(t, store.Unite(t.Context(), 1, 5), identity.ErrNotFound)
	store = open()
	united := func(number, with uint64) identity.SubjectRecord {
		record := testRecord(number)
		record.UnitedWith = with
		return record
	}
	wantRecords(t, must(store.UnitedWith(t.Context(), 3))(t), united(1, 3), united(2, 3))
	wantRecords(t, must(store.UnitedWith(t.Context(), 1))(t), united(4, 1))
	wantRecords(t, must(store.FindSubjects(t.Context(), [][16]byte{testRecord(4).Lookup}))(t), united(4, 1))
}

func identityErase(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3)
	owner := func(number uint64) identity.Principal {
		return identity.Principal{Kind: identity.Person, World: 1, Subject: number, PersonID: testRecord(number).Person}
	}
	ticket := identity.Ticket{Kind: identity.ClaimCode, Hash: sha256.Sum256([]byte("code")), Subject: 2, ExpiresMS: 1000}
	kept := testKey("key_kept", owner(1))
	check(t, store.AddKey(t.Context(), kept))
	check(t, store.AddKey(t.Context(), testKey("key_gone", owner(2))))
	check(t, store.SaveTicket(t.Context(), ticket, 0))
	check(t, store.EraseSubjects(t.Context(), []uint64{2, 3}, 55))
	check(t, store.EraseSubjects(t.Context(), []uint64{3}, 66))
	wantErr(t, store.EraseSubjects(t.Context(), []uint64{1, 9}, 55), identity.ErrNotFound)

	store = open()
	erased := func(number uint64) identity.SubjectRecord {
		record := identity.SubjectRecord{Subject: testRecord(number).Subject}
		record.ErasedMS = 55
		return record
	}
	for _, number := range []uint64{2, 3} {
		wantRecords(t, []identity.SubjectRecord{must(store.Subject(t.Context(), number))(t)}, erased(number))
	}
	wantRecords(t, must(store.FindSubjects(t.Context(), [][16]byte{testRecord(2).Lookup, testRecord(1).Lookup, {}}))(t), testRecord(1))
	_, err := store.Ticket(t.Context(), ticket.Hash)
	wantErr(t, err, identity.ErrNotFound)
	_, err = store.Key(t.Context(), "key_gone")
	wantErr(t, err, identity.ErrNotFound)
	wantKeys(t, must(store.KeysOf(t.Context(), owner(1)))(t), kept)

	// The id is free for a new subject, the number is not.
	again := testRecord(4)
	again.Lookup = testRecord(2).Lookup
	check(t, store.AddSubjects(t.Context(), []identity.SubjectRecord{again}))
	wantRecords(t, must(store.FindSubjects(t.Context(), [][16]byte{again.Lookup}))(t), again)
}

func identityCancelled(t *testing.T, open func() identity.Store) {
	store := open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, store.AddSubjects(ctx, []identity.SubjectRecord{testRecord(1)}), context.Canceled)
	wantErr(t, store.AddKey(ctx, testKey("key_a", identity.Principal{Kind: identity.Operator})), context.Canceled)
	_, err := store.Subject(t.Context(), 1)
	wantErr(t, err, identity.ErrNotFound)
	_, err = store.Key(t.Context(), "key_a")
	wantErr(t, err, identity.ErrNotFound)
}

func testKey(id string, owner identity.Principal) identity.Key {
	owner.KeyID = id
	return identity.Key{ID: id, Hash: sha256.Sum256([]byte(id)), Owner: owner, Label: "label of " + id, CreatedMS: 10}
}

// testRecord is a record whose every field follows from its number.
func testRecord(number uint64) identity.SubjectRecord {
	n := byte(number)
	return identity.SubjectRecord{
		Subject:    identity.Subject{Number: number, Person: [16]byte{1, n}, World: uint32(number%2) + 1, Anonymous: number%2 == 1, CreatedMS: int64(number)},
		Lookup:     [16]byte{2, n},
		WrappedKey: slices.Repeat([]byte{3, n}, 30),
		SealedID:   slices.Repeat([]byte{4, n}, int(number)),
	}
}

func addSubjects(t *testing.T, store identity.Store, numbers ...uint64) {
	t.Helper()
	records := make([]identity.SubjectRecord, len(numbers))
	for i, number := range numbers {
		records[i] = testRecord(number)
	}
	check(t, store.AddSubjects(t.Context(), records))
}

func wantKeys(t *testing.T, got []identity.Key, want ...identity.Key) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got keys\n%+v\nwant\n%+v", got, want)
	}
}

func wantRecords(t *testing.T, got []identity.SubjectRecord, want ...identity.SubjectRecord) {
	t.Helper()
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got records\n%+v\nwant\n%+v", got, want)
	}
}

func identityTokens(t *testing.T, open func() identity.Store) {
	store := open()
	if keys := must(store.TokenKeys(t.Context(), 7))(t); keys != nil {
		t.Fatalf("a world that has set no keys has %q", keys)
	}
	check(t, store.SetTokenKeys(t.Context(), 7, []byte("first")))
	check(t, store.SetTokenKeys(t.Context(), 7, []byte("second")))
	spent := func(id string, purpose byte, endsMS int64) identity.SpentToken {
		return identity.SpentToken{Hash: sha256.Sum256([]byte(id)), Purpose: [16]byte{purpose}, EndsMS: endsMS}
	}
	check(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("a", 1, 100), spent("b", 1, 200)}, 50))
	check(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("a", 1, 100), spent("b", 1, 200)}, 50))
	store = open()
	if keys := must(store.TokenKeys(t.Context(), 7))(t); string(keys) != "second" {
		t.Fatalf("the keys are %q", keys)
	}
	// All or none: c is not used up by a call that is refused for b.
	wantErr(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("c", 2, 300), spent("b", 2, 200)}, 50), identity.ErrTaken)
	check(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("c", 3, 300)}, 50))
	// What has ended is forgotten: its time refuses it.
	check(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("a", 4, 400)}, 100))
	wantErr(t, store.SpendTokens(t.Context(), []identity.SpentToken{spent("b", 4, 200)}, 199), identity.ErrTaken)
}

func identityLinks(t *testing.T, open func() identity.Store) {
	store := open()
	addSubjects(t, store, 1, 2, 3)
	first := identity.Link{Member: 2, Head: 1, FromDay: 100, UntilDay: identity.Forever}
	second := identity.Link{Member: 3, Head: 1, FromDay: 101, UntilDay: identity.Forever}
	check(t, store.AddLink(t.Context(), first))
	check(t, store.AddLink(t.Context(), second))
	wantErr(t, store.EndLink(t.Context(), 1, 110), identity.ErrNotFound)
	check(t, store.EndLink(t.Context(), 2, 110))
	wantErr(t, store.EndLink(t.Context(), 2, 120), identity.ErrNotFound)
	first.UntilDay = 110
	again := identity.Link{Member: 2, Head: 3, FromDay: 110, UntilDay: identity.Forever}
	check(t, store.AddLink(t.Context(), again))
	store = open()
	for subject, want := range map[uint64][]identity.Link{1: {first, second}, 2: {first, again}, 3: {second, again}, 4: nil} {
		if got := must(store.LinksOf(t.Context(), subject))(t); !slices.Equal(got, want) {
			t.Errorf("the links of %d are %+v, want %+v", subject, got, want)
		}
	}
	check(t, store.EraseSubjects(t.Context(), []uint64{1}, 55))
	if got := must(store.LinksOf(t.Context(), 2))(t); !slices.Equal(got, []identity.Link{again}) {
		t.Errorf("after erasing the head, the links are %+v", got)
	}
}
