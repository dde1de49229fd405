package auth

import (
	"strings"
	"testing"

	"epro/study"
)

func symbolsOf(code string) (s [codeSymbols]byte) {
	for i := range s {
		s[i] = byte(strings.IndexByte(alphabet, code[i]))
	}
	return s
}

// The check is linear over the field of 32 elements: a wrong code passes
// exactly when the difference from the right one passes. So all differences
// that one slip can make are all that need to be looked at.
func TestTheCheckCharacterFindsEverySlip(t *testing.T) {
	syndrome := func(diff [codeLength]byte) byte {
		return checkSymbol([codeSymbols]byte(diff[:codeSymbols])) ^ diff[codeSymbols]
	}
	slips := 0
	for i := range codeLength {
		for d := byte(1); d < 32; d++ {
			var wrong [codeLength]byte
			wrong[i] = d
			if slips++; syndrome(wrong) == 0 {
				t.Errorf("a change by %d at %d passes", d, i)
			}
			for j := range i {
				swapped := wrong
				swapped[j] = d
				if slips++; syndrome(swapped) == 0 {
					t.Errorf("a swap of %d and %d that differ by %d passes", i, j, d)
				}
			}
		}
	}
	if want := 31 * (11 + 55); slips != want {
		t.Errorf("%d slips were looked at, not %d", slips, want)
	}
}

func TestTheCheckIsLinear(t *testing.T) {
	a, b := symbolsOf("4Z7KQ1M0XT"), symbolsOf("H2YVW93BCD")
	var sum [codeSymbols]byte
	for i := range sum {
		sum[i] = a[i] ^ b[i]
	}
	if checkSymbol(sum) != checkSymbol(a)^checkSymbol(b) {
		t.Error("the check of a sum is not the sum of the checks")
	}
}

func TestEverySlipInACodeIsToldAsOne(t *testing.T) {
	code := codeFrom(mac([32]byte{}, "x"))
	for i := range code {
		for _, r := range alphabet {
			wrong := []byte(code)
			wrong[i] = byte(r)
			_, err := parseCode(string(wrong))
			if same := byte(r) == code[i]; same != (err == nil) {
				t.Errorf("%s for %s: %v", wrong, code, err)
			} else if !same && (study.CodeOf(err) != study.Invalid || !hasField(err, "code")) {
				t.Errorf("%s: %v", wrong, err)
			}
		}
	}
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	code := "1010" + "1ABCDE"
	symbols := symbolsOf(code)
	code += string(alphabet[checkSymbol(symbols)])
	for _, typed := range []string{
		display(code), strings.ToLower(display(code)), strings.NewReplacer("1", "I", "0", "O").Replace(code),
		strings.NewReplacer("1", "l", "0", "o").Replace(code), "  " + strings.Join(strings.Split(code, ""), " ") + "\n",
		strings.ReplaceAll(display(code), "-", "–"), fullWidth(display(code)), fullWidth(strings.ToLower(code)) + "　",
	} {
		if got, err := parseCode(typed); err != nil || got != code {
			t.Errorf("%q was read as %q, %v", typed, got, err)
		}
	}
}

func fullWidth(s string) string {
	return strings.Map(func(r rune) rune { return r - '!' + '！' }, s)
}

func TestWhatIsNoCodeIsRefused(t *testing.T) {
	for _, typed := range []string{"", "-", "0000-00000", "00000000000U", "0000000000", "000000000000", "0000000000ü", "\xff\xfe", strings.Repeat(" ", 1000)} {
		if _, err := parseCode(typed); study.CodeOf(err) != study.Invalid || !hasField(err, "code") {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestACodeHasFiftyBitsOfItsSum(t *testing.T) {
	base := [32]byte{}
	for bit := range 60 {
		other := base
		other[bit/8] ^= 0x80 >> (bit % 8)
		if differs := codeFrom(base) != codeFrom(other); differs != (bit < 50) {
			t.Errorf("bit %d: differs is %v", bit, differs)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"", "00000-00000-0", "abcde-fghjk-m", "ｏOo0l", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := parseCode(typed)
		if err != nil {
			if study.CodeOf(err) != study.Invalid {
				t.Fatalf("%q: %v", typed, err)
			}
			return
		}
		if len(code) != codeLength || alphabet[checkSymbol(symbolsOf(code))] != code[codeSymbols] {
			t.Fatalf("%q gave %q", typed, code)
		}
		if again, err := parseCode(display(code)); err != nil || again != code {
			t.Fatalf("%q gave %q, then %q", typed, code, again)
		}
	})
}
