package main

import (
	"crypto/tls"
	"fmt"
	"path/filepath"

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
}

// acmeFolder holds accounts and certificates of ACME in the data directory.
const acmeFolder = "acme"

// config returns how to serve TLS; nil for not at all.
func (c Certificates) config(data string) (*tls.Config, error) {
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
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.ACMEDomain...), Email: c.ACMEEmail,
		Cache: autocert.DirCache(filepath.Join(data, acmeFolder)), Client: &acme.Client{DirectoryURL: c.ACMEDirectory, UserAgent: "attentionbank"},
	}
	config := manager.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	return config, nil
}
