package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/attentionbank/attentionbank/identity"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// Health says that the process answers, or that it can serve.
type Health struct {
	Status string `json:"status"`
}

func (s *server) registerHealth() {
	register(s, operation("get-health", "GET", "/healthz", "The process answers", "operation"), public,
		func(context.Context, identity.Principal, *struct{}) (*body[Health], error) {
			return &body[Health]{Health{"ok"}}, nil
		})
	register(s, operation("get-readiness", "GET", "/readyz", "The bank can serve", "operation"), public,
		func(context.Context, identity.Principal, *struct{}) (*body[Health], error) {
			if s.Ready() != nil {
				return nil, &Problem{Status: http.StatusServiceUnavailable, Code: "not_ready", Detail: "The bank cannot serve; its operator finds the reason in the log."}
			}
			return &body[Health]{Health{"ready"}}, nil
		})
	op := operation("get-metrics", "GET", "/metrics", "Metrics in Prometheus' text form", "operation")
	describe(&op, operator)
	s.huma.OpenAPI().AddOperation(&op)
	s.mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.authenticate(r.Context(), secretOf(r.Header.Get("Authorization")), operator); err != nil {
			writeProblem(w, problemOf(err))
			return
		}
		s.Metrics.ServeHTTP(w, r)
	})
}
