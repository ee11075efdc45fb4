// Package tracing tells an OpenTelemetry collector how a request went: through
// the API, into a record of the journal or a batch of events, into the store.
//
// Spans carry routes, numbers and sizes, and nothing that says who: no paths,
// queries, addresses, ids of people or bodies.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Tracer makes spans. The zero of *Tracer makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

const tracesPath = "/v1/traces"

// Start sends spans to the OTLP endpoint (HTTP with protobuf) of a URL such as
// http://127.0.0.1:4318, at the path /v1/traces unless the URL ends with it.
// It does not wait for the endpoint; while that cannot be reached, spans are
// dropped and warn is told. Sampling and headers are as the variables OTEL_TRACES_SAMPLER and
// OTEL_EXPORTER_OTLP_HEADERS say.
func Start(ctx context.Context, endpoint, version string, warn func(error)) (*Tracer, error) {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("expected a URL such as http://127.0.0.1:4318")
	}
	if !strings.HasSuffix(u.Path, tracesPath) {
		u.Path = strings.TrimSuffix(u.Path, "/") + tracesPath
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("starting traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(warn)) // of the whole process
	// The default resource would name host, user and command line.
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "attentionbank"), attribute.String("service.version", version))))
	return &Tracer{provider, provider.Tracer("attentionbank")}, nil
}

// Stop sends what is left and ends.
func (t *Tracer) Stop(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

func (t *Tracer) start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if t == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, options...)
}

// end ends a span, with the class of an error: its text may hold ids.
func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "failed")
	}
	span.End()
}

// Watch returns what journal.Options and collect.Options call Watch: a batch
// of requests gets a span under the first of them, with links to the others.
// It returns nil if t makes no spans.
func (t *Tracer) Watch(name string) func(requests []context.Context, seq uint64) (context.Context, func(error)) {
	if t == nil {
		return nil
	}
	return func(requests []context.Context, seq uint64) (context.Context, func(error)) {
		ctx := context.Background()
		var links []trace.Link
		for _, request := range requests {
			of := trace.SpanContextFromContext(request)
			switch {
			case !of.IsSampled():
			case !trace.SpanContextFromContext(ctx).IsValid():
				ctx = trace.ContextWithSpanContext(ctx, of)
			default:
				links = append(links, trace.Link{SpanContext: of})
			}
		}
		if !trace.SpanContextFromContext(ctx).IsValid() {
			return ctx, func(error) {} // nobody asked, or nobody was drawn
		}
		ctx, span := t.start(ctx, name, trace.WithLinks(links...), trace.WithAttributes(
			attribute.Int64("seq", int64(seq)), attribute.Int("requests", len(requests))))
		return ctx, func(err error) { end(span, err) }
	}
}
