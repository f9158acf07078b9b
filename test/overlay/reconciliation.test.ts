import test from 'ava';
import fc from 'fast-check';
import { formatSubnet } from '../../src/ipam/subnet.ts';
import { findAddressMistake } from '../../src/overlay/conflicts.ts';
import { compareNetworks } from '../../src/overlay/difference.ts';
import { openDraft } from '../../src/overlay/draft.ts';
import { planReconciliation } from '../../src/overlay/reconciliation.ts';
import type { NetworkRecord } from '../../src/overlay/records.ts';
import { applyWrite, type LiveState } from '../../src/overlay/state.ts';
import { removeAgent, removeNetwork } from '../../src/overlay/release.ts';
import { rememberRemoval } from '../../src/overlay/request-removal.ts';
import { configurationOf, documentExample, reconcile, registerOne, stateOf } from './states.ts';

const { overlays } = documentExample;
const [dcos, second] = overlays;
const third = { name: 'third', subnet: '10.64.0.0/16', prefix: 24 };

/** The document's networks, and two agents. */
function example(): LiveState {
	const state = stateOf(documentExample);
	for (const ip of ['10.0.0.1', '10.0.0.2']) registerOne(state, ip);
	return state;
}

const textsOf = (state: LiveState, members: object, force = false) =>
	planReconciliation(state, configurationOf(members), force).actions.map(({ text }) => text);
const subnetOfAgent = (state: LiveState, ip: string, network: string) => {
	const { subnet, subnet6 } = state.agents.get(ip)?.networks.get(network) ?? {};
	return [subnet, subnet6].flatMap((block) => (block === undefined ? [] : formatSubnet(block)));
};

test('the same file again: nothing to do', (t) => t.deepEqual(textsOf(example(), documentExample), []));

test('a new network is added, and the agents there are get subnets of it, in the order of their registration', (t) => {
	const state = example();
	const members = { ...documentExample, overlays: [...overlays, third] };
	t.deepEqual(textsOf(state, members), ['the network "third" is added']);
	reconcile(state, members);
	t.deepEqual(subnetOfAgent(state, '10.0.0.1', 'third'), ['10.64.0.0/24']);
	t.deepEqual(subnetOfAgent(state, '10.0.0.2', 'third'), ['10.64.1.0/24']);
});

test('a removed network is drained: who has it keeps it, who comes gets none; named again, it stays', (t) => {
	const state = example();
	const members = { ...documentExample, overlays: [dcos] };
	t.deepEqual(textsOf(state, members), ['the network "dcos-1" is drained: it goes when no container is left on it']);
	reconcile(state, members);
	t.deepEqual(textsOf(state, members), []);
	t.deepEqual(registerOne(state, '10.0.0.3').shortages, []);
	t.deepEqual(subnetOfAgent(state, '10.0.0.3', 'dcos-1'), []);
	t.deepEqual(subnetOfAgent(state, '10.0.0.1', 'dcos-1'), ['192.168.0.0/24']);

	t.deepEqual(textsOf(state, documentExample), ['the network "dcos-1" stays: it is wanted again']);
	reconcile(state, documentExample);
	t.deepEqual(subnetOfAgent(state, '10.0.0.3', 'dcos-1'), ['192.168.2.0/24']);
});

test('with force, a network that is not named goes at once', (t) => {
	const state = example();
	const members = { ...documentExample, overlays: [dcos] };
	t.deepEqual(textsOf(state, members, true), ['the network "dcos-1" is removed']);
	reconcile(state, members, { force: true });
	t.false(state.networks.has('dcos-1'));
	t.deepEqual(subnetOfAgent(state, '10.0.0.1', 'dcos-1'), []);
});

test('a network that was requested stays, unless what is in the file overlaps it', (t) => {
	const state = example();
	const { networks } = configurationOf({ ...documentExample, overlays: [third] });
	const record: NetworkRecord = { network: networks[0]!, origin: 'request', phase: 'active', position: 2 };
	applyWrite(state, { kind: 'network', key: 'third', value: record });
	t.deepEqual(textsOf(state, documentExample), []);
	const overlapping = { name: 'fourth', subnet: '10.64.128.0/17', prefix: 24 };
	t.deepEqual(reconcile(state, { ...documentExample, overlays: [...overlays, overlapping] }), [
		'the network "fourth": 10.64.128.0/17 overlaps 10.64.0.0/16 of the network "third"',
	]);
	t.deepEqual(textsOf(state, { ...documentExample, overlays: [...overlays, third] }), [
		'the network "third" has another place in the file',
	]);
});

const requestRemoval = (state: LiveState, name: string) => {
	const before = state.networks.get(name)!;
	const draft = openDraft(state);
	rememberRemoval(draft, before, Date.UTC(2026, 10, 23));
	draft.put({ kind: 'network', key: name, value: { ...before, phase: 'draining' } });
};

test('a network that was removed by a request stays away, while it is drained and after it, until the file changes', (t) => {
	const leftOut = [
		{
			name: 'dcos-1',
			text: 'the network "dcos-1" is in the file, but was removed by a request on 2026-11-23T00:00:00.000Z: take it out of the file, or add it again by POST /v1/networks',
		},
	];
	const plan = (state: LiveState, force = false) =>
		planReconciliation(state, configurationOf(documentExample), force);
	const state = example();
	requestRemoval(state, 'dcos-1');
	t.deepEqual(plan(state), { actions: [], refusals: [], leftOut });
	t.deepEqual(
		plan(state, true).actions.map(({ text }) => text),
		['the network "dcos-1" is removed'],
	);
	removeNetwork(openDraft(state), 'dcos-1', 0);
	t.deepEqual(plan(state), { actions: [], refusals: [], leftOut });

	reconcile(state, { ...documentExample, overlays: [dcos, { ...second, prefix: 25 }] });
	t.deepEqual(
		subnetOfAgent(state, '10.0.0.1', 'dcos-1'),
		['192.168.2.0/25'],
		'another prefix, beside what was freed',
	);
	t.is(state.removed.size, 0);
});

test('the removal by a request is over when the file does not name the network any more', (t) => {
	const state = example();
	requestRemoval(state, 'dcos-1');
	const without = { ...documentExample, overlays: [dcos] };
	t.deepEqual(textsOf(state, without), ['the network "dcos-1", removed by a request, is not in the file any more']);
	reconcile(state, without);
	t.is(state.networks.get('dcos-1')?.phase, 'draining');
	t.deepEqual(textsOf(state, documentExample), ['the network "dcos-1" stays: it is wanted again']);
});

test('what is being drained is not overlapped', (t) => {
	const state = example();
	const members = { ...documentExample, overlays: [dcos, { ...second, name: 'other' }] };
	t.deepEqual(reconcile(state, members), [
		'the network "other": 192.168.0.0/16 overlaps 192.168.0.0/16 of the network "dcos-1"',
	]);
	t.deepEqual(reconcile(state, members, { force: true }), []);
});

const changed = test.macro<[change: object, text: string, after: readonly string[]]>({
	exec(t, change, text, after) {
		const state = example();
		const members = { ...documentExample, overlays: [{ ...dcos, ...change }, second] };
		t.deepEqual(textsOf(state, members), [text]);
		t.deepEqual(reconcile(state, members), []);
		t.deepEqual(subnetOfAgent(state, '10.0.0.2', 'dcos'), after);
	},
	title: (_, change) => `a network becomes ${JSON.stringify(change)}`,
});
const block = '9.0.0.64/26';
test(changed, { subnet: '8.0.0.0/7' }, 'the network "dcos": subnet 9.0.0.0/8 becomes 8.0.0.0/7', [block]);
test(changed, { enabled: false }, 'the network "dcos": enabled true becomes false', [block]);
test(
	changed,
	{ subnet6: 'fd01:b::/64', prefix6: 80 },
	'the network "dcos": subnet6 fd01:b::/64 is added, prefix6 80 is added',
	[block, 'fd01:b:0:0:1::/80'],
);

const refused = test.macro<[members: object, wrong: string]>({
	exec(t, members, wrong) {
		const state = example();
		const before = new Map(state.networks);
		const { actions, refusals } = planReconciliation(
			state,
			configurationOf({ ...documentExample, ...members }),
			false,
		);
		t.deepEqual([refusals.map((refusal) => refusal.wrong), actions], [[wrong], []]);
		t.regex(refusals[0]?.advice ?? '', /Put the old value back/);
		t.deepEqual(state.networks, before);

		for (const ip of ['10.0.0.1', '10.0.0.2']) removeAgent(openDraft(state), ip, 0);
		t.deepEqual(reconcile(state, { ...documentExample, ...members }), [], 'nobody is affected');
	},
	title: (_, members) => `refused while agents depend on it: ${JSON.stringify(members)}`,
});
test(
	refused,
	{ overlays: [{ ...dcos, prefix: 24 }, second] },
	'the network "dcos": prefix 26 becomes 24, and 2 agents have subnets of the old one',
);
test(
	refused,
	{ overlays: [{ ...dcos, subnet: '9.0.0.0/9' }, second] },
	'the network "dcos": subnet 9.0.0.0/8 becomes 9.0.0.0/9, and 2 agents have subnets of the old one',
);
test(
	refused,
	{ overlays: [{ name: 'dcos', subnet6: 'fd01:b::/64', prefix6: 80 }, second] },
	'the network "dcos": subnet 9.0.0.0/8 is left out, subnet6 fd01:b::/64 is added, prefix6 80 is added, and 2 agents have subnets of the old one',
);
test(
	refused,
	{ vtep_mac_oui: '02:B3:D5:00:00:00' },
	'the VTEPs: vtep_mac_oui 70:B3:D5:00:00:00 becomes 02:B3:D5:00:00:00, and 2 agents have a VTEP, whose address or MAC would be another',
);
test(
	refused,
	{ vtep_subnet: '44.129.0.0/20' },
	'the VTEPs: vtep_subnet 44.128.0.0/20 becomes 44.129.0.0/20, and 2 agents have a VTEP, whose address or MAC would be another',
);

test('what has the addresses of hosts is refused, as long as they are registered', (t) => {
	const state = example();
	const overlapping = { ...documentExample, vtep_subnet: '10.0.0.0/28', overlays: [...overlays, third] };
	t.regex(
		reconcile(state, { ...documentExample, overlays: [...overlays, { ...third, subnet: '10.0.0.0/16' }] })[0] ?? '',
		/^the network "third": 10\.0\.0\.0\/16 has the address of the agent 10\.0\.0\.1 and of 1 more$/,
	);
	for (const ip of ['10.0.0.1', '10.0.0.2']) removeAgent(openDraft(state), ip, 0);
	t.deepEqual(reconcile(state, overlapping), []);
	t.is(findAddressMistake(state, '10.0.0.1'), '10.0.0.0/28 is for the VTEPs: the address of a host must be another');
	t.is(findAddressMistake(state, '10.0.0.16'), undefined);
});

test('VTEPs may become more, get IPv6 addresses and another MTU', (t) => {
	const state = example();
	const vteps = { vtep_subnet: '44.128.0.0/16', vtep_subnet6: 'fd01:a::/64', vtep_mtu: 1450 };
	t.deepEqual(textsOf(state, { ...documentExample, ...vteps }), [
		'the VTEPs: vtep_subnet 44.128.0.0/20 becomes 44.128.0.0/16, vtep_subnet6 fd01:a::/64 is added, vtep_mtu 1450 is added',
	]);
	reconcile(state, { ...documentExample, ...vteps });
	const { vtep, vtep6 } = state.agents.get('10.0.0.2')!;
	t.deepEqual(
		[vtep, vtep6].map((one) => one && formatSubnet(one)),
		['44.128.0.2/32', 'fd01:a::2/128'],
	);
});

const networks = fc
	.uniqueArray(
		fc.record({
			name: fc.constantFrom('a', 'b', 'c', 'd'),
			prefix: fc.constantFrom(24, 25),
			length: fc.constantFrom(16, 17),
			enabled: fc.option(fc.boolean(), { nil: undefined }),
		}),
		{ selector: ({ name }) => name, minLength: 1 },
	)
	.map((list) =>
		list.map(({ length, ...rest }) => ({ ...rest, subnet: `10.${rest.name.codePointAt(0)}.0.0/${length}` })),
	);

test('a plan that was followed is empty the next time, and one that is refused changes nothing', (t) => {
	fc.assert(
		fc.property(networks, networks, fc.boolean(), fc.nat(3), fc.nat(4), (first, then, force, agents, gone) => {
			const state = stateOf({ ...documentExample, overlays: first });
			for (let at = 0; at < agents; at++) registerOne(state, `10.0.0.${at}`);
			const removed = first[gone]?.name;
			if (removed !== undefined) requestRemoval(state, removed);
			const members = { ...documentExample, overlays: then };
			const before = JSON.stringify([...state.networks], bigints);
			const isRefused = reconcile(state, members, { force }).length > 0;
			if (isRefused) t.is(JSON.stringify([...state.networks], bigints), before);
			else t.deepEqual(textsOf(state, members, force), []);
			if (isRefused) return;
			for (const [name, { network }] of state.removed) {
				const inFile = configurationOf(members).networks.find((one) => one.name === name);
				t.deepEqual(compareNetworks(network, inFile!), [], 'remembered as long as the file has it so');
			}
		}),
	);
	t.pass();
});

const bigints = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
