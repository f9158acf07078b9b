import { readFileSync, unlinkSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { openLast } from '../../src/ipam/last.ts';
import { makeRoom } from '../../src/ipam/make-room.ts';
import { watchQuarantine } from '../../src/ipam/quarantine.ts';
import { kernel } from '../../src/ipam/system.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	exactly,
	lease,
	leasedAt,
	past,
	processAt,
	setOf,
	small,
	temporaryDirectory,
	thisBoot,
} from './stores.ts';

const MINUTE = 60_000;
const one = setOf('9.0.1.0/30');

test('while leases of earlier boots can be freed, nobody asks whether a container is dead', (t) => {
	const { store } = processAt(temporaryDirectory(t));
	const holder = { netns: '/nowhere/namespace', namespace: { device: 4, inode: 1 } };
	for (const name of ['a', 'b', 'c', 'd']) lease(store, name, anyOf(small), { holder });
	lease(store, 'old', anyOf(small), { bootId: earlierBoot });
	endProcess(store);
	const deviceExists = (): boolean => t.fail('somebody asks') || false;
	const { store: full } = processAt(store.dataDirectory, { ...kernel, held: new Map(), deviceExists });
	t.deepEqual(lease(full, 'e', anyOf(small), { now: leasedAt + MINUTE }), ['9.0.1.6']);
});

test('a lease of an earlier boot that a call of another container works on is waited for, but not for long', (t) => {
	const directory = temporaryDirectory(t);
	const { store: working } = processAt(directory);
	lease(working, 'old', anyOf(one), { bootId: earlierBoot });
	const { store, notes } = processAt(directory);
	const began = performance.now();
	t.throws(() => lease(store, 'next', anyOf(one), { deadline: began + 60_000 }), { code: 'noAddressLeft' });
	t.throws(() => lease(store, 'next', exactly('9.0.1.2', one)), {
		code: 'busy',
	});
	t.true(performance.now() - began < 5000);
	t.deepEqual(notes, []);
	endProcess(working);
	t.deepEqual(lease(store, 'next', anyOf(one)), ['9.0.1.2']);
});

/** A half in which everybody lives, and a process that takes 100 ms to find that out. */
function slowSearch(t: ExecutionContext) {
	const { store } = processAt(temporaryDirectory(t));
	for (const name of ['a', 'b', 'c', 'd', 'e']) lease(store, name);
	endProcess(store);
	let slow = true;
	const listDirectory = (path: string): string[] => {
		const end = performance.now() + (slow ? 100 : 0);
		while (performance.now() < end);
		return kernel.listDirectory(path);
	};
	const { store: searching } = processAt(store.dataDirectory, { ...kernel, held: new Map(), listDirectory });
	const search = (now: number, { set = small, bootId = thisBoot } = {}): boolean => {
		const last = openLast(searching, 0);
		const { looked } = makeRoom(searching, last, set, { bootId, deadline: past, now }, watchQuarantine(searching));
		last.close();
		return looked;
	};
	return { store, search, hurry: () => void (slow = false) };
}

test('a long search that finds nobody dead is not repeated at once, a short one is', (t) => {
	const { search, hurry } = slowSearch(t);
	t.true(search(leasedAt));
	t.false(search(leasedAt + 1));
	t.false(search(leasedAt + 1000));
	t.true(search(leasedAt + 11_000));
	hurry();
	t.true(search(leasedAt + 30_000));
	t.true(search(leasedAt + 30_001));
});

for (const [title, now, changes] of [
	['the clock is set back', leasedAt - MINUTE, {}],
	['of another boot', leasedAt, { bootId: earlierBoot }],
	['in another half', leasedAt, { set: one }],
] as const) {
	test(`a search is repeated when ${title}`, (t) => {
		const { search } = slowSearch(t);
		t.true(search(leasedAt));
		t.true(search(now, changes));
	});
}

test('what a DEL frees is given at once, also while no search is made', (t) => {
	const { store, search } = slowSearch(t);
	search(leasedAt);
	t.throws(() => lease(store, 'next'), { code: 'noAddressLeft' });
	unlinkSync(`${store.addresses}/9.0.1.4`);
	t.deepEqual(lease(store, 'next'), ['9.0.1.4']);
	t.is(readFileSync(`${store.directory}/last.0`, 'latin1').slice(0, 7), '9.0.1.4');
});
