// Every way in which one process can be stopped, or another can come between, at every system call.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { decodeLease } from '../../src/ipam/lease.ts';
import { LeaseError } from '../../src/ipam/lease-error.ts';
import type { RangeSet } from '../../src/ipam/range-set.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { type Store, storeExists } from '../../src/ipam/store.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	entriesOf,
	lease,
	past,
	processAt,
	setOf,
	simulate,
	small,
	small6,
	temporaryDirectory,
} from './stores.ts';

/** What a process does: gives the addresses that it leased. */
type Operation = (store: Store) => string[];

const add =
	(containerId: string, ...sets: readonly RangeSet[]): Operation =>
	(store) =>
		lease(store, containerId, anyOf(...sets));
const del =
	(containerId: string): Operation =>
	(store) => {
		if (storeExists(store)) releaseAttachment(store, { containerId, ifname: 'eth0' }, past);
		return [];
	};

/** A lease of another container, whose process has ended. */
function before(t: ExecutionContext, operations: readonly Operation[]): string {
	const directory = temporaryDirectory(t);
	for (const operation of operations) {
		const { store } = processAt(directory);
		operation(store);
		endProcess(store);
	}
	return directory;
}

function present(store: Store): string[] {
	return existsSync(store.addresses) ? entriesOf(store) : [];
}

function run(operation: Operation, store: Store): string[] | string {
	try {
		return operation(store);
	} catch (error) {
		if (error instanceof LeaseError) return error.code;
		throw error;
	}
}

/** One address, one file, one attachment; every attachment complete. */
function assertWhole(t: ExecutionContext, store: Store): void {
	const inodeOf = (path: string): number => statSync(path).ino;
	const attachments = new Map(
		readdirSync(store.attachments).map((name) => [inodeOf(`${store.attachments}/${name}`), name]),
	);
	const addresses = readdirSync(store.addresses);
	t.is(attachments.size, addresses.length);
	for (const address of addresses) {
		const path = `${store.addresses}/${address}`;
		const found = decodeLease(readFileSync(path, 'utf8'));
		t.is(found?.address, address);
		t.is(attachments.get(inodeOf(path)), `${found?.containerId}@eth0@${found?.index}`);
	}
}

const stays = add('stays', small, small6);
const earlier: Operation = (store) => lease(store, 'c1', anyOf(small, small6), { bootId: earlierBoot });

const killed: Readonly<Record<string, readonly [prepared: readonly Operation[], operation: Operation]>> = {
	'the first ADD of a network': [[], add('c1', small)],
	'an ADD': [[stays], add('c1', small)],
	'an ADD of both families': [[stays], add('c1', small, small6)],
	'an ADD that fails': [[stays, add('c2', small6)], add('c1', small, setOf('fd00::/126'))],
	'a DEL': [[stays, add('c1', small)], del('c1')],
	'a DEL of both families': [[stays, add('c1', small, small6)], del('c1')],
	'an ADD after a reboot': [[stays, earlier], add('c1', small)],
};

for (const [title, [prepared, operation]] of Object.entries(killed)) {
	test(`${title}, killed before any system call: DEL leaves what was there before, and ADD works again`, (t) => {
		const clean = present(processAt(before(t, [...prepared, del('c1')])).store);
		for (let fatal = 1; ; fatal++) {
			const directory = before(t, prepared);
			const victim = simulate((call) => {
				if (call === fatal) victim.kill();
			});
			const { store } = processAt(directory, victim.system);
			try {
				run(operation, store);
			} catch (error) {
				if (!(error instanceof Error && error.message === 'the process is dead')) throw error;
			}
			const ended = victim.calls() < fatal;
			victim.kill();

			const next = processAt(directory).store;
			// As a runtime may do that forgot the container: then what the dead left must not be in the way.
			const again = run(add('c1', small), next);
			t.true(again === 'alreadyAttached' || Array.isArray(again), String(again));
			del('c1')(next);
			t.deepEqual(present(next), clean, `killed before call ${fatal}`);
			if (ended) return t.true(fatal > 5);
		}
	});
}

const one = setOf('9.0.1.0/30');
const ofEarlierBoot =
	(containerId: string): Operation =>
	(store) =>
		lease(store, containerId, anyOf(one), { bootId: earlierBoot });

interface Meeting {
	readonly prepared?: readonly Operation[];
	readonly slow: Operation;
	/** It happens as a whole between two system calls of the slow one. */
	readonly quick: Operation;
	/** How many of the two may lease an address, and whose attachments must be gone after both. */
	readonly leases: readonly number[];
	readonly gone?: readonly string[];
}

const meetings: Readonly<Record<string, Meeting>> = {
	'ADD and ADD of one attachment': { slow: add('c1', small), quick: add('c1', small), leases: [1] },
	'ADD and ADD of both families': { slow: add('c1', small, small6), quick: add('c1', small, small6), leases: [1] },
	'two ADDs': { slow: add('c1', small), quick: add('c2', small), leases: [2] },
	'two ADDs and one address': { slow: add('c1', one), quick: add('c2', one), leases: [1] },
	'two ADDs and one address of an earlier boot': {
		prepared: [ofEarlierBoot('c0')],
		slow: add('c1', one),
		quick: add('c2', one),
		leases: [1],
		gone: ['c0'],
	},
	'ADD, and DEL of the earlier boot whose address it takes': {
		prepared: [ofEarlierBoot('c0')],
		slow: add('c1', one),
		quick: del('c0'),
		leases: [1],
		gone: ['c0'],
	},
	'DEL of an earlier boot, and ADD that takes its address': {
		prepared: [ofEarlierBoot('c0')],
		slow: del('c0'),
		quick: add('c1', one),
		// A DEL that has the lock already is not waited for here.
		leases: [0, 1],
		gone: ['c0'],
	},
	'ADD and its DEL': { slow: add('c1', small, small6), quick: del('c1'), leases: [1] },
	'DEL and ADD of one attachment': {
		prepared: [add('c1', small, small6)],
		slow: del('c1'),
		quick: add('c1', small, small6),
		leases: [0, 1],
	},
	'DEL and DEL': {
		prepared: [add('c1', small, small6)],
		slow: del('c1'),
		quick: del('c1'),
		leases: [0],
		gone: ['c1'],
	},
	'ADD, and ADD of the earlier boot whose address it takes': {
		prepared: [ofEarlierBoot('c0')],
		slow: add('c1', one),
		quick: add('c0', one),
		leases: [1],
	},
	'DEL, and ADD that takes the address': {
		prepared: [add('c1', one)],
		slow: del('c1'),
		quick: add('c2', one),
		leases: [0, 1],
		gone: ['c1'],
	},
};

for (const [title, { prepared = [], slow, quick, leases, gone = [] }] of Object.entries(meetings)) {
	for (const end of ['lives on', 'ends'] as const) {
		test(`${title}; the second comes before any system call of the first, and ${end}: every address has one holder`, (t) => {
			for (let moment = 1; ; moment++) {
				const directory = before(t, prepared);
				const second = processAt(directory).store;
				let met: string[] | string | undefined;
				const first = simulate((call) => {
					if (call !== moment) return;
					met = run(quick, second);
					if (end === 'ends') endProcess(second);
				});
				const { store } = processAt(directory, first.system);
				const result = run(slow, store);
				if (met === undefined) return t.true(moment > 5);

				const given = [result, met].filter((addresses) => Array.isArray(addresses) && addresses.length > 0);
				t.true(leases.includes(given.length), `moment ${moment}: ${String(result)} and ${String(met)}`);
				assertWhole(t, store);
				const attached = new Set(readdirSync(store.attachments).map((name) => name.split('@')[0]));
				t.is(attached.size, given.length);
				for (const containerId of gone) t.false(attached.has(containerId));
				endProcess(store);
				endProcess(second);
			}
		});
	}
}
