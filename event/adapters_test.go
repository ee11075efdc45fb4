package event_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/event"
)

// One item, or why it cannot be read, by every adapter.
func TestAdapters(t *testing.T) {
	cloud := func(contentType string, headers ...string) func(string) (event.Batch, error) {
		h := http.Header{"Content-Type": {contentType}}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return func(body string) (event.Batch, error) { return event.DecodeCloudEvents(h.Get, []byte(body)) }
	}
	structured := cloud("application/cloudevents+json")
	snowplow := func(fields string) func(string) (event.Batch, error) {
		return func(string) (event.Batch, error) {
			return event.DecodeSnowplow([]byte(`{"schema":"s","data":[{"aid":"k","eid":"m","uid":"u",` + fields + `}]}`))
		}
	}
	posthog := func(body string) (event.Batch, error) { return event.DecodePostHog([]byte(body)) }
	selfDescribed := `{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":{"schema":"iglu:com.acme/moved/jsonschema/1-0-0","data":{"x":3,"to":{"y":1}}}}`
	quoted, _ := json.Marshal(selfDescribed)
	const ms = 1767225601500 // 2026-01-01T00:00:01.5Z
	for _, test := range []struct {
		name   string
		decode func(string) (event.Batch, error)
		body   string
		want   event.Event
		err    string
	}{
		{name: "CloudEvent, structured", decode: structured,
			body: `{"specversion":"1.0","id":"1","source":"/cafe","type":"Jumped","subject":"u","time":"2026-01-01T00:00:01.5Z","sentat":"2026-01-01T00:00:01.5Z","datacontenttype":"application/json","data":{"height":2,"at":{"x":1}}}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/cafe 1", UserID: "u", TimeMS: ms, SentMS: ms, Properties: []event.Property{{Name: "height", Value: "2"}}}},
		{name: "CloudEvent whose person is an extension", decode: structured, body: `{"specversion":"1.0","id":"1","source":"/cafe","type":"Jumped","subject":"door/7","anonymousid":"a"}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/cafe 1", AnonymousID: "a"}},
		{name: "CloudEvent in headers, percent-encoded", decode: cloud("application/json; charset=utf-8", "ce-specversion", "1.0", "ce-id", "1%25", "ce-source", "/caf%C3%A9", "ce-type", "Jumped", "ce-subject", "100%"), body: `{"height":2}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/café 1%", UserID: "100%", Properties: []event.Property{{Name: "height", Value: "2"}}}},
		{name: "CloudEvent in headers, without JSON", decode: cloud("text/xml", "ce-specversion", "1.0", "ce-id", "1", "ce-source", "/cafe", "ce-type", "Jumped", "ce-subject", "u"), body: `<x/>`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/cafe 1", UserID: "u"}},
		{name: "CloudEvents of another version", decode: structured, body: `{"specversion":"0.3","id":"1","source":"/cafe","type":"Jumped","subject":"u"}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/cafe 1", UserID: "u"}, err: "specversion"},
		{name: "CloudEvent of nobody", decode: structured, body: `{"specversion":"1.0","id":"1","source":"/cafe","type":"Jumped"}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/cafe 1"}, err: "subject"},
		{name: "CloudEvent whose source has a space", decode: structured, body: `{"specversion":"1.0","id":"1","source":"/ca fe","type":"Jumped","subject":"u"}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "/ca fe 1", UserID: "u"}, err: "source"},

		{name: "Snowplow page ping", decode: snowplow(`"e":"pp","dtm":"1767225601500","stm":"1767225601500","url":"https://x","pp_mix":"0"`),
			want: event.Event{Call: event.Track, Type: "page_ping", MessageID: "m", UserID: "u", TimeMS: ms, SentMS: ms, Properties: []event.Property{{Name: "url", Value: "https://x"}}}},
		{name: "Snowplow page view with a true time and a device", decode: snowplow(`"e":"pv","duid":"d","dtm":"5","ttm":"1767225601500"`),
			want: event.Event{Call: event.Page, Type: "page", MessageID: "m", UserID: "u", AnonymousID: "d", TimeMS: ms}},
		{name: "Snowplow structured event", decode: snowplow(`"e":"se","se_ca":"game","se_ac":"jump","se_va":"3.5"`),
			want: event.Event{Call: event.Track, Type: "jump", MessageID: "m", UserID: "u", Properties: []event.Property{{Name: "category", Value: "game"}, {Name: "value", Value: "3.5"}}}},
		{name: "Snowplow transaction", decode: snowplow(`"e":"tr","tr_id":"o1","tr_tt":"19.90","tr_cu":"USD"`),
			want: event.Event{Call: event.Track, Type: "transaction", MessageID: "m", UserID: "u", Properties: []event.Property{{Name: "order_id", Value: "o1"}, {Name: "revenue", Value: "19.90"}, {Name: "currency", Value: "USD"}}}},
		{name: "Snowplow self-described event", decode: snowplow(`"e":"ue","ue_pr":` + string(quoted)),
			want: event.Event{Call: event.Track, Type: "moved", MessageID: "m", UserID: "u", Properties: []event.Property{{Name: "x", Value: "3"}}}},
		{name: "the same in base64", decode: snowplow(`"e":"ue","ue_px":"` + base64.RawURLEncoding.EncodeToString([]byte(selfDescribed)) + `"`),
			want: event.Event{Call: event.Track, Type: "moved", MessageID: "m", UserID: "u", Properties: []event.Property{{Name: "x", Value: "3"}}}},
		{name: "Snowplow self-described event without a schema", decode: snowplow(`"e":"ue","ue_pr":"{}"`), want: event.Event{Call: event.Track, MessageID: "m", UserID: "u"}, err: "schema"},
		{name: "Snowplow kind that is none", decode: snowplow(`"e":"zz"`), want: event.Event{Call: event.Track, MessageID: "m", UserID: "u"}, err: "e: expected"},

		{name: "PostHog event", decode: posthog, body: `{"api_key":"k","batch":[{"event":"Jumped","distinct_id":"u","uuid":"m","timestamp":"2026-01-01T00:00:01.5Z","properties":{"height":2,"$lib":"posthog-node"}}],"sent_at":"2026-01-01T00:00:01.5Z"}`,
			want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "m", UserID: "u", TimeMS: ms, SentMS: ms, Properties: []event.Property{{Name: "height", Value: "2"}}}},
		{name: "PostHog identify", decode: posthog, body: `{"api_key":"k","event":"$identify","distinct_id":"u","uuid":"m","properties":{"$anon_distinct_id":"d"}}`,
			want: event.Event{Call: event.Identify, Type: "identify", MessageID: "m", UserID: "u", AnonymousID: "d"}},
		{name: "PostHog device that says so", decode: posthog, body: `{"api_key":"k","event":"$pageview","uuid":"m","properties":{"distinct_id":"d","$is_identified":false}}`,
			want: event.Event{Call: event.Page, Type: "page", MessageID: "m", AnonymousID: "d"}},
		{name: "PostHog device by its id", decode: posthog, body: `{"api_key":"k","event":"$screen","uuid":"m","properties":{"$device_id":"d","distinct_id":"d","token":"k","x":1}}`,
			want: event.Event{Call: event.Screen, Type: "screen", MessageID: "m", AnonymousID: "d", Properties: []event.Property{{Name: "x", Value: "1"}}}},
		{name: "PostHog user on a device", decode: posthog, body: `{"api_key":"k","event":"x","uuid":"m","properties":{"$device_id":"d","distinct_id":"u"}}`,
			want: event.Event{Call: event.Track, Type: "x", MessageID: "m", UserID: "u"}},
		{name: "PostHog event of nobody", decode: posthog, body: `{"api_key":"k","event":"Jumped","uuid":"m"}`, want: event.Event{Call: event.Track, Type: "Jumped", MessageID: "m"}, err: "distinct_id"},
	} {
		t.Run(test.name, func(t *testing.T) {
			batch, err := test.decode(test.body)
			if err != nil || len(batch.Items) != 1 {
				t.Fatalf("%d items, %v", len(batch.Items), err)
			}
			got := batch.Items[0]
			if got.Err == nil && test.err != "" || got.Err != nil && (test.err == "" || !strings.Contains(got.Err.Error(), test.err)) {
				t.Errorf("error %v, expected %q", got.Err, test.err)
			}
			if !reflect.DeepEqual(got.Event, test.want) {
				t.Errorf("got  %+v\nwant %+v", got.Event, test.want)
			}
		})
	}
}

// An envelope that cannot be read is an error of the whole; a bad event among
// good ones is not.
func TestAdaptersOfBatches(t *testing.T) {
	cloudBatch := func(body string) (event.Batch, error) {
		return event.DecodeCloudEvents(http.Header{"Content-Type": {"application/cloudevents-batch+json"}}.Get, []byte(body))
	}
	plain := func(body string) (event.Batch, error) {
		return event.DecodeCloudEvents(http.Header{"Content-Type": {"application/json"}}.Get, []byte(body))
	}
	snowplow := func(body string) (event.Batch, error) { return event.DecodeSnowplow([]byte(body)) }
	posthog := func(body string) (event.Batch, error) { return event.DecodePostHog([]byte(body)) }
	many := func(before, after string) string { return before + strings.Repeat("1,", event.MaxItems) + "1" + after }
	for _, test := range []struct {
		decode func(string) (event.Batch, error)
		bad    []string
	}{
		{cloudBatch, []string{``, `{}`, `x`, many(`[`, `]`), strings.Repeat("[", 40)}},
		{plain, []string{`{}`, `x`}},
		{snowplow, []string{``, `[]`, `{}`, `{"data":{}}`, many(`{"data":[`, `]}`)}},
		{posthog, []string{``, `[]`, `1`, `{"batch":{}}`, many(`{"batch":[`, `]}`)}},
	} {
		for _, bad := range test.bad {
			if _, err := test.decode(bad); err == nil {
				t.Errorf("%.40q was accepted", bad)
			}
		}
	}
	large := `"` + strings.Repeat("x", event.MaxBytes) + `"`
	for name, batch := range map[string]func() (event.Batch, error){
		"CloudEvents": func() (event.Batch, error) {
			return cloudBatch(`[7,{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"u"},{"specversion":"1.0","id":"2","source":"s","type":"t","subject":"u","data":` + large + `}]`)
		},
		"Snowplow": func() (event.Batch, error) {
			return snowplow(`{"data":[7,{"e":"pp","aid":"k","uid":"u"},{"e":"pp","aid":"k","uid":"u","page":` + large + `}]}`)
		},
		"PostHog": func() (event.Batch, error) {
			return posthog(`{"batch":[7,{"event":"x","distinct_id":"u"},{"event":"x","distinct_id":"u","properties":{"x":` + large + `}}],"api_key":"k"}`)
		},
	} {
		got, err := batch()
		if err != nil || len(got.Items) != 3 || got.Items[0].Err == nil || got.Items[1].Err != nil || got.Items[2].Err == nil {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
		if name != "CloudEvents" && got.WriteKey != "k" {
			t.Errorf("%s: the key is %q", name, got.WriteKey)
		}
	}
	two, err := snowplow(`{"data":[{"e":"pp","aid":"k","uid":"u"},{"e":"pp","aid":"other","uid":"u"}]}`)
	if err != nil || two.Items[1].Err == nil {
		t.Errorf("events under two keys: %v %+v", err, two)
	}
}

// requireBounded requires of whatever was decoded that it keeps the bounds of
// an event and comes back from its canonical bytes.
func requireBounded(t *testing.T, batch event.Batch) {
	t.Helper()
	if len(batch.Items) > event.MaxItems {
		t.Fatalf("%d events", len(batch.Items))
	}
	for _, item := range batch.Items {
		e := item.Event
		if len(e.MessageID) > event.MaxID || len(e.UserID) > event.MaxID || len(e.AnonymousID) > event.MaxID || len(e.Type) > event.MaxName || len(e.Properties) > event.MaxProperties || e.TimeMS < 0 || e.SentMS < 0 || e.CoversMS != 0 || e.Count != 0 {
			t.Fatalf("out of bounds: %+v", e)
		}
		if item.Err == nil && (e.Type == "" || e.Call == 0 || e.UserID == "" && e.AnonymousID == "") {
			t.Fatalf("accepted: %+v", e)
		}
		if back, err := event.Decode(e.AppendTo(nil)); err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("canonical bytes: %v", err)
		}
	}
}

func FuzzDecodeCloudEvents(f *testing.F) {
	f.Add("application/cloudevents+json", "", []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"u","data":{"a":1}}`))
	f.Add("application/cloudevents-batch+json", "", []byte(`[{"specversion":"1.0","id":"1","source":"/s","type":"t","userid":"u"}]`))
	f.Add("application/json", "a%20b", []byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, contentType, attribute string, body []byte) {
		h := func(name string) string {
			switch name {
			case "Content-Type":
				return contentType
			case "ce-specversion":
				return "1.0"
			}
			return attribute
		}
		if batch, err := event.DecodeCloudEvents(h, body); err == nil {
			requireBounded(t, batch)
		}
	})
}

// recordings adds the bodies that real clients sent to a path.
func recordings(f *testing.F, path string) {
	files, err := filepath.Glob("../packs/testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no recorded requests: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var requests []struct {
			Path string
			Body json.RawMessage
		}
		if err := json.Unmarshal(text, &requests); err != nil {
			f.Fatal(err)
		}
		for _, request := range requests {
			if request.Path == path {
				f.Add([]byte(request.Body))
			}
		}
	}
}

func FuzzDecodeSnowplow(f *testing.F) {
	recordings(f, "/com.snowplowanalytics.snowplow/tp2")
	f.Add([]byte(`{"schema":"s","data":[{"e":"pp","eid":"m","aid":"k","uid":"u","dtm":"1767225601500"}]}`))
	f.Add([]byte(`{"data":[{"e":"ue","duid":"d","ue_pr":"{\"data\":{\"schema\":\"iglu:a/b/c/d\",\"data\":{\"x\":1}}}"}]}`))
	f.Add([]byte(`{"data":[{"e":"ue","duid":"d","ue_px":"e30"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if batch, err := event.DecodeSnowplow(body); err == nil {
			requireBounded(t, batch)
		}
		requireBounded(t, event.DecodeSnowplowQuery(map[string]string{"e": string(body), "ue_px": string(body), "uid": string(body)}))
	})
}

func FuzzDecodePostHog(f *testing.F) {
	recordings(f, "/e/")
	f.Add([]byte(`{"api_key":"k","batch":[{"event":"x","distinct_id":"u","uuid":"m","properties":{"a":1}}],"sent_at":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"token":"k","event":"$identify","properties":{"distinct_id":"d","$is_identified":false}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if batch, err := event.DecodePostHog(body); err == nil {
			requireBounded(t, batch)
		}
	})
}
