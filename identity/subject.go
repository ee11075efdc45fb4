package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// MaxExternalIDBytes bounds what a world may call a person.
const MaxExternalIDBytes = 256

// SubjectRef names a subject as its world does: by a user id or by an
// anonymous id, one of them.
type SubjectRef struct {
	World       uint32
	UserID      string
	AnonymousID string
}

func (ref SubjectRef) valid() bool {
	return ref.World != 0 && (ref.UserID == "") != (ref.AnonymousID == "") &&
		len(ref.UserID) <= MaxExternalIDBytes && len(ref.AnonymousID) <= MaxExternalIDBytes
}

func (ref SubjectRef) externalID() string { return ref.UserID + ref.AnonymousID }

// Subject is a person as one world knows them, or a device that no user is
// known of.
type Subject struct {
	Number uint64 // dense, 1-based, never given twice
	// Person is the opaque id that the bank knows. It is random: nothing of
	// the person can be computed from it.
	Person    [16]byte
	World     uint32
	Anonymous bool
	// UnitedWith is the number of the user's subject that this anonymous one
	// belongs to, or 0.
	UnitedWith uint64
	CreatedMS  int64
	ErasedMS   int64 // 0 unless erased
}

// personOf is a subject as the owner of keys.
func personOf(s Subject) Principal {
	return Principal{Kind: Person, World: s.World, Subject: s.Number, PersonID: s.Person}
}

// lookup is how a subject is found without keeping what its world calls it:
// HMAC-SHA-256 under the lookup secret over world, kind and id, cut to 128
// bits (enough that no two of 2^40 subjects meet).
func (r *Registry) lookup(ref SubjectRef) [16]byte {
	kind := byte('u')
	if ref.AnonymousID != "" {
		kind = 'a'
	}
	mac := hmac.New(sha256.New, r.lookupSecret[:])
	mac.Write(append(binary.LittleEndian.AppendUint32(nil, ref.World), kind))
	mac.Write([]byte(ref.externalID()))
	return [16]byte(mac.Sum(nil))
}

// Resolve returns the subjects of references, in their order, and makes those
// that are new. When it returns they are durable, by one write for all.
func (r *Registry) Resolve(ctx context.Context, refs []SubjectRef) ([]Subject, error) {
	subjects := make([]Subject, len(refs))
	var misses []int
	r.cacheMu.Lock()
	for i, ref := range refs {
		var found bool
		if subjects[i], found = r.subjects.get(ref); !found {
			misses = append(misses, i)
		}
	}
	r.cacheMu.Unlock()
	if len(misses) == 0 {
		return subjects, nil
	}
	wanted := make([]SubjectRef, 0, len(misses))
	for _, i := range misses {
		if !refs[i].valid() {
			return nil, fmt.Errorf("resolving subject %d of %d: %w", i+1, len(refs), ErrReferenceInvalid)
		}
		wanted = append(wanted, refs[i])
	}
	known, err := r.findOrAdd(ctx, wanted)
	if err != nil {
		return nil, fmt.Errorf("resolving %d subjects: %w", len(wanted), err)
	}
	for _, i := range misses {
		subjects[i] = known[refs[i]]
	}
	return subjects, nil
}

// Find returns the subject of a reference, or ErrNotFound. It makes none.
func (r *Registry) Find(ctx context.Context, ref SubjectRef) (Subject, error) {
	if !ref.valid() {
		return Subject{}, fmt.Errorf("finding a subject: %w", ErrReferenceInvalid)
	}
	r.cacheMu.Lock()
	subject, found := r.subjects.get(ref)
	r.cacheMu.Unlock()
	if found {
		return subject, nil
	}
	records, err := r.store.FindSubjects(ctx, [][16]byte{r.lookup(ref)})
	if err != nil {
		return Subject{}, fmt.Errorf("finding a subject: %w", err)
	}
	if len(records) == 0 {
		return Subject{}, fmt.Errorf("finding a subject: %w", ErrNotFound)
	}
	return records[0].Subject, nil
}

// Subject returns a subject by its number, an erased one too, or ErrNotFound.
func (r *Registry) Subject(ctx context.Context, number uint64) (Subject, error) {
	record, err := r.store.Subject(ctx, number)
	if err != nil {
		return Subject{}, fmt.Errorf("reading subject %d: %w", number, err)
	}
	return record.Subject, nil
}

// SubjectsOf returns the subjects of a person id, by number.
func (r *Registry) SubjectsOf(ctx context.Context, person [16]byte) ([]Subject, error) {
	records, err := r.store.SubjectsOf(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("reading the subjects of a person: %w", err)
	}
	subjects := make([]Subject, len(records))
	for i, record := range records {
		subjects[i] = record.Subject
	}
	return subjects, nil
}

// findOrAdd reads references from the store and adds those that it lacks.
func (r *Registry) findOrAdd(ctx context.Context, refs []SubjectRef) (map[SubjectRef]Subject, error) {
	r.writeMu.Lock()
	defer r.writeMu.Unlock()
	if r.lastUncertain {
		founding, err := r.store.Found(ctx, Founding{})
		if err != nil {
			return nil, fmt.Errorf("reading the last number: %w", err)
		}
		r.lastSubject, r.lastUncertain = founding.LastSubject, false
	}
	refOf := make(map[[16]byte]SubjectRef, len(refs))
	lookups := make([][16]byte, 0, len(refs))
	for _, ref := range refs {
		lookup := r.lookup(ref)
		if _, twice := refOf[lookup]; !twice {
			refOf[lookup] = ref
			lookups = append(lookups, lookup)
		}
	}
	known, keys, err := r.read(ctx, lookups, refOf)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	var added []SubjectRecord
	for _, lookup := range lookups {
		ref := refOf[lookup]
		if _, found := known[ref]; found {
			continue
		}
		record, key := r.newSubject(r.lastSubject+uint64(len(added))+1, ref, lookup)
		added = append(added, record)
		known[ref], keys[record.Number] = record.Subject, key
	}
	if len(added) > 0 {
		if err := r.store.AddSubjects(ctx, added); err != nil {
			r.lastUncertain = true
			return nil, fmt.Errorf("adding %d: %w", len(added), err)
		}
		r.lastSubject += uint64(len(added))
	}
	r.remember(known, keys)
	return known, nil
}

// read returns the subjects of those lookups that the store knows.
func (r *Registry) read(ctx context.Context, lookups [][16]byte, refOf map[[16]byte]SubjectRef) (map[SubjectRef]Subject, map[uint64]*dataKey, error) {
	records, err := r.store.FindSubjects(ctx, lookups)
	if err != nil {
		return nil, nil, err
	}
	known := make(map[SubjectRef]Subject, len(lookups))
	keys := make(map[uint64]*dataKey, len(lookups))
	for _, record := range records {
		key, err := r.unwrap(record)
		if err != nil {
			return nil, nil, err
		}
		known[refOf[record.Lookup]], keys[record.Number] = record.Subject, key
	}
	return known, keys, nil
}

func (r *Registry) newSubject(number uint64, ref SubjectRef, lookup [16]byte) (SubjectRecord, *dataKey) {
	secret := random32()
	key := newDataKey(secret)
	return SubjectRecord{
		Subject: Subject{
			Number: number, Person: random16(), World: ref.World,
			Anonymous: ref.AnonymousID != "", CreatedMS: r.nowMS(),
		},
		Lookup:     lookup,
		WrappedKey: sealUnder(r.master, secret[:], wrappedKeyPlace(number)),
		SealedID:   key.seal(nil, number, []byte(ref.externalID()), externalIDPlace),
	}, key
}

func (r *Registry) remember(known map[SubjectRef]Subject, keys map[uint64]*dataKey) {
	r.cacheMu.Lock()
	defer r.cacheMu.Unlock()
	for ref, subject := range known {
		r.subjects.put(ref, subject)
	}
	for number, key := range keys {
		r.dataKeys.put(number, key)
	}
}

// Unite says that what is known of an anonymous id belongs to a user from now
// on, and returns both subjects, made if they are new. The last word counts: a
// device that is handed on belongs to the user who was vouched for last. What
// was scored before stays where it is; the log of events says from where on
// the union holds.
func (r *Registry) Unite(ctx context.Context, world uint32, anonymousID, userID string) (anonymous, user Subject, err error) {
	anonymousRef := SubjectRef{World: world, AnonymousID: anonymousID}
	both, err := r.Resolve(ctx, []SubjectRef{anonymousRef, {World: world, UserID: userID}})
	if err != nil {
		return Subject{}, Subject{}, fmt.Errorf("uniting: %w", err)
	}
	anonymous, user = both[0], both[1]
	if anonymous.UnitedWith == user.Number {
		return anonymous, user, nil
	}
	r.writeMu.Lock()
	defer r.writeMu.Unlock()
	if err := r.store.Unite(ctx, anonymous.Number, user.Number); err != nil {
		return Subject{}, Subject{}, fmt.Errorf("uniting subject %d with %d: %w", anonymous.Number, user.Number, err)
	}
	anonymous.UnitedWith = user.Number
	r.cacheMu.Lock()
	defer r.cacheMu.Unlock()
	r.subjects.put(anonymousRef, anonymous)
	return anonymous, user, nil
}
