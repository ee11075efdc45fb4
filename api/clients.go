package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// decoder reads the events of a request in the form of a kind of client.
type decoder func(r *http.Request, body []byte) (event.Batch, error)

// registerClients adds the paths that existing analytics clients send to.
func (s *server) registerClients() {
	s.registerIngest("send-batch", "/v1/batch", "Segment's batch of events", exampleBatch, segmentBatch)
	s.registerIngest("send-b", "/v1/b", "Segment's batch of events, as browsers send it", exampleBatch, segmentBatch)
	for call := event.Track; call <= event.Alias; call++ {
		name := call.String()
		s.registerIngest("send-"+name, "/v1/"+name, "Segment's "+name+" call", exampleCall(call), segmentCall(call))
		s.registerIngest("send-"+name[:1], "/v1/"+name[:1], "Segment's "+name+" call, as browsers send it", exampleCall(call), segmentCall(call))
	}
	s.registerIngest("send-cloudevents", "/v1/cloudevents", "CloudEvents 1.0: binary, structured or a batch", exampleCloudEvent, func(r *http.Request, body []byte) (event.Batch, error) {
		if secretOf(r.Header.Get("Authorization")) == "" {
			return event.Batch{}, keyMissing() // an event has no place for it
		}
		return event.DecodeCloudEvents(r.Header.Get, body)
	})
	s.registerIngest("send-snowplow", "/com.snowplowanalytics.snowplow/tp2", "Snowplow's tracker protocol 2; the application's id is the key", exampleSnowplow, func(_ *http.Request, body []byte) (event.Batch, error) {
		return event.DecodeSnowplow(body)
	})
	s.registerIngest("send-posthog-batch", "/batch/", "PostHog's batch of events", examplePostHogBatch, posthogBatch)
	s.registerIngest("send-posthog-events", "/e/", "PostHog's batch of events, as browsers send it", examplePostHogBatch, posthogBatch)
	s.registerIngest("send-posthog", "/i/v0/e/", "PostHog's single event", examplePostHog, posthogBatch)
	s.registerPixel()
	s.registerSettings()
}

func segmentBatch(_ *http.Request, body []byte) (event.Batch, error) { return event.DecodeBatch(body) }

func segmentCall(call event.Call) decoder {
	return func(_ *http.Request, body []byte) (event.Batch, error) {
		e, writeKey, err := event.DecodeCall(body, call)
		if errors.Is(err, event.ErrJSON) {
			return event.Batch{}, err
		}
		return event.Batch{WriteKey: writeKey, Items: []event.Item{{Event: e, Err: err}}}, nil
	}
}

func posthogBatch(_ *http.Request, body []byte) (event.Batch, error) {
	return event.DecodePostHog(body)
}

// dropping begins the names of operations whose clients drop what is answered
// with 429.
const dropping = "send-posthog"

// registerIngest adds an endpoint for events. It is served without huma, which
// would read a body of any declared type; it is described with it.
func (s *server) registerIngest(id, path, summary string, example any, decode decoder) {
	op := created(id, http.MethodPost, path, summary, "events")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object"}, Example: example}}}
	schema := s.huma.OpenAPI().Components.Schemas.Schema(typeOf[wire.EventsAnswer](), true, "EventsAnswer")
	s.describeIngest(&op, map[string]*huma.MediaType{"application/json": {Schema: schema}})
	// PostHog's browser client drops what is answered with any 4xx, 429 too.
	drops := strings.HasPrefix(id, dropping)
	s.handleOpen(op, func(w http.ResponseWriter, r *http.Request) error {
		answer, err := s.ingest(w, r, decode)
		if p := new(Problem); drops && errors.As(err, &p) && p.Code == "rate_limited" {
			p.Status, p.Title = http.StatusServiceUnavailable, ""
		}
		if drops && errors.Is(err, collect.ErrBusy) {
			return &Problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: "Too many requests wait. Try again in a second."}
		}
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer) // a client that has gone away sends again
		return nil
	})
}

func (s *server) describeIngest(op *huma.Operation, answer map[string]*huma.MediaType) {
	describe(op, worldServer|worldWrite|user)
	op.Description = "Any content type, gzip or not. The key stands in Basic authentication or in the body, where the client's own protocol has it. Answers: 200 with a verdict for each event once all are durable; 400 for an envelope that cannot be read; 401 for a key that is not valid; 413 for too large a body; 429 with Retry-After when too many wait (503 where the client would drop the events); 503 when nothing can be made durable."
	s.document(op, map[string]*huma.Response{"200": {Description: "Every event has a verdict.", Content: answer}}, map[string]string{
		"400": "The envelope cannot be read.", "401": "The key is not valid.", "403": "The key may not send events.", "413": "Too large.",
		"415": "The content encoding is not known.", "429": "Busy; see Retry-After.", "503": "Nothing can be made durable now.",
	})
}

// pixel is a transparent GIF of one pixel.
const pixel = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// registerPixel adds the path to which Snowplow's trackers send one event as a
// query, where they are told not to post.
func (s *server) registerPixel() {
	op := operation("send-snowplow-pixel", http.MethodGet, "/i", "Snowplow's event as a query", "events")
	for _, field := range [][2]string{{"e", "What it is: pv, pp, se, tr, ti or ue."}, {"eid", "The message id."}, {"aid", "A world's write key."}, {"uid", "The user's id."}, {"duid", "The device's id."}, {"dtm", "When it happened, ms since 1970."}, {"stm", "When it was sent."}} {
		op.Parameters = append(op.Parameters, &huma.Param{Name: field[0], In: "query", Description: field[1], Schema: &huma.Schema{Type: "string"}})
	}
	s.describeIngest(&op, map[string]*huma.MediaType{"image/gif": {}})
	s.handleOpen(op, func(w http.ResponseWriter, r *http.Request) error {
		fields := map[string]string{}
		for name, values := range r.URL.Query() {
			fields[name] = values[0]
		}
		// A secret has no place in a URL, which everyone on the way writes down.
		if r.Header.Get("Authorization") == "" {
			if err := s.isWriteKey(r.Context(), fields["aid"]); err != nil {
				return err
			}
		}
		r.Body = http.NoBody // the protocol has none
		if _, err := s.ingest(w, r, func(*http.Request, []byte) (event.Batch, error) { return event.DecodeSnowplowQuery(fields), nil }); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "image/gif")
		w.Write([]byte(pixel)) // a client that has gone away sends again
		return nil
	})
}

// projectSettings are what a Segment client of a browser asks for before it
// sends anything: where to send, and that no other destination is there.
type projectSettings struct {
	Integrations map[string]projectIntegration `json:"integrations"`
	// Metrics about the client itself are not wanted: by default they would go
	// to Segment.
	Metrics struct {
		SampleRate int `json:"sampleRate"`
	} `json:"metrics"`
}

type projectIntegration struct {
	APIKey   string `json:"apiKey" doc:"The write key."`
	APIHost  string `json:"apiHost" doc:"Where to send events: host and path."`
	Protocol string `json:"protocol" enum:"http,https"`
}

func (s *server) registerSettings() {
	op := operation("get-project-settings", http.MethodGet, "/v1/projects/{write_key}/settings", "What Segment's client of a browser asks for before it sends", "events")
	describe(&op, public)
	op.Parameters = []*huma.Param{{Name: "write_key", In: "path", Required: true, Description: "A world's write key.", Schema: &huma.Schema{Type: "string"}}}
	schema := s.huma.OpenAPI().Components.Schemas.Schema(typeOf[projectSettings](), true, "ProjectSettings")
	s.document(&op, map[string]*huma.Response{"200": {Description: "The settings.", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}},
		map[string]string{"401": "The key is not valid.", "403": "It is no write key."})
	s.handleOpen(op, func(w http.ResponseWriter, r *http.Request) error {
		key := r.PathValue("write_key")
		if err := s.isWriteKey(r.Context(), key); err != nil {
			return err
		}
		integration := projectIntegration{APIKey: key, APIHost: r.Host + "/v1", Protocol: schemeOf(r)}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(projectSettings{Integrations: map[string]projectIntegration{"Segment.io": integration}})
		return nil
	})
}

// schemeOf is how the client reached the bank, by itself or through a proxy that
// says so. A client that lies in the proxy's place misleads only itself.
func schemeOf(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}

// isWriteKey refuses what is no write key: a server's key in a page would be
// everybody's.
func (s *server) isWriteKey(ctx context.Context, key string) error {
	who, err := s.authenticate(ctx, key, worldWrite|worldServer)
	if err != nil {
		return err
	}
	if who.Kind != identity.Write {
		return &Problem{Status: http.StatusForbidden, Code: "role_forbidden", Detail: "Here goes the world's write key (ab_wk_…); its server key is secret and belongs into no page and no address."}
	}
	return nil
}

// handleOpen serves an operation that pages of any origin may call. The browser
// keeps nothing here that would lend a page somebody's authority: there are no
// cookies, and the key is the page's own. So the origin is let in together with
// the credentials that some clients insist on sending.
func (s *server) handleOpen(op huma.Operation, handle func(http.ResponseWriter, *http.Request) error) {
	// A path that ends in a slash is itself alone, not all that is under it.
	pattern := op.Path
	if strings.HasSuffix(pattern, "/") {
		pattern += "{$}"
	}
	s.mux.HandleFunc(op.Method+" "+pattern, func(w http.ResponseWriter, r *http.Request) {
		letIn(w, r)
		if err := handle(w, r); err != nil {
			writeProblem(w, s.problem(op.OperationID, err))
		}
	})
	s.mux.HandleFunc(http.MethodOptions+" "+pattern, preflight(op.Method))
}
