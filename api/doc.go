// Package api carries the study over HTTP: it turns requests into one call of
// package study or auth and answers into JSON. No rule lives here. Every route
// stands in routes.go with the action that it needs, every error code in
// problem.go with its status.
package api
