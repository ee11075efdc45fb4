package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/score"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

// planted are texts that are a person's and stand nowhere else.
var planted = []string{
	"zq-user-5512", "zq-device-7731", "zq.mail@planted.test", "zq-property-9024", "zq-page-3318", "zq-label-4470", "zq-consent-6",
	"Zq Payee 8821", "NO9386011117947", "zq-appeal-2206",
}

// stays is a text of somebody who is not erased: a search that does not find it
// once it is opened is blind.
const stays = "zq-stays-1177"

// founded makes a bank, three days ago, in which the user of the planted name has
// earned TIME and a world sells a song.
func founded(t *testing.T, site Site) {
	t.Helper()
	var clockMS atomic.Int64
	clockMS.Store(systemMS() - 3*24*60*60*1000)
	n, err := openNode(t.Context(), site, clockMS.Load, func(message string) { t.Log(message) })
	if err != nil {
		t.Fatal(err)
	}
	known, err := n.identity.Resolve(t.Context(), []identity.SubjectRef{{World: 1, UserID: planted[0]}})
	if err != nil {
		t.Fatal(err)
	}
	submit := func(commands ...[]byte) {
		t.Helper()
		answers, err := n.journal.Submit(t.Context(), commands...)
		if err != nil {
			t.Fatal(err)
		}
		for i, answer := range answers {
			if answer.Refusal != bank.Accepted {
				t.Fatalf("command %d was refused: %s", i, answer.Refusal)
			}
		}
	}
	submit(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.Mint{Person: known[0].Person, World: 1, Day: bank.Day(clockMS.Load()), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil))
	clockMS.Add(26 * 60 * 60 * 1000)
	submit(bank.AppendTick(nil), bank.SetProduct{Product: bank.Product{World: 1, Code: "song", Kind: bank.Service, PriceMicro: 500_000, DeadlineMS: 30 * 86_400_000, OnSale: true}}.AppendTo(nil))
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
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
	s.ask("PUT", "/v1/people/me/payee", key.Secret, `{"name":"`+planted[7]+`","iban":"`+planted[8]+`"}`, http.StatusOK, nil)
	s.ask("POST", "/v1/purchases", key.Secret, `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`, http.StatusCreated, nil)
	s.ask("POST", "/v1/worlds/cafe/users/"+user+"/purchases", serverKey, `{"product":"song","quantity":1,"max_total":"1"}`, http.StatusCreated, nil)
	// A rule holds back what comes by one device of many, and the person objects.
	s.ask("POST", "/v1/review-rules", operator, `{"rules":"name: strict\nrules: [{signal: shared_device, mode: enforce, cost: 500, more_than: 1}]"}`, http.StatusCreated, nil)
	for i, name := range []string{user, "somebody-else", "a-third"} {
		accepted(serverKey, "/v1/track", fmt.Sprintf(`{"userId":%q,"anonymousId":%q,"event":"Jumped","messageId":"d%d","properties":{"note":%q}}`, name, map[bool]string{true: device, false: "kiosk"}[i == 0], i, map[bool]string{true: planted[3], false: stays}[i == 0]))
		accepted(serverKey, "/v1/track", fmt.Sprintf(`{"userId":%q,"event":"Jumped","messageId":"k%d","properties":{"device_id":"kiosk"}}`, name, i))
	}
	var cases struct{ Items []struct{ Case string } }
	s.until("the person is reviewed", func() bool {
		s.ask("GET", "/v1/people/me/cases", key.Secret, "", http.StatusOK, &cases)
		return len(cases.Items) > 0
	})
	s.ask("POST", "/v1/people/me/cases/"+cases.Items[0].Case+"/appeal", key.Secret, `{"text":"it was `+planted[9]+`"}`, http.StatusOK, nil)
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
func secretsOf(t *testing.T, site Site, personID string) map[string][]byte {
	t.Helper()
	store, err := sqldb.OpenIdentity(t.Context(), site.place("identity"))
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
			if len(d.Sealed) == 0 { // taken back
				continue
			}
			secrets[fmt.Sprintf("%s of subject %d", d.Name, number)] = d.Sealed
		}
	}
	return secrets
}

// subjectsOf returns the subjects of a person and of the devices that are theirs.
func subjectsOf(t *testing.T, site Site, personID string) (numbers []uint64) {
	t.Helper()
	store, err := sqldb.OpenIdentity(t.Context(), site.place("identity"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for number := uint64(1); ; number++ {
		record, err := store.Subject(t.Context(), number)
		if err != nil {
			return numbers
		}
		if fmt.Sprintf("%x", record.Person) == personID || len(numbers) > 0 && record.UnitedWith == numbers[0] {
			numbers = append(numbers, number)
		}
	}
}

// folded returns how many days and places a site keeps of a subject.
func folded(t *testing.T, site Site, subject uint64) int {
	t.Helper()
	store, err := sqldb.OpenEvents(t.Context(), site.place("events"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	days, err := store.Days(t.Context(), subject, collect.PersonPart, 100)
	if err != nil {
		t.Fatal(err)
	}
	places, err := store.Places(t.Context(), subject, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(days) + len(places)
}

// opens returns the people of whose days the log of one site can be read with
// the keys of another.
func opens(t *testing.T, events, keys Site) (people []string) {
	t.Helper()
	events.KeySource = KeySource{KeyFile: filepath.Join(keys.Data, identity.MasterKeyFile)}
	log, head, err := events.openEvents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	defer head.Close()
	master, err := keys.masterKey(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqldb.OpenIdentity(t.Context(), keys.place("identity"))
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
	folder := t.TempDir()
	nothingIsLeft(t, Site{Data: folder, Plain: true}, func(wanted map[string][]byte) []string { return standing(t, folder, wanted) })
}

// The same with a bank whose stores are in PostgreSQL, as far as PostgreSQL goes:
// in nothing that it tells or dumps. What it leaves in free space, docs/postgresql.md
// says.
func TestNothingIsLeftInPostgreSQL(t *testing.T) {
	server := storetest.StartPostgres(t)
	url := server.NewDatabase(t, "bank")
	nothingIsLeft(t, Site{Data: t.TempDir(), Store: url, Plain: true}, func(wanted map[string][]byte) (found []string) {
		dump := []byte(server.Dump(t, "bank"))
		if len(dump) < 10_000 {
			t.Fatalf("the dump has %d bytes", len(dump))
		}
		for name, b := range wanted {
			if bytes.Contains(dump, b) || bytes.Contains(dump, []byte(hex.EncodeToString(b))) {
				found = append(found, name+" in the dump")
			}
		}
		return found
	})
}

// nothingIsLeft erases somebody of whom a bank knows all that it can, and looks
// for what is left, by search in what the bank has stored.
func nothingIsLeft(t *testing.T, site Site, search func(wanted map[string][]byte) (found []string)) {
	backups := t.TempDir()
	if site.Store != "" {
		t.Setenv("ATTENTIONBANK_STORE", site.Store)
	}
	founded(t, site)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(receiver.Close)
	start := func() *server {
		return serving(t, "--listen", "127.0.0.1:0", "--data", site.Data, "--plain", "--mint-every", "1s", "--webhooks-to-private").started()
	}
	s := start()
	operator := s.operator()
	keys := map[string]string{}
	for _, kind := range []string{"server", "write"} {
		var key struct{ Secret string }
		s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"`+kind+`"}`, http.StatusCreated, &key)
		keys[kind] = key.Secret
	}
	s.ask("PUT", "/v1/worlds/cafe/webhook", keys["server"], `{"url":"`+receiver.URL+`"}`, http.StatusOK, nil)
	personKey, personID := plant(s, operator, keys["server"], keys["write"])
	s.until("the points are posted", func() bool { return strings.Contains(s.read("/v1/people/"+personID+"/mints", operator), `"points"`) })
	s.until("the world is told", func() bool {
		return strings.Count(s.read("/v1/worlds/cafe/messages", keys["server"]), personID) >= 2
	})
	// A stop takes a snapshot, in which the person is.
	s.stop()
	if status := s.ended(); status != 0 {
		t.Fatal(s.stderr.String())
	}
	logged := s.stdout.String() + s.stderr.String()
	s = start()
	var own struct {
		Tables map[string][]map[string]any
	}
	s.ask("GET", "/v1/people/me/export", personKey, "", http.StatusOK, &own)
	if whole := fmt.Sprint(own); !slices.ContainsFunc(planted[:2], func(text string) bool { return strings.Contains(whole, text) }) || len(own.Tables["purchases"]) != 2 || len(own.Tables["findings"]) == 0 {
		t.Fatalf("before, the person is told %.2000s", whole)
	}
	for i, text := range planted { // of traits and the names of pages nothing is kept
		if i != 2 && i != 4 && !strings.Contains(fmt.Sprint(own), text) {
			t.Errorf("before, the person is not told %q", text)
		}
	}
	person, supply := s.read("/v1/people/"+personID, operator), s.read("/v1/supply", "")
	if !strings.Contains(person, `"registered":true`) {
		t.Fatalf("the person is %s", person)
	}
	before := Site{Data: filepath.Join(backups, "before")}
	if status, _, stderr := command(t, "", "backup", before.Data, "--data", site.Data); status != 0 {
		t.Fatal(stderr)
	}
	secrets := secretsOf(t, before, personID)
	if len(secrets) < 9 { // of the user, of the device, consent, attributes and payee
		t.Fatalf("the backup keeps %d things of the person", len(secrets))
	}
	numbers := subjectsOf(t, before, personID)
	if len(numbers) != 2 || folded(t, before, numbers[0]) == 0 || folded(t, before, numbers[1]) == 0 {
		t.Fatalf("before, the subjects %v are known", numbers)
	}
	if found := standing(t, before.Data, secrets); len(found) != len(secrets) {
		t.Fatalf("of %d things only %v stand in the backup", len(secrets), found)
	}
	if found := search(secrets); len(found) < len(secrets) {
		t.Fatalf("of %d things the search finds %v, so it is blind", len(secrets), found)
	}
	if read := opens(t, before, site); len(read) != 3 {
		t.Fatalf("before, the days of %v can be read, want those of three", read)
	}

	s.ask("DELETE", "/v1/people/me/personal-data", personKey, "", http.StatusNoContent, nil)
	if again := s.read("/v1/supply", ""); again != supply {
		t.Errorf("the supply was %s and is %s", supply, again)
	}
	if again := s.read("/v1/people/"+personID, operator); again != person {
		t.Errorf("the person's balances were %s and are %s", person, again)
	}
	after := Site{Data: filepath.Join(backups, "after")}
	if status, _, stderr := command(t, "", "backup", after.Data, "--data", site.Data); status != 0 {
		t.Fatal(stderr)
	}
	answers := everyAnswer(s, operator, keys["server"], personID)
	s.ask("GET", "/v1/people/me", personKey, "", http.StatusUnauthorized, nil)
	s.ask("GET", "/v1/worlds/cafe/users/"+planted[0], keys["server"], "", http.StatusNotFound, nil)
	s.ask("GET", "/v1/people/"+personID+"/export", operator, "", http.StatusGone, nil)
	var other struct{ Person string }
	s.ask("GET", "/v1/worlds/cafe/users/somebody-else", keys["server"], "", http.StatusOK, &other)
	if !strings.Contains(s.read("/v1/people/"+other.Person+"/export", operator), stays) {
		t.Errorf("of who was not erased %q is not told any more", stays)
	}
	logged += s.stdout.String() + s.stderr.String()
	s.stop()
	if status := s.ended(); status != 0 {
		t.Fatal(s.stderr.String())
	}

	for _, text := range planted {
		secrets["\""+text+"\""] = []byte(text)
		if strings.Contains(logged, text) || strings.Contains(answers, text) {
			t.Errorf("%q stands in the log or in an answer", text)
		}
	}
	secrets["the person's key"] = []byte(personKey)
	for where, found := range map[string][]string{"the bank": search(secrets), "its files": standing(t, site.Data, secrets), "a backup": standing(t, after.Data, secrets)} {
		if len(found) != 0 {
			t.Errorf("what is left in %s: %q", where, found)
		}
	}
	for _, number := range numbers {
		if rows := folded(t, site, number); rows != 0 {
			t.Errorf("of subject %d, the person or a device, %d days and places are left", number, rows)
		}
	}
	for name, copied := range map[string]Site{"made before": before, "made after": after} {
		if read := opens(t, copied, site); len(read) != 2 || slices.Contains(read, personID) || !slices.Contains(read, other.Person) {
			t.Errorf("of a backup %s the days of %v can be read with the keys of now", name, read)
		}
	}
	master := filepath.Join(site.Data, identity.MasterKeyFile)
	if status, stdout, stderr := command(t, "", "fsck", "--data", site.Data); status != 0 {
		t.Errorf("fsck ended with %d\n%s%s", status, stdout, stderr)
	}
	s = start() // and the bank goes on from there
	s.ask("GET", "/v1/worlds/cafe/users/"+planted[0], keys["server"], "", http.StatusNotFound, nil)
	if again := s.read("/v1/supply", ""); again != supply {
		t.Errorf("after a restart the supply was %s and is %s", supply, again)
	}
	if again := s.read("/v1/people/"+personID, operator); again != person {
		t.Errorf("after a restart the person's balances were %s and are %s", person, again)
	}
	t.Setenv("ATTENTIONBANK_STORE", "") // backups are files
	if status, stdout, stderr := command(t, "", "fsck", "--data", after.Data, "--key-file", master); status != 0 {
		t.Errorf("fsck of the backup ended with %d\n%s%s", status, stdout, stderr)
	}
}

// everyAnswer returns all that an operator and the world are told that could be of
// a person.
func everyAnswer(s *server, operator, serverKey, personID string) string {
	var answers strings.Builder
	for _, path := range []string{"", "/attention", "/mints", "/accounts", "/keys", "/links", "/attributes", "/standing", "/fills", "/goods", "/cases", "/cases/1", "/export"} {
		answers.WriteString(s.read("/v1/people/"+personID+path, operator))
	}
	for _, path := range []string{"/v1/audit", "/v1/worlds/cafe/events/i1", "/metrics", "/v1/worlds/cafe", "/v1/cases", "/v1/cases/1", "/v1/alerts", "/v1/worlds/cafe/messages", "/v1/purchases/1", "/v1/supply"} {
		answers.WriteString(s.read(path, operator))
	}
	answers.WriteString(s.read("/v1/worlds/cafe/messages", serverKey))
	return answers.String()
}
