package study

import _ "embed" // for the protocol file

//go:embed default_protocol.yaml
var defaultProtocol string

// DefaultProtocolText is the protocol that a study starts from when it brings
// none of its own: the trial of DOMAIN.md §2. Its comments explain each setting.
func DefaultProtocolText() []byte { return []byte(defaultProtocol) }
