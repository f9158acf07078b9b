// What is wrong in one place or another, and what that means for networks.
import test from 'ava';
import { createHostStatus, type Place } from '../../../src/agent/status/host-status.ts';
import { NO_TROUBLE, troubleOfError, troubleOfNetworks } from '../../../src/agent/status/network-status.ts';

function create(needed: readonly Place[] = ['files']) {
	const told: string[] = [];
	const status = createHostStatus({
		networks: () => ['dcos', 'other'],
		needed,
		log: (_, event, details) => told.push(`${event} ${String(details?.['network'])}`),
		onStatus: () => told.push('status'),
	});
	const take = () => told.splice(0);
	return { ...status, take };
}

test('a network works when it was tried wherever it has to be, and nothing is wrong', (t) => {
	const { tried, statuses, take } = create(['files', 'docker']);
	tried('files', ['dcos', 'other']);
	t.is(statuses().get('dcos')?.status, 'STATUS_CONFIGURING');
	tried('docker', ['dcos']);
	t.is(statuses().get('dcos')?.status, 'STATUS_OK');
	t.is(statuses().get('other')?.status, 'STATUS_CONFIGURING');
	t.deepEqual(take(), ['status', 'network well dcos', 'status']);
	tried('docker', ['dcos']);
	t.deepEqual(take(), [], 'what is not new is not told');
});

test('what is wrong in one place stays so whatever happens in another', async (t) => {
	const { tried, set, attempt, statuses, problems, take } = create();
	tried('files', ['dcos', 'other']);
	take();
	await attempt('files', () => troubleOfNetworks(new Map([['dcos', 'taken']])));
	await attempt('rules', () => Promise.reject(new Error('refused')));
	t.deepEqual(problems(), ['refused']);
	t.is(statuses().get('dcos')?.error, 'refused; taken');
	set('rules', NO_TROUBLE);
	t.deepEqual(problems(), []);
	t.is(statuses().get('dcos')?.error, 'taken');
	t.is(statuses().get('other')?.status, 'STATUS_OK');
	set('kernel', troubleOfError(new Error('no device')));
	t.deepEqual(problems(), ['no device']);
	await attempt('files', () => NO_TROUBLE);
	t.is(statuses().get('dcos')?.error, 'no device');
});
