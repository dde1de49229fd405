package factb

import "epro/instruments"

// Where the minimally important differences come from. The reservation travels
// with the source so that no table can print the figure without it.
const (
	eton2004  = "Eton 2004, J Clin Epidemiol 57:898-910; derived before P2 was scored"
	cella2002 = "Cella 2002, as cited in a FACT-M paper (Health Qual Life Outcomes 2020, table 5)"
)

var subscales = []instruments.Subscale{pwb, swb, ewb, fwb, bcs}

var (
	pwb = instruments.Subscale{
		Code: "PWB", Name: "Physical", Needs: moreThanHalf,
		Items: []string{"GP1", "GP2", "GP3", "GP4", "GP5", "GP6", "GP7"},
		MID:   instruments.MID{Low: 2, High: 3, Source: cella2002},
		Codes: score("70498-1", "FAC00538", "C180194", "FAC005-Physical Subscale Score"),
	}
	// SWB has no MID: none is published in the tables that give the others.
	swb = instruments.Subscale{
		Code: "SWB", Name: "Social and family", Needs: moreThanHalf,
		Items: []string{"GS1", "GS2", "GS3", "GS4", "GS5", "GS6", "GS7"},
		Codes: score("70499-9", "FAC00539", "C180195", "FAC005-Social/Family Subscale Score"),
	}
	ewb = instruments.Subscale{
		Code: "EWB", Name: "Emotional", Needs: moreThanHalf,
		Items: []string{"GE1", "GE2", "GE3", "GE4", "GE5", "GE6"},
		MID:   instruments.MID{Low: 2, High: 2, Source: cella2002},
		Codes: score("70500-4", "FAC00540", "C180196", "FAC005-Emotional Subscale Score"),
	}
	fwb = instruments.Subscale{
		Code: "FWB", Name: "Functional", Needs: moreThanHalf,
		Items: []string{"GF1", "GF2", "GF3", "GF4", "GF5", "GF6", "GF7"},
		MID:   instruments.MID{Low: 2, High: 3, Source: cella2002},
		Codes: score("70501-2", "FAC00541", "C180197", "FAC005-Functional Subscale Score"),
	}
	bcs = instruments.Subscale{
		Code: "BCS", Name: "Breast cancer concerns", Needs: moreThanHalf,
		Items: []string{"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "P2"},
		MID:   instruments.MID{Low: 2, High: 3, Source: eton2004},
		Codes: score("70868-5", "FAC00542", "C180198", "FAC005-Additional Concern Subscale Score"),
	}
)

var (
	factG = instruments.Total{
		Code: "FACTG", Name: "FACT-G total", Needs: moreThanEightyPercent,
		Parts: []string{"PWB", "SWB", "EWB", "FWB"},
		MID:   instruments.MID{Low: 5, High: 6, Source: eton2004},
		Codes: score("", "FAC00544", "C180200", "FAC005-FACT-G Total Score"),
	}
	// TOI has no share of its own: its three parts scored are enough.
	toi = instruments.Total{
		Code: "TOI", Name: "Trial outcome index",
		Parts: []string{"PWB", "FWB", "BCS"},
		MID:   instruments.MID{Low: 5, High: 6, Source: eton2004},
		Codes: score("", "FAC00543", "C180199", "FAC005-Trial Outcome Index Score"),
	}
	// FACTB adds its five parts itself: it can be scored when FACTG cannot.
	factB = instruments.Total{
		Code: "FACTB", Name: "FACT-B total", Needs: moreThanEightyPercent,
		Parts: []string{"PWB", "SWB", "EWB", "FWB", "BCS"},
		MID:   instruments.MID{Low: 7, High: 8, Source: eton2004},
		Codes: score("", "FAC00545", "C180201", "FAC005-Total Score"),
	}
)

func score(loinc, cdisc, ncit, qstest string) instruments.Codes {
	return instruments.Codes{LOINC: loinc, CDISC: cdisc, NCIt: ncit, QSTEST: qstest}
}
