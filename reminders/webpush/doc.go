// Package webpush sends reminders to browsers, through whatever push service
// each browser chose, without an account anywhere.
//
// It writes the three standards out on the standard library: the message is
// encrypted for one browser (RFC 8291 over RFC 8188), and the server names
// itself with a key of its own (VAPID, RFC 8292). The push service reads
// neither text nor ids.
//
// A subscription is an address that a browser sends us, so a request to it is
// made only over https, only to hosts on the list, never to an address of a
// private network, and never along a redirect.
package webpush
