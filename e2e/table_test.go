package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/clients.md as the test sees it")

// clientCase is one client in one predicament.
type clientCase struct {
	Name    string   `json:"name"`
	Host    string   `json:"host"`
	User    string   `json:"user"`
	Devices int      `json:"devices"`
	SkewMS  int64    `json:"skewMS"`
	Times   []*int64 `json:"times"` // ms; nil is now by the client's clock
	// Drops says that the client will drop some of the events.
	Drops bool `json:"drops"`

	network *network
}

// said is what a client said of the events of a case.
type said struct {
	Name         string
	Acknowledged int
	Again        int // how often the program had to give events again
}

// predicaments are the columns of the table.
var predicaments = []struct {
	name    string
	fault   string // of the network, once
	devices int
	skew    time.Duration
	ago     time.Duration // since the events happened; 0 is now
}{
	{"nothing", "", 1, 0, 20 * time.Minute},
	{"429, Retry-After", "429", 1, 0, 20 * time.Minute},
	{"503", "503", 1, 0, 20 * time.Minute},
	{"cut after commit", "cut", 1, 0, 20 * time.Minute},
	{"clock 5 min ahead", "", 1, 5 * time.Minute, 0},
	{"clock 5 min behind", "", 1, -5 * time.Minute, 0},
	{"6 days late", "", 1, 0, 6*24*time.Hour + 20*time.Minute},
	{"two devices", "", 2, 0, 20 * time.Minute},
}

const caseEvents = 6 // of each device, a minute apart

// client is a row of the table.
type client struct {
	name   string
	module string // under node_modules, for those that Node runs
	drive  string // its name in drive.mjs
	key    func(b *bank) string
	// inGo sends a case; nil for those that Node runs.
	inGo func(t *testing.T, key string, c clientCase) said
	// flushes says that the client sends again with its next event or flush, for
	// which the program asks.
	flushes bool
	// drops429 says that the client drops what is refused with 429.
	drops429 bool
	// browser says that Node drives a browser, whose pages have clocks of their own.
	browser bool
}

func serverKey(b *bank) string { return b.server }
func writeKey(b *bank) string  { return b.write }

var tableClients = []client{
	{name: "@segment/analytics-node", module: "@segment/analytics-node", drive: "segment-node", key: serverKey},
	{name: "@segment/analytics-next, in Chromium", module: "@segment/analytics-next", drive: "segment-browser", key: writeKey, browser: true},
	{name: "@segment/analytics-next, in batches", module: "@segment/analytics-next", drive: "segment-browser-batch", key: writeKey, browser: true},
	{name: "analytics-node", module: "analytics-node", drive: "segment-node-old", key: serverKey},
	{name: "@rudderstack/rudder-sdk-node", module: "@rudderstack/rudder-sdk-node", drive: "rudderstack", key: serverKey},
	{name: "segmentio/analytics-go", key: serverKey, inGo: sendSegmentGo},
	{name: "cloudevents/sdk-go", key: serverKey, inGo: sendCloudEventsGo},
	{name: "cloudevents (npm)", module: "cloudevents", drive: "cloudevents", key: serverKey},
	{name: "@snowplow/browser-tracker, in Chromium", module: "@snowplow/browser-tracker", drive: "snowplow-browser", key: writeKey, browser: true, flushes: true},
	{name: "@snowplow/node-tracker", module: "@snowplow/node-tracker", drive: "snowplow-node", key: writeKey, flushes: true},
	{name: "@snowplow/node-tracker, by GET", module: "@snowplow/node-tracker", drive: "snowplow-node-get", key: writeKey, flushes: true},
	{name: "posthog-node", module: "posthog-node", drive: "posthog-node", key: writeKey},
	{name: "posthog-js, in Chromium", module: "posthog-js", drive: "posthog-browser", key: writeKey, browser: true, drops429: true},
}

// Every client in every predicament: nothing is counted twice, nothing that was
// acknowledged is lost, and docs/clients.md says what was seen.
func TestClientsInEveryPredicament(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	began := time.Now()
	cases, answers := make([][]clientCase, len(tableClients)), make([][]said, len(tableClients))
	var sending sync.WaitGroup
	places := make(chan struct{}, 5)                  // clients at a time; they mostly wait
	for i, c := range slices.Backward(tableClients) { // the last take longest
		if c.module != "" {
			if _, err := os.Stat("node/node_modules/" + c.module); err != nil {
				t.Skipf("%s is not installed; make test installs it (cd e2e/node && npm ci)", c.module)
			}
		}
		if path := chromium(); c.browser && path == "" {
			t.Skip("there is no Chromium for the clients of browsers; make test installs it (e2e/install-chromium)")
		}
		cases[i] = c.cases(t, b, began)
		sending.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			start := time.Now()
			answers[i] = c.send(t, b, cases[i])
			t.Logf("%s took %s", c.name, time.Since(start).Round(time.Millisecond))
		})
	}
	sending.Wait()
	rows := make([][]string, len(tableClients))
	for i, c := range tableClients {
		rows[i] = []string{c.name}
		for j, test := range cases[i] {
			at := slices.IndexFunc(answers[i], func(a said) bool { return a.Name == test.Name })
			if at < 0 {
				t.Errorf("%s, %s: there is no answer", c.name, test.Name)
				continue
			}
			rows[i] = append(rows[i], c.cell(t, b, test, answers[i][at], predicaments[j].ago == 0, began))
		}
	}
	if t.Failed() {
		return
	}
	b.stop()
	b.requireClean()
	table := clientTable(rows)
	const file = "../docs/clients.md"
	if *update {
		if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != table {
		t.Errorf("%s is not what the test saw, %v; run go test ./e2e -run TestClientsInEveryPredicament -update and read the difference:\n%s", file, err, table)
	}
}

// chromium returns where the browser is; empty if there is none.
func chromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// cases prepares every case of a client: its network, its user, its times.
func (c client) cases(t *testing.T, b *bank, began time.Time) (cases []clientCase) {
	for i, p := range predicaments {
		test := clientCase{Name: p.name, User: fmt.Sprintf("%s-%d", strings.NewReplacer("@", "", "/", "-", " ", "", ",", "-", "(", "-", ")", "").Replace(c.name), i),
			Devices: p.devices, SkewMS: p.skew.Milliseconds(), Drops: c.drops429 && p.fault == "429", network: newNetwork(t, b, p.fault)}
		test.Host = test.network.URL
		first := began.Add(-p.ago).Truncate(time.Minute)
		for j := range caseEvents {
			var at *int64
			if p.ago > 0 {
				ms := first.Add(time.Duration(j) * time.Minute).UnixMilli()
				at = &ms
			}
			test.Times = append(test.Times, at)
		}
		b.vouch(test.User, first.Add(-time.Hour))
		cases = append(cases, test)
	}
	return cases
}

// vouch opens sessions for a user around a time and now, as a world's server
// does for those whom it knows.
func (b *bank) vouch(user string, from time.Time) {
	for _, at := range []time.Time{from, time.Now().Add(-2 * time.Hour)} {
		b.call("POST", "/v1/worlds/cafe/sessions", b.server, fmt.Sprintf(`{"user_id":%q,"from":%q,"seconds":14400}`, user, at.UTC().Format(time.RFC3339)), http.StatusCreated, nil)
	}
}

// cell judges what became of a case and says it in a few words.
func (c client) cell(t *testing.T, b *bank, test clientCase, answer said, isNow bool, began time.Time) string {
	sent := caseEvents * test.Devices
	seen := b.seen(test.User, began)
	what := fmt.Sprintf("%s, %s", c.name, test.Name)
	if test.Drops {
		if answer.Acknowledged == sent || seen.interactions < int64(answer.Acknowledged) || seen.interactions >= int64(sent) {
			t.Errorf("%s: the client reports %d of %d as acknowledged, %d count; it was thought to drop some", what, answer.Acknowledged, sent, seen.interactions)
		}
		return "client drops"
	}
	if answer.Acknowledged != sent {
		t.Errorf("%s: the client reports %d of %d as acknowledged", what, answer.Acknowledged, sent)
	}
	if seen.interactions != int64(sent) {
		t.Errorf("%s: %d of %d count", what, seen.interactions, sent)
	}
	switch {
	case !isNow && seen.seconds != caseEvents*30: // two devices at once are one person
		t.Errorf("%s: present for %d s, expected %d", what, seen.seconds, caseEvents*30)
	case isNow && (seen.seconds < 30 || seen.seconds > caseEvents*40 || seen.last.After(time.Now())):
		t.Errorf("%s: present for %d s, until %s", what, seen.seconds, seen.last)
	}
	test.network.mu.Lock()
	defer test.network.mu.Unlock()
	if test.network.fault != "" && test.network.failed != 1 {
		t.Errorf("%s: the client never met the fault", what)
	}
	cell := fmt.Sprintf("%d of %d", seen.interactions, sent)
	switch {
	case test.network.fault == "":
	case c.flushes:
		cell += ", by a flush"
	case answer.Again > 0:
		cell += ", program again"
	default:
		cell += ", client again"
	}
	return cell
}

// present is what counts of a user.
type present struct {
	interactions, seconds int64
	last                  time.Time // begin of the last slice
}

// seen adds up a user's last days.
func (b *bank) seen(user string, began time.Time) (p present) {
	b.t.Helper()
	person := b.person(user)
	for day := began.Add(-8 * 24 * time.Hour); !day.After(time.Now().Add(24 * time.Hour)); day = day.Add(24 * time.Hour) {
		var list struct {
			Items []struct {
				PresentSeconds int64 `json:"present_seconds"`
				Slices         []struct {
					Start        string
					Interactions int64
				}
			}
		}
		name := day.UTC().Format(time.DateOnly)
		b.call("GET", "/v1/people/"+person+"/attention?day="+name, b.operator, "", http.StatusOK, &list)
		for _, item := range list.Items {
			p.seconds += item.PresentSeconds
			for _, slice := range item.Slices {
				p.interactions += slice.Interactions
				if at, err := time.Parse(time.DateOnly+" 15:04:05", name+" "+slice.Start); err == nil && at.After(p.last) {
					p.last = at
				}
			}
		}
	}
	return p
}

// send lets the client send its cases: those of one clock in one process.
func (c client) send(t *testing.T, b *bank, cases []clientCase) (answers []said) {
	if c.inGo != nil {
		for _, test := range cases {
			answers = append(answers, c.inGo(t, c.key(b), test))
		}
		return answers
	}
	if c.browser {
		return c.node(t, b, cases, 0)
	}
	bySkew := map[int64][]clientCase{}
	for _, test := range cases {
		bySkew[test.SkewMS] = append(bySkew[test.SkewMS], test)
	}
	var mu sync.Mutex
	var processes sync.WaitGroup
	for skewMS, some := range bySkew {
		processes.Go(func() {
			said := c.node(t, b, some, skewMS)
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, said...)
		})
	}
	processes.Wait()
	return answers
}

func (c client) node(t *testing.T, b *bank, cases []clientCase, skewMS int64) (answers []said) {
	input, err := json.Marshal(map[string]any{"key": c.key(b), "cases": cases})
	if err != nil {
		t.Error(err)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	arguments := []string{"drive.mjs", c.drive}
	if skewMS != 0 {
		arguments = append([]string{"--import", "./skew.mjs"}, arguments...)
	}
	script := exec.CommandContext(ctx, "node", arguments...)
	script.Dir, script.Stdin = "node", bytes.NewReader(input)
	script.Env = append(os.Environ(), fmt.Sprintf("SKEW_MS=%d", skewMS), "CHROMIUM="+chromium())
	var stdout, stderr bytes.Buffer
	script.Stdout, script.Stderr = &stdout, &stderr
	if err := script.Run(); err != nil {
		t.Errorf("%s: %v\n%s%s", c.name, err, stdout.String(), stderr.String())
		return nil
	}
	// Some clients print what they do; the answer is the last line.
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &answers); err != nil {
		t.Errorf("%s: %v: %s", c.name, err, stdout.String())
	}
	return answers
}

// clientTable writes docs/clients.md.
func clientTable(rows [][]string) string {
	var text strings.Builder
	text.WriteString(`# What existing clients do

Every client below runs unmodified against the program, behind a network that fails once. The table is written by the test that sees it
(` + "`go test ./e2e -run TestClientsInEveryPredicament -update`" + `), which fails when it sees anything else. [collect.md](collect.md) says where each client sends.

A cell says how many of the events that were sent count in the end: all, and each once, whatever the client repeats. *Client again*: the client sends
again by itself what was not acknowledged. *By a flush*: with its next event, or when the program asks for a flush. *Program again*: it tells its
program, which gives it the same events again, under the same message ids.

`)
	header := []string{"client"}
	for _, p := range predicaments {
		header = append(header, p.name)
	}
	for i, row := range slices.Concat([][]string{header, slices.Repeat([]string{"---"}, len(header))}, rows) {
		if i == 1 {
			text.WriteString("|" + strings.Join(row, "|") + "|\n")
			continue
		}
		text.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	text.WriteString(`
* *429, Retry-After* and *503* come before the bank has seen the events; *cut after commit* loses the connection after they were made durable, so what
  is sent again is told as a duplicate.
* *Clock*: events happen "now" by a clock that is off. One that is ahead is set back by as much as the client says (` + "`sentAt`, `stm`, `sent_at`" + `) or to the
  arrival; one that is behind stays as it is. No presence lies in the future. In Go the program gives the time, since the client has the machine's clock.
* *6 days late*: within the horizon of seven days, in a session that covers it.
* *Two devices* report the same six minutes at once: twice the interactions, and the presence of one person.
* Clients of browsers, and Snowplow's and PostHog's, use the public write key inside a session; the others a server key.
* cloudevents (npm) does not tell its program a status: read ` + "`success`" + ` in the answer.
* *Client drops*: PostHog's browser client does not send again what is answered with 429; none of it was acknowledged. The bank answers
  its paths with 503 instead when too many requests wait.
`)
	return text.String()
}
