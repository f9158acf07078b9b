// Which agents are there, and what they have reported. Not kept: agents tell it again when the master was restarted.

import type { NetworkReport } from '../overlay/registration-wire.ts';

/** Seconds between two reports of an agent, at most. */
export const REPORT_INTERVAL = 30;

/** How long an agent counts as alive after its last report: milliseconds. Longer, as long as it watches. */
const ALIVE = 10_000;
const ALIVE_WATCHING = 3 * REPORT_INTERVAL * 1000;

export type Reports = ReadonlyMap<string, NetworkReport>;

export interface Presence {
	/** Notes what an agent has told of its networks, and what it was told about those; gives whether that is new. */
	report(ip: string, reports: Reports, answer: string): boolean;
	/** An agent is being registered: from now on, nobody else gets its address. */
	touch(ip: string): void;
	/** An agent begins to watch; what is returned ends it. */
	watch(ip: string): () => void;
	/** Whether an agent is alive, as far as is known: right after a start all are. */
	isAlive(ip: string): boolean;
	/** Now, to be compared with what is heard of agents from now on. */
	mark(): number;
	/** Whether an agent has reported since then. */
	hasReportedSince(ip: string, mark: number): boolean;
	/** Why an agent counts as alive, as the end of a sentence. */
	lifeSign(ip: string): string;
	reportsOf(ip: string): Reports;
	/** Rises with every report that says something new. */
	version(): number;
	forget(ip: string): void;
}

interface Present {
	seen: number;
	/** When it has reported last. */
	reported: number;
	watches: number;
	reports: Reports;
	/** The reports as text, to see whether they are new. */
	text: string;
}

const NO_REPORTS: Reports = new Map();

/** `clock` gives milliseconds that never go back. */
export function createPresence(clock: () => number): Presence {
	const started = clock();
	const agents = new Map<string, Present>();
	let version = 0;
	const presentOf = (ip: string): Present => {
		const known = agents.get(ip) ?? {
			seen: clock(),
			reported: -Infinity,
			watches: 0,
			reports: NO_REPORTS,
			text: '',
		};
		agents.set(ip, known);
		return known;
	};
	return {
		report: (ip, reports, answer) => {
			const present = presentOf(ip);
			present.seen = clock();
			present.reported = present.seen;
			const text = JSON.stringify([...reports, answer]);
			if (text === present.text) return false;
			present.reports = reports;
			present.text = text;
			version++;
			return true;
		},
		touch: (ip) => void (presentOf(ip).seen = clock()),
		watch: (ip) => {
			const present = presentOf(ip);
			present.watches++;
			return () => void present.watches--;
		},
		isAlive: (ip) => {
			const present = agents.get(ip);
			if (present === undefined) return clock() - started < ALIVE_WATCHING;
			return clock() - present.seen < (present.watches > 0 ? ALIVE_WATCHING : ALIVE);
		},
		mark: clock,
		hasReportedSince: (ip, mark) => (agents.get(ip)?.reported ?? -Infinity) > mark,
		lifeSign: (ip) => {
			const present = agents.get(ip);
			const seconds = (since: number): string => `${Math.round((clock() - since) / 1000)} s`;
			if (present !== undefined) return `heard of ${seconds(present.seen)} ago`;
			return `not heard of yet, but this master was started only ${seconds(started)} ago: all count as alive for ${ALIVE_WATCHING / 1000} s`;
		},
		reportsOf: (ip) => agents.get(ip)?.reports ?? NO_REPORTS,
		version: () => version,
		forget: (ip) => {
			if (agents.delete(ip)) version++;
		},
	};
}
