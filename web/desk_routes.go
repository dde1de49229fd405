package web

import (
	"github.com/gofiber/fiber/v2"
)

// routes are all pages for staff, on one page.
func (d *desk) routes(app *fiber.App) {
	get := func(path string, h func(*visit) error) { app.Get(path, d.signedIn(h)) }
	post := func(path string, h func(*visit) error) { app.Post(path, d.signedIn(h)) }
	const person = "/desk/participants/:id"

	app.Get("/desk/sign-in", d.askSignIn)
	app.Post("/desk/sign-in", d.signIn)
	post("/desk/sign-out", d.signOut)
	get("/desk/account", d.account)
	post("/desk/account/sessions", d.endSession)
	post("/desk/account/recovery-codes", d.newCodes)
	post("/desk/account/password", d.newPassword)

	get("/lab", d.lab)
	get("/lab/:file", d.labFile)

	get("/desk", d.morning)
	get("/desk/participants", d.participants)
	get("/desk/participants/new", d.askEnrol)
	post("/desk/participants/new", d.enrol)
	get(person, d.participant)
	get(person+"/cycles/:n", d.cycle)
	post(person+"/cycles/:n", d.moveCycle)
	post(person+"/code", d.letter)
	post(person+"/facts", d.recordFact)
	post(person+"/facts/retract", d.retractFact)
	post(person+"/visits/:visit/not-done", d.notDone)
	get(person+"/visits/:visit/blank", d.blank)
	get(person+"/visits/:visit/paper", d.askPaper)
	post(person+"/visits/:visit/paper", d.enterPaper)
	get(person+"/forms/:form", d.form)
	post(person+"/forms/:form/decide", d.decideHeld)
	post(person+"/forms/:form/correct", d.correct)
	post(person+"/forms/:form/void", d.void)
	post(person+"/forms/:form/verify", d.verify)

	post(person+"/contacts", d.recordContact)

	get(person+"/forms/:form/copy.json", d.copyJSON)

	get("/desk/completion", d.heatMap)
	get("/desk/alerts", d.alerts)
	post("/desk/alerts", d.acknowledge)
	get("/desk/reminders", d.reminders)
	get("/desk/devices", d.devices)

	get("/admin", d.adminHome)
	get("/admin/staff", d.adminStaff)
	post("/admin/staff/sessions", d.manage("Every session of the account has ended.", d.endSessions))
	post("/admin/staff/authenticator", d.manage("The authenticator app is gone; the next sign-in sets up another.", d.removeAuthenticator))
	get("/admin/sites", d.adminSites)
	get("/admin/protocol", d.adminProtocol)
	get("/admin/audit", d.audit)
}
