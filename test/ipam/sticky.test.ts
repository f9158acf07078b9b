import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { fieldsOf } from '../../src/cni/fields.ts';
import { formatAddress, parseAddress } from '../../src/ipam/address.ts';
import type { Demand } from '../../src/ipam/lease-addresses.ts';
import { rangeSet } from '../../src/ipam/range-set.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { openMemory, readSticky, taskKey, taskOf } from '../../src/ipam/sticky.ts';
import type { Store } from '../../src/ipam/store.ts';
import { kernel } from '../../src/ipam/system.ts';
import { refuses } from '../cni/assertions.ts';
import { requestOf } from '../cni/requests.ts';
import {
	anyOf,
	earlierBoot,
	endProcess,
	exactly,
	lease,
	past,
	processAt,
	small,
	small6,
	temporaryDirectory,
	thisBoot,
} from './stores.ts';

/** A host on which tasks start and end; each call is a process of its own. */
function createMachine(t: ExecutionContext) {
	const directory = temporaryDirectory(t);
	const system = { ...kernel, uptime: () => 1000, bootId: () => thisBoot };
	const { store } = processAt(directory, { ...system, held: new Map() });
	const call = <T>(body: (store: Store) => T): T => {
		const process = processAt(directory, { ...system, held: new Map() }).store;
		try {
			return body(process);
		} finally {
			endProcess(process);
		}
	};
	return {
		store,
		file: `${store.directory}/sticky`,
		/** A container of a task; without a task it asks for no memory. */
		add: (
			containerId: string,
			task: string | undefined,
			demands: readonly Demand[] = anyOf(small),
			options: NonNullable<Parameters<typeof lease>[3]> = {},
		) =>
			call((each) =>
				lease(each, containerId, demands, {
					...options,
					holder: { ...options.holder, ...(task !== undefined && { task }) },
				}),
			),
		del: (containerId: string, ifname = 'eth0') =>
			void call((each) => releaseAttachment(each, { containerId, ifname }, past)),
	};
}

test('a task gets its addresses back, whatever was leased in between, and others do not', (t) => {
	const { add, del } = createMachine(t);
	const both = anyOf(small, small6);
	t.deepEqual(add('a1', 'a', both), ['9.0.1.2', 'fd00::2']);
	t.deepEqual(add('b1', 'b', both), ['9.0.1.3', 'fd00::3']);
	del('a1');
	t.deepEqual(add('c1', 'c', both), ['9.0.1.4', 'fd00::4']);
	t.deepEqual(add('a2', 'a', both), ['9.0.1.2', 'fd00::2']);
	del('a2');
	t.deepEqual(add('d1', undefined, both), ['9.0.1.5', 'fd00::5']);
	t.deepEqual(add('a3', 'a', both), ['9.0.1.2', 'fd00::2']);
});

test('an address that somebody has got meanwhile stays with him, and the task gets used to another', (t) => {
	const { add, del } = createMachine(t);
	add('a1', 'a');
	del('a1');
	add('b1', 'b', exactly('9.0.1.2'));
	t.deepEqual(add('a2', 'a'), ['9.0.1.3']);
	del('a2');
	del('b1');
	t.deepEqual(add('a3', 'a'), ['9.0.1.3']);
});

test('a requested address goes before the one that is remembered, and is remembered then', (t) => {
	const { add, del } = createMachine(t);
	add('a1', 'a');
	del('a1');
	t.deepEqual(add('a2', 'a', exactly('9.0.1.6')), ['9.0.1.6']);
	del('a2');
	t.deepEqual(add('a3', 'a'), ['9.0.1.6']);
});

test('each interface, each range set and each network has a memory of its own', (t) => {
	const { add, del, store } = createMachine(t);
	add('a1', 'a');
	t.deepEqual(add('a1', 'a', anyOf(small), { ifname: 'net1' }), ['9.0.1.3']);
	del('a1');
	del('a1', 'net1');
	t.deepEqual(add('a2', 'a', anyOf(small), { ifname: 'net1' }), ['9.0.1.3']);
	t.deepEqual(add('a2', 'a'), ['9.0.1.2']);
	t.not(taskKey('a', { ifname: 'eth0' }, 0), taskKey('a', { ifname: 'eth0' }, 1));
	t.is(
		openMemory({ ...store, directory: `${store.directory}2` }, taskKey('a', { ifname: 'eth0' }, 0)).address,
		undefined,
	);
});

test('an address that the set does not give any more is not given: outside, reserved, of the other family', (t) => {
	const { add, del } = createMachine(t);
	add('a1', 'a', exactly('9.0.1.6'));
	del('a1');
	const reserved = [{ first: 0x0900_0106n, last: 0x0900_0106n }];
	t.deepEqual(add('a2', 'a', anyOf(rangeSet(4, small.ranges, reserved))), ['9.0.1.2']);
	del('a2');
	t.deepEqual(add('a3', 'a', anyOf(small6)), ['fd00::2']);
});

test('in quarantine an address is kept for its task, and for no other', (t) => {
	const { add, del } = createMachine(t);
	const holder = { quarantine: { seconds: 60, until: 0 } };
	t.deepEqual(add('a1', 'a', anyOf(small), { holder }), ['9.0.1.2']);
	del('a1');
	// The other task remembers it, too: it had it before.
	add('b1', 'b', exactly('9.0.1.2'), { holder });
	del('b1');
	t.deepEqual(add('a2', 'a', anyOf(small), { holder }), ['9.0.1.3']);
	t.deepEqual(add('b2', 'b', anyOf(small), { holder }), ['9.0.1.2']);
});

test('after a reboot the task gets its address back from its earlier lease', (t) => {
	const { add } = createMachine(t);
	add('a1', 'a', exactly('9.0.1.5'), { bootId: earlierBoot });
	t.deepEqual(add('a2', 'a'), ['9.0.1.5']);
});

const precious = 'precious\n';

for (const [title, plant] of [
	['a symbolic link', (path: string, target: string) => symlinkSync(target, path)],
	['a symbolic link that leads nowhere', (path: string, target: string) => symlinkSync(`${target}2`, path)],
	['a directory', (path: string) => mkdirSync(path)],
] as const) {
	test(`nothing is remembered when ${title} stands in the place of the memory`, (t) => {
		const { add, del, store, file } = createMachine(t);
		const target = `${store.dataDirectory}/target`;
		writeFileSync(target, precious);
		mkdirSync(store.directory);
		plant(file, target);
		t.deepEqual(add('a1', 'a'), ['9.0.1.2']);
		del('a1');
		t.deepEqual(add('a2', 'a'), ['9.0.1.3']);
		t.is(readFileSync(target, 'utf8'), precious);
	});
}

test('no content of the file, and no failure of the system, is more than a memory that is lost', (t) => {
	const key = taskKey('a', { ifname: 'eth0' }, 0);
	const { store, file } = createMachine(t);
	mkdirSync(store.directory);
	const lines = fc.array(fc.constantFrom(`${key} 9.0.1.2`, `${key} 9.0.1.999`, key, `${key} `, '\0', ' '));
	const content = fc.oneof(
		fc.uint8Array({ maxLength: 5000 }),
		lines.map((each) => Buffer.from(each.join('\n'))),
	);
	const property = fc.property(content, (bytes) => {
		writeFileSync(file, Buffer.concat(Array.from({ length: 60 }, () => bytes)));
		const memory = openMemory(store, key);
		const [five, six] = ['9.0.1.5', 'fd00::6'].map((text) => parseAddress(text)!);
		for (const address of [five!, six!]) {
			memory.remember(address);
			const again = openMemory(store, key);
			t.deepEqual(again.address, address);
			again.close();
		}
		memory.close();
	});
	t.notThrows(() => fc.assert(property, { numRuns: 200 }));
	for (const failing of ['openFile', 'readAt', 'writeAt'] as const) {
		const fail = (): never => {
			throw Object.assign(new Error('EIO'), { code: 'EIO' });
		};
		const memory = openMemory({ ...store, system: { ...store.system, [failing]: fail } }, key);
		t.notThrows(() => memory.remember({ family: 4, value: 9n }));
		memory.close();
	}
});

test('the tasks that came last are remembered, thousands of them, and the file does not grow for ever', (t) => {
	const { store, file } = createMachine(t);
	mkdirSync(store.directory);
	const remembered = (task: number, address?: string): string | undefined => {
		const memory = openMemory(store, taskKey(`task ${task}`, { ifname: 'eth0' }, 0));
		if (address !== undefined) memory.remember(parseAddress(address)!);
		memory.close();
		return memory.address && formatAddress(memory.address);
	};
	const addressOf = (task: number) => `9.${task >> 16}.${(task >> 8) & 255}.${task & 255}`;
	const [count, recent] = [20_000, 1500];
	for (let task = 0; task < count; task++) remembered(task, addressOf(task));
	t.true(statSync(file).size <= 262_144);
	t.is(statSync(file).mode & 0o777, 0o600);
	for (let task = count - recent; task < count; task++) t.is(remembered(task), addressOf(task));
	t.is(remembered(0), undefined);
});

test('what is remembered already is not written again', (t) => {
	const { add, del, file } = createMachine(t);
	add('a1', 'a');
	del('a1');
	const { mtimeMs } = statSync(file);
	add('a2', 'a');
	t.is(statSync(file).mtimeMs, mtimeMs);
});

const read = (value: unknown) => readSticky(fieldsOf({ sticky: value }, 'ipam.'));

test('ipam.sticky is the container id, or a label', (t) => {
	t.is(read(undefined), undefined);
	t.is(read(''), undefined);
	t.is(read('container-id'), 'container-id');
	t.deepEqual(read({ label: 'app' }), { label: 'app' });
	const expected = 'reading ipam.sticky: expected "container-id" or {"label": "…"}, got';
	refuses(t, () => read('label'), 7, `${expected} "label"`);
	refuses(t, () => read(true), 7, `${expected} true`);
	refuses(t, () => read([]), 7, 'reading ipam.sticky: expected an object, got a list');
	refuses(t, () => read({}), 7, 'reading ipam.sticky.label: expected the name of a label, got nothing');
	refuses(t, () => read({ label: 5 }), 7, 'reading ipam.sticky.label: expected a string, got 5');
});

test('a task is known by its container id, or by the value of its label; without it, nothing is remembered', (t) => {
	const labelled = requestOf({ args: { cni: { labels: [{ key: 'app', value: 'web' }] } } }, { containerId: 'c7' });
	t.is(taskOf(undefined, labelled), undefined);
	t.is(taskOf('container-id', labelled), 'c7');
	t.is(taskOf({ label: 'app' }, labelled), 'web');
	t.is(taskOf({ label: 'tier' }, labelled), undefined);
});
