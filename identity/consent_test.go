package identity_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
)

// Decisions are kept in their order, with version and time, sealed; what a person
// has withdrawn a world cannot give.
func TestConsents(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann").Number
	set := func(c identity.Consent) identity.Consent {
		t.Helper()
		o.nowMS += 1000
		kept, err := o.SetConsent(t.Context(), ann, c)
		check(t, err)
		return kept
	}
	first := set(identity.Consent{Purpose: identity.Scoring, Given: true, Version: "2026-01", ByWorld: true})
	if again := set(identity.Consent{Purpose: identity.Scoring, Given: true, Version: "2026-01", ByWorld: true}); again != first {
		t.Errorf("said again, it is %+v and was %+v", again, first)
	}
	marketing := set(identity.Consent{Purpose: identity.Marketing, Given: true, Version: "m-1"})
	own := set(identity.Consent{Purpose: identity.Scoring, Given: false, Version: "2026-01"})
	_, err := o.SetConsent(t.Context(), ann, identity.Consent{Purpose: identity.Scoring, Given: true, Version: "2026-02", ByWorld: true})
	wantErr(t, err, identity.ErrConsentOwn)
	reported := set(identity.Consent{Purpose: identity.Marketing, Given: false, Version: "m-1", ByWorld: true})
	given := set(identity.Consent{Purpose: identity.Scoring, Given: true, Version: "2026-02"})
	for range 2 {
		all, err := o.Consents(t.Context(), ann)
		check(t, err)
		if want := []identity.Consent{first, marketing, own, reported, given}; !slices.Equal(all, want) {
			t.Errorf("decided was\n%+v, want\n%+v", all, want)
		}
		if last := identity.Decided(all); len(last) != 2 || last[identity.Scoring] != given || last[identity.Marketing] != reported {
			t.Errorf("the last decisions are %+v", last)
		}
		o.reopen()
	}
	kept, err := o.store.Detail(t.Context(), ann, "consent/scoring")
	check(t, err)
	if bytes.Contains(kept.Sealed, []byte("2026-0")) {
		t.Error("versions lie in clear")
	}
	for _, wrong := range []identity.Consent{{Version: "1"}, {Purpose: 9, Version: "1"}, {Purpose: identity.Scoring}, {Purpose: identity.Scoring, Version: "two words"}, {Purpose: identity.Scoring, Version: string(bytes.Repeat([]byte("x"), 33))}} {
		_, err := o.SetConsent(t.Context(), ann, wrong)
		wantErr(t, err, identity.ErrConsentInvalid)
	}
	check(t, o.Erase(t.Context(), ann))
	_, err = o.SetConsent(t.Context(), ann, identity.Consent{Purpose: identity.Scoring, Given: true, Version: "1"})
	wantErr(t, err, identity.ErrErased)
	if all, err := o.Consents(t.Context(), ann); err != nil || len(all) != 0 {
		t.Errorf("of an erased person is left %+v, %v", all, err)
	}
}

// However often a mind is changed, the last decisions are kept in bounded space
// and no decision is refused.
func TestManyDecisions(t *testing.T) {
	o := newOffice(t)
	ann := o.user(1, "ann").Number
	for i := range 2 * identity.MaxDecisions {
		_, err := o.SetConsent(t.Context(), ann, identity.Consent{Purpose: identity.Analytics, Given: i%2 == 0, Version: fmt.Sprintf("%032d", i)})
		check(t, err)
	}
	all, err := o.Consents(t.Context(), ann)
	check(t, err)
	if len(all) != identity.MaxDecisions || all[len(all)-1].Version != fmt.Sprintf("%032d", 2*identity.MaxDecisions-1) {
		t.Errorf("%d decisions are kept, the last %+v", len(all), all[len(all)-1])
	}
}
