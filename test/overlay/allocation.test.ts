import test from 'ava';
import fc from 'fast-check';
import { formatSubnet } from '../../src/ipam/subnet.ts';
import { type Holdings, register } from '../../src/overlay/allocation.ts';
import { findContradictions } from '../../src/overlay/consistency.ts';
import { openDraft } from '../../src/overlay/draft.ts';
import { holdingsOf } from '../../src/overlay/pool.ts';
import { decodeWrite, encodeWrite } from '../../src/overlay/records.ts';
import { releaseFreed, removeAgent, removeNetwork } from '../../src/overlay/release.ts';
import { applyWrite, createState, type LiveState, poolOf } from '../../src/overlay/state.ts';
import { overlaps, subnetOf } from '../../src/overlay/subnet-text.ts';
import { documentExample, reconcile, registerOne, stateOf } from './states.ts';

/** Two networks that are soon full, one of both families, and few VTEP addresses. */
const small = {
	vtep_subnet: '44.128.0.0/29',
	vtep_subnet6: 'fd01:a::/125',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	overlays: [
		{ name: 'both', subnet: '9.0.0.0/24', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 65 },
		{ name: 'one', subnet: '10.0.0.0/24', prefix: 27 },
	],
};

const blocksOf = (state: LiveState, ip: string) => {
	const agent = state.agents.get(ip);
	return agent === undefined ? [] : holdingsOf(agent).map(({ block }) => formatSubnet(block));
};
const holding = (vtep: string, networks: Record<string, string>): Holdings => ({
	vtep: subnetOf(`${vtep}/32`),
	networks: new Map(Object.entries(networks).map(([name, subnet]) => [name, { subnet: subnetOf(subnet) }])),
});

test('an agent keeps what it has, whatever comes and goes', (t) => {
	const state = stateOf(documentExample);
	registerOne(state, '10.1.0.1');
	registerOne(state, '10.1.0.2');
	const before = blocksOf(state, '10.1.0.2');
	t.deepEqual(before, ['44.128.0.2/32', '9.0.0.64/26', '192.168.1.0/24']);
	removeAgent(openDraft(state), '10.1.0.1', 0);
	registerOne(state, '10.1.0.2');
	t.deepEqual(blocksOf(state, '10.1.0.2'), before);
});

test('to register again writes nothing', (t) => {
	const state = stateOf(documentExample);
	registerOne(state, '10.1.0.1');
	const draft = openDraft(state);
	register(draft, { ip: '10.1.0.1', instance: 'instance-of-10.1.0.1', held: { networks: new Map() } });
	t.deepEqual(draft.writes, []);
});

test('what was freed is given to nobody else until it is released, and then it is the lowest', (t) => {
	const state = stateOf(documentExample);
	for (const ip of ['10.1.0.1', '10.1.0.2']) registerOne(state, ip);
	removeAgent(openDraft(state), '10.1.0.1', 1000);
	registerOne(state, '10.1.0.3');
	t.deepEqual(blocksOf(state, '10.1.0.3'), ['44.128.0.3/32', '9.0.0.128/26', '192.168.2.0/24']);
	t.is(releaseFreed(openDraft(state), 999), 0);
	t.is(releaseFreed(openDraft(state), 1000), 3);
	registerOne(state, '10.1.0.4');
	t.deepEqual(blocksOf(state, '10.1.0.4'), ['44.128.0.1/32', '9.0.0.0/26', '192.168.0.0/24']);
});

test('an agent that was removed and comes back has what it had', (t) => {
	const state = stateOf(documentExample);
	for (const ip of ['10.1.0.1', '10.1.0.2', '10.1.0.3']) registerOne(state, ip);
	const before = blocksOf(state, '10.1.0.2');
	for (const ip of ['10.1.0.1', '10.1.0.2']) removeAgent(openDraft(state), ip, 0);
	registerOne(state, '10.1.0.2');
	t.deepEqual(blocksOf(state, '10.1.0.2'), before);
	t.deepEqual(
		[...state.freed.values()].map(({ owner }) => owner),
		['10.1.0.1', '10.1.0.1', '10.1.0.1'],
	);
});

test('an agent that the master does not know gets what it says it has, if that is free and there', (t) => {
	const state = stateOf(documentExample);
	registerOne(state, '10.1.0.7', holding('44.128.0.7', { dcos: '9.0.1.128/26', 'dcos-1': '192.168.6.0/24' }));
	t.deepEqual(blocksOf(state, '10.1.0.7'), ['44.128.0.7/32', '9.0.1.128/26', '192.168.6.0/24']);
	const taken = holding('44.128.0.7', { dcos: '9.0.1.128/26', 'dcos-1': '10.0.0.0/24', gone: '9.9.9.0/24' });
	registerOne(state, '10.1.0.8', taken);
	t.deepEqual(blocksOf(state, '10.1.0.8'), ['44.128.0.1/32', '9.0.0.0/26', '192.168.0.0/24']);
	registerOne(state, '10.1.0.9', holding('44.128.0.0', { dcos: '9.0.1.0/27' }));
	t.deepEqual(blocksOf(state, '10.1.0.9'), ['44.128.0.2/32', '9.0.0.64/26', '192.168.1.0/24']);
});

test('nobody gets by asking what another has just lost', (t) => {
	const state = stateOf(documentExample);
	registerOne(state, '10.1.0.1');
	removeAgent(openDraft(state), '10.1.0.1', 0);
	registerOne(state, '10.1.0.2', holding('44.128.0.1', { dcos: '9.0.0.0/26' }));
	t.deepEqual(blocksOf(state, '10.1.0.2'), ['44.128.0.2/32', '9.0.0.64/26', '192.168.1.0/24']);
});

test('a network that is full is told; the agent has the others, and gets it when there is room', (t) => {
	const state = stateOf(small);
	// of "both" there are four IPv4 and two IPv6 subnets
	for (const ip of ['10.1.0.1', '10.1.0.2']) t.deepEqual(registerOne(state, ip).shortages, []);
	const { agent, shortages } = registerOne(state, '10.1.0.3');
	t.deepEqual(shortages, [{ network: 'both', family: 6, message: 'no /65 of fd01:b::/64 is free' }]);
	t.deepEqual([...(agent?.networks.keys() ?? [])], ['one']);
	t.is(poolOf(state, { network: 'both', family: 4 })?.free[0]?.first, 2n, 'nothing of the other family is taken');

	removeAgent(openDraft(state), '10.1.0.1', 0);
	t.is(registerOne(state, '10.1.0.3').shortages.length, 1);
	releaseFreed(openDraft(state), 0);
	t.deepEqual(registerOne(state, '10.1.0.3').shortages, []);
	t.deepEqual(blocksOf(state, '10.1.0.3').slice(2), ['10.0.0.64/27', '9.0.0.0/26', 'fd01:b::/65']);
});

test('without a VTEP address nothing is given, nor taken', (t) => {
	const state = stateOf({ ...small, vtep_subnet6: 'fd01:a::/126' });
	for (const ip of ['10.1.0.1', '10.1.0.2']) registerOne(state, ip);
	const draft = openDraft(state);
	const outcome = register(draft, { ip: '10.1.0.3', instance: 'x', held: { networks: new Map() } });
	t.is(outcome.agent, undefined);
	t.deepEqual(
		outcome.shortages.map(({ message }) => message),
		['no address for a VTEP of fd01:a::/126 is free'],
	);
	t.deepEqual(draft.writes, []);
});

test('a removed network leaves what it had barred, also for a network with other subnets in its place', (t) => {
	const state = stateOf(small);
	for (const ip of ['10.1.0.1', '10.1.0.2']) registerOne(state, ip);
	removeNetwork(openDraft(state), 'one', 0);
	t.deepEqual(blocksOf(state, '10.1.0.1'), ['44.128.0.1/32', 'fd01:a::1/128', '9.0.0.0/26', 'fd01:b::/65']);
	const { overlays } = small;
	t.deepEqual(
		reconcile(state, { ...small, overlays: [overlays[0], { name: 'new', subnet: '10.0.0.0/24', prefix: 26 }] }),
		[],
	);
	// two /27 bar one /26
	t.deepEqual(blocksOf(state, '10.1.0.1').at(-1), '10.0.0.64/26');
	releaseFreed(openDraft(state), 0);
	registerOne(state, '10.1.0.3');
	t.deepEqual(blocksOf(state, '10.1.0.3').at(-1), '10.0.0.0/26');
});

const steps = fc.array(
	fc.oneof(
		{
			weight: 5,
			arbitrary: fc.record({ act: fc.constant('register' as const), agent: fc.nat(8), held: fc.nat(9) }),
		},
		{ weight: 3, arbitrary: fc.record({ act: fc.constant('remove' as const), agent: fc.nat(8), held: fc.nat() }) },
		{ weight: 1, arbitrary: fc.record({ act: fc.constant('wait' as const), agent: fc.nat(), held: fc.nat(40) }) },
		{
			weight: 1,
			arbitrary: fc.record({ act: fc.constant('networks' as const), agent: fc.nat(3), held: fc.nat() }),
		},
	),
	{ maxLength: 60 },
);
const QUARANTINE = 20;
const other = { name: 'other', subnet: '10.0.0.0/24', prefix: 26 };
const variants = [small.overlays, [small.overlays[0]], [small.overlays[0], other], [other]];

test('whatever happens, nothing is given twice, nor before its quarantine is over, and every step can be taken back', (t) => {
	fc.assert(
		fc.property(steps, (list) => {
			const state = stateOf(small);
			const freedAt = new Map<string, { time: number; owner: string }>();
			let now = 0;
			for (const { act, agent, held } of list) {
				now++;
				const ip = `10.1.0.${agent + 1}`;
				const had = blocksOf(state, ip);
				const before = snapshot(state);
				const draft = openDraft(state);
				if (act === 'wait') now += held;
				releaseFreed(draft, now - QUARANTINE);
				if (act === 'register') {
					const wanted = holding(`44.128.0.${held}`, { one: `10.0.0.${held * 16}/27` });
					register(draft, { ip, instance: ip, held: wanted });
				}
				if (act === 'remove') removeAgent(draft, ip, now);
				const writes = [...draft.writes];
				draft.discard();
				t.deepEqual(snapshot(state), before, 'all is taken back');
				for (const write of writes) applyWrite(state, decodeWrite(encodeWrite(write)));
				if (act === 'networks') reconcile(state, { ...small, overlays: variants[agent] }, { force: true, now });

				for (const block of blocksOf(state, ip)) {
					if (had.includes(block)) continue;
					for (const [text, { time, owner }] of freedAt) {
						if (owner !== ip && overlaps(subnetOf(text), subnetOf(block))) t.true(now - time >= QUARANTINE);
					}
				}
				for (const { block, owner, time } of state.freed.values())
					freedAt.set(formatSubnet(block), { owner, time });
				t.deepEqual(findContradictions(state), []);
				const all = Array.from(state.agents.values(), holdingsOf).flat();
				for (const [at, one] of all.entries()) {
					for (const two of all.slice(0, at)) t.false(overlaps(one.block, two.block));
				}
				t.deepEqual(snapshot(state), snapshot(reloaded(state)), 'the pools are those of the records');
			}
		}),
		{ numRuns: 60 },
	);
	t.pass();
});

/** All that a state says. */
function snapshot(state: LiveState) {
	const pools = ['', 'both', 'one', 'other'].flatMap((network) =>
		([4, 6] as const).map((family) => poolOf(state, { network: network === '' ? undefined : network, family })),
	);
	const sorted = (map: ReadonlyMap<string, unknown>) => [...map].toSorted(([one], [two]) => (one < two ? -1 : 1));
	const freedBy = new Map(Array.from(state.freedBy, ([owner, keys]) => [owner, [...keys].toSorted()]));
	return [state.vtep, ...[state.networks, state.removed, state.agents, state.freed, freedBy].map(sorted), pools];
}

/** The state that a restart makes of the same records. */
function reloaded({ vtep, networks, removed, agents, freed }: LiveState): LiveState {
	const state = createState();
	if (vtep) applyWrite(state, { kind: 'vtep', key: '', value: vtep });
	for (const [key, value] of networks) applyWrite(state, { kind: 'network', key, value });
	for (const [key, value] of removed) applyWrite(state, { kind: 'removed', key, value });
	for (const [key, value] of agents) applyWrite(state, { kind: 'agent', key, value });
	for (const [key, value] of freed) applyWrite(state, { kind: 'freed', key, value });
	return state;
}
