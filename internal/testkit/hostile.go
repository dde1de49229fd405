package testkit

// hostile are texts that harm whoever takes text for something else: markup,
// script, template, query, path, format or spreadsheet formula, or who cuts it
// at the wrong place. None is longer than 60 characters.
var hostile = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, `<iframe srcdoc="<b>x">`,
	`<a href="javascript:alert(1)">x</a>`, `<math><mi//xlink:href="data:x,<script>">`, `<style>*{display:none}</style>`, `<!--`, `--><b>`, `<![CDATA[`, `<?php echo 1 ?>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`, `&#60;b&#62;`, `**bold** and __more__`, `[x](javascript:alert(1))`, `[b]x[/b]`,
	`javascript:alert(1)`, `data:text/html,x`, `" onfocus=alert(1) autofocus x="`, `' onmouseover='alert(1)`, "`${alert(1)}`", `{{constructor.constructor('alert(1)')()}}`,
	`${7*7}#{7*7}`, `{% include 'x' %}`, `expression(alert(1))`, `;background:url(javascript:alert(1))`, `\u003cscript\u003ealert(1)`, `\x3cscript\x3e`, `%3Cscript%3Ealert(1)%3C/script%3E`,
	`"},"licensed":false,{"x":"`, `\`, `\\\"`, `"`, `'`, `'; DROP TABLE events; --`, `{"$gt":""}`, `../../../../etc/passwd`, `%s%n%d%x`, `$(id)`, "`id`", `${jndi:ldap://127.0.0.1/x}`,
	`=cmd|'/C calc'!A0`, `+SUM(1,2)`, `@import url(x)`, "a\u0000b", "a\r\nSet-Cookie: x=1", "a\u202egnp.exe", "a\ufeffb", `人民 "x" بسم 🏳️‍🌈 ﷽`,
}

// Hostile are 200 texts that must be shown and stored as what they are.
func Hostile() []string {
	var all []string
	for _, text := range hostile {
		all = append(all, text, "made-up "+text, text+" made-up", `"'`+text+`'"`)
	}
	return all
}
