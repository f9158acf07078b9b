import test from 'ava';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import {
	attachmentRecordPath,
	networkRecordPath,
	readAttachmentRecord,
	readRecords,
	removeRecord,
	withLock,
	writeRecord,
} from '../../src/nat/record-files.ts';
import { encodeRecord } from '../../src/nat/records.ts';
import { refuses } from '../cni/assertions.ts';
import { attachment, dcos } from './records-of.ts';

const soon = () => performance.now() + 5000;

function directoryOf(t: { teardown(step: () => void): void }): string {
	const directory = mkdtempSync(`${tmpdir()}/records-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	return `${directory}/nat`;
}

test('records are found again, in an order that does not depend on who came first', (t) => {
	const directory = directoryOf(t);
	const records = ['b', 'a'].map((containerId) => attachment({ containerId }));
	for (const record of records) writeRecord(directory, attachmentRecordPath(directory, record), encodeRecord(record));
	writeRecord(directory, networkRecordPath(directory, 'dcos'), encodeRecord(dcos));
	t.deepEqual(readRecords(directory), { networks: [dcos], attachments: records.toReversed() });
	t.deepEqual(readAttachmentRecord(directory, { containerId: 'a', ifname: 'eth0' }), records[1]);
});

test('only root can read them', (t) => {
	const directory = directoryOf(t);
	const path = attachmentRecordPath(directory, attachment());
	writeRecord(directory, path, 'x');
	withLock(directory, soon(), () => {});
	t.is(statSync(path).mode & 0o777, 0o600);
	t.is(statSync(`${directory}/lock`).mode & 0o777, 0o600);
	for (const each of [directory, `${directory}/attachments`]) t.is(statSync(each).mode & 0o777, 0o700);
});

test('what is not there is no record, and no error to remove', (t) => {
	const directory = directoryOf(t);
	t.deepEqual(readRecords(directory), { networks: [], attachments: [] });
	t.is(readAttachmentRecord(directory, attachment()), undefined);
	t.notThrows(() => removeRecord(attachmentRecordPath(directory, attachment())));
	t.false(existsSync(directory));
});

test('a record that was cut by a kill is none, wherever it was cut', (t) => {
	const directory = directoryOf(t);
	const record = attachment();
	const path = attachmentRecordPath(directory, record);
	const text = encodeRecord(record);
	for (let length = 0; length < text.length - 1; length++) {
		writeRecord(directory, path, text.slice(0, length));
		t.is(readAttachmentRecord(directory, record), undefined, `${length} bytes`);
	}
	writeRecord(directory, path, text);
	t.deepEqual(readAttachmentRecord(directory, record), record);
});

test('container ids that are too long for a file name are told apart', (t) => {
	const directory = directoryOf(t);
	const ids = [`${'x'.repeat(1000)}a`, `${'x'.repeat(1000)}b`];
	const records = ids.map((containerId) => attachment({ containerId }));
	for (const record of records) writeRecord(directory, attachmentRecordPath(directory, record), encodeRecord(record));
	t.is(readdirSync(`${directory}/attachments`).length, 2);
	for (const record of records) t.deepEqual(readAttachmentRecord(directory, record), record);
});

test('a link in the place of a record is replaced, not followed', (t) => {
	const directory = directoryOf(t);
	mkdirSync(`${directory}/attachments`, { recursive: true });
	const path = attachmentRecordPath(directory, attachment());
	symlinkSync(`${directory}/victim`, path);
	writeRecord(directory, path, 'record');
	t.false(existsSync(`${directory}/victim`));
	t.is(statSync(path).size, 6);
});

test('a file in the place of the directory is named', (t) => {
	const directory = directoryOf(t);
	writeFileSync(directory, '');
	refuses(t, () => withLock(directory, soon(), () => {}), 5, `opening "${directory}/lock": ENOTDIR`);
});

test('who changes records waits for another, and not beyond the deadline', (t) => {
	const directory = directoryOf(t);
	withLock(directory, soon(), () => {
		refuses(
			t,
			() => withLock(directory, performance.now() + 50, () => {}),
			11,
			`locking "${directory}/lock": other calls are changing the rules of this host, try again when they are over`,
		);
	});
	t.is(
		withLock(directory, soon(), () => 'free'),
		'free',
	);
});
