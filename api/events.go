package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// Bounds of a request with events: on the wire, and unpacked. maxIngesting
// bounds how many are unpacked and decoded in memory at a time; others wait
// for at most ingestWait. Whoever sends slowly takes no place.
const (
	maxEventBytes    = 1 << 20
	maxUnpackedBytes = 4 << 20
	maxIngesting     = 64
	ingestWait       = 2 * time.Second
)

func (s *server) registerEvents() {
	register(s, operation("get-verdict", "GET", "/v1/worlds/{world}/events/{message_id}", "What became of an event, within seven days of its arrival", "events"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			MessageID string `path:"message_id" maxLength:"256"`
		}) (*body[wire.List[wire.Verdict]], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			kept, err := s.Collector.Verdict(ctx, number, in.MessageID)
			if err != nil {
				return nil, err
			}
			if len(kept) == 0 {
				return nil, notFound("event, or it arrived more than seven days ago")
			}
			out := &body[wire.List[wire.Verdict]]{}
			for _, k := range kept {
				out.Body.Items = append(out.Body.Items, wire.Verdict{MessageID: in.MessageID, Verdict: k.Verdict.String(), Rule: k.Rule.String(), Source: [...]string{"", "write", "server", "import"}[k.Trust]})
			}
			return out, nil
		})
	register(s, created("open-session", "POST", "/v1/worlds/{world}/sessions", "Vouch for a user: what clients report inside the session counts", "events"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Body wire.NewSession
		}) (*struct{}, error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			fromMS, err := parseTime("from", in.Body.From)
			if err != nil {
				return nil, err
			}
			if fromMS == 0 {
				fromMS = s.NowMS()
			}
			lengthMS := in.Body.Seconds * 1000
			if lengthMS == 0 {
				lengthMS = collect.SessionMS
			}
			if in.Body.AnonymousID != "" {
				if _, _, err := s.Identity.Unite(ctx, number, in.Body.AnonymousID, in.Body.UserID); err != nil {
					return nil, err
				}
			}
			return nil, s.Collector.OpenSession(ctx, number, in.Body.UserID, in.Body.AnonymousID, fromMS, fromMS+lengthMS)
		})
}

// ingest makes the events of a request durable.
func (s *server) ingest(w http.ResponseWriter, r *http.Request, decode decoder) (*wire.EventsAnswer, error) {
	// A key in the header is looked at first: with a bad one nobody makes the
	// bank read a body.
	secret := secretOf(r.Header.Get("Authorization"))
	var who identity.Principal
	var err error
	if secret != "" {
		if who, err = s.authenticate(r.Context(), secret, worldServer|worldWrite|user); err == nil {
			err = s.limit(r.Context(), w, who)
		}
		if err != nil {
			return nil, err
		}
	}
	raw, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	leave, err := s.enterIngest(r.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	if raw, err = unpack(raw, r.Header.Get("Content-Encoding")); err != nil {
		return nil, err
	}
	batch, err := decode(r, raw)
	if problem := new(Problem); errors.As(err, &problem) {
		return nil, problem
	} else if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: err.Error()}
	}
	if secret == "" {
		if who, err = s.authenticate(r.Context(), batch.WriteKey, worldServer|worldWrite); err == nil {
			err = s.limit(r.Context(), w, who)
		}
		if err != nil {
			return nil, err
		}
	}
	if who.Kind == identity.User {
		return s.acceptOf(r.Context(), secret, batch)
	}
	return s.accept(r.Context(), who, batch)
}

// enterIngest takes one of the places for requests in memory.
func (s *server) enterIngest(ctx context.Context) (leave func(), err error) {
	leave = func() { <-s.ingesting }
	select {
	case s.ingesting <- struct{}{}:
		return leave, nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, ingestWait)
	defer cancel()
	select {
	case s.ingesting <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, collect.ErrBusy
	}
}

// accept gives events to the collector and answers with their verdicts.
func (s *server) accept(ctx context.Context, who identity.Principal, batch event.Batch) (*wire.EventsAnswer, error) {
	trust := collect.TrustWrite
	if who.Kind == identity.Server {
		trust = collect.TrustServer
	}
	for i := range batch.Items {
		e := &batch.Items[i].Event
		if trust == collect.TrustServer && batch.Items[i].Err == nil && e.Call == event.Identify && e.UserID != "" && e.AnonymousID != "" {
			if _, _, err := s.Identity.Unite(ctx, who.World, e.AnonymousID, e.UserID); err != nil {
				return nil, err
			}
		}
	}
	return s.collect(ctx, collect.Request{World: who.World, Trust: trust, Items: batch.Items})
}

func (s *server) collect(ctx context.Context, request collect.Request) (*wire.EventsAnswer, error) {
	results, err := s.Collector.Accept(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := &wire.EventsAnswer{Success: true, Verdicts: make([]wire.Verdict, len(results))}
	for i, result := range results {
		answer.Verdicts[i] = wire.Verdict{MessageID: result.MessageID, Verdict: result.Verdict.String(), Rule: result.Rule.String(), First: result.First.String(), Detail: result.Detail}
	}
	return answer, nil
}

func tooLarge() *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Detail: fmt.Sprintf("Accepted: up to %d bytes on the wire and %d unpacked. Send the events in smaller batches.", maxEventBytes, maxUnpackedBytes)}
}

// readBody reads a body as it is on the wire. Memory grows with what has
// come, not with what was announced.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxEventBytes {
		return nil, tooLarge()
	}
	body := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0), 64<<10)+bytes.MinRead))
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxEventBytes))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, tooLarge()
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: "The body broke off."}
	}
	return body.Bytes(), nil
}

// unpack undoes a content encoding, within the bound. PostHog's browser client
// packs and does not say so; no JSON begins as gzip does.
func unpack(packed []byte, encoding string) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		if !bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
			return packed, nil
		}
	case "gzip":
	default:
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Code: "encoding_unknown", Detail: "Accepted: Content-Encoding gzip, or none."}
	}
	src, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: "The body is not gzip, though Content-Encoding says so."}
	}
	body, err := io.ReadAll(io.LimitReader(src, maxUnpackedBytes+1))
	switch {
	case len(body) > maxUnpackedBytes:
		return nil, tooLarge()
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Code: "unreadable", Detail: "The body cannot be unpacked: it is cut off or damaged."}
	}
	return body, nil
}
