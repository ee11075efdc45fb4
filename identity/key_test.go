package identity_test

import (
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

func TestKeysOpenTheDoorUntilRevoked(t *testing.T) {
	o := newOffice(t)
	ann := o.user(3, "ann")
	owners := map[string]identity.Principal{
		"ab_op_": {Kind: identity.Operator},
		"ab_wk_": {Kind: identity.Write, World: 3},
		"ab_sk_": {Kind: identity.Server, World: 3},
		"ab_pk_": {Kind: identity.Person, World: 3, Subject: ann.Number, PersonID: ann.Person},
	}
	secrets := map[string]identity.Key{}
	for prefix, owner := range owners {
		key, secret, err := o.CreateKey(t.Context(), owner, "label")
		check(t, err)
		if !strings.HasPrefix(secret, prefix) || len(secret) != len(prefix)+43 {
			t.Errorf("the secret of %s is %q", owner.Kind, secret)
		}
		secrets[secret] = key
	}
	for range 2 {
		for secret, key := range secrets {
			who, err := o.Authenticate(t.Context(), secret)
			check(t, err)
			if who != key.Owner || who.KeyID != key.ID {
				t.Errorf("got %+v, want %+v", who, key.Owner)
			}
		}
		o.reopen()
	}
	for secret, key := range secrets {
		check(t, o.Revoke(t.Context(), key.ID))
		_, err := o.Authenticate(t.Context(), secret)
		wantErr(t, err, identity.ErrUnauthenticated)
	}
	o.reopen()
	for secret, key := range secrets {
		_, err := o.Authenticate(t.Context(), secret)
		wantErr(t, err, identity.ErrUnauthenticated)
		check(t, o.Revoke(t.Context(), key.ID)) // again is no error
	}
	wantErr(t, o.Revoke(t.Context(), "key_unknown"), identity.ErrNotFound)
}

// Live keys are bounded by owner; whoever revokes one may make another.
func TestLiveKeysAreBounded(t *testing.T) {
	o := newOffice(t)
	owner := identity.Principal{Kind: identity.Server, World: 3}
	var last identity.Key
	for range identity.MaxLiveKeys {
		key, _, err := o.CreateKey(t.Context(), owner, "")
		check(t, err)
		last = key
	}
	o.reopen()
	_, _, err := o.CreateKey(t.Context(), owner, "")
	wantErr(t, err, identity.ErrTooManyKeys)
	_, _, err = o.CreateKey(t.Context(), identity.Principal{Kind: identity.Server, World: 4}, "")
	check(t, err)
	check(t, o.Revoke(t.Context(), last.ID))
	_, _, err = o.CreateKey(t.Context(), owner, "")
	check(t, err)
}

func TestKeysHaveFittingOwners(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann")
	for _, owner := range []identity.Principal{
		{}, {Kind: identity.Operator, World: 1}, {Kind: identity.Write}, {Kind: identity.Server},
		{Kind: identity.Server, World: 1, Subject: 1}, {Kind: 9, World: 1},
		{Kind: identity.Person, World: 1, Subject: ann.Number, PersonID: [16]byte{1}},
		{Kind: identity.Person, World: 2, Subject: ann.Number, PersonID: ann.Person},
	} {
		_, _, err := o.CreateKey(t.Context(), owner, "")
		wantErr(t, err, identity.ErrOwnerInvalid)
	}
	_, _, err := o.CreateKey(t.Context(), identity.Principal{Kind: identity.Person, World: 1, Subject: 7, PersonID: ann.Person}, "")
	wantErr(t, err, identity.ErrNotFound)
	check(t, o.Erase(t.Context(), ann.Number))
	_, _, err = o.CreateKey(t.Context(), identity.Principal{Kind: identity.Person, World: 1, Subject: ann.Number, PersonID: ann.Person}, "")
	wantErr(t, err, identity.ErrErased)
	_, _, err = o.CreateKey(t.Context(), identity.Principal{Kind: identity.Operator}, strings.Repeat("x", identity.MaxLabelBytes+1))
	wantErr(t, err, identity.ErrLabelInvalid)
}

func TestSecretsThatAreNone(t *testing.T) {
	o := newOffice(t)
	_, secret, err := o.CreateKey(t.Context(), identity.Principal{Kind: identity.Server, World: 1}, "")
	check(t, err)
	for _, wrong := range []string{
		"", "ab_sk_", secret + "A", secret[:len(secret)-1], strings.ToUpper(secret), " " + secret,
		"ab_wk_" + secret[6:], "ab_xx_" + secret[6:], secret[6:], "ab_sk_" + strings.Repeat("A", 43),
		"ab_sk_" + strings.Repeat("*", 43), secret[:20] + "\n" + secret[20:],
	} {
		_, err := o.Authenticate(t.Context(), wrong)
		wantErr(t, err, identity.ErrUnauthenticated)
		if wrong != "" && strings.Contains(err.Error(), secret[6:20]) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}

func TestTheDayOfLastUseIsKept(t *testing.T) {
	o := newOffice(t)
	key, secret, err := o.CreateKey(t.Context(), identity.Principal{Kind: identity.Server, World: 1}, "")
	check(t, err)
	used := func() int32 {
		keys, err := o.Keys(t.Context(), key.Owner)
		check(t, err)
		return keys[0].LastUsedDay
	}
	if used() != 0 {
		t.Fatal("a new key was used already")
	}
	_, err = o.Authenticate(t.Context(), secret)
	check(t, err)
	today := int32(o.nowMS / 86_400_000)
	if used() != today {
		t.Fatalf("last used on day %d, want %d", used(), today)
	}
	check(t, o.Close(t.Context()))
	o.reopen()
	if used() != today {
		t.Fatalf("after a restart last used on day %d, want %d", used(), today)
	}
}

func TestTheOperatorLinkWorksOnce(t *testing.T) {
	o := newOffice(t)
	first, err := o.OperatorLink(t.Context())
	check(t, err)
	o.reopen()
	second, err := o.OperatorLink(t.Context())
	check(t, err)
	if first == second || second == "" {
		t.Fatalf("the links of two starts are %q and %q", first, second)
	}
	_, _, err = o.RedeemOperatorLink(t.Context(), first)
	wantErr(t, err, identity.ErrTicketSpent)
	o.nowMS += 24*60*60*1000 - 1
	key, secret, err := o.RedeemOperatorLink(t.Context(), second)
	check(t, err)
	if who, err := o.Authenticate(t.Context(), secret); err != nil || who.Kind != identity.Operator {
		t.Fatalf("the operator is %+v, %v", who, err)
	}
	_, _, err = o.RedeemOperatorLink(t.Context(), second)
	wantErr(t, err, identity.ErrTicketSpent)
	o.reopen()
	if link, err := o.OperatorLink(t.Context()); err != nil || link != "" {
		t.Fatalf("there is an operator, yet a link was given: %q, %v", link, err)
	}
	check(t, o.Revoke(t.Context(), key.ID))
	if link, err := o.OperatorLink(t.Context()); err != nil || link == "" {
		t.Fatalf("nobody could get in again: %q, %v", link, err)
	}
}

func TestTheOperatorLinkExpires(t *testing.T) {
	o := newOffice(t)
	link, err := o.OperatorLink(t.Context())
	check(t, err)
	o.nowMS += 24 * 60 * 60 * 1000
	for _, wrong := range []string{link, "", "ab_link_", strings.Replace(link, "ab_link_", "ab_claim_", 1)} {
		_, _, err = o.RedeemOperatorLink(t.Context(), wrong)
		wantErr(t, err, identity.ErrTicketSpent)
	}
}

func TestAPersonClaimsAKeyOnce(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann")
	old, _, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	code, expiresMS, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	if expiresMS != o.nowMS+60*60*1000 {
		t.Fatalf("the code expires in %d ms", expiresMS-o.nowMS)
	}
	_, _, err = o.RedeemClaimCode(t.Context(), old, "")
	wantErr(t, err, identity.ErrTicketSpent)
	_, _, err = o.RedeemOperatorLink(t.Context(), strings.Replace(code, "ab_claim_", "ab_link_", 1))
	wantErr(t, err, identity.ErrTicketSpent)
	key, secret, err := o.RedeemClaimCode(t.Context(), code, "mine")
	check(t, err)
	who, err := o.Authenticate(t.Context(), secret)
	check(t, err)
	want := identity.Principal{Kind: identity.Person, KeyID: key.ID, World: 1, Subject: ann.Number, PersonID: ann.Person}
	if who != want {
		t.Fatalf("got %+v, want %+v", who, want)
	}
	_, _, err = o.RedeemClaimCode(t.Context(), code, "")
	wantErr(t, err, identity.ErrTicketSpent)

	// The world cannot ask again, the person makes another key.
	o.reopen()
	_, _, err = o.CreateClaimCode(t.Context(), 1, "ann")
	wantErr(t, err, identity.ErrPersonHasKey)
	_, _, err = o.CreateKey(t.Context(), who, "my other phone")
	check(t, err)
	check(t, o.Revoke(t.Context(), key.ID))
	_, _, err = o.CreateClaimCode(t.Context(), 1, "ann")
	wantErr(t, err, identity.ErrPersonHasKey)
}

func TestACodeIsWorthlessOncePersonHasKey(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann")
	code, _, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	owner := identity.Principal{Kind: identity.Person, World: 1, Subject: ann.Number, PersonID: ann.Person}
	_, _, err = o.CreateKey(t.Context(), owner, "made by the operator")
	check(t, err)
	_, _, err = o.RedeemClaimCode(t.Context(), code, "")
	wantErr(t, err, identity.ErrPersonHasKey)
}

func TestAClaimCodeExpires(t *testing.T) {
	o := newOffice(t)
	code, expiresMS, err := o.CreateClaimCode(t.Context(), 1, "ann")
	check(t, err)
	o.nowMS = expiresMS
	_, _, err = o.RedeemClaimCode(t.Context(), code, "")
	wantErr(t, err, identity.ErrTicketSpent)
}
