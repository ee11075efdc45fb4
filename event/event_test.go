package event_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/event"
	"pgregory.net/rapid"
)

func TestDecodeSegment(t *testing.T) {
	for _, test := range []struct {
		name, json string
		want       event.Event
		err        string
	}{
		{
			name: "an order with escapes, numbers as text and nested properties left out",
			json: `{"type":"track","event":"Order Completed","userId":"u\u0031","messageId":"m-1","timestamp":"2026-01-01T00:00:01.5Z",
			 "context":{"library":{"name":"x"}},"properties":{"revenue":19.90,"currency":"USD","products":[{"id":1}],"gift":true,"note":null}}`,
			want: event.Event{Call: event.Track, Type: "Order Completed", UserID: "u1", MessageID: "m-1", TimeMS: 1767225601500,
				Properties: []event.Property{{Name: "revenue", Value: "19.90"}, {Name: "currency", Value: "USD"}, {Name: "gift", Value: "true"}}},
		},
		{
			name: "originalTimestamp stands in for timestamp",
			json: `{"type":"page","anonymousId":"a","originalTimestamp":"2026-01-01T00:00:00+08:00","sentAt":"2026-01-01T00:00:00Z"}`,
			want: event.Event{Call: event.Page, Type: "page", AnonymousID: "a", TimeMS: 1767196800000, SentMS: 1767225600000},
		},
		{name: "no person", json: `{"type":"page"}`, want: event.Event{Call: event.Page, Type: "page"}, err: "userId"},
		{name: "no event name", json: `{"type":"track","userId":"u"}`, want: event.Event{Call: event.Track, UserID: "u"}, err: "event"},
		{name: "unknown call", json: `{"type":"jump","userId":"u"}`, want: event.Event{UserID: "u"}, err: "type"},
		{name: "an id that is no string", json: `{"type":"page","userId":7,"messageId":"m"}`, want: event.Event{Call: event.Page, Type: "page", MessageID: "m"}, err: "userId"},
		{name: "a control character", json: `{"type":"page","userId":"a\u0000b"}`, want: event.Event{Call: event.Page, Type: "page"}, err: "control"},
		{name: "a long id", json: `{"type":"page","userId":"` + strings.Repeat("x", 257) + `"}`, want: event.Event{Call: event.Page, Type: "page"}, err: "257"},
		{name: "no object", json: `[1]`, err: "object"},
		{name: "no JSON", json: `{"type":`, err: "JSON"},
		{name: "too deep", json: strings.Repeat("[", 40) + strings.Repeat("]", 40), err: "deeper"},
		{name: "too many members", json: `{` + strings.Repeat(`"a":1,`, 1001) + `"b":1}`, err: "members"},
		{name: "too large", json: `{"type":"page","userId":"u","x":"` + strings.Repeat("x", event.MaxBytes) + `"}`, err: "bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _, err := event.DecodeSegment([]byte(test.json))
			if err == nil && test.err != "" || err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, expected %q", err, test.err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestDecodeBatch(t *testing.T) {
	// The key and the time may stand behind the batch, and a bad item does not
	// spoil the others.
	batch, err := event.DecodeBatch([]byte(`{"batch":[{"type":"page","userId":"u","messageId":"1"},{"type":"page","messageId":"2"},7],"writeKey":"k","sentAt":"2026-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if batch.WriteKey != "k" || len(batch.Items) != 3 || batch.Items[0].Err != nil || batch.Items[1].Err == nil || batch.Items[2].Err == nil {
		t.Errorf("got %+v", batch)
	}
	if got := batch.Items[0].Event.SentMS; got != 1767225600000 {
		t.Errorf("an item has sent time %d", got)
	}
	if batch.Items[1].Event.MessageID != "2" {
		t.Error("a bad item lost its message id")
	}
	for _, bad := range []string{`{}`, `[]`, `{"batch":{}}`, `x`, ``, `{"batch":[` + strings.Repeat("1,", event.MaxItems) + `1]}`} {
		if _, err := event.DecodeBatch([]byte(bad)); err == nil {
			t.Errorf("%.40q was accepted", bad)
		}
	}
}

func TestDecodeCallTakesTheCallFromTheEndpoint(t *testing.T) {
	for _, body := range []string{`{"userId":"u","event":"Jump"}`, `{"userId":"u","event":"Jump","type":"page"} `} {
		e, _, err := event.DecodeCall([]byte(body), event.Track)
		if err != nil || e.Call != event.Track || e.Type != "Jump" {
			t.Errorf("%s: %+v, %v", body, e, err)
		}
	}
	if _, _, err := event.DecodeCall([]byte(`{}`), event.Track); err == nil || !strings.Contains(err.Error(), "userId") {
		t.Errorf("an empty body: %v", err)
	}
}

// Payloads of real clients decode.
func TestClientFixtures(t *testing.T) {
	dir := os.Getenv("ATTENTIONBANK_TESTDATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "conf-segment", "fixtures", "*.json"))
	if len(files) == 0 {
		t.Skipf("no fixtures of clients under %s; set ATTENTIONBANK_TESTDATA to the folder of test data", dir)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		batch, err := event.DecodeBatch(body)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for i, item := range batch.Items {
			// alias carries the person as previousId and userId, group as userId.
			if item.Err != nil || item.Event.MessageID == "" {
				t.Errorf("%s item %d: %+v", filepath.Base(file), i, item)
			}
		}
	}
}

func drawEvent(t *rapid.T) event.Event {
	e := event.Event{
		Call: event.Call(rapid.IntRange(1, 6).Draw(t, "call")), Type: rapid.String().Draw(t, "type"), MessageID: rapid.String().Draw(t, "message"),
		UserID: rapid.String().Draw(t, "user"), AnonymousID: rapid.String().Draw(t, "anonymous"),
		TimeMS: rapid.Int64().Draw(t, "time"), SentMS: rapid.Int64().Draw(t, "sent"), CoversMS: rapid.Int64().Draw(t, "covers"), Count: rapid.Int64().Draw(t, "count"),
	}
	for range rapid.IntRange(0, event.MaxProperties).Draw(t, "properties") {
		e.Properties = append(e.Properties, event.Property{Name: rapid.String().Draw(t, "name"), Value: rapid.String().Draw(t, "value")})
	}
	return e
}

func TestCanonicalBytesAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		encoded := e.AppendTo(nil)
		got, err := event.Decode(encoded)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%+v came back as %+v, %v", e, got, err)
		}
		cut := rapid.IntRange(0, len(encoded)-1).Draw(t, "cut")
		if _, err := event.Decode(encoded[:cut]); err == nil {
			t.Fatalf("%d of %d bytes were decoded", cut, len(encoded))
		}
	})
}

func FuzzDecode(f *testing.F) {
	e := event.Event{Call: event.Track, Type: "x", Properties: []event.Property{{Name: "a", Value: "b"}}}
	f.Add(e.AppendTo(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		e, err := event.Decode(src)
		if err == nil && string(e.AppendTo(nil)) != string(src) {
			t.Fatal("decoded bytes are encoded differently")
		}
	})
}

// What the walk reads must be what the standard library reads.
func FuzzDecodeSegment(f *testing.F) {
	f.Add([]byte(`{"type":"track","event":"x","userId":"u","messageId":"\u00e9","properties":{"a":1,"b":"c"}}`))
	f.Add([]byte(`{"batch":[{"type":"page","userId":"u"}],"writeKey":"k"}`))
	f.Add([]byte("{\"type\" : \"page\" , \"userId\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		event.DecodeBatch(body)
		for _, call := range []event.Call{event.Track, event.Identify} {
			if e, _, err := event.DecodeCall(body, call); err == nil && e.Call != call {
				t.Fatalf("%q at the path of call %d was read as %+v", body, call, e)
			}
		}
		e, writeKey, err := event.DecodeSegment(body)
		if err != nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("accepted %q, which is no object: %v", body, err)
		}
		read := func(name string) (s string) {
			json.Unmarshal(members[name], &s)
			return s
		}
		if e.UserID != read("userId") || e.AnonymousID != read("anonymousId") || e.MessageID != read("messageId") || writeKey != read("writeKey") {
			t.Fatalf("%q was read as %+v", body, e)
		}
		if e.Call == event.Track && e.Type != read("event") {
			t.Fatalf("%q was read as %+v", body, e)
		}
		encoded := e.AppendTo(nil)
		if back, err := event.Decode(encoded); err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("canonical bytes: %v", err)
		}
	})
}

func BenchmarkDecodeSegment(b *testing.B) {
	body := []byte(`{"type":"track","event":"heartbeat","userId":"user-000123","anonymousId":"5b0c6f0e-8d58-4f0e-9d63-7c9f3f6d1a11","messageId":"5e1b8a52-0c56-4a5e-9a83-8b3f7f0a2a77","timestamp":"2026-01-01T00:00:01.500Z","context":{"library":{"name":"analytics-go","version":"3.0.0"},"app":{"name":"cafe","version":"1.2"}},"properties":{"scene":"plaza","x":12,"y":-7,"fps":60}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := event.DecodeSegment(body); err != nil {
			b.Fatal(err)
		}
	}
}

// The device that a client's context names is kept; anything else there is not.
func TestDeviceOfTheContext(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"track","event":"a","userId":"u","context":{"device":{"id":"D-1","model":"m"},"ip":"1.2.3.4"}}`: "D-1",
		`{"type":"track","event":"a","userId":"u","context":{"device":{"id":7}}}`:                                "",
		`{"type":"track","event":"a","userId":"u","context":{"device":"D-1"}}`:                                   "",
		`{"type":"track","event":"a","userId":"u","context":null}`:                                               "",
	} {
		e, _, err := event.DecodeSegment([]byte(body))
		got, found := e.Property("device_id")
		if err != nil || got != want || found != (want != "") || len(e.Properties) > 1 {
			t.Errorf("%s: device %q, %d properties, %v", body, got, len(e.Properties), err)
		}
	}
}
