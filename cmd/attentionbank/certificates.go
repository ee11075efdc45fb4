package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Certificates say how TLS is served: not at all, by a certificate of one's
// own, or by one that an authority issues over ACME.
type Certificates struct {
	TLSCert       string   `help:"Certificate chain (PEM) to serve TLS by; needs --tls-key." type:"existingfile"`
	TLSKey        string   `help:"Key of the certificate (PEM)." type:"existingfile"`
	ACMEDomain    []string `name:"acme-domain" help:"Name of this server, for which a certificate is got and renewed by ACME (challenge tls-alpn-01, so port 443 of that name must lead here). Using it accepts the authority's terms." placeholder:"DOMAIN"`
	ACMEEmail     string   `name:"acme-email" help:"Where the authority writes to." placeholder:"ADDRESS"`
	ACMEDirectory string   `name:"acme-directory" default:"${letsencrypt}" help:"Directory of the authority." placeholder:"URL"`
	ACMERoot      string   `name:"acme-root" help:"Root (PEM) by which the directory itself is trusted, for an authority of one's own." type:"existingfile"`
}

// acmeFolder holds accounts and certificates of ACME in the data directory.
const acmeFolder = "acme"

// config returns how to serve TLS; nil for not at all. warn is told why no
// certificate can be got.
func (c Certificates) config(data string, warn func(error)) (*tls.Config, error) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return nil, usage("expected --tls-cert and --tls-key, or neither")
	}
	if c.TLSCert != "" && len(c.ACMEDomain) > 0 {
		return nil, usage("expected --tls-cert or --acme-domain, not both")
	}
	if c.TLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}, nil
	}
	if len(c.ACMEDomain) == 0 {
		return nil, nil
	}
	client, err := c.acmeClient()
	if err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.ACMEDomain...), Email: c.ACMEEmail,
		Cache: autocert.DirCache(filepath.Join(data, acmeFolder)), Client: client,
	}
	config := manager.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := manager.GetCertificate(hello)
		if err != nil && slices.Contains(c.ACMEDomain, hello.ServerName) { // others knock at every door
			warn(err)
		}
		return certificate, err
	}
	return config, nil
}

func (c Certificates) acmeClient() (*acme.Client, error) {
	client := &acme.Client{DirectoryURL: c.ACMEDirectory, UserAgent: "attentionbank"}
	if c.ACMERoot == "" {
		return client, nil
	}
	text, err := os.ReadFile(c.ACMERoot)
	if err != nil {
		return nil, fmt.Errorf("reading the root of the authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, usage("--acme-root: expected a file of certificates in PEM")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	client.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	return client, nil
}
