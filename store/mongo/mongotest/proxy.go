package mongotest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	neturl "net/url"
	"slices"
	"sync"
	"testing"
)

// Proxy stands between a store and the server, and understands as much of the
// protocol as it takes to spoil single commands.
type Proxy struct {
	URL string // of the database, through the proxy

	backend string

	mu    sync.Mutex
	spoil Spoiler
	conns map[net.Conn]bool
	shut  bool // nobody gets through
}

// Spoiler answers a command in the server's place; ask puts it to the server.
// Said is the command as "update snapshots", with its collection. An error
// resets the connection.
type Spoiler func(said string, ask func() ([]byte, error)) ([]byte, error)

// ErrReset is what a Spoiler returns to reset the connection.
var ErrReset = errors.New("the proxy resets the connection")

// NewProxy gives a proxy in front of the database at the URL, until the test
// ends.
func NewProxy(t testing.TB, url string) *Proxy {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{backend: u.Host, conns: map[net.Conn]bool{}}
	u.Host = l.Addr().String()
	query := u.Query()
	query.Set("directConnection", "true") // a replica set would name its own address
	u.RawQuery = query.Encode()
	p.URL = u.String()
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
		p.Cut()
		wg.Wait()
	})
	return p
}

// Set spoils what passes from now on; nil lets everything through.
func (p *Proxy) Set(s Spoiler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoil = s
}

// Cut ends all connections and lets no new one through, until mended.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Mend lets connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = false
}

// keep remembers a connection, unless the line is cut.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shut {
		p.conns[c] = true
	}
	return !p.shut
}

func (p *Proxy) talk(client net.Conn) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.backend)
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
		answer, err := p.answer(question, func() ([]byte, error) {
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

func (p *Proxy) answer(question []byte, ask func() ([]byte, error)) ([]byte, error) {
	p.mu.Lock()
	spoil := p.spoil
	p.mu.Unlock()
	// The driver's own questions are let through: they decide which servers
	// there are, not what a call answers.
	command, collection := commandOf(question)
	if spoil == nil || slices.Contains([]string{"", "hello", "isMaster", "saslStart", "saslContinue", "endSessions"}, command) {
		return ask()
	}
	return spoil(command+" "+collection, ask)
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

// commandOf is the first key of the message's document, and its value where it
// is text, which is the collection. Header, flags, kind of section, length of
// the document and type of the value stand before the key.
func commandOf(m []byte) (command, collection string) {
	const kind = 16 + 4 + 1 + 4
	if len(m) <= kind || binary.LittleEndian.Uint32(m[12:]) != 2013 {
		return "", ""
	}
	key, value, _ := bytes.Cut(m[kind+1:], []byte{0})
	if m[kind] == 2 && len(value) > 4 { // text: its length, then itself
		name, _, _ := bytes.Cut(value[4:], []byte{0})
		collection = string(name)
	}
	return string(key), collection
}
