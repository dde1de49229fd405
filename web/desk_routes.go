package web

import (
	"github.com/gofiber/fiber/v2"
)

// ways adds pages to the server that need a session.
type ways struct {
	app *fiber.App
	d   *desk
}

// shows is a page that is read, takes a form that is sent.
func (w ways) shows(path string, page func(*visit) error) { w.app.Get(path, w.d.signedIn(page)) }
func (w ways) takes(path string, form func(*visit) error) { w.app.Post(path, w.d.signedIn(form)) }

// asks is a page whose form is sent to its own address.
func (w ways) asks(path string, page, form func(*visit) error) {
	w.shows(path, page)
	w.takes(path, form)
}

// routes are all pages for staff. What a fixed word can stand in the place of
// an id comes before the id.
func (d *desk) routes(app *fiber.App) {
	app.Get("/desk/sign-in", d.askSignIn)
	app.Post("/desk/sign-in", d.signIn)
	app.Get("/desk/join", d.askJoin)
	app.Post("/desk/join", d.join)
	w := ways{app, d}
	w.takes("/desk/sign-out", d.signOut)
	w.shows("/desk/account", d.account)
	w.takes("/desk/account/sessions", d.endSession)
	w.takes("/desk/account/recovery-codes", d.newCodes)
	w.takes("/desk/account/password", d.newPassword)
	w.shows("/lab", d.lab)
	w.shows("/lab/:file", d.labFile)

	w.shows("/desk", d.morning)
	w.shows("/desk/participants", d.participants)
	w.shows("/desk/completion", d.heatMap)
	w.asks("/desk/alerts", d.alerts, d.acknowledge)
	w.shows("/desk/reminders", d.reminders)
	w.shows("/desk/devices", d.devices)
	d.personRoutes(w)
	d.adminRoutes(w)
}

func (d *desk) personRoutes(w ways) {
	const (
		person = "/desk/participants/:id"
		due    = person + "/visits/:visit"
		form   = person + "/forms/:form"
	)
	w.asks("/desk/participants/new", d.askEnrol, d.enrol)
	w.shows(person, d.participant)
	w.asks(person+"/details", d.details, d.changeDetails)
	w.takes(person+"/consent", d.recordConsent)
	w.asks(person+"/transfer", d.transfer, d.moveToSite)
	w.asks(person+"/cycles/:n", d.cycle, d.moveCycle)
	w.takes(person+"/performance-status", d.rateECOG)
	w.takes(person+"/facts", d.recordFact)
	w.takes(person+"/facts/retract", d.retractFact)
	w.takes(person+"/contacts", d.recordContact)
	w.takes(person+"/code", d.letter)
	w.takes(person+"/devices/remove", d.removeDevice)
	w.takes(due+"/not-done", d.notDone)
	w.shows(due+"/blank", d.blank)
	w.asks(due+"/paper", d.askPaper, d.enterPaper)
	w.shows(form, d.form)
	w.takes(form+"/decide", d.decideHeld)
	w.takes(form+"/correct", d.correct)
	w.takes(form+"/void", d.void)
	w.takes(form+"/verify", d.verify)
	w.shows(form+"/copy.json", d.copyJSON)
	w.shows(form+"/copy.pdf", d.copyPDF)
}

func (d *desk) adminRoutes(w ways) {
	const (
		account = "/admin/staff/:id"
		site    = "/admin/sites/:code"
		pack    = "/admin/wording/:pack"
	)
	w.shows("/admin", d.adminHome)
	w.asks("/admin/staff", d.adminStaff, d.openAccount)
	w.asks(account, d.adminAccount, d.changeAccount)
	w.takes(account+"/letter", d.staffLetter)
	w.takes(account+"/sessions", d.endStaffSessions)
	w.asks("/admin/sites", d.adminSites, d.openSite)
	w.asks(site, d.adminSite, d.changeSite)
	w.takes(site+"/contact", d.siteContact)
	w.takes(site+"/closing", d.closeSite)
	w.takes(site+"/lock", d.lockSite)
	w.asks("/admin/wording", d.adminWording, d.importWording)
	w.asks(pack, d.adminPack, d.decideWording)
	w.shows("/admin/devices", d.adminDevices)
	w.shows("/admin/protocol", d.adminProtocol)
	w.shows("/admin/audit", d.audit)
}
