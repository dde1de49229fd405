package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
)

// raw writes bytes to the server's socket and reads one answer.
func (s *server) raw(t testing.TB, request string) (reply, bool) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read everything
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Logf("no answer: %v", err)
		return reply{}, false
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, body}, true
}

func TestX(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	for _, size := range []int{100 << 10, 1 << 20, 10 << 20} {
		for i := range 5 {
			r, err := s.try("PUT", "/v1/me/assessments/x/submissions/7a3aff98-2741-4aa4-9984-3cc1eb7d21be", "", strings.Repeat("x", size))
			t.Log(size, i, r.status, err, string(r.body), r.header)
			got, ok := s.raw(t, fmt.Sprintf("PUT /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)))
			t.Log("raw", ok, got.status)
		}
	}
	for _, request := range []string{"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "rubbish\r\n\r\n", "GET /" + strings.Repeat("x", 20000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
		"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabcde", "GET http://evil/v1/me HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n b\r\n\r\n"} {
		got, ok := s.raw(t, request)
		t.Logf("%.40q %v %d %s %v", request, ok, got.status, got.body, got.header)
	}
}
