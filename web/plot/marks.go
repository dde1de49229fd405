package plot

import (
	"strings"
	"unicode/utf8"
)

func (d *drawing) axes() {
	for _, t := range d.Y.Ticks {
		if !d.Y.holds(t.At) {
			continue
		}
		y := place(d.y(t.At))
		d.put(`<path d="M%d %sH%d" stroke="#e3e3e3"/>`, left, y, width-right)
		d.put(`<text x="%d" y="%s" text-anchor="end" dominant-baseline="middle">%s</text>`, left-8, y, text(t.Label))
	}
	floor := place(d.y(d.Y.Min))
	d.put(`<path d="M%d %dV%sH%d" fill="none" stroke="#1a1a1a"/>`, left, top, floor, width-right)
	for _, t := range d.X.Ticks {
		if d.X.holds(t.At) {
			d.put(`<path d="M%s %sv5" stroke="#1a1a1a"/>`, place(d.x(t.At)), floor)
			d.put(`<text x="%s" y="%d" text-anchor="middle">%s</text>`, place(d.x(t.At)), height-bottom+20, text(t.Label))
		}
	}
	d.put(`<text x="%d" y="%d" text-anchor="middle">%s</text>`, (left+width-right)/2, height-bottom+40, text(d.X.Label))
	d.put(`<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`, (top+height-bottom)/2, text(d.Y.Label))
}

// legend stands under the title; a letter takes about seven pixels.
func (d *drawing) legend() {
	x := left
	for _, k := range d.Legend {
		d.put(`<rect x="%d" y="31" width="10" height="10" fill="%s"/><text x="%d" y="40">%s</text>`, x, k.Colour, x+16, text(k.Label))
		x += 34 + 7*utf8.RuneCountInString(k.Label)
	}
}

func (d *drawing) rule(r Rule) {
	if !d.Y.holds(r.At) {
		return
	}
	d.put(`<path d="M%d %sH%d" stroke="#1a1a1a" stroke-dasharray="6 4"/>`, left, place(d.y(r.At)), width-right)
}

// ruleLabel has a white rim, so that it can be read over a line.
func (d *drawing) ruleLabel(r Rule) {
	if d.Y.holds(r.At) {
		d.put(`<text x="%d" y="%s" text-anchor="end" stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke">%s</text>`,
			width-right-4, place(d.y(r.At)-5), text(r.Label))
	}
}

// faint is how a mark looks that rests on few numbers.
func faint(few bool) string {
	if few {
		return ` opacity="0.35"`
	}
	return ""
}

func (d *drawing) bar(b Bar) {
	if !d.X.holds(b.At) {
		return
	}
	from, to := d.y(d.Y.clamp(b.From)), d.y(d.Y.clamp(b.To))
	x, w := d.x(b.At-b.Width/2), d.x(b.At+b.Width/2)-d.x(b.At-b.Width/2)
	d.put(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"%s><title>%s</title></rect>`,
		place(x), place(to), place(w), place(max(0, from-to)), b.Colour, faint(b.Faint), text(b.Label))
}

func (d *drawing) line(l Line) {
	var path strings.Builder
	for i, p := range l.Points {
		switch x, y := place(d.x(p.X)), place(d.y(d.Y.clamp(p.Y))); {
		case i == 0:
			path.WriteString("M" + x + " " + y)
		case l.Steps:
			path.WriteString("H" + x + "V" + y)
		default:
			path.WriteString("L" + x + " " + y)
		}
	}
	if len(l.Points) > 1 {
		d.put(`<path d="%s" fill="none" stroke="%s" stroke-width="2"%s/>`, path.String(), l.Colour, faint(l.Faint))
	}
	for _, p := range l.Points {
		d.point(l, p)
	}
}

func (d *drawing) point(l Line, p Point) {
	x, y := place(d.x(p.X)), d.y(d.Y.clamp(p.Y))
	if p.Low != nil && p.High != nil {
		low, high := place(d.y(d.Y.clamp(*p.Low))), place(d.y(d.Y.clamp(*p.High)))
		d.put(`<path d="M%s %sV%sm-4 0h8M%s %sm-4 0h8" fill="none" stroke="%s" stroke-width="1.5"%s/>`, x, low, high, x, low, l.Colour, faint(p.Faint))
	}
	if p.Tick {
		d.put(`<path d="M%s %sv10" stroke="%s" stroke-width="1.5"%s/>`, x, place(y-5), l.Colour, faint(p.Faint))
	}
	if p.Dot {
		d.put(`<circle cx="%s" cy="%s" r="4" fill="%s"%s><title>%s</title></circle>`, x, place(y), l.Colour, faint(p.Faint), text(p.Label))
	}
}

func (d *drawing) row(i int, r Row) {
	y := height + rowHeight*i + 6
	d.put(`<text x="6" y="%d">%s</text>`, y, text(r.Label))
	for _, c := range r.Cells {
		if d.X.holds(c.At) {
			d.put(`<text x="%s" y="%d" text-anchor="middle">%s</text>`, place(d.x(c.At)), y, text(c.Label))
		}
	}
}
