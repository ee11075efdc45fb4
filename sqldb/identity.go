package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/identity"
)

// What can be erased is laid out so that erasing leaves no copy. SQLite moves
// rows between pages when a page is split or merged, and the places they left
// are not all wiped, secure_delete or not. So wrapped keys, sealed ids, lookups
// and labels stand in tables of their own that only grow at their end, where no
// page is ever split in the middle, and are overwritten in place by zeros of
// the same length. None of them is in an index; see lookups.
var identityMigrations = []string{
	`CREATE TABLE founding (
		one                  INTEGER PRIMARY KEY CHECK (one = 1),
		sealed_lookup_secret BLOB NOT NULL
	);
	CREATE TABLE keys (
		number        INTEGER PRIMARY KEY,
		id            TEXT NOT NULL UNIQUE,
		hash          BLOB NOT NULL UNIQUE,
		kind          INTEGER NOT NULL,
		world         INTEGER NOT NULL,
		subject       INTEGER NOT NULL,
		person        BLOB NOT NULL,
		created_ms    INTEGER NOT NULL,
		revoked_ms    INTEGER NOT NULL,
		last_used_day INTEGER NOT NULL
	);
	CREATE INDEX keys_by_owner ON keys (kind, world, subject);
	CREATE TABLE key_labels (
		number INTEGER PRIMARY KEY,
		label  BLOB NOT NULL
	);
	CREATE TABLE tickets (
		hash       BLOB PRIMARY KEY,
		kind       INTEGER NOT NULL,
		subject    INTEGER NOT NULL,
		expires_ms INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE subjects (
		number      INTEGER PRIMARY KEY,
		person      BLOB NOT NULL,
		world       INTEGER NOT NULL,
		anonymous   BOOLEAN NOT NULL,
		united_with INTEGER NOT NULL,
		created_ms  INTEGER NOT NULL,
		erased_ms   INTEGER NOT NULL
	);
	CREATE INDEX subjects_by_person ON subjects (person);
	CREATE INDEX subjects_by_union ON subjects (united_with) WHERE united_with <> 0;
	CREATE TABLE subject_secrets (
		number      INTEGER PRIMARY KEY,
		lookup      BLOB NOT NULL,
		wrapped_key BLOB NOT NULL,
		sealed_id   BLOB NOT NULL
	)`,
	`CREATE TABLE token_keys (
		world INTEGER PRIMARY KEY,
		keys  BLOB NOT NULL
	);
	CREATE TABLE spent_tokens (
		hash    BLOB PRIMARY KEY,
		purpose BLOB NOT NULL,
		ends_ms INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE links (
		number    INTEGER PRIMARY KEY,
		member    INTEGER NOT NULL,
		head      INTEGER NOT NULL,
		from_day  INTEGER NOT NULL,
		until_day INTEGER NOT NULL
	);
	CREATE INDEX links_by_member ON links (member);
	CREATE INDEX links_by_head ON links (head)`,
	detailMigration,
}

var identitySettings = settings{name: "identity", migrations: identityMigrations, pragmas: []string{"secure_delete(ON)"}}

// Identity is an identity.Store.
type Identity struct {
	database *database
	subject  *sql.Stmt
	lookups  lookups
}

// OpenIdentity opens the identity database at a place, the path of a file or
// the URL of a PostgreSQL database, making it if it is not there.
func OpenIdentity(ctx context.Context, place string) (*Identity, error) {
	d, err := openDatabase(ctx, place, identitySettings)
	if err != nil {
		return nil, err
	}
	i := &Identity{database: d}
	if i.subject, err = d.read.PrepareContext(ctx, selectSubjects+" WHERE number = $1"); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening the identity: %w", err)
	}
	if err := i.lookups.catchUp(ctx, d); err != nil {
		i.Close()
		return nil, fmt.Errorf("opening the identity: %w", err)
	}
	return i, nil
}

// Close closes the database.
func (i *Identity) Close() error {
	return errors.Join(i.subject.Close(), i.database.Close())
}

// Found implements identity.Store.
func (i *Identity) Found(ctx context.Context, first identity.Founding) (kept identity.Founding, err error) {
	err = i.database.transact(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO founding (one, sealed_lookup_secret) VALUES (1, $1) ON CONFLICT DO NOTHING", blob(first.SealedLookupSecret))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT sealed_lookup_secret, (SELECT coalesce(max(number), 0) FROM subjects) FROM founding").
			Scan(&kept.SealedLookupSecret, &kept.LastSubject)
	})
	if err != nil {
		return identity.Founding{}, fmt.Errorf("founding: %w", err)
	}
	return kept, nil
}

// blob makes a nil slice an empty value instead of NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const selectSubjects = `SELECT number, person, world, anonymous, united_with, created_ms, erased_ms,
	lookup, wrapped_key, sealed_id FROM subjects JOIN subject_secrets USING (number)`

func scanSubject(row interface{ Scan(...any) error }) (record identity.SubjectRecord, err error) {
	var person, lookup []byte
	err = row.Scan(&record.Number, &person, &record.World, &record.Anonymous, &record.UnitedWith,
		&record.CreatedMS, &record.ErasedMS, &lookup, &record.WrappedKey, &record.SealedID)
	if err != nil {
		return record, err
	}
	if len(person) != 16 || len(lookup) != 16 {
		return record, fmt.Errorf("subject %d: a person id of %d and a lookup of %d bytes, want 16", record.Number, len(person), len(lookup))
	}
	record.Person = [16]byte(person)
	if record.ErasedMS != 0 { // only zeros are left
		record.WrappedKey, record.SealedID = nil, nil
		return record, nil
	}
	record.Lookup = [16]byte(lookup)
	return record, nil
}

// FindSubjects implements identity.Store.
func (i *Identity) FindSubjects(ctx context.Context, wanted [][16]byte) ([]identity.SubjectRecord, error) {
	i.lookups.mu.Lock()
	defer i.lookups.mu.Unlock()
	if i.lookups.uncertain {
		if err := i.lookups.catchUp(ctx, i.database); err != nil {
			return nil, fmt.Errorf("finding subjects: %w", err)
		}
	}
	var records []identity.SubjectRecord
	for _, lookup := range wanted {
		number, found := i.lookups.find(lookup)
		if !found {
			continue
		}
		record, err := i.Subject(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("finding subjects: %w", err)
		}
		if record.ErasedMS != 0 { // by a write that seemed to fail
			i.lookups.drop(number)
			continue
		}
		records = append(records, record)
	}
	return records, nil
}

// Subject implements identity.Store.
func (i *Identity) Subject(ctx context.Context, number uint64) (identity.SubjectRecord, error) {
	record, err := scanSubject(i.subject.QueryRowContext(ctx, int64(number)))
	if err != nil {
		return identity.SubjectRecord{}, fmt.Errorf("reading subject %d: %w", number, notFound(err))
	}
	return record, nil
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return identity.ErrNotFound
	}
	return err
}

// SubjectsOf implements identity.Store.
func (i *Identity) SubjectsOf(ctx context.Context, person [16]byte) ([]identity.SubjectRecord, error) {
	return i.subjects(ctx, selectSubjects+" WHERE person = $1 ORDER BY number", person[:])
}

// UnitedWith implements identity.Store.
func (i *Identity) UnitedWith(ctx context.Context, number uint64) ([]identity.SubjectRecord, error) {
	return i.subjects(ctx, selectSubjects+" WHERE united_with = $1 AND united_with <> 0 ORDER BY number", int64(number))
}

func (i *Identity) subjects(ctx context.Context, query string, argument any) ([]identity.SubjectRecord, error) {
	rows, err := i.database.read.QueryContext(ctx, query, argument)
	if err != nil {
		return nil, fmt.Errorf("reading subjects: %w", err)
	}
	defer rows.Close()
	var records []identity.SubjectRecord
	for rows.Next() {
		record, err := scanSubject(rows)
		if err != nil {
			return nil, fmt.Errorf("reading subjects: %w", err)
		}
		records = append(records, record)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading subjects: %w", err)
	}
	return records, nil
}

// AddSubjects implements identity.Store.
func (i *Identity) AddSubjects(ctx context.Context, records []identity.SubjectRecord) error {
	i.lookups.mu.Lock()
	defer i.lookups.mu.Unlock()
	if err := i.addSubjects(ctx, records); err != nil {
		return fmt.Errorf("adding %d subjects: %w", len(records), taken(err))
	}
	for _, record := range records {
		i.lookups.add(record.Lookup)
	}
	return nil
}

func (i *Identity) addSubjects(ctx context.Context, records []identity.SubjectRecord) error {
	if i.lookups.uncertain {
		if err := i.lookups.catchUp(ctx, i.database); err != nil {
			return err
		}
	}
	if err := i.lookups.accepts(records); err != nil {
		return err
	}
	err := i.database.transact(ctx, func(tx *transaction) error {
		err := tx.insert(ctx, "subjects", "number, person, world, anonymous, united_with, created_ms, erased_ms", len(records), func(values []any, i int) []any {
			r := &records[i]
			return append(values, int64(r.Number), r.Person[:], r.World, r.Anonymous, int64(r.UnitedWith), r.CreatedMS, r.ErasedMS)
		})
		if err != nil {
			return err
		}
		return tx.insert(ctx, "subject_secrets", "number, lookup, wrapped_key, sealed_id", len(records), func(values []any, i int) []any {
			r := &records[i]
			return append(values, int64(r.Number), r.Lookup[:], blob(r.WrappedKey), blob(r.SealedID))
		})
	})
	i.lookups.uncertain = err != nil
	return err
}

func taken(err error) error {
	if isConflict(err) {
		return identity.ErrTaken
	}
	return err
}

// prepareAll prepares statements that end with their transaction.
func prepareAll(ctx context.Context, tx *transaction, queries ...string) ([]*sql.Stmt, error) {
	statements := make([]*sql.Stmt, len(queries))
	for n, query := range queries {
		var err error
		if statements[n], err = tx.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

// Unite implements identity.Store.
func (i *Identity) Unite(ctx context.Context, anonymous, with uint64) error {
	result, err := i.database.write.ExecContext(ctx,
		"UPDATE subjects SET united_with = $1 WHERE number = $2 AND EXISTS (SELECT 1 FROM subjects WHERE number = $1)", int64(with), int64(anonymous))
	if err = changedOne(result, err); err != nil {
		return fmt.Errorf("uniting: %w", err)
	}
	return nil
}

// changedOne returns ErrNotFound if a change found no row.
func changedOne(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	if err == nil && rows == 0 {
		return identity.ErrNotFound
	}
	return err
}

// EraseSubjects implements identity.Store.
func (i *Identity) EraseSubjects(ctx context.Context, numbers []uint64, erasedMS int64) error {
	i.lookups.mu.Lock()
	defer i.lookups.mu.Unlock()
	err := i.database.transact(ctx, func(tx *transaction) error {
		for _, number := range numbers {
			if err := eraseSubject(ctx, tx, int64(number), erasedMS); err != nil {
				return fmt.Errorf("subject %d: %w", number, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erasing: %w", err)
	}
	for _, number := range numbers {
		i.lookups.drop(number)
	}
	if err := i.database.engine.wipe(ctx, i.database, "subject_secrets", "detail_secrets", "key_labels", "keys", "tickets", "links"); err != nil {
		return fmt.Errorf("erased, but %w: erase again", err)
	}
	return nil
}

func eraseSubject(ctx context.Context, tx *transaction, number, erasedMS int64) error {
	result, err := tx.ExecContext(ctx, "UPDATE subjects SET erased_ms = CASE erased_ms WHEN 0 THEN $1 ELSE erased_ms END WHERE number = $2", erasedMS, number)
	if err := changedOne(result, err); err != nil {
		return err
	}
	if err := zeroSecrets(ctx, tx, number); err != nil {
		return err
	}
	if err := eraseDetails(ctx, tx, number); err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM keys WHERE kind = 4 AND subject = $1", // identity.Person
		"DELETE FROM tickets WHERE subject = $1",
		"DELETE FROM links WHERE member = $1 OR head = $1",
	} {
		if _, err := tx.ExecContext(ctx, query, number); err != nil {
			return err
		}
	}
	return nil
}

// zeroSecrets overwrites what is secret of a subject by zeros of the same
// length, and the labels of the subject's keys.
func zeroSecrets(ctx context.Context, tx *transaction, number int64) error {
	var lookup, wrapped, sealed int
	err := tx.QueryRowContext(ctx, "SELECT length(lookup), length(wrapped_key), length(sealed_id) FROM subject_secrets WHERE number = $1", number).
		Scan(&lookup, &wrapped, &sealed)
	if err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "UPDATE subject_secrets SET lookup = $1, wrapped_key = $2, sealed_id = $3 WHERE number = $4",
		make([]byte, lookup), make([]byte, wrapped), make([]byte, sealed), number); err != nil {
		return err
	}
	labels, err := tx.QueryContext(ctx, "SELECT number, length(label) FROM keys JOIN key_labels USING (number) WHERE kind = 4 AND subject = $1", number)
	if err != nil {
		return err
	}
	defer labels.Close()
	lengths := map[int64]int{}
	for labels.Next() {
		var key int64
		var length int
		if err := labels.Scan(&key, &length); err != nil {
			return err
		}
		lengths[key] = length
	}
	if err := labels.Err(); err != nil {
		return err
	}
	for key, length := range lengths {
		if _, err := tx.ExecContext(ctx, "UPDATE key_labels SET label = $1 WHERE number = $2", make([]byte, length), key); err != nil {
			return err
		}
	}
	return nil
}
