package instruments

import (
	"errors"
	"fmt"
	"slices"
)

// maxItems keeps every count of items within one byte, as scores store it.
const maxItems = 255

// Validate gives back every fault of the definition, joined into one error, or
// nil. Each fault names the element that has to be changed.
func (ins *Instrument) Validate() error {
	v := validation{ins: ins, seen: map[string]string{}}
	if ins.ID == "" || ins.Version == "" {
		v.fault("an instrument needs an ID and a version")
	}
	if len(ins.Items) == 0 || len(ins.Items) > maxItems {
		v.fault("an instrument needs 1 to %d items, not %d", maxItems, len(ins.Items))
	}
	v.choices()
	v.items()
	v.subscales()
	v.totals()
	return errors.Join(v.faults...)
}

// validation gathers faults while the parts of a definition are looked at.
type validation struct {
	ins    *Instrument
	seen   map[string]string
	faults []error
}

func (v *validation) fault(format string, args ...any) {
	v.faults = append(v.faults, fmt.Errorf("instrument %s: "+format, append([]any{v.ins.ID}, args...)...))
}

// claim holds all codes against each other because items, boxes and scores end
// up as columns of one table.
func (v *validation) claim(kind, code string) {
	if code == "" {
		v.fault("%s without a code", kind)
		return
	}
	for _, c := range []byte(code) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			v.fault("%s %q: a code has letters and digits only", kind, code)
			break
		}
	}
	if other, taken := v.seen[code]; taken {
		v.fault("%s %s: the code is already that of a %s", kind, code, other)
		return
	}
	v.seen[code] = kind
}

func (v *validation) choices() {
	if len(v.ins.Choices) < 2 {
		v.fault("needs at least two choices")
	}
	for i, c := range v.ins.Choices {
		if c.Value < 0 || c.Value > 9 {
			v.fault("choice %d: a value is 0 to 9", c.Value)
		}
		if i > 0 && c.Value != v.ins.Choices[i-1].Value+1 {
			v.fault("choice %d: values must rise one by one", c.Value)
		}
	}
}

func (v *validation) items() {
	for _, item := range v.ins.Items {
		v.claim("item", item.Code)
		if item.OptOut != "" {
			v.claim("opt-out box", item.OptOut)
		}
		home := slices.IndexFunc(v.ins.Subscales, func(s Subscale) bool { return s.Code == item.Subscale })
		switch {
		case home < 0:
			v.fault("item %s: %q is no subscale", item.Code, item.Subscale)
		case !slices.Contains(v.ins.Subscales[home].Items, item.Code):
			v.fault("item %s: its subscale %s does not list it", item.Code, item.Subscale)
		}
	}
}

func (v *validation) subscales() {
	if len(v.ins.Subscales) == 0 {
		v.fault("needs at least one subscale")
	}
	for _, sub := range v.ins.Subscales {
		v.claim("subscale", sub.Code)
		if len(sub.Items) == 0 {
			v.fault("subscale %s: has no items", sub.Code)
		}
		for i, code := range sub.Items {
			if _, ok := v.ins.Index(code); !ok {
				v.fault("subscale %s: %q is no item", sub.Code, code)
			}
			if slices.Contains(sub.Items[:i], code) {
				v.fault("subscale %s: lists %s twice", sub.Code, code)
			}
		}
		if sub.Needs == (Threshold{}) {
			v.fault("subscale %s: says nothing about how many items must be answered", sub.Code)
		}
		v.threshold("subscale "+sub.Code, sub.Needs)
		v.mid("subscale "+sub.Code, sub.MID)
	}
}

func (v *validation) totals() {
	for _, total := range v.ins.Totals {
		v.claim("total", total.Code)
		if len(total.Parts) == 0 {
			v.fault("total %s: has no parts", total.Code)
		}
		counted := map[string]string{}
		for _, part := range total.Parts {
			i := slices.IndexFunc(v.ins.Subscales, func(s Subscale) bool { return s.Code == part })
			if i < 0 {
				v.fault("total %s: part %q is no subscale", total.Code, part)
				continue
			}
			for _, code := range v.ins.Subscales[i].Items {
				if other, twice := counted[code]; twice {
					v.fault("total %s: counts %s twice, in %s and in %s", total.Code, code, other, part)
				}
				counted[code] = part
			}
		}
		v.threshold("total "+total.Code, total.Needs)
		v.mid("total "+total.Code, total.MID)
	}
}

func (v *validation) threshold(owner string, t Threshold) {
	if t == (Threshold{}) {
		return
	}
	below := t.Num >= 0 && t.Num < t.Den
	// "0 or more" would score a scale that nobody answered; "more than all" none.
	if t.OrMore {
		below = t.Num > 0 && t.Num <= t.Den
	}
	if !below {
		v.fault("%s: no form can sensibly meet the threshold %d/%d", owner, t.Num, t.Den)
	}
}

func (v *validation) mid(owner string, m MID) {
	if m == (MID{}) {
		return
	}
	if m.Low <= 0 || m.High < m.Low {
		v.fault("%s: the MID runs from a positive number upwards", owner)
	}
	if m.Source == "" {
		v.fault("%s: the MID has no source", owner)
	}
}
