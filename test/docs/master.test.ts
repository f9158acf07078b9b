// docs/operations.md about the master: every event, error and metric is there, and what the unit starts can be started.
import { readFileSync } from 'node:fs';
import ava from 'ava';
import { master } from '../../src/cli/master.ts';
import { apiErrorStatus } from '../../src/master/api-error.ts';
import { logEvents } from '../../src/master/log.ts';
import { ask, createPlace, startMaster } from '../helpers/master.ts';
import { codeSpans, projectDirectory, readPage, tableRows } from './markdown.ts';

// one master at a time
const test = ava.serial;

const [, page = ''] = /^## The master of the virtual networks$([^]*?)^## /m.exec(readPage('docs/operations.md')) ?? [];
/** The code spans of the first column, those that continue the one before left out. */
const firstColumn = (heading: string) =>
	tableRows(page, heading).flatMap(([cell]) => codeSpans(cell).filter((span) => !span.startsWith('…')));

test('every event is in the table', (t) => {
	t.deepEqual(firstColumn('Event').toSorted(), [...logEvents].toSorted());
});

test('every error is in the table, with its status', (t) => {
	const documented = tableRows(page, 'Code').flatMap(([cell, status = '']) => {
		const codes = codeSpans(cell);
		const statuses = status.split(', ');
		return codes.map((code, at) => [code, Number(statuses[at] ?? statuses[0])] as const);
	});
	t.deepEqual(Object.fromEntries(documented), apiErrorStatus);
});

test('every metric is in the table', async (t) => {
	const { text } = await ask(await startMaster(t, createPlace(t)), 'GET', '/metrics');
	const names = Array.from(text.matchAll(/^# TYPE mesos_overlay_master_(\w+) /gm), ([, name = '']) => name);
	t.true(names.length > 15);
	const documented = tableRows(page, 'Metric').flatMap(([cell]) => {
		const spans = codeSpans(cell);
		return spans.map((span) =>
			span.startsWith('…') ? (spans[0] ?? '').replace(/_received$/, span.slice(1)) : span,
		);
	});
	t.deepEqual(documented.toSorted(), names.toSorted());
});

test('every option of the unit is one, and it is not restarted in vain', (t) => {
	const unit = readFileSync(`${projectDirectory}/build/systemd/mesos-overlay-master.service`, 'utf8');
	const [, command = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
	const options = Array.from(command.matchAll(/--([\w-]+) /g), ([, name = '']) => name);
	t.true(options.includes('config'));
	for (const option of options) t.true(Object.hasOwn(master.options, option), option);
	t.regex(unit, /^RestartPreventExitStatus=2 78$/m);
});
