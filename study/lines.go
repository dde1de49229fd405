package study

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// longestLine bounds what a damaged file can make a reader hold in memory. The
// longest honest line is an event with a protocol or a filled form in it.
const longestLine = 32 << 20

// lines reads lines exactly as they are: a line that ends in any other way than
// by one line feed is an error, because what is signed or hashed are bytes.
type lines struct{ from *bufio.Reader }

func newLines(r io.Reader) lines { return lines{bufio.NewReaderSize(r, 64<<10)} }

// next is the next line without its line feed, in memory of its own; io.EOF
// behind the last one.
func (l lines) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > longestLine:
			return nil, fmt.Errorf("a line is longer than %d bytes", longestLine)
		}
	}
}
