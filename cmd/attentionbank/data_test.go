package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/amount"
)

// realData returns the folder of a real data set; a test that needs one is
// skipped, with the reason, where it is not there.
func realData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("ATTENTIONBANK_TESTDATA")
	if root == "" {
		root = "../../../shared/data"
	}
	folder := filepath.Join(root, name)
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the data set %s is not under %s; set ATTENTIONBANK_TESTDATA to the folder of data sets", name, root)
	}
	return folder
}

// command runs the program's command line in this process.
func command(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(&environment{context.Background(), strings.NewReader(stdin), &out, &errs}, args)
	return status, out.String(), errs.String()
}

// scored runs the score command on files and returns its lines by person.
func scored(t *testing.T, args ...string) map[string]map[string]string {
	t.Helper()
	status, stdout, stderr := command(t, "", append([]string{"score"}, args...)...)
	if status != 0 {
		t.Fatalf("score %v: exit %d\n%s", args, status, stderr)
	}
	return byPerson(t, stdout)
}

func byPerson(t *testing.T, text string) map[string]map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]map[string]string{}
	for _, row := range rows[1:] {
		people[row[0]] = map[string]string{}
		for i, name := range rows[0] {
			people[row[0]][name] = row[i]
		}
	}
	return people
}

// total adds up a column exactly, at a scale.
func total(t *testing.T, people map[string]map[string]string, column string, scale int) (sum int64) {
	t.Helper()
	for person, row := range people {
		value, err := amount.Parse(row[column], scale)
		if err != nil {
			t.Fatalf("%s of %s: %q: %v", column, person, row[column], err)
		}
		sum += value
	}
	return sum
}

// readTable reads a table as the tests' own reference: every row by column.
func readTable(t *testing.T, path string, space bool) (rows []map[string]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	if space {
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > 0 {
				lines = append(lines, fields)
			}
		}
	} else {
		reader := csv.NewReader(bytes.NewReader(text))
		reader.FieldsPerRecord, reader.LazyQuotes = -1, true
		if lines, err = reader.ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, value := range line {
			if i < len(lines[0]) {
				row[lines[0][i]] = value
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func micro(t *testing.T, text string) int64 {
	t.Helper()
	value, err := amount.Parse(text, 6)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

func equal(t *testing.T, what string, got, want int64) {
	t.Helper()
	if got != want || want == 0 {
		t.Errorf("%s: %d, expected %d", what, got, want)
	}
}

func TestSteamHoursAreConserved(t *testing.T) {
	file := filepath.Join(realData(t, "beh-steam-play"), "steam-200k.play-only.csv")
	people := scored(t, file, "--map", "person=user-id,hours=value")
	var hoursMicro int64
	users := map[string]bool{}
	for _, row := range readTable(t, file, false) {
		hoursMicro += micro(t, row["value"])
		users[row["user-id"]] = true
	}
	equal(t, "users", int64(len(people)), int64(len(users)))
	equal(t, "seconds", total(t, people, "T_seconds", 0), hoursMicro*3600/1_000_000)
	equal(t, "points", total(t, people, "A", 6), hoursMicro*30)
	requireOrderAndRepetitionDoNotMatter(t, numbered(t, file, ","), "person=user-id,hours=value,id=number")
}

func TestCDNOWDollarsAndItemsAreConserved(t *testing.T) {
	file := filepath.Join(realData(t, "beh-cdnow-half"), "CDNOW.id1-11785.txt")
	people := scored(t, file, "--delimiter", "space", "--map", "person=customer_id,time=date,interactions=number_of_cds,spend=dollar_value")
	var items, cents int64
	for _, row := range readTable(t, file, true) {
		items += micro(t, row["number_of_cds"])
		cents += micro(t, row["dollar_value"]) / 10_000
	}
	equal(t, "items", total(t, people, "I", 6), items)
	equal(t, "cents", total(t, people, "C", 2), cents)
	requireOrderAndRepetitionDoNotMatter(t, numbered(t, file, " "), "person=customer_id,time=date,interactions=number_of_cds,spend=dollar_value,id=number", "--delimiter", "space")
}

// numbered gives every line of a table that has no ids its number as one, and
// returns where the new table is.
func numbered(t *testing.T, file, delimiter string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if i == 0 {
			out.WriteString("number" + delimiter + line + "\n")
			continue
		}
		fmt.Fprintf(&out, "%d%s%s\n", i, delimiter, line)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestREES46PurchasesAreConserved(t *testing.T) {
	file := filepath.Join(realData(t, "beh-rees46-oct-5k"), "2019-Oct.head.csv")
	mapping := "person=user_id,time=event_time,type=event_type,spend=price,id=event_time+event_type+product_id+user_id+user_session"
	people := scored(t, file, "--map", mapping)
	seen := map[string]bool{}
	var cents, events int64
	for _, row := range readTable(t, file, false) {
		id := strings.Join([]string{row["event_time"], row["event_type"], row["product_id"], row["user_id"], row["user_session"]}, "|")
		if seen[id] {
			continue
		}
		seen[id] = true
		if row["event_type"] == "purchase" {
			cents += micro(t, row["price"]) / 10_000
		} else {
			events++
		}
	}
	equal(t, "cents of purchases", total(t, people, "C", 2), cents)
	equal(t, "views and carts", total(t, people, "I", 6), events*1_000_000)
	requireOrderAndRepetitionDoNotMatter(t, file, mapping)
}

// requireOrderAndRepetitionDoNotMatter sends every line twice, shuffled.
func requireOrderAndRepetitionDoNotMatter(t *testing.T, file, mapping string, flags ...string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := strings.Cut(string(text), "\n")
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	lines = append(lines, lines...)
	rand.New(rand.NewPCG(7, 7)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	score := func(stdin, file string) (int, string, string) {
		return command(t, stdin, append([]string{"score", file, "--map", mapping}, flags...)...)
	}
	_, straight, _ := score("", file)
	status, shuffled, stderr := score(header+"\n"+strings.Join(lines, "\n"), "-")
	if status != 0 || shuffled != straight || strings.Count(straight, "\n") < 2 {
		t.Errorf("every line twice and shuffled gives another result: exit %d %s", status, stderr)
	}
}

func TestCookieCatsRoundsAreInteractions(t *testing.T) {
	file := filepath.Join(realData(t, "beh-cookie-cats"), "cookie_cats.csv")
	people := scored(t, file, "--map", "person=userid,interactions=sum_game_rounds,id=userid")
	var rounds int64
	for _, row := range readTable(t, file, false) {
		rounds += micro(t, row["sum_game_rounds"])
	}
	equal(t, "rounds", total(t, people, "I", 6), rounds)
	requireOrderAndRepetitionDoNotMatter(t, file, "person=userid,interactions=sum_game_rounds,id=userid")
}

func TestBitcoinOTCRatingsAreInteractions(t *testing.T) {
	file := filepath.Join(realData(t, "beh-bitcoin-otc-trust"), "soc-sign-bitcoinotc.csv")
	people := scored(t, file, "--map", "person=source,time=timestamp,id=source+target+timestamp")
	equal(t, "ratings", total(t, people, "I", 6), int64(len(readTable(t, file, false)))*1_000_000)
	requireOrderAndRepetitionDoNotMatter(t, file, "person=source,time=timestamp,id=source+target+timestamp")
}

// Real media events: T is the union of what each event covers, 30 seconds by
// the default policy, whatever the player reported in between. A third party
// found plays in the same events: whoever played was present.
func TestSnowplowMediaTime(t *testing.T) {
	folder := realData(t, "beh-snowplow-media-player")
	file := filepath.Join(folder, "source", "snowplow_media_player_events.csv")
	const mapping = "person=domain_userid,time=collector_tstamp,type=event_name,id=event_id"
	people := scored(t, file, "--map", mapping)
	requireOrderAndRepetitionDoNotMatter(t, file, mapping)
	buckets := map[string]map[int64]bool{}
	for _, row := range readTable(t, file, false) {
		at, err := time.Parse("2006-01-02 15:04:05.999", row["collector_tstamp"])
		if err != nil {
			t.Fatal(err)
		}
		user := row["domain_userid"]
		if buckets[user] == nil {
			buckets[user] = map[int64]bool{}
		}
		for ms := at.UnixMilli(); ms < at.UnixMilli()+30_000; ms++ {
			buckets[user][ms/10_000] = true
		}
	}
	equal(t, "users", int64(len(people)), int64(len(buckets)))
	for user, row := range people {
		if got, want := row["T_seconds"], fmt.Sprint(len(buckets[user])*10); got != want {
			t.Errorf("user %s was present %s s, bucket by bucket %s s", user, got, want)
		}
	}
	plays := readTable(t, filepath.Join(folder, "expected", "postgres", "snowplow_media_player_base_expected.csv"), false)
	equal(t, "plays", int64(len(plays)), 44)
	for _, play := range plays {
		if user := play["domain_userid"]; play["is_played"] == "true" && len(buckets[user]) < 3 {
			t.Errorf("user %s played and was present %d s", user, len(buckets[user])*10)
		}
	}
}

// An import goes the whole way: history in, points posted, and again without
// effect; fsck finds nothing.
func TestImportConservesSpend(t *testing.T) {
	file := filepath.Join(realData(t, "beh-rees46-oct-5k"), "2019-Oct.head.csv")
	folder := t.TempDir()
	args := []string{"import", file, "--world", "shop", "--data", folder,
		"--map", "person=user_id,time=event_time,type=event_type,spend=price,id=event_time+event_type+product_id+user_id+user_session"}
	status, first, stderr := command(t, "", args...)
	if status != 0 || !strings.Contains(first, "5016 accepted, 3 duplicate") {
		t.Fatalf("exit %d: %s%s", status, first, stderr)
	}
	status, second, stderr := command(t, "", args...)
	if status != 0 || !strings.Contains(second, "5019 duplicate, 0 person-days posted") {
		t.Errorf("again: exit %d: %s%s", status, second, stderr)
	}
	status, checked, stderr := command(t, "", "fsck", "--data", folder)
	if status != 0 {
		t.Errorf("fsck: exit %d: %s%s", status, checked, stderr)
	}
	last, _, _ := strings.Cut(checked, " records")
	// What the bank has posted is what the score command computes by the same
	// policy: the import's default has no caps.
	policy := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(policy, []byte("refund_window_days: 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	people := scored(t, file, "--policy", policy, "--map", args[len(args)-1])
	want := total(t, people, "A", 6)
	_, state, _ := command(t, "", "replay", "--data", folder, "--to", last)
	if !strings.Contains(state, amount.Format(want, 6)) {
		t.Errorf("the score command computes %s points, the bank shows\n%s", amount.Format(want, 6), state)
	}
}

// What docs/calibration.md says of two data sets.
func TestCalibrationSaysWhatTheDocumentSays(t *testing.T) {
	cookies := filepath.Join(realData(t, "beh-cookie-cats"), "cookie_cats.csv")
	orders := filepath.Join(realData(t, "beh-cdnow-half"), "CDNOW.id1-11785.txt")
	shop := []string{orders, "--delimiter", "space", "--map", "person=customer_id,time=date,interactions=number_of_cds,spend=dollar_value", "--until", "1997-10-01"}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{cookies, "--map", "person=userid,interactions=sum_game_rounds,outcome=retention_7"}, []string{"0.0211755", "AUC 0.890 (0.883 to 0.896), log-loss 0.3315 (0.4800 for the mean)"}},
		{shop, []string{"9.987827", "0.373846", "AUC 0.729 (0.708 to 0.751)", "before 0.726"}},
		{append(shop[:len(shop):len(shop)], "--outcome", "spend"), []string{"6.998459", "0.571131", "R² 0.269 (0.171 to 0.345)", "before 0.395"}},
	} {
		status, _, summary := command(t, "", append([]string{"calibrate", "--resamples", "20"}, c.args...)...)
		for _, text := range c.says {
			if status != 0 || !strings.Contains(summary, text) {
				t.Errorf("calibrate %v: exit %d, expected %q in\n%s", c.args, status, text, summary)
			}
		}
	}
}
