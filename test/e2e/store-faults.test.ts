// A file system that fails, and a store that others have been at: every call says what is wrong, and loses nothing.
import {
	chmodSync,
	chownSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { type Answer, invoke } from '../helpers/cni.ts';
import { run, runOrThrow } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { leases } from '../helpers/leases.ts';
import { type Configuration, networkConfiguration } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';

const READ_ONLY = 'the file system is read-only, set ipam.dataDir to a directory that can be written (EROFS)';
const FULL = 'the file system is full, free some space or inodes (ENOSPC)';
const FOREIGN = 'which is no part of a lease store: look at it and remove it';

const storeOf = (host: Host): string => join(host.dataDir, host.network);

function call(host: Host, command: string, keys: Configuration = {}): Answer {
	return invoke(host, { command, configuration: networkConfiguration(host, keys) });
}

const collect = (host: Host): Answer => call(host, 'GC', { 'cni.dev/valid-attachments': [] });

/** A file system of its own for the data directory. */
function mountAt(t: ExecutionContext, { dataDir }: Host, options: string): (options: string) => void {
	mkdirSync(dataDir);
	runOrThrow(['mount', '-t', 'tmpfs', '-o', options, 'none', dataDir]);
	t.teardown(() => run(['umount', '--lazy', dataDir]));
	return (change) => void runOrThrow(['mount', '-o', `remount,${change}`, dataDir]);
}

testOn('tmpfs', 'a file system that has become read-only', (t) => {
	const host = createHost(t);
	const remount = mountAt(t, host, 'size=1m');
	const { check, del } = attach(t, host);
	const next = prepare(host);
	const before = host.snapshot();
	remount('ro');
	const attachments = join(storeOf(host), 'attachments');
	refused(t, next.add(), 107, `making the lease "${attachments}/${next.containerId}@eth0@0": ${READ_ONLY}`);
	refused(t, call(host, 'STATUS'), 50, `writing "${storeOf(host)}/probe": ${READ_ONLY}`);
	silent(t, check());
	silent(t, next.del());
	t.is(leases(host, []).status, 0);
	t.deepEqual(host.snapshot(), before);
	// The interface goes all the same, and the lease stays for the next DEL.
	refused(t, del(), 107, `removing the lease "${storeOf(host)}/addresses/9.0.1.2": ${READ_ONLY}`);
	t.deepEqual(host.snapshot().leases, before.leases);
	refused(t, collect(host), 107, `making the lock "${storeOf(host)}/gc.lock": ${READ_ONLY}`);
	remount('rw');
	silent(t, del());
	t.deepEqual(host.snapshot().leases, {});
	resultOf(t, next.add());
});

for (const [title, options, fill] of [
	['space', 'size=64k', (path: string) => run(['dd', 'if=/dev/zero', `of=${path}/filling`, 'bs=4k'])],
	[
		'inodes',
		'nr_inodes=40',
		(path: string) => run(['sh', '-c', 'mkdir "$0"; while : > "$0/$((i+=1))"; do :; done', `${path}/filling`]),
	],
] as const) {
	testOn('tmpfs', `a file system without ${title}`, (t) => {
		const host = createHost(t);
		mountAt(t, host, options);
		const one = attach(t, host);
		attach(t, host);
		fill(host.dataDir);
		const withoutFilling = () => {
			const { leases: files, ...rest } = host.snapshot();
			return [rest, Object.entries(files).filter(([path]) => !path.startsWith('filling'))];
		};
		const before = withoutFilling();
		const next = prepare(host);
		const lease = join(storeOf(host), 'attachments', `${next.containerId}@eth0@0`);
		refused(t, next.add(), 107, ` the lease "${lease}": ${FULL}`);
		refused(t, call(host, 'STATUS'), 50, `writing "${storeOf(host)}/probe": ${FULL}`);
		silent(t, one.check());
		silent(t, next.del());
		t.deepEqual(withoutFilling(), before);
		// What is full is emptied by GC and DEL: they need no room.
		const keep = [{ containerID: one.containerId, ifname: 'eth0' }];
		silent(t, call(host, 'GC', { 'cni.dev/valid-attachments': keep }));
		t.deepEqual(readdirSync(join(storeOf(host), 'addresses')), ['9.0.1.2']);
		silent(t, one.del());
		t.deepEqual(readdirSync(join(storeOf(host), 'addresses')), []);
		rmSync(join(host.dataDir, 'filling'), { recursive: true });
		resultOf(t, next.add());
	});
}

test('a data directory that is a file', (t) => {
	const host = createHost(t);
	writeFileSync(host.dataDir, 'precious');
	const before = host.snapshot();
	const message = `making the directory "${host.dataDir}": a file is in its place, remove it or set ipam.dataDir (EEXIST)`;
	const { add, del } = prepare(host);
	refused(t, add(), 107, message);
	refused(t, call(host, 'STATUS'), 50, message);
	silent(t, collect(host));
	silent(t, del());
	t.deepEqual(host.snapshot(), before);
	t.is(readFileSync(host.dataDir, 'utf8'), 'precious');
});

test('files are for root alone, and so are directories', (t) => {
	const host = createHost(t);
	attach(t, host, { ipam: { sticky: 'container-id', quarantine: 60 } });
	const modes = readdirSync(host.dataDir, { recursive: true, withFileTypes: true }).map((entry) => [
		entry.name,
		(statSync(join(entry.parentPath, entry.name)).mode & 0o7777).toString(8),
		entry.isDirectory() ? '700' : '600',
	]);
	t.is(modes.length, 7);
	for (const [name, mode, expected] of modes) t.is(mode, expected, name);
	t.is(statSync(host.dataDir).mode & 0o7777, 0o700);
});

/** Puts a symbolic link to something precious into the store. */
function plant(host: Host, place: string): { readonly path: string; assertUntouched(t: ExecutionContext): void } {
	const path = join(storeOf(host), place);
	const target = join(host.directory, 'precious');
	mkdirSync(target);
	writeFileSync(join(target, 'file'), 'precious');
	rmSync(path, { recursive: true, force: true });
	symlinkSync(/last|sticky|@|9\./.test(place) ? join(target, 'file') : target, path);
	return {
		path,
		assertUntouched: (t) => {
			t.true(lstatSync(path).isSymbolicLink());
			t.deepEqual(readdirSync(target), ['file']);
			t.is(readFileSync(join(target, 'file'), 'utf8'), 'precious');
		},
	};
}

for (const place of ['', 'attachments', 'addresses'] as const) {
	test(`a symbolic link in place of the directory ${place || 'of the network'} is named, and not followed`, (t) => {
		const host = createHost(t);
		attach(t, host).del();
		const { path, assertUntouched } = plant(host, place);
		const message = `reading "${path.replace(/\/$/, '')}": a symbolic link, ${FOREIGN}`;
		const { add, del } = prepare(host);
		refused(t, add(), 107, message);
		refused(t, del(), 107, message);
		refused(t, collect(host), 107, message);
		refused(t, call(host, 'STATUS'), 50, message);
		assertUntouched(t);
	});
}

test('a symbolic link in place of a lease is named, one in place of an address passed over', (t) => {
	const host = createHost(t);
	const one = attach(t, host);
	const next = prepare(host);
	const lease = plant(host, `attachments/${next.containerId}@eth0@0`);
	const message = `reading "${lease.path}": a symbolic link, ${FOREIGN}`;
	refused(t, next.add(), 107, message);
	refused(t, next.del(), 107, message);
	refused(t, collect(host), 107, message);
	lease.assertUntouched(t);
	silent(t, one.del());
	unlinkSync(lease.path);
	rmSync(join(host.directory, 'precious'), { recursive: true });
	const address = plant(host, 'addresses/9.0.1.3');
	t.deepEqual(
		[1, 2].map(() => attach(t, host).result.ips[0]?.address),
		['9.0.1.4/27', '9.0.1.5/27'],
	);
	refused(
		t,
		prepare(host).add({ cniArguments: 'IP=9.0.1.3' }),
		107,
		`reading "${address.path}": a symbolic link, ${FOREIGN}`,
	);
	address.assertUntouched(t);
});

for (const place of ['last.0', 'sticky'] as const) {
	test(`a symbolic link in place of ${place} is not followed, and in nobody's way`, (t) => {
		const host = createHost(t);
		attach(t, host);
		const { assertUntouched } = plant(host, place);
		const { result, check, del } = attach(t, host, { ipam: { sticky: 'container-id' } });
		t.is(result.ips.length, 1);
		silent(t, check());
		silent(t, del());
		silent(t, call(host, 'STATUS'));
		assertUntouched(t);
	});
}

test('a symbolic link in place of the lock of GC is named, and not followed', (t) => {
	const host = createHost(t);
	attach(t, host);
	const { path, assertUntouched } = plant(host, 'gc.lock');
	const before = host.snapshot().leases;
	refused(t, collect(host), 107, `reading "${path}": a symbolic link, ${FOREIGN}`);
	assertUntouched(t);
	t.deepEqual(host.snapshot().leases, before);
});

test("foreign files are left alone, in nobody's way, and named by GC and the list", (t) => {
	const host = createHost(t);
	const first = attach(t, host);
	const files = ['README', 'addresses/README', 'attachments/README', 'addresses/9.0.1.3'];
	for (const name of files) writeFileSync(join(storeOf(host), name), 'mine');
	const { result, check, del } = attach(t, host);
	t.is(result.ips[0]?.address, '9.0.1.4/27');
	silent(t, call(host, 'STATUS'));
	silent(t, check());
	silent(t, first.del());
	const messages = ['attachments/README', 'addresses/9.0.1.3'].map(
		(name) => `reading "${storeOf(host)}/${name}": a file of another kind, ${FOREIGN}`,
	);
	refused(t, collect(host), 107, ...messages);
	const listed = leases(host, []);
	t.is(listed.status, 1);
	for (const message of messages) t.true(listed.stderr.includes(message), listed.stderr);
	silent(t, del());
	for (const name of files) t.is(readFileSync(join(storeOf(host), name), 'utf8'), 'mine');
});

for (const place of ['', 'attachments', 'addresses'] as const) {
	test(`a directory that others can write to is closed to them, with a note: ${place || 'the network'}`, (t) => {
		const host = createHost(t);
		const one = attach(t, host);
		const path = join(storeOf(host), place).replace(/\/$/, '');
		chmodSync(path, 0o777);
		const next = prepare(host);
		const answer = next.add();
		t.is(resultOf(t, answer).ips[0]?.address, '9.0.1.3/27');
		t.is(statSync(path).mode & 0o777, 0o700);
		const note = `closed "${path}", which others could write to (mode 777): look whether they did`;
		t.true(answer.stderr.includes(note), answer.stderr);
		silent(t, one.check());
		chmodSync(path, 0o775);
		silent(t, one.del());
		t.is(statSync(path).mode & 0o777, 0o700);
		t.is(next.check().stderr, '');
	});

	test(`the directory of another user is refused: ${place || 'the network'}`, (t) => {
		const host = createHost(t);
		const { del } = attach(t, host);
		const before = host.snapshot().leases;
		const path = join(storeOf(host), place).replace(/\/$/, '');
		chownSync(path, 1234, 0);
		const message = `reading "${path}": a directory of user 1234, ${FOREIGN}`;
		refused(t, prepare(host).add(), 107, message);
		refused(t, del(), 107, message);
		refused(t, call(host, 'STATUS'), 50, message);
		t.deepEqual(host.snapshot().leases, before);
		chownSync(path, 0, 0);
		silent(t, del());
	});
}

test('the file of another user is no lease', (t) => {
	const host = createHost(t);
	const { containerId, del } = attach(t, host);
	const path = join(storeOf(host), 'attachments', `${containerId}@eth0@0`);
	chownSync(path, 1234, 0);
	refused(t, del(), 107, `reading "${path}": a file of user 1234, ${FOREIGN}`);
	t.true(existsSync(join(storeOf(host), 'addresses/9.0.1.2')));
	chownSync(path, 0, 0);
	silent(t, del());
});

test('where others can put a store away, none is made; their own directories they may have', (t) => {
	const host = createHost(t);
	mkdirSync(host.dataDir);
	chmodSync(host.dataDir, 0o777);
	const message = `making the directory "${storeOf(host)}": others can write to "${host.dataDir}" (mode 777), chmod 755 it`;
	refused(t, prepare(host).add(), 107, message);
	t.deepEqual(readdirSync(host.dataDir), []);
	chmodSync(host.dataDir, 0o1777);
	attach(t, host);
});

const instead = 'ask for one from "9.0.1.2" to "9.0.1.30"';

for (const [title, address, code, why] of [
	['outside the half', '9.0.1.40', 7, `it is not in "9.0.1.0/27", ${instead}`],
	['the gateway', '9.0.1.1', 102, `it is the gateway, ${instead}`],
	['the network address', '9.0.1.0', 7, `it is the network address, ${instead}`],
	['the broadcast address', '9.0.1.31', 7, `it is the broadcast address, ${instead}`],
	['twice', '9.0.1.9,9.0.1.9', 7, 'only one address of "9.0.1.0/27" can be had'],
	['of the other family', 'fd00::9', 7, 'the network has no subnet of its family'],
	['malformed', '9.0.1', 4, 'expected an address such as 9.0.1.2 or 9.0.1.2/26, got "9.0.1"'],
] as const) {
	test(`an address that is asked for and is ${title}: ${address}`, (t) => {
		const host = createHost(t);
		const one = attach(t, host);
		const before = host.snapshot();
		refused(t, prepare(host).add({ cniArguments: `IP=${address}` }), code, address.split(',')[0] ?? '', why);
		t.deepEqual(host.snapshot(), before);
		silent(t, one.check());
	});
}

test('an address that somebody has is refused with his name, and stays with him', (t) => {
	const host = createHost(t);
	const one = attach(t, host, {}, { call: { cniArguments: 'IP=9.0.1.9' } });
	const before = host.snapshot();
	const holder = `it is held already, by container "${one.containerId}" (interface "eth0")`;
	refused(t, prepare(host).add({ cniArguments: 'IP=9.0.1.9' }), 102, `leasing "9.0.1.9": ${holder}`);
	t.deepEqual(host.snapshot(), before);
	silent(t, one.check());
});
