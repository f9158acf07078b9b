// How the master starts, ends, and goes on with what it has kept.
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import ava from 'ava';
import { ask, createPlace, documentExample, failingMaster, register, startMaster, watch } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

test('a copy of the state, with which another master goes on', async (t) => {
	const place = createPlace(t);
	const master = await startMaster(t, place);
	const before = await register(master, '10.0.0.1');
	const response = await fetch(`${master.url}/v1/backup`);
	t.is(response.status, 200);
	const other = createPlace(t);
	writeFileSync(other.state, Buffer.from(await response.arrayBuffer()));
	await register(master, '10.0.0.2');
	const restored = await startMaster(t, other);
	t.deepEqual(await register(restored, '10.0.0.1'), before);
	t.is((await ask(restored, 'GET', '/overlay-master/state')).json.agents.length, 1);
});

test('a master that was restored from an old copy learns from the agents what it has forgotten', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1');
	const copy = Buffer.from(await (await fetch(`${first.url}/v1/backup`)).arrayBuffer());
	await register(first, '10.0.0.2');
	const [vtep, dcos, second] = await register(first, '10.0.0.3');
	const stream = await watch(t, first);
	const { data } = await stream.next();
	await first.end();

	writeFileSync(place.state, copy);
	const restored = await startMaster(t, place);
	t.is((await (await watch(t, restored, `?from=${data.revision}`)).next()).event, 'snapshot');
	const held = { vtep: { ip: vtep }, networks: { dcos: { subnet: dcos }, 'dcos-1': { subnet: second } } };
	t.deepEqual(await register(restored, '10.0.0.3', held), [vtep, dcos, second]);
	t.deepEqual(await register(restored, '10.0.0.2'), ['44.128.0.2', '9.0.0.64/26', '192.168.1.0/24']);
});

test('it ends when it is told to, with all that was answered on the disk', async (t) => {
	const place = createPlace(t);
	const master = await startMaster(t, place);
	await watch(t, master);
	await register(master, '10.0.0.1');
	t.is(await master.end(), 0);
	t.deepEqual(
		master.log.slice(-2).map(({ event }) => event),
		['master stopping', 'master stopped'],
	);
	const state = readFileSync(place.state);
	t.true(state.includes('agent/10.0.0.1'));
});

test('what is wrong at the start is told, and the exit status says that starting again is of no use', async (t) => {
	const place = createPlace(t, { ...documentExample, vtep_subnet: 'x' });
	t.deepEqual(await failingMaster(place), [
		78,
		[
			'mesos-overlay: /overlay.yaml:1:40: dcos_overlay_network.vtep_subnet: "x" is no IPv4 subnet; write it as "9.0.0.0/8"',
		],
	]);
	place.configure(documentExample);
	t.deepEqual(await failingMaster(place, '--listen', '0.0.0.0:0'), [
		78,
		[
			'mesos-overlay: listening on 0.0.0.0: without credentials only on the loopback; set --agent-tokens and --operator-tokens, or --agent-ca and --operator-ca with --tls-certificate and --tls-key',
		],
	]);
	t.deepEqual(await failingMaster(place, '--listen', 'nowhere'), [
		78,
		['mesos-overlay: reading --listen: "nowhere" is no address with a port, write it as "10.0.0.1:5055"'],
	]);
	t.deepEqual(await failingMaster(place, '--quarantine', 'long'), [
		78,
		['mesos-overlay: reading --quarantine: "long" is no number of seconds from 0 to 604800'],
	]);
	t.false(existsSync(place.state), 'nothing is done before everything is checked');
	writeFileSync(place.state, '');
	t.deepEqual(await failingMaster(place), [
		78,
		['mesos-overlay: opening the state "/master.db": it is empty, restore a backup'],
	]);
});

test('a state that cannot be used is refused with the reason, and whether starting again is of use', async (t) => {
	const place = createPlace(t);
	const master = await startMaster(t, place);
	const before = await register(master, '10.0.0.1');
	await master.end();
	const good = readFileSync(place.state);
	const refused = async (state: Buffer | undefined) => {
		if (state !== undefined) writeFileSync(place.state, state);
		return failingMaster(place);
	};
	const later = Buffer.from(good);
	later.writeUInt32BE(2, 60);
	t.deepEqual(await refused(later), [
		78,
		['mesos-overlay: opening the state "/master.db": it is of another version of mesos-overlay (2, this is 1)'],
	]);
	const [status, [line = '']] = await refused(good.subarray(0, good.length - 4096));
	t.is(status, 78);
	t.regex(line, /: opening the state "\/master\.db": it is damaged, restore a backup \(/);
	rmSync(place.state);
	mkdirSync(place.state);
	t.deepEqual(await refused(undefined), [
		1,
		[
			'mesos-overlay: opening the state "/master.db": it is a directory, set --state (EISDIR: illegal operation on a directory, open \'/master.db\')',
		],
	]);
	rmdirSync(place.state);
	writeFileSync(place.state, good);
	t.deepEqual(await register(await startMaster(t, place), '10.0.0.1'), before);
});

test('a log that has lost what others follow is refused by a killed master’s successor', async (t) => {
	const place = createPlace(t);
	const master = await startMaster(t, place);
	for (let at = 1; at < 10; at++) await register(master, `10.0.0.${at}`);
	await master.end('SIGKILL');
	const log = readFileSync(`${place.state}-wal`);
	log.writeUInt8(log.readUInt8(5000) ^ 1, 5000);
	writeFileSync(`${place.state}-wal`, log);
	t.deepEqual(await failingMaster(place), [
		78,
		['mesos-overlay: opening the state "/master.db": its log is damaged, restore a backup'],
	]);
	t.true(readFileSync(`${place.state}-wal`).equals(log));
	log.writeUInt8(log.readUInt8(5000) ^ 1, 5000);
	writeFileSync(`${place.state}-wal`, log);
	const again = await startMaster(t, place);
	t.is((await ask(again, 'GET', '/overlay-master/state')).json.agents.length, 9);
});

test('a second master on the same state', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	const [status, [line = '']] = await failingMaster(place);
	t.is(status, 1);
	t.regex(line, /another process has it, is there another master\?/);
	t.deepEqual(await register(first, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26', '192.168.0.0/24']);
	await first.end('SIGKILL');
	await startMaster(t, place);
});

test('a port that is taken', async (t) => {
	const { url } = await startMaster(t, createPlace(t));
	const [status, [line = '']] = await failingMaster(createPlace(t), '--listen', new URL(url).host);
	t.is(status, 1);
	t.regex(line, /listening on 127\.0\.0\.1, port \d+: another program has this port$/);
});
