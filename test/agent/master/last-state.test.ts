// What an agent keeps on disk.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readInstance, readLastState, removeLastState, writeLastState } from '../../../src/agent/master/last-state.ts';
import { agent, cluster } from '../../helpers/cluster-state.ts';

function directoryOf(t: ExecutionContext): string {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-last-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}

test('a state is read as it was written, and is only for its user', (t) => {
	const directory = `${directoryOf(t)}/made`;
	t.is(readLastState(directory), undefined);
	const state = cluster([agent(1), agent(2)]);
	writeLastState(directory, state);
	t.deepEqual(readLastState(directory), state);
	t.is(statSync(`${directory}/last-state`).mode & 0o777, 0o600);
	t.deepEqual(readdirSync(directory), ['last-state'], 'no temporary file is left');
	removeLastState(directory);
	t.is(readLastState(directory), undefined);
});

test('an agent is who it was, until it is forgotten', (t) => {
	const directory = directoryOf(t);
	const instance = readInstance(directory);
	t.regex(instance, /^[0-9a-f]{32}$/);
	t.is(readInstance(directory), instance);
	writeFileSync(`${directory}/instance`, '');
	t.not(readInstance(directory), instance);
});

for (const text of ['', 'event: snapshot\ndata: {}', 'event: snapshot\ndata: {"revision"', 'event: change\ndata: {}']) {
	test(`a file that is no state is told, or counts as none: ${JSON.stringify(text)}`, (t) => {
		const directory = directoryOf(t);
		writeFileSync(`${directory}/last-state`, text);
		if (text === '') t.is(readLastState(directory), undefined);
		else t.throws(() => readLastState(directory));
	});
}
