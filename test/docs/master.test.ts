// docs/operations.md about the master: every event, error and metric is there, and what the unit starts can be started.
import ava from 'ava';
import { master } from '../../src/cli/master.ts';
import { apiErrorStatus } from '../../src/master/api-error.ts';
import { logEvents } from '../../src/master/log.ts';
import { ask, createPlace, startMaster } from '../helpers/master.ts';
import { documentedErrors, firstColumn, ownMetrics, sectionOf, unitOptions, unloggedEvents } from './daemons.ts';
import { readPage } from './markdown.ts';

// one master at a time
const test = ava.serial;

const section = sectionOf('The master of the virtual networks');

test('every event is in the table, and is logged', (t) => {
	t.deepEqual(firstColumn(section, 'Event').toSorted(), [...logEvents].toSorted());
	t.deepEqual(unloggedEvents('master', logEvents), []);
});

test('every error is in the table, with its status', (t) => {
	t.deepEqual(documentedErrors(section), apiErrorStatus);
});

test('every metric is in the table', async (t) => {
	const { text } = await ask(await startMaster(t, createPlace(t)), 'GET', '/metrics');
	const documented = firstColumn(section, 'Metric').map((name) => `mesos_overlay_master_${name}`);
	t.deepEqual(documented.toSorted(), ownMetrics(text).toSorted());
});

test('every option of the unit is one, and it is not restarted in vain', (t) => {
	const unit = readPage('build/systemd/mesos-overlay-master.service');
	const options = unitOptions(unit);
	t.true(options.includes('config'));
	for (const option of options) t.true(Object.hasOwn(master.options, option), option);
	t.regex(unit, /^RestartPreventExitStatus=2 78$/m);
});

test('what an agent of another version says besides is ignored', async (t) => {
	const report = { instance: 'newer', temperature: 20, networks: { dcos: { status: 'STATUS_OK', colour: 'blue' } } };
	t.is((await ask(await startMaster(t, createPlace(t)), 'PUT', '/v1/agents/10.0.0.1', report)).status, 200);
});
