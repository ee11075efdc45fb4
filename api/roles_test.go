package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/outbox"
)

// belonging is what one world, or one person of it, has: a value for every
// parameter of a path.
type belonging map[string]string

// holding is a bank in which two worlds, and a person of each, have one of
// everything that a path can name.
type holding struct {
	*stack
	keys        map[string]string // by role
	own, others map[string]belonging
	token       worldKey
}

func newHolding(t *testing.T) *holding {
	t.Helper()
	h := &holding{stack: newStack(t)}
	h.token = h.tokenKey("cafe", h.serverKey)
	h.shop()
	_, world, issuer := h.gold()
	h.own = h.belongings("cafe", "alice", "sword", h.serverKey, h.person, h.personID, world, issuer)
	h.ok("POST", "/v1/assets", h.operator, `{"asset":"AXE","scale":0,"world":"arena"}`)
	h.ok("PUT", "/v1/worlds/arena/products/axe", h.otherServer, `{"kind":"item","asset":"AXE","price":"1","on_sale":true}`)
	world = h.ok("POST", "/v1/accounts", h.otherServer, `{"world":"arena","asset":"GOLD"}`)["account"].(string)
	h.others = h.belongings("arena", "bob", "axe", h.otherServer, h.otherPerson, h.otherPersonID, world, issuer)
	for number, world := range []uint32{1, 2} {
		if err := h.server.Webhooks.Store.Keep(t.Context(), uint64(number), outbox.Cursor{Seq: uint64(number + 1)}, []outbox.Message{{Number: uint64(number + 1), World: world, Kind: "purchase.made", Body: []byte("{}")}}); err != nil {
			t.Fatal(err)
		}
	}
	market := h.ok("POST", "/v1/markets", h.operator, `{"base":"TIME","quote":"GOLD","mode":"continuous","lot":"0.1","tick":"0.1","maker_fee_bps":10,"taker_fee_bps":30,"call_fee_bps":20,
		"operator_share_bps":5000,"min_notional":"0.5","auction_ms":1000,"batch_ms":1000,"random_end_ms":0,"locked_ms":0,"dynamic_band_bps":0,"static_band_bps":0}`)["market"].(string)
	h.ok("POST", "/v1/markets/"+market+"/auction", h.operator, `{"reference":"10"}`)
	h.nowMS += 1000
	for key, all := range map[string]map[string]belonging{h.person: h.own, h.otherPerson: h.others} {
		order := h.ok("POST", "/v1/orders", key, `{"market":"`+market+`","side":"sell","price":"10","quantity":"0.5"}`)["order"].(string)
		for role := range all {
			all[role]["market"], all[role]["order"], all[role]["tier"] = market, order, "1"
		}
	}
	h.ok("POST", "/v1/review-rules", h.operator, strictRules)
	for personID, all := range map[string]map[string]belonging{h.personID: h.own, h.otherPersonID: h.others} {
		number := h.openCase(personID, bank.OpenCase{Signals: 1})
		for role := range all {
			all[role]["case"] = number
		}
	}
	h.goodsAndPayouts()
	h.catchUp()
	return h
}

// goodsAndPayouts gives each person a unique good, a payout and a credit by card.
func (h *holding) goodsAndPayouts() {
	h.Helper()
	h.land()
	h.ok("POST", "/v1/goods/2/purchase", h.otherPerson, `{"max_price":"1"}`)
	if answer := h.do("POST", "/v1/goods/1/refund", h.otherServer, `{}`); answer.Code != http.StatusForbidden && answer.Code != http.StatusNotFound {
		h.Errorf("another world takes a good back: %d %s", answer.Code, answer.Body)
	}
	h.payouts()
	h.ok("PUT", "/v1/people/"+h.otherPersonID+"/attributes", h.operator, `{"country":"DE","age":"adult","tier":2}`)
	h.ok("PUT", "/v1/people/me/payee", h.otherPerson, `{"name":"Bob","iban":"`+annsIBAN+`"}`)
	h.ok("POST", "/v1/payouts", h.otherPerson, `{"asset":"GOLD","amount":"1","min_paid":"0.2"}`)
	h.ok("POST", "/v1/card-credits", h.operator, `{"person":"`+h.otherPersonID+`","asset":"GOLD","amount":"5","until":"2026-02-01T00:00:00Z"}`)
	for number, all := range map[string]map[string]belonging{"1": h.own, "2": h.others} {
		for role := range all {
			of := all[role]
			of["iban"] = annsIBAN
			of["good"], of["payout"], of["credit"], of["file"] = number, number, number, "99"
			of["asset"], of["id"] = map[string]string{"1": "LAND", "2": "AXE"}[number], "0,"+number
		}
	}
}

// openCase has a person reviewed today, for signals.
func (h *holding) openCase(personID string, c bank.OpenCase) string {
	h.Helper()
	id, err := parsePerson(personID)
	if err != nil {
		h.Fatal(err)
	}
	c.Person, c.Day, c.RulesVersion, c.TrustPermille = id, bank.Day(h.nowMS), 1, 500
	answers, err := h.bank.Submit(h.Context(), c.AppendTo(nil))
	if err != nil {
		h.Fatal(err)
	}
	changed, opened := bank.First[bank.CaseChanged](answers[0].Bytes)
	if !opened {
		h.Fatalf("no case was opened: %v", answers[0].Refusal)
	}
	return fmt.Sprint(changed.Case)
}

// belongings gives a person a purchase, a listing, a hold in a group and a
// transfer, and names them, and what is the world's, for each role.
func (h *holding) belongings(world, user, product, serverKey, personKey, personID, worldAccount, issuer string) map[string]belonging {
	h.Helper()
	account := h.ok("POST", "/v1/accounts", personKey, `{"person":"`+personID+`","asset":"GOLD"}`)["account"].(string)
	h.ok("POST", "/v1/transfers", h.operator, legs("", issuer, account, "10"))
	h.ok("POST", "/v1/transfers", personKey, legs("ref-"+user, account, worldAccount, "1"))
	hold := h.ok("POST", "/v1/holds", personKey, `{"account":"`+account+`","beneficiary":"`+worldAccount+`","amount":"1","group":"group-`+user+`"}`)["hold"].(map[string]any)["hold"].(string)
	bought := h.ok("POST", "/v1/purchases", personKey, `{"world":"`+world+`","product":"`+product+`","quantity":1,"max_total":"9"}`)["purchase"].(string)
	asset := map[string]string{"sword": "SWORD", "axe": "AXE"}[product]
	listing := h.ok("POST", "/v1/listings", personKey, `{"asset":"`+asset+`","quantity":1,"price":"1"}`)["listing"].(string)
	key := h.ok("POST", "/v1/people/me/keys", personKey, `{}`)["id"].(string)
	all := belonging{
		"world": world, "person": personID, "user_id": user, "account": account, "hold": hold, "group": "group-" + user, "purchase": bought, "listing": listing,
		"reference": "ref-" + user, "key": key, "product": product, "message": map[string]string{"cafe": "msg_1", "arena": "msg_2"}[world], "message_id": world + "-1",
		// What only operators name, or nobody owns: anything will do.
		"proposal": "99", "operator": "99", "version": "1", "token": "nonsense", "purpose": "analytics", "write_key": h.writeKey, "other": h.otherPersonID,
	}
	ofWorld := maps.Clone(all)
	ofWorld["account"] = worldAccount
	// Whoever is to get it ends a hold: the world that of the person, the person one of the world.
	all["hold"] = h.ok("POST", "/v1/holds", serverKey, `{"account":"`+worldAccount+`","beneficiary":"`+account+`","amount":"0.5"}`)["hold"].(map[string]any)["hold"].(string)
	return map[string]belonging{"server": ofWorld, "write": ofWorld, "person": all, "user": all, "operator": ofWorld, "none": all}
}

// refresh makes the credentials of all roles.
func (h *holding) refresh() {
	h.nowMS += 10_000 // so that no key has called too often
	h.keys = map[string]string{
		"operator": h.operator, "server": h.serverKey, "write": h.writeKey, "person": h.person, "none": "",
		"user": h.token.sign(h.stack),
	}
}

func (w worldKey) sign(s *stack) string { return s.token(w, "alice", fmt.Sprint("t-", s.nowMS)) }

// whole reports whether every credential still works: some calls end one.
func (h *holding) whole() bool {
	for role, path := range map[string]string{"operator": "/v1/worlds", "server": "/v1/worlds/cafe", "person": "/v1/people/me", "user": "/v1/people/me"} {
		if h.do("GET", path, h.keys[role], "").Code != http.StatusOK {
			return false
		}
	}
	return h.do("POST", "/v1/track", h.writeKey, `{"event":"x","anonymousId":"a"}`).Code == http.StatusOK
}

var parameters = regexp.MustCompile(`\{(\w+)\}`)

// at fills in a path; those of others are named in foreign.
func (h *holding) at(path, role string, foreign ...string) string {
	h.Helper()
	return parameters.ReplaceAllStringFunc(path, func(name string) string {
		name = strings.Trim(name, "{}")
		from := h.own
		if slices.Contains(foreign, name) {
			from = h.others
		}
		value, known := from[role][name]
		if !known {
			h.Fatalf("%s: the tests know nothing that is a {%s}: say in belongings what one is, and in owned whose", path, name)
		}
		return value
	})
}

// owned are the parameters by which a role can reach for what is another's.
// Within a world, users, products and events have names of their own.
var owned = map[string][]string{
	"server": {"world", "person", "account", "hold", "group", "purchase", "listing", "reference", "message", "asset"},
	"write":  {"world"},
	"person": {"person", "account", "hold", "purchase", "listing", "reference", "key", "case", "order", "payout", "good"},
	"user":   {"person"},
}

// forEverybody are operations on what is another's that are meant to be, each
// with why.
var forEverybody = map[string]string{
	"buy-listing":   "what is listed is for others to buy",
	"buy-good":      "what is on sale is for others to buy",
	"list-products": "a catalogue is for everybody to buy from",
}

// call makes a request to an operation as a role would, with a body that its
// schema allows and that names what is the role's own. nothing says that the
// answer is a list with nothing on it.
func (h *holding) call(op apiOperation, path, role, key string) (status int, code string, nothing bool) {
	h.Helper()
	method, body := op.method, ""
	if op.isStream() {
		method = http.MethodHead // which is answered and does not go on
	}
	if op.RequestBody != nil {
		media := op.RequestBody.Content["application/json"]
		value := media.Example
		if value == nil || media.Schema.Ref != "" {
			value = h.document.example(media.Schema, "", h.own[role])
		}
		text, err := json.Marshal(value)
		if err != nil {
			h.Fatal(err)
		}
		body = string(text)
	}
	answer := h.do(method, path, key, body)
	var said struct {
		Code  string
		Items []any
	}
	switch answer.Header().Get("Content-Type") {
	case "application/json", "application/problem+json":
		if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil {
			h.Fatalf("%s %s is answered %s", method, path, answer.Body)
		}
	}
	return answer.Code, said.Code, answer.Code == http.StatusOK && said.Items != nil && len(said.Items) == 0
}

// refusals of whoever may not do it, in this way or at all.
var forbidding = []string{"", "key_missing", "key_invalid", "role_forbidden", "not_yours"}

var rolesOfMatrix = []string{"none", "operator", "server", "write", "person", "user"}

// Every operation of the description, with every kind of credential: whoever is
// not allowed is refused before anything else, with 401 without a valid one and
// 403 with one of the wrong kind; whoever is allowed is not.
func TestRolesMatrix(t *testing.T) {
	h := newHolding(t)
	var table strings.Builder
	for _, op := range h.operations() {
		fmt.Fprintf(&table, "| `%s %s` |", op.method, op.path)
		isPublic := slices.Contains(op.Roles, "public")
		for _, role := range rolesOfMatrix {
			h.refresh()
			allowed := isPublic || slices.Contains(op.Roles, role)
			status, code, _ := h.call(op, h.at(op.path, role), role, h.keys[role])
			refused := (status == http.StatusUnauthorized || status == http.StatusForbidden) && slices.Contains(forbidding, code)
			want := http.StatusForbidden
			if role == "none" {
				want = http.StatusUnauthorized
			}
			switch {
			case allowed && refused:
				t.Errorf("%s %s by %s, which is allowed: %d %s", op.method, op.path, role, status, code)
			case !allowed && status != want:
				t.Errorf("%s %s by %s, which is not allowed: %d %s, expected %d", op.method, op.path, role, status, code, want)
			}
			mark := map[bool]string{true: "yes", false: fmt.Sprint(want)}[allowed]
			fmt.Fprintf(&table, " %s |", mark)
			if allowed && op.method != http.MethodGet && !h.whole() {
				h = newHolding(t)
			}
		}
		if status, _, _ := h.call(op, h.at(op.path, "none"), "none", "ab_op_nonsense"); !isPublic && status != http.StatusUnauthorized {
			t.Errorf("%s %s by an unknown key: %d", op.method, op.path, status)
		}
		table.WriteString("\n")
	}
	onFile(t, "../docs/roles.md", rolesPage+table.String())
}

const rolesPage = `# Roles

Who may use which operation. ` + "`go test ./api -run TestRolesMatrix`" + ` makes every call of this table against the server, and one with an unknown
key, and fails where an answer differs; ` + "`-update`" + ` writes the table anew from the API's description. *yes*: answered by what the call is about;
401: no valid key; 403: the key is of another kind. What of it is whose is tested beside it: every parameter of a path is filled in with what
belongs to another world or person, which is answered 403 or 404.

| operation | none | operator | server | write | person | user |
|---|---|---|---|---|---|---|
`

// Whatever of a path names what is another's, of another world or person, is
// refused or not found.
func TestNobodyReachesWhatIsAnothers(t *testing.T) {
	h := newHolding(t)
	tried := map[string]bool{}
	for _, op := range h.operations() {
		for _, role := range op.Roles {
			var foreign []string
			for _, match := range parameters.FindAllStringSubmatch(op.path, -1) {
				h.at("{"+match[1]+"}", "person") // known at all
				if slices.Contains(owned[role], match[1]) {
					foreign = append(foreign, match[1])
				}
			}
			sets := [][]string{foreign}
			if len(foreign) > 1 {
				for _, name := range foreign {
					sets = append(sets, []string{name})
				}
			}
			for _, names := range sets {
				if len(names) == 0 {
					continue
				}
				h.refresh()
				path := h.at(op.path, role, names...)
				status, code, nothing := h.call(op, path, role, h.keys[role])
				refused := status == http.StatusForbidden || status == http.StatusNotFound || nothing
				if _, is := forEverybody[op.OperationID]; is == refused {
					t.Errorf("%s %s by %s: %d %s; for everybody: %v", op.method, path, role, status, code, is)
				}
				tried[op.OperationID] = true
				if !h.whole() {
					h = newHolding(t)
				}
			}
		}
	}
	if len(tried) < 30 {
		t.Errorf("only %d operations were tried", len(tried))
	}
	for id := range forEverybody {
		if !tried[id] {
			t.Errorf("%s is no operation on what can be another's any more", id)
		}
	}
}

// onFile compares a text with a file, or writes it.
func onFile(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != text {
		t.Errorf("%s is not what the API does, %v; write it anew with -update", file, err)
	}
}
