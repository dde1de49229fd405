package mongo

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	neturl "net/url"
	"slices"
	"sync"
	"testing"
)

// proxy stands between the store and the server, and understands as much of
// the protocol as it takes to spoil single commands.
type proxy struct {
	t       *testing.T
	backend string
	url     string

	mu    sync.Mutex
	spoil spoiler
	conns map[net.Conn]bool
	shut  bool // nobody gets through
}

// spoiler answers a command in the server's place; ask puts it to the server.
// An error resets the connection.
type spoiler func(command string, ask func() ([]byte, error)) ([]byte, error)

var errReset = errors.New("the proxy resets the connection")

// newProxy gives a proxy in front of the database at the URL.
func newProxy(t *testing.T, url string) *proxy {
	t.Helper()
	u, err := neturl.Parse(url)
	must(t, err)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{t: t, backend: u.Host, conns: map[net.Conn]bool{}}
	u.Host = l.Addr().String()
	query := u.Query()
	query.Set("directConnection", "true") // a replica set would name its own address
	u.RawQuery = query.Encode()
	p.url = u.String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.talk(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // whoever still waits for an answer gets none
		p.cut()
		wg.Wait()
	})
	return p
}

func (p *proxy) set(s spoiler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = s
}

// cut ends all connections and lets no new one through, until mended.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = false
}

// keep remembers a connection, unless the line is cut.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shut {
		p.conns[c] = true
	}
	return !p.shut
}

func (p *proxy) talk(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.backend)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(client) || !p.keep(server) {
		return
	}
	for {
		question, err := readMessage(client)
		if err != nil {
			return
		}
		answer, err := p.answer(commandOf(question), func() ([]byte, error) {
			if _, err := server.Write(question); err != nil {
				return nil, err
			}
			return readMessage(server)
		})
		if err != nil {
			if tcp, ok := client.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset, not an end
			}
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (p *proxy) answer(command string, ask func() ([]byte, error)) ([]byte, error) {
	p.mu.Lock()
	spoil := p.spoil
	p.mu.Unlock()
	// The driver's own questions are let through: they decide which servers
	// there are, not what a call answers.
	if spoil == nil || slices.Contains([]string{"", "hello", "isMaster", "saslStart", "saslContinue", "endSessions"}, command) {
		return ask()
	}
	return spoil(command, ask)
}

func readMessage(r io.Reader) ([]byte, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(head))
	rest, err := io.ReadAll(io.LimitReader(r, size-int64(len(head))))
	if err == nil && int64(len(head)+len(rest)) < size {
		err = io.ErrUnexpectedEOF
	}
	return slices.Concat(head, rest), err
}

// commandOf is the first key of the message's document: header, flags, kind of
// section, length of the document and type of the value stand before it.
func commandOf(m []byte) string {
	const key = 16 + 4 + 1 + 4 + 1
	if len(m) < key || binary.LittleEndian.Uint32(m[12:]) != 2013 {
		return ""
	}
	end := slices.Index(m[key:], 0)
	return string(m[key:][:max(end, 0)])
}
