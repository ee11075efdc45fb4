package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// refusable are the codes that operations answer with besides those that follow
// from their form: what of the enumerations of the bank, of identity and of this
// package can come of what an operation does. A code that is in none of them
// stops the server from starting, and one that an operation answers without
// saying so fails the tests.
var refusable = map[string]string{
	"admit-operator": "code_invalid code_taken too_many",
	"amend-order": "all_halted auction_locked book_full cannot_fill daily_volume_exceeded feature_denied holdings_exceeded insufficient_available " +
		"market_behind market_halted market_not_found not_owner nothing_left notional_too_small numbers_exhausted order_not_found " +
		"order_too_large overflow own_limit_reached owner_halted price_out_of_range quantity_out_of_range reference_invalid " +
		"self_excluded too_many_messages too_many_orders would_meet_own would_take",
	"appeal-case":      "case_not_found case_over",
	"approve-proposal": "own_proposal proposal_not_found proposal_over",
	"buy-good": "feature_denied good_not_found insufficient_available not_on_sale overflow own_listing price_exceeded reference_invalid " +
		"self_excluded",
	"buy-listing": "amount_not_positive feature_denied insufficient_available listing_not_found listing_over not_on_sale overflow " +
		"own_limit_reached own_listing price_exceeded reference_invalid self_excluded",
	"call-auction":   "all_halted market_not_found not_halted price_out_of_range",
	"cancel-listing": "listing_not_found listing_over reference_invalid",
	"cancel-order":   "auction_locked market_behind market_not_found not_owner order_not_found reference_invalid",
	"cancel-orders":  "auction_locked market_not_found reference_invalid",
	"cancel-payout":  "insufficient_available overflow payout_not_found payout_not_sent payout_over reference_invalid",
	"charge-back":    "amount_not_positive card_credit_not_found card_credit_over insufficient_available overflow reference_invalid",
	"charge-user": "allowance_exceeded amount_not_positive feature_denied insufficient_available overflow own_limit_reached reference_invalid " +
		"self_excluded user_id_invalid world_not_found",
	"create-asset":       "code_invalid code_taken scale_invalid too_many world_not_found",
	"create-card-credit": "asset_not_found card_credit_invalid expiry_not_ahead insufficient_available overflow quantity_invalid reference_invalid",
	"create-claim":       "erased person_has_key user_id_invalid",
	"create-conversion": "all_halted auction_running book_full cannot_fill daily_volume_exceeded feature_denied holdings_exceeded " +
		"insufficient_available market_behind market_halted market_not_found no_bound notional_too_small numbers_exhausted " +
		"order_too_large overflow own_limit_reached owner_halted price_out_of_range quantity_out_of_range quote_expired " +
		"reference_invalid self_excluded slippage_exceeded too_many_messages too_many_orders too_many_owner_orders would_meet_own",
	"create-link":         "erased link_invalid link_over linked_already token_spent token_without_id too_many",
	"create-listing":      "asset_not_found feature_denied insufficient_available not_listable overflow quantity_invalid reference_invalid self_excluded",
	"create-market":       "asset_not_found market_invalid terms_invalid too_many",
	"create-operator-key": "too_many label_invalid",
	"create-payout": "asset_not_found chargeback_owed feature_denied insufficient_available overflow payee_missing payout_out_of_range payout_worse " +
		"payouts_closed payouts_off quantity_invalid reference_invalid self_excluded",
	"create-person-key": "too_many erased label_invalid",
	"create-purchase": "allowance_exceeded feature_denied insufficient_available not_on_sale overflow own_limit_reached price_exceeded " +
		"product_not_found quantity_invalid reference_invalid self_excluded sold_out",
	"create-transfer": "amount_not_positive asset_mismatch credit_account_not_found debit_account_not_found feature_denied insufficient_available " +
		"no_legs not_transferable overflow reference_invalid same_account self_excluded too_many_legs",
	"create-transfers": "amount_not_positive approval_needed asset_mismatch credit_account_not_found debit_account_not_found feature_denied " +
		"insufficient_available no_legs not_transferable overflow reference_invalid same_account self_excluded too_many_legs",
	"create-world":         "code_invalid code_taken too_many",
	"create-world-key":     "too_many label_invalid owner_invalid",
	"decide-case":          "case_not_found case_over insufficient_available overflow own_decision",
	"end-allowance":        "allowance_invalid world_not_found",
	"end-link":             "link_over linked_already",
	"end-payout":           "insufficient_available overflow payout_not_found payout_not_sent payout_over reference_invalid",
	"end-purchase":         "amount_not_positive overflow purchase_not_found purchase_over reference_invalid",
	"erase-person":         "erased",
	"exclude-oneself":      "own_limit_invalid standing_invalid",
	"export-person":        "busy erased history_behind history_lagging operator_not_found too_many_exports",
	"file-payouts":         "asset_not_found payout_not_found payouts_off quantity_invalid too_many",
	"follow-accrual":       "erased stopping too_many_streams",
	"follow-market":        "market_not_found stopping too_many_streams",
	"get-attention":        "erased",
	"get-attributes":       "erased",
	"get-book":             "market_not_found",
	"get-case":             "erased",
	"get-market":           "market_not_found",
	"get-order":            "market_not_found order_not_found history_behind",
	"get-own-case":         "erased",
	"get-payee":            "erased",
	"get-payout-file":      "erased payout_not_sent payouts_off",
	"get-project-settings": "key_missing role_forbidden",
	"get-person":           "erased",
	"get-quote":            "auction_running cannot_fill market_not_found price_out_of_range quantity_out_of_range",
	"get-readiness":        "not_ready",
	"get-ticker":           "market_not_found",
	"get-user":             "erased user_id_invalid",
	"get-user-allowance":   "user_id_invalid",
	"give-good":            "feature_denied good_not_found insufficient_available not_transferable not_your_good overflow reference_invalid same_account self_excluded",
	"halt-market":          "market_not_found",
	"import-payout-report": "report_invalid",
	"keep-orders":          "timeout_invalid",
	"list-candles":         "market_not_found",
	"list-consents":        "erased",
	"list-fills":           "market_not_found order_not_found",
	"list-mints":           "erased",
	"list-orders":          "market_not_found",
	"list-person-accounts": "erased",
	"list-person-orders":   "erased market_not_found",
	"list-trades":          "market_not_found",
	"list-user-consents":   "erased user_id_invalid",
	"offer-good":           "feature_denied good_not_found not_your_good quantity_invalid reference_invalid self_excluded",
	"open-account":         "asset_not_found owner_invalid too_many world_not_found",
	"open-own-session":     "erased session_invalid",
	"open-session":         "erased session_invalid user_id_invalid",
	"place-hold": "amount_not_positive asset_mismatch credit_account_not_found debit_account_not_found expiry_not_ahead feature_denied " +
		"group_too_large insufficient_available not_transferable overflow reference_invalid same_account self_excluded",
	"place-order": "all_halted book_full cannot_fill daily_volume_exceeded expiry_not_ahead expiry_not_allowed feature_denied " +
		"fill_or_kill_in_call holdings_exceeded insufficient_available kind_unknown market_behind market_halted market_not_found " +
		"no_bound notional_too_small numbers_exhausted order_too_large overflow own_limit_reached owner_halted post_only_must_rest " +
		"price_out_of_range quantity_out_of_range reference_invalid self_excluded too_many_messages too_many_orders " +
		"too_many_owner_orders would_meet_own would_take",
	"publish-policy":       "policy_not_ahead policy_out_of_order policy_too_large too_many world_not_found",
	"publish-review-rules": "policy_too_large too_many",
	"purchase-for-user": "allowance_exceeded feature_denied insufficient_available not_on_sale overflow own_limit_reached price_exceeded " +
		"product_not_found quantity_invalid reference_invalid self_excluded sold_out user_id_invalid world_not_found",
	"redeem-claim":         "code_spent label_invalid person_has_key",
	"redeem-operator-link": "code_spent",
	"refund-good":          "good_not_found insufficient_available overflow purchase_over reference_invalid refund_window_over",
	"refund-purchase":      "insufficient_available overflow purchase_not_found purchase_over reference_invalid refund_window_over",
	"reject-proposal":      "proposal_not_found proposal_over",
	"release-group":        "amount_not_positive hold_not_found overflow reference_invalid",
	"release-hold":         "hold_managed hold_not_found hold_not_open reference_invalid",
	"remove-operator":      "last_operator operator_not_found",
	"report-consent":       "consent_invalid consent_withdrawn erased user_id_invalid",
	"set-account-limits":   "credit_not_allowed debit_account_not_found limit_out_of_range",
	"set-allowance":        "allowance_invalid world_not_found",
	"set-attributes":       "attributes_invalid erased",
	"set-collection":       "asset_not_found collection_invalid too_many",
	"set-consent":          "consent_invalid erased",
	"set-eligibility":      "eligibility_invalid policy_too_large standing_invalid too_many",
	"set-good":             "collection_not_found good_invalid not_your_good too_many",
	"set-market-terms":     "market_not_found terms_invalid",
	"set-monetary-policy":  "monetary_policy_invalid",
	"set-own-limits":       "own_limit_invalid",
	"set-payee":            "erased payee_invalid",
	"set-payout-rate":      "payout_rate_invalid too_many",
	"set-product":          "product_invalid too_many world_not_found",
	"set-rate-limit":       "rate_limit_invalid too_many",
	"set-tier":             "tier_invalid",
	"set-token-keys":       "token_keys_invalid",
	"set-world-share":      "monetary_policy_invalid world_not_found",
	"settle-group":         "amount_not_positive hold_not_found overflow reference_invalid",
	"settle-hold":          "amount_not_positive exceeds_hold hold_managed hold_not_found hold_not_open overflow reference_invalid",
}

// ownCodes are the codes of this package; those of the bank are refusals, and
// those of what lies beneath faults.
var ownCodes = []docsCode{
	{"key_missing", 401, "Send a key: Authorization: Bearer ab_…"}, {"token_invalid", 401, "The token is not signed by a live key of its world, not for this bank, or over."},
	{"role_forbidden", 403, "A credential of this kind may not do this."}, {"not_yours", 403, "It belongs to another world or person, or is not there."},
	{"invalid_request", 422, "A field is wrong; errors or detail name it."}, {"invalid_request", 400, "The body is no JSON."}, {"too_large", 413, "The body is over its bound."},
	{"unsupported_media_type", 415, "Accepted: application/json."},
	{"unreadable", 400, "The body cannot be read as events; detail says why."}, {"encoding_unknown", 415, "Accepted: Content-Encoding gzip, or none."},
	{"rate_limited", 429, "The key calls more often than it may; Retry-After says when to go on."}, {"too_many_streams", 429, "Too many streams are open."},
	{"rate_limited", 503, "The same, for clients that drop what is answered with 429."}, {"busy", 503, "Too many requests wait, for clients that drop what is answered with 429."},
	{"too_many_exports", 429, "Too many exports are made at this moment."},
	{"stopping", 503, "The bank is being stopped or moved."}, {"not_ready", 503, "The bank cannot serve."},
	{"internal", 500, "The bank could not do this. Send the call again with the same Idempotency-Key."},
	{"eligibility_invalid", 422, "The table cannot be read; detail says where."}, {"token_keys_invalid", 422, "Accepted: a JWKS of up to 16 public keys; detail says what is wrong."},
	{"payee_invalid", 422, "Accepted: a name of up to 70 characters and an IBAN with its check digits."}, {"payee_missing", 409, "Say first to whom it is paid."},
	{"report_invalid", 422, "Accepted: a pain.002 about this file; detail says what cannot be read."},
	{"payouts_off", 409, "The operator pays nothing out."},
}

// problemCodes are the codes that problems may have, by name.
func problemCodes() (list []docsCode) {
	for refusal, row := range refusals {
		list = append(list, docsCode{refusal.String(), row.status, row.detail})
	}
	for _, code := range ownCodes {
		list = addCode(list, code)
	}
	for _, row := range faults {
		list = addCode(list, docsCode{row.code, row.status, row.detail})
	}
	slices.SortFunc(list, func(a, b docsCode) int { return strings.Compare(a.Code, b.Code) })
	return list
}

// addCode adds a code that is not there yet with this status.
func addCode(list []docsCode, code docsCode) []docsCode {
	if slices.ContainsFunc(list, func(other docsCode) bool { return other.Code == code.Code && other.Status == code.Status }) {
		return list
	}
	return append(list, code)
}

// formCodes are the codes that follow from the form of an operation: whether it
// takes a key, parameters, a body, an Idempotency-Key, and whether it changes
// something.
func formCodes(op *huma.Operation, method string) string {
	roles, _ := op.Extensions["x-roles"].([]string)
	isPublic := slices.Contains(roles, "public")
	mutates := method != http.MethodGet
	codes := "internal stopped"
	switch {
	case op.Tags[0] == "events" && strings.HasPrefix(op.OperationID, "send-"):
		return codes + " key_missing key_invalid token_invalid role_forbidden rate_limited busy unreadable too_large encoding_unknown erased"
	case isPublic && op.Tags[0] == "operation" && op.RequestBody == nil && strings.Contains(op.Path, "{"):
		return codes // the link is the key
	case isPublic:
		codes += " key_invalid token_invalid rate_limited"
	default:
		codes += " key_missing key_invalid token_invalid role_forbidden rate_limited"
	}
	if len(op.Parameters) > 0 || op.RequestBody != nil {
		codes += " invalid_request"
		if !isPublic && !slices.Equal(roles, []string{"operator"}) {
			codes += " not_yours"
		}
	}
	if op.RequestBody != nil {
		codes += " too_large unsupported_media_type not_found"
	}
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			codes += " not_found"
		case p.Name == "Idempotency-Key":
			codes += " key_reused repeated"
		case p.In == "query" && p.Name != "cursor" && p.Name != "limit":
			codes += " not_found" // what a filter names
		}
	}
	if mutates {
		codes += " busy history_lagging"
		if slices.Contains(roles, "operator") {
			codes += " operator_not_found"
		}
	}
	return codes
}

// codesOf returns the codes that an operation may answer with, by status.
func codesOf(op *huma.Operation, method string) map[string][]string {
	known := map[string][]int{}
	for _, code := range problemCodes() {
		if !slices.Contains(known[code.Code], code.Status) {
			known[code.Code] = append(known[code.Code], code.Status)
		}
	}
	byStatus := map[string][]string{}
	for _, name := range slices.Compact(slices.Sorted(strings.FieldsSeq(formCodes(op, method) + " " + refusable[op.OperationID]))) {
		if len(known[name]) == 0 {
			panic(fmt.Sprintf("%s answers with %q, which is in no enumeration", op.OperationID, name))
		}
		for _, status := range known[name] {
			switch {
			case name == "invalid_request" && status == http.StatusBadRequest && op.RequestBody == nil:
				continue // there is no JSON that could be wrong
			case status == http.StatusServiceUnavailable && (name == "busy" || name == "rate_limited") && !strings.HasPrefix(op.OperationID, dropping):
				continue
			}
			byStatus[strconv.Itoa(status)] = append(byStatus[strconv.Itoa(status)], name)
		}
	}
	return byStatus
}

// declareCodes says of an operation which problems it answers with.
func declareCodes(op *huma.Operation, method string, problem *huma.Schema) {
	codes := codesOf(op, method)
	for _, status := range slices.Sorted(maps.Keys(codes)) {
		response := op.Responses[status]
		if response == nil {
			response = &huma.Response{Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
			op.Responses[status] = response
		}
		number, _ := strconv.Atoi(status)
		if response.Description == "" || response.Description == http.StatusText(number) {
			response.Description = http.StatusText(number) + "."
		}
		response.Description += " Codes: " + strings.Join(codes[status], ", ") + "."
	}
	for status := range op.Responses {
		if (status[0] == '4' || status[0] == '5') && codes[status] == nil {
			delete(op.Responses, status)
		}
	}
	op.Extensions["x-codes"] = codes
}
