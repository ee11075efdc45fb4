package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
	"github.com/attentionbank/attentionbank/transit"
)

// storeKeyVariable may hold the secret that wraps the store keys, in place of
// the one that is derived from the master key: 32 bytes in base64.
const storeKeyVariable = "ATTENTIONBANK_STORE_KEY"

// KeySource is where a bank's keys are.
type KeySource struct {
	KeyFile string `env:"ATTENTIONBANK_KEY_FILE" help:"File of the master key; master.key in the data directory if none is named." type:"path" placeholder:"FILE"`
	KMS     string `name:"kms" env:"ATTENTIONBANK_KMS" help:"Key service that wraps the keys: a key of a transit engine, https://VAULT/v1/transit/keys/NAME; VAULT_TOKEN or VAULT_TOKEN_FILE has its token." placeholder:"URL"`
}

// service returns the key service; nil without one.
func (k KeySource) service() (*transit.Keys, error) {
	if k.KMS == "" {
		return nil, nil
	}
	service, err := transit.Open(k.KMS)
	if err != nil {
		return nil, usage("--kms: %v", err)
	}
	return service, nil
}

func (s Site) masterKeyPath() string {
	if s.KeyFile != "" {
		return s.KeyFile
	}
	return filepath.Join(s.Data, identity.MasterKeyFile)
}

// masterKey returns the master key. It makes one for a new bank; founded says
// what there is already that only the lost key would open.
func (s Site) masterKey(ctx context.Context, founded string) ([32]byte, error) {
	m := identity.MasterKey{Path: s.masterKeyPath(), Founded: founded}
	service, err := s.service()
	if err != nil {
		return [32]byte{}, err
	}
	if service != nil {
		m.Service = service
	}
	if _, err := os.Stat(filepath.Join(s.Data, "identity.db")); err == nil {
		m.Founded = "identity.db"
	}
	key, err := m.Load(ctx)
	if err != nil && founded != "" {
		err = withHint(err, "%s opens journal and events without the master key; --key-file names the file of the master key", storeKeyVariable)
	}
	return key, err
}

// storeKeys returns what has wrapped the store keys.
func (s Site) storeKeys(ctx context.Context) (strongroom.Keys, error) {
	return s.wrappingKeys(ctx, "the journal")
}

// wrappingKeys returns what wraps store keys: the key service, the secret in
// the environment, or one that is derived from the master key.
func (s Site) wrappingKeys(ctx context.Context, founded string) (strongroom.Keys, error) {
	service, err := s.service()
	if err != nil {
		return nil, err
	}
	if service != nil {
		return service, nil
	}
	if text := os.Getenv(storeKeyVariable); text != "" {
		key, err := identity.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("reading the store key from %s: %w", storeKeyVariable, err)
		}
		return strongroom.Secret{Key: key, From: storeKeyVariable}, nil
	}
	master, err := s.masterKey(ctx, founded)
	if err != nil {
		return nil, err
	}
	from := s.masterKeyPath()
	if os.Getenv(identity.MasterKeyVariable) != "" {
		from = identity.MasterKeyVariable
	}
	return strongroom.Derived(master, "derived from "+from), nil
}

// keyring returns the store keys of the bank, an empty one if it has none.
func (s Site) keyring(ctx context.Context) (*strongroom.Keyring, error) {
	store, err := sqldb.OpenJournal(ctx, s.place("journal"))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return strongroom.OpenKeyring(ctx, store, s.storeKeys)
}

// rotate gives the bank a new store key. founded is empty for a new bank.
func (s Site) rotate(ctx context.Context, ring *strongroom.Keyring, founded string) error {
	keys, err := s.wrappingKeys(ctx, founded)
	if err != nil {
		return err
	}
	return ring.Rotate(ctx, keys, time.Now())
}

type keysCommand struct {
	List   keysList   `cmd:"" default:"withargs" help:"Show the store keys and what has wrapped them."`
	Rotate keysRotate `cmd:"" help:"Make a new store key, under which everything is written from the next start on."`
	Rewrap keysRewrap `cmd:"" help:"Wrap the store keys by another key."`
	Export keysExport `cmd:"" help:"Print the key that opens journal and events, and no personal data."`
}

// Help teaches by example.
func (c *keysCommand) Help() string {
	return `Journal, snapshots and events are encrypted under store keys, which lie wrapped beside the journal and
so in every backup. They are wrapped by a key that is derived from the master key, by
ATTENTIONBANK_STORE_KEY (32 bytes in base64), or by a key service (--kms).

Examples:
  attentionbank keys --data ./data
  attentionbank keys rotate --data ./data
  attentionbank keys rewrap --data ./data --to-kms https://vault.example:8200/v1/transit/keys/bank
  ATTENTIONBANK_STORE_KEY=$(attentionbank keys export --data ./data) attentionbank fsck --data ./copy`
}

type keysList struct{ Site }

// Run implements the command.
func (c *keysList) Run(env *environment) error {
	if err := c.exists(); err != nil {
		return err
	}
	store, err := sqldb.OpenJournal(env.context, c.place("journal"))
	if err != nil {
		return err
	}
	defer store.Close()
	text, err := store.StoreKeys(env.context)
	if err != nil {
		return err
	}
	entries, err := strongroom.ParseEntries(text)
	if err == nil && len(entries) == 0 {
		fmt.Fprintln(env.stdout, "No store keys: what this bank writes is not encrypted. To encrypt from the next start on: attentionbank keys rotate")
		return nil
	}
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tMADE\tWRAPPED BY\tUSE")
	for i, entry := range entries {
		by := strings.SplitN(entry.Wrapped, ":", 3)
		use := "reads"
		if i == len(entries)-1 {
			use = "reads and writes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", entry.ID, entry.Created.Format(time.RFC3339), strings.Join(by[:min(2, len(by))], ":"), use)
	}
	return table.Flush()
}

type keysRotate struct{ Site }

// Run implements the command.
func (c *keysRotate) Run(env *environment) error {
	ring, release, err := c.held(env)
	if err != nil {
		return err
	}
	defer release()
	if err := c.rotate(env.context, ring, "this bank"); err != nil {
		return err
	}
	entries := ring.Entries()
	fmt.Fprintf(env.stdout, "Everything is written under store key %s from now on; %d keys read.\n", entries[len(entries)-1].ID, len(entries))
	return nil
}

// held returns the store keys of a bank that nobody serves meanwhile.
func (s Site) held(env *environment) (ring *strongroom.Keyring, release func() error, err error) {
	if err := s.exists(); err != nil {
		return nil, nil, err
	}
	_, letGo, err := s.hold(env.context)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqldb.OpenJournal(env.context, s.place("journal"))
	if err != nil {
		return nil, nil, errors.Join(err, letGo())
	}
	release = func() error { return errors.Join(store.Close(), letGo()) }
	if ring, err = strongroom.OpenKeyring(env.context, store, s.storeKeys); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return ring, release, nil
}

type keysRewrap struct {
	Site
	ToKey    string `help:"File of the secret that is to wrap them, 32 bytes in base64, as ATTENTIONBANK_STORE_KEY holds it from then on." type:"existingfile" placeholder:"FILE" xor:"to"`
	ToKMS    string `name:"to-kms" help:"Key service that is to wrap them, as --kms names it from then on." placeholder:"URL" xor:"to"`
	ToMaster bool   `help:"Wrap them by the key that is derived from the master key." xor:"to"`
}

// Run implements the command.
func (c *keysRewrap) Run(env *environment) error {
	to, err := c.to(env.context)
	if err != nil {
		return err
	}
	ring, release, err := c.held(env)
	if err != nil {
		return err
	}
	defer release()
	if !ring.Encrypts() {
		return withHint(errors.New("this bank has no store keys"), "make one with: attentionbank keys rotate")
	}
	if err := ring.Rewrap(env.context, to); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%d store keys are wrapped anew. Backups from before still need the old key.\n", len(ring.Entries()))
	return nil
}

func (c *keysRewrap) to(ctx context.Context) (strongroom.Keys, error) {
	switch {
	case c.ToKMS != "":
		service, err := transit.Open(c.ToKMS)
		if err != nil {
			return nil, usage("--to-kms: %v", err)
		}
		return service, nil
	case c.ToKey != "":
		text, err := os.ReadFile(c.ToKey)
		if err != nil {
			return nil, err
		}
		key, err := identity.ParseKey(string(text))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", c.ToKey, err)
		}
		return strongroom.Secret{Key: key, From: c.ToKey}, nil
	case c.ToMaster:
		master, err := c.masterKey(ctx, "the journal")
		if err != nil {
			return nil, err
		}
		return strongroom.Derived(master, "derived from the master key"), nil
	}
	return nil, usage("expected one of --to-key, --to-kms and --to-master")
}

type keysExport struct{ Site }

// Run implements the command.
func (c *keysExport) Run(env *environment) error {
	if err := c.exists(); err != nil {
		return err
	}
	keys, err := c.storeKeys(env.context)
	if err != nil {
		return err
	}
	secret, isLocal := keys.(strongroom.Secret)
	if !isLocal {
		return errors.New("the key is in the key service, which does not give it out; its tokens open the store keys")
	}
	fmt.Fprintln(env.stdout, base64.StdEncoding.EncodeToString(secret.Key[:]))
	return nil
}
