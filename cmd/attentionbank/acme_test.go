package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"golang.org/x/net/dns/dnsmessage"
)

const acmeName = "bank.test"

// localNames is a DNS server (over TCP) that says of every name that it is this
// machine.
func localNames(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerNames(conn)
		}
	}()
	return listener.Addr().String()
}

func answerNames(conn net.Conn) {
	defer conn.Close()
	var length [2]byte // before each message
	for {
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		var message dnsmessage.Message
		if message.Unpack(question) != nil || len(message.Questions) == 0 {
			return
		}
		message.Response, message.Additionals = true, nil
		if asked := message.Questions[0]; asked.Type == dnsmessage.TypeA {
			message.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		answer, err := message.Pack()
		if err != nil {
			return
		}
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// authority runs an ACME server that validates names at a port of this machine.
// It returns its directory, the file of the root by which that is trusted, the
// root of what it issues, and what stops it.
func authority(t *testing.T, tlsPort int, said io.Writer) (directory, root string, roots *x509.CertPool, stop func()) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	logger, store := log.New(said, "", 0), db.NewMemoryStore()
	issuer := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one"}})
	front := wfe.New(logger, store, va.New(logger, 80, tlsPort, true, localNames(t), store), issuer, []string{"authority.test"}, true, false, 1, 1)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	roots = x509.NewCertPool()
	if !roots.AppendCertsFromPEM(issuer.GetRootCert(0).PEM()) {
		t.Fatal("the authority has no root")
	}
	root = filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL + wfe.DirectoryPath, root, roots, server.Close
}

// A certificate is got from an authority that looks at our port, kept, and
// served again after a restart without the authority.
func TestCertificateByACME(t *testing.T) {
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	var said writtenBuffer // by the authority
	directory, root, roots, stopAuthority := authority(t, number, &said)
	folder := filepath.Join(t.TempDir(), "bank")
	args := []string{"--listen", address, "--data", folder, "--acme-domain", acmeName, "--acme-email", "ops@bank.test", "--acme-directory", directory, "--acme-root", root}
	var s *server
	get := func() (serial string) {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
			TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		}}
		response, err := client.Get("https://" + acmeName + "/readyz")
		if err != nil {
			t.Fatalf("%v\n%s%s", err, said.String(), s.stderr.String())
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
			t.Errorf("answered %s by %s", response.Status, response.Proto)
		}
		return response.TLS.PeerCertificates[0].SerialNumber.String()
	}
	s = serving(t, args...).started()
	if !strings.HasPrefix(s.url, "https://") {
		t.Errorf("it listens on %s", s.url)
	}
	first := get()
	s.stop()
	s.ended()
	stopAuthority()
	s = serving(t, args...).started()
	if again := get(); again != first {
		t.Errorf("after a restart the certificate is %s, it was %s", again, first)
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{ServerName: "other.test", RootCAs: roots}); err == nil {
		t.Error("another name got a certificate")
	}
}

func TestCertificateFlags(t *testing.T) {
	certificate, key := filepath.Join("testdata", "bank.txtar"), filepath.Join("testdata", "score.txtar")
	for _, test := range []struct {
		args []string
		want string
		exit int
	}{
		{[]string{"--tls-cert", certificate}, "expected --tls-cert and --tls-key, or neither", 2},
		{[]string{"--tls-cert", certificate, "--tls-key", key, "--acme-domain", acmeName}, "not both", 2},
		{[]string{"--acme-domain", acmeName, "--acme-root", key}, "expected a file of certificates", 2},
		{[]string{"--tls-cert", certificate, "--tls-key", key}, "reading the certificate", 1},
	} {
		exit, _, stderr := command(t, "", append([]string{"serve", "--data", t.TempDir()}, test.args...)...)
		if exit != test.exit || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit %d, %s", test.args, exit, stderr)
		}
	}
}
