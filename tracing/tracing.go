// Package tracing tells a collector of OpenTelemetry, by OTLP over HTTP, what becomes of publishes: when they
// came, were stored, and whom they were told.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/ambitmq/ambit/sessions"
)

const (
	// maxTold is how many rooms of one publish have a span of their own.
	maxTold = 32
	// maxTopicBytes is how much of a topic a span has: it may hold a filter.
	maxTopicBytes = 256
	// complainEvery bounds how often it is logged that a collector cannot be reached.
	complainEvery = time.Minute
)

// Options say where spans go.
type Options struct {
	// URL is that of the collector: "http://127.0.0.1:4318/v1/traces".
	URL string
	// Every is of how many publishes that name no trace one is followed. Those that name
	// one are followed if its sender does.
	Every int
	// Version and Node say who tells.
	Version, Node string
	Log           *slog.Logger
}

// A Tracer follows publishes. Spans are sent in batches, in the background; those for
// which there is no room are dropped.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	parents  propagation.TraceContext
	every    uint64
	count    atomic.Uint64
}

var _ sessions.Follower = (*Tracer)(nil)

// Open returns a tracer, which wants [Tracer.Close]. A collector that is not there is no
// error.
func Open(ctx context.Context, o Options) (*Tracer, error) {
	to, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.URL))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", "ambit"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Node),
	)
	// Whether a publish is followed is decided here, before anything is made for it.
	provider := sdk.NewTracerProvider(sdk.WithBatcher(&patient{to: to, log: o.Log}), sdk.WithResource(about), sdk.WithSampler(sdk.AlwaysSample()))
	return &Tracer{provider: provider, tracer: provider.Tracer("ambit"), every: uint64(max(1, o.Every))}, nil
}

// Close sends what is left, until ctx is done.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Follow implements [sessions.Follower].
func (t *Tracer) Follow(client, user string, m *sessions.Message, parent string) sessions.Followed {
	ctx := context.Background()
	if parent != "" {
		ctx = t.parents.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	}
	if from := trace.SpanContextFromContext(ctx); from.IsValid() {
		if !from.IsSampled() {
			return nil
		}
	} else if t.count.Add(1)%t.every != 1%t.every {
		return nil
	}
	_, span := t.tracer.Start(ctx, "publish", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("messaging.system", "mqtt"), attribute.String("messaging.operation.type", "receive"),
		attribute.String("messaging.destination.name", clip(m.Topic)), attribute.String("messaging.client.id", client),
		attribute.String("enduser.id", user), attribute.Int("messaging.message.body.size", len(m.Payload)),
		attribute.Int("messaging.mqtt.qos", int(m.QoS)),
	))
	return &followed{tracer: t, span: span, began: time.Now()}
}

// clip shortens a topic.
func clip(topic string) string {
	return topic[:min(len(topic), maxTopicBytes)]
}

// A followed is one publish.
type followed struct {
	tracer *Tracer
	span   trace.Span
	began  time.Time // to wait for the store
	stored bool
	told   int
}

// start starts a span within that of the publish.
func (f *followed) start(name string, o ...trace.SpanStartOption) trace.Span {
	_, span := f.tracer.tracer.Start(trace.ContextWithSpanContext(context.Background(), f.span.SpanContext()), name, o...)
	return span
}

// Stored implements [sessions.Followed].
func (f *followed) Stored(err error) {
	f.stored = err == nil
	finish(f.start("store", trace.WithTimestamp(f.began)), err)
}

// Told implements [sessions.Followed].
func (f *followed) Told(topicFilter string, members int) string {
	span := f.span
	if f.told++; f.told <= maxTold {
		span = f.start("notify", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
			attribute.String("messaging.system", "mqtt"), attribute.String("messaging.operation.type", "send"),
			attribute.String("messaging.destination.name", clip(topicFilter)), attribute.Int("ambit.members", members),
		))
		defer span.End()
	}
	carrier := propagation.MapCarrier{}
	f.tracer.parents.Inject(trace.ContextWithSpanContext(context.Background(), span.SpanContext()), carrier)
	return carrier["traceparent"]
}

// End implements [sessions.Followed].
func (f *followed) End(err error) {
	f.span.SetAttributes(attribute.Int("ambit.rooms", f.told), attribute.Bool("ambit.stored", f.stored))
	finish(f.span, err)
}

func finish(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// A patient exporter logs now and then that spans cannot be sent, instead of telling the
// library's global handler of errors.
type patient struct {
	to   sdk.SpanExporter
	log  *slog.Logger
	last time.Time // the library exports one batch at a time
	lost int
}

// ExportSpans implements [sdk.SpanExporter].
func (p *patient) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := p.to.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	p.lost += len(spans)
	if time.Since(p.last) >= complainEvery {
		p.log.Warn("spans cannot be sent to the collector", "spans", p.lost, "error", err)
		p.lost, p.last = 0, time.Now()
	}
	return nil
}

// Shutdown implements [sdk.SpanExporter].
func (p *patient) Shutdown(ctx context.Context) error { return p.to.Shutdown(ctx) }
