// What is told of new states and new statuses, and whether an agent is well.
import test from 'ava';
import { networksOf, networksWithout } from '../../src/agent/master/cluster-state.ts';
import { healthOf } from '../../src/agent/status/health.ts';
import { newsOfState } from '../../src/agent/master/state-news.ts';
import { newsOfStatuses } from '../../src/agent/status/status-news.ts';
import { agent, cluster, dcos } from '../helpers/cluster-state.ts';

const other = { ...dcos, name: 'other', overlay: '10.0.0.0/8' };
const before = cluster([agent(1), agent(2)], [dcos, other]);

test('of a first state, and of one that is the same, nothing is told', (t) => {
	t.deepEqual(newsOfState(undefined, before, '10.64.0.1'), []);
	t.deepEqual(newsOfState(before, { ...before, revision: '2' }, '10.64.0.1'), []);
	t.deepEqual(newsOfState(before, cluster([agent(1), agent(2)], [{ ...dcos }, other]), '10.64.0.1'), []);
});

test('networks that come, change and go are told, and that the agent was removed', (t) => {
	const changed = { ...dcos, state: 'draining' } as const;
	const fresh = { ...other, name: 'fresh' };
	t.deepEqual(newsOfState(before, cluster([agent(2)], [changed, fresh]), '10.64.0.1'), [
		{ level: 'warn', event: 'agent removed' },
		{ level: 'info', event: 'network changed', details: changed },
		{ level: 'info', event: 'network changed', details: fresh },
		{ level: 'info', event: 'network changed', details: { name: 'other', state: 'removed' } },
	]);
	t.deepEqual(newsOfState(before, cluster([agent(1)], before.networks), '10.64.0.1'), [], 'others come and go');
});

test('a network that fails is told once for each reason, and when it works again', (t) => {
	const of = (status: 'STATUS_OK' | 'STATUS_FAILED' | 'STATUS_CONFIGURING', error?: string) =>
		new Map([['dcos', { status, ...(error !== undefined && { error }) }]]);
	const failing = (error: string) => [
		{ level: 'error', event: 'network failing', details: { network: 'dcos', error } } as const,
	];
	const well = [{ level: 'info', event: 'network well', details: { network: 'dcos' } } as const];
	t.deepEqual(newsOfStatuses(new Map(), of('STATUS_CONFIGURING')), []);
	t.deepEqual(newsOfStatuses(of('STATUS_CONFIGURING'), of('STATUS_OK')), well);
	t.is(newsOfStatuses(of('STATUS_OK'), of('STATUS_OK')), undefined);
	t.deepEqual(newsOfStatuses(of('STATUS_OK'), of('STATUS_FAILED', 'busy')), failing('busy'));
	t.is(newsOfStatuses(of('STATUS_FAILED', 'busy'), of('STATUS_FAILED', 'busy')), undefined);
	t.deepEqual(newsOfStatuses(of('STATUS_FAILED', 'busy'), of('STATUS_FAILED', 'full')), failing('full'));
	t.deepEqual(newsOfStatuses(of('STATUS_FAILED', 'busy'), of('STATUS_OK')), well);
	t.deepEqual(newsOfStatuses(of('STATUS_OK'), new Map()), [], 'one that has gone is no news, but a change');
});

test('an agent is well when it knows what it should be and nothing is wrong, with a master or without', (t) => {
	t.like(healthOf([], before, true), { isWell: true, details: { master: 'connected', revision: '1' } });
	t.like(healthOf([], before, false), { isWell: true, details: { master: 'away' } });
	t.false(healthOf([], undefined, true).isWell);
	t.like(healthOf(['no device'], before, true), { isWell: false, details: { problems: ['no device'] } });
});

test('a host has a part of some networks, and none of the others', (t) => {
	t.deepEqual(networksOf(before, '10.64.0.1'), ['dcos']);
	t.deepEqual(networksWithout(before, '10.64.0.1'), ['other']);
	t.deepEqual(networksOf(before, '10.64.0.9'), []);
	t.deepEqual(networksWithout(before, '10.64.0.9'), ['dcos', 'other']);
});
