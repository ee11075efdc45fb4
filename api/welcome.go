package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

//go:embed welcome.html
var welcomeHTML string

var welcomePage = template.Must(template.New("welcome").Parse(welcomeHTML))

// welcomePolicy lets a browser use the style that stands in the page, by its
// hash, and nothing else.
var welcomePolicy = "default-src 'none'; style-src '" + styleHash(welcomeHTML) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func styleHash(page string) string {
	_, after, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(after, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// welcomeView is what the page shows: a button, the key, or why there is none.
type welcomeView struct {
	Secret  string
	Problem string
	Origin  string
}

// registerWelcome serves the one-time operator link. Looking at it uses
// nothing up: programs that preview links must not cost the operator the key.
func (s *server) registerWelcome() {
	get := operation("show-operator-link", "GET", "/welcome/{token}", "The page of the one-time operator link", "operation")
	post := operation("redeem-operator-link", "POST", "/welcome/{token}", "Make the first operator key; it is shown once. With Accept: application/json the answer is a Key", "operation")
	describe(&get, public)
	describe(&post, public)
	page := map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: "string"}}}
	key := s.huma.OpenAPI().Components.Schemas.Schema(typeOf[wire.Key](), true, "Key")
	token := []*huma.Param{{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}}
	get.Parameters, post.Parameters = token, token
	s.document(&get, map[string]*huma.Response{"200": {Description: "A page with a button.", Content: page}}, nil)
	s.document(&post, map[string]*huma.Response{"201": {Description: "The key.", Content: map[string]*huma.MediaType{"text/html": page["text/html"], "application/json": {Schema: key}}}},
		map[string]string{"410": "The link was used or has expired."})
	post.Responses["410"].Content["text/html"] = page["text/html"]
	s.mux.HandleFunc("GET /welcome/{token}", func(w http.ResponseWriter, r *http.Request) {
		showWelcome(w, http.StatusOK, welcomeView{})
	})
	s.mux.HandleFunc("POST /welcome/{token}", s.redeemOperatorLink)
}

func (s *server) redeemOperatorLink(w http.ResponseWriter, r *http.Request) {
	key, secret, err := s.Identity.RedeemOperatorLink(r.Context(), r.PathValue("token"))
	if err == nil {
		// A trail that cannot be written is found with the first act of the key.
		err = s.note(r.Context(), bank.Act{Actor: actorOf(identity.Principal{KeyID: key.ID}), Operation: "redeem-operator-link"})
	}
	if r.Header.Get("Accept") == "application/json" {
		s.answerKey(w, r, key, secret, err)
		return
	}
	if err != nil {
		p := s.problem("redeem-operator-link", err)
		showWelcome(w, p.Status, welcomeView{Problem: p.Detail})
		return
	}
	showWelcome(w, http.StatusCreated, welcomeView{Secret: secret, Origin: schemeOf(r) + "://" + r.Host})
}

func (s *server) answerKey(w http.ResponseWriter, r *http.Request, key identity.Key, secret string, err error) {
	if err == nil {
		var shown *body[wire.Key]
		if shown, err = s.shownKey(r.Context(), key, secret); err == nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			json.NewEncoder(w).Encode(shown.Body)
			return
		}
	}
	writeProblem(w, s.problem("redeem-operator-link", err))
}

func showWelcome(w http.ResponseWriter, status int, view welcomeView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", welcomePolicy)
	w.WriteHeader(status)
	welcomePage.Execute(w, view) // a browser that has gone away is no fault
}
