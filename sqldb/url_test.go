package sqldb

import (
	"strings"
	"testing"
)

// FuzzParseURL: whatever is taken for the address of a server has a limit for
// connecting and goes to the server that takes writes; what is refused shows no
// password.
func FuzzParseURL(f *testing.F) {
	const secret = "s3cr3t-p4ssw0rd"
	f.Add("postgres://bank@db1,db2/bank?sslmode=verify-full")
	f.Add("postgres://bank:" + secret + "@db1:notaport/bank")
	f.Add("host=a,b port=1,2 password=" + secret + " sslmode=nonsense")
	f.Fuzz(func(t *testing.T, place string) {
		for _, file := range []string{"service", "passfile", "ssl"} {
			if strings.Contains(place, file) {
				t.Skip("it names files of this machine")
			}
		}
		config, err := parseURL(place)
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Fatalf("the error shows the password: %v", err)
			}
			return
		}
		if config.ConnectTimeout <= 0 || config.ValidateConnect == nil {
			t.Fatalf("%q: connects for %s, checks the server: %t", place, config.ConnectTimeout, config.ValidateConnect != nil)
		}
	})
}
