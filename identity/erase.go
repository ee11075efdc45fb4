package identity

import (
	"context"
	"errors"
	"fmt"
)

// Erase destroys the data key of a subject and of the anonymous subjects that
// were united with it, with what their world calls them and with the person's
// keys. Everything sealed under the data keys is lost from then on, in backups
// too, unless a backup holds both the wrapped key and the master key. The same
// id, if it is reported again, is a new subject. Erasing again is no error.
func (r *Registry) Erase(ctx context.Context, number uint64) error {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	r.writeMu.Lock()
	defer r.writeMu.Unlock()

	records, err := r.withUnited(ctx, number)
	if err != nil {
		return fmt.Errorf("erasing subject %d: %w", number, err)
	}
	numbers := make([]uint64, len(records))
	var lost []Key
	for i, record := range records {
		numbers[i] = record.Number
		keys, err := r.store.KeysOf(ctx, personOf(record.Subject))
		if err != nil {
			return fmt.Errorf("erasing subject %d: reading its keys: %w", number, err)
		}
		lost = append(lost, keys...)
	}
	// Forgotten before the write: if it fails, what is in the caches no longer
	// matters, because they are filled from the store under writeMu.
	r.forget(records)
	if err := r.store.EraseSubjects(ctx, numbers, r.nowMS()); err != nil {
		return fmt.Errorf("erasing subject %d: %w", number, err)
	}
	for _, key := range lost {
		r.strike(key.ID)
	}
	return nil
}

// Devices returns the anonymous subjects that are united with a subject, erased
// ones too.
func (r *Registry) Devices(ctx context.Context, number uint64) (devices []uint64, err error) {
	records, err := r.store.UnitedWith(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("reading what was united with subject %d: %w", number, err)
	}
	for _, record := range records {
		devices = append(devices, record.Number)
	}
	return devices, nil
}

// withUnited returns the record of a subject and of those united with it.
func (r *Registry) withUnited(ctx context.Context, number uint64) ([]SubjectRecord, error) {
	record, err := r.store.Subject(ctx, number)
	if err != nil {
		return nil, err
	}
	united, err := r.store.UnitedWith(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("reading what was united with it: %w", err)
	}
	return append([]SubjectRecord{record}, united...), nil
}

// reference opens what a world calls a subject.
func (r *Registry) reference(record SubjectRecord) (SubjectRef, error) {
	key, err := r.unwrap(record)
	if err != nil {
		return SubjectRef{}, err
	}
	if sealedFor, err := SealedFor(record.SealedID); err != nil || sealedFor != record.Number {
		return SubjectRef{}, fmt.Errorf("the id of subject %d: %w", record.Number, ErrSealBroken)
	}
	id, err := openUnder(key.aead, record.SealedID[sealHeader:], externalIDPlace)
	if err != nil {
		return SubjectRef{}, fmt.Errorf("the id of subject %d: %w", record.Number, ErrSealBroken)
	}
	if record.Anonymous {
		return SubjectRef{World: record.World, AnonymousID: string(id)}, nil
	}
	return SubjectRef{World: record.World, UserID: string(id)}, nil
}

// forget takes subjects out of the caches.
func (r *Registry) forget(records []SubjectRecord) {
	for _, record := range records {
		ref, err := r.reference(record)
		r.cacheMu.Lock()
		switch {
		case err == nil:
			r.subjects.drop(ref)
		case !errors.Is(err, ErrErased):
			// Its name is damaged, so it cannot be told which entry it is.
			r.subjects.clear()
		}
		r.dataKeys.drop(record.Number)
		r.cacheMu.Unlock()
	}
}

// Exported is what identity holds about a subject, for the subject's own eyes.
type Exported struct {
	Subject Subject
	// References are what its world calls the subject, its own first, then the
	// anonymous ids that were united with it.
	References []SubjectRef
	// Devices are the anonymous subjects that are united with it.
	Devices []uint64
	Keys    []Key
}

// Export returns what identity holds about a subject. It returns ErrErased if
// there is nothing left to return.
func (r *Registry) Export(ctx context.Context, number uint64) (Exported, error) {
	records, err := r.withUnited(ctx, number)
	if err != nil {
		return Exported{}, fmt.Errorf("exporting subject %d: %w", number, err)
	}
	exported := Exported{Subject: records[0].Subject}
	for i, record := range records {
		ref, err := r.reference(record)
		if i > 0 && errors.Is(err, ErrErased) {
			continue // it was erased by itself
		}
		if err != nil {
			return Exported{}, fmt.Errorf("exporting subject %d: %w", number, err)
		}
		exported.References = append(exported.References, ref)
		if i > 0 {
			exported.Devices = append(exported.Devices, record.Number)
		}
	}
	if exported.Keys, err = r.Keys(ctx, personOf(records[0].Subject)); err != nil {
		return Exported{}, fmt.Errorf("exporting subject %d: %w", number, err)
	}
	return exported, nil
}
