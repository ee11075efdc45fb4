package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxAskedHeaders bounds the list of headers that a preflight asks for.
const maxAskedHeaders = 1024

// openToPages lets pages of any origin call an operation that is good for the
// token of a world's user, as the world's pages hold one: see handleOpen for why
// that lends nobody's authority.
func (s *server) openToPages(op *huma.Operation) {
	s.pages[op.Path] = append(s.pages[op.Path], op.Method)
	op.Middlewares = append(huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		letIn(w, r)
		next(ctx)
	}}, op.Middlewares...)
}

// registerPreflights answers browsers that ask before they let a page call.
func (s *server) registerPreflights() {
	for path, methods := range s.pages {
		s.mux.HandleFunc(http.MethodOptions+" "+path, preflight(slices.Sorted(slices.Values(methods))...))
	}
}

func preflight(methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		letIn(w, r)
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		// Which headers a client adds is its own affair: none but those for the
		// key and the encoding mean anything here.
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" && len(asked) <= maxAskedHeaders {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	}
}

// letIn lets a page read the answer, and when to try again.
func letIn(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id")
	}
}
