// Package lab repeats experiments of the literature on the production engine of
// package market: traders without intelligence, queues of orders, bargaining,
// sniping. It is tests alone, with fixed seeds; docs/market.md says what the
// sources say and what is found here. Chance and floats are on this side of the
// engine only.
package lab
