package factb

import (
	"maps"
	"slices"
	"strings"
)

// LabelSet is one language's short names for the concepts that the items ask
// about, written by this project for demonstrations. They are not the
// questionnaire's wording and not a translation of it. All texts are plain,
// without markup, and at most 80 characters long.
type LabelSet struct {
	// Language is the BCP 47 tag of the texts.
	Language string
	// Pack names this set of texts in stored records.
	Pack string
	// Banner says on every page that these are not the licensed questionnaire.
	Banner string
	// Copyright is the line shown on every page.
	Copyright string
	// Items and Subscales hold the texts by code.
	Items, Subscales map[string]string
	// Choices are in the order of the instrument's choices.
	Choices []string
	// OptOut is the text of the box before GS7.
	OptOut string
	// Instruction is what stands above the items.
	Instruction string
	// Recall is the period that the answers are about.
	Recall string
}

// languages are the tags that Labels answers, in small letters.
var languages = map[string]*LabelSet{
	"en": &english,
	"zh": &chinese, "zh-cn": &chinese, "zh-hans": &chinese, "zh-hans-cn": &chinese,
}

// Languages gives back the tags of the languages there are labels for, sorted.
func Languages() []string { return []string{english.Language, chinese.Language} }

// Labels gives back the demonstration labels in a language, by BCP 47 tag in any
// case; regions of English share one set. False when there are none: a reader
// of traditional Chinese is not given the simplified set. The maps and the list
// are the caller's own.
func Labels(lang string) (LabelSet, bool) {
	tag := strings.ToLower(lang)
	if strings.HasPrefix(tag, "en-") {
		tag = "en"
	}
	found, ok := languages[tag]
	if !ok {
		return LabelSet{}, false
	}
	labels := *found
	labels.Items = maps.Clone(labels.Items)
	labels.Subscales = maps.Clone(labels.Subscales)
	labels.Choices = slices.Clone(labels.Choices)
	return labels, true
}
