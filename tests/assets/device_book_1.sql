-- A device book as version 1 of its tables had it, for tests of what reads it later.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE audits (
	audit_id TEXT NOT NULL /* sorts by time */, 
	camera TEXT NOT NULL /* whose device it is about */, 
	made_us BIGINT NOT NULL /* when it was made */, 
	vendor TEXT NOT NULL /* who made it, as it says */, 
	model TEXT NOT NULL /* as it says */, 
	firmware TEXT NOT NULL /* as it says */, 
	serial TEXT NOT NULL /* as it says; a device is known again by it */, 
	mac TEXT NOT NULL /* lower case with colons; a device without a serial is known again by it */, 
	hardware TEXT NOT NULL /* as it says */, 
	detect TEXT NOT NULL /* yes, no or unknown (Level) */, 
	capture TEXT NOT NULL /* yes, no or unknown (Level) */, 
	recognise TEXT NOT NULL /* yes, no or unknown (Level) */, 
	is_armed TEXT NOT NULL /* yes, no or unknown (Level) */, 
	has_library TEXT NOT NULL /* yes, no or unknown (Level) */, 
	auto_tracking TEXT NOT NULL /* yes, no or unknown (Level) */, 
	libraries BIGINT /* how many libraries of faces it has; null where it does not say */, 
	entries BIGINT /* how many entries they have; null where it does not say */, 
	armed TEXT NOT NULL /* one JSON list: what is switched on, in the device's words */, 
	dialects TEXT NOT NULL /* one JSON list: which were spoken */, 
	drift TEXT NOT NULL /* one JSON list: what has come back since the audit before it */, 
	differs BIGINT NOT NULL /* 1: it says something else than the one before it */, 
	CONSTRAINT pk_audits PRIMARY KEY (audit_id), 
	CONSTRAINT ck_audits_detect CHECK (detect IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_capture CHECK (capture IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_recognise CHECK (recognise IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_is_armed CHECK (is_armed IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_has_library CHECK (has_library IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_auto_tracking CHECK (auto_tracking IN ('yes', 'no', 'unknown')), 
	CONSTRAINT ck_audits_differs CHECK (differs IN (0, 1)), 
	CONSTRAINT ck_audits_camera CHECK (camera <> '')
);
INSERT INTO "audits" VALUES('a000001','plaza',1000000,'Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','no','no','no','unknown','unknown','unknown',NULL,NULL,'[]','["onvif"]','[]',1);
INSERT INTO "audits" VALUES('a000002','plaza',2000000,'Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','no','no','yes','unknown','unknown','unknown',NULL,NULL,'[]','["onvif"]','["it is able to recognise faces"]',1);
INSERT INTO "audits" VALUES('a000003','plaza',3000000,'Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','no','no','no','unknown','unknown','unknown',NULL,NULL,'[]','["onvif"]','[]',1);
INSERT INTO "audits" VALUES('gate4','gate',4000000,'Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','no','no','no','unknown','unknown','unknown',NULL,NULL,'[]','["onvif"]','[]',1);
INSERT INTO "audits" VALUES('a000005','plaza',5000000,'Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','no','no','no','unknown','unknown','unknown',NULL,NULL,'[]','["onvif"]','[]',0);
CREATE TABLE camera_key (
	number BIGINT NOT NULL /* 1: there is one row */, 
	key_id TEXT NOT NULL /* of the key that all passwords are encrypted with; it does not tell the key */, 
	CONSTRAINT pk_camera_key PRIMARY KEY (number), 
	CONSTRAINT ck_camera_key_number CHECK (number = 1)
);
CREATE TABLE contents (
	content_id TEXT NOT NULL /* SHA-256 of what is kept */, 
	content BLOB NOT NULL /* an answer; many audits have the same */, 
	CONSTRAINT pk_contents PRIMARY KEY (content_id), 
	CONSTRAINT ck_contents_size CHECK (length(content) BETWEEN 1 AND 65536)
);
INSERT INTO "contents" VALUES('8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d',X'796573');
CREATE TABLE credentials (
	credential_id TEXT NOT NULL /* 16 hexadecimal digits; the configuration names it */, 
	camera TEXT NOT NULL /* whose password it is; it opens for no other */, 
	key_id TEXT NOT NULL /* which key it was sealed with */, 
	sealed BLOB NOT NULL /* nonce, AES-256-GCM of the password, tag */, 
	kept_us BIGINT NOT NULL /* when it was given */, 
	CONSTRAINT pk_credentials PRIMARY KEY (credential_id), 
	CONSTRAINT ck_credentials_credential_id CHECK (length(credential_id) = 16), 
	CONSTRAINT ck_credentials_sealed CHECK (length(sealed) BETWEEN 28 AND 4096)
);
CREATE TABLE devices (
	camera TEXT NOT NULL /* its name */, 
	vendor TEXT NOT NULL /* who made it, as it says */, 
	model TEXT NOT NULL /* as it says */, 
	firmware TEXT NOT NULL /* as it says */, 
	serial TEXT NOT NULL /* as it says; a device is known again by it */, 
	mac TEXT NOT NULL /* lower case with colons; a device without a serial is known again by it */, 
	hardware TEXT NOT NULL /* as it says */, 
	device_url TEXT NOT NULL /* where it answered last */, 
	first_seen_us BIGINT NOT NULL /* when this device answered first for this camera */, 
	seen_us BIGINT NOT NULL /* when it answered last */, 
	CONSTRAINT pk_devices PRIMARY KEY (camera), 
	CONSTRAINT ck_devices_seen CHECK (first_seen_us <= seen_us)
);
INSERT INTO "devices" VALUES('plaza','Hikvision','DS-2CD2386G2','V5.5.0 build 170725','DS-1','00:11:22:33:44:55','','http://192.0.2.7',7,7);
CREATE TABLE disarms (
	disarm_id TEXT NOT NULL /* sorts by time */, 
	camera TEXT NOT NULL /* whose device it is */, 
	at_us BIGINT NOT NULL /* when it began */, 
	"by" TEXT NOT NULL /* who had it done */, 
	authorisation TEXT NOT NULL /* what allows it, in their words */, 
	reference TEXT NOT NULL /* of a file or a decision; may be empty */, 
	state TEXT NOT NULL /* how far it has come (DisarmState) */, 
	steps TEXT NOT NULL /* one JSON list: what was switched off, before, after, and what went wrong */, 
	saved TEXT NOT NULL /* JSON: settings beside faces as they were before, for a rollback */, 
	audit_before TEXT NOT NULL /* audit_id of what was seen before; such audits are kept */, 
	audit_after TEXT NOT NULL /* audit_id of what was seen after; such audits are kept */, 
	problems TEXT NOT NULL /* one JSON list: what could not be asked when it was planned */, 
	rolled_back_us BIGINT /* when it was rolled back; null where it was not */, 
	rolled_back_by TEXT NOT NULL /* who had it rolled back */, 
	rollback_authorisation TEXT NOT NULL /* what allows that, in their words */, 
	rollback_steps TEXT NOT NULL /* one JSON list, as `steps` */, 
	CONSTRAINT pk_disarms PRIMARY KEY (disarm_id), 
	CONSTRAINT ck_disarms_state CHECK (state IN ('done', 'partial', 'failed', 'rolled_back')), 
	CONSTRAINT ck_disarms_size CHECK (length(saved) <= 1048576 AND length(steps) <= 1048576)
);
INSERT INTO "disarms" VALUES('d1','plaza',1000000,'anna','Decision 7 of the council','7/26','failed','[{"what":"FaceDetection","before":"on","after":"","is_done":false,"is_begun":true,"problem":""}]','[]','a000001','','[]',NULL,'','','[]');
CREATE TABLE evidence (
	audit_id TEXT NOT NULL /* of which audit */, 
	number BIGINT NOT NULL /* from 0 */, 
	question TEXT NOT NULL /* what was asked */, 
	asked_us BIGINT NOT NULL /* when */, 
	outcome TEXT NOT NULL /* what became of it (Outcome) */, 
	http_status BIGINT /* null where no answer came */, 
	sha256 TEXT NOT NULL /* of the whole answer */, 
	size_bytes BIGINT NOT NULL /* of the whole answer */, 
	content_id TEXT /* the answer as it came; null where it is empty, or may name persons */, 
	content_type TEXT NOT NULL /* as the device says */, 
	counts TEXT NOT NULL /* one JSON list of pairs: what was counted in it */, 
	problem TEXT NOT NULL /* one line, where it was not answered */, 
	CONSTRAINT pk_evidence PRIMARY KEY (audit_id, number), 
	CONSTRAINT fk_evidence_audit_id FOREIGN KEY(audit_id) REFERENCES audits (audit_id) ON DELETE CASCADE, 
	CONSTRAINT fk_evidence_content_id FOREIGN KEY(content_id) REFERENCES contents (content_id)
);
INSERT INTO "evidence" VALUES('a000001',0,'GET /x',1000000,'answered',200,'ab',3,'8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d','text/plain','[]','');
INSERT INTO "evidence" VALUES('a000002',0,'GET /x',2000000,'answered',200,'ab',3,'8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d','text/plain','[]','');
INSERT INTO "evidence" VALUES('a000003',0,'GET /x',3000000,'answered',200,'ab',3,'8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d','text/plain','[]','');
INSERT INTO "evidence" VALUES('gate4',0,'GET /x',4000000,'answered',200,'ab',3,'8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d','text/plain','[]','');
INSERT INTO "evidence" VALUES('a000005',0,'GET /x',5000000,'failed',NULL,'ab',3,NULL,'','[]','it does not answer');
CREATE TABLE findings (
	audit_id TEXT NOT NULL /* of which audit */, 
	number BIGINT NOT NULL /* from 0 */, 
	ability TEXT NOT NULL /* what it is about (Ability) */, 
	level TEXT NOT NULL /* yes, no or unknown (Level) */, 
	because TEXT NOT NULL /* what the device has said */, 
	evidence BIGINT NOT NULL /* number of the answer that says so */, 
	CONSTRAINT pk_findings PRIMARY KEY (audit_id, number), 
	CONSTRAINT ck_findings_level CHECK (level IN ('yes', 'no', 'unknown')), 
	CONSTRAINT fk_findings_audit_id FOREIGN KEY(audit_id) REFERENCES audits (audit_id) ON DELETE CASCADE
);
INSERT INTO "findings" VALUES('a000001',0,'recognise','no','it says so',0);
INSERT INTO "findings" VALUES('a000002',0,'recognise','yes','it says so',0);
INSERT INTO "findings" VALUES('a000003',0,'recognise','no','it says so',0);
INSERT INTO "findings" VALUES('gate4',0,'recognise','no','it says so',0);
CREATE TABLE firmware_list (
	number BIGINT NOT NULL /* 1: there is one row */, 
	document TEXT NOT NULL /* one JSON object: advisories and bans, as it was given */, 
	updated_us BIGINT NOT NULL /* when it was given */, 
	CONSTRAINT pk_firmware_list PRIMARY KEY (number), 
	CONSTRAINT ck_firmware_list_number CHECK (number = 1), 
	CONSTRAINT ck_firmware_list_size CHECK (length(document) <= 4194304)
);
CREATE TABLE health (
	camera TEXT NOT NULL /* its name */, 
	document TEXT NOT NULL /* one JSON object: clock, storage, temperature, what was wrong */, 
	noted_us BIGINT NOT NULL /* when it was asked */, 
	CONSTRAINT pk_health PRIMARY KEY (camera), 
	CONSTRAINT ck_health_size CHECK (length(document) <= 65536)
);
CREATE TABLE import_profiles (
	name TEXT NOT NULL /* what it is called */, 
	fields TEXT NOT NULL /* one JSON object of words */, 
	CONSTRAINT pk_import_profiles PRIMARY KEY (name), 
	CONSTRAINT ck_import_profiles_named CHECK (name <> ''), 
	CONSTRAINT ck_import_profiles_size CHECK (length(fields) <= 65536)
);
CREATE TABLE origins (
	camera TEXT NOT NULL /* its name */, 
	vendor TEXT NOT NULL /* who sold it */, 
	oem TEXT NOT NULL /* who made it, where that is somebody else */, 
	model TEXT NOT NULL /* as it was bought */, 
	firmware TEXT NOT NULL /* as it was installed */, 
	integrator TEXT NOT NULL /* who installed it */, 
	contract TEXT NOT NULL /* contract or tender reference */, 
	cost DOUBLE /* null where it is not known */, 
	currency TEXT NOT NULL /* ISO 4217; may be empty */, 
	installed TEXT /* date, ISO 8601; null where it is not known */, 
	legal_basis TEXT NOT NULL /* why it may be there */, 
	purpose TEXT NOT NULL /* what it is there for */, 
	note TEXT NOT NULL /* whatever else */, 
	revision BIGINT NOT NULL /* counts changes from 1; who changes it must have seen the last */, 
	CONSTRAINT pk_origins PRIMARY KEY (camera), 
	CONSTRAINT ck_origins_revision CHECK (revision >= 1), 
	CONSTRAINT ck_origins_cost CHECK (cost IS NULL OR cost >= 0)
);
CREATE TABLE profiles (
	camera TEXT NOT NULL /* its name */, 
	document TEXT NOT NULL /* one JSON list of media profiles, main first */, 
	kept_us BIGINT NOT NULL /* when they were asked */, 
	CONSTRAINT pk_profiles PRIMARY KEY (camera), 
	CONSTRAINT ck_profiles_size CHECK (length(document) <= 1048576)
);
CREATE TABLE tours (
	camera TEXT NOT NULL /* its name */, 
	document TEXT NOT NULL /* one JSON object: by name, a list of preset tokens and seconds */, 
	CONSTRAINT pk_tours PRIMARY KEY (camera), 
	CONSTRAINT ck_tours_size CHECK (length(document) <= 65536)
);
CREATE INDEX ix_audits_camera_made_us ON audits (camera, made_us);
CREATE INDEX ix_disarms_audit_after ON disarms (audit_after);
CREATE INDEX ix_disarms_camera_at_us ON disarms (camera, at_us);
CREATE INDEX ix_disarms_audit_before ON disarms (audit_before);
CREATE INDEX ix_evidence_content_id ON evidence (content_id);
COMMIT;
