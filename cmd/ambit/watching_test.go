package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ambitmq/ambit/broker"
)

// dashboardExpressions returns the expressions of deploy/grafana/ambit.json, by panel.
func dashboardExpressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/grafana/ambit.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title, Type string
			ID          int
			Targets     []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	all, ids := map[string]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q has no id of its own, or shows nothing", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all["dashboard: "+p.Title+" "+target.RefID] = target.Expr
		}
	}
	return all
}

// alertExpressions returns the expressions of deploy/prometheus/alerts.yaml.
func alertExpressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all["alert: "+r.Alert] = r.Expr
			if r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%s has no summary, or no severity", r.Alert)
			}
		}
	}
	return all
}

func TestDashboardAndAlertsNameMetricsThatThereAre(t *testing.T) {
	known := map[string]bool{"up": true} // of Prometheus itself
	for _, name := range []string{       // of the Go runtime
		"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "go_memstats_heap_inuse_bytes", "go_goroutines",
	} {
		known[name] = true
	}
	for _, m := range broker.Metrics() {
		known[m.Name] = true
		if m.Type == "histogram" {
			known[m.Name+"_bucket"], known[m.Name+"_sum"], known[m.Name+"_count"] = true, true, true
		}
	}
	name := regexp.MustCompile(`\b(?:up|(?:ambit|go|process)_[a-z_0-9]+)\b`)
	exprs := dashboardExpressions(t)
	for where, expr := range alertExpressions(t) {
		exprs[where] = expr
	}
	if len(exprs) < 30 {
		t.Fatalf("%d expressions", len(exprs))
	}
	for where, expr := range exprs {
		named := name.FindAllString(expr, -1)
		if len(named) == 0 {
			t.Errorf("%s: %s names no metric", where, expr)
		}
		for _, n := range named {
			if !known[n] {
				t.Errorf("%s: there is no %s", where, n)
			}
		}
	}
}

// TestPrometheusUnderstandsDashboardAndAlerts asks promtool, where there is one.
func TestPrometheusUnderstandsDashboardAndAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skipf("promtool is not installed: %v", err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	n := 0
	for where, expr := range dashboardExpressions(t) {
		expr = strings.ReplaceAll(expr, "$__rate_interval", "1m")
		n++
		fmt.Fprintf(&rules, "  - record: panel:%d\n    expr: %q # %s\n", n, expr, where)
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, "../../deploy/prometheus/alerts.yaml"} {
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, rules.String())
		}
	}
}
