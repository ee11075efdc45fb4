package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told are texts that a person reports and stand nowhere else; marker is the one
// of somebody who stays.
var told = []string{"zq-user-3311", "zq-pad-9917", "zq-note-5520", "zq-label-1184", "zq-terms-7", "Zq Payee 4410", "NO9386011117947"}

const marker = "zq-stays-8802"

// live lets the bank know all that it can of a user, and returns the user's key
// and id.
func (b *bank) live(id, user, pad, note, label, terms, payee, iban string) (key, person string) {
	b.t.Helper()
	send := func(key, path, body string) {
		b.t.Helper()
		var answer struct{ Verdicts []struct{ Verdict string } }
		b.call("POST", path, key, body, http.StatusOK, &answer)
		for _, v := range answer.Verdicts {
			if v.Verdict != "accepted" {
				b.t.Fatalf("%s was answered %+v", body, answer)
			}
		}
	}
	send(b.server, "/v1/identify", fmt.Sprintf(`{"userId":%q,"anonymousId":%q,"messageId":"i-%s","traits":{"email":"%s@planted.test"}}`, user, pad, id, user))
	send(b.write, "/v1/track", fmt.Sprintf(`{"anonymousId":%q,"event":"Jumped","messageId":"t-%s","properties":{"note":%q}}`, pad, id, note))
	send(b.server, "/v1/track", fmt.Sprintf(`{"userId":%q,"event":"Jumped","messageId":"k-%s","properties":{"note":%q,"device_id":"kiosk"}}`, user, id, note))
	var batch []string
	for i := range 60 {
		batch = append(batch, fmt.Sprintf(`{"type":"track","event":"heartbeat","userId":%q,"messageId":"%s-h%d","timestamp":%q}`, user, id, i, time.Now().Add(-time.Duration(i)*10*time.Second).UTC().Format(time.RFC3339)))
	}
	send(b.server, "/v1/batch", `{"batch":[`+strings.Join(batch, ",")+`]}`)
	var claim struct{ Code string }
	b.call("POST", "/v1/worlds/cafe/users/"+user+"/claim", b.server, "", http.StatusCreated, &claim)
	var made struct{ Secret, Person string }
	b.call("POST", "/v1/claims", "", `{"code":"`+claim.Code+`","label":"`+label+`"}`, http.StatusCreated, &made)
	b.call("PUT", "/v1/people/me/consents/analytics", made.Secret, `{"given":true,"version":"`+terms+`"}`, http.StatusOK, nil)
	b.call("PUT", "/v1/people/me/payee", made.Secret, `{"name":"`+payee+`","iban":"`+iban+`"}`, http.StatusOK, nil)
	b.call("PUT", "/v1/people/"+made.Person+"/attributes", b.operator, `{"country":"DE","age":"adult","tier":1}`, http.StatusOK, nil)
	b.call("PUT", "/v1/people/me/limits", made.Secret, `{"spend_daily":"5"}`, http.StatusOK, nil)
	return made.Secret, made.Person
}

// said returns what an address answers, whatever the status.
func (b *bank) said(path, key string) string {
	b.t.Helper()
	request, err := http.NewRequest("GET", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response := do(b.t, request)
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		b.t.Fatal(err)
	}
	return text.String()
}

// shows returns which texts stand in the files of a folder.
func shows(t *testing.T, folder string, texts ...string) (found []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				found = append(found, text+" in "+filepath.Base(path))
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

// The built program, with encryption as it comes: of who was erased nothing is in
// any file, log line or answer, nor can anything be opened of backups of before
// and after once they are restored beside the keys of now. Of who was not erased
// everything is still told there, by the same search; balances and supply are
// what they were, and fsck finds nothing.
func TestErasureReachesBackups(t *testing.T) {
	b := newBank(t)
	var asset struct{ Issuer string }
	b.call("POST", "/v1/assets", b.operator, `{"asset":"GOLD","scale":2,"world":"cafe"}`, http.StatusCreated, &asset)
	key, person := b.live("1", told[0], told[1], told[2], told[3], told[4], told[5], told[6])
	_, other := b.live("2", "somebody-else", "another-pad", marker, "laptop", "2026-01", "Somebody Else", "DE89370400440532013000")
	var account struct{ Account string }
	b.call("POST", "/v1/accounts", key, `{"person":"`+person+`","asset":"GOLD"}`, http.StatusCreated, &account)
	b.call("POST", "/v1/transfers", b.operator, `{"legs":[{"from":"`+asset.Issuer+`","to":"`+account.Account+`","amount":"12.5"}]}`, http.StatusCreated, nil)
	wait := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited a minute until %s\n%s", what, b.output)
			}
		}
	}
	for _, id := range []string{person, other} {
		wait("the points are posted", func() bool { return strings.Contains(b.said("/v1/people/"+id+"/mints", b.operator), `"points"`) })
	}
	export := b.said("/v1/people/me/export", key)
	for _, text := range told {
		if !json.Valid([]byte(export)) || !strings.Contains(export, text) {
			t.Fatalf("before, the person is not told %q: %.1000s", text, export)
		}
	}
	backups := t.TempDir()
	backup := func(name string) string {
		t.Helper()
		folder := filepath.Join(backups, name)
		if output, err := b.run("backup", folder, "--data", b.folder); err != nil {
			t.Fatalf("backup: %v\n%s", err, output)
		}
		return folder
	}
	before := backup("before")
	shown, supply := b.said("/v1/people/"+person, b.operator), b.said("/v1/supply", "")
	if !strings.Contains(shown, `"12.5"`) {
		t.Fatalf("the person is %s", shown)
	}
	// What was copied before, with the keys of before, opens everything: else the
	// search below would be blind.
	if text := restored(t, before, filepath.Join(before, "identity.db"), b, person, other); !strings.Contains(text, told[2]) || !strings.Contains(text, marker) {
		t.Fatalf("a backup with its own keys tells %.2000s", text)
	}

	b.call("DELETE", "/v1/people/me/personal-data", key, "", http.StatusNoContent, nil)
	after := backup("after")
	if again := b.said("/v1/supply", ""); again != supply {
		t.Errorf("the supply was %s and is %s", supply, again)
	}
	if again := b.said("/v1/people/"+person, b.operator); again != shown {
		t.Errorf("the person's balances were %s and are %s", shown, again)
	}
	var answers strings.Builder
	for _, path := range []string{"", "/attention", "/mints", "/accounts", "/keys", "/links", "/attributes", "/standing", "/export", "/cases"} {
		answers.WriteString(b.said("/v1/people/"+person+path, b.operator))
	}
	for _, path := range []string{"/v1/audit", "/v1/worlds/cafe/events/i-1", "/metrics", "/v1/cases", "/v1/worlds/cafe/users/" + told[0]} {
		answers.WriteString(b.said(path, b.operator))
	}
	b.call("GET", "/v1/people/me", key, "", http.StatusUnauthorized, nil)
	logged := b.output.String()
	b.stop()
	b.requireClean()
	for _, text := range append(told, key) {
		if strings.Contains(logged, text) {
			t.Errorf("%q stands in the log", text)
		}
		if strings.Contains(answers.String(), text) {
			t.Errorf("%q stands in an answer", text)
		}
	}
	for _, folder := range []string{b.folder, after} {
		if found := shows(t, folder, append(told, key)...); len(found) != 0 {
			t.Errorf("what is left: %q", found)
		}
	}
	// Backups beside the keys of now: those of before were destroyed.
	for name, folder := range map[string]string{"before": before, "after": after} {
		text := restored(t, folder, filepath.Join(b.folder, "identity.db"), b, person, other)
		for _, planted := range told {
			if strings.Contains(text, planted) {
				t.Errorf("a backup of %s, beside the keys of now, tells %q", name, planted)
			}
		}
		if !strings.Contains(text, marker) {
			t.Errorf("a backup of %s tells nothing of who stays: %.2000s", name, text)
		}
	}
	b.start()
	if again := b.said("/v1/supply", ""); again != supply {
		t.Errorf("after a restart the supply was %s and is %s", supply, again)
	}
}

// restored restores a backup with the master key of a bank, puts the keys of
// people in it that an identity database has, serves it and returns all that is
// told of two people.
func restored(t *testing.T, backup, identity string, of *bank, people ...string) string {
	t.Helper()
	r := &bank{t: t, folder: filepath.Join(t.TempDir(), "restored"), env: of.env, operator: of.operator, server: of.server, write: of.write}
	if output, err := of.run("restore", backup, "--data", r.folder, "--key-file", filepath.Join(of.folder, "master.key")); err != nil {
		t.Fatalf("restore: %v\n%s", err, output)
	}
	for from, to := range map[string]string{identity: "identity.db", filepath.Join(of.folder, "master.key"): "master.key"} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(r.folder, to), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.start()
	defer r.kill()
	var all strings.Builder
	for _, person := range people {
		all.WriteString(r.said("/v1/people/"+person+"/export", r.operator))
		all.WriteString(r.said("/v1/people/"+person+"/attention", r.operator))
	}
	return all.String()
}
