package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/client"
	"github.com/attentionbank/attentionbank/wire"
)

// program is the bank, built once.
var program string

func TestMain(m *testing.M) {
	if os.Getenv("TRACKER_CHILD") != "" {
		trackAsChild()
	}
	folder, err := os.MkdirTemp("", "attentionbank-client-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(folder, "attentionbank")
	if output, err := exec.Command("go", "build", "-o", program, "../cmd/attentionbank").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the bank: %v\n%s", err, output)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// bank is a running server with a world "cafe".
type bank struct {
	t       *testing.T
	folder  string
	flags   []string
	url     string
	process *exec.Cmd

	operator *client.Client
	server   *client.Client // of the world
	write    string         // the world's write key
	secret   string         // the world's server key

	operatorKey string
}

// newBank starts a bank on a free port and makes the world and its keys by the
// client itself. flags are further flags of serve; the default is
// --single-operator.
func newBank(t *testing.T, flags ...string) *bank {
	t.Helper()
	if len(flags) == 0 {
		flags = []string{"--single-operator"}
	}
	b := &bank{t: t, folder: t.TempDir(), flags: flags}
	link := b.start()
	t.Cleanup(b.kill)
	ctx := t.Context()
	nobody, err := client.New(client.Config{URL: b.url})
	if err != nil {
		t.Fatal(err)
	}
	key, err := nobody.RedeemOperatorLink(ctx, link[strings.LastIndex(link, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	b.operator, b.operatorKey = nobody.As(key.Secret), key.Secret
	if _, err := b.operator.CreateWorld(ctx, wire.NewWorld{World: "cafe"}); err != nil {
		t.Fatal(err)
	}
	for kind, into := range map[string]*string{"server": &b.secret, "write": &b.write} {
		made, err := b.operator.CreateWorldKey(ctx, "cafe", wire.NewKey{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		*into = made.Secret
	}
	b.server = nobody.As(b.secret)
	return b
}

// start starts the process, where it was before if it was anywhere, and returns
// the operator link, which the first start prints.
func (b *bank) start() (link string) {
	b.t.Helper()
	address := "127.0.0.1:0"
	if b.url != "" {
		address = strings.TrimPrefix(b.url, "http://")
	}
	args := []string{"serve", "--listen", address, "--data", b.folder, "--mint-every", "1s"}
	b.process = exec.Command(program, append(args, b.flags...)...)
	stdout, err := b.process.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.process.Stderr = io.Discard
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	first := b.operator == nil
	found := make(chan [2]string, 1)
	go func() {
		var url, link string
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if _, after, is := strings.Cut(lines.Text(), "listening on "); is {
				url = after
			}
			if _, after, is := strings.Cut(lines.Text(), "within 24 hours: "); is {
				link = after
			}
			if url != "" && (link != "" || !first) {
				select {
				case found <- [2]string{url, link}:
				default:
				}
			}
		}
	}()
	select {
	case got := <-found:
		if b.url == "" { // others read it later
			b.url = got[0]
		}
		return got[1]
	case <-time.After(time.Minute):
		b.t.Fatal("the bank did not listen within a minute")
		return ""
	}
}

// kill ends the process as a power cut would.
func (b *bank) kill() {
	if b.process != nil {
		b.process.Process.Kill()
		b.process.Wait() // it was killed, which Wait reports as an error
		b.process = nil
	}
}

// day returns what a user's day has earned; nothing for a user who is not known.
func (b *bank) day(user string, day time.Time) (attention wire.Attention) {
	b.t.Helper()
	person, err := b.operator.GetUser(b.t.Context(), "cafe", user)
	if err != nil {
		b.t.Fatal(err)
	}
	days, err := b.operator.GetAttention(b.t.Context(), person.Person, client.Where("day", day.UTC().Format(time.DateOnly)))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(days) > 1 {
		b.t.Fatalf("%s has %d days in one world", user, len(days))
	}
	for _, d := range days {
		attention = d
	}
	return attention
}

// interactions returns how many interactions of a day count.
func interactions(day wire.Attention) (count int64) {
	for _, slice := range day.Slices {
		count += slice.Count
	}
	return count
}

// description reads the OpenAPI document of the running bank.
func (b *bank) description() (document description) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.url+"/openapi.json", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		b.t.Fatal(err)
	}
	return document
}
