package history

import "fmt"

// The kinds of command by the number that a command begins with, and whether a
// reference follows the idempotency key. docs/formats/command.md has the table.
var kinds = [...]struct {
	name       string
	referenced bool
}{
	1:  {"tick", false},
	2:  {"register_asset", false},
	3:  {"register_world", false},
	4:  {"register_person", false},
	5:  {"open_account", false},
	6:  {"set_limits", false},
	7:  {"transfer", true},
	8:  {"place_hold", true},
	9:  {"settle_hold", true},
	10: {"release_hold", true},
	11: {"settle_group", true},
	12: {"release_group", true},
	13: {"mint", false},
	14: {"publish_policy", false},
	15: {"set_monetary_policy", false},
	16: {"set_world_share", false},
	17: {"set_product", false},
	18: {"purchase", true},
	19: {"end_purchase", true},
	20: {"refund", true},
	21: {"place_listing", true},
	22: {"cancel_listing", true},
	23: {"buy_listing", true},
	24: {"act", false},
	25: {"require_two_persons", false},
	26: {"admit_operator", false},
	27: {"remove_operator", false},
	28: {"propose", false},
	29: {"end_proposal", false},
	30: {"set_rate_limit", false},
	31: {"publish_review_rules", false},
	32: {"open_case", false},
	33: {"decide_case", false},
	34: {"appeal_case", false},
	35: {"set_standing", false},
	36: {"exclude", false},
	37: {"set_allowance", false},
	38: {"purchase_for", true},
	39: {"charge", true},
	40: {"open_market", false},
	41: {"set_market_terms", false},
	42: {"call_auction", false},
	43: {"halt_market", false},
	44: {"halt_all", false},
	45: {"halt_person", false},
	46: {"set_tier", false},
	47: {"place_order", true},
	48: {"amend_order", true},
	49: {"cancel_order", true},
	50: {"cancel_orders", true},
	51: {"keep_orders", false},
	52: {"convert", true},
	53: {"publish_eligibility", false},
	54: {"set_collection", false},
	55: {"set_good", false},
	56: {"offer_good", true},
	57: {"buy_good", true},
	58: {"give_good", true},
	59: {"refund_good", true},
	60: {"set_payout_rate", false},
	61: {"request_payout", true},
	62: {"file_payouts", false},
	63: {"end_payout", true},
	64: {"credit_card", true},
	65: {"charge_back", true},
	66: {"set_own_limits", false},
	67: {"stop_earning", false},
	68: {"send_payouts", false},
	69: {"set_retention", false},
}

const referenceAt = 1 + 16 // kind and idempotency key

// KindOf returns the name of a command's kind and its reference, if it has one.
func KindOf(command []byte) (kind, reference string, err error) {
	if len(command) < referenceAt {
		return "", "", fmt.Errorf("a command of %d bytes is cut off", len(command))
	}
	if int(command[0]) >= len(kinds) || kinds[command[0]].name == "" {
		return "", "", fmt.Errorf("command kind %d is unknown", command[0])
	}
	k := kinds[command[0]]
	if !k.referenced {
		return k.name, "", nil
	}
	rest := command[referenceAt:]
	if len(rest) == 0 || int(rest[0]) > len(rest)-1 {
		return "", "", fmt.Errorf("the reference of a %s is cut off", k.name)
	}
	return k.name, string(rest[1 : 1+int(rest[0])]), nil
}
