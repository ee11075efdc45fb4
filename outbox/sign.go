package outbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
)

// SecretPrefix begins a signing secret as people see it; the rest is base64.
const SecretPrefix = "whsec_"

// SecretText is how a signing secret is shown.
func SecretText(secret [32]byte) string {
	return SecretPrefix + base64.StdEncoding.EncodeToString(secret[:])
}

// sign sets the headers of the Standard Webhooks specification: id, time in
// seconds, and HMAC-SHA256 over "id.time.body".
func sign(header http.Header, secret [32]byte, id string, nowMS int64, body []byte) {
	seconds := strconv.FormatInt(nowMS/1000, 10)
	mac := hmac.New(sha256.New, secret[:])
	fmt.Fprintf(mac, "%s.%s.%s", id, seconds, body)
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", seconds)
	header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// idOf is the id by which a receiver knows a message.
func idOf(number uint64) string { return "msg_" + strconv.FormatUint(number, 10) }
