// What an agent keeps on disk: who it is, and what the master said last, to begin with when the master is away.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { decodeWatchEvent, encodeWatchEvent } from '../../overlay/watch-wire.ts';
import { type ClusterState, stateOfSnapshot } from './cluster-state.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';

const statePath = (directory: string): string => `${directory}/last-state`;
const instancePath = (directory: string): string => `${directory}/instance`;

/** Who this agent is: random when it is started for the first time. Throws what node:fs throws. */
export function readInstance(directory: string): string {
	const known = readIfThere(instancePath(directory))?.trim();
	if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return known;
	const made = randomBytes(16).toString('hex');
	writeDurably(instancePath(directory), `${made}\n`, 0o600);
	return made;
}

/** The state that was kept; undefined: none was. Throws TypeError or SyntaxError when it is something else. */
export function readLastState(directory: string): ClusterState | undefined {
	const text = readIfThere(statePath(directory));
	const event = text === undefined ? undefined : decodeWatchEvent(text.trimEnd());
	if (event === undefined) return undefined;
	if (event.event === 'snapshot') return stateOfSnapshot(event.data);
	throw new TypeError(`decoding the last state: a "${event.event}" is none`);
}

/** Keeps a state, in the form in which the master tells it. Throws what node:fs throws. */
export function writeLastState(directory: string, { revision, vteps, networks, agents }: ClusterState): void {
	const text = encodeWatchEvent({
		event: 'snapshot',
		data: { revision, vteps, networks: [...networks], agents: [...agents.values()] },
	});
	writeDurably(statePath(directory), text, 0o600);
}

/** Forgets both. */
export function removeLastState(directory: string): void {
	for (const path of [statePath(directory), instancePath(directory)]) rmSync(path, { force: true });
}
