import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { parseAddress } from '../../src/ipam/address.ts';
import { LeaseError } from '../../src/ipam/lease-error.ts';
import { decodeLease } from '../../src/ipam/lease.ts';
import { inSet, sizeOfSet } from '../../src/ipam/range-set.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	entriesOf,
	exactly,
	lease,
	past,
	processAt,
	setOf,
	small,
	small6,
	temporaryDirectory,
} from './stores.ts';

test('a lease is one file with two names, readable by its owner only', (t) => {
	const { store } = processAt(`${temporaryDirectory(t)}/new/leases`);
	t.deepEqual(lease(store, 'c1'), ['9.0.1.2']);
	const byAddress = statSync(`${store.addresses}/9.0.1.2`);
	t.is(byAddress.ino, statSync(`${store.attachments}/c1@eth0@0`).ino);
	t.is(byAddress.nlink, 2);
	t.is(byAddress.mode & 0o777, 0o600);
	for (const directory of [store.directory, store.addresses, store.attachments])
		t.is(statSync(directory).mode & 0o777, 0o700);
	t.like(decodeLease(readFileSync(`${store.addresses}/9.0.1.2`, 'utf8')), {
		address: '9.0.1.2',
		containerId: 'c1',
		index: 0,
		network: 'dcos',
	});
});

test('addresses are given in turn, and a freed one only when the others were', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const given = Array.from({ length: 12 }, (_, turn) => {
		const [address] = lease(store, `c${turn}`);
		releaseAttachment(store, { containerId: `c${turn}`, ifname: 'eth0' }, past);
		return address?.slice(6);
	});
	t.deepEqual(given, ['2', '3', '4', '5', '6', '2', '3', '4', '5', '6', '2', '3']);
});

for (const [title, content] of [
	['torn', '9.0.'],
	['empty', ''],
	['of another half', '9.0.1.200'],
	['the gateway', '9.0.1.1'],
	['full of zeros', '\0'.repeat(64)],
] as const) {
	test(`a note of the last address that is ${title} means the start`, (t) => {
		const { store } = processAt(temporaryDirectory(t));
		mkdirSync(store.directory);
		writeFileSync(`${store.directory}/last.0`, content);
		t.deepEqual(lease(store, 'c1'), ['9.0.1.2']);
		t.deepEqual(lease(store, 'c2'), ['9.0.1.3']);
	});
}

test('a note of the last address that is a symbolic link is not followed', (t) => {
	const directory = temporaryDirectory(t);
	const { store } = processAt(directory);
	mkdirSync(store.directory);
	writeFileSync(`${directory}/planted`, 'precious');
	symlinkSync(`${directory}/planted`, `${store.directory}/last.0`);
	t.deepEqual(lease(store, 'c1'), ['9.0.1.2']);
	t.is(readFileSync(`${directory}/planted`, 'utf8'), 'precious');
});

test('whatever is leased and released, no address has two holders, and none is given that is not for containers', (t) => {
	const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
	const command = fc.record({ containerId: fc.constantFrom(...names), add: fc.boolean() });
	fc.assert(
		fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
			const directory = temporaryDirectory(t);
			const held = new Map<string, string>();
			for (const { containerId, add } of commands) {
				const { store } = processAt(directory);
				if (!add) {
					held.delete(containerId);
					if (existsSync(store.addresses)) releaseAttachment(store, { containerId, ifname: 'eth0' }, past);
				} else if (held.has(containerId)) {
					t.throws(() => lease(store, containerId), { code: 'alreadyAttached' });
				} else if (held.size === Number(sizeOfSet(small))) {
					t.throws(() => lease(store, containerId), { code: 'noAddressLeft' });
				} else {
					const [text = ''] = lease(store, containerId);
					const address = parseAddress(text);
					t.true(address !== undefined && inSet(small, address));
					t.false([...held.values()].includes(text));
					held.set(containerId, text);
				}
				endProcess(store);
				if (existsSync(store.addresses))
					t.deepEqual(readdirSync(store.addresses).toSorted(), [...held.values()].toSorted());
			}
		}),
		{ numRuns: 30 },
	);
});

test('both families are leased, each with its number', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	t.deepEqual(lease(store, 'c1', anyOf(small, small6)), ['9.0.1.2', 'fd00::2']);
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'c1@eth0@0', 'c1@eth0@1', 'fd00::2']);
});

test('when the second family has no address left, the first is released again', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const one = setOf('fd00::/126');
	lease(store, 'c1', anyOf(small, one));
	lease(store, 'c2', anyOf(small, one));
	const before = entriesOf(store);
	const error = t.throws(() => lease(store, 'c3', anyOf(small, one)), { instanceOf: LeaseError });
	t.is(
		error?.message,
		`leasing an address of "fd00::/126" in network "dcos": all 2 are held, "${store.addresses}" shows by whom`,
	);
	t.like(error, { code: 'noAddressLeft', cniCode: 101 });
	t.deepEqual(entriesOf(store), before);
});

test('a range of more addresses than are tried blindly gives its last one, too', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const range = setOf('9.0.1.0/24');
	const given = new Set(Array.from({ length: 253 }, (_, turn) => lease(store, `c${turn}`, anyOf(range))[0]));
	t.is(given.size, 253);
	t.throws(() => lease(store, 'c253', anyOf(range)), { code: 'noAddressLeft' });
	releaseAttachment(store, { containerId: 'c100', ifname: 'eth0' }, past);
	t.deepEqual(lease(store, 'c253', anyOf(range)), ['9.0.1.102']);
	endProcess(store);
});

test('the address that was asked for is given, and says who holds it when it is not free', (t) => {
	const directory = temporaryDirectory(t);
	const { store } = processAt(directory);
	t.deepEqual(lease(store, 'c1', exactly('9.0.1.5')), ['9.0.1.5']);
	const before = entriesOf(store);
	const error = t.throws(() => lease(processAt(directory).store, 'c2', exactly('9.0.1.5'), { ifname: 'eth1' }), {
		instanceOf: LeaseError,
	});
	t.is(error?.message, 'leasing "9.0.1.5": it is held already, by container "c1" (interface "eth0")');
	t.like(error, { code: 'addressTaken', cniCode: 102 });
	t.deepEqual(entriesOf(store), before);
});

test('an attachment that has a lease is refused with its address, and keeps it; another interface gets its own', (t) => {
	const directory = temporaryDirectory(t);
	const { store } = processAt(directory);
	lease(store, 'c1');
	const before = entriesOf(store);
	const again = () => lease(store, 'c1');
	const error = t.throws(again, { instanceOf: LeaseError });
	t.is(
		error?.message,
		'leasing an address for container "c1" (interface "eth0"): it holds "9.0.1.2" already, detach it first',
	);
	t.like(error, { code: 'alreadyAttached', cniCode: 104 });
	t.deepEqual(entriesOf(store), before);
	t.deepEqual(lease(store, 'c1', anyOf(small), { ifname: 'eth1' }), ['9.0.1.3']);
});

test('an attachment that another process works on is waited for, and then said to be busy', (t) => {
	const directory = temporaryDirectory(t);
	lease(processAt(directory).store, 'c1');
	const { store } = processAt(directory);
	const before = entriesOf(store);
	const start = performance.now();
	const error = t.throws(() => lease(store, 'c1', anyOf(small), { deadline: start + 50 }), {
		instanceOf: LeaseError,
	});
	t.true(performance.now() - start >= 50);
	t.like(error, { code: 'busy', cniCode: 11 });
	t.true(error?.message.includes('another call for container "c1" (interface "eth0") is running'), error?.message);
	t.deepEqual(entriesOf(store), before);
});

test('the lease that an attachment has of an earlier boot is replaced', (t) => {
	const directory = temporaryDirectory(t);
	const before = processAt(directory).store;
	lease(before, 'c1', anyOf(small, small6), { bootId: earlierBoot });
	endProcess(before);
	const { store, notes } = processAt(directory);
	t.deepEqual(lease(store, 'c1'), ['9.0.1.3']);
	t.deepEqual(entriesOf(store), ['9.0.1.3', 'c1@eth0@0']);
	t.deepEqual(notes, [
		'freed fd00::2: its holder, container "c1" (interface "eth0"), is of an earlier boot',
		'freed 9.0.1.2: its holder, container "c1" (interface "eth0"), is of an earlier boot',
	]);
});

test('container ids of any length have their own leases', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const long = 'x'.repeat(5000);
	t.deepEqual(lease(store, `${long}1`), ['9.0.1.2']);
	t.deepEqual(lease(store, `${long}2`), ['9.0.1.3']);
	t.throws(() => lease(store, `${long}1`), { code: 'alreadyAttached' });
	releaseAttachment(store, { containerId: `${long}1`, ifname: 'eth0' }, past);
	t.deepEqual(readdirSync(store.addresses), ['9.0.1.3']);
});

const planted: Readonly<Record<string, readonly [plant: (path: string) => void, what: string]>> = {
	'a file': [(path) => writeFileSync(path, ''), 'a file'],
	'a symbolic link': [(path) => symlinkSync('/tmp', path), 'a symbolic link'],
};

for (const [title, [plant, what]] of Object.entries(planted)) {
	for (const part of ['directory', 'addresses', 'attachments'] as const) {
		test(`${title} in place of the ${part} is named, and not followed`, (t) => {
			const { store } = processAt(temporaryDirectory(t));
			if (part !== 'directory') mkdirSync(store.directory);
			plant(store[part]);
			const error = t.throws(() => lease(store, 'c1'), { instanceOf: LeaseError });
			t.is(
				error?.message,
				`reading "${store[part]}": ${what}, which is no part of a lease store: look at it and remove it`,
			);
			t.like(error, { code: 'foreign', cniCode: 107 });
		});
	}
}

for (const [title, plant] of [
	['a symbolic link', (path: string) => symlinkSync('/etc/passwd', path)],
	['a directory', (path: string) => mkdirSync(path)],
] as const) {
	test(`${title} in place of an address is passed over; in place of an attachment it is named`, (t) => {
		const { store } = processAt(temporaryDirectory(t));
		lease(store, 'c1');
		plant(`${store.addresses}/9.0.1.3`);
		t.deepEqual(lease(store, 'c2'), ['9.0.1.4']);
		plant(`${store.attachments}/c3@eth0@0`);
		const error = t.throws(() => lease(store, 'c3'), { instanceOf: LeaseError });
		t.is(
			error?.message,
			`reading "${store.attachments}/c3@eth0@0": ${title}, which is no part of a lease store: look at it and remove it`,
		);
	});
}

test('the data directory is a file', (t) => {
	const path = `${temporaryDirectory(t)}/leases`;
	writeFileSync(path, '');
	const error = t.throws(() => lease(processAt(path).store, 'c1'), { instanceOf: LeaseError });
	t.is(
		error?.message,
		`making the directory "${path}": a file is in its place, remove it or set ipam.dataDir (EEXIST)`,
	);
	t.is(error?.cniCode, 107);
});

/** A process whose nth call of a function fails. */
function failing(directory: string, name: 'linkFile' | 'writeAt' | 'openFile' | 'makeDirectory', code: string) {
	const { store } = processAt(directory);
	const fail = () => {
		throw Object.assign(new Error(code), { code });
	};
	return processAt(directory, { ...store.system, [name]: fail });
}

for (const [name, code, message] of [
	[
		'makeDirectory',
		'EROFS',
		'making the directory "<dir>": the file system is read-only, set ipam.dataDir to a directory that can be written (EROFS)',
	],
	[
		'openFile',
		'EACCES',
		'making the lease "<dir>/dcos/attachments/c1@eth0@0": permission denied, the store belongs to root (EACCES)',
	],
	['openFile', 'EMFILE', 'making the lease "<dir>/dcos/attachments/c1@eth0@0": EMFILE'],
	[
		'writeAt',
		'ENOSPC',
		'writing the lease "<dir>/dcos/attachments/c1@eth0@0": the file system is full, free some space or inodes (ENOSPC)',
	],
	['linkFile', 'EMLINK', 'leasing "<dir>/dcos/addresses/9.0.1.2": the file system allows no more links (EMLINK)'],
] as const) {
	test(`${code} of ${name} is reported with the path and leaves nothing`, (t) => {
		const directory = temporaryDirectory(t);
		const { store } = failing(directory, name, code);
		const error = t.throws(() => lease(store, 'c1'), { instanceOf: LeaseError });
		t.is(error?.message, message.replace('<dir>', directory));
		t.like(error, { code, cniCode: 107 });
		if (name !== 'makeDirectory') t.deepEqual(entriesOf(store), []);
	});
}

test('a file system that takes only a part of a lease is full', (t) => {
	const directory = temporaryDirectory(t);
	const { system } = processAt(directory).store;
	const { store } = processAt(directory, { ...system, writeAt: () => 10 });
	const error = t.throws(() => lease(store, 'c1'), { instanceOf: LeaseError });
	t.is(error?.code, 'ENOSPC');
	t.deepEqual(entriesOf(store), []);
});
