import { mkdirSync, openSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import {
	readContents,
	removeReservation,
	whileLocked,
	writeLastReserved,
	writeReservation,
} from '../../src/cli/host-local-directory.ts';
import { lock } from '../../src/linux/flock.ts';
import { past, temporaryDirectory } from '../ipam/stores.ts';

const soon = () => performance.now() + 1000;

test('what is written is read, in files that only root may read', (t) => {
	const directory = temporaryDirectory(t);
	writeReservation(directory, '9.0.1.2', { containerId: 'c1', ifname: 'eth0' });
	writeReservation(directory, 'fd00::2', { containerId: 'c1', ifname: 'eth0' });
	writeLastReserved(directory, 0, '9.0.1.2');
	for (const name of ['9.0.1.2', 'last_reserved_ip.0'])
		t.is(statSync(`${directory}/${name}`).mode & 0o777, 0o600, name);
	const { reserved, broken } = readContents(directory);
	t.deepEqual(
		reserved.map(({ address, containerId, ifname, isExported }) => ({ address, containerId, ifname, isExported })),
		['9.0.1.2', 'fd00::2'].map((address) => ({ address, containerId: 'c1', ifname: 'eth0', isExported: true })),
	);
	t.deepEqual(broken, []);
	for (const file of reserved) removeReservation(file);
	t.deepEqual(readdirSync(directory), ['last_reserved_ip.0']);
});

test('a file is never written over, and a remnant of a killed export is in nobody’s way', (t) => {
	const directory = temporaryDirectory(t);
	writeFileSync(`${directory}/.mesos-overlay.new`, 'half');
	writeFileSync(`${directory}/9.0.1.2`, 'theirs');
	t.throws(() => writeReservation(directory, '9.0.1.2', { containerId: 'c1', ifname: 'eth0' }), {
		message: /^writing ".*\/9\.0\.1\.2": .*\(EEXIST\)$/,
	});
	t.is(readFileSync(`${directory}/9.0.1.2`, 'utf8'), 'theirs');
	writeReservation(directory, '9.0.1.3', { containerId: 'c1', ifname: 'eth0' });
	t.deepEqual(readdirSync(directory).toSorted(), ['9.0.1.2', '9.0.1.3']);
});

test('what cannot be read is told by its path, without being opened', (t) => {
	const directory = temporaryDirectory(t);
	mkdirSync(`${directory}/9.0.1.2`);
	symlinkSync('/etc/hostname', `${directory}/9.0.1.3`);
	writeFileSync(`${directory}/9.0.1.4`, 'x'.repeat(10_000));
	writeFileSync(`${directory}/9.0.1.5`, '');
	writeFileSync(`${directory}/notes`, '');
	const { reserved, broken } = readContents(directory);
	t.deepEqual(
		reserved.map(({ address }) => address),
		[],
	);
	t.deepEqual(
		broken.map(({ path, problem }) => `${path.slice(directory.length + 1)}: ${problem}`),
		[
			'9.0.1.2: not a plain file',
			'9.0.1.3: not a plain file',
			'9.0.1.4: not complete, or no file of host-local',
			'9.0.1.5: empty, host-local was killed while it wrote',
			'notes: not a file of host-local',
		],
	);
});

test('the lock is waited for until the deadline, and given back', (t) => {
	const directory = temporaryDirectory(t);
	t.is(
		whileLocked(directory, soon(), 'create', () => {
			t.throws(() => whileLocked(directory, past, 'create', () => t.fail()), {
				message: `locking "${directory}/lock": another process holds it, try again when host-local is idle`,
			});
			return 7;
		}),
		7,
	);
	t.throws(() =>
		whileLocked(directory, soon(), 'create', () => {
			throw new Error('in the middle');
		}),
	);
	t.true(lock(openSync(`${directory}/lock`, 'r'), past));
	t.is(statSync(`${directory}/lock`).mode & 0o137, 0);
});

test('to look only makes no lock', (t) => {
	const directory = temporaryDirectory(t);
	t.true(whileLocked(directory, soon(), 'ignore', () => true));
	t.throws(() => whileLocked(directory, soon(), 'refuse', () => t.fail()), { message: /ENOENT$/ });
	t.deepEqual(readdirSync(directory), []);
});

test('a lock that leads elsewhere, a directory that is none', (t) => {
	const directory = temporaryDirectory(t);
	symlinkSync('/etc/hostname', `${directory}/lock`);
	t.throws(() => whileLocked(directory, soon(), 'create', () => t.fail()), {
		message: /^opening ".*\/lock": ELOOP$/,
	});
	writeFileSync(`${directory}/file`, '');
	t.throws(() => whileLocked(`${directory}/file`, soon(), 'create', () => t.fail()), {
		message: /remove it or set ipam.dataDir \(ENOTDIR\)$/,
	});
	t.throws(() => whileLocked(`${directory}/none`, soon(), 'create', () => t.fail()), { message: /ENOENT$/ });
});
