package api

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// A body over the limit is refused before it has been read. To close a socket
// with unread bytes in it resets the connection, and a reset can overtake the
// answer: the phone would see a broken network and send the same again. So the
// connection of such a request lingers: nothing more is said, what still comes
// is thrown away, for a while.
const (
	lingerFor   = 2 * time.Second
	lingerBytes = 16 << 20
)

// lingering is a listener whose connections can linger.
type lingering struct{ net.Listener }

// Accept wraps what the listener accepts.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingeringConn{Conn: c}, nil
}

type lingeringConn struct {
	net.Conn
	lingers atomic.Bool
}

// Close closes at once unless the connection is to linger.
func (c *lingeringConn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerFor))
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes) // however it ends, the answer had its time
	}
	return c.Conn.Close()
}

// linger lets the client read the answer while it is still sending.
func linger(c *fiber.Ctx) {
	if conn, ok := c.Context().Conn().(*lingeringConn); ok {
		conn.lingers.Store(true)
	}
}
