// How an agent keeps in touch with a master, which is played here, as is the time.
import { getEventListeners } from 'node:events';
import test from 'ava';
import { MasterError } from '../../../src/agent/master/master-client.ts';
import type { Log } from '../../../src/agent/log.ts';
import { type SessionOptions, startSession, type Time } from '../../../src/agent/master/session.ts';
import type { RegistrationAnswer, RegistrationReport } from '../../../src/overlay/registration-wire.ts';

const answer = { reportInterval: 120, shortages: [] } as unknown as RegistrationAnswer;
const away = new MasterError('registering: ECONNREFUSED', { code: 'ECONNREFUSED' });
const refusal = new MasterError('registering: the master refuses', { code: 'addressInUse', status: 409 });

/** Lets everything happen that waits for nothing. */
async function settle(): Promise<void> {
	for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** A time that passes when it is told to. */
function createTime() {
	let now = 0;
	const sleepers = new Set<{ readonly due: number; readonly wake: () => void; readonly signal: AbortSignal }>();
	const time: Time = {
		now: () => now,
		random: () => 0.5,
		sleep: (milliseconds, signal) => {
			const { promise, resolve } = Promise.withResolvers<void>();
			const sleeper = {
				due: now + milliseconds,
				signal,
				wake: () => {
					sleepers.delete(sleeper);
					signal.removeEventListener('abort', sleeper.wake);
					resolve();
				},
			};
			if (signal.aborted) return Promise.resolve();
			signal.addEventListener('abort', sleeper.wake);
			sleepers.add(sleeper);
			return promise;
		},
	};
	const pass = async (milliseconds: number): Promise<void> => {
		now += milliseconds;
		for (const { due, wake } of sleepers) if (due <= now) wake();
		await settle();
	};
	return { time, pass, asleep: () => [...sleepers].map(({ due }) => due - now) };
}

/** A session with a master that does as `register` says, and whose stream goes on until it is cut. */
function begin(register: (signal: AbortSignal) => Promise<RegistrationAnswer> = async () => answer) {
	const clock = createTime();
	const told: string[] = [];
	const from: (string | undefined)[] = [];
	const counts = { attempts: 0, failures: 0, listeners: 0 };
	let cut: (error: Error) => void = () => {};
	const log: Log = (level, event, details) => told.push(`${level} ${event} ${JSON.stringify(details ?? '')}`);
	const options: SessionOptions = {
		client: {
			register: (_, signal) => {
				counts.listeners = getEventListeners(signal, 'abort').length;
				return register(signal);
			},
			watch: (revision, onEvent, signal) => {
				from.push(revision);
				onEvent({ event: 'change', data: { revision: '7', agents: [], removedAgents: [] } });
				const { promise, resolve, reject } = Promise.withResolvers<void>();
				signal.addEventListener('abort', () => resolve());
				cut = reject;
				return promise;
			},
		},
		log,
		report: async (): Promise<RegistrationReport> => ({ instance: 'one', networks: {} }),
		revision: () => (seen === 0 ? undefined : '7'),
		onEvent: () => void seen++,
		onAnswer: () => {},
		onAttempt: () => void counts.attempts++,
		onFailure: () => void counts.failures++,
		time: clock.time,
	};
	let seen = 0;
	const session = startSession(options);
	return { ...clock, session, told, from, counts, cut: (error: Error) => cut(error) };
}

test('it registers, watches from what it knows, and reports before the interval is over', async (t) => {
	const { session, pass, told, from, counts } = begin();
	await settle();
	t.deepEqual(from, [undefined]);
	t.deepEqual(told, ['info registered ""']);
	t.is(counts.attempts, 1);
	await pass(120_000 * 0.6);
	await pass(50);
	t.is(counts.attempts, 1, 'too soon');
	await pass(120_000 * 0.3);
	await pass(50);
	t.is(counts.attempts, 2);
	await session.stop();
});

test('news are reported at once, those of a moment together, and nothing is left over', async (t) => {
	const { session, pass, counts, asleep } = begin();
	await settle();
	for (let round = 1; round <= 50; round++) {
		session.tell();
		session.tell();
		await settle();
		t.deepEqual(asleep(), [50]);
		await pass(50);
		t.is(counts.attempts, 1 + round);
		t.is(asleep().length, 1, 'until the next report');
	}
	t.true(counts.listeners <= 2, `${counts.listeners} listeners`);
	await session.stop();
	t.deepEqual(asleep(), []);
});

test('news that come while a report is under way lead to another one', async (t) => {
	const first = Promise.withResolvers<RegistrationAnswer>();
	const { session, pass, counts } = begin(() => first.promise);
	session.tell();
	await settle();
	session.tell();
	first.resolve(answer);
	await settle();
	await pass(50);
	t.is(counts.attempts, 2);
	await session.stop();
});

test('who is away is asked again and again, and it is told once; so is that it is back', async (t) => {
	let isAway = true;
	const { session, pass, told, counts, asleep } = begin(async () => {
		if (isAway) throw away;
		return answer;
	});
	await settle();
	const pauses: (number | undefined)[] = [];
	for (let round = 0; round < 5; round++) {
		pauses.push(asleep()[0]);
		await pass(1000);
	}
	t.deepEqual(pauses, [187.5, 375, 750, 750, 750]);
	t.is(counts.failures, 6);
	t.deepEqual(told, ['warn master away {"error":"registering: ECONNREFUSED"}']);
	isAway = false;
	await pass(1000);
	t.deepEqual(told.slice(1), ['info registered ""']);
	await session.stop();
});

test('another reason is told again', async (t) => {
	let failure = away;
	const { session, pass, told } = begin(() => Promise.reject(failure));
	await settle();
	failure = refusal;
	await pass(1000);
	await pass(60_000);
	t.deepEqual(told, [
		'warn master away {"error":"registering: ECONNREFUSED"}',
		'warn master refuses {"error":"registering: the master refuses"}',
	]);
	await session.stop();
});

test('a stream that ends after a while is nothing to talk about: it goes on from what it knows', async (t) => {
	const { session, pass, told, from, cut, asleep, counts } = begin();
	await settle();
	await pass(6000);
	cut(new MasterError('watching: the master ended the stream', { code: 'ended' }));
	await settle();
	t.is(counts.failures, 1);
	t.deepEqual(asleep(), [187.5], 'nobody waits to report over a connection that is gone');
	await pass(200);
	t.deepEqual(from, [undefined, '7']);
	t.deepEqual(told, ['info registered ""']);
	await session.stop();
});

/** As a request, which ends with its signal. */
function hang(signal: AbortSignal): Promise<RegistrationAnswer> {
	const { promise, reject } = Promise.withResolvers<RegistrationAnswer>();
	signal.addEventListener('abort', () => reject(away));
	return promise;
}

for (const [when, register] of [
	['it is connected', async () => answer],
	['the master is away', () => Promise.reject(away)],
	['the master does not answer', hang],
] as const) {
	test(`it ends within a moment while ${when}`, async (t) => {
		const { session, asleep, counts, pass } = begin(register);
		await settle();
		await session.stop();
		t.deepEqual(asleep(), []);
		const { attempts } = counts;
		session.tell();
		await pass(600_000);
		t.is(counts.attempts, attempts);
	});
}
