// What the agent tells: one line of JSON on stderr an event, as the master's.

import { writeSync } from 'node:fs';

/** All events; docs/operations.md says what they mean. */
export const logEvents = [
	'agent started',
	'agent stopping',
	'agent stopped',
	'last state used',
	'last state not used',
	'last state not kept',
	'registered',
	'master away',
	'master refuses',
	'agent removed',
	'short',
	'applied',
	'repaired',
	'not applied',
	'rules not watched',
	'network changed',
	'network failing',
	'network well',
	'unreachable',
	'docker network made',
	'docker network removed',
	'docker rules set',
	'request failed',
] as const;
export type LogEvent = (typeof logEvents)[number];

/** What is to be told, by who only decides that. */
export interface LogLine {
	readonly level: 'info' | 'warn' | 'error';
	readonly event: LogEvent;
	readonly details?: Readonly<Record<string, unknown>>;
}

export type Log = (level: LogLine['level'], event: LogEvent, details?: LogLine['details']) => void;

/** Writes `time`, `level`, `event`, then the details. */
export const log: Log = (level, event, details = {}) => {
	const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...details });
	try {
		writeSync(2, `${line}\n`);
	} catch {
		// A stderr that cannot be written is no reason to stop.
	}
};
