package api

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
)

// aLife is a bank in which alice has done everything that a person can do, so
// that every table of an export has something to tell.
func aLife(t *testing.T) *holding {
	t.Helper()
	h := newHolding(t)
	market := h.own["person"]["market"]
	h.ok("PUT", "/v1/worlds/cafe/users/alice/consents/scoring", h.serverKey, `{"given":true,"version":"2026-01"}`)
	h.ok("PUT", "/v1/people/me/limits", h.person, `{"spend_daily":"100","earn_minutes":600}`)
	h.ok("PUT", "/v1/people/me/limits", h.person, `{"spend_daily":"200","reminder_minutes":30}`)
	h.ok("PUT", "/v1/people/me/allowances/cafe", h.person, `{"daily":"3"}`)
	h.ok("POST", "/v1/worlds/cafe/users/alice/charges", h.serverKey, `{"amount":"0.1","reference":"tip"}`)
	h.ok("PUT", "/v1/people/"+h.personID+"/trading", h.operator, `{"halted":true}`)
	h.ok("PUT", "/v1/people/"+h.personID+"/trading", h.operator, `{"halted":false}`)
	order := func(key, body string) string {
		return h.ok("POST", "/v1/orders", key, `{"market":"`+market+`",`+body+`}`)["order"].(string)
	}
	order(h.otherPerson, `"side":"buy","price":"10","quantity":"0.1"`) // of alice's
	order(h.otherPerson, `"side":"buy","price":"9","quantity":"0.1"`)
	quote := h.ok("GET", "/v1/markets/"+market+"/quote?side=sell&quantity=0.1", h.person, "")["quote"].(string)
	h.ok("POST", "/v1/conversions", h.person, `{"quote":"`+quote+`","reference":"change"}`)
	resting := order(h.person, `"side":"sell","price":"12","quantity":"0.1"`)
	h.ok("POST", "/v1/orders/"+resting+"/amend", h.person, `{"price":"13","quantity":"0.1"}`)
	h.ok("POST", "/v1/orders/"+resting+"/cancel", h.person, `{}`)
	h.ok("POST", "/v1/orders/heartbeat", h.person, `{"timeout_ms":60000}`)
	h.ok("POST", "/v1/purchases/2/outcome", h.serverKey, `{"delivered":true}`)
	h.ok("POST", "/v1/listings/1/purchase", h.otherPerson, `{"max_price":"2"}`)
	h.ok("POST", "/v1/goods/1/offer", h.person, `{"price":"1"}`)
	h.ok("POST", "/v1/goods/1/purchase", h.otherPerson, `{"max_price":"1"}`)
	h.ok("POST", "/v1/payout-files", h.operator, `{"currency":"EUR"}`)
	h.handedOver(1)
	h.ok("GET", "/v1/payout-files/1", h.operator, "") // fixes to whom it goes
	h.ok("POST", "/v1/people/me/cases/"+h.own["person"]["case"]+"/appeal", h.person, `{"text":"it was me, =all of it"}`)
	h.ok("POST", "/v1/identify", h.serverKey, `{"userId":"alice","anonymousId":"alices-tablet","messageId":"life-1","traits":{"email":"alice@cafe.test"}}`)
	h.ok("POST", "/v1/track", h.writeKey, `{"anonymousId":"alices-tablet","event":"Jumped","messageId":"life-2","properties":{"height":3}}`)
	h.ok("POST", "/v1/track", h.serverKey, `{"userId":"alice","event":"Order Completed","messageId":"life-3","properties":{"total":5,"order_id":"o1"}}`)
	h.there(h.serverKey, "alice")
	h.linked()
	h.crowd()
	h.catchUp()
	return h
}

// exportedTables reads an export in JSON.
func exportedTables(t *testing.T, text []byte) (tables map[string][]map[string]any, manifest map[string]any) {
	t.Helper()
	var read struct {
		Manifest map[string]any
		Tables   map[string][]map[string]any
		Rows     map[string]int
		Complete bool
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatalf("%v in %.2000s", err, text)
	}
	for name, rows := range read.Tables {
		if read.Rows[name] != len(rows) {
			t.Errorf("of %s there are %d rows, it says %d", name, len(rows), read.Rows[name])
		}
	}
	if !read.Complete || len(read.Rows) != len(read.Tables) {
		t.Errorf("it says that it is complete: %v", read.Complete)
	}
	return read.Tables, read.Manifest
}

// Everything that is kept about a person is in an export of theirs, and nothing
// of others.
func TestExportOfALife(t *testing.T) {
	h := aLife(t)
	answer := h.do("GET", "/v1/people/me/export", h.person, "")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s %.500s", answer.Code, answer.Header(), answer.Body)
	}
	tables, manifest := exportedTables(t, answer.Body.Bytes())
	if fmt.Sprint(manifest["journal_sequence"]) != answer.Header().Get("X-Journal-Sequence") || manifest["person"] != h.personID {
		t.Errorf("the manifest is %v", manifest)
	}
	said := map[string]bool{}
	for _, table := range manifest["tables"].([]any) {
		table := table.(map[string]any)
		name := table["name"].(string)
		if said[name] = true; table["about"] == "" || len(tables[name]) == 0 {
			t.Errorf("table %s, about %q, has nothing to tell of alice", name, table["about"])
			continue
		}
		for _, field := range table["fields"].([]any) {
			field := field.(map[string]any)
			if field["about"] == "" {
				t.Errorf("nothing is said about %s of %s", field["name"], name)
			}
			if _, there := tables[name][0][field["name"].(string)]; !there {
				t.Errorf("the rows of %s have no %s", name, field["name"])
			}
		}
	}
	if len(said) != len(tables) {
		t.Errorf("the manifest names %d tables of %d", len(said), len(tables))
	}
	has := func(table string, members ...any) {
		t.Helper()
		for _, row := range tables[table] {
			fits := true
			for i := 0; i < len(members); i += 2 {
				fits = fits && fmt.Sprint(row[members[i].(string)]) == fmt.Sprint(members[i+1])
			}
			if fits {
				return
			}
		}
		t.Errorf("%s has no row %v, it has\n%v", table, members, tables[table])
	}
	has("names", "kind", "user", "name", "alice")
	has("names", "kind", "device", "name", "alices-tablet")
	has("consents", "purpose", "scoring", "by", "world", "given", true)
	has("events", "message_id", "life-1", "call", "identify")
	has("events", "message_id", "life-2", "properties", "map[height:3]")
	has("events", "message_id", "life-2", "by", "write", "verdict", "accepted", "anonymous_id", "alices-tablet")
	has("events", "what", "appeal", "text", "it was me, =all of it")
	has("events", "what", "session")
	has("spends", "what", "order", "amount", "5")
	has("days", "world", "cafe", "policy_version", 0)
	has("purchases", "product", "song", "status", "delivered")
	has("purchases", "product", "sword", "status", "delivered", "reference", "order-1", "total", "2")
	has("listings", "as", "seller", "status", "sold", "price", "1.5")
	has("goods", "id", "0,1", "what", "bought")
	has("goods", "id", "0,1", "what", "sold")
	has("payees", "payout", "", "iban", annsIBAN)
	has("payees", "payout", "1", "iban", annsIBAN)
	has("payouts", "payout", "1", "currency", "EUR", "status", "pending")
	has("allowances", "what", "spent", "amount", "0.1", "reference", "tip")
	has("own_limits", "spend_daily", "100", "next_spend_daily", "200")
	has("orders", "what", "cancelled", "reason", "by_owner", "price", "13")
	has("orders", "what", "kept")
	has("conversions", "reference", "change")
	has("standing", "what", "trading", "halted", true)
	has("cases", "status", "open", "contested", true)
	has("findings", "signal", "shared_device", "mode", "enforce")
	has("acts", "act", "halt-person")
	has("links", "world", "arena", "person", h.otherPersonID)
	has("accounts", "asset", "GOLD", "purpose", "main")
	has("postings", "asset", "TIME", "kind", "purchase")
	has("holds", "what", "placed", "reference", "")
	// The balance of each account is what its last posting came to.
	for _, account := range tables["accounts"] {
		for _, posting := range tables["postings"] {
			if posting["account"] == account["account"] {
				if posting["balance"] != account["balance"] {
					t.Errorf("account %v is at %v, its last posting at %v", account["account"], account["balance"], posting["balance"])
				}
				break
			}
		}
	}
	for _, foreign := range []string{"eve", "mallory", "arena-1", h.person, h.operator} {
		if bytes.Contains(answer.Body.Bytes(), []byte(`"`+foreign+`"`)) {
			t.Errorf("%s stands in the export of alice", foreign)
		}
	}
}

// The archive has the same rows, and a file for people who read.
func TestExportAsCSV(t *testing.T) {
	h := aLife(t)
	tables, _ := exportedTables(t, h.do("GET", "/v1/people/me/export?format=json", h.person, "").Body.Bytes())
	answer := h.do("GET", "/v1/people/me/export?format=csv", h.person, "")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/zip" || !strings.Contains(answer.Header().Get("Content-Disposition"), h.personID+".zip") {
		t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	archive, err := zip.NewReader(bytes.NewReader(answer.Body.Bytes()), int64(answer.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
		name, isTable := strings.CutSuffix(f.Name, ".csv")
		if !isTable {
			continue
		}
		file, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(file).ReadAll()
		if err != nil || len(lines) != 1+len(tables[name]) {
			t.Errorf("%s has %d lines, %v; rows are %d", f.Name, len(lines), err, len(tables[name]))
		}
		for i, row := range tables[name] {
			for j, field := range lines[0] {
				if value, isText := row[field].(string); isText && strings.TrimPrefix(lines[i+1][j], "'") != value {
					t.Errorf("%s of row %d of %s is %q, in JSON %q", field, i, name, lines[i+1][j], value)
				}
			}
		}
	}
	for _, name := range []string{"README.txt", "manifest.json", "complete.json", "events.csv"} {
		if !slices.Contains(names, name) {
			t.Errorf("there is no %s among %v", name, names)
		}
	}
}

// An operator's export is on the trail, also in the next one; a world gets none.
func TestWhoGetsAnExport(t *testing.T) {
	h := newHolding(t)
	h.following()
	path := "/v1/people/" + h.personID + "/export"
	tables, _ := exportedTables(t, h.do("GET", path, h.operator, "").Body.Bytes())
	for _, day := range tables["days"] {
		if day["blind"] != "" {
			t.Errorf("an operator is told what opens a commitment: %v", day)
		}
	}
	tables, _ = exportedTables(t, h.do("GET", path, h.person, "").Body.Bytes())
	if acts := tables["acts"]; len(acts) == 0 || acts[0]["act"] != "export-person" || acts[0]["about"] != "person="+h.personID {
		t.Errorf("the trail of alice is %v", tables["acts"])
	}
	if line := h.trail("operation=export-person"); len(line) != 1 || line[0]["target"] != "person="+h.personID {
		t.Errorf("the trail is %v", line)
	}
	h.refused(http.StatusForbidden, "role_forbidden", "GET", path, h.serverKey, "")
	h.refused(http.StatusForbidden, "not_yours", "GET", path, h.otherPerson, "")
	h.refused(http.StatusForbidden, "role_forbidden", "GET", "/v1/people/me/export", h.token.sign(h.stack), "")
	h.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", "/v1/people/me/export?format=xml", h.person, "")
	h.refused(http.StatusNotFound, "not_found", "GET", "/v1/people/7ba0/export", h.operator, "")
	for range maxExports {
		h.server.exporting <- struct{}{}
	}
	h.refused(http.StatusTooManyRequests, "too_many_exports", "GET", path, h.person, "")
	for range maxExports {
		<-h.server.exporting
	}
	h.ok("DELETE", "/v1/people/me/personal-data", h.person, "")
	h.refused(http.StatusGone, "erased", "GET", path, h.operator, "")
}

// following lets the history follow by itself, as it does while the bank serves.
func (s *stack) following() {
	s.server.patience = time.Minute
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.follower.Run(ctx)
	}()
	s.Cleanup(func() { stop(); <-done })
}

// brokenHistory fails where postings are read.
type brokenHistory struct{ History }

func (brokenHistory) Statement(context.Context, uint64, history.StatementQuery) ([]history.Entry, error) {
	return nil, errors.New("the disk is gone")
}

// An export that breaks off is cut off, so that nobody takes it for whole.
func TestExportThatBreaksOff(t *testing.T) {
	h := newHolding(t)
	h.server.History = brokenHistory{h.server.History}
	on := h.listen()
	request, err := http.NewRequest("GET", on.URL+"/v1/people/me/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.person)
	var text []byte
	response, err := http.DefaultClient.Do(request)
	if err == nil { // else it broke off before the first byte
		defer response.Body.Close()
		text, err = io.ReadAll(response.Body)
	}
	if err == nil || json.Valid(text) || len(h.faults) != 1 {
		t.Errorf("the answer ended with %v, %d bytes; faults %v", err, len(text), h.faults)
	}
	if len(h.server.exporting) != 0 {
		t.Error("its place is not free again")
	}
}

// What is reported and done while an export is written is not in it.
func TestExportIsOfOneRecord(t *testing.T) {
	h := newHolding(t)
	hold := h.placed(`{"account":"` + h.own["person"]["account"] + `","beneficiary":"` + h.own["server"]["account"] + `","amount":"0.5"}`)
	h.catchUp()
	x := &exported{server: h.server, ctx: t.Context(), own: true}
	var err error
	if x.subject, err = h.server.Identity.Subject(t.Context(), 1); err != nil || personText(x.subject.Person) != h.personID {
		t.Fatalf("subject 1 is %+v, %v", x.subject, err)
	}
	if err := x.begin(); err != nil {
		t.Fatal(err)
	}
	rows := func() (list []string) {
		for _, table := range x.tables() {
			switch table.Name {
			case "person", "metering", "days", "slices", "consents":
				continue // as it is when it is read
			}
			err := table.Rows(func(row ...any) error { list = append(list, fmt.Sprint(table.Name, row)); return nil })
			if err != nil {
				t.Fatal(table.Name, err)
			}
		}
		return list
	}
	before := rows()
	h.ok("POST", "/v1/purchases", h.person, `{"world":"cafe","product":"song","quantity":1,"max_total":"1"}`)
	h.ok("POST", "/v1/purchases/2/outcome", h.serverKey, `{"delivered":true}`)
	h.ok("POST", "/v1/holds/"+hold+"/settle", h.serverKey, `{"amount":"0.25","final":false}`)
	h.ok("POST", "/v1/listings/1/cancel", h.person, `{}`)
	h.ok("POST", "/v1/track", h.serverKey, `{"userId":"alice","event":"Jumped","messageId":"after"}`)
	h.ok("PUT", "/v1/people/"+h.personID+"/trading", h.operator, `{"halted":true}`)
	h.ok("POST", "/v1/people/me/cases/"+h.own["person"]["case"]+"/appeal", h.person, `{"text":"after"}`)
	h.catchUp()
	if after := rows(); !slices.Equal(before, after) {
		for _, row := range after {
			if !slices.Contains(before, row) {
				t.Errorf("not of the record: %s", row)
			}
		}
	}
}

// A year of events is sent as it is read.
func TestExportOfAYearIsBounded(t *testing.T) {
	s := newStack(t)
	const perDay = 40
	for range 365 {
		batch := ""
		for i := range perDay {
			batch += fmt.Sprintf(`,{"type":"track","event":"heartbeat","userId":"alice","messageId":"y-%d-%d","timestamp":"%s","properties":{"where":"%s"}}`, s.nowMS, i, timeText(s.nowMS-int64(i)*10_000), strings.Repeat("x", 100))
		}
		s.ok("POST", "/v1/batch", s.serverKey, `{"batch":[`+batch[1:]+`]}`)
		s.nowMS += 24 * 60 * 60 * 1000
	}
	s.following()
	x := &exported{server: s.server, ctx: t.Context(), own: true}
	subjects, err := s.server.Identity.SubjectsOf(t.Context(), mustPerson(t, s.personID))
	if err != nil {
		t.Fatal(err)
	}
	x.subject = subjects[0]
	if err := x.begin(); err != nil {
		t.Fatal(err)
	}
	// Each row is written before the next is made: none waits for another.
	largest, total := 0, 0
	counted := writerFunc(func(p []byte) (int, error) { largest, total = max(largest, len(p)), total+len(p); return len(p), nil })
	if err := export.WriteJSON(counted, x.manifest(), x.tables()); err != nil {
		t.Fatal(err)
	}
	if total < 365*perDay*300 || largest > 64<<10 {
		t.Errorf("%d bytes were written, at most %d at once", total, largest)
	}
	days := 0
	if err := x.ownDays(x.subject.Number, collect.PersonPart, func(int32) error { days++; return nil }); err != nil || days < 365 {
		t.Errorf("of %d days, %v", days, err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func mustPerson(t *testing.T, text string) [16]byte {
	t.Helper()
	id, err := parsePerson(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
