import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { openRegistry, type Registry } from '../../src/master/registry.ts';
import { StoreError } from '../../src/master/store.ts';
import { register } from '../../src/overlay/allocation.ts';
import { followPlan, planReconciliation } from '../../src/overlay/reconciliation.ts';
import { encodeWrite } from '../../src/overlay/records.ts';
import { removeAgent } from '../../src/overlay/release.ts';
import { subnetOf } from '../../src/overlay/subnet-text.ts';
import { configurationOf, documentExample } from '../overlay/states.ts';
import { type MemoryStore, memoryStore } from './memory-store.ts';

const add = (registry: Registry, ip: string) =>
	registry.change((draft) => register(draft, { ip, instance: 'x', held: { networks: new Map() } }).agent?.vtep);
const read = (registry: Registry) => registry.change(({ state }) => [...state.agents.keys()]);

async function started(store: MemoryStore, run = 'run'): Promise<Registry> {
	const registry = await openRegistry(store, run);
	await registry.change((draft) => {
		followPlan(draft, planReconciliation(draft.state, configurationOf(documentExample), false), 0);
	});
	return registry;
}

test('decisions of the same moment see each other, share a commit, and are answered after it', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	const { promise, resolve } = Promise.withResolvers<void>();
	store.gate = promise;
	let answered = 0;
	const all = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(async (ip) => {
		const vtep = await add(registry, ip);
		answered++;
		return vtep;
	});
	while (store.begun < 2) await setImmediate();
	t.is(answered, 0);
	resolve();
	t.is(new Set(await Promise.all(all)).size, 3);
	t.is(store.changes.length, 2);
	t.is(registry.revision(), '2-run');
});

test('who reads while a commit is under way reads what is durable', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	const { promise, resolve } = Promise.withResolvers<void>();
	store.gate = promise;
	store.isFull = true;
	const adding = t.throwsAsync(add(registry, '10.0.0.1'), { instanceOf: StoreError });
	while (store.begun < 2) await setImmediate();
	const reading = read(registry);
	resolve();
	await adding;
	t.deepEqual(await reading, []);
});

test('a commit that fails changes nothing, and the next one may succeed', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	await add(registry, '10.0.0.1');
	const revision = registry.revision();
	store.isFull = true;
	await Promise.all(
		['10.0.0.2', '10.0.0.3'].map((ip) => t.throwsAsync(add(registry, ip), { instanceOf: StoreError })),
	);
	t.deepEqual([await read(registry), registry.revision()], [['10.0.0.1'], revision]);
	store.isFull = false;
	t.deepEqual(await add(registry, '10.0.0.4'), subnetOf('44.128.0.2/32'));
});

test('a decision that throws takes nothing, and does not disturb the others', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	const failing = registry.change((draft) => {
		register(draft, { ip: '10.0.0.1', instance: 'x', held: { networks: new Map() } });
		throw new Error('changed its mind');
	});
	const adding = add(registry, '10.0.0.2');
	await t.throwsAsync(failing, { message: 'changed its mind' });
	t.deepEqual(await adding, subnetOf('44.128.0.1/32'));
	t.deepEqual(await read(registry), ['10.0.0.2']);
});

test('what puts nothing makes no revision', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	const revision = registry.revision();
	await read(registry);
	t.is(registry.revision(), revision);
	t.is(store.changes.length, 1);
});

test('what has changed since a revision, also one of an earlier run', async (t) => {
	const store = memoryStore();
	const first = await started(store, 'first');
	await add(first, '10.0.0.1');
	const seen = first.revision();
	await add(first, '10.0.0.2');
	const second = await openRegistry(store, 'second');
	await second.change((draft) => removeAgent(draft, '10.0.0.1', 0));
	const writes = second.changesSince(seen)?.map((change) => [change.revision, change.writes.map(({ key }) => key)]);
	t.deepEqual(writes?.[0], ['3-first', ['10.0.0.2']]);
	t.is(writes?.length, 2);
	t.is(second.revision(), '4-second');
	t.deepEqual(second.changesSince('4-second'), []);
	for (const unknown of ['', '0', '5-second', '3-second', '99-first', 'x-first', '-1-first']) {
		t.is(second.changesSince(unknown), undefined, unknown);
	}
});

test('a revision of a time that an old copy does not know is unknown to it', async (t) => {
	const store = memoryStore();
	const first = await started(store, 'first');
	await add(first, '10.0.0.1');
	const copy = memoryStore([...store.changes]);
	await add(first, '10.0.0.2');
	const lost = first.revision();
	const restored = await openRegistry(copy, 'second');
	await add(restored, '10.0.0.3');
	t.is(restored.changesSince(lost), undefined);
	t.is(restored.changesSince('2-first')?.length, 1);
});

test('watchers are told after the commit, in order', async (t) => {
	const registry = await started(memoryStore());
	const told: string[] = [];
	registry.watch(({ revision, writes }) => told.push(`${revision} ${writes.map(({ key }) => key).join()}`));
	await add(registry, '10.0.0.1');
	await add(registry, '10.0.0.2');
	t.deepEqual(told, ['2-run 10.0.0.1', '3-run 10.0.0.2']);
});

test('the history is limited', async (t) => {
	const store = memoryStore();
	const registry = await started(store);
	await add(registry, '10.0.0.1');
	const early = registry.revision();
	const touch = (time: number) =>
		registry.change(({ put }) => {
			for (let at = 0; at < 30_000; at++) {
				const block = subnetOf('1.2.3.4/32');
				put({ kind: 'freed', key: '1.2.3.4/32', value: { block, owner: 'x', time } });
			}
		});
	for (let time = 0; time < 6; time++) await touch(time);
	t.is(registry.changesSince(early)?.length, 6);
	await touch(6);
	t.is(registry.changesSince(early), undefined);
	t.is(registry.changesSince(registry.revision())?.length, 0);
});

for (const [title, writes, problem] of [
	[
		'two agents with one address',
		[agent('10.0.0.1', '44.128.0.1/32', '9.0.0.0/26'), agent('10.0.0.2', '44.128.0.1/32', '9.0.0.64/26')],
		/44.128.0.1\/32 is held by 10.0.0.1 and by 10.0.0.2/,
	],
	[
		'an agent with a subnet that is no part of the network',
		[agent('10.0.0.1', '44.128.0.1/32', '9.0.0.0/27')],
		/9.0.0.0\/27 is held by 10.0.0.1, and is no part of the network "dcos"/,
	],
	[
		'an agent in a network that there is not',
		[agent('10.0.0.1', '44.128.0.1/32', '9.0.0.0/26', 'gone')],
		/9.0.0.0\/26 is held by 10.0.0.1, and is no part of the network "gone"/,
	],
	['a record that is not one', [{ key: 'agent/10.0.0.1', value: '{' }], /the record "agent\/10.0.0.1": /],
	['a record of no kind', [{ key: 'other/x', value: '{}' }], /the record "other\/x": there is no such kind/],
] as const) {
	test(`refused: ${title}`, async (t) => {
		const store = memoryStore();
		await started(store);
		store.changes.push({ revision: 2, run: 'x', writes: [...writes] });
		const error = await t.throwsAsync(openRegistry(store, 'next'), { instanceOf: StoreError, message: problem });
		t.is(error.code, 'corrupt');
	});
}

function agent(ip: string, vtep: string, subnet: string, network = 'dcos') {
	const networks = new Map([[network, { subnet: subnetOf(subnet) }]]);
	return encodeWrite({ kind: 'agent', key: ip, value: { ip, instance: 'x', vtep: subnetOf(vtep), networks } });
}
