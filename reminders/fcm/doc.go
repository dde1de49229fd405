// Package fcm sends reminders through Firebase Cloud Messaging.
//
// It uses Google's own SDK and takes two things away from it: its repeating of
// requests, of which each may show another notification, and its judgement of
// answers. Every Send is one request at most; what came of it is judged in one
// place by the HTTP status and Google's error details. A device's target goes
// only when Google says in so many words that it is gone.
//
// Package fcmtest is a Firebase for tests, of this package and of others.
package fcm
