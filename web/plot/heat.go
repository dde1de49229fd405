package plot

import "math"

// HeatRow is a line of a heat map.
type HeatRow struct {
	Label string
	Cells []HeatCell // as the ticks of X
}

// HeatCell is a coloured cell with its number; one without a value stays empty.
type HeatCell struct {
	Value *float64 // from 0, the worst, to 1, the best
	Text  string
	Faint bool // rests on few numbers: grey
	Label string
}

// shade is a colour with one for the text on it, which stands out from it by
// 4.5 to 1 at least.
type shade struct{ fill, ink string }

// shades go from the worst to the best, over white where neither is.
var shades = []shade{{"#b34700", "#ffffff"}, {"#f4b183", "#1a1a1a"}, {"#f5f0e6", "#1a1a1a"}, {"#9fcae8", "#1a1a1a"}, {"#00629b", "#ffffff"}}

// few is the shade of cells that rest on few numbers.
var few = shade{"#ececec", "#595959"}

// The room for labels left of a heat map and above its rows, in pixels.
const (
	heatLeft = 200
	heatTop  = 76
	heatRow  = 21
)

// heat draws the rows, each cell in the shade of its value.
func (d *drawing) heat() {
	wide := float64(width-heatLeft-right) / float64(max(len(d.X.Ticks), 1))
	for i, t := range d.X.Ticks {
		d.put(`<text x="%s" y="%d" text-anchor="middle" font-size="12">%s</text>`, place(heatLeft+(float64(i)+0.5)*wide), heatTop-8, text(t.Label))
	}
	for r, row := range d.Heat {
		y := heatTop + heatRow*r
		d.put(`<text x="%d" y="%d" text-anchor="end" font-size="12">%s</text>`, heatLeft-8, y+15, text(row.Label))
		for i, c := range row.Cells {
			if c.Value == nil {
				continue
			}
			s, x := shadeOf(c), heatLeft+float64(i)*wide
			d.put(`<g><title>%s</title><rect x="%s" y="%d" width="%s" height="%d" fill="%s"/>`, text(c.Label), place(x+0.5), y, place(wide-1), heatRow-1, s.fill)
			d.put(`<text x="%s" y="%d" text-anchor="middle" font-size="12" fill="%s">%s</text></g>`, place(x+wide/2), y+15, s.ink, text(c.Text))
		}
	}
	d.put(`<text x="%d" y="%d" text-anchor="middle">%s</text>`, (heatLeft+width-right)/2, heatTop+heatRow*len(d.Heat)+22, text(d.X.Label))
	d.shadeKey()
}

// shadeOf is the shade of the fifth of the range that the value lies in.
func shadeOf(c HeatCell) shade {
	if c.Faint {
		return few
	}
	n := float64(len(shades))
	return shades[int(min(max(math.Floor(*c.Value*n), 0), n-1))]
}

// shadeKey says which shades are worse and better.
func (d *drawing) shadeKey() {
	x := heatLeft
	d.put(`<text x="%d" y="42" text-anchor="end">worst</text>`, x-8)
	for _, s := range shades {
		d.put(`<rect x="%d" y="31" width="26" height="13" fill="%s" stroke="#767676"/>`, x, s.fill)
		x += 28
	}
	d.put(`<text x="%d" y="42">best</text>`, x+6)
}

// tall is the drawing's height.
func (d *drawing) tall() int {
	if len(d.Heat) > 0 {
		return heatTop + heatRow*len(d.Heat) + 34
	}
	return height + rowHeight*len(d.Rows)
}
