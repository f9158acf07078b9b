// Keeps in touch with the master: registers, watches, reports, and begins anew whenever that ends.

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../ipam/lease-error.ts';
import type { RegistrationAnswer, RegistrationReport } from '../overlay/registration-wire.ts';
import type { WatchEvent } from '../overlay/watch-wire.ts';
import { waitAfter } from './backoff.ts';
import type { Log } from './log.ts';
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

export function startSession(options: SessionOptions): Session {
	const { client, log, report, revision, onEvent, onAnswer, onAttempt, onFailure } = options;
	let isStopped = false;
	let connection = new AbortController();
	let news = Promise.withResolvers<void>();
	/** Milliseconds until the next report, at most. */
	let interval = 30_000;
	let complaint: string | undefined;
	let wasConnected = false;

	const register = async (): Promise<void> => {
		onAttempt();
		news = Promise.withResolvers();
		const answer = await client.register(await report());
		interval = answer.reportInterval * 1000;
		onAnswer(answer);
	};
	const keepReporting = async ({ signal }: AbortController): Promise<void> => {
		while (!signal.aborted) {
			// Not all agents at once.
			const pause = interval * (0.6 + Math.random() * 0.3);
			await Promise.race([news.promise, sleep(pause, undefined, { signal })]);
			await sleep(GATHERING, undefined, { signal });
			await register();
		}
	};
	const connect = async (): Promise<void> => {
		await register();
		if (complaint !== undefined || !wasConnected) log('info', 'registered');
		wasConnected = true;
		complaint = undefined;
		const current = connection;
		const watching = client.watch(revision(), onEvent, current.signal);
		const reporting = keepReporting(current);
		try {
			await Promise.race([watching, reporting]);
		} finally {
			current.abort();
			await Promise.allSettled([watching, reporting]);
		}
	};
	const run = async (): Promise<void> => {
		let nth = 0;
		while (!isStopped) {
			connection = new AbortController();
			const begin = performance.now();
			try {
				await connect();
			} catch (error) {
				if (isStopped) return;
				onFailure(error);
				// A connection that was well for a while may end; it is another matter if the next one fails.
				if (performance.now() - begin > LASTING) nth = 0;
				else complain(error);
				connection = new AbortController();
				const { signal } = connection;
				await sleep(waitAfter(error, nth++, Math.random()), undefined, { signal }).catch(() => {});
			}
		}
	};
	const complain = (error: unknown): void => {
		const message = messageOf(error);
		if (message === complaint) return;
		complaint = message;
		const isRefusal = error instanceof MasterError && error.status !== undefined;
		log('warn', isRefusal ? 'master refuses' : 'master away', { error: message });
	};
	const running = run();
	return {
		tell: () => news.resolve(),
		stop: async () => {
			isStopped = true;
			connection.abort();
			await running;
		},
	};
}
