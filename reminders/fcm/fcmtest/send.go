package fcmtest

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// send is projects.messages.send of the API's version 1.
func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	m, wrong := parse(body)
	place := s.record(Request{Path: r.URL.Path, Header: r.Header.Clone(), Body: body, Token: m.Message.Token})
	a, latency := s.answerFor(m.Message.Token)
	if !s.wait(r, latency+a.Delay) {
		return
	}
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/v1/projects/"+Project+"/messages:send":
		a = WrongProject
	case !s.allowed(r):
		a = Unauthenticated
	case wrong != nil && wrong.schema:
		a = failure(http.StatusBadRequest, "INVALID_ARGUMENT", wrong.Error(), fmt.Sprintf(fieldDetail, "message"))
	case wrong != nil:
		a = failure(http.StatusBadRequest, "INVALID_ARGUMENT", wrong.Error(), fmt.Sprintf(fcmDetail, "INVALID_ARGUMENT"))
	}
	s.settle(w, r, a, m, body, place)
}

// settle delivers what is to be delivered, then answers.
func (s *Server) settle(w http.ResponseWriter, r *http.Request, a Answer, m *request, body []byte, place int) {
	taken := a.Taken || a.Status == 0 && !a.Cut && !a.Hang
	switch {
	case taken && m.ValidateOnly:
		s.mu.Lock()
		s.probes++
		s.mu.Unlock()
	case taken:
		s.accept(&m.Message, body)
	}
	switch {
	case a.Hang:
		s.wait(r, time.Hour)
		return
	case a.Cut:
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	s.answered(place, a.write(w, `{"name":"`+name(place+1)+`"}`))
}

// wait lets time pass; false means that the caller or the server is gone.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
