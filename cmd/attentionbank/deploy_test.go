package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Every metric that the dashboard and the alerts name is one that a running
// bank exposes, with the labels that they choose by.
func TestDeployedMetricsExist(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct{ List []struct{ Query any } }
	}
	text, err := os.ReadFile("../../deploy/grafana-dashboard.json")
	if err != nil || json.Unmarshal(text, &dashboard) != nil || len(dashboard.Panels) == 0 {
		t.Fatalf("reading the dashboard: %v, %d panels", err, len(dashboard.Panels))
	}
	var alerts struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err = os.ReadFile("../../deploy/prometheus-alerts.yml")
	if err != nil || yaml.Unmarshal(text, &alerts) != nil || len(alerts.Groups) == 0 {
		t.Fatalf("reading the alerts: %v, %d groups", err, len(alerts.Groups))
	}
	expressions := map[string]string{}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			expressions[panel.Title+"/"+string(rune('A'+i))] = target.Expr
		}
	}
	for _, rule := range alerts.Groups[0].Rules {
		expressions["alert "+rule.Alert] = rule.Expr
	}
	exposed := exposedMetrics(t)
	name := regexp.MustCompile(`\b(up|[a-z]+(?:_[a-z0-9]+)+)\b(\{[^}]*\})?`)
	label := regexp.MustCompile(`([a-z_]+)\s*=~?`)
	checked := 0
	for title, expression := range expressions {
		for _, match := range name.FindAllStringSubmatch(expression, -1) {
			if match[1] == "histogram_quantile" || match[1] == "up" { // a function; Prometheus' own
				continue
			}
			checked++
			if !strings.Contains(exposed, "\n"+match[1]+" ") && !strings.Contains(exposed, "\n"+match[1]+"{") {
				t.Errorf("%s: no metric %s is exposed", title, match[1])
			}
			for _, wanted := range label.FindAllStringSubmatch(match[2], -1) {
				if wanted[1] != "instance" && !regexp.MustCompile(`(?m)^`+match[1]+`\{.*\b`+wanted[1]+`="`).MatchString(exposed) {
					t.Errorf("%s: metric %s has no label %s", title, match[1], wanted[1])
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d metrics are named", checked)
	}
}

// exposedMetrics serves a bank, asks it something and returns its metrics.
func exposedMetrics(t *testing.T) string {
	t.Helper()
	s := serving(t, "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "bank")).started()
	operator := s.operator()
	s.ask("GET", "/v1/worlds", operator, "", http.StatusOK, nil)
	request, err := http.NewRequest("GET", s.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+operator)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", response.Status, err)
	}
	return "\n" + string(text)
}

// The commands in the unit and in the container file are ones that this program
// understands.
func TestDeployedCommands(t *testing.T) {
	commands := map[string][]string{}
	unit, err := os.ReadFile("../../deploy/attentionbank.service")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^ExecStart=\S+/attentionbank (.*)$`).FindSubmatch(unit); found != nil {
		commands["unit"] = strings.Fields(string(found[1]))
	}
	container, err := os.ReadFile("../../deploy/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?m)^CMD (\[.*\])$`).FindSubmatch(container); found != nil {
		var args []string
		if err := json.Unmarshal(found[1], &args); err != nil {
			t.Fatal(err)
		}
		commands["container"] = args
	}
	for _, from := range []string{"unit", "container"} {
		var parsed cli
		parser, err := kong.New(&parsed, kong.Vars{"version": "", "letsencrypt": ""})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(commands[from]); err != nil || parsed.Serve.Data == "" || parsed.Serve.DrainWait == 0 {
			t.Errorf("%s: %v is not understood: %v", from, commands[from], err)
		}
	}
}

func TestUnitIsVerified(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not on this machine, so the unit is not verified")
	}
	unit, err := os.ReadFile("../../deploy/attentionbank.service")
	if err != nil {
		t.Fatal(err)
	}
	// Here there is neither the program nor its user.
	unit = bytes.ReplaceAll(unit, []byte("/usr/local/bin/attentionbank"), []byte("/bin/true"))
	unit = regexp.MustCompile(`(?m)^(User|Group)=.*\n`).ReplaceAll(unit, nil)
	path := filepath.Join(t.TempDir(), "attentionbank.service")
	if err := os.WriteFile(path, unit, 0o644); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(verify, "verify", path).CombinedOutput(); err != nil || len(bytes.TrimSpace(output)) > 0 {
		t.Errorf("%v\n%s", err, output)
	}
}
