package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// MasterKeyVariable may hold the master key in place of a file: 32 bytes in
	// base64.
	MasterKeyVariable = "ATTENTIONBANK_MASTER_KEY"
	// MasterKeyFile is the file of the master key in the data directory.
	MasterKeyFile = "master.key"

	identityFile = "identity.db"
)

// KeyService wraps and unwraps keys; what it has wrapped, only it unwraps.
type KeyService interface {
	Wrap(ctx context.Context, secret [32]byte) (string, error)
	Unwrap(ctx context.Context, wrapped string) ([32]byte, error)
}

// MasterKey is where the master key is.
type MasterKey struct {
	// Path of its file.
	Path string
	// Founded says of what only the lost key would open; empty if there is
	// nothing yet, and then a key is made.
	Founded string
	// Service wraps the key that is in the file; nil if it is there in clear.
	Service KeyService
}

// LoadMasterKey returns the master key from the environment, else from the
// file in the data directory. On the first start, when there is neither a file
// nor an identity database, it makes one. A file that others than its owner
// may read is refused.
func LoadMasterKey(dir string) (key [32]byte, err error) {
	m := MasterKey{Path: filepath.Join(dir, MasterKeyFile)}
	if _, err := os.Stat(filepath.Join(dir, identityFile)); err == nil {
		m.Founded = identityFile
	}
	return m.Load(context.Background())
}

// Load returns the master key from the environment, else from its file, which
// it makes if nothing was founded on another. A file that others than its
// owner may read is refused.
func (m MasterKey) Load(ctx context.Context) (key [32]byte, err error) {
	if text := os.Getenv(MasterKeyVariable); text != "" {
		if key, err = ParseKey(text); err != nil {
			return key, fmt.Errorf("reading the master key from %s: %w", MasterKeyVariable, err)
		}
		return key, nil
	}
	key, err = m.read(ctx)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if m.Founded != "" {
		return key, fmt.Errorf("%s is missing, and what is in %s can be opened with it alone: restore the file, or set %s", m.Path, m.Founded, MasterKeyVariable)
	}
	return m.create(ctx)
}

func (m MasterKey) read(ctx context.Context) (key [32]byte, err error) {
	path := m.Path
	info, err := os.Stat(path)
	if err != nil {
		return key, fmt.Errorf("reading the master key: %w", err)
	}
	// Windows has no such bits; there the directory's rights protect the file.
	if others := info.Mode().Perm() & 0o077; others != 0 && runtime.GOOS != "windows" {
		return key, fmt.Errorf("reading the master key: %s can be read by others (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, fmt.Errorf("reading the master key: %w", err)
	}
	key, err = ParseKey(string(text))
	if wrapped := strings.TrimSpace(string(text)); err != nil && strings.Contains(wrapped, ":") { // which base64 has not
		if err = errors.New("a key service has wrapped it: name the service with --kms"); m.Service != nil {
			key, err = m.Service.Unwrap(ctx, wrapped)
		}
	}
	if err != nil {
		return key, fmt.Errorf("reading the master key from %s: %w", path, err)
	}
	return key, nil
}

// ParseKey reads a key of 32 bytes in base64. Its error does not repeat the
// text.
func ParseKey(text string) (key [32]byte, err error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	// What was wrong is not said with the text: it may be a secret.
	if err != nil || len(raw) != len(key) {
		return key, errors.New("it must be 32 bytes in base64, which is 44 characters")
	}
	return [32]byte(raw), nil
}

// create writes a new key under another name and links it to its own: no
// half-written key is ever found, and none is written over.
func (m MasterKey) create(ctx context.Context) (key [32]byte, err error) {
	key = random32()
	text := base64.StdEncoding.EncodeToString(key[:])
	if m.Service != nil {
		text, err = m.Service.Wrap(ctx, key)
	}
	if err == nil {
		err = writeNew(m.Path, text+"\n")
	}
	if err != nil {
		return key, fmt.Errorf("writing a new master key: %w", err)
	}
	return key, nil
}

func writeNew(path, text string) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, ".master.key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be synced there
	}
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
