package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
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
	s.huma.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.authenticate(r.Context(), secretOf(r.Header.Get("Authorization")), operator); err != nil {
			writeProblem(w, s.problem(op.OperationID, err))
			return
		}
		s.Metrics.ServeHTTP(w, r)
	})
}
