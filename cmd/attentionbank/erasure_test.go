package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/score"
	"github.com/attentionbank/attentionbank/sqldb"
)

// planted are texts that are a person's and stand nowhere else.
var planted = []string{
	"zq-user-5512", "zq-device-7731", "zq.mail@planted.test", "zq-property-9024", "zq-page-3318", "zq-label-4470", "zq-consent-6",
}

// plant makes a bank know all that it can of a person, and returns the person's
// key and id. Nothing at rest is encrypted but what is sealed of people.
func plant(s *server, operator, serverKey, writeKey string) (personKey, personID string) {
	s.t.Helper()
	accepted := func(key, path, body string) {
		var answer struct{ Verdicts []struct{ Verdict string } }
		s.ask("POST", path, key, body, http.StatusOK, &answer)
		for _, v := range answer.Verdicts {
			if v.Verdict != "accepted" {
				s.t.Fatalf("%s was answered %+v", body, answer)
			}
		}
	}
	user, device := planted[0], planted[1]
	accepted(serverKey, "/v1/identify", `{"userId":"`+user+`","anonymousId":"`+device+`","messageId":"i1","traits":{"email":"`+planted[2]+`"}}`)
	accepted(writeKey, "/v1/track", `{"anonymousId":"`+device+`","event":"Jumped","messageId":"t1","properties":{"note":"`+planted[3]+`"}}`)
	accepted(serverKey, "/v1/page", `{"userId":"`+user+`","name":"`+planted[4]+`","messageId":"p1"}`)
	var batch []string
	for i := range 60 {
		batch = append(batch, fmt.Sprintf(`{"type":"track","event":"heartbeat","userId":%q,"messageId":"h%d","timestamp":%q}`, user, i, time.Now().Add(-time.Duration(i)*10*time.Second).UTC().Format(time.RFC3339)))
	}
	accepted(serverKey, "/v1/batch", `{"batch":[`+strings.Join(batch, ",")+`]}`)
	var claim struct{ Code string }
	s.ask("POST", "/v1/worlds/cafe/users/"+user+"/claim", serverKey, "", http.StatusCreated, &claim)
	var key struct{ Secret, Person string }
	s.ask("POST", "/v1/claims", "", `{"code":"`+claim.Code+`","label":"`+planted[5]+`"}`, http.StatusCreated, &key)
	s.ask("PUT", "/v1/people/me/consents/analytics", key.Secret, `{"given":true,"version":"`+planted[6]+`"}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/people/"+key.Person+"/attributes", operator, `{"country":"DE","age":"adult","tier":1}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/people/me/limits", key.Secret, `{"spend_daily":"5","earn_minutes":600}`, http.StatusOK, nil)
	s.ask("PUT", "/v1/people/me/allowances/cafe", key.Secret, `{"daily":"1"}`, http.StatusOK, nil)
	return key.Secret, key.Person
}

// read returns what an address answers, whatever the status.
func (s *server) read(path, key string) string {
	s.t.Helper()
	request, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// standing returns which of some bytes stand in the files of a folder.
func standing(t *testing.T, folder string, wanted map[string][]byte) (found []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for name, b := range wanted {
			if bytes.Contains(content, b) {
				found = append(found, name+" in "+filepath.Base(path))
			}
		}
		files++
		return err
	})
	if err != nil || files < 4 {
		t.Fatalf("%d files in %s, %v", files, folder, err)
	}
	return found
}

// secretsOf returns what the identity of a folder keeps of a person, and of the
// devices that are theirs: wrapped keys, sealed ids and lookups.
func secretsOf(t *testing.T, folder, personID string) map[string][]byte {
	t.Helper()
	store, err := sqldb.OpenIdentity(t.Context(), filepath.Join(folder, "identity.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	secrets := map[string][]byte{}
	for number := uint64(1); ; number++ {
		record, err := store.Subject(t.Context(), number)
		if err != nil {
			break
		}
		if fmt.Sprintf("%x", record.Person) != personID && record.UnitedWith == 0 {
			continue
		}
		secrets[fmt.Sprintf("the wrapped key of subject %d", number)] = record.WrappedKey
		secrets[fmt.Sprintf("the sealed id of subject %d", number)] = record.SealedID
		secrets[fmt.Sprintf("the lookup of subject %d", number)] = bytes.Clone(record.Lookup[:])
		details, err := store.DetailsOf(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range details {
			secrets[fmt.Sprintf("%s of subject %d", d.Name, number)] = d.Sealed
		}
	}
	return secrets
}

// opens returns the people of whose days the log of one folder can be read with
// the keys of another.
func opens(t *testing.T, events, keys string) (people []string) {
	t.Helper()
	log, head, err := Site{Data: events, KeySource: KeySource{KeyFile: filepath.Join(keys, identity.MasterKeyFile)}}.openEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	defer head.Close()
	master, err := Site{Data: keys}.masterKey(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqldb.OpenIdentity(t.Context(), filepath.Join(keys, "identity.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	registry, err := identity.Open(t.Context(), store, master, identity.Options{NowMS: systemMS})
	if err != nil {
		t.Fatal(err)
	}
	today := bank.Day(systemMS())
	days, err := collect.Rehearse(t.Context(), log, subjects{registry}, collect.Rehearsal{
		World: 1, FromDay: today - 1, UntilDay: today + 1, Progress: func(uint64) {},
		Policies: func(uint32, int32, uint32) (*score.Policy, uint32) { return defaultPolicy, 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range days {
		people = append(people, fmt.Sprintf("%x", d.Person))
	}
	slices.Sort(people)
	return slices.Compact(people)
}

// Of who was erased nothing is left in any file, in a backup made after, in what
// was logged or in any answer; what was copied before cannot be opened with the
// keys of now; balances and supply are what they were, and fsck finds nothing.
func TestNothingIsLeftOfWhoWasErased(t *testing.T) {
	folder, backups := t.TempDir(), t.TempDir()
	start := func() *server {
		return serving(t, "--listen", "127.0.0.1:0", "--data", folder, "--plain", "--mint-every", "1s").started()
	}
	s := start()
	operator := s.operator()
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	keys := map[string]string{}
	for _, kind := range []string{"server", "write"} {
		var key struct{ Secret string }
		s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"`+kind+`"}`, http.StatusCreated, &key)
		keys[kind] = key.Secret
	}
	personKey, personID := plant(s, operator, keys["server"], keys["write"])
	s.ask("POST", "/v1/track", keys["server"], `{"userId":"somebody-else","event":"Jumped","messageId":"o1"}`, http.StatusOK, nil)
	s.until("the points are posted", func() bool { return strings.Contains(s.read("/v1/people/"+personID+"/mints", operator), `"points"`) })
	person, supply := s.read("/v1/people/"+personID, operator), s.read("/v1/supply", "")
	if !strings.Contains(person, `"registered":true`) {
		t.Fatalf("the person is %s", person)
	}
	before := filepath.Join(backups, "before")
	if status, _, stderr := command(t, "", "backup", before, "--data", folder); status != 0 {
		t.Fatal(stderr)
	}
	secrets := secretsOf(t, before, personID)
	if len(secrets) < 8 { // of the user, of the device, consent and attributes
		t.Fatalf("the backup keeps %d things of the person", len(secrets))
	}
	if found := standing(t, before, secrets); len(found) != len(secrets) {
		t.Fatalf("of %d things only %v stand in the backup", len(secrets), found)
	}
	if read := opens(t, before, folder); len(read) != 2 {
		t.Fatalf("before, the days of %v can be read, want those of two", read)
	}

	s.ask("DELETE", "/v1/people/me/personal-data", personKey, "", http.StatusNoContent, nil)
	if again := s.read("/v1/supply", ""); again != supply {
		t.Errorf("the supply was %s and is %s", supply, again)
	}
	if again := s.read("/v1/people/"+personID, operator); again != person {
		t.Errorf("the person's balances were %s and are %s", person, again)
	}
	after := filepath.Join(backups, "after")
	if status, _, stderr := command(t, "", "backup", after, "--data", folder); status != 0 {
		t.Fatal(stderr)
	}
	var answers strings.Builder
	for _, path := range []string{"", "/attention", "/mints", "/accounts", "/keys", "/links", "/attributes", "/standing"} {
		answers.WriteString(s.read("/v1/people/"+personID+path, operator))
	}
	for _, path := range []string{"/v1/audit", "/v1/worlds/cafe/events/i1", "/metrics", "/v1/worlds/cafe"} {
		answers.WriteString(s.read(path, operator))
	}
	s.ask("GET", "/v1/people/me", personKey, "", http.StatusUnauthorized, nil)
	s.ask("GET", "/v1/worlds/cafe/users/"+planted[0], keys["server"], "", http.StatusNotFound, nil)
	logged := s.stdout.String() + s.stderr.String()
	s.stop()
	if status := s.ended(); status != 0 {
		t.Fatal(s.stderr.String())
	}

	for _, text := range planted {
		secrets["\""+text+"\""] = []byte(text)
		if strings.Contains(logged, text) || strings.Contains(answers.String(), text) {
			t.Errorf("%q stands in the log or in an answer", text)
		}
	}
	secrets["the person's key"] = []byte(personKey)
	for _, searched := range []string{folder, after} {
		if found := standing(t, searched, secrets); len(found) != 0 {
			t.Errorf("what is left: %q", found)
		}
	}
	for name, copied := range map[string]string{"made before": before, "made after": after} {
		if read := opens(t, copied, folder); len(read) != 1 || read[0] == personID {
			t.Errorf("of a backup %s the days of %v can be read with the keys of now", name, read)
		}
	}
	for _, checked := range []string{folder, after} {
		if status, stdout, stderr := command(t, "", "fsck", "--data", checked, "--key-file", filepath.Join(folder, identity.MasterKeyFile)); status != 0 {
			t.Errorf("fsck of %s ended with %d\n%s%s", checked, status, stdout, stderr)
		}
	}
	s = start() // and the bank goes on from there
	s.ask("GET", "/v1/worlds/cafe/users/"+planted[0], keys["server"], "", http.StatusNotFound, nil)
	if again := s.read("/v1/supply", ""); again != supply {
		t.Errorf("after a restart the supply was %s and is %s", supply, again)
	}
}
