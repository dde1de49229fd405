package certify

import "strings"

// tongue is the language that a copy is written in.
type tongue struct {
	lang   string
	labels map[string]string // of the English sentences of pdf.go
	stored map[string]string // of the words of the record
}

var english = tongue{lang: "en", stored: storedEnglish}

var chinese = tongue{lang: "zh-Hans", labels: labelsChinese, stored: storedChinese}

// tongueFor is the tongue for a site's language; English for one without words.
func tongueFor(lang string) tongue {
	if strings.HasPrefix(lang, "zh") {
		return chinese
	}
	return english
}

// tongueOf is the tongue for a site's language, if the fonts have its letters.
func (fonts *Fonts) tongueOf(lang string) tongue {
	t := tongueFor(lang)
	for _, said := range t.labels {
		if !fonts.prints(said) {
			return english
		}
	}
	return t
}

// t is one of our own sentences, named by its English.
func (t tongue) t(sentence string) string {
	if said, ok := t.labels[sentence]; ok {
		return said
	}
	return sentence
}

// word is a stored word as people read it.
func (t tongue) word(stored string) string {
	if said, ok := t.stored[stored]; ok {
		return said
	}
	return strings.ReplaceAll(stored, "_", " ")
}

// who is a name with the role in words.
func (t tongue) who(name string) string {
	user, role, known := strings.Cut(name, " (")
	if !known {
		return t.word(name)
	}
	return user + " (" + t.word(strings.TrimSuffix(role, ")")) + ")"
}

var storedEnglish = map[string]string{
	"true": "yes", "false": "no", "counts": "counts for its visit", "does_not_count": "another form of the visit counts",
	"held_window_closed": "completed after its window closed", "held_arrived_too_late": "arrived too long after closing", "held_locked": "the site was locked",
	"held_staff_entry": "staff had entered a form for the visit", "held_completed_early": "completed before its window opened", "held_not_expected": "not expected",
	"responsible_for_correction": "I am responsible for this correction", "responsible_for_voiding": "I am responsible for voiding this form",
	"approves_transcription": "I compared this transcription with its source and approve it", "opt_out": "box ticked: does not answer",
}

var storedChinese = map[string]string{
	"true": "是", "false": "否",
	"counts": "计入该访视", "held": "暂存，等待决定", "rejected": "已拒绝", "void": "已作废", "does_not_count": "该访视以另一份问卷为准",
	"held_window_closed": "完成时窗口已关闭", "held_arrived_too_late": "窗口关闭过久后才收到", "held_locked": "中心数据已锁定",
	"held_staff_entry": "工作人员已为该访视录入问卷", "held_completed_early": "窗口开启前完成", "held_not_expected": "不再需要填写",
	"self_app": "受试者在手机应用中填写", "self_web": "受试者在网页上填写", "clinic_tablet": "受试者在诊室平板上填写", "paper_transcribed": "由纸质问卷录入", "interview": "访谈",
	"none": "无", "read_aloud": "代读", "entered_by_other": "由他人代为录入", "proxy": "由他人代答",
	"wrong_person": "填写者有误", "wrong_visit": "访视有误", "test": "测试", "duplicate": "重复", "entry_error": "录入错误", "participant_request": "受试者要求", "other": "其他",
	"time_uncertain": "时间不确定", "window_moved": "窗口后来移动", "late_arrival": "迟到", "finished_after_close": "关闭后完成",
	"q1_conflict": "选框与答案并存", "electronic_exists": "另有受试者本人的电子问卷", "other_wording": "使用了另一文本",
	"skipped": "跳过", "opt_out": "选择不回答", "not_reached": "未作答",
	"too_few_answered": "作答条目不足", "component_missing": "有分量表缺失", "too_few_overall": "总体作答条目不足",
	"submission_received": "收到问卷", "held_decided": "对暂存问卷作出决定", "submission_corrected": "更正", "submission_voided": "作废", "submission_verified": "核对",
	"responsible_for_correction": "本人对此更正负责", "responsible_for_voiding": "本人对作废此问卷负责", "approves_transcription": "本人已与原始资料核对并批准此录入",
	"participant": "受试者", "coordinator": "研究协调员", "investigator": "研究者", "monitor": "监查员", "admin": "管理员", "analyst": "分析员", "system": "系统",
	"item": "条目", "scores": "得分", "mode": "填写方式", "assistance": "协助", "cause": "原因类别", "accept": "接受", "counted": "计入", "flags": "标记", "held_cause": "暂存原因",
	"revision": "修订", "digest": "摘要", "instrument": "量表", "instrument_version": "量表版本", "scoring_version": "计分版本", "wording_pack": "文本包",
	"wording_hash": "文本包哈希", "demonstration": "演示", "started_at": "开始时间", "completed_at": "完成时间（手机）", "sent_at": "发送时间（手机）",
	"received_at": "收到时间", "corrected_at": "完成时间（服务器）", "submission_id": "问卷编号", "assessment_id": "评估编号", "app": "应用",
}

var labelsChinese = map[string]string{
	"Certified copy": "核证副本", "page %d of %d": "第 %d 页，共 %d 页", "Form": "问卷", "made": "制作于",
	"Certified copy of a filled questionnaire": "已填写问卷的核证副本", "Copy of a form's record, without answers": "问卷记录副本（不含答案）",
	"Demonstration: filled on our own short labels, not on a licensed questionnaire.":                                                                                                 "演示：按本系统自有的简短标签填写，并非经授权的问卷文本。",
	"This form does not count for its visit":                                                                                                                                          "此问卷不计入其访视",
	"Answers and scores are not on this copy, because the protocol does not show them to the role of whoever made it. Their digest is.":                                               "本副本不含答案与得分，因为方案不向制作者的角色显示这些内容；其摘要在内。",
	"In English, because this server has no font for the site's language. Whoever runs it can name one (setting copy-font).":                                                          "因本服务器没有该中心语言的字体，故以英文书写；运行者可指定字体（设置项 copy-font）。",
	"%d characters could not be printed here. Each stands at its place as U+ and its number in Unicode, in square brackets; none is left out. The copy as JSON has them as they are.": "有 %d 个字符无法在此打印，均在原位以方括号内的 U+ 及其 Unicode 编号表示，无一遗漏；JSON 副本中保持原样。",
	"What was filled, and by whom": "填写内容与填写者", "Study": "研究", "Protocol version": "方案版本", "Site": "中心", "Participant": "受试者", "Visit": "访视", "Window": "窗口",
	"opens %s, due %s, last day %s (dates at the participant's home)": "开启 %s，应填 %s，最后一日 %s（受试者所在地日期）",
	"Revision": "修订", "State": "状态", "Instrument": "量表", "version": "版本", "Wording": "文本", "Copyright": "版权", "How it was filled": "填写方式", "Help": "协助",
	"Entered by": "录入者", "Flags": "标记", "Digest of what was sent": "所提交内容的摘要", "was held": "曾暂存",
	"Times": "时间", "Time zone": "时区", "each time stands with its distance from UTC, then in UTC": "各时间先附与 UTC 的时差，后以 UTC 表示",
	"Started": "开始", "Completed": "完成", "Completed, by the phone": "完成（按手机时钟）", "Sent, by the phone": "发送（按手机时钟）", "Received": "收到",
	"Answers as they stand (revision %d)": "现行答案（修订 %d）",
	"The licence of the wording has ended, so that its text is not printed; the pack is named above with its hash.": "文本的授权已结束，故不打印其内容；文本包及其哈希见上。",
	"The text of the wording is not in this store; the pack is named above.":                                        "本系统中没有该文本的内容；文本包名称见上。",
	"Item": "条目", "As it was shown": "显示的文字", "Answer": "答案", "not answered": "未作答", "box ticked: does not answer": "勾选不回答",
	"Scores (rules: version %s)": "得分（计分规则版本 %s）", "Scale": "量表", "Score, not rounded": "得分（未取整）", "Items answered": "作答条目", "Note": "备注",
	"missing": "缺失", "prorated": "按比例折算", "%d of %d": "%d / %d",
	"History: who did what, when and why": "历史：何人、何时、何事、何故", "No.": "序号", "When": "时间", "Who": "何人", "What · old → new · why": "何事 · 旧 → 新 · 何故",
	"Why": "原因", "Signed, with the password given again": "已签名（再次输入密码）",
	"The record that this copy was made from": "本副本所依据的记录", "Record": "记录", "Events": "事件", "1 to %d, the last of %s": "1 至 %d，最后一个在 %s", "Hash of the last event": "最后事件的哈希",
	"Each event's hash (SHA-256) covers its own content and the hash of the event before it, so that the last hash vouches for all of them.": "每个事件的哈希（SHA-256）涵盖其自身内容与前一事件的哈希，因此最后的哈希为全部事件作证。",
	"Statement": "声明",
	"This copy was made by the program epro from the electronic record of the study. Before it was made, every event of the participant's record was read, compared with its hash, and found to follow the one before it. It has everything that the record says of this form: the content, who entered it and when, every change with what was there before, the reasons, and the signatures.": "本副本由 epro 程序依据研究的电子记录制作。制作之前，已读取该受试者记录的每一个事件，与其哈希比对，并确认其紧接前一事件。副本包含记录中关于此问卷的全部内容：答案、录入者与时间、每次更改及更改前的内容、原因与签名。",
	"This copy was made by the program epro from the electronic record of the study. Before it was made, every event of the participant's record was read, compared with its hash, and found to follow the one before it. It has what the record says of this form without its answers and scores.":                                                                                             "本副本由 epro 程序依据研究的电子记录制作。制作之前，已读取该受试者记录的每一个事件，与其哈希比对，并确认其紧接前一事件。副本包含记录中关于此问卷的内容，但不含答案与得分。",
	"Made by": "制作者", "Made at": "制作时间", "Program": "程序", "On paper: name, signature, date": "纸质签署：姓名、签名、日期",
}
