// Package factb holds FACT-B version 4 and the FACT-G version 4 inside it as
// data: item codes, structure, thresholds and public codes, with our own short
// concept labels. The questionnaire's wording belongs to FACIT.org and is not
// here; a licensee loads it as a wording pack.
package factb

import "epro/instruments"

// The shares of FACIT scoring (facit.org/scoring; FACTscorer 0.2.0): a subscale
// needs more than half of its items, FACT-G and FACT-B more than 80 % of theirs.
var (
	moreThanHalf          = instruments.Threshold{Num: 1, Den: 2}
	moreThanEightyPercent = instruments.Threshold{Num: 4, Den: 5}
)

// fiveChoices are 0 to 4 for every item.
var fiveChoices = []instruments.Choice{{Value: 0}, {Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}}

// FACTB is FACT-B version 4: 37 items, five subscales, totals FACTG, TOI and
// FACTB. Higher is better in every score. P2 is scored, so BCS runs to 40, TOI
// to 96 and FACTB to 148; older publications stop at 36, 92 and 144. It is
// shared and must not be changed.
var FACTB = &instruments.Instrument{
	ID: "fact-b", Version: "4", Name: "FACT-B",
	RecallDays: 7,
	Category:   "FACT-B V4",
	Choices:    fiveChoices,
	Items:      items,
	Subscales:  subscales,
	Totals:     []instruments.Total{factG, toi, factB},
	Codes:      codes("70496-5", "FAC005TC", "C129108"),
}

// FACTG is FACT-G version 4: the first 27 items of FACTB, its four general
// subscales and the total FACTG. It carries LOINC codes only, because CDISC and
// NCIt number the same questions again in FACT-G's own code list (FAC001TC), and
// FACT-B's numbers would be wrong there. It is shared and must not be changed.
var FACTG = &instruments.Instrument{
	ID: "fact-g", Version: "4", Name: "FACT-G",
	RecallDays: 7,
	Category:   "FACT-G V4",
	Choices:    fiveChoices,
	Items:      generalItems(),
	Subscales:  generalSubscales(),
	Totals:     []instruments.Total{generalTotal()},
	Codes:      codes("70495-7", "FAC001TC", ""),
}

func codes(loinc, cdisc, ncit string) instruments.Codes {
	return instruments.Codes{LOINC: loinc, CDISC: cdisc, NCIt: ncit}
}

func loincOnly(c instruments.Codes) instruments.Codes {
	return instruments.Codes{LOINC: c.LOINC}
}

func generalItems() []instruments.Item {
	var general []instruments.Item
	for _, item := range items {
		if item.Subscale != bcs.Code {
			item.Codes = loincOnly(item.Codes)
			general = append(general, item)
		}
	}
	return general
}

func generalSubscales() []instruments.Subscale {
	var general []instruments.Subscale
	for _, sub := range subscales {
		if sub.Code != bcs.Code {
			sub.Codes = loincOnly(sub.Codes)
			general = append(general, sub)
		}
	}
	return general
}

func generalTotal() instruments.Total {
	total := factG
	total.Codes = loincOnly(total.Codes)
	return total
}
