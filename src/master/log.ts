// What the daemon tells: one line of JSON on stderr an event.

import { writeSync } from 'node:fs';

/** All events; docs/operations.md says what they mean. */
export const logEvents = [
	'master started',
	'master stopping',
	'master stopped',
	'state created',
	'state reconciled',
	'no credentials',
	'no encryption',
	'credentials read',
	'credentials not read',
	'agent registered',
	'agent moved',
	'agent refused',
	'agent short',
	'agent failing',
	'agent removed',
	'network changed',
	'network removed',
	'network left out',
	'request refused',
	'request failed',
	'store failed',
	'watcher too slow',
] as const;
export type LogEvent = (typeof logEvents)[number];
export type Level = 'info' | 'warn' | 'error';

export type Log = (level: Level, event: LogEvent, details?: Readonly<Record<string, unknown>>) => void;

/** Writes `time`, `level`, `event`, then the details. */
export const log: Log = (level, event, details = {}) => {
	const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...details });
	try {
		writeSync(2, `${line}\n`);
	} catch {
		// A stderr that cannot be written is no reason to stop.
	}
};
