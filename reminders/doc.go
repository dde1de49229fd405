// Package reminders plans reminders and sends them.
//
// The plan is pure: protocol policy, State, zone and now give the next step
// and its instant. The dispatcher is a loop that can be stopped; it hands each
// message to a Sender. What a message says betrays nothing: no word of health,
// study, site or person, and its data are opaque ids.
package reminders
