// The stream of changes, in whatever pieces it comes.
import { PassThrough } from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import { createSplitter, readEvents } from '../../../src/agent/master/watch.ts';
import { encodeWatchEvent, HEARTBEAT, type WatchEvent } from '../../../src/overlay/watch-wire.ts';

const change = (revision: string): WatchEvent => ({
	event: 'change',
	data: { revision, agents: [], removedAgents: ['10.0.0.1'] },
});

test('a text is cut at its empty lines, however it comes', (t) => {
	const part = fc.string({ unit: fc.constantFrom('a', ' ', 'é'), maxLength: 9 });
	fc.assert(
		fc.property(fc.array(part), fc.array(fc.nat(9)), (parts, lengths) => {
			const whole = parts.map((one) => `${one}\n\n`).join('');
			const found: string[] = [];
			const take = createSplitter((one) => found.push(one));
			let at = 0;
			for (const length of lengths) take(whole.slice(at, (at += length)));
			take(whole.slice(at));
			t.deepEqual(found, parts);
		}),
	);
});

test('events are handed over, heartbeats are not', async (t) => {
	const stream = new PassThrough();
	const events: WatchEvent[] = [];
	const read = readEvents(stream, (event) => events.push(event), 1000);
	stream.write(HEARTBEAT + encodeWatchEvent(change('1')) + encodeWatchEvent(change('2')).slice(0, 20));
	stream.end(encodeWatchEvent(change('2')).slice(20) + HEARTBEAT);
	await read;
	t.deepEqual(events, [change('1'), change('2')]);
});

test('a stream on which nothing comes is over', async (t) => {
	const stream = new PassThrough();
	const error = await t.throwsAsync(readEvents(stream, () => {}, 30));
	t.is(error?.message, 'nothing came for 30 ms');
	t.true(stream.destroyed);
});

test('nonsense ends it', async (t) => {
	const stream = new PassThrough();
	const read = readEvents(stream, () => {}, 1000);
	stream.write('event: surprise\ndata: {}\n\n');
	await t.throwsAsync(read, { message: /there is no event "surprise"/ });
});
