// GET /v1/watch: what has changed, as server-sent events (HTML Living Standard §9.2).

import * as v from 'valibot';
import { vtepsShape, wireAgentShape, wireNetworkShape } from './wire.ts';

/** Everything there is: the first event of who has seen nothing, or nothing of late. */
export const snapshotShape = v.object({
	revision: v.string(),
	vteps: vtepsShape,
	networks: v.array(wireNetworkShape),
	agents: v.array(wireAgentShape),
});
export type Snapshot = v.InferOutput<typeof snapshotShape>;

/** What has changed since the event before: whole agents, all networks if one of them has. */
export const changeShape = v.object({
	revision: v.string(),
	vteps: v.optional(vtepsShape),
	networks: v.optional(v.array(wireNetworkShape)),
	agents: v.array(wireAgentShape),
	/** The addresses of those that have gone. */
	removedAgents: v.array(v.string()),
});
export type Change = v.InferOutput<typeof changeShape>;

export type WatchEvent =
	| { readonly event: 'snapshot'; readonly data: Snapshot }
	| { readonly event: 'change'; readonly data: Change };

/** Sent when nothing else is, so that both ends notice when the other is gone. */
export const HEARTBEAT = ': heartbeat\n\n';

/** One event; its id is what to ask for, as `from`, to get what comes after it. */
export function encodeWatchEvent({ event, data }: WatchEvent): string {
	return `event: ${event}\nid: ${data.revision}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Reads one event, the text up to an empty line; undefined for a heartbeat. Throws TypeError when it is something else. */
export function decodeWatchEvent(text: string): WatchEvent | undefined {
	const fields = new Map(
		text
			.split('\n')
			.map((line) => line.split(/: (.*)/s))
			.map(([name = '', value = '']) => [name, value]),
	);
	const [event, data] = [fields.get('event'), fields.get('data')];
	if (event === undefined && data === undefined) return undefined;
	if (event === 'snapshot') return { event, data: v.parse(snapshotShape, JSON.parse(data ?? '')) };
	if (event === 'change') return { event, data: v.parse(changeShape, JSON.parse(data ?? '')) };
	throw new TypeError(`decoding an event of the master: there is no event "${event ?? ''}"`);
}
