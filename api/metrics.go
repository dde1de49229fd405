package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"epro/reminders"
)

// metrics are the server's counters; labels are route templates, never ids.
type metrics struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
	forms    *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "epro_http_request_seconds", Help: "Time to answer a request, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
		forms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "epro_forms_received_total", Help: "Forms received, by outcome: counted, or the cause for holding.",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(m.seconds, m.forms, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) done(method, route string, status int, took time.Duration) {
	m.seconds.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// reminderMetrics counts what a dispatcher does.
type reminderMetrics struct {
	due  prometheus.Counter
	sent *prometheus.CounterVec
	lag  prometheus.Gauge
}

// ReminderMetrics registers the metrics of a dispatcher and gives whom it tells.
func (s *Server) ReminderMetrics() reminders.Observer {
	m := reminderMetrics{
		due: prometheus.NewCounter(prometheus.CounterOpts{Name: "epro_reminders_due_total", Help: "Messages that were due, attempts again included."}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "epro_reminders_total",
			Help: "Messages by the kind of target, what became of them, and why; those merged or skipped have no kind."}, []string{"kind", "status", "reason"}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{Name: "epro_reminders_lag_seconds", Help: "How long ago the first of the latest sweep was due."}),
	}
	s.metrics.registry.MustRegister(m.due, m.sent, m.lag)
	return m
}

func (m reminderMetrics) Due(messages int)         { m.due.Add(float64(messages)) }
func (m reminderMetrics) Lag(behind time.Duration) { m.lag.Set(max(behind.Seconds(), 0)) }
func (m reminderMetrics) Sent(kind, status, reason string) {
	m.sent.WithLabelValues(kind, status, reason).Inc()
}

// Registry is where other parts of the program register their metrics.
func (s *Server) Registry() *prometheus.Registry { return s.metrics.registry }

// MetricsHandler serves the metrics to net/http, for an address of its own.
func (s *Server) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
}

func (s *Server) serveMetrics(c *fiber.Ctx) error {
	if !s.o.MetricsOpen && !loopback(c) {
		return fiber.ErrNotFound
	}
	fasthttpadaptor.NewFastHTTPHandler(s.MetricsHandler())(c.Context())
	return nil
}
