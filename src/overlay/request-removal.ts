// Networks of the file that somebody has removed by a request: a restart does not bring them back.

import type { Network } from './configuration.ts';
import { compareNetworks } from './difference.ts';
import type { Draft } from './draft.ts';
import type { NetworkRecord } from './records.ts';
import type { OverlayState } from './state.ts';

/** Remembers that a network is being removed by a request, if it is the file that has it. */
export function rememberRemoval(draft: Draft, { network, origin }: NetworkRecord, time: number): void {
	const { name } = network;
	if (origin !== 'file' || draft.state.removed.has(name)) return;
	draft.put({ kind: 'removed', key: name, value: { network, time } });
}

/** Forgets it again, since the network is wanted, or not in the file any more. */
export function forgetRemoval(draft: Draft, name: string): void {
	if (draft.state.removed.has(name)) draft.put({ kind: 'removed', key: name, value: undefined });
}

/** Whether a network of the file was removed by a request, and the file has not said anything else of it since. */
export function staysAway({ removed }: OverlayState, network: Network): boolean {
	const before = removed.get(network.name);
	return before !== undefined && compareNetworks(before.network, network).length === 0;
}

/** The sentence about a network that stays away, and what to do. */
export function describeRemoval({ removed }: OverlayState, name: string): string {
	const date = new Date(removed.get(name)?.time ?? 0).toISOString();
	const advice = 'take it out of the file, or add it again by POST /v1/networks';
	return `the network "${name}" is in the file, but was removed by a request on ${date}: ${advice}`;
}
