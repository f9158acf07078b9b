// A configuration that has changed since the last start.
import { setTimeout as wait } from 'node:timers/promises';
import ava from 'ava';
import {
	ask,
	createPlace,
	documentExample,
	failingMaster,
	type Master,
	register,
	startMaster,
	told,
	watch,
} from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

const [dcos, second] = documentExample.overlays;
const third = { name: 'third', subnet: '10.64.0.0/16', prefix: 24 };

const reconciled = ({ log }: Master) => log.filter(({ event }) => event === 'state reconciled').map(({ what }) => what);
const subnetsOf = async (master: Master) =>
	(await ask(master, 'GET', '/overlay-master/state')).json.agents.map(({ overlays }) =>
		overlays.map(({ subnet }) => subnet),
	);

test('the same configuration: nothing is done, and agents have what they had', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	const before = await register(first, '10.0.0.1');
	await first.end();
	const again = await startMaster(t, place);
	t.deepEqual(reconciled(again), []);
	t.deepEqual(await register(again, '10.0.0.1'), before);
	t.regex((await ask(again, 'GET', '/metrics')).text, /\nmesos_overlay_master_process_restarts 1\n/);
});

test('a network more: the agents there are have their parts of it before they ask', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(first, ip);
	await first.end();
	place.configure({ ...documentExample, overlays: [dcos, second, third] });
	const again = await startMaster(t, place);
	t.deepEqual(reconciled(again), ['the network "third" is added']);
	t.deepEqual(await subnetsOf(again), [
		['9.0.0.0/26', '192.168.0.0/24', '10.64.0.0/24'],
		['9.0.0.64/26', '192.168.1.0/24', '10.64.1.0/24'],
	]);
});

test('a network less: it is drained, also over a restart, and gone when its last container is', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(first, ip);
	await first.end();
	place.configure({ ...documentExample, overlays: [dcos] });
	const drained = 'the network "dcos-1" is drained: it goes when no container is left on it';
	const again = await startMaster(t, place);
	t.deepEqual(reconciled(again), [drained]);
	const report = (master: Master, ip: string, containers: number) =>
		register(master, ip, { networks: { 'dcos-1': { containers } } });
	await report(again, '10.0.0.1', 2);
	await report(again, '10.0.0.2', 0);
	await again.end();
	const third = await startMaster(t, place);
	t.deepEqual(reconciled(third), []);
	const both = [
		['9.0.0.0/26', '192.168.0.0/24'],
		['9.0.0.64/26', '192.168.1.0/24'],
	];
	await report(third, '10.0.0.1', 0);
	await wait(1500);
	t.deepEqual(await subnetsOf(third), both, 'an agent has not reported since the start');
	await report(third, '10.0.0.2', 0);
	await told(third, 'network removed');
	t.deepEqual(await subnetsOf(third), [['9.0.0.0/26'], ['9.0.0.64/26']]);
});

test('a network of the file that was removed by a request stays away, and says so, until it is wanted again', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1', { networks: { 'dcos-1': { containers: 1 } } });
	t.is((await ask(first, 'DELETE', '/v1/networks/dcos-1')).status, 202);
	t.true(first.log.some(({ remedy }) => remedy === 'it stays away; take it out of the file, too'));
	await first.end('SIGKILL');

	const second = await startMaster(t, place);
	const leftOut = second.log.find(({ event }) => event === 'network left out');
	t.like(leftOut, { level: 'warn', network: 'dcos-1' });
	t.regex(
		String(leftOut?.['what']),
		/^the network "dcos-1" is in the file, but was removed by a request on 20\d\d-.*Z: take it out of the file, or add it again by POST/,
	);
	const { json } = await ask(second, 'GET', '/v1/networks');
	t.deepEqual(
		json.networks.map(({ name, state }) => [name, state]),
		[
			['dcos', 'active'],
			['dcos-1', 'draining'],
		],
	);
	t.is((await ask(second, 'DELETE', '/v1/networks/dcos-1?force=true')).status, 200);
	await second.end('SIGKILL');

	const third = await startMaster(t, place);
	t.deepEqual(await register(third, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26']);
	t.like((await ask(third, 'GET', '/v1/networks')).json, { networks: { length: 1 }, removed: [{ name: 'dcos-1' }] });
	t.is((await ask(third, 'POST', '/v1/networks', documentExample.overlays[1])).status, 201);
	await third.end('SIGKILL');

	const last = await startMaster(t, place);
	t.false(last.log.some(({ event }) => event === 'network left out'));
	t.deepEqual(await subnetsOf(last), [['9.0.0.0/26', '192.168.0.0/24']]);
});

test('a network that was removed by a request comes with the next start when the file says something else of it', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1');
	t.is((await ask(first, 'DELETE', '/v1/networks/dcos-1?force=true')).status, 200);
	await first.end();
	place.configure({ ...documentExample, overlays: [dcos, { ...second, prefix: 25 }] });
	const again = await startMaster(t, place, '--quarantine', '0');
	t.deepEqual(reconciled(again), ['the network "dcos-1" is added']);
	t.deepEqual((await ask(again, 'GET', '/v1/networks')).json.removed, []);
});

test('a network less, with force: it is gone at once', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1');
	await first.end();
	place.configure({ ...documentExample, overlays: [dcos] });
	const again = await startMaster(t, place, '--force');
	t.deepEqual(reconciled(again), ['the network "dcos-1" is removed']);
	t.deepEqual(await subnetsOf(again), [['9.0.0.0/26']]);
});

test('what would take something from agents is refused with what it would mean, and the state stays as it was', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	const before = await register(first, '10.0.0.1');
	await first.end();
	place.configure({
		...documentExample,
		vtep_mac_oui: '02:00:00:00:00:00',
		overlays: [{ ...dcos, prefix: 24 }, second],
	});
	t.deepEqual(await failingMaster(place), [
		78,
		[
			'mesos-overlay: starting with "/overlay.yaml": the state "/master.db" is in the way',
			'mesos-overlay: the VTEPs: vtep_mac_oui 70:B3:D5:00:00:00 becomes 02:00:00:00:00:00, and 1 agent has a VTEP, whose address or MAC would be another:',
			'mesos-overlay:   all traffic between them would stop. Put the old value back; to begin anew, remove all agents first',
			'mesos-overlay: the network "dcos": prefix 26 becomes 24, and 1 agent has subnets of the old one:',
			'mesos-overlay:   their containers would lose their addresses. Put the old value back; or take "dcos" out of the file and start: it is drained, and gone when no container is left on it (at once with --force); then add it again',
		],
	]);
	place.configure(documentExample);
	t.deepEqual(await register(await startMaster(t, place), '10.0.0.1'), before);
});

test('another MTU is rolled out, more room is taken', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	const before = await register(first, '10.0.0.1');
	const { revision } = (await ask(first, 'PUT', '/v1/agents/10.0.0.1', { instance: 'of-10.0.0.1' })).json;
	await first.end();
	place.configure({ ...documentExample, vtep_mtu: 1400, overlays: [{ ...dcos, subnet: '8.0.0.0/7' }, second] });
	const again = await startMaster(t, place);
	t.deepEqual(reconciled(again), [
		'the VTEPs: vtep_mtu 1400 is added',
		'the network "dcos": subnet 9.0.0.0/8 becomes 8.0.0.0/7',
	]);
	const { event, data } = await (await watch(t, again, `?from=${revision}`)).next();
	t.deepEqual([event, data.vteps?.mtu, data.networks?.[0]?.overlay], ['change', 1400, '8.0.0.0/7']);
	t.deepEqual(await register(again, '10.0.0.1'), before);
	const { json } = await ask(again, 'PUT', '/v1/agents/10.0.0.2', { instance: 'x' });
	t.is(json.vteps.mtu, 1400);
	t.deepEqual(json.agent.networks['dcos'], { subnet: '8.0.0.0/26' });
});

test('a network that was added online stays', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1');
	await ask(first, 'POST', '/v1/networks', third);
	await first.end();
	const again = await startMaster(t, place);
	t.deepEqual(reconciled(again), []);
	t.deepEqual(await subnetsOf(again), [['9.0.0.0/26', '192.168.0.0/24', '10.64.0.0/24']]);
});
