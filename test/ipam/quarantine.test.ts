import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { fieldsOf } from '../../src/cni/fields.ts';
import { releaseOthers } from '../../src/ipam/gc.ts';
import type { Demand } from '../../src/ipam/lease-addresses.ts';
import { listLeases } from '../../src/ipam/leases.ts';
import { encodeLease } from '../../src/ipam/lease.ts';
import { readQuarantine, secondsLeft } from '../../src/ipam/quarantine.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { assertReady } from '../../src/ipam/status.ts';
import type { Store } from '../../src/ipam/store.ts';
import { kernel, type System } from '../../src/ipam/system.ts';
import { refuses } from '../cni/assertions.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	entriesOf,
	exactly,
	lease,
	leasedAt,
	past,
	processAt,
	setOf,
	small,
	small6,
	temporaryDirectory,
	thisBoot,
} from './stores.ts';

const one = setOf('9.0.1.0/30');
const quarantine = { seconds: 60, until: 0 };

/** A host whose clock stands still unless time passes; each call is a process of its own. */
function createMachine(t: ExecutionContext) {
	const directory = temporaryDirectory(t);
	const now = { uptime: 1000, bootId: thisBoot };
	const notes: string[] = [];
	const start = (changes: Partial<System> = {}) => {
		const system = { ...kernel, held: new Map(), uptime: () => now.uptime, bootId: () => now.bootId, ...changes };
		return processAt(directory, system);
	};
	const call = <T>(body: (store: Store) => T, changes?: Partial<System>): T => {
		const begun = start(changes);
		try {
			return body(begun.store);
		} finally {
			endProcess(begun.store);
			notes.push(...begun.notes.splice(0));
		}
	};
	return {
		...start(),
		notes,
		now,
		call,
		add: (containerId: string, demands: readonly Demand[] = anyOf(one), { holder = {}, clock = leasedAt } = {}) =>
			call((store) =>
				lease(store, containerId, demands, {
					holder: { quarantine, ...holder },
					bootId: now.bootId,
					now: clock,
				}),
			),
		del: (containerId: string) => call((store) => releaseAttachment(store, { containerId, ifname: 'eth0' }, past)),
	};
}

const refusedFor = (seconds: number, { addresses }: Store, count = 1, waiting = count) =>
	`leasing an address of "9.0.1.0/${count === 1 ? 30 : 29}" in network "dcos": all ${count} are held, ` +
	`${waiting} of them in quarantine, the first for ${seconds} s, "${addresses}" shows by whom`;

test('a released address is given to nobody until its quarantine is over, whatever clock is set', (t) => {
	const { add, del, now, store } = createMachine(t);
	t.deepEqual(add('a'), ['9.0.1.2']);
	t.is(del('a').length, 1);
	t.deepEqual(entriesOf(store), ['9.0.1.2']);
	t.throws(() => add('b'), { message: refusedFor(60, store), code: 'noAddressLeft' });
	now.uptime += 59;
	for (const clock of [0, leasedAt * 2]) {
		t.throws(() => add('b', anyOf(one), { clock }), { message: refusedFor(1, store), code: 'noAddressLeft' });
	}
	now.uptime += 1;
	t.deepEqual(add('b'), ['9.0.1.2']);
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'b@eth0@0']);
});

test("an address in quarantine is nobody's lease, and DEL and ADD of who had it pass it by", (t) => {
	const { add, del, store } = createMachine(t);
	add('a', anyOf(small, small6));
	t.deepEqual(
		del('a').map(({ address }) => address),
		['fd00::2', '9.0.1.2'],
	);
	t.deepEqual(listLeases(store), { found: [], problems: [] });
	t.deepEqual(del('a'), []);
	t.deepEqual(add('a', anyOf(small, small6)), ['9.0.1.3', 'fd00::3']);
	t.is(del('a').length, 2);
	t.deepEqual(entriesOf(store), ['9.0.1.2', '9.0.1.3', 'fd00::2', 'fd00::3']);
});

test('an address whose quarantine is over is taken when its turn comes, not only when nothing else is left', (t) => {
	const { add, del, now, store } = createMachine(t);
	for (const name of ['a', 'b', 'c', 'd', 'e']) add(name, anyOf(small));
	del('c');
	now.uptime += 61;
	del('a');
	t.deepEqual(add('f', anyOf(small)), ['9.0.1.4']);
	t.throws(() => add('g', anyOf(small)), { message: refusedFor(60, store, 5, 1) });
});

test('who does not have the key in his configuration keeps out of the quarantine, too, and ends it when it is over', (t) => {
	const { add, del, now } = createMachine(t);
	const holder = { quarantine: undefined };
	add('a');
	del('a');
	t.throws(() => add('b', anyOf(one), { holder }), { code: 'noAddressLeft' });
	now.uptime += 61;
	t.deepEqual(add('b', anyOf(one), { holder }), ['9.0.1.2']);
	del('b');
	t.deepEqual(add('c', anyOf(one), { holder }), ['9.0.1.2']);
});

test('an address that is asked for is given out of quarantine', (t) => {
	const { add, del, notes } = createMachine(t);
	add('a');
	del('a');
	t.deepEqual(add('b', exactly('9.0.1.2', one)), ['9.0.1.2']);
	t.deepEqual(notes, []);
});

test('a reboot ends the quarantine, and a lease of an earlier boot gets into none', (t) => {
	const { add, del, now, store } = createMachine(t);
	add('a');
	del('a');
	now.bootId = earlierBoot;
	now.uptime = 5;
	t.deepEqual(add('b'), ['9.0.1.2']);
	now.bootId = thisBoot;
	del('b');
	t.deepEqual(entriesOf(store), []);
});

test('STATUS counts what is in quarantine as held, and frees what has been long enough', (t) => {
	const { add, del, now, call, store } = createMachine(t);
	const status = () => call((each) => assertReady(each, [one], { bootId: thisBoot, deadline: past, now: leasedAt }));
	add('a');
	del('a');
	t.throws(status, { message: refusedFor(60, store) });
	now.uptime += 61;
	t.notThrows(status);
	t.deepEqual(entriesOf(store), []);
});

test('GC puts what is not valid into quarantine, leaves there what is, and frees what has been long enough', (t) => {
	const { add, del, now, call, notes, store } = createMachine(t);
	for (const name of ['a', 'b', 'c', 'd']) add(name, anyOf(small));
	del('a');
	now.uptime += 61;
	del('b');
	t.deepEqual(
		call((each) => releaseOthers(each, [{ containerId: 'd', ifname: 'eth0' }])),
		[],
	);
	t.deepEqual(notes, ['quarantined 9.0.1.4: container "c" is no valid attachment']);
	t.deepEqual(entriesOf(store), ['9.0.1.3', '9.0.1.4', '9.0.1.5', 'd@eth0@0']);
	now.uptime += 61;
	call((each) => releaseOthers(each, []));
	t.deepEqual(entriesOf(store), ['9.0.1.5']);
});

test('the address of a dead container goes into quarantine when it is found dead', (t) => {
	const { add, call, notes, now, store } = createMachine(t);
	const holder = { netns: '/nowhere/namespace', namespace: { device: 4, inode: 1 } };
	add('a', anyOf(one), { holder });
	const addNext = () =>
		call((each) => lease(each, 'b', anyOf(one), { now: leasedAt + 60_000, holder: { quarantine } }));
	t.throws(addNext, { message: refusedFor(60, store) });
	t.is(notes.length, 1);
	t.regex(notes[0] ?? '', /^quarantined 9\.0\.1\.2: its holder, container "a" \(interface "eth0"\), is dead: /);
	t.throws(addNext, { message: refusedFor(60, store) });
	now.uptime += 61;
	t.deepEqual(addNext(), ['9.0.1.2']);
	t.is(notes.length, 1);
});

test('what an ADD has leased and told nobody of is free at once when it fails', (t) => {
	const { add, store } = createMachine(t);
	const six = setOf('fd00::/126');
	add('a', anyOf(small, six));
	add('b', anyOf(small, six));
	const before = entriesOf(store);
	t.throws(() => add('c', anyOf(small, six)), { code: 'noAddressLeft' });
	t.deepEqual(entriesOf(store), before);
});

test('a DEL that was killed in the middle: the next DEL, or ADD, goes on, and the quarantine holds', (t) => {
	const { add, call, now, del, store } = createMachine(t);
	const interrupted = () => {
		const unlinkFile = (): void => {
			throw new Error('killed');
		};
		t.throws(() =>
			call((each) => releaseAttachment(each, { containerId: 'a', ifname: 'eth0' }, past), { unlinkFile }),
		);
		t.true(entriesOf(store).includes('a@eth0@0'));
		t.deepEqual(listLeases(store).found, []);
	};
	add('a', anyOf(small));
	interrupted();
	t.deepEqual(del('a'), []);
	t.deepEqual(add('a', anyOf(small)), ['9.0.1.3']);
	interrupted();
	t.deepEqual(add('a', anyOf(small)), ['9.0.1.4']);
	interrupted();
	now.uptime += 61;
	t.deepEqual(add('b', exactly('9.0.1.4')), ['9.0.1.4']);
	del('a');
	t.deepEqual(entriesOf(store), ['9.0.1.2', '9.0.1.3', '9.0.1.4', 'b@eth0@0']);
});

test("a DEL that failed for one address of two, whose other one is somebody else's by now, releases the first all the same", (t) => {
	const { add, call, del, now, store } = createMachine(t);
	add('a', anyOf(small, small6));
	const openFile: System['openFile'] = (path, ...rest) => {
		if (path.endsWith('@1')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
		return kernel.openFile(path, ...rest);
	};
	t.throws(() => call((each) => releaseAttachment(each, { containerId: 'a', ifname: 'eth0' }, past), { openFile }));
	now.uptime += 61;
	t.deepEqual(add('b', exactly('9.0.1.2')), ['9.0.1.2']);
	t.is(del('a').length, 1);
	t.deepEqual(entriesOf(store), ['9.0.1.2', 'b@eth0@0', 'fd00::2']);
});

for (const [title, damage] of [
	['has another form than ours', (text: string) => text.replace('"quarantine":{', '"quarantine": {')],
	['has it in another place', (text: string) => `${JSON.stringify(JSON.parse(text))}\n`],
] as const) {
	test(`a lease that ${title} is released without a quarantine, and a note says so`, (t) => {
		const { add, del, notes, store } = createMachine(t);
		add('a');
		const path = `${store.addresses}/9.0.1.2`;
		writeFileSync(path, damage(readFileSync(path, 'utf8')));
		t.is(del('a').length, 1);
		t.deepEqual(entriesOf(store), []);
		const why = `"${store.attachments}/a@eth0@0" was written by somebody else`;
		t.deepEqual(notes, [`freeing 9.0.1.2 without a quarantine: ${why}`]);
	});
}

test('a clock that cannot be read, or a lease that cannot be written, keeps no DEL from releasing', (t) => {
	const { add, call, notes, store } = createMachine(t);
	const fail = (): never => {
		throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
	};
	for (const failing of ['uptime', 'bootId', 'writeAt'] as const) {
		add('a');
		call((each) => releaseAttachment(each, { containerId: 'a', ifname: 'eth0' }, past), { [failing]: fail });
		t.deepEqual(entriesOf(store), []);
	}
	t.is(notes.length, 3);
});

test('an ADD that cannot read the clock passes by what is in quarantine', (t) => {
	const { add, del, call } = createMachine(t);
	for (const name of ['a', 'b']) add(name, anyOf(small));
	for (const name of ['c', 'd', 'e']) add(name, anyOf(small), { holder: { quarantine: undefined } });
	del('a');
	del('c');
	const uptime = (): never => {
		throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
	};
	t.deepEqual(
		call((each) => lease(each, 'f', anyOf(small), { holder: { quarantine } }), { uptime }),
		['9.0.1.4'],
	);
});

test('what was planted in the place of an address is passed over by who looks for an end of quarantine', (t) => {
	const { add, store } = createMachine(t);
	add('a', anyOf(small));
	symlinkSync('/etc/passwd', `${store.addresses}/9.0.1.3`);
	writeFileSync(`${store.addresses}/9.0.1.4`, 'mine');
	t.deepEqual(add('b', anyOf(small)), ['9.0.1.5']);
	t.is(readFileSync(`${store.addresses}/9.0.1.4`, 'utf8'), 'mine');
});

test('who looks does not wait for a call that works on the address', (t) => {
	const { add, del, now, store, call } = createMachine(t);
	add('a');
	del('a');
	now.uptime += 61;
	const descriptor = kernel.openFile(`${store.addresses}/9.0.1.2`, 0);
	t.true(kernel.lock(descriptor, past));
	t.throws(() => call((each) => lease(each, 'b', anyOf(one), { holder: { quarantine } })), { code: 'noAddressLeft' });
	kernel.closeFile(descriptor);
	t.deepEqual(add('b'), ['9.0.1.2']);
});

test('after a long search, the next refusal knows what is in quarantine without one, until the first of it ends', (t) => {
	const { add, del, now, call, store } = createMachine(t);
	for (const name of ['a', 'b', 'c', 'd', 'e']) add(name, anyOf(small));
	del('a');
	now.uptime += 55;
	del('b');
	let searches = 0;
	const slow = {
		listDirectory: (path: string): string[] => {
			searches++;
			const end = performance.now() + 100;
			while (performance.now() < end);
			return kernel.listDirectory(path);
		},
	};
	const refusal = (clock: number) =>
		t.throws(() => call((each) => lease(each, 'f', anyOf(small), { now: clock }), slow))?.message;
	t.is(refusal(leasedAt), refusedFor(5, store, 5, 2));
	t.is(refusal(leasedAt + 1000), refusedFor(4, store, 5, 2));
	t.is(searches, 1);
	now.uptime += 6;
	t.deepEqual(
		call((each) => lease(each, 'f', anyOf(small), { now: leasedAt + 6000 }), slow),
		['9.0.1.2'],
	);
});

test('a quarantine is never longer than it was meant to be', (t) => {
	const property = fc.property(
		fc.nat(),
		fc.integer({ min: 1 }),
		fc.double({ min: 0, max: 1e9 }),
		(until, seconds, at) => {
			const released = { ...sample, quarantine: { seconds, until } };
			const left = secondsLeft(released, { bootId: thisBoot, uptime: at });
			return left >= 0 && left <= seconds + 1 && secondsLeft(released, { bootId: earlierBoot, uptime: at }) === 0;
		},
	);
	t.notThrows(() => fc.assert(property));
});

const sample = {
	address: '9.0.1.2',
	containerId: 'a',
	ifname: 'eth0',
	index: 0,
	network: 'dcos',
	netns: '',
	bootId: thisBoot,
	time: leasedAt,
};

test('the end of the quarantine is written in place', (t) => {
	const [before, after] = [0, Number.MAX_SAFE_INTEGER].map((until) =>
		encodeLease({ ...sample, quarantine: { seconds: 604_800, until } }),
	);
	t.is(before?.length, after?.length);
	t.is(before?.slice(128), after?.slice(128));
});

test('ipam.quarantine is a number of whole seconds, up to a week', (t) => {
	const read = (value: unknown) => readQuarantine(fieldsOf({ quarantine: value }, 'ipam.'));
	t.deepEqual(read(undefined), {});
	t.deepEqual(read(0), {});
	t.deepEqual(read(60), { quarantine });
	for (const [value, shown] of [
		[-1, '-1'],
		[1.5, '1.5'],
		[604_801, '604801'],
		['60', '"60"'],
	] as const) {
		refuses(
			t,
			() => read(value),
			7,
			`reading ipam.quarantine: expected a whole number from 0 to 604800, got ${shown}`,
		);
	}
});
