// docs/operations.md about the agent: every event, error and metric is there, and what the unit starts can be started.
import test, { type ExecutionContext } from 'ava';
import { logEvents } from '../../src/agent/log.ts';
import { agent } from '../../src/cli/agent.ts';
import { decodeRegistrationAnswer } from '../../src/overlay/registration-wire.ts';
import { decodeWatchEvent } from '../../src/overlay/watch-wire.ts';
import { executable } from '../helpers/cni.ts';
import { startDaemon, startRequester } from '../helpers/cluster-process.ts';
import { createHost } from '../helpers/host.ts';
import { documentedErrors, firstColumn, ownMetrics, sectionOf, unitOptions, unloggedEvents } from './daemons.ts';
import { readPage } from './markdown.ts';

const section = sectionOf('The agent of a host');

/** Starts an agent whose master is away; gives what makes requests to it. */
async function startLonelyAgent(t: ExecutionContext) {
	const host = createHost(t);
	const { directory } = host;
	const where = ['--cni-dir', `${directory}/cni`, '--state-dir', `${directory}/state`, '--run-dir', directory];
	const who = ['--master', 'http://127.0.0.1:9', '--ip', '10.0.0.7', '--docker', 'none'];
	await startDaemon(t, host, [executable, 'agent', ...who, ...where]).event('agent started');
	const request = startRequester(t, host);
	return (method: string, path: string) => request(method, `http://127.0.0.1:5056${path}`);
}

test('every event is in the table, and is logged', (t) => {
	t.deepEqual(firstColumn(section, 'Event').toSorted(), [...logEvents].toSorted());
	t.deepEqual(unloggedEvents('agent', logEvents), []);
});

test('every metric is in the table', async (t) => {
	const request = await startLonelyAgent(t);
	const documented = [
		...firstColumn(section, 'Metric').map((name) => `mesos_overlay_slave_${name}`),
		...firstColumn(section, 'Metric of dcos-net'),
	];
	const { json } = await request('GET', '/metrics');
	t.deepEqual(documented.toSorted(), ownMetrics(String(json)).toSorted());
});

test('every error is in the table, with its status', async (t) => {
	const request = await startLonelyAgent(t);
	const answers = [await request('GET', '/state'), await request('POST', '/metrics')];
	const given = answers.map(({ status, json }) => [(json as { code: string }).code, status]);
	const { internal, ...documented } = documentedErrors(section);
	t.deepEqual(documented, Object.fromEntries(given) as Record<string, number>);
	t.is(internal, 500);
});

test('every option of the unit is one, and it is not restarted in vain', (t) => {
	const unit = readPage('build/systemd/mesos-overlay-agent.service');
	const options = unitOptions(unit);
	t.true(options.includes('master'));
	for (const option of options) t.true(Object.hasOwn(agent.options, option), option);
	t.regex(unit, /^RestartPreventExitStatus=2 78$/m);
});

test('what a master of another version says besides is ignored', (t) => {
	const vteps = { name: 'vtep1024', vni: 1024, port: 64_000, subnet: '44.128.0.0/20', colour: 'blue' };
	const own = { ip: '10.0.0.1', vtep: { ip: '44.128.0.1', mac: '70:b3:d5:80:00:01', age: 1 }, networks: {} };
	const common = { revision: '1-a', vteps, networks: [{ name: 'dcos', state: 'active', priority: 1 }] };
	const answer = { ...common, reportInterval: 30, agent: own, shortages: [], temperature: 20 };
	t.is(decodeRegistrationAnswer(JSON.stringify(answer)).agent.ip, '10.0.0.1');
	const snapshot = JSON.stringify({ ...common, agents: [own], temperature: 20 });
	t.is(decodeWatchEvent(`event: snapshot\nid: 1-a\ndata: ${snapshot}`)?.data.agents.length, 1);
});
