import { readFileSync } from 'node:fs';
import test from 'ava';
import type { WrittenConfiguration } from '../../src/overlay/configuration.ts';
import { documentAgent, documentNetwork } from '../../src/overlay/document-state.ts';
import type { NetworkReport } from '../../src/overlay/registration-wire.ts';
import { registerOne, stateOf } from './states.ts';

const ok: NetworkReport = { status: 'STATUS_OK' };

test('the state of the documentation, as its text is: all members, in their order', (t) => {
	const text = readFileSync(new URL('documented-state.txt', import.meta.url), 'utf8');
	const documented = JSON.parse(`{${text}`) as { agents: { ip: string }[]; network: WrittenConfiguration };
	const state = stateOf(documented.network);
	const networks = [...state.networks.values()];
	const reports = new Map([['dcos', ok]]);
	const agents = documented.agents.map(({ ip }) =>
		documentAgent(registerOne(state, ip).agent!, state.vtep!, networks, reports),
	);
	const shown = JSON.stringify({ agents, network: documentNetwork(state.vtep!, networks) });
	const bridges = /"mesos_bridge":{"ip":"44\.128\.\d\.0\/25","name":"m-dcos"},/g;
	t.is(shown.match(bridges)?.length, 3, 'besides these, which agents on masters do not have');
	t.is(shown.replaceAll(bridges, ''), JSON.stringify(documented));
});

test('what an agent has reported, what it has not yet, and what it could not be given', (t) => {
	const state = stateOf({
		vtep_subnet: '44.128.0.0/20',
		vtep_mac_oui: '70:B3:D5:00:00:00',
		vtep_mtu: 9000,
		overlays: [
			{ name: 'broken', subnet: '9.0.0.0/8', prefix: 24 },
			{ name: 'full', subnet: '10.0.0.0/24', prefix: 24 },
			{ name: 'off', subnet: '11.0.0.0/8', prefix: 24, enabled: false },
		],
	});
	registerOne(state, '10.0.0.1');
	const { agent } = registerOne(state, '10.0.0.2');
	const failed: NetworkReport = { status: 'STATUS_FAILED', error: 'no such device' };
	const networks = [...state.networks.values()];
	const show = (reports: ReadonlyMap<string, NetworkReport>) =>
		documentAgent(agent!, state.vtep!, networks, reports).overlays;
	t.deepEqual(
		show(new Map([['broken', failed]])).map(({ info, subnet, state: { status, error } }) => [
			info.name,
			subnet,
			status,
			error,
		]),
		[
			['broken', '9.0.1.0/24', 'STATUS_FAILED', 'no such device'],
			['full', undefined, 'STATUS_FAILED', 'no subnet of it is free'],
		],
	);
	t.deepEqual(show(new Map())[0]?.state, { status: 'STATUS_CONFIGURING' });
	t.is(show(new Map())[0]?.backend.vxlan.vtep_mtu, 9000);
	t.is(documentNetwork(state.vtep!, networks).overlays[2]?.enabled, false);
});
