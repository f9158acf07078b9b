import test from 'ava';
import { createPresence } from '../../src/master/presence.ts';

const NOTHING = new Map();

test('an agent is alive for a while after its last report, and longer as long as it watches', (t) => {
	let now = 1_000_000;
	const presence = createPresence(() => now);
	now += 200_000;
	t.false(presence.isAlive('a'));
	presence.report('a', NOTHING, '');
	t.true(presence.isAlive('a'));
	const end = presence.watch('a');
	now += 60_000;
	t.true(presence.isAlive('a'));
	t.is(presence.lifeSign('a'), 'heard of 60 s ago');
	now += 60_000;
	t.false(presence.isAlive('a'), 'a stream that nobody reads any more');
	presence.report('a', NOTHING, '');
	now += 9000;
	t.true(presence.isAlive('a'));
	end();
	now += 2000;
	t.false(presence.isAlive('a'));
});

test('an address is taken as soon as its agent is being registered', (t) => {
	let now = 0;
	const presence = createPresence(() => now);
	now += 200_000;
	presence.touch('a');
	t.true(presence.isAlive('a'));
	t.false(presence.hasReportedSince('a', 0));
});

test('right after a start, an agent that was not heard of yet may be alive', (t) => {
	let now = 0;
	const presence = createPresence(() => now);
	t.true(presence.isAlive('a'));
	now += 60_000;
	const sign = 'not heard of yet, but this master was started only 60 s ago: all count as alive for 90 s';
	t.deepEqual([presence.isAlive('a'), presence.lifeSign('a')], [true, sign]);
	now += 30_000;
	t.false(presence.isAlive('a'));
});

test('what is new about reports is told once', (t) => {
	const presence = createPresence(() => 0);
	const ok = () => new Map([['dcos', { status: 'STATUS_OK' as const }]]);
	t.true(presence.report('a', ok(), ''));
	const version = presence.version();
	t.false(presence.report('a', ok(), ''));
	t.is(presence.version(), version);
	t.true(presence.report('a', ok(), 'short'));
	t.is(presence.reportsOf('a').get('dcos')?.status, 'STATUS_OK');
	presence.forget('a');
	t.is(presence.reportsOf('a').size, 0);
	t.true(presence.version() > version + 1);
});

test('a report counts as new from the moment on that is asked for', (t) => {
	let now = 5;
	const presence = createPresence(() => now);
	presence.report('a', NOTHING, '');
	const mark = presence.mark();
	t.false(presence.hasReportedSince('a', mark));
	presence.watch('a');
	now++;
	t.false(presence.hasReportedSince('a', mark));
	presence.report('a', NOTHING, '');
	t.true(presence.hasReportedSince('a', mark));
	t.false(presence.hasReportedSince('b', mark));
});
