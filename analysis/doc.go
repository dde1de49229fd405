// Package analysis computes what a paper shows of a study: completion, scores
// and their change, responders, time to deterioration. It is pure: the same
// records at the same cut give the same figures; it reads neither clock nor
// store.
//
// A Plan says what the study asks for and which forms a run leaves in. Its
// Person turns a participant's State into what analysis needs of her, once;
// everything else is computed from Persons. Completion is added up a person at
// a time; the other tables take all of them.
//
// Valid has one meaning everywhere: the form stands for its visit, was filled
// in time, not by a proxy, and gives the score. The PRO population is everybody
// who consented, had a dose and was not enrolled in error.
package analysis
