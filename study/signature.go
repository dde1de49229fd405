package study

// Meaning is what a signature says (21 CFR 11.50: the meaning belongs to the
// signature, beside who signed and when).
type Meaning string

// The meanings. Each signed act has one.
const (
	MeansCorrection    Meaning = "responsible_for_correction"
	MeansVoiding       Meaning = "responsible_for_voiding"
	MeansTranscription Meaning = "approves_transcription" // a second person compared paper and entry
	MeansLock          Meaning = "responsible_for_lock"
	MeansUnlock        Meaning = "responsible_for_unlock"
)

// Meanings are all meanings of a signature.
var Meanings = []Meaning{MeansCorrection, MeansVoiding, MeansTranscription, MeansLock, MeansUnlock}

// signed is a command that the record asks a signature for.
type signed interface{ Meaning() Meaning }

func meaningOf(c Command) Meaning {
	if s, ok := c.(signed); ok {
		return s.Meaning()
	}
	return ""
}

// Meaning is what signing this says.
func (CorrectForm) Meaning() Meaning { return MeansCorrection }

// Meaning is what signing this says.
func (VoidForm) Meaning() Meaning { return MeansVoiding }

// Meaning is what signing this says.
func (VerifyForm) Meaning() Meaning { return MeansTranscription }

// LockMeaning is what signing a lock or unlock says.
func LockMeaning(lock bool) Meaning {
	if lock {
		return MeansLock
	}
	return MeansUnlock
}

// checkSignature refuses a signature that means something else than what is
// done, and its absence where the protocol requires one. The password was
// checked before: whoever sets Request.Signature has done that.
func checkSignature(protocol *InForce, by Actor, given, means Meaning) error {
	switch {
	case means == "" && given != "":
		return invalid("signature", "this is not signed; leave the signature out")
	case means == "":
		return nil
	case given != "" && given != means:
		return invalid("signature.meaning", "signing this means "+string(means)+"; leave the meaning out or write that")
	case given == "" && by.Role != RoleSystem && protocol != nil && protocol.Signatures == SignaturesRequired:
		return invalid("signature", "the protocol asks for a signature here: give your password again")
	}
	return nil
}

// SignatureRule says whether corrections, voidings, verifications and locks may
// be made without a signature.
type SignatureRule string

// Signatures are asked for by pages always, by the API where required.
const (
	SignaturesOptional SignatureRule = "optional"
	SignaturesRequired SignatureRule = "required"
)
