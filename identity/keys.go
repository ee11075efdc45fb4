package identity

import (
	"context"
	"fmt"
	"sync/atomic"
	"unicode/utf8"
)

const dayMS = 24 * 60 * 60 * 1000

// liveKey is a key in the table that requests are checked against.
type liveKey struct {
	hash        [32]byte
	principal   Principal
	lastUsedDay atomic.Int32
	savedDay    int32 // what the store knows; guarded by changeMu
}

// Authenticate returns who acts by a secret, or ErrUnauthenticated. It asks no
// store: all live keys are in memory.
//
// The lookup takes different times for different secrets, and that is
// harmless: it compares SHA-256 sums, so what a caller could learn is how far
// the sum of a guess agrees with some key's sum. Nobody can choose guesses by
// their sums well enough to come closer to 256 random bits.
func (r *Registry) Authenticate(_ context.Context, secret string) (Principal, error) {
	_, hash, err := ParseSecret(secret)
	if err != nil {
		return Principal{}, err
	}
	r.keysMu.RLock()
	key := r.live[hash]
	r.keysMu.RUnlock()
	if key == nil {
		return Principal{}, fmt.Errorf("%w: it is unknown or revoked", ErrUnauthenticated)
	}
	if today := r.today(); key.lastUsedDay.Load() != today {
		key.lastUsedDay.Store(today)
	}
	return key.principal, nil
}

// CreateKey makes a key for an owner and returns its secret, which is shown
// this once. Who may make keys for whom is the caller's to check.
func (r *Registry) CreateKey(ctx context.Context, owner Principal, label string) (key Key, secret string, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	if owner.Kind == Person {
		if err := r.checkPerson(ctx, owner); err != nil {
			return Key{}, "", fmt.Errorf("creating a key: %w", err)
		}
	}
	if r.liveKeys(owner) >= MaxLiveKeys {
		return Key{}, "", fmt.Errorf("creating a key: %w", ErrTooManyKeys)
	}
	if key, secret, err = r.newKey(owner, label); err != nil {
		return Key{}, "", fmt.Errorf("creating a key: %w", err)
	}
	if err := r.store.AddKey(ctx, key); err != nil {
		return Key{}, "", fmt.Errorf("creating a key: %w", err)
	}
	r.enter(key)
	return key, secret, nil
}

// AdmitKey enters a key whose secret somebody else has made, by its hash, if it
// is not there yet: whoever admits an operator never sees the operator's key.
func (r *Registry) AdmitKey(ctx context.Context, owner Principal, hash [32]byte, label string) error {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	key, _, err := r.newKey(owner, label)
	if err != nil {
		return fmt.Errorf("admitting a key: %w", err)
	}
	kept, err := r.store.KeysOf(ctx, owner.owner())
	if err != nil {
		return fmt.Errorf("admitting a key: %w", err)
	}
	for _, known := range kept {
		if known.Hash == hash {
			return nil // also if it was revoked: that is for good
		}
	}
	key.Hash = hash
	if err := r.store.AddKey(ctx, key); err != nil {
		return fmt.Errorf("admitting a key: %w", err)
	}
	r.enter(key)
	return nil
}

// NewSecret makes the secret of a key and its hash, for whoever is to be
// admitted by the hash alone.
func NewSecret(kind Kind) (secret string, hash [32]byte) { return newSecret(kindPrefixes[kind]) }

// checkPerson makes sure that a person's key names a subject that is there.
func (r *Registry) checkPerson(ctx context.Context, owner Principal) error {
	record, err := r.store.Subject(ctx, owner.Subject)
	switch {
	case err != nil:
		return fmt.Errorf("subject %d: %w", owner.Subject, err)
	case record.ErasedMS != 0:
		return fmt.Errorf("subject %d: %w", owner.Subject, ErrErased)
	case record.Person != owner.PersonID || record.World != owner.World:
		return fmt.Errorf("subject %d: %w", owner.Subject, ErrOwnerInvalid)
	}
	return nil
}

func (r *Registry) newKey(owner Principal, label string) (Key, string, error) {
	if !owner.valid() {
		return Key{}, "", ErrOwnerInvalid
	}
	if len(label) > MaxLabelBytes || !utf8.ValidString(label) {
		return Key{}, "", ErrLabelInvalid
	}
	secret, hash := newSecret(kindPrefixes[owner.Kind])
	owner.KeyID = newKeyID()
	return Key{ID: owner.KeyID, Hash: hash, Owner: owner, Label: label, CreatedMS: r.nowMS()}, secret, nil
}

// enter puts a key that the store holds into the table.
func (r *Registry) enter(key Key) {
	entry := &liveKey{hash: key.Hash, principal: key.Owner, savedDay: key.LastUsedDay}
	entry.principal.KeyID = key.ID
	entry.lastUsedDay.Store(key.LastUsedDay)
	r.keysMu.Lock()
	defer r.keysMu.Unlock()
	r.live[key.Hash] = entry
	r.liveByID[key.ID] = entry
	r.holders[key.Owner.owner()]++
}

// strike takes a key out of the table.
func (r *Registry) strike(id string) {
	r.keysMu.Lock()
	defer r.keysMu.Unlock()
	if entry := r.liveByID[id]; entry != nil {
		delete(r.live, entry.hash)
		delete(r.liveByID, id)
		if owner := entry.principal.owner(); r.holders[owner] > 1 {
			r.holders[owner]--
		} else {
			delete(r.holders, owner)
		}
	}
}

// holdsKey says whether an owner has a live key.
func (r *Registry) holdsKey(owner Principal) bool { return r.liveKeys(owner) > 0 }

// liveKeys returns how many live keys an owner has.
func (r *Registry) liveKeys(owner Principal) int {
	r.keysMu.RLock()
	defer r.keysMu.RUnlock()
	return r.holders[owner.owner()]
}

// hasOperator says whether any operator has a live key.
func (r *Registry) hasOperator() bool {
	r.keysMu.RLock()
	defer r.keysMu.RUnlock()
	for owner := range r.holders {
		if owner.Kind == Operator {
			return true
		}
	}
	return false
}

// Keys returns the keys of an owner, revoked ones too, oldest first.
func (r *Registry) Keys(ctx context.Context, owner Principal) ([]Key, error) {
	keys, err := r.store.KeysOf(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	for i := range keys {
		r.freshen(&keys[i])
	}
	return keys, nil
}

// Key returns a key by its id, or ErrNotFound.
func (r *Registry) Key(ctx context.Context, id string) (Key, error) {
	key, err := r.store.Key(ctx, id)
	if err != nil {
		return Key{}, fmt.Errorf("reading key %q: %w", id, err)
	}
	r.freshen(&key)
	return key, nil
}

// freshen adds the last use that the store does not know yet.
func (r *Registry) freshen(key *Key) {
	r.keysMu.RLock()
	defer r.keysMu.RUnlock()
	if entry := r.liveByID[key.ID]; entry != nil {
		key.LastUsedDay = entry.lastUsedDay.Load()
	}
}

// Revoke ends a key at once and for good. Revoking again is no error. When the
// store cannot keep it, the key stays live and the error says so.
func (r *Registry) Revoke(ctx context.Context, id string) error {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	if err := r.store.RevokeKey(ctx, id, r.nowMS()); err != nil {
		return fmt.Errorf("revoking key %q: %w", id, err)
	}
	r.strike(id)
	return nil
}

// SaveLastUsed keeps the days on which keys were last used. It is called now
// and then, so that a request never waits for it; a crash forgets at most what
// was used since.
func (r *Registry) SaveLastUsed(ctx context.Context) error {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	used := make(map[int32][]*liveKey)
	r.keysMu.RLock()
	for _, entry := range r.liveByID {
		if day := entry.lastUsedDay.Load(); day != entry.savedDay {
			used[day] = append(used[day], entry)
		}
	}
	r.keysMu.RUnlock()
	for day, entries := range used {
		ids := make([]string, len(entries))
		for i, entry := range entries {
			ids[i] = entry.principal.KeyID
		}
		if err := r.store.MarkUsed(ctx, day, ids); err != nil {
			return fmt.Errorf("saving the last use of keys: %w", err)
		}
		for _, entry := range entries {
			entry.savedDay = day
		}
	}
	return nil
}

func (r *Registry) today() int32 { return int32(r.nowMS() / dayMS) }
