// Networks that come and go while the master runs, and what is left of them.
import { setTimeout as wait } from 'node:timers/promises';
import ava from 'ava';
import { ask, createPlace, documentExample, register, startMaster, told, watch } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

test('a network is added online: all agents have their parts of it', async (t) => {
	const master = await startMaster(t, createPlace(t));
	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(master, ip);
	const stream = await watch(t, master);
	await stream.next();
	const { status, json } = await ask(master, 'POST', '/v1/networks', {
		name: 'new',
		subnet: '10.64.0.0/16',
		prefix: 24,
	});
	t.is(status, 201);
	t.deepEqual(json, { name: 'new', overlay: '10.64.0.0/16', prefix: 24, state: 'active' });
	const { data } = await stream.next();
	t.is(data.networks?.length, 3);
	t.deepEqual(
		data.agents.map(({ ip, networks }) => [ip, networks['new']?.subnet]),
		[
			['10.0.0.1', '10.64.0.0/24'],
			['10.0.0.2', '10.64.1.0/24'],
		],
	);

	const wider = await ask(master, 'POST', '/v1/networks', { name: 'new', subnet: '10.64.0.0/15', prefix: 24 });
	t.deepEqual([wider.status, wider.json.overlay], [200, '10.64.0.0/15']);
	const hosts = await ask(master, 'POST', '/v1/networks', { name: 'more', subnet: '10.0.0.0/16', prefix: 24 });
	t.deepEqual([hosts.status, hosts.json.code], [409, 'conflict']);
	t.regex(hosts.json.message, /10\.0\.0\.0\/16 has the address of the agent 10\.0\.0\.1 and of 1 more; nobody would/);
	const other = await ask(master, 'POST', '/v1/networks', { name: 'new', subnet: '10.64.0.0/15', prefix: 25 });
	t.deepEqual([other.status, other.json.code], [409, 'conflict']);
	t.regex(other.json.message, /prefix 24 becomes 25, and 2 agents have subnets of the old one; /);
});

for (const [body, message] of [
	[
		{ name: 'new', subnet: '9.1.0.0/16', prefix: 24 },
		/^subnet: "9.1.0.0\/16" overlaps 9.0.0.0\/8 of the network "dcos"; /,
	],
	[{ name: 'new', subnet: '44.128.8.0/24', prefix: 26 }, /^subnet: .* overlaps 44.128.0.0\/20 of the VTEPs; /],
	[{ name: 'new', subnet: '10.0.0.0/8' }, /^prefix: is missing; /],
	[{ name: 'new', subnet: '10.0.0.0/8', prefix: 26, gateway: 'x' }, /^gateway: there is no such key; /],
	[{ name: 'a name', subnet: '10.0.0.0/8', prefix: 26 }, /^name: "a name" cannot be a name; /],
	[{ subnet: 7 }, /^name: is missing; .*\nsubnet: 7 is not a text; /],
	[[], /^name: is missing; /],
	['x', /^the body is not JSON: /],
] as const) {
	test(`a network that cannot be added: ${JSON.stringify(body)}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		const { status, json } = await ask(master, 'POST', '/v1/networks', body);
		t.deepEqual([status, json.code], [400, 'invalidRequest']);
		t.regex(json.message, message);
		t.is((await ask(master, 'GET', '/v1/networks')).json.networks.length, 2);
	});
}

test('a network is drained online: it goes when no container is left on it', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const report = (containers: number) => ({ networks: { 'dcos-1': { containers } } });
	await register(master, '10.0.0.1', report(1));
	await register(master, '10.0.0.2', report(0));
	const stream = await watch(t, master);
	await stream.next();
	const { status, json } = await ask(master, 'DELETE', '/v1/networks/dcos-1');
	t.deepEqual([status, json.state], [202, 'draining']);
	t.deepEqual(
		(await stream.next()).data.networks?.map(({ state }) => state),
		['active', 'draining'],
	);
	t.deepEqual(await register(master, '10.0.0.3'), ['44.128.0.3', '9.0.0.128/26']);
	await stream.next();

	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(master, ip, report(0));
	const { data } = await stream.next();
	t.deepEqual(
		data.networks?.map(({ name }) => name),
		['dcos'],
	);
	t.deepEqual(
		data.agents.map(({ networks }) => Object.keys(networks)),
		[['dcos'], ['dcos']],
	);
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos-1')).json.code, 'notFound');
});

test('what agents have reported before a network is drained does not count', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const report = { networks: { 'dcos-1': { containers: 0 } } };
	await register(master, '10.0.0.1', report);
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos-1')).status, 202);
	await wait(1500);
	t.is((await ask(master, 'GET', '/v1/networks')).json.networks.length, 2);
	await register(master, '10.0.0.1', report);
	await told(master, 'network removed');
});

test('a network that is being drained stays when it is added again', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const before = await register(master, '10.0.0.1');
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos-1')).status, 202);
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos-1')).status, 202, 'twice is no mistake');
	const { status, json } = await ask(master, 'POST', '/v1/networks', documentExample.overlays[1]);
	t.deepEqual([status, json.state], [200, 'active']);
	t.deepEqual((await ask(master, 'GET', '/v1/networks')).json.removed, []);
	t.deepEqual(await register(master, '10.0.0.1', { networks: { 'dcos-1': { containers: 0 } } }), before);
	await wait(1500);
	t.is((await ask(master, 'GET', '/v1/networks')).json.networks.length, 2);
});

test('a network is removed at once by force', async (t) => {
	const master = await startMaster(t, createPlace(t));
	await register(master, '10.0.0.1');
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos-1?force=true')).status, 200);
	t.deepEqual(await register(master, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26']);
});

test('how much of the networks is in use', async (t) => {
	const master = await startMaster(t, createPlace(t));
	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(master, ip);
	await ask(master, 'POST', '/overlay-master/agents/delete', { agents: ['10.0.0.1'], force: true });
	const { json } = await ask(master, 'GET', '/v1/networks');
	t.deepEqual(json.vteps, { ipv4: { size: 4094, used: 1, free: 4092, barred: 1 } });
	t.like(json.networks[1], { name: 'dcos-1', origin: 'file', ipv4: { size: 256, used: 1, free: 254, barred: 1 } });
	const metrics = (await ask(master, 'GET', '/metrics')).text;
	for (const line of [
		'agents 1',
		'agent_subnets{network="dcos-1",family="ipv4",use="used"} 1',
		'agent_subnets{network="dcos-1",family="ipv4",use="barred"} 1',
		'vtep_addresses{family="ipv4",use="free"} 4092',
		'internal_register_agent_messages_received 2',
		'subnet_allocation_failures 0',
	]) {
		t.true(metrics.includes(`\nmesos_overlay_master_${line}\n`), line);
	}
});

test('when there is nothing left, it is told to the agent, in the state and in the metrics', async (t) => {
	const overlays = [
		{ name: 'small', subnet: '10.0.0.0/24', prefix: 24 },
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26 },
	];
	const master = await startMaster(t, createPlace(t, { ...documentExample, vtep_subnet: '44.128.0.0/30', overlays }));
	await register(master, '10.1.0.1');
	const { json } = await ask(master, 'PUT', '/v1/agents/10.1.0.2', { instance: 'x' });
	t.deepEqual(json.shortages, [{ network: 'small', message: 'no /24 of 10.0.0.0/24 is free' }]);
	t.deepEqual(json.agent.networks, { dcos: { subnet: '9.0.0.64/26' } });
	const third = await ask(master, 'PUT', '/v1/agents/10.1.0.3', { instance: 'x' });
	t.deepEqual([third.status, third.json.code], [507, 'noVtep']);
	t.regex(third.json.message, /no address for a VTEP of 44.128.0.0\/30 is free/);

	const state = (await ask(master, 'GET', '/overlay-master/state')).json;
	t.is(state.agents.length, 2);
	t.deepEqual(state.agents[1]?.overlays[0]?.state, { error: 'no subnet of it is free', status: 'STATUS_FAILED' });
	const metrics = (await ask(master, 'GET', '/metrics')).text;
	t.regex(metrics, /\nmesos_overlay_master_subnet_allocation_failures 1\n/);
	t.regex(metrics, /\nmesos_overlay_master_ip_allocation_failures 1\n/);
});
