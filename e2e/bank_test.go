// Package e2e runs the built binary as its users do: real clients against a
// real server, killed, restarted and lied to.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "attentionbank-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(folder, "attentionbank")
	build := exec.Command("go", "build", "-o", binary, "../cmd/attentionbank")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, output)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// bank is a server process on a data directory that outlives it.
type bank struct {
	t       *testing.T
	folder  string
	env     []string
	url     string
	link    string
	process *exec.Cmd
	output  *lockedBuffer
	// fileLimit is the size in half KiB beyond which no file of the next process
	// may grow; zero for none.
	fileLimit int
	args      []string // of serve, besides those of every bank

	operator, server, write string // keys
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// newBank starts a bank with a world "cafe" and its keys.
func newBank(t *testing.T, env ...string) *bank {
	t.Helper()
	b := &bank{t: t, folder: t.TempDir(), env: env}
	b.found()
	return b
}

// found starts a bank for the first time and makes its world and keys.
func (b *bank) found() {
	t := b.t
	t.Helper()
	b.start()
	t.Cleanup(b.kill)
	if b.link == "" {
		t.Fatalf("the first start printed no operator link:\n%s", b.output)
	}
	request, _ := http.NewRequest("POST", b.link, nil)
	request.Header.Set("Accept", "application/json")
	var key struct{ ID, Secret string }
	decode(t, do(t, request), http.StatusCreated, &key)
	b.operator = key.Secret
	// A test asks about thousands of events as fast as it can.
	b.call("PUT", "/v1/keys/"+key.ID+"/rate-limit", b.operator, `{"per_second":100000,"burst":100000}`, http.StatusOK, nil)
	b.call("POST", "/v1/worlds", b.operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	for kind, into := range map[string]*string{"server": &b.server, "write": &b.write} {
		b.call("POST", "/v1/worlds/cafe/keys", b.operator, `{"kind":"`+kind+`"}`, http.StatusCreated, &key)
		*into = key.Secret
	}
}

// start starts the server on a free port and waits for its address.
func (b *bank) start() {
	b.t.Helper()
	b.output = &lockedBuffer{}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", b.folder, "--mint-every", "1s", "--single-operator"}
	args = append(args, b.args...)
	b.process = exec.Command(binary, args...)
	if b.fileLimit > 0 {
		b.process = exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, b.fileLimit), binary}, args...)...)
	}
	b.process.Env = append(os.Environ(), b.env...)
	b.process.Stderr = b.output
	stdout, err := b.process.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(b.output, lines.Text())
			if _, url, found := strings.Cut(lines.Text(), "listening on "); found {
				b.url = url
			}
			if _, link, found := strings.Cut(lines.Text(), "within 24 hours: "); found {
				b.link = link
			}
			if b.url != "" && (b.link != "" || b.operator != "") {
				select {
				case address <- b.url:
				default:
				}
			}
		}
	}()
	select {
	case url, listening := <-address:
		if !listening {
			b.t.Fatalf("the server ended:\n%s", b.output)
		}
		b.url = url
	case <-time.After(60 * time.Second):
		b.t.Fatalf("the server did not listen within a minute:\n%s", b.output)
	}
}

// kill ends the process as a power cut would: SIGKILL.
func (b *bank) kill() {
	if b.process != nil {
		b.process.Process.Kill()
		b.process.Wait() // it was killed, which Wait reports as an error
		b.process = nil
	}
}

// stop ends the process as an operator would and requires that it ends well.
func (b *bank) stop() {
	b.t.Helper()
	b.process.Process.Signal(os.Interrupt)
	if err := b.process.Wait(); err != nil {
		b.t.Errorf("the server ended with %v:\n%s", err, b.output)
	}
	b.process = nil
}

// requireClean runs fsck on the stopped bank.
func (b *bank) requireClean() {
	b.t.Helper()
	if output, err := b.run("fsck", "--data", b.folder); err != nil {
		b.t.Errorf("fsck: %v\n%s", err, output)
	}
}

// run runs another command of the program.
func (b *bank) run(args ...string) ([]byte, error) {
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), b.env...)
	return command.CombinedOutput()
}

// call makes a request and requires its status; into may be nil.
func (b *bank) call(method, path, key, body string, status int, into any) {
	b.t.Helper()
	request, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	decode(b.t, do(b.t, request), status, into)
}

func do(t *testing.T, request *http.Request) *http.Response {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func decode(t *testing.T, response *http.Response, status int, into any) {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s: status %d, expected %d: %s", response.Request.Method, response.Request.URL.Path, response.StatusCode, status, body)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
	}
}

// verdict returns what became of a message id.
func (b *bank) verdict(messageID string) string {
	b.t.Helper()
	var list struct {
		Items []struct{ Verdict, Rule string }
	}
	b.call("GET", "/v1/worlds/cafe/events/"+messageID, b.operator, "", http.StatusOK, &list)
	if len(list.Items) != 1 {
		b.t.Fatalf("message %s has %d verdicts", messageID, len(list.Items))
	}
	return list.Items[0].Verdict
}

// person returns the id of a world's user.
func (b *bank) person(userID string) string {
	b.t.Helper()
	var person struct{ Person string }
	b.call("GET", "/v1/worlds/cafe/users/"+userID, b.operator, "", http.StatusOK, &person)
	return person.Person
}

// interactions returns how many interactions of a user count on a day.
func (b *bank) interactions(userID string, day time.Time) (count int64) {
	b.t.Helper()
	var list struct {
		Items []struct {
			Slices []struct{ Interactions int64 }
		}
	}
	b.call("GET", "/v1/people/"+b.person(userID)+"/attention?day="+day.UTC().Format(time.DateOnly), b.operator, "", http.StatusOK, &list)
	for _, item := range list.Items {
		for _, slice := range item.Slices {
			count += slice.Interactions
		}
	}
	return count
}
