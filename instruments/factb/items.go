package factb

import "epro/instruments"

// items is the one table of the 37 items, in the order of the form and of the
// CDISC code list FAC005TC. Columns: code, subscale, reverse-scored, opt-out box,
// LOINC, QSTESTCD, NCIt. Reversal follows FACTscorer 0.2.0 (scoreFACT_B) and
// FACIT's FACT-G scoring template; LOINC is the 2020 core table, CDISC and NCIt
// the published code lists.
var items = []instruments.Item{
	item("GP1", "PWB", reversed, "", codes("70405-6", "FAC00501", "C129188")),
	item("GP2", "PWB", reversed, "", codes("70406-4", "FAC00502", "C129189")),
	item("GP3", "PWB", reversed, "", codes("70407-2", "FAC00503", "C129190")),
	item("GP4", "PWB", reversed, "", codes("70408-0", "FAC00504", "C129191")),
	item("GP5", "PWB", reversed, "", codes("70409-8", "FAC00505", "C129192")),
	item("GP6", "PWB", reversed, "", codes("70410-6", "FAC00506", "C129193")),
	item("GP7", "PWB", reversed, "", codes("70411-4", "FAC00507", "C129194")),
	item("GS1", "SWB", asGiven, "", codes("70412-2", "FAC00508", "C129195")),
	item("GS2", "SWB", asGiven, "", codes("70413-0", "FAC00509", "C129196")),
	item("GS3", "SWB", asGiven, "", codes("70414-8", "FAC00510", "C129197")),
	item("GS4", "SWB", asGiven, "", codes("70415-5", "FAC00511", "C129198")),
	item("GS5", "SWB", asGiven, "", codes("70416-3", "FAC00512", "C129199")),
	item("GS6", "SWB", asGiven, "", codes("70417-1", "FAC00513", "C129200")),
	item("GS7", "SWB", asGiven, "Q1", codes("70418-9", "FAC00514", "C129201")),
	item("GE1", "EWB", reversed, "", codes("70392-6", "FAC00515", "C129202")),
	item("GE2", "EWB", asGiven, "", codes("70393-4", "FAC00516", "C129203")),
	item("GE3", "EWB", reversed, "", codes("70394-2", "FAC00517", "C129204")),
	item("GE4", "EWB", reversed, "", codes("70395-9", "FAC00518", "C129205")),
	item("GE5", "EWB", reversed, "", codes("70396-7", "FAC00519", "C129206")),
	item("GE6", "EWB", reversed, "", codes("70397-5", "FAC00520", "C129207")),
	item("GF1", "FWB", asGiven, "", codes("70398-3", "FAC00521", "C129208")),
	item("GF2", "FWB", asGiven, "", codes("70399-1", "FAC00522", "C129209")),
	item("GF3", "FWB", asGiven, "", codes("70400-7", "FAC00523", "C129210")),
	item("GF4", "FWB", asGiven, "", codes("70401-5", "FAC00524", "C129211")),
	item("GF5", "FWB", asGiven, "", codes("70402-3", "FAC00525", "C129212")),
	item("GF6", "FWB", asGiven, "", codes("70403-1", "FAC00526", "C129213")),
	item("GF7", "FWB", asGiven, "", codes("70404-9", "FAC00527", "C129214")),
	item("B1", "BCS", reversed, "", codes("70305-8", "FAC00528", "C129215")),
	item("B2", "BCS", reversed, "", codes("70306-6", "FAC00529", "C129216")),
	item("B3", "BCS", reversed, "", codes("70307-4", "FAC00530", "C129217")),
	item("B4", "BCS", asGiven, "", codes("70308-2", "FAC00531", "C129218")),
	item("B5", "BCS", reversed, "", codes("70309-0", "FAC00532", "C129219")),
	item("B6", "BCS", reversed, "", codes("70310-8", "FAC00533", "C129220")),
	item("B7", "BCS", reversed, "", codes("70311-6", "FAC00534", "C129221")),
	item("B8", "BCS", reversed, "", codes("70312-4", "FAC00535", "C129222")),
	item("B9", "BCS", asGiven, "", codes("70313-2", "FAC00536", "C129223")),
	item("P2", "BCS", reversed, "", codes("70481-7", "FAC00537", "C129224")),
}

// The two ways an answer becomes a score, named so that the table can be read
// against the manual's.
const (
	reversed = true
	asGiven  = false
)

func item(code, subscale string, isReversed bool, optOut string, c instruments.Codes) instruments.Item {
	return instruments.Item{Code: code, Subscale: subscale, Reversed: isReversed, OptOut: optOut, Codes: c}
}
