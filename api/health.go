package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

func (s *server) registerHealth() {
	register(s, operation("get-health", "GET", "/healthz", "The process answers", "operation"), public,
		func(context.Context, identity.Principal, *struct{}) (*body[wire.Health], error) {
			return &body[wire.Health]{wire.Health{Status: "ok"}}, nil
		})
	register(s, operation("get-readiness", "GET", "/readyz", "The bank can serve", "operation"), public,
		func(context.Context, identity.Principal, *struct{}) (*body[wire.Health], error) {
			if err := s.Ready(); err != nil {
				return nil, &Problem{Status: http.StatusServiceUnavailable, Code: "not_ready", Detail: "The bank cannot serve."}
			}
			return &body[wire.Health]{wire.Health{Status: "ready"}}, nil
		})
	op := operation("get-metrics", "GET", "/metrics", "Metrics in Prometheus' text form", "operation")
	describe(&op, operator)
	s.document(&op, map[string]*huma.Response{"200": {Description: "The metrics.", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}}},
		map[string]string{"401": "The key is missing or not valid.", "403": "The key is no operator's."})
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.authenticate(r.Context(), secretOf(r.Header.Get("Authorization")), operator); err != nil {
			writeProblem(w, s.problem(op.OperationID, err))
			return
		}
		s.Metrics.ServeHTTP(w, r)
	})
}
