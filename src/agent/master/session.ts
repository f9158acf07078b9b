// Keeps in touch with the master: registers, watches, reports, and begins anew whenever that ends.

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../ipam/lease-error.ts';
import type { RegistrationAnswer, RegistrationReport } from '../../overlay/registration-wire.ts';
import type { WatchEvent } from '../../overlay/watch-wire.ts';
import { waitAfter } from './backoff.ts';
import type { Log } from '../log.ts';
import { type MasterClient, MasterError } from './master-client.ts';

export interface SessionOptions {
	readonly client: MasterClient;
	readonly log: Log;
	/** What to tell the master. */
	readonly report: () => Promise<RegistrationReport>;
	/** From where to watch; undefined: nothing is known yet. */
	readonly revision: () => string | undefined;
	readonly onEvent: (event: WatchEvent) => void;
	readonly onAnswer: (answer: RegistrationAnswer) => void;
	/** Called for each attempt to register or report, and for each that failed. */
	readonly onAttempt: () => void;
	readonly onFailure: (error: unknown) => void;
	/** Other than the real time, for tests. */
	readonly time?: Time;
}

/** What a session knows of time, in milliseconds. */
export interface Time {
	now(): number;
	/** Sooner at `signal`; never rejects. */
	sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
	/** From 0 to 1. */
	random(): number;
}

export interface Session {
	/** Reports soon, since there is something new. */
	tell(): void;
	/** Ends it. */
	stop(): Promise<void>;
}

/** Milliseconds after which a connection counts as well. */
const LASTING = 5000;
/** Milliseconds for which news are collected. */
const GATHERING = 50;

const REAL_TIME: Time = {
	now: () => performance.now(),
	sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => {}),
	random: Math.random,
};

export function startSession(options: SessionOptions): Session {
	const { client, log, report, revision, onEvent, onAnswer, onAttempt, onFailure, time = REAL_TIME } = options;
	const ending = new AbortController();
	let news = new AbortController();
	/** Milliseconds until the next report, at most. */
	let interval = 30_000;
	let complaint: string | undefined;
	let wasConnected = false;

	async function register(signal: AbortSignal): Promise<void> {
		onAttempt();
		news = new AbortController();
		const answer = await client.register(await report(), signal);
		interval = answer.reportInterval * 1000;
		onAnswer(answer);
	}

	async function keepReporting(signal: AbortSignal): Promise<void> {
		for (;;) {
			// Not all agents at once.
			await time.sleep(interval * (0.6 + time.random() * 0.3), AbortSignal.any([signal, news.signal]));
			await time.sleep(GATHERING, signal);
			if (signal.aborted) return;
			await register(signal);
		}
	}

	/** Until the connection breaks, or the session ends. */
	async function connect(): Promise<void> {
		await register(ending.signal);
		if (complaint !== undefined || !wasConnected) log('info', 'registered');
		wasConnected = true;
		complaint = undefined;
		const over = new AbortController();
		const signal = AbortSignal.any([ending.signal, over.signal]);
		const parts = [client.watch(revision(), onEvent, signal), keepReporting(signal)];
		try {
			await Promise.race(parts);
		} finally {
			over.abort();
			await Promise.allSettled(parts);
		}
	}

	async function run(): Promise<void> {
		let nth = 0;
		while (!ending.signal.aborted) {
			const begin = time.now();
			try {
				await connect();
			} catch (error) {
				if (ending.signal.aborted) return;
				onFailure(error);
				// A connection that was well for a while may end; it is another matter if the next one fails.
				if (time.now() - begin > LASTING) nth = 0;
				else complain(error);
				await time.sleep(waitAfter(error, nth++, time.random()), ending.signal);
			}
		}
	}

	function complain(error: unknown): void {
		const message = messageOf(error);
		if (message === complaint) return;
		complaint = message;
		const isRefusal = error instanceof MasterError && error.status !== undefined;
		log('warn', isRefusal ? 'master refuses' : 'master away', { error: message });
	}

	const running = run();
	return {
		tell: () => news.abort(),
		stop: async () => {
			ending.abort();
			await running;
		},
	};
}
