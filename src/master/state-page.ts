// The state as the original shows it, made when it is asked for, and kept until it changes.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { byVtep } from '../overlay/allocation.ts';
import { documentAgent, documentNetwork } from '../overlay/document-state.ts';
import type { VtepSettings } from '../overlay/configuration.ts';
import type { AgentRecord, NetworkRecord } from '../overlay/records.ts';
import { networksOf } from '../overlay/state.ts';
import type { Presence, Reports } from './presence.ts';
import type { Registry } from './registry.ts';

const compress = promisify(gzip);

export interface StatePage {
	/** Tells this page from any other, RFC 9110 §8.8.3. */
	readonly tag: string;
	readonly json: Uint8Array<ArrayBuffer>;
	/** The same, compressed. */
	readonly zipped: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** Gives the function that gives the page of the moment. `run` tells this run of the master from others. */
export function createStatePages(registry: Registry, presence: Presence, run: string): () => StatePage {
	let texts = new WeakMap<AgentRecord, { readonly reports: Reports; readonly text: string }>();
	registry.watch(({ writes }) => {
		// An agent's text has something of each.
		if (writes.some(({ kind }) => kind === 'vtep' || kind === 'network')) texts = new WeakMap();
	});
	const textOf = (agent: AgentRecord, vtep: VtepSettings, networks: readonly NetworkRecord[]): string => {
		const reports = presence.reportsOf(agent.ip);
		const before = texts.get(agent);
		if (before?.reports === reports) return before.text;
		const text = JSON.stringify(documentAgent(agent, vtep, networks, reports));
		texts.set(agent, { reports, text });
		return text;
	};
	let last: StatePage | undefined;
	return () => {
		const tag = `"${run}.${registry.revision()}.${presence.version()}"`;
		if (last?.tag === tag) return last;
		const { durable } = registry;
		const { vtep } = durable;
		if (vtep === undefined) throw new TypeError('there are no settings of VTEPs');
		const networks = networksOf(durable);
		const agents = byVtep(durable).map((agent) => textOf(agent, vtep, networks));
		const network = JSON.stringify(documentNetwork(vtep, networks));
		const json = new TextEncoder().encode(`{"agents":[${agents.join(',')}],"network":${network}}`);
		let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
		last = { tag, json, zipped: () => (bytes ??= compress(json)) };
		return last;
	};
}
