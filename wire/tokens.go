package wire

// TokenKeys are the public keys by which a world's tokens are checked: a JWKS
// (RFC 7517).
type TokenKeys struct {
	Keys []map[string]any `json:"keys" maxItems:"16" doc:"Public keys with kid: OKP Ed25519 (EdDSA), EC P-256 (ES256), RSA of 2048 to 4096 bits (RS256)."`
}

// Presence is how long a token vouches for its user.
type Presence struct {
	Person string `json:"person" doc:"The user, as the world's person."`
	From   string `json:"from"`
	Until  string `json:"until"`
}
