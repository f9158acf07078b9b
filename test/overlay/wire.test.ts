// What master and agents tell each other survives the way.
import test from 'ava';
import * as v from 'valibot';
import {
	decodeRegistrationAnswer,
	holdingsOfReport,
	type RegistrationAnswer,
	registrationShape,
} from '../../src/overlay/registration-wire.ts';
import { formatSubnet } from '../../src/ipam/subnet.ts';
import { decodeWatchEvent, encodeWatchEvent, HEARTBEAT, type WatchEvent } from '../../src/overlay/watch-wire.ts';
import { encodeAgent, encodeNetwork, encodeVteps } from '../../src/overlay/wire.ts';
import { registerOne, stateOf } from './states.ts';

const state = stateOf({
	vtep_subnet: '44.128.0.0/20',
	vtep_subnet6: 'fd01:a::/64',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	vtep_mtu: 1450,
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 80 },
		{ name: 'off', subnet: '10.0.0.0/8', prefix: 24, enabled: false },
	],
});
const { agent } = registerOne(state, '10.0.0.1');
const networks = [...state.networks.values()];

test('the tunnel end points, the networks and an agent', (t) => {
	t.deepEqual(encodeVteps(state.vtep!), {
		name: 'vtep1024',
		vni: 1024,
		port: 64_000,
		subnet: '44.128.0.0/20',
		subnet6: 'fd01:a::/64',
		mtu: 1450,
	});
	t.deepEqual(networks.map(encodeNetwork), [
		{
			name: 'dcos',
			overlay: '9.0.0.0/8',
			prefix: 26,
			overlay6: 'fd01:b::/64',
			prefix6: 80,
			state: 'active',
		},
		{ name: 'off', overlay: '10.0.0.0/8', prefix: 24, enabled: false, state: 'disabled' },
	]);
	t.is(encodeNetwork({ ...networks[1]!, phase: 'draining' }).state, 'draining');
	t.deepEqual(encodeAgent(agent!, '70:B3:D5:00:00:00'), {
		ip: '10.0.0.1',
		vtep: { ip: '44.128.0.1', ip6: 'fd01:a::1', mac: '70:b3:d5:80:00:01' },
		networks: { dcos: { subnet: '9.0.0.0/26', subnet6: 'fd01:b::/80' } },
	});
});

const events: WatchEvent[] = [
	{
		event: 'snapshot',
		data: {
			revision: 'x.1',
			vteps: encodeVteps(state.vtep!),
			networks: networks.map(encodeNetwork),
			agents: [encodeAgent(agent!, '70:B3:D5:00:00:00')],
		},
	},
	{ event: 'change', data: { revision: 'x.2', agents: [], removedAgents: ['10.0.0.1'] } },
];

for (const event of events) {
	test(`an event: ${event.event}`, (t) => {
		const text = encodeWatchEvent(event);
		t.true(text.endsWith('\n\n'));
		t.true(text.includes(`\nid: ${event.data.revision}\n`));
		t.deepEqual(decodeWatchEvent(text.trimEnd()), event);
	});
}

test('heartbeats say nothing, and what is no event is refused', (t) => {
	t.is(decodeWatchEvent(HEARTBEAT.trimEnd()), undefined);
	t.throws(() => decodeWatchEvent('event: other\ndata: {}'), { message: /there is no event "other"/ });
	t.throws(() => decodeWatchEvent('event: change\ndata: {}'));
	t.throws(() => decodeWatchEvent('event: change\ndata: {'));
});

test('the answer to a registration', (t) => {
	const answer: RegistrationAnswer = {
		revision: 'x.1',
		reportInterval: 30,
		vteps: encodeVteps(state.vtep!),
		networks: networks.map(encodeNetwork),
		agent: encodeAgent(agent!, '70:B3:D5:00:00:00'),
		shortages: [{ network: 'full', message: 'no /24 is free' }],
	};
	t.deepEqual(decodeRegistrationAnswer(JSON.stringify(answer)), answer);
	t.throws(() => decodeRegistrationAnswer('{}'), { message: /decoding the answer of the master: .*revision/s });
});

test('what an agent says that it has', (t) => {
	const report = v.parse(registrationShape, {
		instance: 'x',
		vtep: { ip: '44.128.0.1', ip6: 'fd01:a::1' },
		networks: {
			dcos: { subnet: '9.0.0.0/26', subnet6: 'fd01:b::/80', status: 'STATUS_OK', containers: 3, unknown: 1 },
		},
	});
	const { vtep, vtep6, networks: held } = holdingsOfReport(report);
	t.deepEqual(
		[vtep, vtep6].map((one) => one && formatSubnet(one)),
		['44.128.0.1/32', 'fd01:a::1/128'],
	);
	const { subnet, subnet6 } = held.get('dcos')!;
	t.deepEqual(
		[subnet, subnet6].map((one) => one && formatSubnet(one)),
		['9.0.0.0/26', 'fd01:b::/80'],
	);
	t.deepEqual(holdingsOfReport(v.parse(registrationShape, { instance: 'x' })), { networks: new Map() });
});

for (const wrong of [
	{},
	{ instance: '' },
	{ instance: 'a b' },
	{ instance: 'x', vtep: { ip: '1.2.3' } },
	{ instance: 'x', networks: { dcos: { subnet: '9.0.0.0' } } },
	{ instance: 'x', networks: { dcos: { status: 'FINE' } } },
	{ instance: 'x', networks: { dcos: { containers: -1 } } },
	{ instance: 'x', networks: { dcos: { error: 'e'.repeat(1001) } } },
	{ instance: 'x', networks: Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`n${at}`, {}])) },
]) {
	test(`no registration: ${JSON.stringify(wrong).slice(0, 80)}`, (t) => {
		t.false(v.safeParse(registrationShape, wrong).success);
	});
}
