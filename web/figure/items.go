package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"epro/analysis"
	"epro/web/plot"
)

// Items draws the mean score of every item at the visits as a heat map.
func Items(t analysis.ItemTable) Figure {
	f := Figure{Name: "items", Title: "Items of " + t.Scale, Notes: []string{
		fmt.Sprintf("Mean of each item as it is scored, from %d, the worst, to %d, the best, over the forms that are valid for %s. r: reverse-scored. Grey: fewer than ten people.", t.Low, t.High, t.Scale)}}
	f.Table = [][]string{strings.Fields("item label reversed visit n mean")}
	codes := make([]string, len(t.Visits))
	for i, v := range t.Visits {
		codes[i] = v.Code
	}
	f.Chart = plot.Chart{ID: f.Name, Title: "Mean score of the items of " + t.Scale, X: visitAxis(codes)}
	var worst []saidMean
	for _, item := range t.Items {
		name := item.Item + " " + item.Label
		if item.Reversed {
			name += " (r)"
		}
		row := plot.HeatRow{Label: name}
		for i, c := range item.Cells {
			f.Table = append(f.Table, []string{item.Item, item.Label, strconv.FormatBool(item.Reversed), codes[i], strconv.Itoa(c.N), number(c.Mean)})
			cell := plot.HeatCell{Faint: c.Few, Text: short(c.Mean, 1), Label: fmt.Sprintf("%s at %s: %s, n %d", name, codes[i], short(c.Mean, 2), c.N)}
			if c.Mean != nil {
				value := (*c.Mean - float64(t.Low)) / float64(t.High-t.Low)
				cell.Value = &value
				if !c.Few {
					worst = append(worst, saidMean{*c.Mean, cell.Label})
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		f.Chart.Heat = append(f.Chart.Heat, row)
	}
	f.Chart.Description = sentence(fmt.Sprintf("Heat map of %d items at %d visits; the table has all numbers. The five lowest means of ten people or more:", len(t.Items), len(t.Visits)), lowest(worst, 5))
	return f
}

// saidMean is a mean with the words that say what it is of.
type saidMean struct {
	mean float64
	said string
}

// lowest are the words of the lowest means.
func lowest(cells []saidMean, n int) []string {
	slices.SortStableFunc(cells, func(a, b saidMean) int { return cmp.Compare(a.mean, b.mean) })
	var said []string
	for _, c := range cells[:min(n, len(cells))] {
		said = append(said, c.said)
	}
	return said
}
