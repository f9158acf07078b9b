// Tells those who watch what has changed, as soon as it is durable.

import type { ServerResponse } from 'node:http';
import { networksOf, type OverlayState } from '../overlay/state.ts';
import { type Change, encodeWatchEvent, HEARTBEAT, type Snapshot } from '../overlay/watch-wire.ts';
import { encodeAgent, encodeNetwork, encodeVteps } from '../overlay/wire.ts';
import type { Committed, Registry } from './registry.ts';

/** Changes within this time are told together: milliseconds. */
const GATHERING = 20;
const HEARTBEAT_INTERVAL = 10_000;
/** Who has not taken so many bytes is cut off, and comes back for what it has missed. */
const MOST_PENDING = 16 * 1024 * 1024;

export interface Feed {
	/** Answers a request by a stream: from a revision on if that is known, else with everything first. `onEnd` when it is over. */
	serve(response: ServerResponse, from: string | undefined, onEnd: () => void): void;
	/** How many are served. */
	size(): number;
	/** Ends all streams: who may watch comes back. */
	dismiss(): void;
	/** Ends all streams for good. */
	close(): void;
}

/** Tells what the registry makes durable; `onSlow` is called when somebody is cut off. */
export function createFeed(registry: Registry, onSlow: () => void): Feed {
	const { durable } = registry;
	const responses = new Set<ServerResponse>();
	let gathered: Committed[] = [];
	let timer: NodeJS.Timeout | undefined;
	/** The last snapshot, since many may ask for one at once. */
	let snapshot: { readonly revision: string; readonly bytes: Buffer } | undefined;

	const send = (response: ServerResponse, bytes: Buffer | string): void => {
		response.write(bytes);
		if (response.writableLength <= MOST_PENDING) return;
		onSlow();
		response.destroy();
	};
	const dismiss = (): void => {
		for (const response of responses) response.end();
	};
	const flush = (): void => {
		clearTimeout(timer);
		timer = undefined;
		const changes = gathered;
		gathered = [];
		const event = encodeChanges(durable, changes);
		if (event === undefined || responses.size === 0) return;
		const bytes = Buffer.from(event);
		for (const response of responses) send(response, bytes);
	};
	registry.watch((committed) => {
		gathered.push(committed);
		timer ??= setTimeout(flush, GATHERING);
	});
	const heartbeat = setInterval(() => {
		for (const response of responses) send(response, HEARTBEAT);
	}, HEARTBEAT_INTERVAL);

	return {
		serve: (response, from, onEnd) => {
			// All others are told first, so that everybody is at the same revision.
			flush();
			// In Bun, what is written does not put off the end of an idle connection. Who does not read is cut off by MOST_PENDING.
			response.setTimeout(0);
			response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
			response.on('close', () => {
				responses.delete(response);
				onEnd();
			});
			responses.add(response);
			const missed = from === undefined ? undefined : registry.changesSince(from);
			if (missed === undefined) {
				const revision = registry.revision();
				if (snapshot?.revision !== revision) snapshot = { revision, bytes: encodeSnapshot(durable, revision) };
				send(response, snapshot.bytes);
			} else {
				send(response, encodeChanges(durable, missed) ?? HEARTBEAT);
			}
		},
		size: () => responses.size,
		dismiss,
		close: () => {
			clearInterval(heartbeat);
			clearTimeout(timer);
			dismiss();
		},
	};
}

function encodeSnapshot(state: OverlayState, revision: string): Buffer {
	const { vtep } = state;
	if (vtep === undefined) throw new TypeError('there are no settings of VTEPs');
	const agents = Array.from(state.agents.values(), (agent) => encodeAgent(agent, vtep.macOui));
	const data: Snapshot = {
		revision,
		vteps: encodeVteps(vtep),
		networks: networksOf(state).map(encodeNetwork),
		agents,
	};
	return Buffer.from(encodeWatchEvent({ event: 'snapshot', data }));
}

/** What several changes come to; undefined when nothing of it is for those who watch. */
function encodeChanges(state: OverlayState, changes: readonly Committed[]): string | undefined {
	const { vtep } = state;
	const writes = changes.flatMap((change) => change.writes);
	const touched = new Set(writes.map(({ kind }) => kind));
	const revision = changes.at(-1)?.revision;
	if (
		vtep === undefined ||
		revision === undefined ||
		!(touched.has('agent') || touched.has('network') || touched.has('vtep'))
	) {
		return undefined;
	}
	const agents = new Map(writes.flatMap((write) => (write.kind === 'agent' ? [[write.key, write.value]] : [])));
	const data: Change = {
		revision,
		...(touched.has('vtep') && { vteps: encodeVteps(vtep) }),
		...(touched.has('network') && { networks: networksOf(state).map(encodeNetwork) }),
		agents: [...agents.values()]
			.filter((agent) => agent !== undefined)
			.map((agent) => encodeAgent(agent, vtep.macOui)),
		removedAgents: [...agents].flatMap(([ip, agent]) => (agent === undefined ? [ip] : [])),
	};
	return encodeWatchEvent({ event: 'change', data });
}
