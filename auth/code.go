package auth

import (
	"strings"
	"unicode"

	"epro/study"
)

// An enrolment code has ten characters of Crockford's Base 32
// (https://www.crockford.com/base32.html), which is 50 bits, and one that
// checks them.
const (
	codeSymbols = 10
	codeLength  = codeSymbols + 1
	alphabet    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// maxTyped bounds what is read of a code that somebody typed.
const maxTyped = 200

// times2 multiplies by the generator of the field of 32 elements with
// x^5 + x^2 + 1.
func times2(x byte) byte {
	x <<= 1
	if x&0x20 != 0 {
		x ^= 0x25
	}
	return x
}

// checkSymbol makes the sum over i of 2^i times symbol i (the check symbol
// being number 0) zero in that field. The powers 2^0 to 2^10 all differ and
// none is zero, so that every single wrong character is found, and every swap
// of two characters wherever they stand. Crockford's own check is modulo 37
// and needs five more signs, such as * and ~, that nobody can read out.
func checkSymbol(symbols [codeSymbols]byte) byte {
	var sum byte
	for i := codeSymbols - 1; i >= 0; i-- {
		sum = times2(sum ^ symbols[i])
	}
	return sum
}

// codeFrom is the code that begins with the first 50 bits of the sum.
func codeFrom(sum [32]byte) string {
	var symbols [codeSymbols]byte
	for i := range symbols {
		for bit := i * 5; bit < i*5+5; bit++ {
			symbols[i] = symbols[i]<<1 | sum[bit/8]>>(7-bit%8)&1
		}
	}
	text := make([]byte, 0, codeLength)
	for _, s := range symbols {
		text = append(text, alphabet[s])
	}
	return string(append(text, alphabet[checkSymbol(symbols)]))
}

// display is a code as people are given it, such as 4NP5D-3NWX7-9.
func display(code string) string { return code[:5] + "-" + code[5:10] + "-" + code[10:] }

// parseCode reads a code as people type it: in any case, with I or L for 1 and
// O for 0, with or without hyphens and spaces, in full-width letters as a
// Chinese or Japanese keyboard makes them.
func parseCode(typed string) (string, error) {
	mistyped := study.Fail(study.Invalid, "This is not a whole code. Compare it with your letter, character by character.",
		study.Field{Name: "code", Reason: "a character is mistyped"})
	if len(typed) > maxTyped {
		return "", mistyped
	}
	var text strings.Builder
	for _, r := range typed {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '−' {
			continue
		}
		r = plain(r)
		if r > unicode.MaxASCII || !strings.ContainsRune(alphabet, r) {
			return "", mistyped
		}
		text.WriteRune(r)
	}
	code := text.String()
	if len(code) != codeLength {
		mistyped.Fields[0].Reason = "a code has 11 letters and digits"
		return "", mistyped
	}
	var symbols [codeSymbols]byte
	for i := range symbols {
		symbols[i] = byte(strings.IndexByte(alphabet, code[i]))
	}
	if alphabet[checkSymbol(symbols)] != code[codeSymbols] {
		return "", mistyped
	}
	return code, nil
}

// plain is the letter that was meant.
func plain(r rune) rune {
	if r >= '！' && r <= '～' { // the full-width forms, in the order of ASCII
		r -= '！' - '!'
	}
	if 'a' <= r && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'I', 'L':
		return '1'
	case 'O':
		return '0'
	}
	return r
}
