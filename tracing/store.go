package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
)

// Journal returns a store whose appends have spans, under that of the record.
func (t *Tracer) Journal(store journal.Store) journal.Store {
	if t == nil {
		return store
	}
	return tracedJournal{store, t}
}

type tracedJournal struct {
	journal.Store
	tracer *Tracer
}

// Append implements journal.Store.
func (j tracedJournal) Append(ctx context.Context, record journal.Record) error {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return j.Store.Append(ctx, record)
	}
	ctx, span := j.tracer.start(ctx, "journal append", trace.WithAttributes(attribute.Int("bytes", len(record.Body))))
	err := j.Store.Append(ctx, record)
	end(span, err)
	return err
}

// Events returns a log whose appends have spans, under that of the batch.
func (t *Tracer) Events(log collect.Log) collect.Log {
	if t == nil {
		return log
	}
	return tracedLog{log, t}
}

type tracedLog struct {
	collect.Log
	tracer *Tracer
}

// Append implements collect.Log.
func (l tracedLog) Append(ctx context.Context, batch collect.Batch) error {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return l.Log.Append(ctx, batch)
	}
	ctx, span := l.tracer.start(ctx, "events append", trace.WithAttributes(attribute.Int("bytes", len(batch.Body))))
	err := l.Log.Append(ctx, batch)
	end(span, err)
	return err
}
