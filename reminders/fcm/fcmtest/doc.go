// Package fcmtest is a Firebase Cloud Messaging for tests and benchmarks: the
// endpoint for access tokens and the one for messages, on a loopback address.
//
// It is stricter than Google where we know the rules, and answers what a test
// has written down for a device. Its error bodies have Google's shapes; their
// exact texts, real latencies and Google's own accounting of sizes are not
// known to it.
package fcmtest
