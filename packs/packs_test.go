package packs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/packs"
	"github.com/attentionbank/attentionbank/score"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// published are the packs as they were published. A line is added for a new
// version and never changed: policies that name a pack have been published too.
var published = map[string]string{
	"game-1":         "3b3a99ffb50f064f8dc597ebb6280f2f534b135e0a03ca580d72e3f15b4dddd9",
	"social-1":       "6814428e86237a3c86dece40cfd226674e542ce8d5291ceb9e5c32f86289ecd1",
	"virtual-land-1": "90ad9350ffd91abf40699ea9490b99aab29b368a6f4b1ffb623cef3d97be48ec",
	"vr-venue-1":     "abd5b417a2b9b7c37dcb2ebaac1a9b94fb656b9e336598fb0a22a8f25997e253",
}

func TestPublishedPacksNeverChange(t *testing.T) {
	for _, name := range packs.Names() {
		text, err := packs.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != published[name] {
			t.Errorf("%s has SHA-256 %s; make a new version of a pack that was published", name, sum)
		}
	}
	for name := range published {
		if _, err := packs.Text(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(packs.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("pack.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("pack.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// The schema and the program accept and refuse the same texts.
func TestSchemaAndProgramAgree(t *testing.T) {
	rules := schema(t)
	bySchema := func(text string) error {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return err
		}
		plain, err := json.Marshal(value)
		if err != nil {
			return err
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
		if err != nil {
			return err
		}
		return rules.Validate(document)
	}
	for _, name := range packs.Names() {
		text, err := packs.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := bySchema(string(text)); err != nil {
			t.Errorf("%s by the schema: %v", name, err)
		}
		if _, err := score.ParsePack(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(string(text), "\npack: "+name+"\n") {
			t.Errorf("%s does not name itself", name)
		}
		if policy, err := score.ParsePolicy([]byte("pack: " + name)); err != nil || policy.Pack != name {
			t.Errorf("%s in a policy: %v", name, err)
		}
	}
	pack := func(events string) string {
		return "pack: game-9\ntitle: t\ndescription: d\nclients: [{name: n, source: s}]\ncurrency: USD\nevents: " + events + "\n"
	}
	for _, test := range []struct {
		events string
		good   bool
	}{
		{`{jump: {presence_seconds: 30, weight: 1.5}}`, true},
		{`{jump: [{where: {kind: high}, weight: 2}, {where: {kind: [low, flat]}}, {spend: price}]}`, true},
		{`{jump: {}}`, true},
		{`{}`, false},
		{`{jump: []}`, false},
		{`{jump: 7}`, false},
		{`{jump: {presence: 30}}`, false},
		{`{jump: {presence_seconds: 3601}}`, false},
		{`{jump: {weight: -1}}`, false},
		{`{jump: {weight: 1001}}`, false},
		{`{jump: {spend: a, refund: b}}`, false},
		{`{jump: {where: {kind: []}}}`, false},
		{`{jump: {where: {a: x, b: x, c: x, d: x, e: x, f: x, g: x, h: x, i: x}}}`, false},
	} {
		text := pack(test.events)
		if err := bySchema(text); (err == nil) != test.good {
			t.Errorf("%s by the schema: %v", test.events, err)
		}
		if _, err := score.ParsePack([]byte(text)); (err == nil) != test.good {
			t.Errorf("%s: %v", test.events, err)
		}
	}
	for _, text := range []string{"", "pack: game-9\n", strings.Replace(pack(`{jump: {}}`), "game-9", "game", 1), pack(`{jump: {}}`) + "more: 1\n"} {
		if _, err := score.ParsePack([]byte(text)); err == nil || bySchema(text) == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// recorded are requests that real clients made (e2e/node/record.mjs).
type recorded struct {
	Path string
	Body json.RawMessage
}

func (r recorded) decode() (event.Batch, error) {
	switch r.Path {
	case "/v1/batch":
		return event.DecodeBatch(r.Body)
	case "/com.snowplowanalytics.snowplow/tp2":
		return event.DecodeSnowplow(r.Body)
	case "/e/", "/batch/":
		return event.DecodePostHog(r.Body)
	}
	e, key, err := event.DecodeSegment(r.Body)
	return event.Batch{WriteKey: key, Items: []event.Item{{Event: e, Err: err}}}, nil
}

// meaning writes what an event means as name: presence s, weight, spend.
func meaning(o score.Observation) string {
	text := fmt.Sprintf("%ds", (o.UntilMS-o.FromMS)/1000)
	if o.WeightMicro > 0 {
		text += fmt.Sprintf(" weight %d", o.WeightMicro/score.Micro)
	}
	if o.SpendMinor > 0 {
		text += fmt.Sprintf(" spend %d", o.SpendMinor)
	}
	return text
}

// What real clients send, read by each pack.
func TestPacksFitWhatClientsSend(t *testing.T) {
	for pack, want := range map[string]string{
		"virtual-land-1": `
			move_to_parcel: 30s weight 1
			walked_distance: 30s
			used_emote: 30s weight 1
			chat_message_sent: 30s weight 2
			chat_message_sent: 30s
			chat_conversation_opened: 30s
			successful_gift: 30s weight 2
			donation_ended: 30s weight 2
			donation_ended: 0s
			performance_report: 0s
			time_spent_in_world: 0s
			identify: 0s
			Shop Completed Purchase: 30s spend 150
			Shop Completed Purchase: 30s`,
		"social-1": `
			identify: 0s
			page: 30s
			Composer: 30s weight 2
			Composer: 30s
			PollVote: 30s weight 1
			JoinedRoom: 30s weight 1
			CallStarted: 30s weight 2
			CallEnded: 30s
			PerformanceTimer: 0s`,
		"vr-venue-1": `
			identify: 0s
			enteredRoom: 30s weight 1
			wa-emote-launch: 30s weight 1
			wa-entered-meeting-room: 30s weight 1
			wa_spontaneous_discussion: 30s weight 2
			wa_start_megaphone: 30s weight 2
			wa_setting_camera: 0s
			page: 30s
			play_event: 30s weight 1
			page_ping: 10s
			ping_event: 30s
			page_ping: 10s
			pause_event: 0s`,
		"game-1": `
			identify: 0s
			game_started: 60s weight 2
			player_died: 30s weight 1
			tx_reverted: 0s
			player-connected: 60s weight 1
			player-disconnected: 0s
			Order Completed: 0s spend 499`,
	} {
		policy, err := score.ParsePolicy([]byte("pack: " + pack))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join("testdata", pack+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var requests []recorded
		if err := json.Unmarshal(text, &requests); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, request := range requests {
			batch, err := request.decode()
			if err != nil || batch.WriteKey == "" && request.Path != "/v1/batch" {
				t.Fatalf("%s: %s: key %q, %v", pack, request.Path, batch.WriteKey, err)
			}
			for _, item := range batch.Items {
				e := item.Event
				if item.Err != nil || e.MessageID == "" || e.TimeMS == 0 || e.UserID != "alice" {
					t.Errorf("%s: %+v, %v", pack, e, item.Err)
				}
				got = append(got, e.Type+": "+meaning(policy.Observe(&e, e.TimeMS)))
			}
		}
		if want = strings.ReplaceAll(strings.TrimSpace(want), "\t", ""); strings.Join(got, "\n") != want {
			t.Errorf("%s reads\n%s\nexpected\n%s", pack, strings.Join(got, "\n"), want)
		}
	}
}

// A stage's player that others have recorded: what plays is presence, what
// pauses is not.
func TestVenueReadsRecordedMedia(t *testing.T) {
	dir := os.Getenv("ATTENTIONBANK_TESTDATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	file, err := os.Open(filepath.Join(dir, "beh-snowplow-media-player", "source", "snowplow_media_player_event_context.csv"))
	if err != nil {
		t.Skipf("no recorded media events: %v; set ATTENTIONBANK_TESTDATA to the folder of test data", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := score.ParsePolicy([]byte("pack: vr-venue-1"))
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	present := map[bool]int{}
	for _, row := range rows[1:] {
		kind := row[column["type"]]
		e := event.Event{Call: event.Track, Type: row[column["schema_name"]], UserID: "u", Properties: []event.Property{{Name: "type", Value: kind}}}
		o := policy.Observe(&e, 0)
		plays := kind == "play" || kind == "playing" || kind == "percentprogress"
		if (o.UntilMS > 0) != plays {
			t.Errorf("%s covers %d ms", kind, o.UntilMS)
		}
		present[plays]++
	}
	if present[true] != 235+7+31 || present[false] != 867-235-7-31 {
		t.Errorf("the file has %v events that play and that do not", present)
	}
}
